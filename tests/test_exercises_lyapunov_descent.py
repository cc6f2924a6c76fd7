"""The checks of *Downhill, and still unpredictable* accept what is right and say what is wrong."""

import numpy as np
import pytest

from learndyn.exercises import lyapunov_descent as check


def tangent(w, a, x, y, rate, residual=1.0):
    h = np.tanh(w * x)
    p, r = 1 - h**2, residual * (a * h - y)
    mixed = (a * p * h + r * p) * x
    return np.eye(2) - rate * np.array([[(a * a * p * p - 2 * r * a * p * h) * x * x, mixed], [mixed, h * h]])


def pair(stretch=-0.4, shrink=1.4, turned=True):
    first = np.diag([stretch, shrink])
    return first, first[::-1, ::-1] if turned else first, 0.5


def orbit(phi, k):
    return np.sqrt(2) * np.cos(3**k * phi + np.pi * (3**k - 1) / 2)


def volume(momentum, dimension, rate):
    return dimension * np.log(momentum) / rate


RIGHT = [
    (check.check_tangent, tangent),
    (check.check_pair, pair),
    (check.check_orbit, orbit),
    (check.check_volume, volume),
]

WRONG = [
    (check.check_tangent, lambda *at: tangent(*at, residual=0.0), "a displacement in w"),
    (check.check_tangent, lambda *at: tangent(*at) + [[0, 0.1], [0, 0]], "not symmetric"),
    (check.check_tangent, lambda *at: 2 * np.eye(2) - tangent(*at), "a displacement in w"),
    (check.check_tangent, lambda *at: tangent(*at)[0], "2 x 2"),
    (check.check_pair, lambda: pair(turned=False), "stretch something"),
    (check.check_pair, lambda: pair(stretch=0.4), "negative eigenvalue"),
    (check.check_pair, lambda: pair(stretch=-0.2, shrink=4.3), "beyond the edge"),
    (check.check_pair, lambda: (np.array([[-1.0, 1.0], [0.0, 1.0]]), *pair()[1:]), "symmetric"),
    (check.check_orbit, lambda phi, k: np.sqrt(2) * np.cos(3**k * phi), "after 1 steps"),
    (check.check_orbit, lambda phi, k: np.cos(3**k * phi + np.pi * k), "after 0 steps"),
    (check.check_volume, lambda momentum, p, rate: np.log(momentum) / rate, "dimension 3"),
    (check.check_volume, lambda momentum, p, rate: p * np.log(momentum), "determinants"),
]


@pytest.mark.parametrize("judge, answer", RIGHT, ids=lambda value: value.__name__)
def test_right_answers_pass(judge, answer, capsys):
    judge(answer)
    assert capsys.readouterr().out.startswith("Right")


@pytest.mark.parametrize("judge, answer, said", WRONG, ids=[f"{judge.__name__}-{k}" for k, (judge, _, _) in enumerate(WRONG)])
def test_wrong_answers_are_told(judge, answer, said):
    with pytest.raises(AssertionError, match=said):
        judge(answer)
