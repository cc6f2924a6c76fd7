r"""The task: encodings with a prescribed spectrum, all pairs and their sums, and a quadratic neuron."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from learndyn import _require as require


def encoding(p: int, amplitudes: Mapping[int, float]) -> Float[Array, "p"]:
    r"""$x_j = \frac2p \sum_k |\hat x_k| \cos(2\pi jk/p)$, whose Fourier transform is $|\hat x_k|$ at the frequencies given.

    Its mean is zero. With amplitude 1 at all of $1, \dots, (p-1)/2$ it is the one-hot vector minus its mean.

    Args:
      p: the modulus, at least 3.
      amplitudes: $|\hat x_k| > 0$ by frequency, $0 < k < p/2$.

    Raises:
      ValueError, TypeError: for a frequency or an amplitude out of range.
    """
    require.positive_integer("p", p)
    if p < 3:
        raise ValueError(f"p must be at least 3, but is {p}")
    if not isinstance(amplitudes, Mapping) or not amplitudes:
        raise TypeError(f"amplitudes must map at least one frequency to its amplitude, but is {amplitudes!r}")
    for k, amplitude in amplitudes.items():
        require.positive_integer("a frequency of amplitudes", k)
        if not k < p / 2:
            raise ValueError(f"amplitudes must have frequencies below p/2 = {p / 2:g}, but has {k}")
        require.positive(f"amplitudes[{k}]", amplitude)
    angles = 2 * jnp.pi * jnp.outer(jnp.array(list(amplitudes)), jnp.arange(p)) / p
    return 2 / p * jnp.array(list(amplitudes.values()), float) @ jnp.cos(angles)


def data(x: Float[Array, "p"]) -> tuple[Float[Array, "p*p 2*p"], Float[Array, "p*p p"]]:
    r"""All pairs $(x_a, x_b)$, and the targets $x_{a+b}$; row $pa + b$, and $x_a$ is x turned by a places.

    Raises:
      ValueError, TypeError: when x is no finite vector of at least three numbers, or its mean is not zero.
    """
    p = modulus(x)
    a, b = np.divmod(np.arange(p * p), p)
    turned = lambda by: x[(np.arange(p) - by[:, None]) % p]
    return jnp.concatenate([turned(a), turned(b)], axis=1), turned((a + b) % p)


def neuron(theta: Float[Array, "q"], X: Float[Array, "n d"]) -> Float[Array, "n p"]:
    r"""$w\,(u \cdot x_a + v \cdot x_b)^2$ with $\theta = (u, v, w)$, homogeneous of degree three.

    Raises:
      ValueError: when theta has not one and a half times as many entries as a row of X.
    """
    inside = X.shape[1]
    if 2 * theta.shape[0] != 3 * inside:
        raise ValueError(f"theta must have {1.5 * inside:g} entries for X of shape {X.shape}, but has shape {theta.shape}")
    return jnp.outer(jnp.square(X @ theta[:inside]), theta[inside:])


def start(p: int, width: int, *, scale: float, key: Array) -> Float[Array, "H q"]:
    r"""Neurons in random directions with $|(u, v)| = |w|$ = scale, so that $|\theta| = \sqrt2\,$scale.

    Raises:
      ValueError, TypeError: for sizes or a scale that are not positive.
    """
    for name, value in (("p", p), ("width", width)):
        require.positive_integer(name, value)
    require.positive("scale", scale)
    require.key("key", key)
    draw = jax.random.normal(key, (width, 3 * p))
    unit = lambda part: part / jnp.linalg.norm(part, axis=1, keepdims=True)
    return scale * jnp.concatenate([unit(draw[:, : 2 * p]), unit(draw[:, 2 * p :])], axis=1)


def modulus(x) -> int:
    """The length of an encoding, which must have the mean zero."""
    require.array("x", x, ndim=1)
    if len(x) < 3:
        raise ValueError(f"x must have at least three entries, but has {len(x)}")
    if isinstance(x, jax.core.Tracer):
        return len(x)
    mean, largest = np.mean(np.asarray(x)), np.max(np.abs(np.asarray(x)))
    if abs(mean) > 1e-6 * largest or largest == 0:
        raise ValueError(f"x must have the mean zero, and not be zero, but has the mean {mean:.3g}")
    return len(x)
