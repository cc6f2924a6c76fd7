r"""Covariant Lyapunov vectors: the directions that the derivative of a map carries into each other.

Forward, QR decompositions give in their first i vectors the space that i generic perturbations end up in. Backward,
within these spaces, a generic vector turns to the direction that grows least forward. What both say together is the
covariant vector. Between the two passes nothing is stored but a state every so many steps, from which the backward pass
computes the Q and R of a stretch again, bit for bit.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require
from learndyn.lyapunov.spectrum import State, advance, begin, require_finite
from learndyn.lyapunov.tangent import push, require_map, require_rank


class CovariantVectors(NamedTuple):
    r"""$J_t v_i(t) = e^{g_i(t)}\, v_i(t+1)$, $|v_i| = 1$, and the evidence.

    Attributes:
      points: $x_t$ at t = 0, ..., steps - 1, counted from the end of the transient; None if `observe` is given.
      vectors: $v_i(t)$, of signs that do not matter, in the order of `jax.flatten_util.ravel_pytree`; None if `observe`
        is given.
      observed: what `observe` returned, with a leading axis of time; or None.
      growth: $g_i(t) = \log |J_t v_i(t)|$.
      residuals: the sine of the angle between $J_t v_i(t)$, by a product of its own, and $v_i(t+1)$: zero but for rounding.
      exponents: means of the growth over the time of a step; those of `spectrum` in the limit, by another way.
      state: at t = steps, to go on from, with `before=0`.
    """

    points: PyTree | None
    vectors: Float[Array, "t k n"] | None
    observed: PyTree
    growth: Float[Array, "t k"]
    residuals: Float[Array, "t k"]
    exponents: Float[Array, " k"]
    state: State


def covariant_vectors(
    step: Callable[[PyTree], PyTree],
    start: PyTree | State,
    steps: int,
    k: int | None = None,
    *,
    before: int,
    after: int,
    future: str = "orbit",
    dt: float = 1.0,
    chunk: int | None = None,
    observe: Callable[[PyTree, Float[Array, "k n"]], PyTree] | None = None,
) -> CovariantVectors:
    r"""$V_t = Q_t C_t$ with $C_t = R_{t+1}^{-1} C_{t+1}$, columns normalized: Ginelli's backward pass.

    The first `before` steps turn the frame to its directions, the last `after` turn C to its own. Both errors die
    like $e^{-(\lambda_i - \lambda_{i+1})\,dt\,m}$ over m steps: choose m for the smallest gap. Where two exponents
    are equal, their vectors are not determined, only the plane that they span.

    Without the far future there are two estimates for the last vectors. A small `after` takes what is known of the
    future and starts C at the identity: with `after=0` the estimate of $v_i$ at the end is the vector $q_i$ of the QR
    decomposition itself, right for $v_1$ alone, and each step back in time improves it by the rate above. With
    `future="frozen"` nothing of the future is known, and `after` steps are taken with the *last derivative repeated*:
    the estimate is then what is covariant if the derivative stays as it is, right for a linear map and good where the
    derivative changes little over the time that C needs to turn, as late in a descent; it is an extrapolation, and at
    the end, of all vectors, only $v_1$ owes nothing to it. Its residuals are zero all the same: they tell of the past.

    Args:
      step, start, k, dt: as of `spectrum`.
      steps: at how many points the vectors are wanted.
      before: steps of the forward transient.
      after: steps of the backward transient.
      future: "orbit", or "frozen" as described.
      chunk: how many steps lie between stored states; by default the square root of all, which needs least memory. The
        frames of one chunk are held at a time.
      observe: a function of a point and its k vectors, the rows of a matrix, evaluated at each step in place of storing
        them, such as `lambda x, V: angles(V)`.

    Returns:
      `CovariantVectors(points, vectors, observed, growth, residuals, exponents, state)`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      FloatingPointError: when the orbit stops being finite; it names the step. Or when a derivative has no inverse, so
        that there is no way back. Under `jit` or `vmap` the numbers are returned as they are.

    Source: Ginelli et al. (2007); Kuptsov and Parlitz (2012).
    """
    resumed = isinstance(start, State)
    dimension = require_map(step, start.point if resumed else start)
    k = require_rank(start.frame.shape[0] if resumed and k is None else k, dimension)
    if resumed and start.frame.shape != (k, dimension):
        raise ValueError(f"start must be a state of k = {k} vectors of dimension {dimension}, but has {start.frame.shape}")
    require.positive_integer("steps", steps)
    require.count("before", before)
    require.count("after", after)
    require.one_of("future", future, ("orbit", "frozen"))
    require.positive("dt", dt)
    chunk = max(1, round((steps + after) ** 0.5)) if chunk is None else chunk
    require.positive_integer("chunk", chunk)
    if observe is not None:
        require.callable_("observe", observe)
        require.static("observe", observe)
    state = start if resumed else begin(start, k, dimension)
    run = _compiled(step, observe, int(steps), int(before), int(after), future == "frozen", int(chunk))
    state, last, seen, growth, residuals = run(state)
    require_finite("covariant_vectors", last, steps)
    if not isinstance(growth, jax.core.Tracer) and not bool(jnp.all(jnp.isfinite(growth))):
        step_back = int(jnp.argmin(jnp.all(jnp.isfinite(growth), axis=1)))
        raise FloatingPointError(
            f"covariant_vectors: the derivative must have an inverse on its k = {k} directions, but at step {step_back} "
            "it has none to rounding; ask for fewer vectors"
        )
    points, vectors, observed = (*seen, None) if observe is None else (None, None, seen)
    return CovariantVectors(points, vectors, observed, growth, residuals, jnp.mean(growth, axis=0) / dt, state)


@functools.lru_cache(maxsize=16)
def _compiled(step, observe, steps, before, after, frozen, chunk):
    total = steps + after
    wanted, chunks = -(-steps // chunk), -(-total // chunk)

    pick = lambda when, new, old: jax.tree.map(lambda a, b: jnp.where(when, a, b), new, old)

    def forward(carry, t):
        """From t to t + 1: the state there, and x_t, Q_t, R_{t+1}. Past the end nothing moves, and R is the identity."""
        state, end = carry
        moved, R = advance(step, state, counts=False)
        if frozen:
            moved = moved._replace(point=pick(t < steps, moved.point, state.point))
        moved = pick(t < total, moved, state)
        R = jnp.where(t < total, R, jnp.eye(R.shape[0], dtype=R.dtype))
        return (moved, pick(t + 1 == steps, moved, end)), (state.point, state.frame, R)

    def stretch(carry, first):
        return jax.lax.scan(forward, carry, first + jnp.arange(chunk))

    def backward(carry, now):
        C, following = carry
        point, Q, R = now
        C = jax.scipy.linalg.solve_triangular(R, C)
        C = C / jnp.linalg.norm(C, axis=0)[None, :]
        V = C.T @ Q
        _, images = push(step, point, V)
        along = jnp.sum(images * following, axis=1)
        lengths = jnp.linalg.norm(images, axis=1)
        residuals = jnp.linalg.norm(images - along[:, None] * following, axis=1) / lengths
        seen = (point, V) if observe is None else jax.tree.map(jnp.asarray, observe(point, V))
        return (C, V), (seen, jnp.log(lengths), residuals)

    def again(store):
        """A chunk of the backward pass, its Q and R computed again from the state at its beginning."""

        def body(carry, saved):
            state, first = saved
            _, taken = stretch((state, state), first)
            carry, seen = jax.lax.scan(backward, carry, taken, reverse=True)
            return carry, seen if store else None

        return body

    def run(state):
        state, _ = jax.lax.scan(lambda s, _: (advance(step, s, counts=False)[0], None), state, None, length=before)

        def save(carry, first):
            return stretch(carry, first)[0], carry[0]

        firsts = chunk * jnp.arange(chunks)
        (last, end), saved = jax.lax.scan(save, (state, state), firsts)
        C = jnp.eye(state.frame.shape[0], dtype=state.frame.dtype)
        split = lambda part: jax.tree.map(lambda a: a[part], (saved, firsts))
        carry, _ = jax.lax.scan(again(False), (C, last.frame), split(slice(wanted, None)), reverse=True)
        _, seen = jax.lax.scan(again(True), carry, split(slice(wanted)), reverse=True)
        seen, growth, residuals = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:])[:steps], seen)
        return end, last, seen, growth, residuals

    return jax.jit(run)
