"""Gradient flow: the parameters as the solution of an ordinary differential equation."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


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


def check_loss(loss: Callable, params: PyTree) -> None:
    """Raise, before anything is differentiated, where `loss(params)` is not one finite number."""
    require.callable_("loss", loss)
    if not jax.tree.leaves(params):
        raise ValueError("params0 must hold at least one array, but has no leaves")
    require.finite("params0", params)
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise TypeError(
                f"params0{jax.tree_util.keystr(path)} must be floating point to move continuously, "
                f"but has dtype {jnp.result_type(leaf)}"
            )
    out = jax.eval_shape(loss, params)
    if getattr(out, "shape", None) != ():
        raise ValueError(f"loss must return one number, but loss(params0) is {out}")


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

    The error of each step is held below atol + rtol |θ| in every coordinate. With x64 off, tolerances below about
    1e-6 ask for more than float32 holds.

    Args:
      loss: $L$, a scalar function of the parameters.
      params0: $\theta_0$, a pytree of floating point arrays.
      times: T increasing times; the first may be 0, and the flow always starts at 0.
      observe: a function of the parameters, evaluated at each of the times; by default the loss.
      rtol, atol: relative and absolute tolerance of the step control.
      solver: any diffrax solver; by default Tsit5 (explicit, order 5). `diffrax.Kvaerno5()` is for stiff losses of
        few parameters.
      max_steps: the most steps the solver may take.
      progress: print the share of the time that is done, on standard error.

    Returns:
      `Trajectory`, with stats `num_steps`, `num_accepted_steps`, `num_rejected_steps`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      RuntimeError: when the solver fails (too many steps, or a loss that is no longer finite); it says where,
        and what can be done. Inside `vmap` or `jit` too, there without the numbers.
    """
    check_loss(loss, params0)
    times = jnp.asarray(times)
    require.times("times", times)
    require.positive("rtol", rtol)
    require.positive("atol", atol)
    require.positive_integer("max_steps", max_steps)
    if observe is None:
        observe = loss
    require.callable_("observe", observe)
    solver = diffrax.Tsit5() if solver is None else solver
    solution = _solve(loss, observe, solver, max_steps, progress, params0, times * 1.0, rtol, atol)
    observed, params, stats, succeeded, reached = solution
    advice = "Raise max_steps, loosen rtol and atol, or pass solver=diffrax.Kvaerno5() if parameters are few."
    if isinstance(succeeded, jax.core.Tracer):  # inside somebody's vmap or jit: raise when the numbers are there
        observed, params = eqx.error_if(
            (observed, params), ~succeeded, f"gradient_flow did not reach the last of its times. {advice}"
        )
    elif not bool(succeeded):
        raise RuntimeError(
            f"gradient_flow stopped before t = {float(times[-1]):.6g} (the last time observed is {float(reached):.6g}) "
            f"after {int(stats['num_steps'])} of at most {max_steps} steps: the loss is not finite there, or the flow "
            f"is stiff. {advice}"
        )
    return Trajectory(times, observed, params, stats)


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def _solve(loss, observe, solver, max_steps, progress, params0, times, rtol, atol):
    term = diffrax.ODETerm(lambda t, params, args: jax.tree.map(jnp.negative, jax.grad(loss)(params)))
    observe_at = diffrax.SubSaveAt(ts=times, fn=lambda t, params, args: observe(params))
    solution = diffrax.diffeqsolve(
        term,
        solver,
        t0=0.0,
        t1=times[-1],
        dt0=None,
        y0=params0,
        saveat=diffrax.SaveAt(subs=(observe_at, diffrax.SubSaveAt(t1=True))),
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
        max_steps=max_steps,
        throw=False,
        progress_meter=diffrax.TextProgressMeter() if progress else diffrax.NoProgressMeter(),
    )
    observed, last = solution.ys
    params = jax.tree.map(lambda leaf: leaf[0], last)
    stats = {name: solution.stats[name] for name in ("num_steps", "num_accepted_steps", "num_rejected_steps")}
    succeeded = solution.result == diffrax.RESULTS.successful
    reached = jnp.max(jnp.where(jnp.isfinite(solution.ts[0]), solution.ts[0], 0.0))
    return observed, params, stats, succeeded, reached
