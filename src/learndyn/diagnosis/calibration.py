"""Thresholds and slopes of the rules, and how they are fitted to runs with and without a failure."""

from collections.abc import Sequence

import numpy as np
from jax.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import log_expit

# As `python benchmarks/diagnose.py` fits and prints them, on seeds that no test uses.
CALIBRATION = {
    "exploding gradients": (1.91, 5.85),
    "divergence": (0.544, 4.0),
    "dead units": (0.383, 11.3),
    "vanishing gradients": (0.863, 6.17),
    "early plateau": (0.105, 28.0),
    "loss spike": (0.645, 3.76),
    "too much noise": (-1.79, 4.32),
    "distribution mismatch": (0.278, 14.7),
    "overfitting": (0.0235, 69.4),
}


def fit(sick: ArrayLike | Sequence[float], sound: ArrayLike | Sequence[float]) -> tuple[float, float]:
    r"""The threshold that maximizes recall + specificity, and the slope of the likeliest $\sigma(b(s - t))$.

    The threshold lies in the middle of the best gap. Scores that are perfectly separated would have an infinite slope; each
    class therefore counts as if one more run of unknown class had been seen, as Platt has it, and both classes count alike.

    Args:
      sick, sound: scores of runs with and without the failure; -inf for a run that could not be judged.

    Returns:
      The threshold and the slope.

    Raises:
      ValueError: for an empty sequence, or one without a finite score.

    Source: J. Platt, Probabilistic outputs for support vector machines (1999), for the targets.
    """
    sick, sound = np.asarray(sick, float), np.asarray(sound, float)
    for name, scores in (("sick", sick), ("sound", sound)):
        if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).any() or np.isnan(scores).any():
            raise ValueError(f"{name} must be numbers, at least one of them finite, but is {scores}")
    values = np.unique(np.concatenate([sick, sound]))
    values = values[np.isfinite(values)]
    between = (values[1:] + values[:-1]) / 2 if len(values) > 1 else values
    below = lambda scores: np.searchsorted(np.sort(scores), between, side="right") / len(scores)
    gain = below(sound) - below(sick)
    best = between[gain == gain.max()]
    threshold = float(best[len(best) // 2])

    def surprise(log_slope):
        total = 0.0
        for scores, sign in ((np.clip(sick, values[0], values[-1]), 1.0), (np.clip(sound, values[0], values[-1]), -1.0)):
            sure = (len(scores) + 1) / (len(scores) + 2)
            logit = sign * np.exp(log_slope) * (scores - threshold)
            total -= np.mean(sure * log_expit(logit) + (1 - sure) * log_expit(-logit))
        return total

    return threshold, float(np.exp(minimize_scalar(surprise, bounds=(-5.0, 8.0), method="bounded").x))
