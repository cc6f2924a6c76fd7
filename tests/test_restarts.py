"""The chances of a rule are those of the draws they stand for, and a budget is spent and not overspent."""

import itertools

import numpy as np
import pytest

from learndyn import restarts


def test_chances_are_those_of_all_draws():
    scores = np.array([0.3, -1.0, 2.0, 0.5])
    kept = [draw[int(np.argmin(scores[list(draw)]))] for draw in itertools.product(range(4), repeat=3)]
    np.testing.assert_allclose(restarts.chances(scores, 3), np.bincount(kept, minlength=4) / 4**3, atol=1e-15)


def test_equal_scores_share():
    p = restarts.chances(np.array([1.0, 0.0, 0.0, 2.0]), 5)
    assert p[1] == p[2] and p[1] > p[0] > p[3]
    np.testing.assert_allclose(restarts.chances(np.ones(7), 9), 1 / 7)


@pytest.mark.parametrize("number", [1, 2, 50, 10_000])
def test_chances_add_up(number):
    scores = np.random.default_rng(0).normal(size=200).round(1)
    p = restarts.chances(scores, number)
    assert abs(p.sum() - 1) < 1e-12 and p.min() >= 0
    if number == 1:
        np.testing.assert_allclose(p, 1 / 200)


def test_a_score_that_is_the_outcome_gives_the_smallest_of_n():
    # the mean smallest of n uniform numbers is 1 / (n + 1)
    x = (np.arange(20_000) + 0.5) / 20_000
    for number in (1, 4, 30):
        assert abs(restarts.chances(x, number) @ x - 1 / (number + 1)) < 1e-4


def test_the_budget_is_spent():
    for budget, steps, cut, price in ((4000, 1000, 100, 1), (4000, 1000, 100, 19), (5000, 1000, 1000, 1), (1801, 1000, 100, 9)):
        n = restarts.affordable(budget, steps=steps, cut=cut, price=price)
        spent = n * cut * price + steps - cut
        assert spent <= budget < spent + cut * price
