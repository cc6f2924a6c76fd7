"""Angles between covariant vectors, and tangencies: the times at which two of them almost coincide."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from learndyn import _require as require


def angles(vectors: Float[Array, "*times k n"]) -> Float[Array, "*times pairs"]:
    r"""$\theta_{ij} = 2\,\mathrm{atan2}(|v_i - s v_j|, |v_i + s v_j|)$, s the sign of $v_i \cdot v_j$: between lines, 0 to $\pi/2$.

    The arc cosine of $|v_i \cdot v_j|$ would lose half of all digits where the angle is small, which is where one looks.

    Args:
      vectors: k unit vectors of dimension n in rows, at any number of times.

    Returns:
      The angles in radians, pairs in the order (1, 2), (1, 3), ..., (2, 3), ....

    Raises:
      ValueError, TypeError: for arguments that are no such arrays.
    """
    require.array("vectors", vectors)
    if vectors.ndim < 2 or vectors.shape[-2] < 2:
        raise ValueError(f"vectors must have shape (..., k, n) with k of at least 2, but has shape {tuple(vectors.shape)}")
    i, j = jnp.triu_indices(vectors.shape[-2], 1)
    a, b = vectors[..., i, :], vectors[..., j, :]
    b = jnp.where(jnp.sum(a * b, axis=-1, keepdims=True) < 0, -b, b)
    return 2 * jnp.arctan2(jnp.linalg.norm(a - b, axis=-1), jnp.linalg.norm(a + b, axis=-1))


def tangencies(angles: Float[Array, "t *systems pairs"], below: float) -> Float[Array, "*systems pairs"]:
    r"""The share of times at which $\theta_{ij}$ is below a threshold: 0 for long enough runs if the system is hyperbolic.

    Args:
      angles: of `angles`, time first, in radians.
      below: the threshold in radians, above 0 and at most $\pi/2$.

    Raises:
      ValueError, TypeError: for arguments that are no such numbers.
    """
    require.array("angles", angles)
    if angles.ndim < 2 or not angles.shape[0]:
        raise ValueError(f"angles must have shape (t, ..., pairs) with t of at least 1, but has shape {tuple(angles.shape)}")
    require.positive("below", below)
    if below > jnp.pi / 2:
        raise ValueError(f"below must be at most pi / 2, the largest angle between lines, but is {below!r}")
    return jnp.mean((angles < below).astype(angles.dtype), axis=0)
