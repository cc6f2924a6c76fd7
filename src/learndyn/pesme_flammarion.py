r"""Where a diagonal linear network goes from vanishing initialization: the saddles and the jump times, exactly.

For $f(x) = \sum_i u_i v_i x_i$, started at $u = \sqrt2\alpha$, $v = 0$, gradient flow of
$L(\beta) = \tfrac1{2n}|X\beta - y|^2$ with $\beta = uv$ gives $(u + v)' = -\nabla L\,(u + v)$ and
$(u - v)' = +\nabla L\,(u - v)$, entry by entry, so that

$$\beta = \alpha^2 \sinh\Big({-2}\int \nabla L\, dt\Big) = \alpha^2 \sinh(2 s \log\tfrac1\alpha), \qquad s = \frac{-1}{\log(1/\alpha)} \int \nabla L\, dt.$$

For $\alpha \to 0$, with time counted in units of $\log(1/\alpha)$: where $|s_i| < 1$ the coefficient is zero, where
$\beta_i > 0$ it must be that $s_i = 1$, and where $\beta_i < 0$ that $s_i = -1$; and $\dot s = -\nabla L(\beta)$. So
$s$ moves in straight lines while $\beta$ rests, and when a coordinate of it reaches 1 or -1 the coefficients jump to
the minimizer with the signs that s allows. A coordinate that this minimizer puts back to zero has its gradient inward:
its s leaves the wall, and it takes $|s|$ the way to a wall again, the same or the other.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import scipy.optimize
from jaxtyping import Array, Bool, Float

from learndyn import _require as require

_ZERO = 1e-12  # a gradient in units of the largest at zero, or a difference of jump times in units of the time, that is none


class Saddles(NamedTuple):
    r"""J jumps between J + 1 saddles; row 0 of what belongs to saddles is the origin.

    Attributes:
      times: of the jumps, in units of $\log(1/\alpha)$ of the time of gradient flow on L.
      coefficients: $\beta$ at each saddle.
      losses: $L(\beta)$.
      duals: s at the moment when each saddle is reached, in [-1, 1].
      jumped: the coordinates that reach a wall at each jump.
      returned: the coordinates that the jump puts back to zero.
    """

    times: Float[Array, "J"]
    coefficients: Float[Array, "J+1 d"]
    losses: Float[Array, "J+1"]
    duals: Float[Array, "J+1 d"]
    jumped: Bool[Array, "J d"]
    returned: Bool[Array, "J d"]


def saddles(X: Float[Array, "n d"], y: Float[Array, "n"], *, max_jumps: int = 10_000) -> Saddles:
    r"""$\beta_{k+1} = \operatorname{argmin}\, L(\beta)$ over the signs of s, $\Delta_k = \min_i\, (\operatorname{sign} g_i - s_i)/g_i$, $g = -\nabla L(\beta_k)$.

    The last saddle is a minimizer of L; where many are, the one of least $\ell_1$ norm. No flow is integrated: each
    minimizer is a least squares problem with signs (the active set method of Lawson and Hanson), each time a division.

    For the network $\sum_i (u_i^2 - v_i^2) x_i$ of `diagonal`, started at $u = v = \alpha$, time runs twice as fast.

    Args:
      X: inputs. Columns in general position (as with any continuous distribution): then each minimizer is unique.
      y: targets.
      max_jumps: give up after so many.

    Returns:
      `Saddles`.

    Raises:
      ValueError, TypeError: for bad arguments.
      RuntimeError: for more jumps than `max_jumps`, or columns that are not in general position.

    Source: Pesme and Flammarion (2023), algorithm 1.
    """
    require.matrix("X", X)
    n, d = X.shape
    require.array("y", y, ndim=1)
    if y.shape[0] != n:
        raise ValueError(f"y must hold one target for each of the n = {n} rows of X, but has shape {tuple(y.shape)}")
    require.positive_integer("max_jumps", max_jumps)
    X, y = np.asarray(X, float), np.asarray(y, float)
    gradient = lambda beta: X.T @ (y - X @ beta) / n  # minus the gradient: the direction in which s moves
    loss = lambda beta: 0.5 * np.mean((X @ beta - y) ** 2)
    none = _ZERO * np.max(np.abs(X), initial=0) * np.max(np.abs(y), initial=0)
    beta, s, now = np.zeros(d), np.zeros(d), 0.0
    visited, jumps = [(beta, loss(beta), s)], []
    while True:
        g = np.where(beta == 0, gradient(beta), 0.0)
        moving = np.abs(g) > none
        if not moving.any():
            break
        if len(jumps) == max_jumps:
            raise RuntimeError(f"saddles has not ended after max_jumps = {max_jumps} jumps, at time {now:.6g}")
        wait = np.where(moving, (np.sign(g) - s) / np.where(moving, g, 1), np.inf)
        if wait.min() <= 0:
            raise RuntimeError(
                f"saddles: the minimizer after {len(jumps)} jumps is not unique; X must have columns in general position"
            )
        now, jumped = now + wait.min(), wait <= wait.min() + _ZERO * (now + wait.min())
        s = np.where(jumped, np.sign(g), np.clip(s + wait.min() * np.where(moving, g, 0), -1, 1))
        before, beta = beta, _minimizer(X, y, np.where(jumped | (beta != 0), s, 0.0))
        visited.append((beta, loss(beta), s))
        jumps.append((now, jumped, ((before != 0) | jumped) & (beta == 0)))
    coefficients, losses, duals = (jnp.asarray(np.stack(part)) for part in zip(*visited))
    times = jnp.asarray([jump[0] for jump in jumps], float)
    jumped, returned = (jnp.asarray(np.reshape([jump[k] for jump in jumps], (-1, d)), bool) for k in (1, 2))
    return Saddles(times, coefficients, losses, duals, jumped, returned)


def _minimizer(X, y, signs):
    """Least squares over coefficients of the given signs, zero where the sign is zero."""
    free = np.flatnonzero(signs)
    signed, _ = scipy.optimize.nnls(X[:, free] * signs[free], y)
    support = free[signed > 0]
    beta = np.zeros(X.shape[1])
    beta[support] = np.linalg.lstsq(X[:, support], y)[0]
    return beta
