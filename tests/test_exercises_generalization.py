"""The checks of *What decides the gap* accept what is right and say what is wrong."""

import numpy as np
import pytest

from learndyn.exercises import generalization as check


def steps(eigenvalue, rate, signal, noise):
    return -np.log1p(eigenvalue * signal / noise) / np.log1p(-rate * eigenvalue)


def mean(X, y, rate, steps):
    w = np.zeros(X.shape[1])
    for _ in range(steps):
        w = w - rate * X.T @ (X @ w - y) / len(y)
    return w


def margin(smoothing, wrong, classes):
    other = (1 - smoothing) * wrong / (classes - 1) + smoothing / classes
    return np.log(((1 - smoothing) * (1 - wrong) + smoothing / classes) / other)


RIGHT = [(check.check_steps, steps), (check.check_mean, mean), (check.check_margin, margin)]

WRONG = [
    (check.check_steps, lambda e, r, s, v: np.log1p(e * s / v) / (r * e), "fewer steps"),  # the time of the flow
    (check.check_steps, lambda e, r, s, v: v / s / r, "steps than"),  # ridge's own penalty
    (check.check_steps, lambda e, r, s, v: np.nan, "no number"),
    (check.check_mean, lambda X, y, r, k: mean(X, y, len(y) * r, k), "1 steps"),  # a sum, not a mean
    (check.check_mean, lambda X, y, r, k: np.linalg.lstsq(X, y, rcond=None)[0], "independent"),
    (check.check_margin, lambda e, w, c: np.log((1 - e - w) * (c - 1) / (e + w)), "margin at the minimum"),
    (check.check_margin, lambda e, w, c: margin(e, 0.0, c) if e else margin(e, w, c), "0.2 of the labels wrong"),
]


@pytest.mark.parametrize("judge, answer", RIGHT, ids=lambda value: value.__name__)
def test_right_answers_pass(judge, answer, capsys):
    judge(answer)
    assert capsys.readouterr().out.startswith("Right")


@pytest.mark.parametrize("judge, answer, said", WRONG, ids=[f"{row[0].__name__}-{k}" for k, row in enumerate(WRONG)])
def test_wrong_answers_are_told(judge, answer, said):
    with pytest.raises(AssertionError, match=said):
        judge(answer)
