"""Forecasts side by side, each against the baseline."""

import html
from collections.abc import Mapping
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Real
from sklearn.naive_bayes import GaussianNB

from learndyn import _require as require
from learndyn.forecast.bootstrap import Interval, draw_counts, percentiles, resampled_areas
from learndyn.forecast.classifier import estimator, held_out_score, split
from learndyn.forecast.curve import auc
from learndyn.forecast.runs import AnyArray, checked, checked_outcome


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
    outcome = checked_outcome(outcome)
    if not isinstance(features, Mapping):
        raise TypeError(f"features must be a dictionary, but is {features!r}")
    require.one_of("baseline", baseline, features)
    features = {name: checked(f"features[{name!r}]", value, outcome)[0] for name, value in features.items()}
    parts, draws = jax.random.split(key)
    held = split(outcome, share, key=parts)
    truth = outcome[held]
    names = [baseline, *(name for name in features if name != baseline)]
    classifier = estimator(classifier, GaussianNB())
    scores = np.stack([held_out_score(features[name], outcome, held, classifier) for name in names], axis=1)
    values, drawn = auc(scores, truth), resampled_areas(scores, truth, draw_counts(truth, draws, resamples))
    rows = [Row(baseline, percentiles(values[0], drawn[:, 0], level), None)]
    for i, name in enumerate(names[1:], start=1):
        gain = percentiles(values[i] - values[0], drawn[:, i] - drawn[:, 0], level)
        rows.append(Row(name, percentiles(values[i], drawn[:, i], level), gain))
    balance = lambda part: (int(part.sum()), int((~part).sum()))
    return Comparison(tuple(rows), balance(outcome[~held]), balance(truth))
