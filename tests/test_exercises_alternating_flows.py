"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import numpy as np
import pytest

from learndyn.exercises import alternating_flows as check


def test_best_utility():
    check.check_best_utility(lambda g, degree: abs(g) / degree ** (degree / 2))
    with pytest.raises(AssertionError, match="degree 2.*add up to one"):  # every number one
        check.check_best_utility(lambda g, degree: abs(g))
    with pytest.raises(AssertionError, match="g = -0.7.*as good as a positive one"):
        check.check_best_utility(lambda g, degree: g / degree ** (degree / 2))
    with pytest.raises(AssertionError, match="degree 3"):  # right for two only
        check.check_best_utility(lambda g, degree: abs(g) / degree)


def jump_time(norm, degree, utility):
    if degree == 2:
        return -np.log(norm) / (2 * utility)
    return (norm ** (2 - degree) - 1) / ((degree - 2) * degree * utility)


def test_jump_time():
    check.check_jump_time(jump_time)
    with pytest.raises(AssertionError, match="degree 2, .*log-norm grows at the rate 2U"):  # the rate U
        check.check_jump_time(lambda norm, degree, utility: -np.log(norm) / utility)
    with pytest.raises(AssertionError, match=r"degree 2\.5.*differentiate"):  # without the factor kappa
        check.check_jump_time(lambda norm, degree, utility: jump_time(norm, degree, utility) * (degree / 2))


def returns(S, b):
    first = np.argmax(np.abs(b))
    return np.linalg.solve(S, b)[first] * b[first] < 0


def test_returns():
    check.check_returns(returns)
    with pytest.raises(AssertionError, match="must be True, but is False"):
        check.check_returns(lambda S, b: False)
    with pytest.raises(AssertionError, match="which sign does it have"):  # the second instead of the first
        check.check_returns(lambda S, b: np.linalg.solve(S, b)[np.argmin(np.abs(b))] * b[np.argmin(np.abs(b))] < 0)
    with pytest.raises(AssertionError, match="which sign does it have"):  # whoever has a negative coefficient
        check.check_returns(lambda S, b: np.linalg.solve(S, b).min() < 0)
