r"""Neurons, their utilities, and what they have learned, frequency by frequency."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from learndyn import _require as require
from learndyn.modular_addition.task import modulus


def spectra(neurons: Float[Array, "H q"]) -> Complex[Array, "H 3 m"]:
    r"""$\hat u_k, \hat v_k, \hat w_k$ of every neuron at $k = 1, \dots, m$, the frequencies below p/2.

    Raises:
      ValueError, TypeError: when neurons is no matrix of 3p columns.
    """
    require.matrix("neurons", neurons)
    if neurons.shape[1] % 3 or neurons.shape[1] < 9:
        raise ValueError(f"neurons must have 3p columns (u, v, w), p at least 3, but has shape {tuple(neurons.shape)}")
    p = neurons.shape[1] // 3
    return jnp.fft.fft(neurons.reshape(-1, 3, p))[..., 1 : (p + 1) // 2]


def utilities(neurons: Float[Array, "H q"], x: Float[Array, "p"]) -> Float[Array, "H m"]:
    r"""$\hat U = \sum_k \frac4{p^3} \mathrm{Re}(\hat u_k \hat v_k \overline{\hat w_k \hat x_k})\,|\hat x_k|^2 / |\theta|^3$, term by term.

    Against the whole target, when nothing has been learned.

    Args:
      neurons: one neuron a row, q = 3p; only directions matter.
      x: the encoding, without power at p/2.

    Raises:
      ValueError, TypeError: for shapes that do not fit.
    """
    p, x_hat = transform(x)
    fits(neurons, p)
    u, v, w = jnp.moveaxis(spectra(neurons), 1, 0)
    terms = jnp.real(u * v * jnp.conj(w * x_hat[None])) * jnp.abs(x_hat[None]) ** 2
    return 4 / p**3 * terms / jnp.linalg.norm(neurons, axis=1, keepdims=True) ** 3


def best_utilities(x: Float[Array, "p"]) -> Float[Array, "m"]:
    r"""$U^*_k = \sqrt{2p/27}\;|\hat x_k|^3/p^2$, the most that a neuron of unit norm can have at frequency k.

    Raises:
      ValueError, TypeError: when x is not an encoding.

    Source: Kunin et al. (2025). With u, v and w of norm one each, and a sum over pairs, it is $\sqrt{2p}\,|\hat x_k|^3$.
    """
    p, x_hat = transform(x)
    return (2 * p / 27) ** 0.5 * jnp.abs(x_hat) ** 3 / p**2


def plateaus(x: Float[Array, "p"]) -> Float[Array, "levels"]:
    r"""$\ell_j = \frac1p \sum_{i > j} |\hat x|_{(i)}^2$: half the mean square that is left with j frequencies, in falling order, learned.

    Raises:
      ValueError, TypeError: when x is not an encoding.
    """
    p, x_hat = transform(x)
    falling = jnp.sort(jnp.abs(x_hat) ** 2)[::-1]
    return jnp.append(jnp.cumsum(falling[::-1])[::-1], 0.0) / p


def learned(neurons: Float[Array, "H q"], x: Float[Array, "p"]) -> Float[Array, "m"]:
    r"""$\mathbb E\langle f, y_k\rangle / \mathbb E|y_k|^2$, the share of the target at each frequency that the network gives.

    Zero where x has no power. One at a perfect fit; it may be above one on the way.

    Raises:
      ValueError, TypeError: for shapes that do not fit.
    """
    p, x_hat = transform(x)
    power = jnp.abs(x_hat) ** 2
    gained = jnp.sum(utilities(neurons, x) * jnp.linalg.norm(neurons, axis=1, keepdims=True) ** 3, axis=0)
    return jnp.where(power > 0, gained / jnp.where(power > 0, 2 / p * power, 1), 0.0)


def transform(x):
    """The modulus, and the Fourier coefficients of an encoding below p/2."""
    p = modulus(x)
    if p % 2 == 0 and not isinstance(x, jax.core.Tracer):
        highest = np.abs(np.fft.fft(np.asarray(x))[p // 2])
        if highest > 1e-6 * np.max(np.abs(np.asarray(x))):
            raise ValueError(f"x must have no power at the frequency p/2, but has {highest:.3g}")
    x_hat = jnp.fft.fft(x)
    return p, x_hat[1 : (p + 1) // 2]


def fits(neurons, p) -> None:
    """Neurons that read two numbers modulo p and write one."""
    require.matrix("neurons", neurons, columns=3 * p)
