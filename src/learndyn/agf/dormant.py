r"""Utility maximization: the dormant neurons under a residual that stands still, until the first of them has grown.

**Clock.** With $\rho = \log|\theta|$ the equations of a dormant neuron are, for every degree $\kappa$,

$$\dot\rho = e^{(\kappa-2)\rho}\, \kappa\hat U, \qquad \dot{\hat\theta} = e^{(\kappa-2)\rho}\, P_\perp\nabla U(\hat\theta).$$

For $\kappa = 2$ the norm does not matter to the speed. For $\kappa > 2$ all is slow while the norm is small, and the solver runs
on a clock s of its own, $dt/ds = \min_i e^{-(\kappa-2)\rho_i}$ over the dormant neurons, in which the fastest neuron has the
speed of $\kappa = 2$; the time t is one more unknown. Norms of $10^{-300}$ cost what norms of $10^{-3}$ do.

**Chart.** A neuron aligns exponentially fast, and when the residual changes the direction it has found may become one
that repels. Then it leaves along what is left of its first deviation, which may be far below the rounding of a unit vector
and decides *when* it leaves: for $f = u v x$ it carries the conserved $u^2 - v^2$. So a neuron near a critical direction e
is held as $\hat\theta \propto e + e^\lambda d$ with a unit tangent d and the logarithm $\lambda$. On the ray, $\theta = e^{\rho}(e + z)$ and

$$\dot\rho = e \cdot \nabla U(e + z), \qquad \dot z = P_\perp\nabla U(e + z) - (e \cdot \nabla U(e + z))\, z,$$

which is linear in z for a neuron that is quadratic in $\theta$, however large z is.
"""

import functools
from typing import NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import optimistix
from jaxtyping import Array, Bool, Float

from learndyn.agf.neurons import outputs

NONE = -1e6  # the logarithm of a deviation that is exactly zero
_NEAR = 0.3  # the share of the force that is tangential where a neuron asks to be charted
_REACH, _FAR = 0.3, 0.5  # into the chart below, out of it above these sizes of the deviation


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
    return State(log_norm, direction, jnp.full(H, NONE), jnp.zeros_like(direction), jnp.zeros(H, bool))


def log_norms(state: State) -> Float[Array, "H"]:
    """The logarithm of the whole norm."""
    return state.log_norm + 0.5 * jnp.log1p(jnp.exp(2 * state.log_deviation))


def directions(state: State) -> Float[Array, "H p"]:
    """Unit vectors, with the deviation as far as it can be seen."""
    return _unit(state.direction + jnp.exp(state.log_deviation)[:, None] * state.deviation)


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


def _unit(vectors):
    norm = jnp.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / jnp.where(norm == 0, 1, norm)


def _force(neuron, X, residual):
    """Gradient of the raw utility U, neuron by neuron: (H, p) -> (H, p)."""
    return jax.grad(lambda theta: jnp.sum(outputs(neuron, theta, X) * residual) / residual.shape[0])


class Critical(NamedTuple):
    """The critical direction next to each neuron, and what can be gained there."""

    direction: Float[Array, "H p"]
    utility: Float[Array, "H"]  # of the degree times what `utilities` says: e . grad U
    force: Float[Array, "H"]  # the tangential force that is left
    growth: Float[Array, "H"]  # the fastest rate at which a deviation grows


@functools.partial(jax.jit, static_argnums=0)
def critical(neuron, X, residual, direction, floor) -> Critical:
    """Newton's method on the sphere; directions in which the utility does not bend are left alone."""
    force = _force(neuron, X, residual)
    p = direction.shape[1]

    def tangent(e):
        gradient = force(e)
        along = jnp.sum(e * gradient, axis=1)
        bend = lambda d: jax.jvp(force, (e,), (jnp.broadcast_to(d, e.shape),))[1]
        H = jax.vmap(bend, out_axes=2)(jnp.eye(p))  # (H, p, p): neurons do not feel each other
        P = jnp.eye(p) - e[:, :, None] * e[:, None, :]
        J = P @ (0.5 * (H + H.mT) - along[:, None, None] * jnp.eye(p)) @ P
        return gradient - along[:, None] * e, along, jnp.linalg.eigh(J)

    def newton(e, _):
        off, _, (values, vectors) = tangent(e)
        bent = jnp.abs(values) > jnp.maximum(floor, 1e-7 * jnp.max(jnp.abs(values), axis=1, keepdims=True))
        inverse = jnp.where(bent, 1 / jnp.where(bent, values, 1), 0)
        step = -jnp.einsum("hpk,hk,hqk,hq->hp", vectors, inverse, vectors, off)
        return _unit(e + step / jnp.maximum(1, jnp.linalg.norm(step, axis=1, keepdims=True))), None

    e, _ = jax.lax.scan(newton, direction, length=8)
    off, along, (values, _) = tangent(e)
    return Critical(e, along, jnp.linalg.norm(off, axis=1), jnp.max(values, axis=1))


