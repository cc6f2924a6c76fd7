r"""Can an early number tell how training ends? Curves, intervals, and the baseline that every forecast has to beat.

Scores and outcomes are arrays of runs: a score per run, and whether the run ended in the class of interest. A forecast is
fitted to one part of the runs and judged by the other. Intervals are over the runs that it is judged by.

An idea a module:

- `runs`: what is judged, scores and outcomes, checked;
- `curve`: hits against false alarms, and the area below;
- `bootstrap`: how far an area, or a difference of two, is known;
- `classifier`: what is fitted on one part, and the scores it gives to the other;
- `comparison`: forecasts side by side, each against the baseline;
- `nesting`: what further features add to a forecast.
"""

from learndyn.forecast.bootstrap import Interval, auc_gain, auc_interval
from learndyn.forecast.classifier import split
from learndyn.forecast.comparison import Comparison, Row, compare
from learndyn.forecast.curve import Roc, auc, roc
from learndyn.forecast.nesting import Nested, nested

__all__ = [
    "Comparison",
    "Interval",
    "Nested",
    "Roc",
    "Row",
    "auc",
    "auc_gain",
    "auc_interval",
    "compare",
    "nested",
    "roc",
    "split",
]
