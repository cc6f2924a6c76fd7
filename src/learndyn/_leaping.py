"""An explicit solver that crosses stiff and quiet stretches in one implicit step."""

from collections.abc import Callable

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree


PARTS = 4


class Leaping(diffrax.Tsit5):
    r"""Tsit5, and where its steps are held short by stability alone, an implicit method of order four instead.

    Between two jumps a vanishing flow is a straight line in time for what grows, and an equilibrium for what has grown.
    An explicit method crosses it in steps of the fastest rate's length, however little happens. The linearly implicit
    Euler method, $y_1 = y_0 + (1 - hJ)^{-1} h f(y_0)$, is exact on a straight line of any length and stays on the
    equilibrium. Here it makes the step in 1, 2, 3, and 4 parts with one Jacobian, and what it would reach in infinitely
    many parts is extrapolated; the error is what the last two extrapolations differ by, or what f bends away from J, if
    that is more. Whichever of the two methods claims the smaller error makes the step; the implicit one is tried only
    where the other would be rejected, or $h |J|$, estimated from two stages of Tsit5 that belong to the same time,
    comes near what its stability allows.

    There is no dense output: the steps must end where something is observed.

    Source: Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.9.

    Attributes:
      weigh: a function of $(y_0, y_1, e)$ that brings errors to the unit of the tolerance: a step is accepted below one,
        so that the step control is to be used with atol = 1 and rtol = 0.
    """

    weigh: Callable = eqx.field(static=True, default=lambda y0, y1, error: error)

    def step(self, terms, t0, t1, y0, args, solver_state, made_jump):
        y1, error, dense, (first, f1), result = super().step(terms, t0, t1, y0, args, solver_state, made_jump)
        start, unravel = ravel_pytree(y0)
        stages = jax.vmap(lambda k: ravel_pytree(k)[0])(dense["k"])  # h f, seven of them; the last two at the time t1
        h, parts = terms.contr(t0, t1), jnp.arange(1, PARTS + 1)
        field = lambda flat: ravel_pytree(terms.vf(t0, unravel(flat), args))[0]

        end = ravel_pytree(y1)[0]
        before = start + jnp.asarray(self.tableau.a_lower[4], start.dtype) @ stages[:5]
        size = lambda errors: jnp.max(jnp.abs(ravel_pytree(errors)[0]))
        weighed = lambda flat: size(self.weigh(y0, y1, unravel(flat)))
        error = self.weigh(y0, y1, error)
        # 3.3 is the edge of stability. Far beyond it the stages make no sense, and the error is large, or no number
        stiff = ~((weighed(stages[6] - stages[5]) < 2 * weighed(end - before)) & (size(error) < 1))

        def leap(_):
            J = jax.jacfwd(field)(start)
            factor = lambda part: jax.scipy.linalg.lu_factor(jnp.eye(start.size, dtype=start.dtype) - part * J)
            factors = jax.vmap(factor)(h / parts)
            move = jax.vmap(lambda lu, part, flat: flat + jax.scipy.linalg.lu_solve(lu, part * field(flat)))
            march = lambda k, flats: jnp.where(k < parts[:, None], move(factors, h / parts, flats), flats)
            rows = list(jax.lax.fori_loop(0, PARTS, march, jnp.broadcast_to(start, (PARTS, start.size))))
            for k in range(1, PARTS):  # Aitken and Neville; row j is of j + 1 parts
                before = rows[-1]
                rows[k:] = [rows[j] + (rows[j] - rows[j - 1]) * (j + 1 - k) / k for j in range(k, PARTS)]
            there = rows[-1]
            # No part has looked at the end yet, where something may have begun: is f there what J foretells?
            speed = field(there)
            bend = h / 2 * (speed - J @ (there - start)) - stages[0] / 2
            missing = jax.scipy.linalg.lu_solve(jax.tree.map(lambda leaf: leaf[0], factors), bend)
            return there, speed, jnp.maximum(jnp.abs(there - before), jnp.abs(missing))

        def stay(_):
            return end, ravel_pytree(f1)[0], jnp.full_like(start, jnp.inf)

        there, speed, miss = jax.lax.cond(stiff, leap, stay, None)
        miss = self.weigh(y0, unravel(there), unravel(miss))
        better = jnp.isfinite(size(miss)) & ~(size(miss) >= size(error))
        pick = lambda ours, theirs: jax.tree.map(lambda a, b: jnp.where(better, a, b), ours, theirs)
        y1, error, f1 = pick(unravel(there), y1), pick(miss, error), pick(unravel(speed), f1)
        # equal stages make Tsit5's interpolant the straight line, right at the ends of the step
        line = jax.tree.map(lambda a, b, k: jnp.broadcast_to((b - a)[None], k.shape), y0, y1, dense["k"])
        return y1, error, {"y0": y0, "y1": y1, "k": pick(line, dense["k"])}, (first, f1), result
