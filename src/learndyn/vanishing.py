r"""Gradient flow from a vanishing initialization, in the logarithms of the neurons' norms.

A network $f(x) = \sum_i f_i(x; \theta_i)$ of homogeneous neurons that starts at the scale $\alpha$ waits for a time of
order $\log(1/\alpha)$ (degree 2) or $\alpha^{-(\kappa - 2)}$ (degree $\kappa > 2$), learns something within a time of
order one, and waits again. In the parameters themselves the waiting is exponential growth from numbers that may be far
below the rounding of those beside them. In $\log|\theta_i|$ it is a straight line, which a solver crosses in one step.
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
from scipy.optimize import brentq

from learndyn import _require as require
from learndyn import flows
from learndyn._leaping import Leaping
from learndyn._log_polar import Chart
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
      log_blocks: the logarithms of the norms of the blocks; of a single block, `log_norms` once more.
      stats: the evidence: how many steps the solver took, accepted and rejected.
    """

    times: Float[Array, "T"]
    losses: Float[Array, "T"]
    log_norms: Float[Array, "T H"]
    growth: Float[Array, "T H"]
    directions: Float[Array, "T H p"]
    log_blocks: Float[Array, "T H B"]
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
    degree: int | float = 2,
    blocks: tuple[int, ...] | None = None,
    tolerance: float = 1e-8,
    max_steps: int = 10_000,
    progress: bool = False,
) -> Path:
    r"""$\frac{d}{dt}\log|\theta| = \kappa|\theta|^{\kappa-2}\hat U$, $\frac{d}{dt}\hat\theta = |\theta|^{\kappa-2}P_\perp\nabla U$ for every neuron.

    U is the utility under the residual of the moment, so that this is the gradient flow of L itself, no approximation.
    For $\kappa > 2$ the unknown is $|\theta|^{-(\kappa - 2)}$, which waits in a straight line there. Tsit5 makes the
    steps, and where its stability would keep them short, between jumps, a linearly implicit method does: their number
    grows with the number of jumps, hardly with $\log(1/\alpha)$; and with the ratio of the rates where active neurons
    learn a direction of the data that varies ten thousand times less than another.

    **Which numbers must be small.** A unit vector holds no deviation below its rounding. A neuron $f = u v x$ that has
    turned to $u = v$ keeps the conserved $u^2 - v^2 \sim \alpha^2$ as a deviation of its direction, lost below
    $\alpha \sim 10^{-5}$; when the sign of its utility changes, that deviation decides when it turns to $u = -v$. Write
    such a neuron in the coordinates that keep their signs, $f = (a^2 - b^2)x/2$ (the same flow, turned by 45 degrees),
    and give each its own logarithm by `blocks=(1, 1)`. In general `blocks` are sizes of consecutive groups of a
    neuron's parameters; each has a norm and a direction of its own. A block of one parameter keeps its sign; a block
    must not pass through zero.

    Args:
      neuron: `neuron(theta, X)` of shape (n, c), homogeneous in theta; smooth, or with kinks that few neurons meet.
      X: inputs (n, d) for all neurons, or (H, n, d) for each its own.
      y: targets (n, c).
      neurons: $\theta$ at the start, one neuron a row; none, and no block of one, is zero.
      times: T increasing times, the first may be 0; or one time, to be observed until then at the solver's own steps,
        which lie densely where much happens.
      degree: $\kappa$ of at least 2; checked.
      blocks: sizes that add up to p; by default one block, the whole neuron.
      tolerance: of each step, for the logarithms of norms (relative errors of norms) and for directions.
      max_steps: the most steps the solver may take; where its own steps are observed, memory is set aside for so many.
      progress: print the share of the time that is done on standard error, about once a second.

    Returns:
      `Path`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing; a neuron of another degree is named with its exponents.
      RuntimeError: when the solver fails; it says where, and what can be done. Inside `vmap` or `jit` too, there without
        the numbers.

    Source: Kunin et al. (2025), equations 3 to 5, here for any residual and any blocks.
    """
    with jax.ensure_compile_time_eval():  # the data are known where only the start is traced
        sums.problem(neuron, X, y, neurons, degree)
    steps = getattr(times, "ndim", 0) == 0 and not isinstance(times, (list, tuple))
    if steps:
        require.positive("times", times)
        times = np.array([times])
    times = flows._as_times(times)
    blocks = _as_blocks(blocks, neurons)
    require.positive("tolerance", tolerance)
    kind = jnp.result_type(X, y, neurons, float)
    if kind != np.float64:  # logarithms of norms go to 700, where single precision ends after the fifth decimal
        raise TypeError(f'neurons must be double precision, but are {kind}: jax.config.update("jax_enable_x64", True)')
    require.positive_integer("max_steps", max_steps)
    chart = Chart(float(degree), blocks)
    state = chart.start(jnp.asarray(neurons, kind))
    _within_reach(state, degree, tolerance)
    _report.begin()
    solve = _compiled(neuron, chart, max_steps, steps, bool(progress))
    problem = jnp.asarray(X, kind), jnp.asarray(y, kind), tolerance
    path, state, code, reached = solve(*problem, state, times.astype(kind))
    if isinstance(code, jax.core.Tracer):  # inside somebody's vmap or jit: raise when the numbers are there
        return eqx.error_if(path, code != _DONE, f"vanishing.gradient_flow failed within {max_steps} steps. {_ADVICE}")
    latest = path = _filled(path) if steps else path
    since = float(reached)
    while int(code) == _CLOCK and int(latest.stats["num_accepted_steps"]) and int(path.stats["num_steps"]) < max_steps:
        # What happens within one unit of time cannot be seen on a clock that shows 1e16: it is set back to zero
        latest, state, code, reached = solve(*problem, state, jnp.maximum(times.astype(kind) - since, 0))
        latest = latest._replace(times=since + latest.times)
        path = _joined(path, _filled(latest)) if steps else _continued(path, latest, times > since)
        since += float(reached)
    if int(code) != _DONE:
        raise RuntimeError(
            f"vanishing.gradient_flow stopped at t = {since:.6g} of {float(times[-1]):.6g} after "
            f"{int(path.stats['num_steps'])} of at most max_steps = {max_steps} steps. {_ADVICE}"
        )
    return path if steps else path._replace(times=times)


