r"""What went wrong in a training? The recorded run of any loop, read by rules whose errors are measured.

An idea a module:

- `record`: a run as a dictionary of arrays, checked and brought onto common steps;
- `logs`: a run from a table;
- `symptoms`: one number without units for each failure;
- `rules`: a symptom, its threshold, what it needs, and what to do; what brings what about;
- `causes`: what brought a failure about, where the log tells;
- `calibration`: the thresholds, and how they are fitted;
- `assessment`: precision and recall on runs whose failure is known;
- `report`: findings with evidence and advice, as text and as a table;
- `failures`: each failure produced on purpose, at any severity, many runs at once;
- `training`: the trainings behind them, one compiled program for all.

The rules, the recipes of the failures, and what brings what about are the dictionaries `RULES`, `RECIPES`, and `CONSEQUENCES`.
"""

from learndyn.diagnosis.assessment import Assessment, Score, assess
from learndyn.diagnosis.calibration import fit
from learndyn.diagnosis.examine import diagnose
from learndyn.diagnosis.failures import RECIPES as RECIPES, Run, generate
from learndyn.diagnosis.logs import read_csv
from learndyn.diagnosis.report import Diagnosis, Finding
from learndyn.diagnosis.rules import CONSEQUENCES as CONSEQUENCES, RULES as RULES

__all__ = [
    "Assessment",
    "Diagnosis",
    "Finding",
    "Run",
    "Score",
    "assess",
    "diagnose",
    "fit",
    "generate",
    "read_csv",
]
