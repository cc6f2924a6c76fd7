"""The checks of *Two forecasts of one storm* accept what is right and say what is wrong."""

import numpy as np
import pytest

from learndyn.exercises import exponents as check


def linear(A):
    return np.sort(np.log(np.abs(np.linalg.eigvals(A))))[::-1]


def dimension(exponents):
    ordered = np.sort(exponents)[::-1]
    sums = np.cumsum(ordered)
    if sums[0] < 0:
        return 0.0
    j = int(np.max(np.flatnonzero(sums >= 0))) + 1
    return float(j) if j == len(ordered) else j + sums[j - 1] / -ordered[j]


def benettin(J):
    Q, total = np.eye(J.shape[1]), 0.0
    for derivative in J:
        Q, R = np.linalg.qr(derivative @ Q)
        total = total + np.log(np.abs(np.diag(R)))
    return total / len(J)


def multiplied(J):
    product = np.eye(J.shape[1])
    for derivative in J:
        product = derivative @ product
    with np.errstate(all="ignore"):
        return np.log(np.linalg.svd(np.nan_to_num(product, posinf=np.inf), compute_uv=False)) / len(J)


def alone(J):
    return np.mean(np.log(np.abs(np.diagonal(np.linalg.qr(J)[1], axis1=1, axis2=2))), axis=0)


def covariant(Q, R, shift=0, first=None, scale=True):
    C, V = np.eye(Q.shape[1]) if first is None else first, np.empty_like(Q)
    R = np.roll(R, shift, axis=0)
    for t in range(len(R) - 1, -1, -1):
        C = np.linalg.solve(R[t], C)
        C = C / np.linalg.norm(C, axis=0) if scale else C
        with np.errstate(all="ignore"):
            V[t] = Q[t] @ C
    return V


RIGHT = [(check.check_linear, linear), (check.check_dimension, dimension), (check.check_benettin, benettin), (check.check_covariant, covariant)]

WRONG = {
    "singular values": (check.check_linear, lambda A: np.log(np.linalg.svd(A, compute_uv=False)), "grow at the rates"),
    "not sorted": (check.check_linear, lambda A: linear(A)[::-1], "the cat map: .*grow at the rates"),
    "one exponent": (check.check_linear, lambda A: linear(A)[:1], "2 exponents are needed"),
    "in the order given": (check.check_dimension, lambda e: dimension(e) if e[0] == max(e) else 0.0, "grow at the rate"),
    "divided by itself": (check.check_dimension, lambda e: dimension(e) + 0.01, "grow at the rate"),
    "no end": (check.check_dimension, lambda e: max(1.0, dimension(e)), "neither|nothing that is not a point"),
    "a product": (check.check_benettin, lambda J: alone(J), "the exponents are"),
    "the product itself": (check.check_benettin, lambda J: benettin(J) * len(J), "sums to"),
    "the frames": (check.check_covariant, lambda Q, R: Q, "must be parallel"),
    "an index off by one": (check.check_covariant, lambda Q, R: covariant(Q, R, shift=1), "must be parallel"),
    "no normalization": (check.check_covariant, lambda Q, R: covariant(Q, R, scale=False), "unit vectors|not finite"),
    "one vector thrice": (check.check_covariant, lambda Q, R: np.repeat(covariant(Q, R)[..., :1], 3, axis=2), "independent"),
}


@pytest.mark.parametrize("judge, answer", RIGHT, ids=[judge.__name__ for judge, _ in RIGHT])
def test_right_answers_pass(judge, answer, capsys):
    judge(answer)
    assert capsys.readouterr().out.startswith("Right")


@pytest.mark.parametrize("judge, answer, said", WRONG.values(), ids=WRONG)
def test_wrong_answers_are_told(judge, answer, said):
    with pytest.raises(AssertionError, match=said):
        judge(answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_product_that_overflows_is_told():
    with pytest.raises(AssertionError, match="random matrices|triangular"):
        check.check_benettin(multiplied)
