r"""Cost minimization: the active neurons flow down the loss among themselves, from the saddle they leave to the next.

The flow decides *which* critical point is reached, and Newton's method says *where* it is, to rounding: the flow is followed
until Newton's method, started on it, lands close by on a minimum of the restricted loss (no negative curvature, nothing
moved by more than a tenth). Directions in which the loss does not bend, along the symmetries of a neuron, are left alone.

A neuron may shrink to zero on the way. In the limit of vanishing initialization it never gets there: it stays the tiny and
aligned neuron that it is, so that it can grow again before the flow ends. Hence shrinking slows down below a size that the
outputs do not feel. A neuron that ends there, with a utility below zero, is dormant again.
"""

import functools
from typing import NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from learndyn.agf.chart import unit
from learndyn.agf.neurons import outputs, utilities

_SEED, _GONE = 1e-6, 1e-8  # the outputs with which a neuron starts, and below which it counts as returned to zero
_EXPLICIT = 50_000  # steps after which the flow counts as stiff (curved valleys, unequal features); the stiff solver compiles as long


class Saddle(NamedTuple):
    """Where the active neurons come to rest.

    Attributes:
      neurons: the parameters; zero for neurons that are not active.
      returned: the neurons that have come back to zero.
      directions: of the active neurons, and those in which the returned ones came back.
      loss: the loss there.
      gradient_norm: of the loss of all neurons; those at zero add nothing, for their degree is at least two.
      steps: of the solver.
    """

    neurons: Float[Array, "H p"]
    returned: Bool[Array, "H"]
    directions: Float[Array, "H p"]
    loss: Float[Array, ""]
    gradient_norm: Float[Array, ""]
    steps: int


@functools.partial(jax.jit, static_argnums=0)
def residual(neuron, X, y, neurons, active):
    """What the active neurons leave to be learned; the others are not even evaluated at zero, where they may kink."""
    out = outputs(neuron, jnp.where(active[:, None], neurons, 1.0), X)
    return y - jnp.sum(jnp.where(active[:, None, None], out, 0.0), axis=0)


@functools.partial(jax.jit, static_argnums=0)
def cost(neuron, X, y, neurons, active):
    """The loss of the active neurons."""
    return 0.5 * jnp.mean(jnp.sum(residual(neuron, X, y, neurons, active) ** 2, axis=-1))


_slope = jax.jit(jax.grad(cost, argnums=3), static_argnums=0)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _flow(neuron, stiff, max_steps, X, y, neurons, active, time, gone, rtol):
    def velocity(t, neurons, args):
        down = -_slope(neuron, X, y, neurons, active)
        inward = jnp.sum(neurons * down, axis=1) < 0
        square = jnp.sum(neurons**2, axis=1)
        slowed = jnp.where(inward & active, square / (square + gone**2), 1.0)
        return jnp.where(active[:, None], slowed[:, None] * down, 0.0)

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(velocity),
        diffrax.Kvaerno5() if stiff else diffrax.Tsit5(),
        t0=0.0,
        t1=time,
        dt0=None,
        y0=neurons,
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=rtol * gone),
        max_steps=max_steps,
        throw=False,
    )
    return solution.ys[0], solution.result == diffrax.RESULTS.successful, solution.stats["num_steps"]


@functools.partial(jax.jit, static_argnums=0)
def _newton(neuron, X, y, neurons, active, tolerance):
    """Minimize the restricted loss from close by; the gradient's norm and the least curvature that are found."""
    shape = neurons.shape
    f = lambda flat: cost(neuron, X, y, flat.reshape(shape), active)

    def look(carry):
        """The gradient and the curvature here; then a step, unless the gradient is small enough."""
        flat, _, _, count = carry
        gradient = jax.grad(f)(flat)
        values, vectors = jnp.linalg.eigh(jax.hessian(f)(flat))
        bent = jnp.abs(values) > 1e-9 * jnp.max(jnp.abs(values))
        inverse = jnp.where(bent, 1 / jnp.where(bent, values, 1), 0)
        norm = jnp.linalg.norm(gradient)
        there = (norm <= tolerance) | (count == 20)
        step = jnp.where(there, 0, vectors @ (inverse * (vectors.T @ gradient)))
        return flat - step, norm, jnp.min(values) / jnp.max(jnp.abs(values)), jnp.where(there, -1, count + 1)

    start = (neurons.ravel(), jnp.inf, jnp.inf, 0)
    flat, norm, bend, _ = jax.lax.while_loop(lambda carry: carry[3] >= 0, look, start)
    return flat.reshape(shape), norm, bend


@functools.partial(jax.jit, static_argnums=0)
def _takeoff(neuron, X, y, neurons, active, jumped, directions):
    """The largest utility of the neurons that jump, the size of the residual, and of the outputs at unit norm."""
    left = residual(neuron, X, y, neurons, active)
    rms = lambda values: jnp.sqrt(jnp.mean(jnp.sum(values**2, axis=-1), axis=-1))
    of_jumped = lambda values: jnp.max(jnp.where(jumped, values, 0))
    return of_jumped(utilities(neuron, directions, X, left)), rms(left), of_jumped(rms(outputs(neuron, directions, X)))


