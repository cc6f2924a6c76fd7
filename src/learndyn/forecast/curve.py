"""Hits against false alarms, and the area below."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Real
from scipy.stats import rankdata

from learndyn.forecast.runs import AnyArray, checked


class Roc(NamedTuple):
    """The share of the others, and of the class, that scores at or above each threshold; from (0, 0) to (1, 1)."""

    false_positive: Float[np.ndarray, " t"]
    true_positive: Float[np.ndarray, " t"]
    threshold: Float[np.ndarray, " t"]


def roc(scores: Real[AnyArray, " n"], outcome: Bool[AnyArray, " n"]) -> Roc:
    r"""$(P(s \ge c \mid \text{not in the class}),\ P(s \ge c \mid \text{in it}))$ for each c that makes a difference.

    Args:
      scores: high where the class is expected; ties are one threshold.
      outcome: whether the run is in the class; both must occur.

    Raises:
      ValueError, TypeError: for bad arguments.
    """
    scores, outcome = checked("scores", scores, outcome, ndim=1)
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # of a group of ties
    hits, misses = np.cumsum(outcome[order])[last], np.cumsum(~outcome[order])[last]
    return Roc(np.append(0.0, misses / misses[-1]), np.append(0.0, hits / hits[-1]), np.append(np.inf, scores[order][last]))


def auc(scores: Real[AnyArray, "n *features"], outcome: Bool[AnyArray, " n"]) -> Float[np.ndarray, "*features"] | float:
    r"""$P(s_+ > s_-) + \frac12 P(s_+ = s_-)$ for one run of the class and one of the others: the area under the curve.

    From ranks $R_i$, with ties at their mean: $\big(\sum_+ R_i - \frac12 n_+(n_+ + 1)\big) / (n_+ n_-)$.

    Args:
      scores: one or, along further axes, many forecasts of the same runs.
      outcome: whether the run is in the class; both must occur.

    Raises:
      ValueError, TypeError: for bad arguments. A run that is not finite has no rank: decide what it counts as.

    Source: Mann and Whitney's statistic; Hanley and McNeil (1982).
    """
    scores, outcome = checked("scores", scores, outcome)
    positive = outcome.sum()
    ranks = rankdata(scores, axis=0)[outcome].sum(axis=0)
    return (ranks - positive * (positive + 1) / 2) / (positive * (len(outcome) - positive))
