"""Failures of training, each produced on purpose: what is done to a healthy run, and how strongly."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from learndyn import _require as require
from learndyn._progress import Countdown
from learndyn.diagnosis import training
from learndyn.diagnosis.training import HIDDEN, Setting

CHUNK = 50  # trainings compiled as one program


class Run(NamedTuple):
    """A recorded training, and what was done to it."""

    record: dict  # what `diagnose` reads
    failure: str  # "healthy", or the name of the failure
    cause: str  # how it was produced
    severity: float  # from 0, barely, to 1


def _mix(low, high, severity):
    """Geometric interpolation."""
    return low * (high / low) ** severity


def _healthy(rng, steps):
    """A sound training, in numbers that differ from run to run: schedule, rate, batch, start, activation, data."""
    images, labels = training.images()
    order = rng.permutation(len(images))
    activation = int(rng.integers(2))
    gain = (2.0**0.5, 1.0)[activation] * rng.uniform(0.9, 1.1)
    progress = np.arange(steps) / steps
    cosine, warmup = 0.5 * (1 + np.cos(np.pi * progress)), np.minimum(1.0, 10 * (progress + 1 / steps))
    shape = (np.ones(steps), cosine, warmup)[rng.integers(3)]
    return {
        "activation": activation, "gains": np.full(HIDDEN + 1, gain), "bias_means": np.zeros(HIDDEN),
        "bias_scales": np.zeros(HIDDEN), "rates": _mix(0.05, 0.2, rng.uniform()) * shape,
        "batch": int(rng.integers(16, 33)), "train": order[: training.TRAIN],
        "labels": labels[order[: training.TRAIN]], "count": int(rng.integers(600, 1001)),
        "validation": order[-training.VALIDATION :], "pixels": np.arange(64), "blur": 0.0, "bad_step": -1, "damage": 1.0,
    }  # fmt: skip


# Each recipe changes a healthy setting in place and returns the cause; s is the severity, from 0 to 1.
def _loss_spike(setting, s, rng, steps):
    where = int(rng.integers(0.3 * steps, 0.85 * steps))
    if rng.integers(2):
        setting["bad_step"], setting["damage"] = where, _mix(12.0, 40.0, s)
        return "a damaged batch"
    setting["rates"][where : where + 3] = _mix(1.5, 5.0, s)
    return "three steps too long"


def _plateau(setting, s, rng, steps):
    cause = ("rate too low", "saddle", "bad start")[rng.integers(3)]
    if cause == "rate too low":
        setting["rates"] *= _mix(0.01, 0.0005, s)
    elif cause == "saddle":
        setting["gains"] *= _mix(0.35, 0.1, s)
    else:
        setting["activation"] = 0
        setting["bias_means"][-1] = -_mix(4.0, 8.0, s)
    return cause


def _overfitting(setting, s, rng, steps):
    setting["count"] = round(_mix(100, 40, s))
    wrong = rng.uniform(size=training.TRAIN) < 0.25 + 0.2 * s
    setting["labels"] = np.where(wrong, rng.integers(10, size=training.TRAIN), setting["labels"])
    return "few images, some labels wrong"


def _mismatch(setting, s, rng, steps):
    grid = np.arange(64).reshape(8, 8)
    if rng.integers(2):
        setting["blur"] = _mix(1.5, 4.0, s)
        return "noisy validation images"
    moved = (np.roll(grid, 2, axis=1), np.roll(grid, 3, axis=0), grid[:, ::-1], grid.T, np.rot90(grid))
    setting["pixels"] = moved[min(int(5 * s), 4)].ravel()
    return "validation images moved"


def _exploding(setting, s, rng, steps):
    setting["gains"] *= _mix(3.0, 6.0, s)
    return "weights too large"


def _vanishing(setting, s, rng, steps):
    setting["activation"] = 1
    setting["gains"][:-1] *= _mix(0.4, 0.25, s)
    setting["bias_scales"][:] = 1.7 + s
    return "units saturated by their biases"


def _dead(setting, s, rng, steps):
    setting["activation"] = 0
    if rng.integers(2):
        setting["bias_means"][rng.integers(HIDDEN)] = -_mix(3.0, 7.0, s)
        return "biases of one layer far below zero"
    setting["bias_means"][:] = -_mix(1.0, 2.5, s)
    return "all biases below zero"


def _noise(setting, s, rng, steps):
    setting["batch"] = int(rng.integers(1, 3))
    setting["rates"] = np.full(steps, _mix(0.04, 0.15, s))
    return "small batches at a large rate"


def _divergence(setting, s, rng, steps):
    setting["rates"] *= _mix(20.0, 200.0, s)
    return "rate too high"


RECIPES: dict[str, Callable] = {
    "loss spike": _loss_spike,
    "early plateau": _plateau,
    "overfitting": _overfitting,
    "distribution mismatch": _mismatch,
    "exploding gradients": _exploding,
    "vanishing gradients": _vanishing,
    "dead units": _dead,
    "too much noise": _noise,
    "divergence": _divergence,
}


def generate(
    failure: str,
    count: int,
    *,
    key: PRNGKeyArray,
    severity: float | None = None,
    steps: int = 400,
    every: int = 4,
    progress: bool = False,
) -> list[Run]:
    r"""`count` recorded trainings of a network on digits with one failure produced on purpose, or "healthy" ones.

    Networks with four hidden layers of 32 ReLU or tanh units learn ten classes by stochastic gradient descent on the
    cross-entropy. Each run draws its own images, start, batches, rate, and schedule (constant, cosine, warmup); then the
    recipe of the failure changes one thing. All runs of one call are one batched computation in single precision.

    Args:
      failure: a key of `RECIPES`, or "healthy".
      count: how many runs.
      key: chooses everything that is drawn.
      severity: from 0, barely, to 1; by default drawn uniformly, a different one for each run.
      steps, every: steps of training; every how many of them one line is logged: validation at that step, losses and
        norms as means over the steps until the next line (in the first line, of the first step alone).
      progress: say on standard error how far the work has come.

    Returns:
      A list of `Run`; `run.record` has train_loss, validation_loss, gradient_norm, parameter_norm, learning_rate
      (T,), layer_gradient_norm, update_ratio (T, layers), dead_fraction, saturated_fraction (T, hidden layers; the first for
      ReLU networks, the second for tanh), step (T,), and chance_loss, ln 10.

    Raises:
      ValueError, TypeError: for an unknown failure, or numbers out of range.
    """
    require.one_of("failure", failure, ("healthy", *RECIPES))
    require.positive_integer("count", count)
    require.key("key", key)
    require.positive_integer("steps", steps)
    require.positive_integer("every", every)
    if steps % every or steps < 100:
        raise ValueError(f"steps must be a multiple of every, and at least 100, but steps = {steps} and every = {every}")
    if severity is not None:
        require.number("severity", severity)
        if not 0 <= severity <= 1:
            raise ValueError(f"severity must lie between 0 and 1, but is {severity!r}")
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())
    made, settings = [], []
    for index in range(count):
        setting, s = _healthy(rng, steps), float(rng.uniform()) if severity is None else float(severity)
        cause = "nothing" if failure == "healthy" else RECIPES[failure](setting, s, rng, steps)
        setting["seed"] = np.asarray(rng.integers(2**32, size=2, dtype=np.uint32))
        settings.append(Setting(**setting))
        made.append((cause, 0.0 if failure == "healthy" else s))
    records, report = [], Countdown("diagnose", "runs")
    for first in range(0, count, CHUNK):
        several = settings[first : first + CHUNK]
        several += [several[-1]] * (CHUNK - len(several)) if count > CHUNK else []  # one shape, one compilation
        logged = jax.tree.map(np.asarray, training.train(_stack(several), every=every))
        for i, setting in enumerate(settings[first : first + CHUNK]):
            record = {name: values[i].astype(float) for name, values in logged.items()}
            del record["saturated_fraction" if setting.activation == 0 else "dead_fraction"]
            record["chance_loss"] = np.log(10.0)
            records.append({"step": np.arange(0, steps, every)} | record)
        if progress:
            report(len(records), count)
    return [Run(record, failure, *facts) for record, facts in zip(records, made)]


def _stack(settings):
    kinds = {"seed": np.uint32} | dict.fromkeys(
        ("activation", "batch", "train", "labels", "count", "validation", "pixels", "bad_step"), np.int32
    )
    return Setting(*(np.stack([np.asarray(getattr(s, name), kinds.get(name, np.float32)) for s in settings])
                     for name in Setting._fields))  # fmt: skip
