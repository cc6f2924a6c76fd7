r"""Training one neuron after another: alternating gradient flows as a schedule for an optimizer.

A sum of neurons can be trained together, or in stages: the neurons that are not yet used turn toward what is left to be
learned, the best of them enters with the size that lowers the loss most, and those that have entered are trained. Work is
counted in *neuron gradients*, one for each neuron whose derivative is taken over all samples, so that a neuron that is not
trained costs nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, PyTree

from learndyn import _require as require
from learndyn.agf import neurons as sums


class Course(NamedTuple):
    """What training has cost and reached.

    Attributes:
      work: neuron gradients taken so far, at the start and after every step.
      observed: what `observe` returned at the same moments.
      neurons: where training ended.
      entered: which neurons have ever been used.
    """

    work: Float[Array, "T"]
    observed: PyTree
    neurons: Float[Array, "H p"]
    entered: Bool[Array, "H"]


def train(
    neuron: Callable,
    X: Float[Array, "..."],
    y: Float[Array, "n c"],
    neurons: Float[Array, "H p"],
    optimizer: optax.GradientTransformation,
    *,
    degree: int | float = 2,
    stages: int = 0,
    climb: int = 20,
    descent: int = 30,
    steps: int,
    observe: Callable[[Float[Array, "H p"]], PyTree],
) -> Course:
    r"""$\hat\theta_i \to \hat\theta_i + \tfrac12 \nabla U_i/|\nabla U_i|$ (waiting), $i^* = \arg\max \hat U_i^2/\mathbb E|f_i|^2$ (entering), and so on.

    Each stage makes `climb` normalized steps up the utility with all neurons that wait, at the fixed residual; lets the
    one enter that lowers the loss most, at the scale $|\theta|^\kappa = \hat U / \mathbb E|f(\hat\theta)|^2$ of an exact
    line search; and makes `descent` steps of the optimizer, begun afresh, with all that have entered. At last all
    neurons that have entered are trained for `steps` more. With `stages=0` every neuron is trained from where it is
    given, which is ordinary training.

    Cost in neuron gradients: a step of climbing as many as there are neurons that wait, an entry the same once more for
    the line search, a step of the optimizer as many as have entered.

    Args:
      neuron: `neuron(theta, X)` of shape (n, c), homogeneous in theta.
      X: inputs (n, d) for all neurons, or (H, n, d) for each its own.
      y: targets.
      neurons: where training starts; in stages only the directions count.
      optimizer: any optax gradient transformation; its learning rate may be traced, so that `jax.vmap` can try many.
      degree: $\kappa$; measured, and another one refused (not under `jax.vmap` over data or neurons).
      stages: how many neurons enter one by one, at most H.
      climb, descent, steps: numbers of steps, as above.
      observe: a function of the neurons (zero while they wait), called at the start and after every descent step.

    Returns:
      `Course`, with 1 + stages (1 + descent) + steps moments: the start, each entry and each step.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
    """
    if any(isinstance(value, jax.core.Tracer) for value in (X, y, neurons)):  # no values to measure a degree with
        sums.data(X, y)
        require.matrix("neurons", neurons)
    else:
        sums.problem(neuron, X, y, neurons, degree)
    require.callable_("observe", observe)
    for name, value in (("stages", stages), ("climb", climb), ("descent", descent), ("steps", steps)):
        require.count(name, value)
    H = neurons.shape[0]
    if stages > H:
        raise ValueError(f"stages must be at most the {H} neurons there are, but is {stages}")
    if not (hasattr(optimizer, "init") and hasattr(optimizer, "update")):
        raise TypeError(f"optimizer must be an optax gradient transformation, but is {optimizer!r}")
    loss = sums.loss(neuron, X, y)
    zero, used = jnp.zeros_like(neurons), jnp.ones(H, bool)

    def descend(neurons, entered, length):
        def step(carry, _):
            neurons, state = carry
            update, state = optimizer.update(jax.grad(loss)(neurons) * entered[:, None], state, neurons)
            neurons = jnp.where(entered[:, None], optax.apply_updates(neurons, update), neurons)
            return (neurons, state), observe(neurons)

        (neurons, _), seen = jax.lax.scan(step, (neurons, optimizer.init(neurons)), None, length=length)
        return neurons, seen

    def stage(carry, _):
        neurons, waiting, entered = carry
        here = jnp.where(entered[:, None], neurons, zero)
        residual = y - jnp.sum(sums.outputs(neuron, here, X), axis=0)
        waiting = _climb(neuron, X, residual, waiting, climb)
        who, size = _best(neuron, X, residual, waiting, entered, degree)
        neurons = here.at[who].set(size * waiting[who])
        entered = entered.at[who].set(size > 0)
        first = observe(neurons)
        neurons, seen = descend(neurons, entered, descent)
        seen = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, seen)
        idle = H - jnp.sum(carry[2])
        cost = jnp.concatenate([(climb + 1.0) * idle[None], jnp.full(descent, jnp.sum(entered))])
        return (neurons, waiting, entered), (seen, cost)

    pieces = [(jax.tree.map(lambda a: jnp.asarray(a)[None], observe(zero if stages else neurons)), jnp.zeros(1))]
    if stages:
        _, directions = sums.polar(neurons)
        (neurons, _, used), (seen, cost) = jax.lax.scan(stage, (zero, directions, ~used), None, length=stages)
        pieces.append((jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), seen), cost.reshape(-1)))
    neurons, seen = descend(neurons, used, steps)
    pieces.append((seen, jnp.full(steps, jnp.sum(used))))
    observed, cost = jax.tree.map(lambda *parts: jnp.concatenate(parts), *pieces)
    return Course(jnp.cumsum(cost), observed, neurons, used)


def _climb(neuron, X, residual, directions, length):
    """Normalized ascent of the utility on the sphere, every neuron for itself."""

    def gained(directions):  # the sum: every neuron feels its own term alone
        return jnp.sum(sums.outputs(neuron, directions, X) * residual[None]) / residual.shape[0]

    def step(directions, _):
        slope = jax.grad(gained)(directions)
        # nothing to climb where the gradient vanishes: stay
        moved = directions + 0.5 * slope / jnp.maximum(_norm(slope), jnp.finfo(slope.dtype).tiny)
        return moved / _norm(moved), None

    return jax.lax.scan(step, directions, None, length=length)[0]


def _best(neuron, X, residual, directions, entered, degree):
    """Who lowers the loss most by entering, and the norm with which it does; norm zero where nobody can."""
    f = sums.outputs(neuron, directions, X)
    gain = jnp.einsum("hnc,nc->h", f, residual) / residual.shape[0]
    power = jnp.mean(jnp.sum(f**2, axis=2), axis=1)
    able = (gain > 0) & (power > 0) & ~entered
    scale = jnp.where(able, gain / jnp.where(power > 0, power, 1), 0)
    who = jnp.argmax(jnp.where(able, gain * scale, -jnp.inf))
    return who, scale[who] ** (1 / degree)


def _norm(rows):
    return jnp.linalg.norm(rows, axis=1, keepdims=True)
