"""Seconds and digits of the linear neuron's closed form, against integrators of its gradient flow.

    python benchmarks/neuron.py            # about half a minute on two cores

The same random starts, in ten dimensions, each followed to a hundred times. "closed form" is `neuron.solve` under
`vmap`; "Tsit5" is diffrax, compiled and under `vmap` too, "DOP853" is scipy, a start at a time; both at the
tolerance given. All times are medians of runs that compile nothing. Errors are relative to the norm of (a, w), the
worst of all starts and times, and measured against DOP853 at a relative tolerance of 1e-13.
"""

import argparse
import statistics
import sys
import time

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

jax.config.update("jax_enable_x64", True)
from learndyn import neuron  # noqa: E402

D, TIMES = 10, np.linspace(0.0, 10.0, 101)[1:]
LEAST = 10.0  # times faster than the fastest integrator


def problems(count):
    rng = np.random.default_rng(0)
    X = np.linalg.qr(rng.normal(size=(20, D)))[0]
    target = rng.normal(size=D) / D**0.5
    size = 10.0 ** rng.uniform(-3, 0.5, count)
    return X, target, size * rng.normal(size=count), size[:, None] * rng.normal(size=(count, D)) / D**0.5


def closed_form(X, target):
    solve = jax.jit(jax.vmap(lambda a0, w0: neuron.solve(jnp.asarray(TIMES), a0, w0, X, X @ target)[1:]))

    def run(a0, w0):
        a, w = solve(a0, w0)
        return np.concatenate([a[..., None], w], axis=-1)

    return run


def tsit5(target, rtol):
    def field(t, state, args):
        a, w = state
        miss = target - a * w
        return w @ miss, a * miss

    @jax.jit
    @jax.vmap
    def solve(a0, w0):
        control, saveat = diffrax.PIDController(rtol=rtol, atol=1e-3 * rtol), diffrax.SaveAt(ts=jnp.asarray(TIMES))
        term = diffrax.ODETerm(field)
        return diffrax.diffeqsolve(
            term, diffrax.Tsit5(), 0.0, TIMES[-1], None, (a0, w0),
            saveat=saveat, stepsize_controller=control, max_steps=100_000,
        ).ys  # fmt: skip

    def run(a0, w0):
        a, w = solve(a0, w0)
        return np.concatenate([a[..., None], w], axis=-1)

    return run


def dop853(target, rtol, dense=True):
    def field(t, state):
        miss = target - state[0] * state[1:]
        return np.append(state[1:] @ miss, state[0] * miss)

    def one(start):
        if dense:
            return solve_ivp(field, (0, TIMES[-1]), start, "DOP853", TIMES, rtol=rtol, atol=1e-3 * rtol).y.T
        path, before = [], 0.0  # interpolation between the steps is of lower order
        for t in TIMES:
            start = solve_ivp(field, (before, t), start, "DOP853", rtol=rtol, atol=1e-20).y[:, -1]
            path.append(start)
            before = t
        return np.stack(path)

    return lambda a0, w0: np.stack([one(np.append(*start)) for start in zip(a0, w0)])


def main(count: int, repeats: int) -> int:
    X, target, a0, w0 = problems(count)
    few = min(count, 40)  # scipy takes them one by one
    truth = dop853(target, 1e-13, dense=False)(a0[:few], w0[:few])
    candidates = {"closed form": (closed_form(X, target), count)}
    for rtol in (1e-6, 1e-9):
        candidates |= {f"Tsit5 {rtol:g}": (tsit5(target, rtol), count), f"DOP853 {rtol:g}": (dop853(target, rtol), few)}
    print(f"{count} starts, {len(TIMES)} times, {D} inputs\n  {'':14} {'us a start':>10} {'of ours':>9} {'error':>9}")
    cost = {}
    for name, (run, n) in candidates.items():
        found = run(a0[:n], w0[:n])[:few]
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            run(a0[:n], w0[:n])
            seconds.append(time.perf_counter() - start)
        cost[name] = 1e6 * statistics.median(seconds) / n
        error = np.max(np.linalg.norm(found - truth, axis=-1) / np.linalg.norm(truth, axis=-1))
        print(f"  {name:14} {cost[name]:10.1f} {cost[name] / cost['closed form']:9.1f} {error:9.1e}", flush=True)
        if name == "closed form" and error > 1e-11:
            print(f"the closed form misses DOP853 by {error:.1e}")
            return 1
    best = min(value for name, value in cost.items() if name != "closed form") / cost["closed form"]
    print(f"the closed form is {best:.0f} times faster than the fastest integrator; at least {LEAST:g} are wanted")
    return 0 if best >= LEAST else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    sys.exit(main(arguments.count, arguments.repeats))
