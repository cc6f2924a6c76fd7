"""Losses on parameters: a model and its data, closed into ``loss(params)``."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


def squared_loss(f: Callable, X: Float[Array, "n d"], y: Float[Array, "n c"]) -> Callable[[PyTree], Float[Array, ""]]:
    r"""$L(\theta) = \tfrac12 \sum_{i,a} (f_a(\theta, x_i) - y_{ia})^2$: a sum, not a mean.

    The sum is what makes the residual obey $\dot r = -K r$ with no factor in front. A mean over n samples is the
    same flow on a clock that runs n times slower.

    Args:
      f: the model, `f(params, X)` of shape (n, c).
      X: inputs (n, d).
      y: targets (n, c). A vector (n,) is refused: against (n, 1) outputs it would broadcast to an (n, n) table of
        differences, and train on it in silence.

    Returns:
      `loss(params)`, a scalar.

    Raises:
      ValueError: when X and y differ in n, hold non-finite numbers, or y is not of the shape of f's outputs.
    """
    require.callable_("f", f)
    require.matrix("X", X)
    if getattr(y, "ndim", None) == 1:
        raise ValueError(f"y must have shape (n, c), but has shape {tuple(y.shape)}; for one output write y[:, None]")
    require.matrix("y", y, rows=X.shape[0])

    def loss(params: PyTree) -> Float[Array, ""]:
        outputs = f(params, X)
        if outputs.shape != y.shape:
            raise ValueError(f"y must have the shape of the model's outputs, {outputs.shape}, but has shape {y.shape}")
        return 0.5 * jnp.sum((outputs - y) ** 2)

    return loss


def accuracy(outputs: Float[Array, "n c"], y: Float[Array, "n c"]) -> Float[Array, ""]:
    """The share of samples whose largest output stands where the largest target stands.

    Args:
      outputs: a classifier's outputs (n, c), c of at least 2.
      y: one-hot or centered one-hot targets (n, c).

    Returns:
      A number between 0 and 1.

    Raises:
      ValueError: for other shapes, or for a single column, which has no largest entry to compare.
    """
    require.matrix("y", y)
    require.matrix("outputs", outputs, rows=y.shape[0], columns=y.shape[1])
    if y.shape[1] < 2:
        raise ValueError(f"y must have at least 2 columns, one a class, but has shape {tuple(y.shape)}")
    return jnp.mean(jnp.argmax(outputs, axis=1) == jnp.argmax(y, axis=1))