def _within_reach(state, degree, tolerance):
    largest = 1.0 if isinstance(state.radial, jax.core.Tracer) else float(jnp.max(jnp.abs(state.radial)))
    if degree > 2 and not largest < 1e150:
        raise ValueError(
            f"neurons must have |theta|^(2 - degree), the time for which they wait, below 1e150, but it is {largest:.3g}; "
            "take them larger: the limit of vanishing initialization is reached long before"
        )
    rounding = 100 * float(jnp.finfo(state.radial.dtype).eps) * (max(1.0, largest) if degree == 2 else 1)
    if tolerance < rounding:
        raise ValueError(
            f"tolerance must be at least {rounding:.1e}, a hundred times the rounding of the logarithms of norms so small, "
            f"but is {tolerance!r}"
        )


def _filled(path):
    """Of the solver's buffer for its own steps, what it has filled."""
    observed = jax.tree.map(lambda leaf: leaf[: int(path.stats["num_accepted_steps"]) + 1], path._replace(stats=None))
    return observed._replace(stats=path.stats)


def _joined(path, latest):
    observed = [path._replace(stats=None), latest._replace(stats=None)]
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b[1:]]), *observed)._replace(stats=_sum(path, latest))


def _continued(path, latest, new):
    observed = [path._replace(stats=None), latest._replace(stats=None)]
    pick = lambda a, b: jnp.where(new.reshape(-1, *[1] * (b.ndim - 1)), b, a)
    return jax.tree.map(pick, *observed)._replace(stats=_sum(path, latest))


def _sum(path, latest):
    return {name: path.stats[name] + latest.stats[name] for name in path.stats}


_ADVICE = (
    "If it was busy, raise max_steps or the tolerance. A kink of the neuron function (ReLU) costs many steps: round it off. "
    "A block that passes through zero cannot be followed: give the whole neuron one block"
)
_report = Progress("vanishing.gradient_flow", "% of the time")


class Jump(NamedTuple):
    """A neuron that comes, or goes back to zero.

    Attributes:
      time: when.
      neuron: which.
      rises: whether it comes.
    """

    time: float
    neuron: int
    rises: bool


