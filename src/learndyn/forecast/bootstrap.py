"""How far an area is known: runs drawn again with replacement, within each class."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer, Real

from learndyn import _require as require
from learndyn.forecast.curve import auc
from learndyn.forecast.runs import AnyArray, checked, generator


class Interval(NamedTuple):
    """An estimate, and the interval of its bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self):
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def auc_interval(
    scores: Real[AnyArray, " n"], outcome: Bool[AnyArray, " n"], *, key, resamples: int = 1000, level: float = 0.95
) -> Interval:
    """AUC with percentiles of its stratified bootstrap: runs drawn again with replacement, within each class.

    Args:
      scores, outcome: as of `auc`.
      key: PRNG key of the draws.
      resamples: how many.
      level: of the interval.

    Raises:
      ValueError, TypeError: for bad arguments.

    Errors: with few runs in a class percentile intervals are somewhat short, and of length zero where the classes do not
    overlap at all: then only the counts tell how little is known.
    """
    scores, outcome = checked("scores", scores, outcome, ndim=1)
    drawn = resampled_areas(scores[:, None], outcome, draw_counts(outcome, key, resamples))
    return percentiles(auc(scores, outcome), drawn[:, 0], level)


def auc_gain(
    scores: Real[AnyArray, " n"],
    baseline: Real[AnyArray, " n"],
    outcome: Bool[AnyArray, " n"],
    *,
    key,
    resamples: int = 1000,
    level: float = 0.95,
) -> Interval:
    """AUC(scores) - AUC(baseline), paired: both judged by the same runs in each resample of the bootstrap.

    The two areas share their luck, so the interval of the difference is much shorter than two intervals suggest.

    Args, Raises: as of `auc_interval`.
    """
    scores, outcome = checked("scores", scores, outcome, ndim=1)
    baseline, _ = checked("baseline", baseline, outcome, ndim=1)
    both = np.stack([scores, baseline], axis=1)
    drawn = resampled_areas(both, outcome, draw_counts(outcome, key, resamples))
    values = auc(both, outcome)
    return percentiles(values[0] - values[1], drawn[:, 0] - drawn[:, 1], level)


def draw_counts(outcome, key, resamples) -> Integer[np.ndarray, "resamples n"]:
    """How often each run occurs in each resample."""
    require.positive_integer("resamples", resamples)
    rng = generator(key)
    counts = np.zeros((resamples, len(outcome)), np.int32)
    for members in (np.flatnonzero(outcome), np.flatnonzero(~outcome)):
        drawn = rng.integers(len(members), size=(resamples, len(members)))
        flat = drawn + len(members) * np.arange(resamples)[:, None]
        counts[:, members] = np.bincount(flat.ravel(), minlength=drawn.size).reshape(drawn.shape)
    return counts


def resampled_areas(scores, outcome, counts) -> Float[np.ndarray, "resamples features"]:
    """AUC of every resample. Sorted once: how many of the larger class are below each of the smaller, and half of its ties."""
    swapped = outcome.sum() > (~outcome).sum()
    few = ~outcome if swapped else outcome
    weights, others = counts[:, few], counts[:, ~few]
    areas = []
    for column in scores.T:
        rest = column[~few]
        order = np.argsort(rest)
        below = np.pad(np.cumsum(others[:, order], axis=1, dtype=np.int32), ((0, 0), (1, 0)))
        left, right = (np.searchsorted(rest[order], column[few], side=side) for side in ("left", "right"))
        areas.append(np.sum(weights * (0.5 * (below[:, left] + below[:, right])), axis=1))
    areas = np.stack(areas, axis=1) / (few.sum() * (~few).sum())
    return 1 - areas if swapped else areas


def percentiles(value, drawn, level):
    require.positive("level", level)
    if level >= 1:
        raise ValueError(f"level must be below 1, but is {level!r}")
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(float(value), float(low), float(high))
