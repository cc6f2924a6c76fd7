"""Gradient flow: the parameters as the solution of an ordinary differential equation."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require
from learndyn._progress import Progress


class Trajectory(NamedTuple):
    """What was observed along a trajectory, and where it ended.

    Attributes:
      times: the T times (or step numbers) at which something was observed.
      observed: the pytree that `observe` returns, each leaf with a leading axis of length T.
      params: the parameters at the last of the times. The others are not stored: a network of a million
        parameters watched at a thousand times would take gigabytes. Who wants them observes them.
      stats: the evidence: for a flow, how many steps the solver took, accepted and rejected; for descent, the
        optimizer's state, from which it goes on.
    """

    times: Float[Array, "T"]
    observed: PyTree
    params: PyTree
    stats: dict


def gradient_flow(
    loss: Callable[[PyTree], Float[Array, ""]],
    params0: PyTree,
    times: Float[Array, "T"],
    *,
    observe: Callable[[PyTree], PyTree] | None = None,
    rtol: float = 1e-8,
    atol: float = 1e-10,
    solver: diffrax.AbstractSolver | None = None,
    max_steps: int = 100_000,
    progress: bool = False,
) -> Trajectory:
    r"""$\dot\theta = -\nabla L(\theta)$ from $\theta(0) = \theta_0$, by an adaptive solver, observed at given times.

    The estimated error of each step, divided by atol + rtol $|\theta|$ coordinate by coordinate, has a root mean square
    below one. The error at the end is of the order of rtol; an implicit solver, which solves its equations to the same
    tolerance, makes one some 50 times larger, and so does any solver where the flow is unstable.

    Compiled once for a loss and an observable, and again for new shapes. Like under `jax.jit`, a function is known
    by its identity: what it reads from outside is read when it is compiled, and later changes are not seen.

    Args:
      loss: $L$, a scalar function of the parameters.
      params0: $\theta_0$, a pytree of floating point arrays.
      times: T increasing times; the first may be 0, and the flow always starts at 0.
      observe: a function of the parameters, evaluated at each of the times; by default the loss.
      rtol, atol: relative and absolute tolerance of the step control; rtol at least ten times the rounding unit of
        the parameters (with x64 off, 1.2e-6).
      solver: any adaptive diffrax solver; by default Tsit5 (explicit, order 5). `diffrax.Kvaerno5()` is for stiff
        losses of few parameters.
      max_steps: the most steps the solver may take.
      progress: print the share of the time that is done on standard error, about once a second.

    Returns:
      `Trajectory`, with stats `num_steps`, `num_accepted_steps`, `num_rejected_steps`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      RuntimeError: when the solver fails (too many steps, diverging parameters) or the loss is not finite at one of
        the times; it says where, and what can be done. Inside `vmap` or `jit` too, there without the numbers.
    """
    require.loss(loss, params0)
    times = _as_times(times)
    require.positive("rtol", rtol)
    require.positive("atol", atol)
    for leaf in jax.tree.leaves(params0):
        if rtol < (least := 10 * float(jnp.finfo(jnp.result_type(leaf)).eps)):
            raise ValueError(
                f"rtol must be at least {least:.1e} for parameters of dtype {jnp.result_type(leaf)}, but is {rtol!r}; "
                'raise it, or switch on 64 bits: jax.config.update("jax_enable_x64", True)'
            )
    require.positive_integer("max_steps", max_steps)
    observe = loss if observe is None else observe
    require.callable_("observe", observe)
    solver = diffrax.Tsit5() if solver is None else solver
    if not isinstance(solver, diffrax.AbstractAdaptiveSolver):
        raise TypeError(f"solver must be a diffrax solver with an error estimate, as diffrax.Tsit5(), but is {solver!r}")
    for name, function in (("loss", loss), ("observe", observe), ("solver", solver)):
        require.static(name, function)
    _report.begin()
    solve = _compiled(loss, observe, solver, max_steps, bool(progress))
    observed, params, stats, succeeded, reached = solve(params0, times, float(rtol), float(atol))  # NumPy's would compile anew
    if isinstance(succeeded, jax.core.Tracer):  # inside somebody's vmap or jit: raise when the numbers are there
        advice = f"gradient_flow failed: {_DIVERGED}, or it needs more than {max_steps} steps. {_STIFF}"
        observed, params = eqx.error_if((observed, params), ~succeeded, advice)
    elif not bool(succeeded):
        steps = int(stats["num_steps"])
        raise RuntimeError(
            f"gradient_flow stopped at t = {float(reached):.6g} of {float(times[-1]):.6g} after {steps} of at most "
            f"max_steps = {max_steps} steps: {_STIFF if steps >= max_steps else _DIVERGED}"
        )
    return Trajectory(times, observed, params, stats)


_DIVERGED = "the loss is not finite there, or the parameters diverge"
_STIFF = "If the flow is stiff, raise max_steps, loosen rtol and atol, or pass solver=diffrax.Kvaerno5()."
_report = Progress("gradient_flow", "% of the time")


def _as_times(times):
    if not isinstance(times, jax.Array):
        times = np.asarray(times)
    require.times("times", times)
    return jnp.asarray(times, dtype=jnp.result_type(times, float))


# Compiled once for a loss, however often it is called. The most recent few are kept, not all: a loss holds its data.
@functools.lru_cache(maxsize=8)
def _compiled(loss, observe, solver, max_steps, progress):
    return jax.jit(functools.partial(_solve, loss, observe, solver, max_steps, progress))


def _solve(loss, observe, solver, max_steps, progress, params0, times, rtol, atol):
    def velocity(t, params, args):
        return jax.tree.map(jnp.negative, jax.grad(loss)(params))

    def look(t, params, args):
        return jax.tree.map(jnp.asarray, observe(params)), jnp.isfinite(loss(params))

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(velocity),
        solver,
        t0=0.0,
        t1=times[-1],
        dt0=None,
        y0=params0,
        saveat=diffrax.SaveAt(subs=(diffrax.SubSaveAt(ts=times, fn=look), diffrax.SubSaveAt(t1=True))),
        stepsize_controller=_Controller(rtol=rtol, atol=atol),
        max_steps=max_steps,
        throw=False,
        progress_meter=_Meter() if progress else diffrax.NoProgressMeter(),
    )
    (observed, finite), last = solution.ys
    params = jax.tree.map(lambda leaf: leaf[0], last)
    stats = {name: solution.stats[name] for name in ("num_steps", "num_accepted_steps", "num_rejected_steps")}
    succeeded = (solution.result == diffrax.RESULTS.successful) & jnp.all(finite)
    return observed, params, stats, succeeded, solution.ts[1][0]


class _Controller(diffrax.PIDController):
    """The step control of diffrax, which gives up where the next step drowns in the rounding of the time.

    Without this, a loss that is not finite is tried again `max_steps` times.
    """

    def adapt_step_size(self, *args, **kwargs):
        keep, t0, t1, jump, state, result = super().adapt_step_size(*args, **kwargs)
        shortest = 16 * jnp.finfo(jnp.result_type(t0)).eps * t0
        result = diffrax.RESULTS.where(t1 - t0 > shortest, result, diffrax.RESULTS.dt_min_reached)
        return keep, t0, t1, jump, state, result


class _Meter(diffrax.AbstractProgressMeter):
    """diffrax's own prints on standard output, into the page of a chapter."""

    def init(self):
        return None

    def step(self, state, progress):
        jax.debug.callback(_report, 100 * progress, 100)
        return state

    def close(self, state):
        pass
