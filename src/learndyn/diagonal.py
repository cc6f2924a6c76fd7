"""Diagonal linear networks, $f(x) = \\sum_i (u_i^2 - v_i^2)\\, x_i$: linear functions that training sees otherwise.

Started from $u = v = \\alpha$ the function is zero, whatever the scale $\\alpha$. The scale decides which of the functions
that fit the data gradient flow finds: the one of least $\\ell_2$ norm (large scale), of least $\\ell_1$ norm (small), or
one in between, which minimizes a potential $Q_\\alpha$ that this module knows and minimizes without any flow.
"""

import functools
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


def start(d: int, *, scale: float) -> PyTree:
    r"""$u = v = \alpha$ in every coordinate: the function zero, from which the flow of `apply` starts.

    Args:
      d: the number of inputs.
      scale: $\alpha$, positive.

    Returns:
      {"u": (d,), "v": (d,)}.
    """
    require.positive_integer("d", d)
    _positive("scale", scale)
    return {"u": jnp.full(d, float(scale)), "v": jnp.full(d, float(scale))}


def coefficients(params: PyTree) -> Float[Array, "d"]:
    r"""$\beta = u^2 - v^2$, entry by entry: the linear function that the network computes.

    Args:
      params: {"u": (d,), "v": (d,)}.
    """
    for name in ("u", "v"):
        require.array(f"params[{name!r}]", params[name], ndim=1)
    return params["u"] ** 2 - params["v"] ** 2


def apply(params: PyTree, X: Float[Array, "n d"]) -> Float[Array, "n 1"]:
    r"""$f(x) = \beta \cdot x$ with $\beta = u^2 - v^2$, in the form that `losses.squared_loss` takes.

    Args:
      params: {"u": (d,), "v": (d,)}.
      X: inputs, one a row.
    """
    beta = coefficients(params)
    require.matrix("X", X, columns=beta.shape[0])
    return (X @ beta)[:, None]


def potential(beta: Float[Array, "d"], scale: float | Float[Array, ""]) -> Float[Array, ""]:
    r"""$Q_\alpha(\beta) = \alpha^2 \sum_i q(\beta_i / \alpha^2)$, $q(z) = z \operatorname{arsinh}(z/2) - \sqrt{4 + z^2} + 2$.

    Its gradient is $\operatorname{arsinh}(\beta / 2\alpha^2)$, which the flow of $\tfrac12 |X\beta - y|^2$ keeps in the row
    space of X. Any positive multiple has the same minimizers. As $\alpha \to 0$, $Q_\alpha / \log(1/\alpha^2) \to |\beta|_1$; as
    $\alpha \to \infty$, $4 \alpha^2 Q_\alpha \to |\beta|_2^2$.

    Args:
      beta: a linear function.
      scale: $\alpha$, positive.

    Source: Woodworth et al. (2020), theorem 1; derived anew in the chapter on implicit bias.
    """
    require.array("beta", beta, ndim=1)
    _positive("scale", scale)
    z = jnp.asarray(beta) / scale**2
    # 2 - sqrt(4 + z^2) without the cancellation of nearly equal numbers when z is small
    return scale**2 * jnp.sum(z * jnp.arcsinh(z / 2) - z**2 / (2 + jnp.sqrt(4 + z**2)))


class Minimizer(NamedTuple):
    r"""The interpolating function of least potential, with its evidence.

    Attributes:
      beta: the minimizer.
      multipliers: $\nu$ with $\nabla Q_\alpha(\beta) = X^\top \nu$.
      infeasibility: the largest $|X\beta - y|$.
      stationarity: the part of $\nabla Q_\alpha(\beta)$ outside the row space of X, as a share of its norm.
      steps: how many Newton steps were taken.
    """

    beta: Float[Array, "d"]
    multipliers: Float[Array, "n"]
    infeasibility: Float[Array, ""]
    stationarity: Float[Array, ""]
    steps: Float[Array, ""]


