r"""Gradient flow from a vanishing initialization, in the logarithms of the neurons' norms.

A network $f(x) = \sum_i f_i(x; \theta_i)$ of homogeneous neurons that starts at the scale $\alpha$ waits for a time of order
$\log(1/\alpha)$ (degree 2) or $\alpha^{-(\kappa - 2)}$ (degree $\kappa > 2$), learns something within a time of order one, and waits
again. In the parameters themselves the waiting is exponential growth from numbers that may be far below the rounding
of those beside them. In $\log|\theta_i|$ it is a straight line, which a solver crosses in one step.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import CubicHermiteSpline

from learndyn import _require as require
from learndyn import flows
from learndyn._leaping import Leaping
from learndyn._progress import Progress
from learndyn.agf import neurons as sums


class Path(NamedTuple):
    r"""Where a vanishing flow was.

    Attributes:
      times: the T times at which it was observed.
      losses: $L = \tfrac12 \mathbb E |f - y|^2$.
      log_norms: $\log|\theta_i|$; norms below $10^{-308}$ have one too.
      growth: $\frac{d}{dt}\log|\theta_i|$, which for degree 2 is twice the utility under the residual of that time.
      directions: $\theta_i / |\theta_i|$.
      stats: the evidence: how many steps the solver took, accepted and rejected.
    """

    times: Float[Array, "T"]
    losses: Float[Array, "T"]
    log_norms: Float[Array, "T H"]
    growth: Float[Array, "T H"]
    directions: Float[Array, "T H p"]
    stats: dict

    @property
    def neurons(self) -> Float[Array, "T H p"]:
        r"""$\theta_i$; zero where it is too small for a number of the machine's."""
        return jnp.exp(self.log_norms)[..., None] * self.directions


def gradient_flow(
    neuron: Callable,
    X: Float[Array, "..."],
    y: Float[Array, "n c"],
    neurons: Float[Array, "H p"],
    times: Float[Array, "T"] | float,
    *,
    degree: float = 2,
    blocks: tuple[int, ...] | None = None,
    tolerance: float = 1e-8,
    max_steps: int = 20_000,
    progress: bool = False,
) -> Path:
    r"""$\dot\theta_i = -\nabla_{\theta_i} L$ by $\frac{d}{dt}\log|\theta_i| = \kappa|\theta_i|^{\kappa-2}\hat U_i$, $\frac{d}{dt}\hat\theta_i = |\theta_i|^{\kappa-2}P_\perp\nabla U_i$.

    Here $\hat U_i$ is the utility of the direction $\hat\theta_i$ under the residual of the moment, so that this is the flow
    itself, no approximation. For $\kappa > 2$ the unknown is $|\theta_i|^{-(\kappa - 2)}$, which waits in a straight line there.
    The solver is `_leaping.Leaping`; its number of steps grows with the number of jumps, hardly with $\log(1/\alpha)$.

    **Which numbers must be small.** A unit vector holds no deviation below its rounding. A neuron $f = u v x$ that has turned
    to $u = v$ keeps the conserved $u^2 - v^2 \sim \alpha^2$ as a deviation of its direction, lost below $\alpha \sim 10^{-5}$; when the
    sign of its utility changes, that deviation decides when it turns to $u = -v$. Write such a neuron in the coordinates that
    keep their signs, $f = (a^2 - b^2)x/2$ (the same flow, turned by 45 degrees), and give each its own logarithm by
    `blocks=(1, 1)`. In general `blocks` are sizes of consecutive groups of a neuron's parameters; each has a norm and a
    direction of its own. A block of one parameter keeps its sign; a block must not pass through zero.

    Args:
      neuron: `neuron(theta, X)` of shape (n, c), homogeneous in theta.
      X: inputs (n, d) for all neurons, or (H, n, d) for each its own.
      y: targets (n, c).
      neurons: $\theta$ at the start, one neuron a row; none, and no block of one, is zero.
      times: T increasing times, the first may be 0; or one time, to be observed until then at the solver's own steps,
        which lie densely where much happens.
      degree: $\kappa$ of at least 2; checked.
      blocks: sizes that add up to p; by default one block, the whole neuron.
      tolerance: of each step, for the logarithms of norms (relative errors of norms) and for directions.
      max_steps: the most steps the solver may take.
      progress: print the share of the time that is done on standard error, about once a second.

    Returns:
      `Path`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing; a neuron of another degree is named with its exponents.
      RuntimeError: when the solver fails; it says where, and what can be done. Inside `vmap` or `jit` too, there without
        the numbers.

    Source: Kunin et al. (2025), equations 3 to 5, here for any residual and any blocks.
    """
    sums.problem(neuron, X, y, neurons, degree)
    steps = not hasattr(times, "ndim") and not isinstance(times, (list, tuple))
    if steps:
        require.positive("times", times)
        times = np.array([times])
    times = flows._as_times(times)
    blocks = _as_blocks(blocks, neurons)
    require.positive("tolerance", tolerance)
    kind = jnp.result_type(X, y, neurons, float)
    if tolerance < (least := 10 * float(jnp.finfo(kind).eps)):
        raise ValueError(f"tolerance must be at least {least:.1e} for dtype {kind}, but is {tolerance!r}")
    require.positive_integer("max_steps", max_steps)
    neurons = jnp.asarray(neurons, kind)
    _report.begin()
    solve = _compiled(neuron, float(degree), blocks, max_steps, steps, bool(progress))
    found, stats, succeeded, reached = solve(jnp.asarray(X, kind), jnp.asarray(y, kind), neurons, times.astype(kind), tolerance)
    if isinstance(succeeded, jax.core.Tracer):  # inside somebody's vmap or jit: raise when the numbers are there
        found = eqx.error_if(found, ~succeeded, f"vanishing.gradient_flow failed within {max_steps} steps. {_ADVICE}")
    elif not bool(succeeded):
        raise RuntimeError(
            f"vanishing.gradient_flow stopped at t = {float(reached):.6g} of {float(times[-1]):.6g} after "
            f"{int(stats['num_steps'])} of at most max_steps = {max_steps} steps. {_ADVICE}"
        )
    elif steps:
        found = jax.tree.map(lambda leaf: leaf[: int(stats["num_accepted_steps"]) + 1], found)
    return Path(*found, stats)


