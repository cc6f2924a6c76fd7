"""The checks of *The learning rate is the control* accept what is right and say what is wrong."""

import pytest

from learndyn.exercises import learning_rate as check


def trade(batch, scale):
    return 1 + scale / batch, 1 + batch / scale


def variance(curvature, rate, momentum, noise):
    return rate * noise * (1 + momentum) / (1 - momentum) / curvature / (2 * (1 + momentum) - rate * curvature)


RIGHT = [(check.check_trade, trade), (check.check_variance, variance)]

WRONG = [
    (check.check_trade, lambda batch, scale: (1 + scale / batch, 1 + scale / batch), "fewest samples"),
    (check.check_trade, lambda batch, scale: (scale / batch, 1 + batch / scale), "fewest steps"),
    (check.check_variance, lambda a, r, m, s: r * s / a / (2 - r * a), "momentum 0.9"),
    (check.check_variance, lambda a, r, m, s: r * s / (2 * a * (1 - m)), "the variance is"),
]


@pytest.mark.parametrize("judge, answer", RIGHT, ids=lambda value: value.__name__)
def test_right_answers_pass(judge, answer, capsys):
    judge(answer)
    assert capsys.readouterr().out.startswith("Right")


@pytest.mark.parametrize("judge, answer, said", WRONG, ids=[f"{row[0].__name__}-{k}" for k, row in enumerate(WRONG)])
def test_wrong_answers_are_told(judge, answer, said):
    with pytest.raises(AssertionError, match=said):
        judge(answer)