@functools.partial(jax.jit, static_argnums=0)
def settle(neuron, X, residual, state: State, floor) -> tuple[State, Bool[Array, "H"]]:
    """Into the chart or out of it, as the residual asks; and which neurons have nothing to gain, now or later.

    `floor` is the force that counts as none.
    """
    gradient = _force(neuron, X, residual)(state.direction)
    off = gradient - jnp.sum(state.direction * gradient, axis=1, keepdims=True) * state.direction
    stays = state.charted & (jnp.linalg.norm(off, axis=1) <= floor) & (state.log_deviation < jnp.log(_FAR))
    where = jnp.where(stays[:, None], state.direction, directions(state))
    found = critical(neuron, X, residual, where, floor)
    cosine = jnp.sum(where * found.direction, axis=1)
    away = where / jnp.where(cosine > 0.1, cosine, 1)[:, None] - found.direction
    size = jnp.linalg.norm(away, axis=1)
    near = ~stays & (found.force <= floor) & (cosine > 0.1) & (size <= _REACH)
    free = ~stays & ~near
    seen = near & (size > 1e-15)  # below this it is rounding, and there is no deviation
    fresh = State(
        log_norms(state) + jnp.where(near, jnp.log(jnp.where(near, cosine, 1)), 0),
        jnp.where(near[:, None], found.direction, where),
        jnp.where(seen, jnp.log(jnp.where(seen, size, 1)), NONE),
        jnp.where(seen[:, None], _unit(away), 0),
        near,
    )
    state = jax.tree.map(lambda a, b: jnp.where(stays.reshape(-1, *[1] * (a.ndim - 1)), a, b), state, fresh)
    stuck = (found.growth <= floor) | (state.log_deviation <= NONE)
    return state, ~free & (found.utility <= floor) & stuck


@functools.partial(jax.jit, static_argnums=(0, 1))
def climb(neuron, max_steps, X, residual, degree, state: State, dormant, log_radius, rtol):
    """Utility maximization until a dormant neuron has the radius, or enters or leaves its chart.

    The active ones keep their norm; what deviates from their directions goes on moving (for degree 2; above it, that is
    infinitely fast, and left alone).

    Returns:
      the time that went by, the state, whether one of these happened within `max_steps`, and how many there were.
    """
    force = _force(neuron, X, residual)
    excess = degree - 2

    def speeds(log_norm):
        fastest = jnp.max(jnp.where(dormant, log_norm, -jnp.inf))
        own = jnp.where(dormant, jnp.exp(excess * (log_norm - fastest)), jnp.where(excess > 0, 0.0, 1.0))
        return own, jnp.exp(-excess * fastest)

    def velocity(s, y, args):
        _, log_norm, e, log_deviation, d = y
        e = _unit(e)
        d = _unit(d - jnp.sum(e * d, axis=1, keepdims=True) * e)  # else rounding along e grows, and takes over
        own, clock = speeds(total(y))
        at_e, bent = jax.jvp(force, (e,), (d,))
        size = jnp.exp(log_deviation)
        at_z = force(e + size[:, None] * d)
        along = jnp.sum(e * at_z, axis=1)
        tiny = (size < 1e-6)[:, None]
        change = jnp.where(tiny, bent, (at_z - at_e) / jnp.where(tiny, 1, size[:, None]))
        change -= jnp.sum(e * change, axis=1, keepdims=True) * e + along[:, None] * d
        growth = jnp.sum(d * change, axis=1)
        free = at_e - jnp.sum(e * at_e, axis=1, keepdims=True) * e
        return (
            clock,
            jnp.where(dormant, own * along, 0),
            jnp.where((dormant & ~state.charted)[:, None], own[:, None] * free, 0),
            jnp.where(state.charted, own * growth, 0),
            jnp.where(state.charted[:, None], own[:, None] * (change - growth[:, None] * d), 0),
        )

    def total(y):
        return y[1] + 0.5 * jnp.log1p(jnp.exp(2 * y[3]))

    def slant(e):
        """The square of the tangential share of the force."""
        gradient = force(e)
        square = jnp.sum(gradient**2, axis=1)
        off = jnp.sum((gradient - jnp.sum(e * gradient, axis=1, keepdims=True) * e) ** 2, axis=1)
        return off / jnp.where(square == 0, 1, square)

    # where Newton's method found no critical direction at this slant, it is asked again at the next
    first = slant(state.direction)
    near = _NEAR**2 * jnp.minimum(1, first)
    watched = dormant & ~state.charted & (first > 1e-16)

    def happens(t, y, args, **kwargs):
        """Rises through zero when a neuron has grown, leaves its chart, or comes near a critical direction."""
        return jnp.max(
            jnp.stack([
                jnp.where(dormant, total(y) - log_radius, -1.0),
                jnp.where(dormant & state.charted, y[3] - jnp.log(_FAR), -1.0),
                jnp.where(watched, near - slant(_unit(y[2])), -1.0),
            ])
        )  # fmt: skip

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(velocity),
        diffrax.Dopri8(),
        t0=0.0,
        t1=1e300,
        dt0=None,
        y0=(0.0, *state[:4]),
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=rtol),
        event=diffrax.Event(happens, optimistix.Bisection(rtol=1e-14, atol=1e-12), direction=True),
        max_steps=max_steps,
        throw=False,
    )
    time, log_norm, e, log_deviation, d = jax.tree.map(lambda leaf: leaf[0], solution.ys)
    moved = State(log_norm, _unit(e), log_deviation, _unit(d), state.charted)
    return time, moved, solution.result == diffrax.RESULTS.event_occurred, solution.stats["num_steps"]