_ADVICE = (
    "If it was busy, raise max_steps or the tolerance. A kink of the neuron function (ReLU) costs many steps: round it off. "
    "A block that passes through zero cannot be followed: give the whole neuron one block"
)
_report = Progress("vanishing.gradient_flow", "% of the time")


def jump_times(path: Path, *, fraction: float = 0.5) -> list[tuple[float, int, bool]]:
    r"""When neurons come and go: the times at which $|\theta_i|$ passes `fraction` of the largest norm that it ever had.

    Only neurons that have risen count, those whose largest norm is above the geometric mean of the norm at the start
    and the largest of all neurons. Between the observed times $\log|\theta_i|$ is the cubic that has its values and its growth.

    Args:
      path: a flow, observed often enough; best at the solver's own steps.
      fraction: between 0 and 1.

    Returns:
      (time, neuron, rises) in the order of time; `rises` is false where a neuron goes back to zero.

    Raises:
      ValueError, TypeError: for a fraction out of range or fewer than two observed times.
    """
    require.positive("fraction", fraction)
    if not fraction < 1:
        raise ValueError(f"fraction must be below 1, but is {fraction!r}")
    if len(path.times) < 2:
        raise ValueError(f"path must hold at least two times, but holds {len(path.times)}")
    times, logs, growth = (np.asarray(value) for value in (path.times, path.log_norms, path.growth))
    top = logs.max(axis=0)
    found = []
    for i in np.flatnonzero(top > (logs[0] + top.max()) / 2):
        curve = CubicHermiteSpline(times, logs[:, i], growth[:, i])
        rising = curve.derivative()
        roots = curve.solve(top[i] + np.log(fraction), extrapolate=False)
        found += [(float(t), int(i), bool(rising(t) > 0)) for t in roots]
    return sorted(found)


def _as_blocks(blocks, neurons):
    p = neurons.shape[1]
    if blocks is None:
        return (p,)
    require.sequence("blocks", blocks)
    blocks = tuple(blocks)
    for k, size in enumerate(blocks):
        require.positive_integer(f"blocks[{k}]", size)
    if sum(blocks) != p:
        raise ValueError(f"blocks must add up to the p = {p} parameters of a neuron, but are {blocks}")
    if not isinstance(neurons, jax.core.Tracer):
        ends = np.cumsum((0, *blocks))
        largest = np.stack([np.abs(neurons[:, a:b]).max(axis=1) for a, b in zip(ends, ends[1:])], axis=1)
        if (zero := np.argwhere(largest == 0)).size:
            i, k = zero[0]
            raise ValueError(f"neurons must not have a block of zeros, but blocks[{k}] of neurons[{i}] is: join it to another")
    return blocks


class _State(NamedTuple):
    radial: Array  # (H, B): the logarithm of each block's norm, or for degree > 2 the power kappa - 2 of its inverse
    direction: Array  # (H, p): unit vectors block by block, up to the solver's error, which nothing feels


