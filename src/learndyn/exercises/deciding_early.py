"""Property checks for the exercises of *Deciding early*."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from learndyn import _require as require


def check_order_chance(answer: Callable) -> None:
    r"""The mean of $P(\Delta x > 0 \mid \Delta s = z)$ over positive differences of scores.

    Args:
      answer: a function of the correlation that returns the chance that the run with the lower score ends lower.

    Raises:
      AssertionError: names the correlation, the answer, and the integral.
    """
    require.callable_("answer", answer)
    for correlation in (0.0, 0.3, 0.7, 0.99, -0.5):
        slope = correlation / (1 - correlation**2) ** 0.5
        right = quad(lambda z, slope=slope: 2 * norm.pdf(z) * norm.cdf(slope * z), 0, 12, epsabs=1e-12)[0]
        given = float(answer(correlation))
        assert abs(given - right) < 1e-9, (
            f"correlation {correlation}: the chance is {given:.6g}, and the integral gives {right:.6g}. "
            "Hint: two standard normal numbers with correlation c have the same sign where a random direction lies in one of "
            "two sectors of angle pi - arccos(c)"
        )
    print("Right: the chance of the right order is the share of the circle where both differences have one sign.")


def check_halving(answer: Callable) -> None:
    r"""The gradients of a tournament, counted step by step.

    Args:
      answer: a function of (rounds, first): the gradients of $2^m$ starts of which the better half survives the steps t,
        2t, 4t, ..., until one is left.

    Raises:
      AssertionError: names the case, the answer, and the count.
    """
    require.callable_("answer", answer)
    for rounds, first in ((1, 10), (3, 1), (6, 25)):
        alive, step, spent = 2**rounds, 0, 0
        while alive > 1:
            spent, step = spent + alive, step + 1
            if step == first * 2 ** (rounds - int(np.log2(alive))):
                alive //= 2
        given = float(answer(rounds, first))
        assert given == spent, (
            f"{2**rounds} starts, first cut at step {first}: {given:.6g} gradients, but counted there are {spent}. "
            "Hint: from one cut to the next the steps double and the runs halve, so every stretch but the first costs the same"
        )
    print("Right: every round costs as much as the next.")


def check_break_even(answer: Callable) -> None:
    r"""At the answer the expensive indicator is worth more, and at 1 % fewer starts it is not.

    Args:
      answer: a function of (cheap, dear, price), two correlations and a price: from how many starts of the cheap rule on,
        not rounded, the dear one is worth more.

    Raises:
      AssertionError: names the case, the answer, and both values there.
    """
    require.callable_("answer", answer)
    for cheap, dear, price in ((0.5, 0.8, 3.0), (0.5, 0.7, 7.0), (0.4, 0.9, 19.0)):
        given = float(answer(cheap, dear, price))
        assert given > price, f"price {price}: the answer {given:.6g} pays for less than one start. Hint: n / c must exceed 1"
        values = [(dear * _largest(n / price), cheap * _largest(n)) for n in (0.99 * given, 1.01 * given)]
        fits = values[0][0] < values[0][1] and values[1][0] > values[1][1]
        assert fits, (
            f"correlations {cheap} and {dear}, price {price}: at {given:.6g} starts the values (dear, cheap) do not cross: "
            f"{values[0][0]:.4g}, {values[0][1]:.4g} just below, {values[1][0]:.4g}, {values[1][1]:.4g} just above. "
            "Hint: solve dear * e(n / price) = cheap * e(n) for n"
        )
    print("Right: from your number of starts on, the better indicator is worth its price.")


def _largest(number):
    above = lambda z: -np.expm1(number * norm.logcdf(z))
    return quad(above, 0, 12, epsabs=1e-12)[0] - quad(lambda z: 1 - above(z), -12, 0, epsabs=1e-12)[0]
