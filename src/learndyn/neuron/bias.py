r"""Which function a linear neuron ends at: the mirror flow behind its gradient flow.

While $a \ne 0$, $\dot w = -a X^\top(X\beta - y)$ says that $w$ moves within the span of the inputs. In terms of
$\beta = a w$ this is a mirror flow, in the time $\int a\,dt$: $w = \operatorname{sgn}(a)\,\nabla\Psi_\delta(\beta)/\sqrt2$,
where the potential $\Psi_\delta$ is convex.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from learndyn import _require as require
from learndyn.neuron import _arguments as arguments
from learndyn.neuron.geometry import Number, _direction, _function, _root, _shares


class Minimizer(NamedTuple):
    r"""A function that fits the data, and how well it solves the problem of which it is the minimizer.

    Attributes:
      beta: the function.
      stationarity: length of the part of $\nabla\Psi(\beta) - \mathrm{tilt}$ in the null space of X, relative to the
        lengths of both; zero at the tip of the cone that the potential has at $\beta = 0$ for $\delta < 0$.
      feasibility: $\|X\beta - y\|$ relative to $\|X\|\|\beta\| + \|y\|$.
      iterations: how many steps Newton's method took.
    """

    beta: Float[Array, " d"]
    stationarity: float
    feasibility: float
    iterations: int


def potential(beta: Float[Array, " d"], delta: Number) -> Float[Array, ""]:
    r"""$\Psi_\delta(\beta) = \frac13 (\kappa - 2\delta) \sqrt{\kappa + \delta}$ with $\kappa = \sqrt{\delta^2 + 4\|\beta\|^2}$.

    Strictly convex for every $\delta$: as a function of $\|\beta\|$ its slope $\sqrt{\kappa - \delta}$ is not negative and
    grows. For $\delta < 0$ there is a cone at $\beta = 0$ (the slope begins at $\sqrt{-2\delta}$); `jax.grad` gives 0 there.

    Args:
      beta: the function.
      delta: the imbalance.

    Raises:
      ValueError, TypeError: if an argument has a wrong shape or is not finite.

    Source: Kunin et al. (2024), theorem 3.1.
    """
    beta, delta = arguments.floating(beta), arguments.floating(delta)
    arguments.vector("beta", beta)
    arguments.scalar("delta", delta)
    of_a, of_w = _shares(delta, arguments.length(beta))
    return (of_a + of_w - 2 * delta) * _root(2 * of_a) / 3  # their sum is kappa


def tilt(beta0: Float[Array, " d"], delta: Number) -> Float[Array, " d"]:
    r"""$\nabla\Psi_\delta(\beta_0) = \sqrt{\kappa_0 - \delta}\;\beta_0/\|\beta_0\|$, which is $\sqrt2\, w_0$ for $a_0 > 0$.

    Args:
      beta0: the function at the start. At zero the tilt is 0 for $\delta \ge 0$, and undefined for $\delta < 0$ (not
        checked under `jit` and `vmap`, where it is then NaN).
      delta: the imbalance.

    Raises:
      ValueError, TypeError: if an argument has a wrong shape or is not finite, or for `beta0` zero and `delta` negative.

    Source: Kunin et al. (2024), theorem 3.1.
    """
    beta0, delta = _function(beta0, delta, "w could have any direction", name="beta0")
    _, of_w = _shares(delta, arguments.length(beta0))
    return _root(2 * of_w) * _direction(beta0, delta)


def implicit_bias(X: Float[Array, "n d"], y: Float[Array, " n"], beta0: Float[Array, " d"], delta: Number) -> Minimizer:
    r"""$\operatorname{argmin} \Psi_\delta(\beta) - \mathrm{tilt}(\beta_0)^\top \beta$ subject to $X\beta = y$.

    There is exactly one, since the potential is strictly convex and grows like $\|\beta\|^{3/2}$. Gradient flow of a
    linear neuron from $\beta_0 = a_0 w_0$ ends at it, if it ends at a fit and $a$ has there the sign that it had at the
    start. For $\delta \ge 0$ the sign never changes. For $\delta < 0$ it changes where the path passes through
    $\beta = 0$, as it can from a $\beta_0$ that points away from the target, and the flow ends at
    `implicit_bias(X, y, -beta0, delta)` instead. For $\delta = 0$ and $\beta_0 = 0$ the flow stays at a saddle, and the
    minimizer is the limit of small $\beta_0$: the shortest fit.

    Found by Newton's method in the null space of X, in double precision, on arrays with values: not under `jit`.

    Args:
      X: inputs, one a row, of any rank. If it is the number of columns there is only one fit.
      y: targets that a linear function can fit.
      beta0: the function at the start; not zero for $\delta < 0$, where it would not tell the direction of $w_0$.
      delta: the imbalance.

    Raises:
      ValueError, TypeError: if an argument has a wrong shape or is not finite, X is zero, no $\beta$ fits, or for
        `beta0` zero and `delta` negative.
      RuntimeError: if Newton's method did not converge.

    Source: Kunin et al. (2024), theorem 3.1.
    """
    for name, value in (("X", X), ("y", y), ("beta0", beta0), ("delta", delta)):
        if isinstance(value, jax.core.Tracer):
            raise TypeError(f"{name} must have values, but is traced, {value}: call implicit_bias outside of jit and vmap")
    require.matrix("X", X)
    arguments.targets(X, y)
    X, y = np.asarray(X, float), np.asarray(y, float)
    beta0, delta = _function(beta0, delta, "the direction in which it starts to move is that of w", name="beta0")
    if beta0.shape[0] != X.shape[1]:
        raise ValueError(f"beta0 must have shape ({X.shape[1]},), an entry a column of X, but has shape {beta0.shape}")
    U, values, V = np.linalg.svd(X, full_matrices=X.shape[0] < X.shape[1])  # all of V, and no more of U
    rank = int(np.sum(values > values[0] * max(X.shape) * np.finfo(float).eps))
    if rank == 0:
        raise ValueError(f"X must not be zero, but is zero, of shape {X.shape}")
    shortest = V[:rank].T @ ((U[:, :rank].T @ y) / values[:rank])
    misfit = np.linalg.norm(X @ shortest - y)
    if misfit > 1e-8 * np.linalg.norm(y):
        raise ValueError(
            f"y must be fitted by some beta, X beta = y, but the closest misses it by {misfit:.3g}; "
            "for the end of a flow that cannot fit, project: y = X @ pinv(X) @ y"
        )
    beta0, delta, null = np.asarray(beta0, float), float(delta), V[rank:].T
    slope = _gradient(beta0, delta) if beta0.any() else beta0
    beta, stationarity, iterations = _newton(shortest, null, slope, delta)
    feasibility = _ratio(np.linalg.norm(X @ beta - y), values[0] * np.linalg.norm(beta) + np.linalg.norm(y))
    return Minimizer(jnp.asarray(beta), stationarity, feasibility, iterations)


def _newton(start, null, slope, delta, tolerance=1e-15, most=200):
    """The minimum of Psi(beta) - slope.beta among beta = start + null z, where its gradient vanishes.

    Newton's direction always shortens the gradient in z, whose length decides how far to go along it.
    """
    pull = null.T @ slope
    if not start.any() and np.linalg.norm(pull) <= np.sqrt(max(-2 * delta, 0.0)):
        return start, 0.0, 0  # zero fits, and the cone there is steeper than the pull
    z, iterations = pull, 0
    force = null.T @ _gradient(start + null @ z, delta) - pull
    while np.linalg.norm(force) > tolerance * np.linalg.norm(slope) and iterations < most:
        step, length = np.linalg.solve(null.T @ _hessian(start + null @ z, delta) @ null, force), 1.0
        while length > 1e-9:
            trial = null.T @ _gradient(start + null @ (z - length * step), delta) - pull
            if np.linalg.norm(trial) < (1 - 1e-4 * length) * np.linalg.norm(force):
                break
            length /= 2
        else:
            break  # nothing is left to gain but rounding
        z, force, iterations = z - length * step, trial, iterations + 1
    beta = start + null @ z
    stationarity = _ratio(np.linalg.norm(force), np.linalg.norm(_gradient(beta, delta)) + np.linalg.norm(slope))
    if not stationarity < 1e-10:
        raise RuntimeError(
            f"implicit_bias did not converge: after {iterations} steps of Newton's method the gradient in the null "
            f"space of X is {np.linalg.norm(force):.3g}; are the scales of y, beta0 and delta = {delta} far apart?"
        )
    return beta, stationarity, iterations


def _gradient(beta, delta):
    """2 beta / sqrt(kappa + delta), which is sqrt(kappa - delta) beta/|beta|."""
    share, _, _ = _spread(beta, delta)
    return np.sqrt(2 / share) * beta


def _hessian(beta, delta):
    share, kappa, size = _spread(beta, delta)
    unit = beta / size
    across = np.eye(len(beta)) - np.outer(unit, unit)
    return np.sqrt(2 / share) * across + np.sqrt(2 * share) / kappa * np.outer(unit, unit)


def _spread(beta, delta):
    """a^2 = (kappa + delta)/2, kappa and |beta|."""
    size = np.linalg.norm(beta)
    kappa = np.hypot(delta, 2 * size)
    larger = (kappa + abs(delta)) / 2
    return larger if delta >= 0 else size**2 / larger, kappa, size


def _ratio(part, whole):
    return float(part / whole) if whole else 0.0
