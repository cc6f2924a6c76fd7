"""The checks of *What went wrong?* accept what is right and say what is wrong."""

import numpy as np
import pytest

from learndyn.exercises import failures as check


def gain(slope):
    return (2 / (1 + slope**2)) ** 0.5


def wait(start, end, depth):
    if depth == 2:
        return np.log(end / start)
    return (start ** (2 - depth) - end ** (2 - depth)) / (depth - 2)


def precision(recall, false_alarms, share):
    return recall * share / (recall * share + false_alarms * (1 - share))


def lead(record):
    jump = lambda name: np.argmax(np.diff(record[name]))
    return jump("validation_loss") - jump("train_loss")


def threshold_in_units(record):
    first = lambda name: np.argmax(np.diff(record[name]) > 0.5)
    return first("validation_loss") - first("train_loss")


RIGHT = [(check.check_gain, gain), (check.check_wait, wait), (check.check_precision, precision), (check.check_lead, lead)]

WRONG = [
    (check.check_gain, lambda slope: 2**0.5, "slope 0.1"),
    (check.check_gain, lambda slope: 2 / (1 + slope**2), "slope 0: with the answer 2 a layer multiplies the mean square by 2,"),
    (check.check_gain, lambda slope: -gain(slope), "slope 0"),
    (check.check_wait, lambda start, end, depth: np.log(end / start), "depth 3"),
    (check.check_wait, lambda start, end, depth: start ** (1 - depth) - end ** (1 - depth), "depth 2"),
    (check.check_precision, lambda recall, false_alarms, share: recall / (recall + false_alarms), "1.0% sick"),
    (check.check_precision, lambda recall, false_alarms, share: recall, "1.0% sick"),
    (check.check_lead, lambda record: -lead(record), "the lead is 1, and the answer is -1"),
    (check.check_lead, threshold_in_units, "in other units"),
    (check.check_lead, lambda record: 0, "the lead is 1"),
]


@pytest.mark.parametrize("judge, answer", RIGHT, ids=lambda value: value.__name__)
def test_right_answers_pass(judge, answer, capsys):
    judge(answer)
    assert capsys.readouterr().out.startswith("Right")


@pytest.mark.parametrize("judge, answer, said", WRONG, ids=[f"{row[0].__name__}-{k}" for k, row in enumerate(WRONG)])
def test_wrong_answers_are_told(judge, answer, said):
    with pytest.raises(AssertionError, match=said):
        judge(answer)
