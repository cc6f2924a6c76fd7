"""The checks of *Can the first steps tell?* accept what is right and say what is wrong."""

import numpy as np
import pytest
from scipy.stats import rankdata

from learndyn.exercises import forecast as check


def area(scores, outcome):
    n = outcome.sum()
    return (rankdata(scores)[outcome].sum() - n * (n + 1) / 2) / (n * (~outcome).sum())


def unfair(scores, outcome):
    return np.mean(scores[outcome][:, None] > scores[~outcome][None])


def standard_error(scores, outcome):
    wins = scores[outcome][:, None] > scores[~outcome][None]
    return (wins.mean(axis=1).var(ddof=1) / wins.shape[0] + wins.mean(axis=0).var(ddof=1) / wins.shape[1]) ** 0.5


def frame(a, angle):
    first = 0.5 * np.log(np.exp(2 * a) * np.cos(angle) ** 2 + np.exp(-2 * a) * np.sin(angle) ** 2)
    return first, -first


def restart(bad, hit, alarm, cut, total):
    kept = bad * (1 - hit) + (1 - bad) * (1 - alarm)
    return (cut + (total - cut) * kept) / ((1 - bad) * (1 - alarm))


def binomial(scores, outcome):
    p = unfair(scores, outcome)
    return (p * (1 - p) / len(scores)) ** 0.5


RIGHT = [
    (check.check_area, area),
    (check.check_standard_error, standard_error),
    (check.check_frame, frame),
    (check.check_restart, restart),
]

WRONG = [
    (check.check_area, unfair, "ties"),
    (check.check_area, lambda s, o: 1 - area(s, o), "no ties"),
    (check.check_area, lambda s, o: area(s, o) + 1 / (~o).sum(), "no ties"),
    (check.check_standard_error, binomial, "20 runs in the class"),
    (check.check_standard_error, lambda s, o: standard_error(s, o) ** 2, "20 runs in the class"),
    (check.check_standard_error, lambda s, o: (unfair(s, o) * (1 - unfair(s, o)) / o.sum()) ** 0.5, "varies by"),
    (check.check_frame, lambda a, angle: (a, -a), "angle 0.700.*grows"),
    (check.check_frame, lambda a, angle: (frame(a, angle)[0], -a), "add up"),
    (check.check_frame, lambda a, angle: frame(a, angle)[0], "two exponents"),
    (check.check_restart, lambda b, h, f, c, T: (c + (T - c) * (b * (1 - h) + (1 - b) * (1 - f))) / (1 - b), "a good end costs"),
    (check.check_restart, lambda b, h, f, c, T: T / ((1 - b) * (1 - f)), "a good end costs"),
    (check.check_restart, lambda b, h, f, c, T: c + restart(b, h, f, c, T), "a good end costs"),
]


@pytest.mark.parametrize("judge, answer", RIGHT, ids=lambda value: value.__name__)
def test_right_answers_pass(judge, answer, capsys):
    judge(answer)
    assert capsys.readouterr().out.startswith("Right")


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_answers_are_told(case):
    judge, answer, said = WRONG[case]
    with pytest.raises(AssertionError, match=said):
        judge(answer)
