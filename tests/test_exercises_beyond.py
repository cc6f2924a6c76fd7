"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import numpy as np
import pytest

from learndyn.exercises import beyond as check


def price(exponent, m):
    if exponent == 1:
        return np.log(2) - 0.5 * np.log(1 - m**2) - np.arctanh(m)
    if exponent == 2:
        return -0.5 * np.log(m)
    return (1 / m - 1 - np.arctanh(m) + np.log(2) - 0.5 * np.log(1 - m**2)) / 3


def test_alignment_price():
    check.check_alignment_price(price)
    with pytest.raises(AssertionError, match="exponent 1, overlap 0.3.*conserved"):  # only the leading term of exponent two
        check.check_alignment_price(lambda exponent, m: -0.5 * np.log(m))
    with pytest.raises(AssertionError, match="exponent 3"):  # only the leading term of exponent three
        check.check_alignment_price(lambda exponent, m: price(exponent, m) if exponent < 3 else 1 / (3 * m))


def entry(f, r):
    gain, power = np.mean(np.sum(f * r, 1)), np.mean(np.sum(f**2, 1))
    scale = max(gain, 0) / power
    return scale, 0.5 * scale**2 * power


def test_entry():
    check.check_entry(entry)
    with pytest.raises(AssertionError, match="parabola in the scale"):  # the utility alone
        check.check_entry(lambda f, r: (max(np.mean(np.sum(f * r, 1)), 0), entry(f, r)[1]))
    with pytest.raises(AssertionError, match="put the best scale back"):  # without the half
        check.check_entry(lambda f, r: (entry(f, r)[0], 2 * entry(f, r)[1]))
    with pytest.raises(AssertionError, match="case 5: scale must not be negative"):
        check.check_entry(lambda f, r: (s := np.sum(f * r) / np.sum(f**2), 0.5 * s**2 * np.mean(np.sum(f**2, 1))))


def test_effective_degree():
    check.check_effective_degree(lambda active: len(active) - sum(active))
    with pytest.raises(AssertionError, match="who must still grow"):  # the length of the path
        check.check_effective_degree(len)
    with pytest.raises(AssertionError, match="who must still grow"):  # those that have grown
        check.check_effective_degree(sum)