def minimizer(
    X: Float[Array, "n d"],
    y: Float[Array, "n"],
    scale: float | Float[Array, ""],
    *,
    tolerance: float = 1e-13,
    max_steps: int = 500,
) -> Minimizer:
    r"""$\operatorname{argmin} Q_\alpha(\beta)$ subject to $X\beta = y$: Newton's method for the n multipliers, no flow.

    Stationarity, $\operatorname{arsinh}(\beta/2\alpha^2) = X^\top \nu$, is solved by $\beta = 2\alpha^2 \sinh(X^\top \nu)$. What
    is left is $X\beta = y$: the gradient of the strictly convex $F(\nu) = \sum_i 2\alpha^2 \cosh(X^\top\nu)_i - y \cdot \nu$ is zero.
    Along a Newton step $p$ the second derivative of F grows at most like $e^{mt}$ with $m = \max|X^\top p|$, so the share
    $\log(1 + m)/m$ of the step always descends: no line search, and a scale of $10^{-30}$ is no obstacle.

    That the residual of $X\beta = y$ is small says that $\beta$ is right: moving y by $\varepsilon$ moves $\beta$ by at most a
    multiple of $\varepsilon$ that depends on X alone, not on the scale (Stewart 1989, on weighted pseudoinverses).

    Pure: `jax.vmap` over data, targets or scales runs many at once.

    Args:
      X: inputs with independent rows, $n \le d$.
      y: targets.
      scale: $\alpha$, positive; its square must not underflow.
      tolerance: stop when $\max|X\beta - y|$ is below it, in units of the largest $\sum_i |X_{ji} \beta_i|$.
      max_steps: give up after so many.

    Returns:
      `Minimizer`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      RuntimeError: when it does not converge; inside `vmap` or `jit` too, there without the numbers.
    """
    require.matrix("X", X)
    n, d = X.shape
    require.array("y", y, ndim=1)
    if y.shape[0] != n:
        raise ValueError(f"y must hold one target for each of the n = {n} rows of X, but has shape {tuple(y.shape)}")
    _positive("scale", scale)
    require.positive("tolerance", tolerance)
    require.positive_integer("max_steps", max_steps)
    rank = min(n, d) if isinstance(X, jax.core.Tracer) else int(np.linalg.matrix_rank(np.asarray(X)))
    if rank < n:
        raise ValueError(f"X must have n = {n} independent rows, but has shape {(n, d)} and rank {rank}")
    kind = jnp.result_type(X, y, float)
    X, y, scale = (jnp.asarray(value, kind) for value in (X, y, scale))
    found, converged = _newton(X, y, scale, tolerance, max_steps)
    if isinstance(converged, jax.core.Tracer):
        return eqx.error_if(found, ~converged, f"minimizer did not converge in {max_steps} steps; {_ADVICE}")
    if not bool(converged):
        raise RuntimeError(f"minimizer did not converge in max_steps = {max_steps} steps at scale = {float(scale):.3g}: "
                           f"|X beta - y| is still {float(found.infeasibility):.3g}; {_ADVICE}")  # fmt: skip
    return found


_ADVICE = "raise max_steps or the tolerance, take a larger scale, or switch on 64 bits"


@functools.partial(jax.jit, static_argnames="max_steps")
def _newton(X, y, scale, tolerance, max_steps):
    def at(nu):
        z = X.T @ nu
        beta = 2 * scale**2 * jnp.sinh(z)
        return z, beta, y - X @ beta

    def step(state):
        nu, steps = state
        z, _, missing = at(nu)
        # X diag(2 alpha^2 cosh z) X' = R'R from a QR of its root, the root of whose condition number R has
        R = jnp.linalg.qr(jnp.sqrt(2 * scale**2 * jnp.cosh(z))[:, None] * X.T, mode="r")
        half = jax.scipy.linalg.solve_triangular(R, missing, trans=1)
        newton = jax.scipy.linalg.solve_triangular(R, half)
        m = jnp.maximum(jnp.max(jnp.abs(X.T @ newton)), jnp.finfo(y.dtype).tiny)
        return nu + jnp.log1p(m) / m * newton, steps + 1

    def fits(nu):
        _, beta, missing = at(nu)
        return jnp.max(jnp.abs(missing)) <= tolerance * jnp.max(jnp.abs(X) @ jnp.abs(beta))

    going = lambda state: ~fits(state[0]) & (state[1] < max_steps)
    nu, steps = jax.lax.while_loop(going, step, (jnp.zeros_like(y), 0))
    _, beta, missing = at(nu)
    gradient, rows = jnp.arcsinh(beta / (2 * scale**2)), jnp.linalg.qr(X.T)[0]
    outside = gradient - rows @ (rows.T @ gradient)
    stationarity = jnp.linalg.norm(outside) / jnp.maximum(jnp.linalg.norm(gradient), jnp.finfo(y.dtype).tiny)
    return Minimizer(beta, nu, jnp.max(jnp.abs(missing)), stationarity, steps), fits(nu)


def _positive(name, value):
    """A positive number, of Python, NumPy, or JAX; one that is traced has no value to judge."""
    shape = getattr(value, "shape", ())
    if shape != ():
        raise ValueError(f"{name} must be one number (jax.vmap takes many), but has shape {tuple(shape)}")
    if not isinstance(value, jax.core.Tracer):
        require.positive(name, value.item() if hasattr(value, "item") else value)
