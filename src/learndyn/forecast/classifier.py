"""What is fitted on one part of the runs, and the scores it gives to the other."""

import numpy as np
from jaxtyping import Bool
from scipy.special import expit
from sklearn.base import clone

from learndyn import _require as require
from learndyn.forecast.curve import auc
from learndyn.forecast.runs import AnyArray, checked_outcome, generator


def split(outcome: Bool[AnyArray, " n"], share: float, *, key) -> Bool[np.ndarray, " n"]:
    """True for the `share` of the runs that is held out, with the same balance of classes in both parts.

    Raises:
      ValueError, TypeError: for bad arguments, or when a class is too small for both parts.
    """
    outcome = checked_outcome(outcome)
    require.positive("share", share)
    if share >= 1:
        raise ValueError(f"share must be below 1, but is {share!r}")
    if not 2 <= outcome.sum() <= len(outcome) - 2:
        raise ValueError(f"outcome must have two runs of each kind, one for each part, but has {outcome.sum()} of {len(outcome)} in the class")
    rng, held = generator(key), np.zeros(len(outcome), bool)
    for members in (np.flatnonzero(outcome), np.flatnonzero(~outcome)):
        size = min(max(1, round(share * len(members))), len(members) - 1)
        held[rng.permutation(members)[:size]] = True
    return held


def estimator(given, default):
    if given is None:
        return default
    if not (hasattr(given, "fit") and hasattr(given, "predict_log_proba")):
        raise TypeError(f"classifier must be an estimator of scikit-learn with predict_log_proba, but is {given!r}")
    return given


def held_out_score(feature, outcome, held, classifier):
    if feature.ndim > 1 and feature[0].size > 1:
        return held_out_odds(feature.reshape(len(outcome), -1), outcome, held, classifier)
    feature = feature.reshape(-1)
    return feature[held] if auc(feature[~held], outcome[~held]) >= 0.5 else -feature[held]


def held_out_odds(features, outcome, held, classifier):
    """Logarithms of the odds, exact also where a probability rounds to one."""
    fitted = clone(classifier).fit(features[~held], outcome[~held])
    if hasattr(fitted, "decision_function"):
        odds = fitted.decision_function(features[held])
        if np.allclose(expit(odds), fitted.predict_proba(features[held])[:, 1], atol=1e-9):
            return odds
    with np.errstate(divide="ignore"):
        logs = fitted.predict_log_proba(features[held])
    return np.clip(logs[:, 1] - logs[:, 0], -1e9, 1e9)  # a probability of zero is no certainty