class _Chart:
    """Neurons as norms and directions of their blocks, and back."""

    def __init__(self, degree, blocks):
        self.degree = degree
        self.owner = np.repeat(np.arange(len(blocks)), blocks)
        self.member = np.eye(len(blocks))[self.owner]  # (p, B)

    def start(self, neurons):
        largest = jnp.max(jnp.where(self.member.T == 1, jnp.abs(neurons)[:, None], 0), axis=-1)
        scaled = neurons / largest[:, self.owner]
        norm = jnp.sqrt(scaled**2 @ self.member)
        log = jnp.log(largest) + jnp.log(norm)
        radial = log if self.degree == 2 else jnp.exp((2 - self.degree) * log)
        return _State(radial, scaled / norm[:, self.owner])

    def read(self, state):
        """Log norms (H,) and (H, B), unit vectors (H, p) block by block, and whole unit vectors (H, p)."""
        logs = state.radial if self.degree == 2 else jnp.log(state.radial) / (2 - self.degree)
        log = 0.5 * jax.nn.logsumexp(2 * logs, axis=1)
        # A block a hundred orders below its neuron feels no force that the rest does not set
        share = jnp.exp(jnp.maximum(logs - log[:, None], _LEAST))
        units = state.direction / jnp.sqrt(state.direction**2 @ self.member)[:, self.owner]
        return log, share, units, share[:, self.owner] * units


_LEAST = -230.0


def _field(neuron, chart, X, y, state):
    """Velocities of the state, the loss, and the growth of the norms."""
    degree, owner = chart.degree, chart.owner
    log, share, units, directions = chart.read(state)
    out, pull = jax.vjp(lambda theta: sums.outputs(neuron, theta, X), directions)
    residual = y - jnp.einsum("h,hnc->nc", jnp.exp(degree * log), out)
    (force,) = pull(jnp.broadcast_to(residual / len(y), out.shape))  # the gradient of the utility, (H, p)
    along = (units * force) @ chart.member
    speed = jnp.exp((degree - 2) * log)[:, None] / share
    rate = speed * along  # of the logarithms of the blocks' norms
    radial = rate if degree == 2 else (2 - degree) * state.radial * rate
    velocity = _State(radial, speed[:, owner] * (force - along[:, owner] * units))
    return velocity, 0.5 * jnp.mean(jnp.sum(residual**2, axis=-1)), jnp.sum(share**2 * rate, axis=1)


@functools.lru_cache(maxsize=16)
def _compiled(neuron, degree, blocks, max_steps, steps, progress):
    return jax.jit(functools.partial(_solve, neuron, _Chart(degree, blocks), max_steps, steps, progress))


def _solve(neuron, chart, max_steps, steps, progress, X, y, neurons, times, tolerance):
    def look(t, state, args):
        log, _, _, directions = chart.read(state)
        _, loss, growth = _field(neuron, chart, X, y, state)
        return t, loss, log, growth, directions

    def weigh(before, after, error):
        if chart.degree == 2:
            return error
        # what counts is the relative error, and a difference of nearly equal numbers makes one of its own
        least = jnp.minimum(before.radial, after.radial)
        rounding = 4 * jnp.finfo(least.dtype).eps * before.radial
        return error._replace(radial=(jnp.abs(error.radial) + rounding) / jnp.where(least > 0, least, 0))

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, state, args: _field(neuron, chart, X, y, state)[0]),
        Leaping(weigh=weigh),
        t0=0.0,
        t1=times[-1],
        dt0=None,
        y0=chart.start(neurons),
        saveat=diffrax.SaveAt(t0=steps, steps=steps, ts=None if steps else times, fn=look),
        stepsize_controller=flows._Controller(rtol=0, atol=tolerance, norm=_largest),
        max_steps=max_steps,
        throw=False,
        progress_meter=_Meter() if progress else diffrax.NoProgressMeter(),
    )
    stats = {name: solution.stats[name] for name in ("num_steps", "num_accepted_steps", "num_rejected_steps")}
    reached = jnp.max(jnp.where(jnp.isfinite(solution.ts), solution.ts, 0))
    return solution.ys, stats, solution.result == diffrax.RESULTS.successful, reached


def _largest(errors):
    return functools.reduce(jnp.maximum, [jnp.max(jnp.abs(leaf)) for leaf in jax.tree.leaves(errors)])


class _Meter(flows._Meter):
    def step(self, state, progress):
        jax.debug.callback(_report, 100 * progress, 100)
        return state
