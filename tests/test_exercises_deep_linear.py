"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import numpy as np
import pytest

from learndyn.exercises import deep_linear as check


def index(s, learned, width, pushes=True):
    missing = [i for i in range(len(s)) if i not in learned]
    return sum(width - len(learned) + pushes * sum(s[j] < s[i] for j in learned) for i in missing)


def test_index():
    check.check_index(index)
    with pytest.raises(AssertionError, match="push out each mode"):  # true only on the staircase
        check.check_index(lambda s, learned, width: index(s, learned, width, pushes=False))
    with pytest.raises(AssertionError, match="through each silent neuron"):  # one way down for each missing mode
        check.check_index(lambda s, learned, width: len(s) - len(learned))


def runner_up(scale, s1, s2, depth):
    if depth == 2:
        return s1 ** (s2 / s1) * scale ** (2 - 2 * s2 / s1)
    return scale**depth * (1 - s2 / s1) ** (-depth / (depth - 2))


def test_runner_up():
    check.check_runner_up(runner_up)
    with pytest.raises(AssertionError, match="2 layers.* must tend to one"):  # without the constant
        check.check_runner_up(lambda scale, s1, s2, depth: scale ** (depth - depth * s2 / s1))
    with pytest.raises(AssertionError, match="3 layers.* is linear in t"):  # as if it had not moved
        check.check_runner_up(lambda *given: runner_up(*given) if given[3] == 2 else given[0] ** given[3])


def best_of_rank(X, y, rank):
    R = np.linalg.cholesky(X.T @ X).T
    U, s, Vt = np.linalg.svd(y.T @ X @ np.linalg.inv(R))
    return (U[:, :rank] * s[:rank]) @ Vt[:rank] @ np.linalg.inv(R).T


def test_best_of_rank():
    check.check_best_of_rank(best_of_rank)

    def truncated(X, y, rank):
        U, s, Vt = np.linalg.svd(np.linalg.lstsq(X, y, rcond=None)[0].T)
        return (U[:, :rank] * s[:rank]) @ Vt[:rank]

    with pytest.raises(AssertionError, match="alternating least squares finds"):
        check.check_best_of_rank(truncated)
    with pytest.raises(AssertionError, match="the answer has rank 4"):
        check.check_best_of_rank(lambda X, y, rank: best_of_rank(X, y, 4))
    with pytest.raises(AssertionError, match="must have shape"):
        check.check_best_of_rank(lambda X, y, rank: best_of_rank(X, y, rank).T)
