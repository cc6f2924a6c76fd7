"""Property checks for the exercises of *Beyond: three experiments, announced*."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

from learndyn import _require as require


def check_alignment_price(answer: Callable) -> None:
    r"""$t - \log(1/\alpha)/c \to A/c$, with the time at which a solver of the waiting neuron reaches norm one.

    Args:
      answer: a function of (exponent, overlap) that returns the price A of turning, for exponents 1, 2 and 3.

    Raises:
      AssertionError: names the case and the two prices.
    """
    require.callable_("answer", answer)
    for exponent, overlap in ((1, 0.3), (2, 0.3), (2, 0.05), (3, 0.3), (3, 0.05)):
        wanted, given = _price(exponent, overlap), float(answer(exponent, overlap))
        assert abs(given - wanted) < 1e-4 * (1 + abs(wanted)), (
            f"exponent {exponent}, overlap {overlap:g}: a solver finds the price {wanted:.5g}, the answer is {given:.5g}. "
            "Hint: (1 - m^2) |theta|^(2k) is conserved; it says how close to one the overlap is when the neuron jumps"
        )
    print("Right: your neurons pay what the solver's pay.")


def check_entry(answer: Callable) -> None:
    r"""No other scale of the neuron leaves a smaller $\tfrac12\mathbb E|r - sf|^2$.

    Args:
      answer: a function of (f, r), two arrays (n, c), that returns (scale, gain): the best non-negative factor of f, and by how
        much it lowers the loss.

    Raises:
      AssertionError: names the case and a better scale, or the gain that is right.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(3)
    for case in range(6):
        f, r = rng.normal(size=(2, 30, 2)) * rng.uniform(0.3, 3, size=(2, 1, 1))
        f *= np.sign(np.sum(f * r)) * (-1 if case == 5 else 1)  # the last one can only do harm
        scale, gain = (float(part) for part in answer(f, r))
        loss = lambda s: 0.5 * np.mean(np.sum((r - s * f) ** 2, axis=1))
        assert scale >= 0, f"case {case}: scale must not be negative (the sign belongs to the neuron), but is {scale:.4g}"
        for other in (0.0, 0.99 * scale, 1.01 * scale, scale + 1e-3):
            assert loss(other) >= loss(scale) - 1e-12, (
                f"case {case}: at the scale {scale:.6g} the loss is {loss(scale):.6g}, at {other:.6g} it is lower, "
                f"{loss(other):.6g}. Hint: the loss is a parabola in the scale"
            )
        drop = loss(0.0) - loss(scale)
        assert abs(gain - drop) < 1e-9 * (1 + drop), (
            f"case {case}: entering lowers the loss by {drop:.6g}, the answer is {gain:.6g}. "
            "Hint: put the best scale back into the parabola"
        )
    print("Right: your neuron enters with the best size, and gains what you say.")


def check_effective_degree(answer: Callable) -> None:
    r"""The power with which a path's output grows when all of its weights that are not active are scaled together.

    Args:
      answer: a function of `active`, a tuple of truth values, one for each weight of the path, that returns the effective degree.

    Raises:
      AssertionError: names the path, the measured power, and the answer.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(8)
    for length in (2, 3, 4):
        for code in range(2**length - 1):  # the path whose weights are all active waits for nothing
            active = tuple(bool(code >> k & 1) for k in range(length))
            weights = rng.uniform(0.5, 1.5, size=length)
            small = lambda s: np.prod(np.where(active, weights, s * weights))
            power, given = float(np.log2(small(2e-3) / small(1e-3))), answer(active)
            assert abs(given - power) < 1e-9, (
                f"active = {active}: doubling the waiting weights multiplies the output by 2^{power:.3g}, the answer is "
                f"{given}. Hint: who must still grow?"
            )
    print("Right: that many weights have to grow together.")


def _price(exponent, overlap, log_small=30.0):
    """A by integrating the overlap and the log-norm of a waiting neuron, coefficient one, from the norm exp(-30)."""

    def reached(t, state):
        return state[1]

    reached.terminal = True

    def rate(t, state):  # the overlap is tanh(a): no digit is lost near one
        m = np.tanh(state[0])
        return [exponent * m ** (exponent - 1), m**exponent]

    end = 4 * log_small + 10 * overlap ** min(0, 2 - exponent)
    solution = solve_ivp(rate, (0, end), [np.arctanh(overlap), -log_small], events=reached, rtol=1e-10, atol=1e-12)
    return float(solution.t_events[0][0]) - log_small
