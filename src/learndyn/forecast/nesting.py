"""What further features add to a forecast."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Real
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from learndyn.forecast.bootstrap import Interval, draw_counts, percentiles, resampled_areas
from learndyn.forecast.classifier import estimator, held_out_odds, split
from learndyn.forecast.curve import auc
from learndyn.forecast.runs import AnyArray, checked, checked_outcome


class Nested(NamedTuple):
    """What further features add to those of the baseline; gains are positive if they help."""

    auc_base: Interval
    auc_full: Interval
    auc_gain: Interval
    log_loss_base: float
    log_loss_full: float
    log_loss_gain: Interval


def nested(
    base: Real[AnyArray, "n *k"],
    extra: Real[AnyArray, "n *m"],
    outcome: Bool[AnyArray, " n"],
    *,
    key,
    share: float = 0.5,
    classifier=None,
    resamples: int = 1000,
    level: float = 0.95,
) -> Nested:
    r"""What `extra` adds to `base`: the same classifier with and without, judged by the same runs that it has not seen.

    Twice the number of judged runs times the gain of log loss is the logarithm of the held-out likelihood ratio, doubled.

    Args:
      base, extra: one number a run, or several; `extra` alone may be good and add nothing.
      classifier: an estimator of scikit-learn with `predict_log_proba`; by default logistic regression on standardized
        features, for its probabilities are calibrated and those of naive Bayes, on features that depend on each other, are not.
      outcome, key, share, resamples, level: as of `compare`.

    Raises:
      ValueError, TypeError: for bad arguments.
    """
    outcome = checked_outcome(outcome)
    base, extra = checked("base", base, outcome)[0], checked("extra", extra, outcome)[0]
    columns = lambda value: value.reshape(len(outcome), -1)
    parts, draws = jax.random.split(key)
    held = split(outcome, share, key=parts)
    truth = outcome[held]
    classifier = estimator(classifier, make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky")))
    odds = [held_out_odds(value, outcome, held, classifier) for value in (columns(base), np.hstack([columns(base), columns(extra)]))]
    counts, scores = draw_counts(truth, draws, resamples), np.stack(odds, axis=1)
    values, drawn = auc(scores, truth), resampled_areas(scores, truth, counts)
    surprise = np.logaddexp(0.0, np.where(truth[:, None], -scores, scores))  # -log of the probability of what happened
    saved = surprise[:, 0] - surprise[:, 1]
    return Nested(
        percentiles(values[0], drawn[:, 0], level),
        percentiles(values[1], drawn[:, 1], level),
        percentiles(values[1] - values[0], drawn[:, 1] - drawn[:, 0], level),
        float(surprise[:, 0].mean()),
        float(surprise[:, 1].mean()),
        percentiles(saved.mean(), counts @ saved / len(truth), level),
    )
