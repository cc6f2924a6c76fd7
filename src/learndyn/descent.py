"""Descent: the discrete trajectories that optimizers make."""

import functools
import sys
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require
from learndyn.flows import Trajectory, check_loss


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

    Args:
      loss: $L$, a scalar function of the parameters.
      params0: $\theta_0$, a pytree of floating point arrays.
      optimizer: any optax gradient transformation.
      steps: how many steps; a multiple of `every`.
      observe: a function of the parameters, evaluated at steps 0, every, 2 every, ..., steps; by default the loss.
      every: how many steps lie between two observations.
      state: the optimizer's state to go on from (`trajectory.stats["state"]` of an earlier call with
        `trajectory.params`); by default a fresh one. Two calls of k steps give what one call of 2k steps gives.
      progress: print step and observation count on standard error, about once a second.

    Returns:
      `Trajectory` with times 0, every, ..., steps (step numbers) and stats `state`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      FloatingPointError: when the parameters stop being finite (the learning rate is too high for this loss); it
        names the last observation at which they were. Under `jit` or `vmap` the numbers are returned as they are.
    """
    check_loss(loss, params0)
    if not (hasattr(optimizer, "init") and hasattr(optimizer, "update")):
        raise TypeError(f"optimizer must be an optax gradient transformation, but is {optimizer!r}")
    require.positive_integer("steps", steps)
    require.positive_integer("every", every)
    if steps % every:
        raise ValueError(f"steps must be a multiple of every, but steps = {steps} and every = {every}")
    if observe is None:
        observe = loss
    require.callable_("observe", observe)
    if state is None:
        state = optimizer.init(params0)
    report = _Progress(steps) if progress else None
    observed, params, state, finite = _scan(loss, observe, optimizer, steps // every, every, report, params0, state)
    if not isinstance(finite, jax.core.Tracer) and not bool(finite[-1]):
        last = int(np.flatnonzero(np.asarray(finite))[-1]) * every
        raise FloatingPointError(
            f"descend: the parameters are finite at step {last} and no longer at step {last + every} of {steps}; "
            "the learning rate is too high for this loss, or the loss is not finite there"
        )
    return Trajectory(every * jnp.arange(steps // every + 1.0), observed, params, {"state": state})


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3, 4, 5))
def _scan(loss, observe, optimizer, blocks, every, report, params0, state0):
    # value, grad and value_fn are what optax's line searches ask for; plain optimizers ignore them.
    update = optax.with_extra_args_support(optimizer).update

    def step(carry, _):
        params, state = carry
        value, gradient = jax.value_and_grad(loss)(params)
        updates, state = update(gradient, state, params, value=value, grad=gradient, value_fn=loss)
        return (optax.apply_updates(params, updates), state), None

    def block(carry, index):
        params, state = carry
        seen = observe(params), _finite(params)
        if report is not None:
            jax.debug.callback(report, index * every, ordered=False)
        carry, _ = jax.lax.scan(step, carry, None, length=every)
        return carry, seen

    (params, state), (observed, finite) = jax.lax.scan(block, (params0, state0), jnp.arange(blocks))
    append = lambda many, one: jnp.concatenate([many, jnp.asarray(one)[None]])
    return jax.tree.map(append, observed, observe(params)), params, state, append(finite, _finite(params))


def _finite(params):
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(params)]))


class _Progress:
    """Says on standard error how far a scan has come, at most once a second."""

    def __init__(self, steps: int):
        self.steps, self.began, self.spoke = steps, time.monotonic(), time.monotonic()

    def __call__(self, step):
        now = time.monotonic()
        if now - self.spoke >= 1.0:
            self.spoke = now
            print(f"step {int(step):>8} of {self.steps}  {now - self.began:6.0f} s", file=sys.stderr, flush=True)
