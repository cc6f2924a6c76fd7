"""The checks of *One run through every lens* accept what is right and say what is wrong."""

import numpy as np
import pytest

from learndyn.exercises import lenses as check


def balance(W_slope, A_slope, rate):
    return rate**2 * (np.sum(A_slope**2, axis=0) - np.sum(W_slope**2, axis=1))


def drift(loss, rate, sharpness):
    return rate * loss / (1 - rate * sharpness / 2)


RIGHT = [(check.check_balance, balance), (check.check_drift, drift)]

WRONG = [
    (check.check_balance, lambda W, A, rate: balance(W, A, rate) / rate, "neuron 0, rate 0.1"),
    (check.check_balance, lambda W, A, rate: -balance(W, A, rate), "row for each neuron"),
    (check.check_balance, lambda W, A, rate: 1.0, "one number for each neuron"),
    (check.check_drift, lambda loss, rate, sharpness: rate * loss / (1 - rate * sharpness), "loss 1, rate 0.1, sharpness 2"),
    (check.check_drift, lambda loss, rate, sharpness: rate * loss, "how much does the loss fall"),
]


@pytest.mark.parametrize(("accept", "answer"), RIGHT, ids=[accept.__name__ for accept, _ in RIGHT])
def test_right_answers_pass(accept, answer, capsys):
    accept(answer)
    assert "Right" in capsys.readouterr().out


@pytest.mark.parametrize(("refuse", "answer", "told"), WRONG, ids=[f"{refuse.__name__}-{i}" for i, (refuse, *_) in enumerate(WRONG)])
def test_wrong_answers_are_told_why(refuse, answer, told):
    with pytest.raises(AssertionError, match=told):
        refuse(answer)