def jump_times(path: Path, *, fraction: int | float = 0.5) -> list[Jump]:
    r"""When neurons come and go: the times at which $|\theta_i|$ passes `fraction` of the largest norm that it ever had.

    Only neurons that have risen count, those whose largest norm is above the geometric mean of the norm at the start
    and the largest of all neurons. Between the observed times $\log|\theta_i|$ is the cubic that has its values and its
    growth.

    Args:
      path: a flow, observed often enough; best at the solver's own steps.
      fraction: between 0 and 1.

    Returns:
      `Jump`s in the order of time.

    Raises:
      ValueError, TypeError: for a fraction out of range or fewer than two observed times.
    """
    require.positive("fraction", fraction)
    if not fraction < 1:
        raise ValueError(f"fraction must be below 1, but is {fraction!r}")
    if len(path.times) < 2:
        raise ValueError(f"path must hold at least two times, but holds {len(path.times)}")
    times, logs, growth = (np.asarray(value) for value in (path.times, path.log_norms, path.growth))
    new = np.append(np.diff(times) > 0, True)  # late on a clock that shows 1e16, steps have the same time
    top = logs.max(axis=0)
    found = []
    for i in np.flatnonzero(top > (logs[0] + top.max()) / 2):
        heights = logs[new, i] - top[i] - np.log(fraction)
        curve = CubicHermiteSpline(times[new], heights, growth[new, i])
        # one crossing where the sign changes: far from the level, between long steps, the cubic may overshoot
        for k in np.flatnonzero(np.diff(heights > 0)):
            time = brentq(curve, *times[new][k : k + 2], rtol=1e-14)
            found.append(Jump(float(time), int(i), bool(heights[k + 1] > 0)))
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
            raise ValueError(f"neurons must have no block of zeros, but blocks[{k}] of neurons[{i}] is: join it to another")
    return blocks


_DONE, _CLOCK, _FAILED = range(3)


@functools.lru_cache(maxsize=16)
def _compiled(neuron, chart, max_steps, steps, progress):
    return jax.jit(functools.partial(_solve, neuron, chart, max_steps, steps, progress))


def _solve(neuron, chart, max_steps, steps, progress, X, y, tolerance, state, times):
    velocity = lambda state: chart.velocity(neuron, X, y, state)

    def look(t, state, args):
        now, (_, loss, growth) = chart.view(state), velocity(state)
        return Path(t, loss, now.log_norms, growth, now.directions, now.log_blocks, None)

    def weigh(before, after, error):
        if chart.degree > 2:
            # what counts is the relative error, and a difference of nearly equal numbers makes one of its own
            least = jnp.minimum(before.radial, after.radial)
            rounding = 4 * jnp.finfo(least.dtype).eps * before.radial
            error = error._replace(radial=(jnp.abs(error.radial) + rounding) / jnp.where(least > 0, least, 0))
        return jax.tree.map(lambda leaf: leaf / tolerance, error)

    seen = diffrax.SubSaveAt(t0=True, steps=True, fn=look) if steps else diffrax.SubSaveAt(ts=times, fn=look)
    control = flows._Controller(rtol=0, atol=1, norm=_largest)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, state, args: velocity(state)[0]),
        Leaping(weigh=weigh),
        t0=0.0,
        t1=times[-1],
        dt0=None,
        y0=state,
        saveat=diffrax.SaveAt(subs=(seen, diffrax.SubSaveAt(t1=True))),
        stepsize_controller=control if steps else diffrax.ClipStepSizeController(control, step_ts=times),
        max_steps=max_steps,
        throw=False,
        progress_meter=_Meter() if progress else diffrax.NoProgressMeter(),
    )
    stats = {name: solution.stats[name] for name in ("num_steps", "num_accepted_steps", "num_rejected_steps")}
    known = {_DONE: diffrax.RESULTS.successful, _CLOCK: diffrax.RESULTS.dt_min_reached}
    done, stuck = (solution.result == known[code] for code in (_DONE, _CLOCK))
    (path, last), (_, reached) = solution.ys, solution.ts
    code = jnp.where(done, _DONE, jnp.where(stuck, _CLOCK, _FAILED))
    return path._replace(stats=stats), jax.tree.map(lambda leaf: leaf[0], last), code, reached[0]


def _largest(errors):
    return functools.reduce(jnp.maximum, [jnp.max(jnp.abs(leaf)) for leaf in jax.tree.leaves(errors)])


class _Meter(flows._Meter):
    def step(self, state, progress):
        jax.debug.callback(_report, 100 * progress, 100)
        return state
