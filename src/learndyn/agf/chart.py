r"""Dormant neurons near directions that attract or repel them, in a chart that loses no digits.

A neuron aligns exponentially fast, and when the residual changes the direction it has found may become one that repels.
Then it leaves along what is left of its first deviation, which may be far below the rounding of a unit vector and
decides *when* it leaves. So a neuron near a critical direction e of the utility is held as
$\theta = e^{\rho}(e + e^\lambda d)$ with a unit tangent d. With $z = e^\lambda d$,

$$\dot\rho = e \cdot \nabla U(e + z), \qquad \dot z = P_\perp\nabla U(e + z) - (e \cdot \nabla U(e + z))\, z$$

up to the common factor $e^{(\kappa - 2)\rho}$: exact, and linear in z while z is small.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from learndyn.agf.neurons import outputs

FLOOR = 1e-9  # a force, in units of the largest possible, that counts as none
NONE = -1e6  # the logarithm of a deviation that is exactly zero
_REACH, FAR = 0.3, 0.5  # into the chart below, out of it above these sizes of the deviation


class State(NamedTuple):
    r"""Neurons of vanishing size: $\theta_i = e^{\rho_i}(e_i + e^{\lambda_i} d_i)$.

    Attributes:
      log_norm: $\rho$; the logarithm of the norm outside the chart, of the part along e in it.
      direction: e, unit vectors; critical directions of the utility where `charted`.
      log_deviation: $\lambda$.
      deviation: d, a unit vector orthogonal to e; zero outside the chart.
      charted: which neurons are held in the chart.
    """

    log_norm: Float[Array, "H"]
    direction: Float[Array, "H p"]
    log_deviation: Float[Array, "H"]
    deviation: Float[Array, "H p"]
    charted: Bool[Array, "H"]


def start(log_norm, direction) -> State:
    """Neurons that are nowhere near a critical direction, as far as is known."""
    H = log_norm.shape[0]
    return State(log_norm, direction, jnp.full_like(log_norm, NONE), jnp.zeros_like(direction), jnp.zeros(H, bool))


@jax.jit
def log_norms(state: State) -> Float[Array, "H"]:
    """The logarithm of the whole norm."""
    return state.log_norm + 0.5 * jnp.log1p(jnp.exp(2 * state.log_deviation))


@jax.jit
def directions(state: State) -> Float[Array, "H p"]:
    """Unit vectors, with the deviation as far as it can be seen."""
    return unit(state.direction + jnp.exp(state.log_deviation)[:, None] * state.deviation)


def unchart(state: State, which) -> State:
    """The same neurons, as far as a unit vector can tell."""
    rows = which[:, None]
    return State(
        jnp.where(which, log_norms(state), state.log_norm),
        jnp.where(rows, directions(state), state.direction),
        jnp.where(which, NONE, state.log_deviation),
        jnp.where(rows, 0.0, state.deviation),
        state.charted & ~which,
    )


def unit(vectors):
    norm = jnp.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / jnp.where(norm == 0, 1, norm)


def force_of(neuron, X, residual):
    """Gradient of the raw utility U, neuron by neuron: (H, p) -> (H, p)."""
    return jax.grad(lambda theta: jnp.einsum("hnc,nc->", outputs(neuron, theta, X), residual) / residual.shape[0])


class Critical(NamedTuple):
    """The critical direction next to each neuron, and what can be gained there."""

    direction: Float[Array, "H p"]
    utility: Float[Array, "H"]  # of the degree times what `utilities` says: e . grad U
    force: Float[Array, "H"]  # the tangential force that is left
    growth: Float[Array, "H"]  # the fastest rate at which a deviation grows


@functools.partial(jax.jit, static_argnums=0)
def critical(neuron, X, residual, direction) -> Critical:
    """Newton's method on the sphere; directions in which the utility does not bend are left alone."""
    force = force_of(neuron, X, residual)
    p = direction.shape[1]

    def tangent(e):
        gradient = force(e)
        along = jnp.sum(e * gradient, axis=1)
        bend = lambda d: jax.jvp(force, (e,), (jnp.broadcast_to(d, e.shape),))[1]
        H = jax.vmap(bend, out_axes=2)(jnp.eye(p))  # (H, p, p): neurons do not feel each other
        P = jnp.eye(p)[None] - e[:, :, None] * e[:, None, :]
        J = P @ (0.5 * (H + H.mT) - along[:, None, None] * jnp.eye(p)[None]) @ P
        return gradient - along[:, None] * e, along, jnp.linalg.eigh(J)

    def newton(carry, _):
        e, _ = carry
        off, along, (values, vectors) = tangent(e)
        bent = jnp.abs(values) > jnp.maximum(FLOOR, 1e-7 * jnp.max(jnp.abs(values), axis=1, keepdims=True))
        inverse = jnp.where(bent, 1 / jnp.where(bent, values, 1), 0)
        step = -jnp.einsum("hpk,hk,hqk,hq->hp", vectors, inverse, vectors, off)
        seen = Critical(e, along, jnp.linalg.norm(off, axis=1), jnp.max(values, axis=1))
        return (unit(e + step / jnp.maximum(1, jnp.linalg.norm(step, axis=1, keepdims=True))), seen), None

    blank = jnp.zeros_like(direction[:, 0])
    start = (direction, Critical(direction, blank, blank, blank))
    return jax.lax.scan(newton, start, length=9)[0][1]  # eight steps, and a look at where they lead: compiled once


