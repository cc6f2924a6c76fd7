"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import numpy as np
import pytest
from scipy.optimize import brentq

from learndyn.exercises import deciding_early as check


def test_order_chance():
    check.check_order_chance(lambda c: 0.5 + np.arcsin(c) / np.pi)
    with pytest.raises(AssertionError, match="correlation 0.3"):  # linear in the correlation
        check.check_order_chance(lambda c: (1 + c) / 2)
    with pytest.raises(AssertionError, match="correlation 0.0: the chance is 0,"):  # without the half
        check.check_order_chance(lambda c: np.arcsin(c) / np.pi)


def test_halving():
    check.check_halving(lambda m, t: 2 ** (m - 1) * t * (m + 1))
    with pytest.raises(AssertionError, match="8 starts"):  # every round at the price of the first
        check.check_halving(lambda m, t: m * 2**m * t)
    with pytest.raises(AssertionError, match="the first"):  # all rounds alike
        check.check_halving(lambda m, t: m * 2 ** (m - 1) * t)


def test_break_even():
    solve = lambda low, high, price: brentq(
        lambda n: high * check._largest(n / price) - low * check._largest(n), 1.001 * price, 1e6, rtol=1e-9
    )
    check.check_break_even(solve)
    with pytest.raises(AssertionError, match="do not cross"):  # the price is forgotten on one side
        check.check_break_even(lambda low, high, price: 2 * solve(low, high, price))
    with pytest.raises(AssertionError, match="less than one start"):
        check.check_break_even(lambda low, high, price: price / 2)
