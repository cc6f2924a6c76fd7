"""From a recorded run to named findings."""

from collections.abc import Mapping

import numpy as np

from learndyn.diagnosis.causes import CAUSES
from learndyn.diagnosis.record import Record
from learndyn.diagnosis.report import Diagnosis, Finding
from learndyn.diagnosis.rules import CONSEQUENCES, RULES, missing


def diagnose(run: Mapping) -> Diagnosis:
    r"""Named findings: each failure whose symptom, a number without units, exceeds a threshold that was fitted.

    Args:
      run: what a loop logged, arrays by name. `train_loss` (T,) is needed, all else is optional (`record.KEYS` says what
        each is): step, validation_loss, gradient_norm, parameter_norm, learning_rate, sharpness (T,);
        chance_loss, a number; layer_gradient_norm,
        update_ratio (T, layers); dead_fraction, saturated_fraction (T, hidden layers). An entry that was measured at other
        steps is a pair (steps, values); between two measurements the last one holds. The loss is zero or positive; from
        its first value that is not finite on, the run counts as broken, which is a finding and not an error.

    Returns:
      `Diagnosis`: findings, causes before their consequences; scores of all rules that were judged; rules that were not
      judged, and what they need. It prints as text, and in a notebook as a table.

    Raises:
      ValueError, TypeError: for an unknown entry, shapes that do not match, fewer than 20 lines, negative losses, or
        entries that are not finite while the train loss is.
    """
    record = Record(run)
    symptoms, not_judged = {}, {}
    for name, rule in RULES.items():
        if lacks := missing(rule, record):
            not_judged[name] = " and ".join(lacks)
            continue
        symptom = rule.symptom(record) if record.end >= rule.lines else f"{rule.lines} lines before the run broke"
        if isinstance(symptom, str):
            not_judged[name] = symptom
            continue
        symptoms[name] = symptom
    found = [name for name, symptom in symptoms.items() if symptom.score > RULES[name].threshold]
    findings = []
    for name in _causes_first(found, symptoms, record):
        rule, symptom = RULES[name], symptoms[name]
        step = float(record.step[min(symptom.line, len(record.step) - 1)])
        cause, advice = _cause(name, record, symptom.line, [finding.name for finding in findings]) or (None, rule.advice)
        confidence = rule.confidence(symptom.score)
        findings.append(Finding(name, confidence, symptom.score, rule.threshold, step, symptom.evidence, cause, advice))
    return Diagnosis(tuple(findings), {name: symptom.score for name, symptom in symptoms.items()}, not_judged)


def _causes_first(found, symptoms, record):
    """In the order of the rules; but a sudden spike in a run that had learned by then is before the divergence it began."""
    if {"loss spike", "divergence"} <= set(found):
        line, top = symptoms["loss spike"].line, symptoms["divergence"].line
        loss = record.whole("train_loss")
        level = np.median(loss[max(0, line - 10) : line])
        if level < 0.5 * loss[0] and loss[line - 1] < 2 * level and top - line <= 5:
            found.remove("loss spike")
            found.insert(found.index("divergence"), "loss spike")
    return found


def _cause(name, record, line, earlier):
    """What the log tells about the cause, or else a failure found before that brings this one about."""
    told = CAUSES[name](record, line) if name in CAUSES else None
    roots = [root for root in earlier if name in CONSEQUENCES[root]]
    if roots and (told is None or told[0].startswith("rate too low")):  # which is what is left where nothing else tells
        return f"likely brought about by {roots[0]}", RULES[roots[0]].advice
    return told
