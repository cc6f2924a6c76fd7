"""Preconditions that the functions of the neuron share."""

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import _require as require


def floating(value):
    """Numbers and integer arrays as floating point arrays; what holds no real numbers is left for the checks."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return jnp.asarray(float(value))  # without a type of its own: single precision stays what it is
    real = isinstance(value, (np.ndarray, np.number, jax.Array)) and value.dtype.kind in "fiu"
    return jnp.asarray(value, dtype=jnp.result_type(value, float)) if real else value


def scalar(name, value):
    """One finite number, as an array without axes."""
    if isinstance(value, (str, bool)) or not hasattr(value, "ndim"):
        raise TypeError(f"{name} must be a number, but is {value!r} of type {type(value).__name__}")
    if value.ndim:
        raise ValueError(f"{name} must be one number (jax.vmap takes many), but has shape {tuple(value.shape)}")
    require.finite(name, value)


def vector(name, value):
    """A finite vector that is not empty."""
    require.array(name, value, ndim=1)
    if not value.shape[0]:
        raise ValueError(f"{name} must have at least one entry, but has shape (0,)")


def targets(X, y):
    """One target a row of X, in one axis."""
    require.array("y", y)
    if tuple(y.shape) != (X.shape[0],):
        raise ValueError(f"y must have shape ({X.shape[0]},), a target for each row of X, but has shape {tuple(y.shape)}")
    require.finite("y", y)


def rates(value):
    """The learning rates of a and of w."""
    require.sequence("learning_rates", value)
    value = tuple(value)
    if len(value) != 2:
        raise ValueError(f"learning_rates must be two numbers, those of a and of w, but is {value}")
    for k, rate in enumerate(value):
        scalar(f"learning_rates[{k}]", floating(rate))
        if not isinstance(rate, jax.core.Tracer) and not rate > 0:
            raise ValueError(f"learning_rates[{k}] must be positive, but is {rate!r}")
    return value


def known(value):
    """The values of an array, or None while JAX traces and there are none."""
    return None if isinstance(value, jax.core.Tracer) else np.asarray(value)


def length(v):
    """|v|, without the underflow of squares, and with a gradient of zero at zero."""
    largest = jax.lax.stop_gradient(jnp.max(jnp.abs(v)))
    unit = jnp.where(largest > 0, largest, 1.0)
    square = jnp.sum((v / unit) ** 2)
    return jnp.where(largest > 0, unit * jnp.sqrt(jnp.where(largest > 0, square, 1.0)), 0.0)


def direction(v):
    """v/|v|, and zero at zero."""
    size = length(v)
    return v / jnp.where(size > 0, size, 1.0)
