"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import numpy as np
import pytest

from learndyn.exercises import modular_addition as check


def test_separate_norms():
    check.check_separate_norms(lambda p, amplitude: (2 * p) ** 0.5 * amplitude**3 / p**2)
    with pytest.raises(AssertionError, match="1/sqrt"):  # the joint norm
        check.check_separate_norms(lambda p, amplitude: (2 * p / 27) ** 0.5 * amplitude**3 / p**2)
    with pytest.raises(AssertionError, match="p = 7"):  # a sum over pairs
        check.check_separate_norms(lambda p, amplitude: (2 * p) ** 0.5 * amplitude**3)


def levels(p, amplitudes):
    falling = np.sort(amplitudes)[::-1] ** 2
    return 2 / p**2 * np.append(np.cumsum(falling[::-1])[::-1], 0)


def test_levels():
    check.check_levels(levels)
    with pytest.raises(AssertionError, match="k and p - k"):
        check.check_levels(lambda p, amplitudes: levels(p, amplitudes) / 2)
    with pytest.raises(AssertionError, match="loudest frequency goes first"):  # quietest first
        check.check_levels(lambda p, amplitudes: 2 / p**2 * np.append(np.cumsum(np.sort(amplitudes)[::-1] ** 2)[::-1], 0)[::-1])
    with pytest.raises(AssertionError, match="3 frequencies make 4 levels"):
        check.check_levels(lambda p, amplitudes: levels(p, amplitudes)[:-1])


def team(H):
    h = np.arange(H)
    for q in range(H):
        if all((m + n * q) % H for m, n in ((1, 1), (3, 1), (1, 3), (-1, 1), (2, 0), (0, 2), (2, 2))):
            return 2 * np.pi * np.stack([h, q * h]) / H


def test_team():
    check.check_team(team)
    check.check_team(lambda H: team(H) + np.array([[0.3], [1.2]]))  # turned
    with pytest.raises(AssertionError, match="H = 6: the team makes the target up to"):  # all phases alike
        check.check_team(lambda H: 2 * np.pi * np.stack([np.arange(H), np.arange(H)]) / H)
    with pytest.raises(AssertionError, match="H = 7"):  # right for six only
        check.check_team(lambda H: 2 * np.pi * np.stack([np.arange(H), 4 * np.arange(H) % 6]) / H)
    with pytest.raises(AssertionError, match="two lists of 6"):
        check.check_team(lambda H: np.zeros(H))


def test_share():
    check.check_velocity(lambda u, v, x, p: 2 / p**2 * u * v * np.conj(x) * np.abs(x) ** 2)
    with pytest.raises(AssertionError, match="at k and at p - k"):  # twice too small
        check.check_velocity(lambda u, v, x, p: 1 / p**2 * u * v * np.conj(x) * np.abs(x) ** 2)
    with pytest.raises(AssertionError, match="conjugates"):
        check.check_velocity(lambda u, v, x, p: 2 / p**2 * u * v * x * np.abs(x) ** 2)
