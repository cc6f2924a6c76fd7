r"""Lyapunov exponents by repeated QR decomposition, in runs that can be interrupted."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from learndyn import _require as require
from learndyn.lyapunov.tangent import generic_frame, orthonormal, push, require_frame, require_map, require_rank


class State(NamedTuple):
    r"""Where a run stands, and all that it needs to go on.

    Attributes:
      point: $x_t$.
      frame: $Q_t$, k orthonormal rows, in the order of `jax.flatten_util.ravel_pytree`.
      total: $\sum_s \log R_{ii}(s)$ over the steps that count.
      counted: how many count.
      taken: how many were taken, those of the transient included.
      blocks: number, mean and sum of squared deviations of the exponents of finished blocks.
      failed: the first step after which the point or the frame was not finite; or -1.
    """

    point: PyTree
    frame: Float[Array, "k n"]
    total: Float[Array, " k"]
    counted: Int[Array, ""]
    taken: Int[Array, ""]
    blocks: tuple[Float[Array, ""], Float[Array, " k"], Float[Array, " k"]]
    failed: Int[Array, ""]


class Spectrum(NamedTuple):
    r"""Lyapunov exponents, and how well they are known.

    Attributes:
      exponents: $\lambda_1, \dots, \lambda_k$ per unit of time, in the order of the frame; over long runs they decrease.
      standard_errors: of each, from the scatter of blocks: right where a block is longer than the memory of the system,
        and NaN with fewer than two blocks.
      growth: $\log R_{ii}$ at each step that counts, where asked for; else None.
      state: to go on from.
    """

    exponents: Float[Array, " k"]
    standard_errors: Float[Array, " k"]
    growth: Float[Array, "t k"] | None
    state: State


def spectrum(
    step: Callable[[PyTree], PyTree],
    start: PyTree | State,
    steps: int,
    k: int | None = None,
    *,
    transient: int = 0,
    dt: float = 1.0,
    block: int | None = None,
    keep: bool = False,
    frame: Float[Array, "k n"] | None = None,
) -> Spectrum:
    r"""$\lambda_i = \frac{1}{T\,dt}\sum_t \log R_{ii}(t)$ with $J_t Q_t = Q_{t+1} R_{t+1}$ along $x_{t+1} = F(x_t)$.

    The derivative J is applied to k vectors and never formed. One compiled scan; compiled once for a map, which is known
    by identity as under `jax.jit` (`flow_map` and `descent_map` are known by what they are made of). For many systems at
    once `spread`, or `jax.vmap(lambda x: spectrum(F, x, ...))`.

    Args:
      step: F, any differentiable map of a pytree of floating point arrays to the same.
      start: $x_0$; or the `state` of an earlier result, to go on. A run in pieces gives bit for bit what one run gives.
      steps: how many steps to take now, the transient included.
      k: how many exponents; by default as many as there are dimensions.
      transient: the first so many steps do not count: the orbit reaches its attractor, the frame turns to its directions.
      dt: the time of a step: h for `flow_map(f, h)`, the learning rate for gradient descent seen as a flow.
      block: steps in a block, for the standard errors; by default a twentieth of the steps that count. Give it to runs in
        pieces, and let it divide each piece: steps left over are in no block.
      keep: whether to return `growth`, the time series of which `finite_time_exponents` makes exponents over windows.
      frame: $Q_0$, k orthonormal rows, for exponents over short times, which depend on it; by default random ones, always
        the same. (Unit vectors are a bad choice for long times: those of coordinates that do not act on each other never
        turn, and the exponents come out of order.)

    Returns:
      `Spectrum(exponents, standard_errors, growth, state)`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing: among them a map whose derivative is not square, and fewer
        steps than the transient needs.
      FloatingPointError: when the orbit stops being finite; it names the step. Under `jit` or `vmap` the numbers are
        returned as they are, with the step in `state.failed`.

    Source: Benettin et al. (1980).
    """
    resumed = isinstance(start, State)
    dimension = require_map(step, start.point if resumed else start)
    if resumed and k is None:
        k = start.frame.shape[0]
    k = require_rank(k, dimension)
    require.positive_integer("steps", steps)
    require.count("transient", transient)
    if steps <= transient:
        raise ValueError(f"steps must be more than the transient of {transient} steps, but is {steps}")
    require.positive("dt", dt)
    block = max(1, (steps - transient) // 20) if block is None else block
    require.positive_integer("block", block)
    if resumed and start.frame.shape != (k, dimension):
        raise ValueError(f"start must be a state of k = {k} vectors of dimension {dimension}, but has {start.frame.shape}")
    if frame is not None:
        require_frame(frame, k, dimension)
        if resumed:
            raise ValueError("frame must be left out, but is given, where start is a state, which has its own")
    state = start if resumed else begin(start, k, dimension, frame)
    run = _compiled(step, int(transient), *divmod(int(steps) - int(transient), int(block)), int(block), bool(keep))
    state, growth = run(state)
    require_finite("spectrum", state, steps)
    number, _, scatter = state.blocks
    error = jnp.where(number > 1, jnp.sqrt(scatter / (number * jnp.maximum(number - 1, 1))), jnp.nan)
    return Spectrum(state.total / (state.counted * dt), error / dt, growth, state)


def begin(point: PyTree, k: int, dimension: int, frame: Float[Array, "k n"] | None = None) -> State:
    point = jax.tree.map(jnp.asarray, point)
    dtype = jnp.result_type(*jax.tree.leaves(point))
    zero, none = jnp.zeros(k, dtype), jnp.array(0)
    frame = generic_frame(k, dimension, dtype) if frame is None else jnp.asarray(frame, dtype)
    return State(point, frame, zero, none, none, (jnp.zeros((), dtype), zero, zero), jnp.array(-1))


def advance(step: Callable, state: State, counts: bool = True) -> tuple[State, Float[Array, "k k"]]:
    """One step, and its R."""
    point, images = push(step, state.point, state.frame)
    frame, R = orthonormal(images)
    growth = jnp.log(jnp.diag(R))
    # A derivative without full rank has growth -inf, which is its exponent and no failure.
    fine = jnp.all(jnp.isfinite(frame)) & jnp.all(growth < jnp.inf)
    for leaf in jax.tree.leaves(point):
        fine &= jnp.all(jnp.isfinite(leaf))
    taken = state.taken + 1
    failed = jnp.where(fine | (state.failed >= 0), state.failed, taken)
    if counts:
        state = state._replace(total=state.total + growth, counted=state.counted + 1)
    return state._replace(point=point, frame=frame, taken=taken, failed=failed), R


def require_finite(name: str, state: State, steps: int) -> None:
    """An error that names the step; under a transformation there is none to name."""
    if not isinstance(state.failed, jax.core.Tracer) and (failed := int(state.failed)) >= 0:
        raise FloatingPointError(
            f"{name}: the orbit must be finite, but after step {failed} of {int(state.taken)} it or its derivative is not; "
            "begin nearer to the attractor, or take a smaller time step or learning rate"
        )


@functools.lru_cache(maxsize=16)
def _compiled(step, transient, blocks, rest, block, keep):
    def count(state, _):
        state, R = advance(step, state)
        return state, jnp.log(jnp.diag(R)) if keep else None

    def one_block(state, _):
        before = state.total
        state, growth = jax.lax.scan(count, state, None, length=block)
        exponents = (state.total - before) / block
        number, mean, scatter = state.blocks
        number = number + 1
        shift = exponents - mean
        mean = mean + shift / number
        return state._replace(blocks=(number, mean, scatter + shift * (exponents - mean))), growth

    def run(state):
        state, _ = jax.lax.scan(lambda s, _: (advance(step, s, counts=False)[0], None), state, None, length=transient)
        state, growth = jax.lax.scan(one_block, state, None, length=blocks)
        state, last = jax.lax.scan(count, state, None, length=rest)
        if keep:
            growth = jnp.concatenate([growth.reshape(-1, state.total.size), last])
        return state, growth

    return jax.jit(run)
