"""The checks of *The kernel at the edge* accept what is right and name what is wrong."""

import numpy as np
import pytest

from learndyn.exercises import kernel_at_the_edge as check


def alignment(top, c, m):
    return (top * c + 1 - c) / (top**2 + m - 1) ** 0.5


def final(rate, s, d, sign=1):
    square = 1 / rate + sign * (1 / rate**2 - s**2) ** 0.5
    q = 1 + s**2 / square**2
    return q / (q**2 + d - 1) ** 0.5


def parts(W, a, X):
    A = a @ a
    f, rest = X @ W.T @ a, W - np.outer(a, a @ W) / A
    return A * X @ X.T, np.outer(f, f) / A, X @ rest.T @ rest @ X.T


def test_right_answers(capsys):
    check.check_alignment(alignment)
    check.check_final_alignment(final)
    check.check_parts(parts)
    assert capsys.readouterr().out.count("Right") == 3


@pytest.mark.parametrize(
    "wrong",
    [lambda top, c, m: top * c / (top**2 + m - 1) ** 0.5, lambda top, c, m: (top * c + 1 - c) / (top + m - 1)],
    ids=["the other shares forgotten", "trace for norm"],
)
def test_wrong_alignments(wrong):
    with pytest.raises(AssertionError, match="Hint: the norm of a kernel"):
        check.check_alignment(wrong)


@pytest.mark.parametrize(
    "wrong", [lambda *z: final(*z, sign=-1), lambda rate, s, d: final(rate / 2, s, d)], ids=["downstream", "1/rate for 2/rate"]
)
def test_wrong_ends(wrong):
    with pytest.raises(AssertionError, match="upstream is the larger"):
        check.check_final_alignment(wrong)


def test_wrong_parts():
    with pytest.raises(AssertionError, match="sum to the kernel"):
        check.check_parts(lambda W, a, X: (*parts(W, a, X)[:2], X @ W.T @ W @ X.T))
    with pytest.raises(AssertionError, match="second part"):
        check.check_parts(lambda W, a, X: (parts(W, a, X)[0], parts(W, a, X)[2], parts(W, a, X)[1]))
    with pytest.raises(AssertionError, match="first part"):
        one, two, three = parts(np.ones((2, 2)), np.ones(2), np.ones((2, 2)))
        check.check_parts(lambda W, a, X: (parts(W, a, X)[2], parts(W, a, X)[1], parts(W, a, X)[0]))
