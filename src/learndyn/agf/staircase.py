r"""The staircase of a network that learns from almost nothing: which neuron, when, and what the loss falls to."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from learndyn import _require as require
from learndyn.agf import chart, climb, quadratic
from learndyn.agf.active import cost, minimize, residual
from learndyn.agf.neurons import polar, problem, utilities

_TIE = 1e-9  # neurons whose log-norms differ by this share of their way jump together


class Staircase(NamedTuple):
    r"""J jumps between J + 1 saddles; row k of what belongs to saddles is the saddle after k jumps, row 0 the origin.

    Attributes:
      times: the J times of the jumps, in the time of gradient flow on `loss`; the loss minimization takes none.
      losses: the loss at each saddle.
      jumped: which neurons leave zero at each jump; several when they tie.
      returned: which active neurons come back to zero in the cost minimization after it.
      active: which neurons are not zero at each saddle.
      neurons: the parameters at each saddle; zero for the dormant.
      directions: $\hat\theta$ of every neuron at each jump.
      log_norms: $\log|\theta|$ of the dormant neurons at each jump, from which their accumulated utility is
        $\log|\theta| - \log|\theta(0)|$ (degree 2); of the active ones the logarithm of the radius.
      utilities: $\hat U$ of every neuron on leaving each saddle: positive for who jumps; at the last saddle, at the end.
      gradient_norms: of the loss of all neurons at each saddle, the evidence that it is a critical point.
      ended: why there is no further jump.
      stats: steps of the solver, spent on the dormant and on the active neurons.
    """

    times: Float[Array, "J"]
    losses: Float[Array, "J+1"]
    jumped: Bool[Array, "J H"]
    returned: Bool[Array, "J H"]
    active: Bool[Array, "J+1 H"]
    neurons: Float[Array, "J+1 H p"]
    directions: Float[Array, "J H p"]
    log_norms: Float[Array, "J H"]
    utilities: Float[Array, "J+1 H"]
    gradient_norms: Float[Array, "J+1"]
    ended: str
    stats: dict


def staircase(
    neuron: Callable,
    X: Float[Array, "..."],
    y: Float[Array, "n c"],
    neurons: Float[Array, "H p"],
    *,
    degree: int | float = 2,
    radius: float = 1.0,
    until: float | None = None,
    max_jumps: int | None = None,
    rtol: float = 1e-11,
    max_steps: int = 100_000,
) -> Staircase:
    r"""$\tau_i = \inf\{t : \log|\theta_i(t)| = \log R\}$, the jump times of alternating gradient flows, and the saddles between.

    Gradient flow on $\tfrac12\mathbb E|\sum_i f_i(x;\theta_i) - y|^2$ from tiny neurons alternates between two motions.
    While it waits at a saddle, the residual r stands still, and every dormant neuron for itself maximizes its utility,

    $$\frac{d}{dt}\hat\theta_i = |\theta_i|^{\kappa-2} P_\perp \nabla U_i(\hat\theta_i; r), \qquad
      \frac{d}{dt}|\theta_i| = \kappa|\theta_i|^{\kappa-1}\,\hat U_i(\hat\theta_i; r),$$

    until the first norm has grown to the radius R. With R = 1 this is the moment when the accumulated utility
    $S_i = \int \kappa \hat U_i\, dt$ reaches $-\log|\theta_i(0)|$ (degree 2), or
    $(|\theta_i(0)|^{2-\kappa} - 1)/(\kappa - 2)$ (above). Then the active neurons minimize the loss, with the new one
    among them, in a time that is nothing beside the waiting; those that come back to zero are dormant again. Direction
    and norm are integrated together, so alignment is part of the times, and the order of the jumps may depend on the
    initial directions. A utility may be negative, and a norm may fall.

    What is exact: everything but the separation of the two motions, whose error is of relative order
    $1/\log(1/|\theta(0)|)$ in the times. The choice of R is part of it. A neuron that comes back has again the norm R, and
    the deviation from its direction with which it left (for $f = uvx$, the conserved $u^2 - v^2$ makes it so).

    Args:
      neuron: $f_i$: `neuron(theta, X)` of shape (n, c), homogeneous in theta, smooth where the flow passes. A kink of a
        ReLU at which a direction comes to rest is to be rounded off, homogeneously:
        $\tfrac12(z + \sqrt{z^2 + \epsilon^2|w|^2})$.
      X: inputs (n, d) for all neurons, or (H, n, d) for each neuron its own.
      y: targets.
      neurons: $\theta(0)$, one neuron a row: its norm and its direction both matter. Norms down to 1e-300 cost the same.
      degree: $\kappa \ge 2$. It is measured, and another degree refused.
      radius: R, the norm at which a neuron has left zero. For $\kappa > 2$ and $R \to \infty$, $\tau$ is the time of blow-up.
      until: stop where the next jump is later than this; by default never. Late jumps are for what is hardly worth learning.
      max_jumps: stop after so many; by default 20 for each neuron, and then an error.
      rtol: relative tolerance of the solver. A time is read between two of its steps, and may be off by some 100 rtol.
      max_steps: the most steps that one climb or one descent may take.

    Returns:
      `Staircase`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      RuntimeError: when a solver needs more steps, or the staircase more jumps, than allowed; it says where.

    Source: Kunin et al. (2025), algorithm 1.
    """
    problem(neuron, X, y, neurons, degree)
    log_radius = _settings(neurons, degree, radius, until, max_jumps, rtol, max_steps)
    X, y, neurons = (jnp.asarray(a, jnp.float64) for a in (X, y, neurons))
    H, p = neurons.shape
    most = 20 * H if max_jumps is None else max_jumps
    log_norm, direction = polar(neurons)
    tie = _TIE * max(1.0, log_radius - float(jnp.min(log_norm)))
    # A bound for |grad U| on the unit sphere, by Cauchy and Schwarz: the unit of rates, and what zero is measured by.
    slopes = jax.vmap(jax.jacfwd(neuron), (0, 0 if X.ndim == 3 else None))(direction, X)
    scale = float(jnp.sqrt(jnp.max(jnp.mean(jnp.sum(slopes**2, axis=(2, 3)), axis=1)) * jnp.mean(jnp.sum(y**2, axis=1))))
    # A quadratic neuron climbs along exponentials, which need no solver; any other along a curve.
    exact = degree == 2 and quadratic.applies(neuron, X, neurons)
    states, wait = (quadratic, quadratic.wait) if exact else (chart, climb.wait)
    state, active, here, now = states.start(log_norm, direction), jnp.zeros(H, bool), jnp.zeros((H, p)), 0.0
    saddles, jumps, gains = [(cost(neuron, X, y, here, active), active, here, jnp.zeros(()))], [], []
    work = {"dormant_steps": 0, "active_steps": 0}
    while True:
        left = residual(neuron, X, y, here, active) / (scale or 1.0)
        remaining = jnp.inf if until is None else (until - now) * scale
        dt, state, jumped, steps = wait(neuron, X, left, degree, state, active, log_radius, tie, remaining, rtol, max_steps)
        work["dormant_steps"] += steps
        towards = jnp.where(active[:, None], direction, jnp.asarray(states.directions(state)))
        gains.append(scale * utilities(neuron, towards, X, left))
        if jumped is None:
            ended = _reason(active, left, until)
            break
        if len(jumps) == most:
            if max_jumps is None:
                raise RuntimeError(
                    f"staircase has not ended after {most} jumps; raise max_jumps if neurons keep coming and going"
                )
            ended = f"max_jumps = {most} is reached"
            break
        now, jumped = now + float(dt) / scale, jnp.asarray(jumped)
        jumps.append([now, jumped, towards, jnp.asarray(states.log_norms(state))])
        state, start = states.leave(neuron, X, left, state, jumped)
        saddle = minimize(neuron, X, y, here, active, jumped, jnp.asarray(start), scale=scale, degree=degree,
                          rtol=max(rtol, 1e-8), max_steps=max_steps)  # fmt: skip
        work["active_steps"] += saddle.steps
        jumps[-1].insert(2, saddle.returned)
        before = jnp.where(active[:, None], direction, start)
        moved, here, active = active | jumped, saddle.neurons, (active | jumped) & ~saddle.returned
        found = chart.polish(neuron, X, residual(neuron, X, y, here, active) / scale, saddle.directions)
        found = jnp.where(saddle.returned[:, None], found, saddle.directions)
        direction = jnp.where(moved[:, None], found, before)
        state = states.arrive(state, moved, before, direction)
        saddles.append((saddle.loss, active, here, saddle.gradient_norm))
    losses, actives, places, slopes = map(jnp.stack, zip(*saddles))
    empty = (jnp.zeros(0), jnp.zeros((0, H), bool), jnp.zeros((0, H), bool), jnp.zeros((0, H, p)), jnp.zeros((0, H)))
    times, who, back, towards, sizes = map(lambda *a: jnp.stack([jnp.asarray(b) for b in a]), *jumps) if jumps else empty
    return Staircase(times, losses, who, back, actives, places, towards, sizes, jnp.stack(gains), slopes, ended, work)


def _reason(active, left, until):
    """Why nobody jumps."""
    if bool(jnp.all(active)):
        return "all neurons are active"
    if float(jnp.max(jnp.abs(left))) <= chart.FLOOR:
        return "the residual is zero"
    never = "no dormant neuron has, or comes to, a utility above zero"
    return never if until is None else f"no neuron jumps before the time {until:g}"


def _settings(neurons, degree, radius, until, max_jumps, rtol, max_steps):
    """The other arguments; the logarithm of the radius."""
    require.positive("radius", radius)
    require.positive("rtol", rtol)
    if until is not None:
        require.positive("until", until)
    require.positive_integer("max_steps", max_steps)
    if max_jumps is not None:
        require.positive_integer("max_jumps", max_jumps)
    if not jax.config.jax_enable_x64:
        raise RuntimeError('staircase needs 64 bits: jax.config.update("jax_enable_x64", True)')
    if not 1e-13 <= rtol <= 1e-3:
        raise ValueError(f"rtol must be between 1e-13 and 1e-3, but is {rtol!r}")
    sizes = np.asarray(polar(neurons)[0])
    if sizes[i := int(np.argmax(sizes))] >= np.log(radius):
        raise ValueError(
            f"neurons must be smaller than the radius {radius:g} at which they jump, but neurons[{i}] has norm "
            f"{np.exp(sizes[i]):.3g}"
        )
    if (2 - degree) * sizes.min() > 690:
        raise ValueError(
            f"neurons must jump at a time that a number can hold, but neurons[{np.argmin(sizes)}] of norm "
            f"{np.exp(sizes.min()):.3g} and degree {degree} takes some |theta|^{2 - degree:g} = "
            f"1e{(2 - degree) * sizes.min() / np.log(10):.0f}"
        )
    return float(np.log(radius))
