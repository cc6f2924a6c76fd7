"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import numpy as np
import pytest

from learndyn.exercises import broken_laws as check


def test_rest():
    check.check_rest(lambda decay_w, decay_a: decay_a / decay_w)
    with pytest.raises(AssertionError, match=r"decay_w = 0.4, .* the answer is 4"):  # upside down
        check.check_rest(lambda decay_w, decay_a: decay_w / decay_a)
    with pytest.raises(AssertionError, match="the same number"):  # as if only the sum mattered
        check.check_rest(lambda decay_w, decay_a: 1.0)
    with pytest.raises(AssertionError, match="the same number"):  # of the lengths, not of their squares
        check.check_rest(lambda decay_w, decay_a: (decay_a / decay_w) ** 0.5)


def test_length():
    check.check_length(lambda length, c, rate, steps: (length**4 + 2 * (rate * c) ** 2 * steps) ** 0.25)
    with pytest.raises(AssertionError, match="which power"):  # as if the gradient kept its size
        check.check_length(lambda length, c, rate, steps: (length**2 + (rate * c) ** 2 * steps) ** 0.5)
    with pytest.raises(AssertionError, match="which power"):  # the factor 2 forgotten
        check.check_length(lambda length, c, rate, steps: (length**4 + (rate * c) ** 2 * steps) ** 0.25)
    with pytest.raises(AssertionError, match="after 300 steps"):  # as the flow
        check.check_length(lambda length, c, rate, steps: length)


def test_trapezoid():
    check.check_trapezoid(lambda Q, rate, eta: Q + eta**2 / 4 * rate)
    check.check_trapezoid(lambda Q, rate, eta: 8 * Q + 2 * eta**2 * rate)
    with pytest.raises(AssertionError, match="half a forward one"):  # a whole step forward
        check.check_trapezoid(lambda Q, rate, eta: Q + eta**2 * rate)
    with pytest.raises(AssertionError, match="half a forward one"):  # the wrong sign
        check.check_trapezoid(lambda Q, rate, eta: Q - eta**2 / 4 * rate)
    with pytest.raises(AssertionError, match="half a forward one"):  # Q itself
        check.check_trapezoid(lambda Q, rate, eta: Q)
    with pytest.raises(AssertionError, match="kept by everything"):
        check.check_trapezoid(lambda Q, rate, eta: 1.0)


def matrix(A, b):
    return b[:, None] * A + (b[:, None] * A).T - np.outer(b, b)


def test_tableau():
    check.check_tableau(matrix)
    with pytest.raises(AssertionError, match="Euler: a step changes"):
        check.check_tableau(lambda A, b: -matrix(A, b))
    with pytest.raises(AssertionError, match="implicit Euler: a step changes"):  # the square alone
        check.check_tableau(lambda A, b: -np.outer(b, b))
    with pytest.raises(AssertionError, match="Heun: M must be symmetric"):
        check.check_tableau(lambda A, b: 2 * b[:, None] * A - np.outer(b, b))
    with pytest.raises(AssertionError, match="M must have shape"):
        check.check_tableau(lambda A, b: np.sum(matrix(A, b)))


def test_the_methods_that_keep_every_quadratic_law():
    for name, (A, b) in check._TABLEAUS.items():
        assert (np.abs(matrix(np.array(A), np.array(b))).max() < 1e-15) == (name in ("implicit midpoint", "Gauss, two stages"))
