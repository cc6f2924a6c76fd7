"""Steps and seconds of a flow from vanishing initialization, against descent in fixed steps of equal error.

    python benchmarks/vanishing.py            # about a minute on two cores

A diagonal network of ten coordinates with correlated inputs, f(x) = sum (a^2 - b^2)/2 x, from a = b = alpha, until past
its last jump but one (the last comes forty times later). "flow" is `vanishing.gradient_flow` at the tolerance given, "descent" is gradient descent in double
precision, compiled, a step a line of a scan, nothing recorded. The error of both is that of the logarithm of the
neurons' norms at the moment of the last jump but one, where errors of all earlier times have added up; the truth is a flow at a
tolerance a thousand times finer. That of descent is of the first order in its step: the step of equal error is found
from two runs at larger ones, a tenth and a twentieth of what is stable, and its seconds are extrapolated in proportion
(and marked ~) where it would take longer than --patience. The second line of each row compares with descent as it would
be run by one who does not mind its error. At alpha = 1e-300 descent ends at zero: its numbers underflow. Times are medians of runs that compile nothing.
"""

import argparse
import functools
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
from learndyn import agf, pesme_flammarion, vanishing  # noqa: E402

LEAST = 100.0  # times fewer steps, and seconds
D, N = 10, 50


def neuron(theta, x):
    return 0.5 * (theta[0] ** 2 - theta[1] ** 2) * x


def problem():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D)) @ (np.eye(D) + 0.3)
    return X, X @ rng.normal(size=D)


def timed(run, repeats):
    jax.block_until_ready(run())
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = jax.block_until_ready(run())
        seconds.append(time.perf_counter() - begin)
    return result, statistics.median(seconds)


@functools.partial(jax.jit, static_argnums=0)
def descend(steps, X, y, start, rate):
    gradient = jax.grad(agf.loss(neuron, X, y))
    return jax.lax.scan(lambda theta, _: (theta - rate * gradient(theta), None), start, length=steps)[0]


def main(tolerance: float, repeats: int, patience: float) -> int:
    X, y = problem()
    limit = pesme_flammarion.saddles(jnp.asarray(X), jnp.asarray(y))
    inputs, targets = jnp.asarray(X.T[:, :, None]), jnp.asarray(y)[:, None]
    last = int(np.flatnonzero(np.asarray(limit.jumped[-2]))[0])
    stiffest = float(np.linalg.eigvalsh(X.T @ X / N)[-1] * 2 * np.abs(limit.coefficients).max())
    row = "{:>7} {:>9} {:>9} {:>8} {:>9} {:>11} {:>9} {:>8} {:>8}"
    print(row.format("alpha", "error", "flow", "seconds", "descent", "rate", "seconds", "steps x", "sec x"))
    missed = []
    for alpha in (1e-3, 1e-10, 1e-30, 1e-100, 1e-300):
        start = jnp.full((D, 2), alpha)
        flow = lambda times, fine=tolerance: vanishing.gradient_flow(
            neuron, inputs, targets, start, times, blocks=(1, 1), tolerance=fine
        )
        rough = flow(1.2 * float(limit.times[-2]) * np.log(1 / alpha) + 20)
        when = [jump.time for jump in vanishing.jump_times(rough) if jump.neuron == last][-1]
        exact = flow(jnp.array([when]), tolerance / 1000).log_norms[0]
        path, ours = timed(lambda: flow(jnp.array([when])), repeats)
        error = float(jnp.max(jnp.abs(path.log_norms[0] - exact)))
        found = []
        for rate in (0.2 / stiffest, 0.1 / stiffest):
            steps = int(np.ceil(when / rate))
            theta, seconds = timed(lambda: descend(steps, inputs, targets, start, when / steps), 1)
            if not jnp.all(jnp.any(theta != 0, axis=1)):
                break
            norms = agf.polar(theta)[0]
            found.append((when / steps, float(jnp.max(jnp.abs(norms - exact))), steps, seconds))
        if len(found) < 2:
            steps = int(path.stats["num_steps"])
            print(row.format(f"{alpha:g}", f"{error:.1e}", steps, f"{ours:.3f}", *["underflow"] * 2, *["-"] * 3))
            continue
        order = np.log2(found[0][1] / found[1][1])
        rate = found[1][0] * error / found[1][1]
        steps = int(np.ceil(when / rate))
        if (theirs := found[1][3] * steps / found[1][2]) < patience:
            theta, theirs = timed(lambda: descend(steps, inputs, targets, start, when / steps), 1)
            mark = ""
        else:
            mark = "~"
        ratios = steps / int(path.stats["num_steps"]), theirs / ours
        print(row.format(f"{alpha:g}", f"{error:.1e}", int(path.stats["num_steps"]), f"{ours:.3f}", f"{steps:.2g}",
                         f"{rate:.1e}", f"{mark}{theirs:.3g}", f"{ratios[0]:.2g}", f"{ratios[1]:.2g}"), flush=True)  # fmt: skip
        large = found[0]
        print(f"{'':8}at the large rate {large[0]:.1e}, where descent errs by {large[1]:.1e} (order {order:.2f}): "
              f"steps x {large[2] / int(path.stats['num_steps']):.2g}, sec x {large[3] / ours:.2g}")  # fmt: skip
        missed += [f"alpha = {alpha:g}"] * (min(ratios) < LEAST)
    print("~ extrapolated from a larger rate.", "Below the goal: " + ", ".join(missed) if missed else f"All above {LEAST:g} times.")
    return bool(missed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--patience", type=float, default=5.0, help="seconds that one run of descent may take")
    given = parser.parse_args()
    raise SystemExit(main(given.tolerance, given.repeats, given.patience))
