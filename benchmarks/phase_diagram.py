"""The phase diagram of Kunin et al. (2024), figure 1b, at its full size: 17 x 17 initializations, 16 seeds.

    python benchmarks/phase_diagram.py --full                     # the paper's 100 000 steps: a day on two cores
    python benchmarks/phase_diagram.py --full --steps 100         # the first of their four moments: some minutes
    python benchmarks/phase_diagram.py --steps 1000 --seeds 2     # 9 x 9 points of their grid, 2 seeds

ReLU students of width 50 learn a ReLU teacher of width 3 from 1000 inputs on the sphere of dimension 100, by plain
gradient descent on the mean squared error with learning rate 0.005 / scale^2, from overall scales 0.1 to 2 and
imbalances -1 to 1. Scales, imbalances, rates and steps are those of the authors' published code; seeds cannot be, for
they are of another random generator. Work is saved in the folder --save about once a minute: interrupt it, repeat the
command, and it goes on. At the end stands the table of the largest and smallest means over seeds beside the authors'.
"""

import argparse
import pathlib
import time

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import ensembles, gates, kernels, losses, models, teacher_student

D, N, WIDTH, N_TEST = 100, 1000, 50, 10_000
MOMENTS = [100, 1000, 10_000, 100_000]
PRINTED = {  # by the authors, after MOMENTS steps
    "largest test loss": [0.01355, 0.00790, 0.00391, 0.00490],
    "largest kernel distance": [0.2385, 0.5370, 0.6102, 0.6150],
    "smallest kernel distance": [3.2e-5, 2.3e-4, 4.7e-4, 7.8e-4],
}


def grid(points: int):
    """Scales and imbalances, each (points^2,): every second, fourth, ... of the paper's 17 x 17."""
    scales, deltas = np.logspace(-1, 0.3, 17), np.linspace(-1, 1, 17)
    stride = 16 // (points - 1)
    scale, delta = np.meshgrid(scales[::stride], deltas[::stride], indexing="ij")
    return scale.ravel(), delta.ravel()


def one_seed(seed: int, scale, delta, times, save):
    """Test losses and kernel distances (T, E), after `times` steps."""
    teacher_key, student_key, train_key, test_key = jax.random.split(jax.random.key(seed), 4)
    teacher = teacher_student.teacher(D, width=3, key=teacher_key)
    X = teacher_student.inputs(N, D, key=train_key)
    X_test = teacher_student.inputs(N_TEST, D, key=test_key)
    student = models.mlp((D, WIDTH, 1), activation="relu", parametrization="standard")
    label = models.mlp((D, 3, 1), activation="relu", parametrization="standard").apply
    y, y_test = label(teacher, X), label(teacher, X_test)
    squared = losses.squared_loss(student.apply, X, y)
    loss = lambda params: 2 / N * squared(params)  # theirs is the mean without the half

    ratio = np.sqrt((-delta + np.sqrt(delta**2 + 4 * scale**4)) / (2 * scale**2))  # delta = scale^2 (ratio^-2 - ratio^2)
    params0 = jax.vmap(lambda s, r: teacher_student.student(D, WIDTH, scale=s, ratio=r, key=student_key))(scale, ratio)

    def judge(data, pair):
        X, X_test, y_test = data
        K, K0 = (gates.kernel(params, X, gates.pattern(params, X)) for params in pair)
        return jnp.mean((student.apply(pair[0], X_test) - y_test) ** 2), kernels.kernel_distance(K, K0)

    run = ensembles.descend(loss, params0, 5e-3 / scale**2, times, observe=lambda params: params,
                            progress=True, checkpoint=save)  # fmt: skip
    # The kernels of one member after the other: together they would not fit.
    judge_all = jax.jit(lambda data, pairs: jax.lax.map(lambda pair: judge(data, pair), pairs))
    moment = lambda k: jax.tree.map(lambda leaf: jnp.asarray(leaf[k]), run.observed)
    return [judge_all((X, X_test, y_test), (moment(k), params0)) for k in range(len(times))]


def main(points: int, seeds: int, steps: int, save: pathlib.Path) -> None:
    save.mkdir(parents=True, exist_ok=True)
    times = [moment for moment in MOMENTS if moment <= steps] or [steps]
    scale, delta = grid(points)
    results = []
    for seed in range(seeds):
        print(f"seed {seed + 1} of {seeds}: {len(scale)} students, {times[-1]} steps", flush=True)
        results.append(one_seed(seed, scale, delta, times, save / f"{points}-{times[-1]}-{seed}.npz"))
    test_loss, distance = np.moveaxis(np.array(results), 2, 0)  # (seeds, T, E)
    rows = {
        "largest test loss": test_loss.mean(axis=0).max(axis=1),
        "largest kernel distance": distance.mean(axis=0).max(axis=1),
        "smallest kernel distance": distance.mean(axis=0).min(axis=1),
    }
    print(f"\n{points} x {points} points, means over {seeds} seeds; in brackets what the authors printed")
    print(f"  {'after steps':26}" + "".join(f"{moment:>24}" for moment in times))
    for name, values in rows.items():
        cells = [f"{v:.3g} ({dict(zip(MOMENTS, PRINTED[name])).get(m, float('nan')):.3g})" for v, m in zip(values, times)]
        print(f"  {name:26}" + "".join(f"{cell:>24}" for cell in cells))
    spread = test_loss.std(axis=0, ddof=1) / seeds**0.5 if seeds > 1 else np.full(test_loss.shape[1:], np.nan)
    where = test_loss.mean(axis=0).argmax(axis=1)
    print(f"  {'standard error of the first':26}" + "".join(f"{s[w]:>24.2g}" for s, w in zip(spread, where)))
    np.savez(save / f"{points}-{times[-1]}.npz", scale=scale, delta=delta, times=times, test_loss=test_loss, distance=distance)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="17 x 17 points, 16 seeds, 100 000 steps")
    parser.add_argument("--steps", type=int, help="stop earlier (or, without --full, later than 100)")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--save", type=pathlib.Path, default=pathlib.Path("phase-diagram"))
    given = parser.parse_args()
    began = time.time()
    main(17 if given.full else 9, given.seeds or (16 if given.full else 3),
         given.steps or (100_000 if given.full else 100), given.save)  # fmt: skip
    print(f"{time.time() - began:.0f} s")
