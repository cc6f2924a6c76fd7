"""The checks of *The phase diagram* accept what is right and refuse typical mistakes, and say which."""

import jax.numpy as jnp
import pytest

from learndyn import gates, kernels
from learndyn.exercises import phase_diagram as check


def knobs(tau, delta):
    w = ((-delta + (delta**2 + 4 * tau**4) ** 0.5) / 2) ** 0.5
    return w, tau**2 / w


def velocity(a, w, g):
    unit = w / jnp.linalg.norm(w)
    return -a / jnp.linalg.norm(w) * (g - (unit @ g) * unit)


def gate_part(params0, params, X):
    K0, K = (gates.kernel(params0, X, gates.pattern(p, X)) for p in (params0, params))
    return kernels.kernel_distance(K, K0)


def test_right_answers(capsys):
    check.check_knobs(knobs)
    check.check_turning(velocity)
    check.check_gate_part(gate_part)
    assert capsys.readouterr().out.count("right") == 3


WRONG = {
    "other sign of delta": (check.check_knobs, lambda t, d: knobs(t, -d), "imbalance"),
    "product tau": (check.check_knobs, lambda t, d: tuple(v / t**0.5 for v in knobs(t, d)), "overall scale"),
    "negative": (check.check_knobs, lambda t, d: tuple(-v for v in knobs(t, d)), "positive"),
    "no projection": (check.check_turning, lambda a, w, g: -a * g / jnp.linalg.norm(w), "orthogonal"),
    "forgotten norm": (check.check_turning, lambda a, w, g: velocity(a, w, g) * jnp.linalg.norm(w), "times the true one"),
    "ascent": (check.check_turning, lambda a, w, g: -velocity(a, w, g), "is -1 times"),
    "number": (check.check_turning, lambda a, w, g: a / jnp.linalg.norm(w), "shape"),
    "all of the change": (
        check.check_gate_part,
        lambda p0, p, X: kernels.kernel_distance(gates.kernel(p, X, gates.pattern(p, X)), gates.kernel(p0, X, gates.pattern(p0, X))),
        "flip no gate",
    ),
    "the weights' part": (
        check.check_gate_part,
        lambda p0, p, X: kernels.kernel_distance(gates.kernel(p, X, gates.pattern(p0, X)), gates.kernel(p0, X, gates.pattern(p0, X))),
        "flip no gate",
    ),
    "flips counted": (
        check.check_gate_part,
        lambda p0, p, X: jnp.mean(jnp.abs(gates.pattern(p, X) - gates.pattern(p0, X))),
        "unrelated networks",
    ),
}  # fmt: skip


@pytest.mark.parametrize("function, answer, said", WRONG.values(), ids=WRONG)
def test_wrong_answers_are_told_what_fails(function, answer, said):
    with pytest.raises(AssertionError, match=said):
        function(answer)
