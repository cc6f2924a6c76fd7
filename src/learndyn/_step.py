"""One step of descent: what a single network and each member of an ensemble do."""

import jax
import jax.numpy as jnp
import optax


def one_step(loss, optimizer, params, state, finite):
    """The parameters and the optimizer's state after a step, and whether every loss so far was finite."""
    value, gradient = jax.value_and_grad(loss)(params)
    # value, grad and value_fn are what optax's line searches ask for; plain optimizers ignore them.
    update = optax.with_extra_args_support(optimizer).update
    updates, state = update(gradient, state, params, value=value, grad=gradient, value_fn=loss)
    return optax.apply_updates(params, updates), state, finite & jnp.isfinite(value)
