"""A linear network and its data: the end-to-end matrix, the cost as a function of it, and a draw."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from learndyn import _require as require
from learndyn.deep_linear import _arguments as arguments


class Statistics(NamedTuple):
    """All that the squared loss of a linear network knows of its data."""

    cross: Float[Array, "c d"]  # y'X; for whitened inputs the target itself
    covariance: Float[Array, "d d"]  # X'X
    power: Float[Array, ""]  # |y|^2


def statistics(X: Float[Array, "n d"], y: Float[Array, "n c"]) -> Statistics:
    r"""$y^\top X$, $X^\top X$ and $\|y\|^2$, in which n no longer occurs.

    Raises:
      ValueError, TypeError: for anything but two finite matrices with as many rows.
    """
    require.matrix("X", X)
    require.matrix("y", y, rows=X.shape[0])
    return Statistics(y.T @ X, X.T @ X, jnp.sum(y**2))


def cost(data: Statistics) -> Callable[[Float[Array, "c d"]], Float[Array, ""]]:
    r"""$C(P) = \tfrac12\|X P^\top - y\|^2 = \tfrac12\langle P, P\,X^\top X\rangle - \langle P, y^\top X\rangle +
    \tfrac12\|y\|^2$: the squared loss as a function of the end-to-end matrix. It is convex.

    Raises:
      TypeError: for anything but `Statistics`.
    """
    if not isinstance(data, Statistics):
        raise TypeError(f"data must be Statistics, as deep_linear.statistics(X, y) makes them, but is {data!r}")
    return lambda P: 0.5 * jnp.vdot(P, P @ data.covariance) - jnp.vdot(P, data.cross) + 0.5 * data.power


def end_to_end(params: PyTree) -> Float[Array, "c d"]:
    r"""$P = W_L \cdots W_1$.

    Raises:
      ValueError, TypeError: for parameters that are no chain of layers `{"W": (out, in)}`.
    """
    P = None
    for W in arguments.weights(params):
        P = W if P is None else W @ P
    return P


def initialize(widths: Sequence[int], *, scale: float | Float[Array, ""], key: PRNGKeyArray) -> PyTree:
    r"""$W_l \sim N(0, \alpha^2)$, every entry alike. Jacot et al. (2022) set $\alpha^2 = w^{-\gamma}$ for width w.

    Args:
      widths: inputs, hidden widths, outputs.
      scale: $\alpha > 0$; it may be a traced number.
      key: a PRNG key.

    Returns:
      A tuple of layers `{"W": (out, in)}`.

    Raises:
      ValueError, TypeError: for fewer than two widths, one below 1, a scale that is not positive, or no key.
    """
    require.widths(widths)
    if not isinstance(scale, jax.Array):
        require.positive("scale", scale)
    require.key("key", key)
    keys = jax.random.split(key, len(widths) - 1)
    return tuple({"W": scale * jax.random.normal(k, (m, n))} for k, n, m in zip(keys, widths[:-1], widths[1:]))
