"""What is made of exponents and growth rates: finite-time exponents, and the dimension of the attractor."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from learndyn import _require as require


def finite_time_exponents(
    growth: Float[Array, "t *systems k"], *, dt: float = 1.0, window: int | None = None
) -> Float[Array, "w *systems k"]:
    r"""$\lambda_i(t) = \frac{1}{w\,dt} \sum_{s=t-w+1}^{t} \log R_{ii}(s)$ over windows of w steps, or $w = t$: all until then.

    Args:
      growth: $\log R_{ii}$, time first (of `spectrum(..., keep=True)`).
      dt: the time of a step.
      window: w; by default the exponents are cumulative.

    Returns:
      Cumulative exponents after steps 1, ..., t; or those of the t - w + 1 windows, the first over steps 1, ..., w.

    Raises:
      ValueError, TypeError: for bad arguments, such as a window that is longer than the run.

    Source: Sharafi, Martin and Hallerberg (2025).
    """
    require.array("growth", jnp.nan_to_num(growth, nan=jnp.nan, neginf=0.0) if hasattr(growth, "ndim") else growth)
    if growth.ndim < 2 or not growth.shape[0]:
        raise ValueError(f"growth must have shape (t, ..., k) with t of at least 1, but has shape {tuple(growth.shape)}")
    require.positive("dt", dt)
    t = growth.shape[0]
    if window is None:
        counts = jnp.arange(1, t + 1, dtype=growth.dtype).reshape(-1, *[1] * (growth.ndim - 1))
        return jnp.cumsum(growth, axis=0) / (dt * counts)
    require.positive_integer("window", window)
    if window > t:
        raise ValueError(f"window must be at most the {t} steps of growth, but is {window}")
    shape = (window, *[1] * (growth.ndim - 1))
    zero = jnp.zeros((), growth.dtype)
    return jax.lax.reduce_window(growth, zero, jax.lax.add, shape, [1] * growth.ndim, "valid") / (window * dt)


def kaplan_yorke(exponents: Float[Array, "*systems n"]) -> Float[Array, "*systems"]:
    r"""$D = j + \frac{\lambda_1 + \dots + \lambda_j}{|\lambda_{j+1}|}$, j the largest number with $\lambda_1 + \dots + \lambda_j \ge 0$.

    0 where $\lambda_1 < 0$, and n where all n exponents together are not negative: then the dimension is at least n.

    Args:
      exponents: the n largest, in any order.

    Raises:
      ValueError, TypeError: for arguments that are not finite arrays.

    Source: Kaplan and Yorke (1979).
    """
    require.array("exponents", exponents)
    if not exponents.ndim or not exponents.shape[-1]:
        raise ValueError(f"exponents must have shape (..., n) with n of at least 1, but has shape {tuple(exponents.shape)}")
    n = exponents.shape[-1]
    descending = -jnp.sort(-exponents, axis=-1)
    sums = jnp.cumsum(descending, axis=-1)
    j = jnp.sum(jnp.cumprod(sums >= 0, axis=-1), axis=-1)
    pick = lambda a, i: jnp.take_along_axis(a, jnp.clip(i, 0, n - 1)[..., None], axis=-1)[..., 0]
    following = jnp.where(j < n, pick(descending, j), -1.0)
    share = jnp.where((j > 0) & (j < n), pick(sums, j - 1) / -following, 0.0)
    return j + share
