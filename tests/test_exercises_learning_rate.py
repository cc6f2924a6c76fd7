"""The checks of *The learning rate is the control* accept what is right and say what is wrong."""

import numpy as np
import pytest

from learndyn.exercises import learning_rate as check


def estimate(small_squared, big_squared, small, big, n):
    a, b = ((n - B) / (B * (n - 1)) for B in (small, big))
    trace = (small_squared - big_squared) / (a - b)
    return small_squared - a * trace, trace


def with_replacement(small_squared, big_squared, small, big, n):
    trace = (small_squared - big_squared) / (1 / small - 1 / big)
    return small_squared - trace / small, trace


def trade(batch, scale):
    return 1 + scale / batch, 1 + batch / scale


def variance(curvature, rate, momentum, noise):
    return rate * noise * (1 + momentum) / (1 - momentum) / curvature / (2 * (1 + momentum) - rate * curvature)


def typical_limit(squares):
    rates = np.linspace(0, 4 / np.mean(squares), 400_001)[1:]
    growth = sum(np.log(np.abs(1 - rates * a) + 1e-300) for a in squares)
    return rates[np.argmax(growth > 0)]


RIGHT = [(check.check_estimate, estimate), (check.check_trade, trade), (check.check_variance, variance), (check.check_typical, typical_limit)]

WRONG = [
    (check.check_estimate, with_replacement, "batches of 1 and 3 out of 6: the mean of your estimates of"),
    (check.check_estimate, lambda *given: (given[1], estimate(*given)[1]), r"\|g\|\^2"),
    (check.check_estimate, lambda *given: (1.0, 2.0, 3.0), "two numbers"),
    (check.check_trade, lambda batch, scale: (1 + scale / batch, 1 + scale / batch), "fewest samples"),
    (check.check_trade, lambda batch, scale: (scale / batch, 1 + batch / scale), "fewest steps"),
    (check.check_variance, lambda a, r, m, s: r * s / a / (2 - r * a), "momentum 0.9"),
    (check.check_variance, lambda a, r, m, s: r * s / (2 * a * (1 - m)), "the variance is"),
    (check.check_typical, lambda squares: 2 * np.mean(squares) / np.mean(np.square(squares)), "still shrinks"),
    (check.check_typical, lambda squares: 1.2 * typical_limit(squares), "typical run grows"),
]


@pytest.mark.parametrize("judge, answer", RIGHT, ids=lambda value: value.__name__)
def test_right_answers_pass(judge, answer, capsys):
    judge(answer)
    assert capsys.readouterr().out.startswith("Right")


@pytest.mark.parametrize("judge, answer, said", WRONG, ids=[f"{row[0].__name__}-{k}" for k, row in enumerate(WRONG)])
def test_wrong_answers_are_told(judge, answer, said):
    with pytest.raises(AssertionError, match=said):
        judge(answer)
