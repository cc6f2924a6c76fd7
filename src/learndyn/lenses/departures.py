"""When a lens first sees something, and what an exponent is over a window of time."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from learndyn import _require as require
from learndyn.lenses.runs import Lenses

RELATIVE = ("loss", "alignment", "utility", "sharpness")  # to their own start; the others are shares, but for the exponent


def departures(seen: Lenses, *, band: float = 0.1, window: int = 10, rate: Float[Array, " E"]) -> Lenses:
    r"""The first step at which each lens is farther than `band` from what it was at the start; -1 for never.

    The kernel's drift, the balance and the share of active neurons are shares already. Loss, alignment, utility and
    sharpness are compared with their own start. The exponent is averaged over the last `window` steps, and
    compared with `rate`, because at the start of a lazy network it is nearly zero.

    Args:
      seen: what `watch` returns.
      band: the threshold, in units of what a lens is compared with.
      window: the length of the finite-time exponent, in steps.
      rate: the unit of exponents, one for each network: the `saddle_rate`.

    Returns:
      `Lenses` of integers, (E,).

    Raises:
      ValueError: for a band or a window that is not positive, or a rate of another length.
    """
    require.positive("band", band)
    require.positive_integer("window", window)
    if jnp.shape(rate) != (wanted := seen.loss.shape[1:]):
        raise ValueError(f"rate must have shape {wanted}, one number for each network, but has shape {jnp.shape(rate)}")
    seen = seen._replace(exponent=finite_time(seen.exponent, window))
    units = {name: getattr(seen, name)[:1] for name in RELATIVE} | {"exponent": jnp.asarray(rate)[None]}

    def first(name, values):
        moved = jnp.abs(values - values[:1]) / jnp.abs(units.get(name, 1.0))
        out = ~(moved <= band)  # a number that is no longer finite is out
        return jnp.where(out.any(axis=0), jnp.argmax(out, axis=0), -1)

    return Lenses(*(first(name, values) for name, values in seen._asdict().items()))


def finite_time(exponent: Float[Array, "T E"], window: int) -> Float[Array, "T E"]:
    r"""$\frac1{\min(w, k+1)}\sum_{j>k-w}^{k} \lambda_j$: the mean of the last w steps, of fewer at the beginning.

    Raises:
      ValueError: for a window that is not a positive integer.
    """
    require.positive_integer("window", window)
    total = jnp.cumsum(exponent, axis=0)
    before = jnp.concatenate([jnp.zeros_like(total[:1]), total])[: total.shape[0]]
    counted = jnp.minimum(window, 1 + jnp.arange(total.shape[0]))
    first = jnp.arange(total.shape[0]) + 1 - counted  # the sum up to here is not of the window
    return (total - before[first]) / counted[:, None].astype(exponent.dtype)