def minimize(neuron, X, y, neurons, active, jumped, directions, *, scale, degree, rtol, max_steps) -> Saddle:
    """From the saddle `neurons`, along the directions of the neurons that have just jumped, to the next saddle.

    `scale` is a bound for the gradient of the utility at unit norm.
    """
    gain, size, strength = map(float, _takeoff(neuron, X, y, neurons, active, jumped, directions))
    natural = size / strength  # norm to the power of the degree with which a neuron's outputs are as large
    seed, gone = ((share * natural) ** (1 / degree) for share in (_SEED, _GONE))
    active = active | jumped
    neurons = jnp.where(jumped[:, None], seed * directions, neurons)
    time, steps, stiff = 5 / (degree * gain * seed ** (degree - 2)), 0, False
    for _ in range(60):
        most = max_steps if stiff else min(max_steps, _EXPLICIT)
        neurons, succeeded, more = _flow(neuron, stiff, most, X, y, neurons, active, time, gone, rtol)
        steps += int(more)
        if not bool(succeeded):
            if not stiff:
                stiff = True
                continue
            raise RuntimeError(
                f"staircase: cost minimization needs more than max_steps = {max_steps} steps; the active neurons "
                f"{np.flatnonzero(active).tolist()} may pass a kink of the neuron function, or grow without bound. "
                "Raise max_steps, or round the kink off"
            )
        if (saddle := _land(neuron, X, y, neurons, active, 10 * gone, scale, degree, steps)) is not None:
            return saddle
        time *= 2
    raise RuntimeError(
        f"staircase: cost minimization has not come to rest after {steps} steps; its loss may have no minimum"
    )


@functools.partial(jax.jit, static_argnums=0)
def _gains(neuron, X, y, neurons, active, kept):
    """The utilities of the active neurons, in what is left by those that are kept."""
    seen = jnp.where(active[:, None], neurons, 1.0)
    return utilities(neuron, seen, X, residual(neuron, X, y, neurons, kept))


@functools.partial(jax.jit, static_argnums=0)
def _approach(neuron, X, y, neurons, active, gone, scale):
    """Who has come back to zero; the norms of the neurons, the largest that stays, and the gradient of the loss."""
    norms = jnp.linalg.norm(neurons, axis=1)
    # at a minimum that happens to be small the utility is zero, up to the flow's error
    returned = active & (norms < gone) & (_gains(neuron, X, y, neurons, active, active) < -1e-7 * scale)
    kept = active & ~returned
    slope = jnp.where(kept[:, None], _slope(neuron, X, y, neurons, kept), 0)
    return returned, norms, jnp.maximum(jnp.max(jnp.where(kept, norms, 0)), gone), jnp.linalg.norm(slope)


@functools.partial(jax.jit, static_argnums=0)
def _rest(neuron, X, y, neurons, landed, active, returned):
    """Directions and loss at the saddle; whether one that has come back is about to grow again."""
    kept = active & ~returned
    gains = _gains(neuron, X, y, jnp.where(kept[:, None], landed, neurons), active, kept)
    directions = unit(jnp.where(kept[:, None], landed, neurons))
    return directions, cost(neuron, X, y, landed, kept), jnp.any(returned & (gains >= 0))


def _land(neuron, X, y, neurons, active, gone, scale, degree, steps):
    """The saddle next to the flow's position, or None while the flow has not yet come near one."""
    returned, norms, largest, slope = _approach(neuron, X, y, neurons, active, gone, scale)
    slope, typical = float(slope), scale * float(largest) ** (degree - 1)  # of a gradient at these norms
    if slope > 1e-2 * typical:
        return None
    kept = np.asarray(active & ~returned)
    where = np.flatnonzero(kept)
    landed, gradient_norm = np.where(kept[:, None], neurons, 0.0), 0.0
    if where.size:
        size = max(2, 1 << int(where.size - 1).bit_length())  # few shapes, few compilations
        index = np.resize(where, size)
        near = landed[index]
        inputs = np.asarray(X)[index] if X.ndim == 3 else X
        found, gradient_norm, bend = _newton(neuron, inputs, y, near, np.arange(size) < where.size, 1e-14 * typical)
        found, gradient_norm = np.asarray(found), float(gradient_norm)
        moved = np.max(np.linalg.norm(found - near, axis=1) / np.asarray(norms)[index])
        if not (gradient_norm <= 1e-11 * typical and moved <= 0.1 and float(bend) > -1e-8):
            if slope > 1e-9 * typical:
                return None
            found, gradient_norm = near, slope  # a minimum too flat for Newton's method
        landed[where] = found[: where.size]
    landed = jnp.asarray(landed)
    directions, loss, grows = _rest(neuron, X, y, neurons, landed, active, returned)
    if bool(grows):  # tiny, and about to grow again
        return None
    return Saddle(landed, returned, directions, loss, jnp.asarray(gradient_norm), steps)
