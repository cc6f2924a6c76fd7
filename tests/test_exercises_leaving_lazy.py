"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import numpy as np
import pytest

from learndyn.exercises import leaving_lazy as check


def test_saved():
    def right(e, s, n, v, q, m, p, rho, g):
        return 1 - ((s * n + q * m + n + v) * g + 2 * n**2 * p + rho * n**3 / 3) / (e * n * g)

    check.check_saved(right)
    with pytest.raises(AssertionError, match="8 of 32"):  # the linear algebra is free
        check.check_saved(lambda e, s, n, v, q, m, p, rho, g: 1 - (s * n + q * m + n + v) / (e * n))
    with pytest.raises(AssertionError, match="8 of 32"):  # one ridge only
        check.check_saved(lambda e, s, n, v, q, m, p, rho, g: right(e, s, n, v, q, m, p, 1, g))


def _units(kernels):
    return [K / np.linalg.norm(K) for K in kernels]


def test_path_length():
    def chords(units):
        return [np.linalg.norm(b - a) / 2**0.5 for a, b in zip(units, units[1:])]

    check.check_path_length(lambda kernels: sum(chords(_units(kernels))))
    with pytest.raises(AssertionError, match="1 pieces"):  # the distances and not their roots
        check.check_path_length(lambda kernels: sum(c**2 for c in chords(_units(kernels))))
    with pytest.raises(AssertionError, match="1 pieces"):  # growth of the kernel taken for a turn
        check.check_path_length(lambda kernels: sum(chords(kernels)))


def test_damped():
    check.check_damped(lambda J, r, gamma: -J.T @ np.linalg.solve(J @ J.T + gamma * np.eye(len(r)), r))
    with pytest.raises(AssertionError, match="should vanish"):  # up the slope
        check.check_damped(lambda J, r, gamma: J.T @ np.linalg.solve(J @ J.T + gamma * np.eye(len(r)), r))
    with pytest.raises(AssertionError, match="ridge 1.0"):  # no damping
        check.check_damped(lambda J, r, gamma: -J.T @ np.linalg.solve(J @ J.T + (1e-3) * np.eye(len(r)), r))
    with pytest.raises(AssertionError, match="has shape"):
        check.check_damped(lambda J, r, gamma: np.linalg.solve(J @ J.T + gamma * np.eye(len(r)), r))
