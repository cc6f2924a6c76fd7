"""Processor and wall time per network and step of all finite-time Lyapunov exponents: this library, NumPy, three packages.

    python benchmarks/lyapunov.py                       # about half a minute on two cores
    python benchmarks/lyapunov.py --packages PYTHON     # an interpreter that has numpy, lyapynov, clvlib, pynamicalsys
    python benchmarks/lyapunov.py --full                # one combination of the study: 8000 networks, 5000 steps

Networks of 2 inputs, 2 tanh neurons and 1 output, 9 parameters, in double precision, on 64 samples; all 9 exponents at
every step. The others run a few networks one after the other; the library runs thousands, on as many devices as there are
processor cores. Errors are the largest differences of the sums of log R_ii after 200 steps from those of a plain loop in
extended precision (18 digits), which shares no code with the library. The benchmark fails where ours are above 1e-8, or a
step takes above 4.5 microseconds of wall time: then 32 000 runs of 5000 steps would take more than 12 minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", os.cpu_count())
from learndyn import lyapunov, models  # noqa: E402

MOST = 4.5  # microseconds
SAMPLES = 64
RATE = 2 * 0.01 / SAMPLES  # 0.01 for the mean of the squared residuals


def problem(number):
    X = jax.random.uniform(jax.random.key(0), (SAMPLES, 2), minval=-1.0)
    y = 14 * jnp.tanh(3 * X[:, 0] - 1.5 * X[:, 1] + 0.5) - 12 * jnp.tanh(2 * X[:, 0] + 2 * X[:, 1])
    model = models.mlp((2, 2, 1), activation="tanh", parametrization="standard", bias_scale=1.0)
    return X, y[:, None], jax.vmap(lambda key: model.init(key=key))(jax.random.split(jax.random.key(1), number))


def extended(theta, X, y, steps):
    """Sums of log R_ii in extended precision."""
    real = np.longdouble
    tilde = np.column_stack([X, np.ones(len(X))]).astype(real)
    theta, Q, total = np.asarray(theta, real), np.eye(9, dtype=real), np.zeros(9, real)
    places = [[0, 1, 4], [2, 3, 5]]
    for _ in range(steps):
        w = np.stack([theta[p] for p in places])
        p = np.tanh(tilde @ w.T)
        q = 1 - p * p
        r = p @ theta[6:8] + theta[8] - y
        D = np.zeros((len(r), 9), real)
        D[:, 6:8], D[:, 8] = p, 1
        for j in range(2):
            D[:, places[j]] = (theta[6 + j] * q[:, j])[:, None] * tilde
        H = D.T @ D
        for j in range(2):
            H[np.ix_(places[j], places[j])] += tilde.T @ ((-2 * r * theta[6 + j] * p[:, j] * q[:, j])[:, None] * tilde)
            slope = tilde.T @ (r * q[:, j])
            H[places[j], 6 + j] += slope
            H[6 + j, places[j]] += slope
        theta = theta - real(RATE) * (D.T @ r)
        A = Q - real(RATE) * (H @ Q)
        for i in range(9):
            for _ in range(2):
                A[:, i] -= A[:, :i] @ (A[:, :i].T @ A[:, i])
            length = np.sqrt(A[:, i] @ A[:, i])
            A[:, i] /= length
            total[i] += np.log(length)
        Q = A
    return total.astype(float)


def through_packages(python, X, y, starts, steps):
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, X=X, y=y[:, 0], rate=RATE, starts=starts, steps=steps)
        script = Path(__file__).with_name("lyapunov_packages.py")
        subprocess.run([python, script, source, target], check=True, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
        with np.load(target) as file:
            return {name: file[name] for name in file.files}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", default=sys.executable, help="the interpreter for the packages")
    parser.add_argument("--full", action="store_true", help="8000 networks and 5000 steps, in pieces with progress")
    parser.add_argument("--networks", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--few", type=int, default=3, help="networks for the others")
    given = parser.parse_args()
    number, steps = (8000, 5000) if given.full else (given.networks, given.steps)
    piece = min(steps, 200)
    X, y, params = problem(number)
    settings = dict(every=piece // 2)
    jax.block_until_ready(lyapunov.descend_networks(params, X, y, RATE, piece, **settings))  # compiles
    wall, processor, state = time.perf_counter(), time.process_time(), params
    for done in range(piece, steps + 1, piece):
        run = jax.block_until_ready(lyapunov.descend_networks(state, X, y, RATE, piece, **settings))
        state = run.state
        print(f"{done} of {steps} steps, {time.perf_counter() - wall:.0f} s", file=sys.stderr)
    wall, processor = ((end - begin) / number / steps * 1e6 for end, begin in
                       ((time.perf_counter(), wall), (time.process_time(), processor)))  # fmt: skip
    flat = np.stack([np.concatenate([np.ravel(leaf[i]) for leaf in jax.tree.leaves(params)]) for i in range(given.few)])
    short = min(steps, 200)
    ours = lyapunov.descend_networks(params, X, y, RATE, short, **settings).total[: given.few, -1]
    truth = np.stack([extended(theta, np.asarray(X), np.asarray(y)[:, 0], short) for theta in flat])
    error = np.abs(ours - truth).max()

    others = through_packages(given.packages, X, y, flat, short)
    rows = [("learndyn", wall, processor, error)]
    for name in sorted({key.split(":")[0] for key in others}):
        each = float(others[f"{name}: seconds"]) / given.few / short * 1e6
        rows.append((name, each, each, np.abs(others[f"{name}: totals"] - truth).max()))
    print(f"{'':14}{'wall us':>10}{'cpu us':>10}{'times':>8}{'error':>10}   per network and step, {jax.device_count()} devices")
    for name, wall_each, processor_each, worst in rows:
        print(f"{name:14}{wall_each:10.2f}{processor_each:10.2f}{processor_each / processor:8.1f}{worst:10.1e}")
    print(f"32 000 networks, 5000 steps: {32_000 * 5000 * wall / 6e7:.1f} minutes at this rate")
    assert error < 1e-8, f"the error must be below 1e-8, but is {error:.1e}"
    assert wall < MOST, f"a step must take at most {MOST} us of wall time, but takes {wall:.2f}"


if __name__ == "__main__":
    main()
