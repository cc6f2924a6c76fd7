"""Descent: the discrete trajectories that optimizers make."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require
from learndyn._progress import Progress
from learndyn._step import one_step
from learndyn.flows import Trajectory


def descend(
    loss: Callable[[PyTree], Float[Array, ""]],
    params0: PyTree,
    optimizer: optax.GradientTransformation,
    steps: int,
    *,
    observe: Callable[[PyTree], PyTree] | None = None,
    every: int = 1,
    state: PyTree | None = None,
    progress: bool = False,
) -> Trajectory:
    r"""$\theta_{k+1} = \theta_k + \mathrm{update}(\nabla L(\theta_k))$ for a number of steps, in one compiled scan.

    With `optax.sgd(learning_rate)` this is gradient descent, $\theta_{k+1} = \theta_k - \eta \nabla L(\theta_k)$.
    Compiled once for a loss, an optimizer and an observable, which are known by identity as under `jax.jit`: make the
    optimizer once and call with it often.

    Args:
      loss: $L$, a scalar function of the parameters.
      params0: $\theta_0$, a pytree of floating point arrays.
      optimizer: any optax gradient transformation.
      steps: how many steps; a multiple of `every`.
      observe: a function of the parameters, evaluated at steps 0, every, 2 every, ..., steps; by default the loss.
      every: how many steps lie between two observations.
      state: the optimizer's state to go on from (`trajectory.stats["state"]` of an earlier call with
        `trajectory.params`); by default a fresh one. Two calls of k steps give what one call of 2k steps gives.
      progress: print the step on standard error, about once a second.

    Returns:
      `Trajectory` with times 0, every, ..., steps (step numbers) and stats `state`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      FloatingPointError: when the loss or the parameters stop being finite (the learning rate is too high for this
        loss); it names the last observation at which they were. Under `jit` or `vmap` the numbers are returned as
        they are, so that a sweep over learning rates may cross the edge of stability.
    """
    observe, state = require.descent(loss, params0, optimizer, steps, every, observe, state)
    _report.begin()
    observed, params, state, finite = _compiled(loss, observe, optimizer, steps // every, every, bool(progress))(
        params0, state
    )
    if not isinstance(finite, jax.core.Tracer) and not bool(jnp.all(finite)):
        last = int(np.argmin(np.asarray(finite))) * every  # finite[k]: everything between observations k - 1 and k
        if not last:
            raise FloatingPointError("descend: the loss is not finite at params0")
        raise FloatingPointError(
            f"descend: the loss and the parameters are finite at step {last - every} and no longer at step {last} of "
            f"{steps}; the learning rate is too high for this loss, or the loss is not finite there"
        )
    return Trajectory(every * jnp.arange(steps // every + 1.0), observed, params, {"state": state})


_report = Progress("descend", "steps")


# The most recent few are kept, not all: a loss holds its data.
@functools.lru_cache(maxsize=8)
def _compiled(loss, observe, optimizer, blocks, every, progress):
    return jax.jit(functools.partial(_scan, loss, observe, optimizer, blocks, every, progress))


def _scan(loss, observe, optimizer, blocks, every, progress, params0, state0):
    def step(carry, _):
        return one_step(loss, optimizer, *carry), None

    def look(params, finite):
        observed = jax.tree.map(jnp.asarray, observe(params))
        return observed, finite & jnp.isfinite(loss(params)) & _all_finite(params)

    def block(carry, index):
        params, state, finite = carry
        seen = look(params, finite)
        if progress:
            jax.debug.callback(_report, index * every, blocks * every)
        (params, state, finite), _ = jax.lax.scan(step, (params, state, jnp.array(True)), None, length=every)
        return (params, state, finite), seen

    carry, many = jax.lax.scan(block, (params0, state0, jnp.array(True)), jnp.arange(blocks))
    params, state, finite = carry
    one = look(params, finite)
    observed, finite = jax.tree.map(lambda a, b: jnp.concatenate([a, b[None]]), many, one)
    return observed, params, state, finite


def _all_finite(params):
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(params)]))
