"""Modular addition in the published setting: loss levels, jump times, the bound, and alternating flows with alignment.

    python benchmarks/modular_addition.py            # two runs, about half a minute on two cores

p = 20, an encoding with the amplitudes 10, 5, and 2.5 at the frequencies 1, 3, and 5, H = 18 quadratic neurons with
|(u, v)| = |w| = 0.01, the whole table as one batch, the mean squared error over pairs and outputs, 200 000 epochs of
gradient descent with rate 0.01 and momentum 0.9. One epoch is 0.01 of a unit of the gradient flow's time of half the
mean squared distance: 0.01/(1 - 0.9) of the rate, times 2/p for the loss. "seen" is the epoch at which a frequency is
learned to one half of what a single neuron can learn of it (1/18), "half" the one at which half of it is learned.
"""

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)
from learndyn import agf, modular_addition  # noqa: E402
from learndyn.descent import descend  # noqa: E402


def main(p: int, amplitudes: dict, width: int, scale: float, epochs: int, seeds: int) -> None:
    x = modular_addition.encoding(p, amplitudes)
    half_square = agf.loss(modular_addition.neuron, *modular_addition.data(x))
    loss = lambda neurons: 2 / p * half_square(neurons)
    order = sorted(amplitudes, key=amplitudes.get, reverse=True)
    unit = 0.1 * 2 / p  # of the flow's time in an epoch
    best = np.asarray(modular_addition.best_utilities(x))[np.array(order) - 1]
    bound = (1 / (2**0.5 * scale) - 1) / (3 * best) / unit
    levels = 2 / p * np.asarray(modular_addition.plateaus(x))[: len(order) + 1]
    print("best utilities:", *[f"{value:.5g}" for value in best])
    print("levels:        ", *[f"{value:.5f}" for value in levels])
    print("bounds (epoch):", *[f"{value:.0f}" for value in bound])
    every = max(1, epochs // 20_000)
    optimizer = optax.sgd(0.01, momentum=0.9)
    observe = lambda neurons: (loss(neurons), modular_addition.learned(neurons, x))
    row = "{:>4} {:>5} {:>9} {:>9} {:>9} {:>11} {:>11} {:>9}"
    print(row.format("seed", "freq", "with turn", "seen", "half", "seen/said", "half/bound", "plateau"))
    for seed in range(seeds):
        neurons = modular_addition.start(p, width, scale=scale, key=jax.random.key(seed))
        said = modular_addition.jumps(neurons, x)
        begin = time.perf_counter()
        run = descend(loss, neurons, optimizer, epochs // every * every, observe=observe, every=every)
        losses, shares = map(np.asarray, run.observed)
        seconds, at = time.perf_counter() - begin, np.asarray(run.times)
        first = lambda k, share: at[np.argmax(shares[:, k - 1] > share)] if shares[:, k - 1].max() > share else np.nan
        seen = [first(k, 1 / 18) for k in order]
        for j, k in enumerate(order):
            when = said.times[list(said.frequencies).index(k)] / unit
            start = seen[j - 1] if j else 1.0
            plateau = np.interp(np.sqrt(start * seen[j]), at, losses)  # halfway, on a logarithmic clock
            print(row.format(seed, k, f"{when:.0f}", f"{seen[j]:.0f}", f"{first(k, 0.5):.0f}", f"{seen[j] / when:.3f}",
                             f"{first(k, 0.5) / bound[j]:.2f}", f"{plateau / levels[j] - 1:+.4f}"))  # fmt: skip
        power = np.sum(np.abs(np.asarray(modular_addition.spectra(run.params))) ** 2, axis=1)
        large = np.linalg.norm(np.asarray(run.params), axis=1) > 0.2
        used = {k: int(np.sum(large & (power.argmax(axis=1) + 1 == k))) for k in order}
        print(f"     loss {losses[-1]:.2e} after {at[-1]:.0f} epochs; neurons by frequency {used}; {seconds:.0f} s")


def _amplitudes(text):
    return {int(k): float(value) for k, value in (pair.split(":") for pair in text.split(","))}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--p", type=int, default=20)
    parser.add_argument("--amplitudes", type=_amplitudes, default="1:10,3:5,5:2.5", help="frequency:amplitude, ...")
    parser.add_argument("--width", type=int, default=18)
    parser.add_argument("--scale", type=float, default=1e-2)
    parser.add_argument("--epochs", type=int, default=200_000)
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    main(given.p, given.amplitudes, given.width, given.scale, given.epochs, given.seeds)
