"""Training a batch of networks, each at its own learning rate, until all have the same loss."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from learndyn import _require as require


class Finished(NamedTuple):
    """Where a batch of E runs stopped.

    Attributes:
      params: the parameters, with a leading axis of E.
      losses: their losses, on all samples.
      steps: how many steps each of them made.
      reached: whether the loss is at or below the target. A run that diverged, or has used up its steps, has not
        reached it: its numbers are those of the last step.
    """

    params: PyTree
    losses: Float[Array, " E"]
    steps: Int[Array, " E"]
    reached: Bool[Array, " E"]


def train_to_loss(
    f: Callable,
    X: Float[Array, "n d"],
    y: Float[Array, "n c"],
    params0: PyTree,
    learning_rates: Float[Array, " E"],
    *,
    target: float,
    max_steps: int,
    batch_size: int | None = None,
    key: PRNGKeyArray | None = None,
) -> Finished:
    r"""$\theta \leftarrow \theta - \eta \nabla L(\theta)$ until $L = \frac1{2n}\sum_i |f(x_i) - y_i|^2 \le$ target.

    A *mean* over samples, so that a minibatch has the same scale: the threshold of the sharpness is $2/\eta$, and the
    curvature of the loss at its minimum is the kernel divided by n. All runs go on in one compiled loop; one that has
    arrived stands still. Two runs of one f differ in nothing but their numbers: compiled once for all rates.

    Args:
      f: a model `f(params, X)` of shape (n, c).
      X, y: inputs and targets; a vector of targets is refused.
      params0: initial parameters with a leading axis of E, one for each run.
      learning_rates: one for each run.
      target: the loss at which a run ends, the same for all; measured on all samples.
      max_steps: after so many steps a run ends where it is.
      batch_size: samples in each step, drawn anew without repetition for every run; by default all of them.
      key: the randomness of the batches; needed with them, and only then.

    Returns:
      `Finished(params, losses, steps, reached)`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
    """
    require.callable_("f", f)
    require.static("f", f)
    require.matrix("X", X)
    require.matrix("y", y, rows=X.shape[0])
    require.array("learning_rates", learning_rates, ndim=1)
    if not bool(jnp.all(learning_rates > 0)):
        raise ValueError(f"learning_rates must be positive, but the smallest is {float(jnp.min(learning_rates))}")
    require.finite("params0", params0)
    runs = learning_rates.shape[0]
    for path, leaf in jax.tree_util.tree_leaves_with_path(params0):
        if jnp.shape(leaf)[:1] != (runs,):
            raise ValueError(
                f"params0{jax.tree_util.keystr(path)} must have a leading axis of {runs}, one for each learning rate, "
                f"but has shape {jnp.shape(leaf)}"
            )
    require.positive("target", target)
    require.positive_integer("max_steps", max_steps)
    if batch_size is not None:
        require.positive_integer("batch_size", batch_size)
        if batch_size > X.shape[0]:
            raise ValueError(f"batch_size must be at most n = {X.shape[0]}, but is {batch_size}")
        require.key("key", key)
    elif key is not None:
        raise ValueError("key must be given with batch_size, and only then: nothing else is random")
    shape = jax.eval_shape(f, jax.tree.map(lambda leaf: leaf[0], params0), X).shape
    if shape != y.shape:
        raise ValueError(f"y must have the shape of the model's outputs, {shape}, but has shape {y.shape}")
    keys = jax.random.split(jax.random.key(0) if key is None else key, runs)
    rates = learning_rates.astype(jnp.result_type(*jax.tree.leaves(params0)))
    return _compiled(f, batch_size)(X, y, params0, rates, keys, target, max_steps)


# The most recent few are kept, not all: a model may hold data.
@functools.lru_cache(maxsize=8)
def _compiled(f, batch_size):
    def loss(params, X, y):
        return 0.5 * jnp.sum((f(params, X) - y) ** 2) / X.shape[0]

    def step(params, rate, key, k, X, y):
        """The full loss at params, and the parameters after one step."""
        if batch_size is None:
            value, gradient = jax.value_and_grad(loss)(params, X, y)
        else:
            rows = jax.random.permutation(jax.random.fold_in(key, k), X.shape[0])[:batch_size]
            value, gradient = loss(params, X, y), jax.grad(loss)(params, X[rows], y[rows])
        return value, jax.tree.map(lambda p, g: p - rate * g, params, gradient)

    @jax.jit
    def run(X, y, params, rates, keys, target, max_steps):
        every = jax.vmap(step, in_axes=(0, 0, 0, None, None, None))

        def body(state):
            params, _, steps, going, k = state
            values, after = every(params, rates, keys, k, X, y)
            going = going & (values > target) & jnp.isfinite(values)  # false for NaN, too
            keep = lambda old, new: jnp.where(going.reshape((-1,) + (1,) * (old.ndim - 1)), new, old)
            return jax.tree.map(keep, params, after), values, steps + going, going, k + 1

        start = (params, jnp.zeros_like(rates), jnp.zeros(rates.shape, int), jnp.ones(rates.shape, bool), 0)
        state = jax.lax.while_loop(lambda s: jnp.any(s[3]) & (s[4] < max_steps), body, start)
        losses = jax.vmap(lambda p: loss(p, X, y))(state[0])
        return Finished(state[0], losses, state[2], losses <= target)

    return run
