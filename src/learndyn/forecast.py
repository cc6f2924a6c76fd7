r"""Can an early number tell how training ends? Curves, intervals, and the baseline that every forecast has to beat.

Scores and outcomes are arrays of runs: a score per run, and whether the run ended in the class of interest. A forecast is
fitted to one part of the runs and judged by the other. Intervals are over the runs that it is judged by.
"""

import html
from collections.abc import Mapping
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Integer, Real
from scipy.special import expit
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from learndyn import _require as require

AnyArray = Array | np.ndarray


class Roc(NamedTuple):
    """The share of the others, and of the class, that scores at or above each threshold; from (0, 0) to (1, 1)."""

    false_positive: Float[np.ndarray, " t"]
    true_positive: Float[np.ndarray, " t"]
    threshold: Float[np.ndarray, " t"]


class Interval(NamedTuple):
    """An estimate, and the interval of its bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self):
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class Row(NamedTuple):
    """What one forecast reaches on runs it has not seen, and by how much it beats the baseline on the same runs."""

    name: str
    auc: Interval
    gain: Interval | None


class Comparison(NamedTuple):
    """A table of forecasts, the baseline first; `counts` are (in the class, not in it) of the two parts."""

    rows: tuple[Row, ...]
    fitted: tuple[int, int]
    judged: tuple[int, int]

    def __getitem__(self, name):
        """The row of this name, or the field of this number."""
        if isinstance(name, str):
            require.one_of("name", name, [row.name for row in self.rows])
            return next(row for row in self.rows if row.name == name)
        return tuple.__getitem__(self, name)

    def __str__(self):
        width = max(len(row.name) for row in self.rows)
        lines = [self._head(), f"{'forecast':{width}s}  {'AUC, held out':21s}  minus baseline"]
        for row in self.rows:
            gain = "(baseline)" if row.gain is None else f"{row.gain.value:+.3f} [{row.gain.low:+.3f}, {row.gain.high:+.3f}]"
            lines.append(f"{row.name:{width}s}  {row.auc!s:21s}  {gain}")
        return "\n".join(lines)

    def _head(self):
        return "fitted on {} in the class and {} not, judged by {} and {}".format(*self.fitted, *self.judged)

    def _repr_html_(self):
        cells = lambda row: (html.escape(row.name), row.auc, "baseline" if row.gain is None else row.gain)
        body = "".join('<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>'.format(*cells(row)) for row in self.rows)
        head = "".join(f'<th scope="col">{title}</th>' for title in ("forecast", "AUC, held out", "minus baseline"))
        return f"<table><caption>{self._head()}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class Nested(NamedTuple):
    """What further features add to those of the baseline; gains are positive if they help."""

    auc_base: Interval
    auc_full: Interval
    auc_gain: Interval
    log_loss_base: float
    log_loss_full: float
    log_loss_gain: Interval


def roc(scores: Real[AnyArray, " n"], outcome: Bool[AnyArray, " n"]) -> Roc:
    r"""$(P(s \ge c \mid \text{not in the class}),\ P(s \ge c \mid \text{in it}))$ for each c that makes a difference.

    Args:
      scores: high where the class is expected; ties are one threshold.
      outcome: whether the run is in the class; both must occur.

    Raises:
      ValueError, TypeError: for bad arguments.
    """
    scores, outcome = _judged("scores", scores, outcome, ndim=1)
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
    scores, outcome = _judged("scores", scores, outcome)
    positive = outcome.sum()
    ranks = rankdata(scores, axis=0)[outcome].sum(axis=0)
    return (ranks - positive * (positive + 1) / 2) / (positive * (len(outcome) - positive))


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
    scores, outcome = _judged("scores", scores, outcome, ndim=1)
    drawn = _resampled(scores[:, None], outcome, _counts(outcome, key, resamples))
    return _interval(auc(scores, outcome), drawn[:, 0], level)


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
    scores, outcome = _judged("scores", scores, outcome, ndim=1)
    baseline, _ = _judged("baseline", baseline, outcome, ndim=1)
    both = np.stack([scores, baseline], axis=1)
    drawn = _resampled(both, outcome, _counts(outcome, key, resamples))
    values = auc(both, outcome)
    return _interval(values[0] - values[1], drawn[:, 0] - drawn[:, 1], level)


def split(outcome: Bool[AnyArray, " n"], share: float, *, key) -> Bool[np.ndarray, " n"]:
    """True for the `share` of the runs that is held out, with the same balance of classes in both parts.

    Raises:
      ValueError, TypeError: for bad arguments, or when a class is too small for both parts.
    """
    outcome = _outcome(outcome)
    require.positive("share", share)
    if share >= 1:
        raise ValueError(f"share must be below 1, but is {share!r}")
    if not 2 <= outcome.sum() <= len(outcome) - 2:
        raise ValueError(f"outcome must have two runs of each kind, one for each part, but has {outcome.sum()} of {len(outcome)} in the class")
    rng, held = _generator(key), np.zeros(len(outcome), bool)
    for members in (np.flatnonzero(outcome), np.flatnonzero(~outcome)):
        size = min(max(1, round(share * len(members))), len(members) - 1)
        held[rng.permutation(members)[:size]] = True
    return held


def compare(
    features: Mapping[str, Real[AnyArray, "n *k"]],
    outcome: Bool[AnyArray, " n"],
    *,
    baseline: str,
    key,
    share: float = 0.5,
    classifier=None,
    resamples: int = 1000,
    level: float = 0.95,
) -> Comparison:
    """Forecasts side by side: fitted on one part of the runs, judged by the other, each against the baseline.

    A single number is used as it is, with the sign that is right on the fitted part. Several are combined by a classifier.

    Args:
      features: name -> one number a run, or several.
      outcome: whether the run is in the class.
      baseline: the name of the feature that has to be beaten, such as the loss at the same step.
      key: PRNG key of the split and of the bootstrap.
      share: of the runs, held out.
      classifier: an estimator of scikit-learn with `predict_log_proba`; by default Gaussian naive Bayes.
      resamples, level: as of `auc_interval`.

    Raises:
      ValueError, TypeError: for bad arguments.
    """
    outcome = _outcome(outcome)
    if not isinstance(features, Mapping):
        raise TypeError(f"features must be a dictionary, but is {features!r}")
    require.one_of("baseline", baseline, features)
    features = {name: _judged(f"features[{name!r}]", value, outcome)[0] for name, value in features.items()}
    parts, draws = jax.random.split(key)
    held = split(outcome, share, key=parts)
    truth = outcome[held]
    names = [baseline, *(name for name in features if name != baseline)]
    classifier = _classifier(classifier, GaussianNB())
    scores = np.stack([_score(features[name], outcome, held, classifier) for name in names], axis=1)
    values, drawn = auc(scores, truth), _resampled(scores, truth, _counts(truth, draws, resamples))
    rows = [Row(baseline, _interval(values[0], drawn[:, 0], level), None)]
    for i, name in enumerate(names[1:], start=1):
        gain = _interval(values[i] - values[0], drawn[:, i] - drawn[:, 0], level)
        rows.append(Row(name, _interval(values[i], drawn[:, i], level), gain))
    balance = lambda part: (int(part.sum()), int((~part).sum()))
    return Comparison(tuple(rows), balance(outcome[~held]), balance(truth))


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
    outcome = _outcome(outcome)
    base, extra = _judged("base", base, outcome)[0], _judged("extra", extra, outcome)[0]
    columns = lambda value: value.reshape(len(outcome), -1)
    parts, draws = jax.random.split(key)
    held = split(outcome, share, key=parts)
    truth = outcome[held]
    classifier = _classifier(classifier, make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)))
    odds = [_odds(value, outcome, held, classifier) for value in (columns(base), np.hstack([columns(base), columns(extra)]))]
    counts, scores = _counts(truth, draws, resamples), np.stack(odds, axis=1)
    values, drawn = auc(scores, truth), _resampled(scores, truth, counts)
    surprise = np.logaddexp(0.0, np.where(truth[:, None], -scores, scores))  # -log of the probability of what happened
    saved = surprise[:, 0] - surprise[:, 1]
    return Nested(
        _interval(values[0], drawn[:, 0], level),
        _interval(values[1], drawn[:, 1], level),
        _interval(values[1] - values[0], drawn[:, 1] - drawn[:, 0], level),
        float(surprise[:, 0].mean()),
        float(surprise[:, 1].mean()),
        _interval(saved.mean(), counts @ saved / len(truth), level),
    )


def _classifier(given, default):
    if given is None:
        return default
    if not (hasattr(given, "fit") and hasattr(given, "predict_log_proba")):
        raise TypeError(f"classifier must be an estimator of scikit-learn with predict_log_proba, but is {given!r}")
    return given


def _score(feature, outcome, held, classifier):
    if feature.ndim > 1 and feature[0].size > 1:
        return _odds(feature.reshape(len(outcome), -1), outcome, held, classifier)
    feature = feature.reshape(-1)
    return feature[held] if auc(feature[~held], outcome[~held]) >= 0.5 else -feature[held]


def _odds(features, outcome, held, classifier):
    """Logarithms of the odds, exact also where a probability rounds to one."""
    fitted = clone(classifier).fit(features[~held], outcome[~held])
    if hasattr(fitted, "decision_function"):
        odds = fitted.decision_function(features[held])
        if np.allclose(expit(odds), fitted.predict_proba(features[held])[:, 1], atol=1e-9):
            return odds
    with np.errstate(divide="ignore"):
        logs = fitted.predict_log_proba(features[held])
    return np.clip(logs[:, 1] - logs[:, 0], -1e9, 1e9)  # a probability of zero is no certainty


def _counts(outcome, key, resamples) -> Integer[np.ndarray, "resamples n"]:
    """How often each run occurs in each resample."""
    require.positive_integer("resamples", resamples)
    rng = _generator(key)
    counts = np.zeros((resamples, len(outcome)), np.int32)
    for members in (np.flatnonzero(outcome), np.flatnonzero(~outcome)):
        drawn = rng.integers(len(members), size=(resamples, len(members)))
        flat = drawn + len(members) * np.arange(resamples)[:, None]
        counts[:, members] = np.bincount(flat.ravel(), minlength=drawn.size).reshape(drawn.shape)
    return counts


def _resampled(scores, outcome, counts) -> Float[np.ndarray, "resamples features"]:
    """AUC of every resample. Sorted once: how many of the larger class are below each of the smaller, and half of its ties."""
    swapped = outcome.sum() > (~outcome).sum()
    few = ~outcome if swapped else outcome
    weights, others = counts[:, few], counts[:, ~few]
    areas = []
    for column in scores.T:
        rest = column[~few]
        order = np.argsort(rest)
        below = np.pad(np.cumsum(others[:, order], axis=1), ((0, 0), (1, 0)))
        left, right = (np.searchsorted(rest[order], column[few], side=side) for side in ("left", "right"))
        areas.append(np.sum(weights * (0.5 * (below[:, left] + below[:, right])), axis=1))
    areas = np.stack(areas, axis=1) / (few.sum() * (~few).sum())
    return 1 - areas if swapped else areas


def _interval(value, drawn, level):
    require.positive("level", level)
    if level >= 1:
        raise ValueError(f"level must be below 1, but is {level!r}")
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(float(value), float(low), float(high))


def _generator(key):
    require.key("key", key)
    words = key if key.dtype == np.uint32 else jax.random.key_data(key)
    return np.random.default_rng(np.asarray(words))


def _outcome(outcome):
    if not hasattr(outcome, "dtype") or outcome.dtype != bool or outcome.ndim != 1:
        raise TypeError(f"outcome must be one array of True and False, such as final_loss < 4, but is {outcome!r}")
    outcome = np.asarray(outcome)
    if not 0 < outcome.sum() < len(outcome):
        raise ValueError(f"outcome must have runs in the class and others, but has {outcome.sum()} of {len(outcome)} in it")
    return outcome


def _judged(name, scores, outcome, ndim=None):
    outcome = _outcome(outcome)
    require.array(name, scores, ndim=ndim)
    if scores.ndim < 1 or scores.shape[0] != len(outcome):
        raise ValueError(f"{name} must have one row for each of the {len(outcome)} runs of outcome, but has shape {tuple(scores.shape)}")
    return np.asarray(scores, float), outcome
