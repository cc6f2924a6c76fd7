r"""The motion of a linear neuron on whitened inputs, in closed form.

With $X^\top X = I$ and $\beta^* = X^\top y$ the flow is $\dot a = w^\top(\beta^* - a w)$, $\dot w = a(\beta^* - a w)$.
Its nonlinear part only rescales: put $a = Q/\sqrt D$, $w = P/\sqrt D$ with $\dot D = 2Q^2$, $D(0) = 1$, and what is left
is linear,

$$\dot Q = \delta Q + \beta^{*\top} P, \qquad \dot P = \beta^* Q.$$

So $P$ changes along $\beta^*$ alone, and $Q$ is a sum of two exponentials, whose square can be integrated.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from learndyn import _require as require
from learndyn.neuron import _arguments as arguments


class Path(NamedTuple):
    """The parameters at each of the times."""

    times: Float[Array, " t"]
    a: Float[Array, " t"]
    w: Float[Array, "t d"]


def solve(
    times: Float[Array, " t"],
    a0: float | int | Float[Array, ""],
    w0: Float[Array, " d"],
    X: Float[Array, "n d"],
    y: Float[Array, " n"],
) -> Path:
    r"""$a(t), w(t)$ of the gradient flow of $\frac12 \|X a w - y\|^2$ from $(a_0, w_0)$, exact where $X^\top X = I$.

    For every imbalance $\delta = a_0^2 - \|w_0\|^2$ of either sign, zero included, for $a_0 = 0$, and through changes of
    the sign of $a$. Nothing overflows: not at times far beyond convergence, nor from starts so small that they wait
    long near a saddle ($a = 0$, $w \perp \beta^*$; a start there stays). It is as accurate as the problem is well
    posed: where $a_0 \mu = -w_0^\top \beta^*$ but for rounding, with $\mu = (\delta + \sqrt{\delta^2 + 4\|\beta^*\|^2})/2$,
    the path runs into a saddle, and leaves it by a side that the last digits decide.

    Pure, and differentiable in everything, so that `jax.vmap` takes many starts; under `jit` or `vmap` the values
    are not checked, and for $\beta^* = 0$ the result is then the limit $\beta^* \to 0$.

    Args:
      times: times, zero or later, in any order.
      a0, w0: where the flow starts, a number and a vector of the length of the inputs.
      X: whitened inputs, one a row: $X^\top X = I$.
      y: targets, one a row of X.

    Returns:
      `Path(times, a, w)` with a (t,) and w (t, d).

    Raises:
      ValueError, TypeError: if an argument has a wrong shape or is not finite, a time is negative, X is not
        whitened, or $\beta^* = X^\top y$ is zero.

    Source: after Kunin et al. (2024), who treat $\delta \ne 0$ and $a_0 > 0$.
    """
    times, a0, w0, X, y = (arguments.floating(value) for value in (times, a0, w0, X, y))
    require.array("times", times, ndim=1)
    arguments.scalar("a0", a0)
    arguments.vector("w0", w0)
    require.matrix("X", X, columns=w0.shape[0])
    arguments.targets(X, y)
    if (known := arguments.known(times)) is not None and (known < 0).any():
        raise ValueError(f"times must be zero or later, but hold {known.min()}")
    _whitened(X)
    target = X.T @ y
    if (known := arguments.known(target)) is not None:
        _not_zero(known, y)
    a, w = _motion(times, a0, w0, target)
    return Path(times, a, w)


def _whitened(X):
    if (X := arguments.known(X)) is None:
        return
    gram = X.T @ X
    worst = float(np.max(np.abs(gram - np.eye(len(gram)))))
    if worst > 1e4 * float(jnp.finfo(X.dtype).eps):
        raise ValueError(
            f"X must be whitened, X'X = I, but an entry of X'X - I is {worst:.3g}: the closed form holds only then. "
            "For other inputs follow flows.gradient_flow, or take the end of the flow from neuron.implicit_bias"
        )


def _not_zero(target, y):
    size = float(np.linalg.norm(target))
    if size <= 10 * np.finfo(target.dtype).eps * float(np.linalg.norm(y)):  # what rounding leaves of zero
        raise ValueError(
            f"y must have a part that X can express, but |beta*| = |X'y| is {size:.3g}: the closed form moves along "
            "beta*. For a target of zero use flows.gradient_flow"
        )


@jax.jit
def _motion(times, a0, w0, target):
    # The smallest target whose square is a number; it stands in for zero, where beta*/|beta*| has no meaning.
    square, least = target @ target, jnp.finfo(target.dtype).tiny
    s = jnp.sqrt(jnp.where(square > least, square, least))
    unit = target / s
    along = unit @ w0
    across = w0 - along * unit

    # Q and P are combinations of exp(up t) and exp(-down t), where up - down = delta and up * down = s^2. The larger
    # is a sum of positive numbers, the smaller follows from the product. `where` instead of `abs`: for delta = 0 the
    # slope must be that of the case that is taken.
    delta = a0**2 - w0 @ w0
    above = delta >= 0
    gap = jnp.where(above, delta, -delta)
    spread = jnp.sqrt(delta**2 + 4 * s**2)
    fast = (spread + gap) / 2
    slow = s**2 / fast
    up, down = jnp.where(above, fast, slow), jnp.where(above, slow, fast)
    growing, decaying = (up * a0 + s * along) / spread, (down * a0 - s * along) / spread

    # Q, P and sqrt(D) may be divided by any number: by |growing| exp(up t), as soon as this is above 1.
    unit_of_log = _log_above_one(up * times, growing)
    scale = jnp.exp(-unit_of_log)
    A = growing * jnp.exp(jnp.minimum(up * times - unit_of_log, _largest_exponent(times.dtype)))
    B = decaying * scale
    Q = A + B * jnp.exp(-down * times)
    P = (down / s) * A - (up / s) * B * jnp.exp(-down * times)
    # D = 1 + 2 \int Q^2, in which exp(2 up t), exp(-2 down t) and their product exp(delta t) are integrated.
    of_A, of_AB, of_B = _mean_decay(jnp.stack([2 * up, gap, 2 * down])[:, None] * times[None, :])
    D = scale**2 + 2 * times * (A**2 * of_A + 2 * A * B * jnp.exp(-slow * times) * of_AB + B**2 * of_B)
    root = jnp.sqrt(D)
    a, w = Q / root, (P[:, None] * unit[None, :] + scale[:, None] * across[None, :]) / root[:, None]
    start = times == 0
    return _exact(a, start, a0), _exact(w, start[:, None], w0[None, :])


def _exact(value, where, known):
    """`value`, with what is known instead of what is rounded, and its own derivatives."""
    constant = jax.lax.stop_gradient
    return jnp.where(where, constant(known) + (value - constant(value)), value)


def _log_above_one(grown, amplitude):
    """log(|amplitude| exp(grown)), or 0 if it is negative; a change of units, on which no result depends."""
    present = amplitude != 0
    size = jnp.log(jnp.where(present, jnp.abs(amplitude), 1.0))
    return jax.lax.stop_gradient(jnp.where(present, jnp.maximum(grown + size, 0.0), 0.0))


def _largest_exponent(dtype):
    return 0.98 * float(np.log(float(jnp.finfo(dtype).max)))


def _mean_decay(x):
    """(1 - exp(-x)) / x, the mean of exp(-u) over 0 < u < x, with its derivatives at 0, for x >= 0."""
    near, far = jnp.minimum(x, 0.1), jnp.maximum(x, 0.1)
    series = 1.0
    for k in range(11, 1, -1):  # 1 - x/2 (1 - x/3 (1 - ...)): derivatives of the other form cancel for small x
        series = 1 - near / k * series
    return jnp.where(x < 0.1, series, -jnp.expm1(-far) / far)
