"""How often the rules are right: precision and recall on runs whose failure is known."""

import html
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import beta

from learndyn import _require as require
from learndyn.diagnosis.examine import diagnose
from learndyn.diagnosis.failures import Run
from learndyn.diagnosis.rules import CONSEQUENCES, RULES


class Score(NamedTuple):
    """One rule on runs with and without its failure; intervals of 95 %."""

    sick: int  # runs with the failure
    sound: int  # runs without it
    recall: float
    recall_interval: tuple[float, float]
    false_alarms: float  # share of the sound runs
    precision: float  # recall / (recall + false alarms): where as many runs are sick as sound
    precision_interval: tuple[float, float]
    first: float  # share of the sick runs in which it is the first finding


class Assessment(dict):
    """A `Score` for each failure; prints as text, and in a notebook as a table."""

    HEAD = ("Failure", "With", "Without", "Recall", "False alarms", "Precision", "Named first")

    def rows(self):
        """The table's cells as text."""
        for name, s in self.items():
            yield (name, f"{s.sick}", f"{s.sound}", f"{s.recall:.3f} ({s.recall_interval[0]:.2f}-{s.recall_interval[1]:.2f})",
                   f"{s.false_alarms:.3f}", f"{s.precision:.3f} ({s.precision_interval[0]:.2f}-{s.precision_interval[1]:.2f})",
                   f"{s.first:.2f}")  # fmt: skip

    def __str__(self):
        line = "{:22s} {:>5s} {:>7s}   {:20s} {:>12s}   {:20s} {:>11s}"
        return "\n".join(line.format(*row) for row in (self.HEAD, *self.rows()))

    def _repr_html_(self):
        head = "".join(f'<th scope="col">{cell}</th>' for cell in self.HEAD)
        body = "".join(
            f'<tr><th scope="row" style="text-align: left">{html.escape(row[0])}</th>'
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:]) + "</tr>"
            for row in self.rows()
        )  # fmt: skip
        caption = "<caption>Precision and recall, with intervals of 95 %</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def assess(runs: Sequence[Run], *, consequences: bool = True) -> Assessment:
    r"""Recall tp/(tp + fn) and precision for each failure, where sick and sound runs are equally many.

    A failure may bring about another by itself (`CONSEQUENCES`): its runs count neither with nor without the other.

    Args:
      runs: `Run`s as `generate` makes them, with and without each failure that is to be judged.
      consequences: False to count them, too, as runs without the other: the strictest reading.

    Returns:
      `Assessment`, for each failure of which there are runs; intervals are those of independent Jeffreys posteriors.

    Raises:
      ValueError, TypeError: where there is no run without a failure.
    """
    require.sequence("runs", runs)
    runs = list(runs)
    for i, run in enumerate(runs):
        if not isinstance(run, Run):
            raise TypeError(f"runs[{i}] must be a Run, as generate makes them, but is of type {type(run).__name__}")
    diagnoses = [(run.failure, diagnose(run.record).names) for run in runs]
    found = Assessment()
    for name in RULES:
        sick = [names for failure, names in diagnoses if failure == name]
        sound = [
            names for failure, names in diagnoses
            if failure != name and not (consequences and name in CONSEQUENCES.get(failure, ()))
        ]  # fmt: skip
        if not sick:
            continue
        if not sound:
            raise ValueError(f"runs must hold some without {name}, but holds {len(sick)} with it and none without")
        hits, alarms = sum(name in names for names in sick), sum(name in names for names in sound)
        found[name] = _score(len(sick), hits, len(sound), alarms, sum(names[:1] == (name,) for names in sick))
    return found


def _score(sick, hits, sound, alarms, first):
    recall, false = hits / sick, alarms / sound
    posterior = lambda k, n: beta(k + 0.5, n - k + 0.5)
    rng = np.random.default_rng(0)
    r, f = (posterior(*counts).rvs(4000, random_state=rng) for counts in ((hits, sick), (alarms, sound)))
    interval = lambda values: tuple(float(v) for v in values)
    return Score(
        sick, sound, recall, interval(posterior(hits, sick).ppf([0.025, 0.975])), false,
        recall / (recall + false) if recall + false else 0.0, interval(np.quantile(r / (r + f), [0.025, 0.975])), first / sick,
    )  # fmt: skip
