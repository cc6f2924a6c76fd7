"""The checks of *From stability to the edge* accept what is right and say what is wrong."""

import numpy as np
import pytest

from learndyn.exercises import sharpness as check


def limit(rate, momentum, nesterov, decay):
    return (2 + 2 * momentum) / rate / (1 + 2 * momentum * nesterov) - decay


def overshoot(x0, progress, feedback):
    ratio = x0 / (2 * progress / feedback) ** 0.5
    return (2 * progress * (-np.log(ratio) - 0.5 + 0.5 * ratio**2)) ** 0.5


def gain(x, y, progress, feedback, rate):
    eaten = 0.5 * feedback * x**2
    return 0.5 * rate**2 * ((progress - eaten) ** 2 + (progress + eaten) * y**2)


def variance(gradient, slope):
    return max(0.0, -2 * float(gradient @ slope) / float(slope @ slope))


RIGHT = [(check.check_limit, limit), (check.check_overshoot, overshoot), (check.check_gain, gain), (check.check_variance, variance)]

WRONG = [
    (check.check_limit, lambda rate, momentum, nesterov, decay: 2 / rate - decay, "momentum 0.9.*still dies out"),
    (check.check_limit, lambda *rule: limit(*rule[:2], False, rule[3]), "Nesterov.*grows"),
    (check.check_limit, lambda *rule: limit(*rule[:3], 0.0), "decay 0.5.*grows"),
    (check.check_overshoot, lambda x0, a, b: (2 * a * np.log((2 * a / b) ** 0.5 / x0)) ** 0.5, "rises to y"),
    (check.check_overshoot, lambda x0, a, b: overshoot(x0, a, b) / 2**0.5, "rises to y"),
    (check.check_gain, lambda x, y, a, b, rate: 0.0, "adds"),
    (check.check_gain, lambda x, y, a, b, rate: 0.5 * rate**2 * ((a - b * x**2 / 2) ** 2 + b * x**2 * y**2), "adds"),
    (check.check_variance, lambda g, s: -2 * float(g @ s) / float(s @ s), "not negative"),
    (check.check_variance, lambda g, s: max(0.0, -float(g @ s) / float(s @ s)), "and not zero"),
    (check.check_variance, lambda g, s: abs(2 * float(g @ s) / float(s @ s)), "falls by itself"),
]


@pytest.mark.parametrize("judge, answer", RIGHT, ids=lambda value: value.__name__)
def test_right_answers_pass(judge, answer, capsys):
    judge(answer)
    assert capsys.readouterr().out.startswith("Right")


@pytest.mark.parametrize("judge, answer, said", WRONG)
def test_wrong_answers_are_told(judge, answer, said):
    with pytest.raises(AssertionError, match=said):
        judge(answer)
