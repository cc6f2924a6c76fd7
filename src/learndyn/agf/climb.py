r"""Utility maximization of any homogeneous neurons, by a solver that runs on the clock of the fastest.

With $\rho = \log|\theta|$ the equations of a dormant neuron are, for every degree $\kappa$,

$$\dot\rho = e^{(\kappa-2)\rho}\, \kappa\hat U, \qquad \dot{\hat\theta} = e^{(\kappa-2)\rho}\, P_\perp\nabla U(\hat\theta).$$

For $\kappa = 2$ the norm does not matter to the speed. For $\kappa > 2$ all is slow while the norm is small, and the
solver runs on a clock s of its own, $dt/ds = \min_i e^{-(\kappa-2)\rho_i}$ over the dormant neurons, in which the
fastest neuron has the speed of $\kappa = 2$; the time t is one more unknown. Norms of $10^{-300}$ cost what norms of
$10^{-3}$ do.
"""

import functools

import diffrax
import jax
import jax.numpy as jnp
import optimistix

from learndyn.agf.chart import FAR, State, force_of, log_norms, settle, unit

_NEAR = 0.3  # the share of the force that is tangential where a neuron asks to be charted


@functools.partial(jax.jit, static_argnums=(0, 1))
def climb(neuron, max_steps, X, residual, degree, state: State, dormant, log_radius, remaining, rtol):
    """Utility maximization until a dormant neuron has the radius, or enters or leaves its chart, or no time remains.

    The active ones rest, and keep what deviates from their directions.

    Returns:
      the time that went by, the state, whether one of these happened within `max_steps`, and how many there were.
    """
    force = force_of(neuron, X, residual)
    excess = degree - 2

    def speeds(log_norm):
        fastest = jnp.max(jnp.where(dormant, log_norm, -jnp.inf))
        own = jnp.where(dormant, jnp.exp(excess * (log_norm - fastest)), 0.0)
        return own, jnp.exp(-excess * fastest)

    def velocity(s, y, args):
        _, log_norm, e, log_deviation, d = y
        e = unit(e)
        d = unit(d - jnp.sum(e * d, axis=1, keepdims=True) * e)  # else rounding along e grows, and takes over
        own, clock = speeds(log_norm)  # in the chart, of the part along e, for the force is taken at e + z
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
            own * along,
            jnp.where(state.charted[:, None], 0, own[:, None] * free),
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
        """Rises through zero when a neuron has grown, leaves its chart, or asks for one, and when it is late."""
        return jnp.max(
            jnp.stack([
                jnp.where(dormant, total(y) - log_radius, -1.0),
                jnp.where(dormant & state.charted, y[3] - jnp.log(FAR), -1.0),
                jnp.where(watched, near - slant(unit(y[2])), -1.0),
                jnp.full(dormant.shape, y[0] / remaining - 1),
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
    moved = State(log_norm, unit(e), log_deviation, unit(d), state.charted)
    return time, moved, solution.event_mask, solution.stats["num_steps"]


def wait(neuron, X, residual, degree, state: State, active, log_radius, tie, remaining, rtol, max_steps):
    """The time until the first dormant neuron has the radius, the state then, who has grown; or None, and nobody."""
    waited, steps = 0.0, 0
    while True:
        state, hopeless = settle(neuron, X, residual, state)
        if bool(jnp.all(active | hopeless)):
            return None, state, None, steps
        late = remaining - waited
        dt, state, happened, more = climb(
            neuron, max_steps, X, residual, degree, state, ~active, log_radius, late, rtol
        )  # fmt: skip
        waited, steps = waited + float(dt), steps + int(more)
        if not bool(happened):
            raise RuntimeError(
                f"staircase: utility maximization needs more than max_steps = {max_steps} steps; a direction may have come "
                "to rest at a kink of the neuron function. Round the kink off, raise max_steps, or loosen rtol"
            )
        grown = ~active & (log_norms(state) >= log_radius - tie)
        if bool(jnp.any(grown)):
            return waited, state, grown, steps
        if waited >= remaining * (1 - 1e-12):
            return None, state, None, steps
