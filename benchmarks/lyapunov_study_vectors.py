"""Covariant vectors of the study's networks: do tangencies in the first steps tell of the end, better than the loss?

    python benchmarks/lyapunov_study_vectors.py lyapunov_study.npz       # a few minutes

For the first 1000 networks of each combination, whose final losses are in the file, the covariant Lyapunov vectors of the
first 75 steps are computed in two ways: with the 250 following steps known ("orbit"), and with the last derivative
repeated in their place ("frozen"), which owes nothing to later steps. For each pair of neighboring vectors, in the order
of the QR decomposition, the smallest angle over steps 25 to 75 is the score (25 steps turn the first frame, which is
generic). An area near one says that the angles differ and not that they are small: the medians tell. Where ReLU neurons
are dead the derivative is the identity, no vector turns, and none is determined. It is judged as in `lyapunov_study_tables.py`, against the loss at the last observed step that the angles know:
300, or 75. The largest covariance residual is printed: it has to be at the level of rounding.
"""

import argparse
import os
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", os.cpu_count())
sys.path.insert(0, str(Path(__file__).parent))
import lyapunov_study as driver  # noqa: E402
import lyapunov_study_tables as tables  # noqa: E402

from learndyn import forecast, losses, lyapunov, models  # noqa: E402

STEPS, FIRST, AFTER = 75, 25, 250
PAIRS = [(i, i + 1) for i in range(8)]


def smallest_angles(study, activation, params, future):
    """(N, 8) in radians over steps FIRST, ..., STEPS, and the largest residual."""
    X, y = driver.problem(study)
    model = models.mlp((2, 2, 1), activation=activation, parametrization="standard", bias_scale=1.0)
    squared = losses.squared_loss(model.apply, X, y)
    step = lyapunov.descent_map(lambda p: 2 / study.samples * squared(p), driver.RATE)
    neighbors = np.array([n for n, pair in enumerate(zip(*np.triu_indices(9, 1))) if pair in PAIRS])

    def one(start):
        run = lyapunov.covariant_vectors(
            step, start, STEPS, before=0, after=AFTER, dt=driver.RATE, future=future,
            observe=lambda point, vectors: lyapunov.angles(vectors)[neighbors],
        )  # fmt: skip
        return jnp.min(run.observed[FIRST:], axis=0), jnp.max(run.residuals)

    angles, residuals = lyapunov.spread(one, chunk=64)(params)
    return np.asarray(angles), float(np.max(residuals))


def show(results, number):
    study = driver.Study()
    for i, activation in enumerate(results["activations"]):
        for j, initialization in enumerate(results["initializations"]):
            loss = results["loss"][i, j][:number].astype(float)
            params = driver.starts(study, 0, number)[i, j]
            judged = {name: inside for name, inside in tables.classes(loss[:, -1]).items()
                      if min(inside.sum(), np.sum(~inside)) >= tables.FEWEST}  # fmt: skip
            for future, known in (("orbit", STEPS + AFTER), ("frozen", STEPS)):
                angles, worst = smallest_angles(study, activation, params, future)
                print(f"\n{activation}, {initialization}, {future}: residual {worst:.1e}; median of the smallest angle of pairs"
                      f" (1, 2), (2, 3), ...: {', '.join(f'{a:.1f}' for a in np.degrees(np.median(angles, axis=0)))} degrees")  # fmt: skip
                at = np.flatnonzero(results["steps"] <= known)[-1]
                features = {"loss": loss[:, at]} | {f"{a + 1}-{b + 1}": angles[:, a] for a, b in PAIRS} | {"Bayes": np.log(angles)}
                for name, inside in judged.items():
                    key = jax.random.key(0)
                    found = forecast.compare(features, inside, baseline="loss", key=key, resamples=tables.RESAMPLES)
                    added = forecast.nested(np.log(loss[:, at]), np.log(angles), inside, key=key, resamples=tables.RESAMPLES)
                    cells = [f"{row.name} {tables.short(row.auc)}" for row in found.rows]
                    middle = [np.degrees(np.median(angles[part], axis=0)).round(1).tolist() for part in (inside, ~inside)]
                    print(f"  {name}, {inside.sum()} of {number}; loss at step {results['steps'][at]}:\n    "
                          f"medians in the class {middle[0]}, others {middle[1]}\n    "
                          + "\n    ".join("  ".join(cells[k : k + 5]) for k in (0, 5))
                          + f"\n    all angles added to log loss: AUC {tables.short(added.auc_gain, sign='+')}", flush=True)  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--networks", type=int, default=1000)
    given = parser.parse_args()
    with np.load(given.file) as file:
        show(dict(file), given.networks)
