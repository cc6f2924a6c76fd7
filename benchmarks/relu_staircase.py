"""Jump times and plateaus of three ReLU neurons: `agf.staircase` with rounded kinks, against arcs in closed form.

    python benchmarks/relu_staircase.py            # about a minute on two cores

The eight points of the chapter on ReLU networks, and one neuron for each of its three places, from the norm 1e-8.
`agf.staircase` follows norm and direction with a solver, and wants smooth neurons, so relu(z) is replaced by
(z + sqrt(z^2 + eps^2 |w|^2)) / 2. `sectors.climb` has no step and no rounding; between jumps the active neurons descend.
"""

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)
from learndyn import agf, sectors  # noqa: E402
from learndyn.descent import descend  # noqa: E402

X = jnp.array([[-1.04, 1], [-0.69, 1], [-0.4, 1], [-0.12, 1], [0.17, 1], [0.38, 1], [0.67, 1], [0.97, 1]])
Y = jnp.array([[-2.29], [0.52], [2.31], [2.91], [2.21], [1.05], [-0.88], [-2.44]])
START = 1e-8 * np.array([[1, -0.6, 0.8], [-1, 0.8, 0.6], [-1, -0.8, -0.6]]) / 2**0.5


def relu(theta, X):
    return theta[0] * jax.nn.relu(X @ theta[1:])[:, None]


def rounded(eps):
    def neuron(theta, X):
        a, w = theta[0], theta[1:]
        z = X @ w
        return 0.5 * a * (z + jnp.sqrt(z**2 + eps**2 * jnp.sum(w**2)))[:, None]

    return neuron


def by_arcs():
    """Times and levels: a wait is one call of `climb` for every dormant neuron."""
    loss, descent = agf.loss(relu, X, Y), optax.sgd(0.02)
    s, w, logs = START[:, 0] / np.abs(START[:, 0]), START[:, 1:], np.log(np.linalg.norm(START, axis=1))
    active, here, jumps, levels = [], jnp.zeros((3, 3)), [0.0], []
    while len(active) < 3:
        residual = Y - agf.outputs(relu, here, X).sum(axis=0)
        w = w + 1e-9 * np.stack([-w[:, 1], w[:, 0]], axis=1)  # off the wall on which it may rest
        fate = sectors.climb(X, residual, w, s)
        w, logs = fate.directions, logs + fate.offsets
        due = [-logs[i] / fate.rates[i] if i not in active and fate.rates[i] > 0 else np.inf for i in range(3)]
        first = int(np.argmin(due))
        active.append(first)
        logs = logs + fate.rates * due[first]
        here = here.at[first].set(1e-3 * jnp.append(s[first], w[first]))
        here = descend(loss, here, descent, 40_000, every=40_000).params
        jumps.append(jumps[-1] + due[first])
        levels.append(float(loss(here)))
    return np.array(jumps[1:]), np.array(levels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--eps", type=float, nargs="+", default=[0.1, 0.01], help="how far the kinks are rounded off")
    parser.add_argument("--rtol", type=float, default=1e-6, help="relative tolerance of the staircase's solver")
    options = parser.parse_args()

    def report(name, clock, jumps, levels):
        print(f"{name:<12} jumps {np.round(jumps, 2)}  levels {np.round(levels, 4)}  {time.perf_counter() - clock:.1f} s")

    clock = time.perf_counter()
    report("arcs", clock, *by_arcs())
    for eps in options.eps:
        clock = time.perf_counter()
        stairs = agf.staircase(rounded(eps), X, Y, jnp.asarray(START), max_jumps=3, rtol=options.rtol)
        report(f"eps = {eps:g}", clock, stairs.times, stairs.losses[1:])


if __name__ == "__main__":
    main()
