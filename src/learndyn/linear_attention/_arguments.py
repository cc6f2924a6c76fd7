"""What several modules of this package ask of their arguments."""

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import _require as require


def root(covariance):
    """The symmetric square root of a covariance matrix."""
    require.matrix("covariance", covariance)
    if covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"covariance must be square, but has shape {tuple(covariance.shape)}")
    if isinstance(covariance, jax.core.Tracer):
        values, vectors = jnp.linalg.eigh(covariance)
        return (vectors * jnp.sqrt(jnp.maximum(values, 0))[None]) @ vectors.T
    known = np.asarray(covariance)  # numbers stay numbers under jit, and are judged there
    size = np.max(np.abs(known))
    if np.max(np.abs(known - known.T)) > 1e-6 * size:
        raise ValueError(f"covariance must be symmetric, but is {known}")
    values, vectors = np.linalg.eigh(known)
    if values[0] < -1e-6 * size:
        raise ValueError(f"covariance must have no negative eigenvalue, but has {values[0]:.3g}")
    return jnp.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def length(value):
    """An integer of at least one, or a traced number."""
    if not isinstance(value, jax.core.Tracer):
        require.positive_integer("length", value)


def positive(name, value):
    """Positive numbers, or traced ones, as an array."""
    if not isinstance(value, jax.core.Tracer):
        known = np.asarray(value, dtype=float)
        if not np.all((known > 0) & np.isfinite(known)):
            raise ValueError(f"{name} must be positive and finite, but is {value}")
    return jnp.asarray(value, float)