def settle(neuron, X, residual, state: State) -> tuple[State, Bool[Array, "H"]]:
    """Into the chart or out of it, as the residual asks; and which neurons have nothing to gain, now or later."""
    stays, where = _ask(neuron, X, residual, state)
    return _answer(state, stays, where, critical(neuron, X, residual, where))


@functools.partial(jax.jit, static_argnums=0)
def _ask(neuron, X, residual, state):
    """Who stays in the chart, and where each neuron is."""
    gradient = force_of(neuron, X, residual)(state.direction)
    off = gradient - jnp.sum(state.direction * gradient, axis=1, keepdims=True) * state.direction
    stays = state.charted & (jnp.linalg.norm(off, axis=1) <= FLOOR) & (state.log_deviation < jnp.log(FAR))
    return stays, jnp.where(stays[:, None], state.direction, directions(state))


@jax.jit
def _answer(state, stays, where, found):
    """Those near a critical direction into the chart, and who has nothing to gain there."""
    cosine = jnp.sum(where * found.direction, axis=1)
    away = where / jnp.where(cosine > 0.1, cosine, 1)[:, None] - found.direction
    size = jnp.linalg.norm(away, axis=1)
    near = ~stays & (found.force <= FLOOR) & (cosine > 0.1) & (size <= _REACH)
    free = ~stays & ~near
    seen = near & (size > 1e-15)  # below this it is rounding, and there is no deviation
    fresh = State(
        log_norms(state) + jnp.where(near, jnp.log(jnp.where(near, cosine, 1)), 0),
        jnp.where(near[:, None], found.direction, where),
        jnp.where(seen, jnp.log(jnp.where(seen, size, 1)), NONE),
        jnp.where(seen[:, None], unit(away), 0),
        near,
    )
    state = jax.tree.map(lambda a, b: jnp.where(stays.reshape(-1, *[1] * (a.ndim - 1)), a, b), state, fresh)
    stuck = (found.growth <= FLOOR) | (state.log_deviation <= NONE)
    return state, ~free & (found.utility <= FLOOR) & stuck


def leave(neuron, X, residual, state: State, jumped) -> tuple[State, Float[Array, "H p"]]:
    """The directions in which neurons jump: the critical one, freed of what decays beside it."""
    state, _ = settle(neuron, X, residual, state)  # it may jump before it has asked
    state = _release(neuron, X, residual, state, jumped)
    return state, state.direction


@functools.partial(jax.jit, static_argnums=0)
def _release(neuron, X, residual, state, jumped):
    """Out of the chart who jumps on its way from a direction that has lost its utility, its norm almost the radius."""
    along = jnp.sum(state.direction * force_of(neuron, X, residual)(state.direction), axis=1)
    return unchart(state, jumped & (along <= FLOOR))


def polish(neuron, X, residual, direction) -> Float[Array, "H p"]:
    """The critical direction next to each, where there is one."""
    return _close(critical(neuron, X, residual, direction), direction)


@jax.jit
def _close(found, direction):
    near = (found.force <= FLOOR) & (jnp.linalg.norm(found.direction - direction, axis=1) < 1e-2)
    return jnp.where(near[:, None], found.direction, direction)


@jax.jit
def arrive(state: State, moved, before, after) -> State:
    """Neurons `moved` have turned from the directions `before` to `after`, and their deviations with them.

    Their norms are those with which they left: a neuron that comes back has again the radius.
    """
    e = jnp.where(moved[:, None], after, state.direction)
    d = unit(state.deviation - jnp.sum(e * state.deviation, axis=1, keepdims=True) * e)
    return state._replace(direction=e, deviation=d)
