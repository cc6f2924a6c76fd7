"""Property checks for the exercises of *From stability to the edge*."""

from collections.abc import Callable

import numpy as np

from learndyn import _require as require
from learndyn import self_stabilization


def check_limit(answer: Callable) -> None:
    r"""Just below the answer every quadratic run dies out, and just above it grows.

    Args:
      answer: a function of (rate, momentum, nesterov, decay) that returns the largest curvature of the loss.

    Raises:
      AssertionError: names the rule, the answer, and what a run does there.
    """
    require.callable_("answer", answer)
    rules = [(0.3, 0.0, False, 0.0), (0.1, 0.9, False, 0.0), (0.2, 0.5, True, 0.0), (0.3, 0.0, False, 0.5), (0.1, 0.8, True, 1.0)]
    for rule in rules:
        given = float(answer(*rule))
        sizes = [_last_size(given * side, *rule) for side in (0.99, 1.01)]
        name = "rate {}, momentum {}, {}, decay {}".format(rule[0], rule[1], "Nesterov" if rule[2] else "heavy ball", rule[3])
        assert sizes[0] < 1, (
            f"{name}: at 99 % of the answer {given:.6g} a run grows, to {sizes[0]:.2e} times its start. "
            "Hint: put -1 for the root of the characteristic polynomial, and count decay as curvature"
        )
        assert sizes[1] > 1, (
            f"{name}: at 101 % of the answer {given:.6g} a run still dies out, to {sizes[1]:.2e} times its start. "
            "Hint: put -1 for the root of the characteristic polynomial; without decay descent tolerates 2 / rate"
        )
    print("Right: a run dies out just below your limit and grows just above it.")


def _last_size(curvature, rate, momentum, nesterov, decay):
    x, v = 1.0, 0.0
    for _ in range(3000):
        slope = (curvature + decay) * x
        v = momentum * v + slope
        x -= rate * (slope + momentum * v if nesterov else v)
        if not abs(x) < 1e100:
            return np.inf
    return abs(x)


def check_overshoot(answer: Callable) -> None:
    r"""An orbit in small steps from $(x_0, 0)$ reaches just this y.

    Args:
      answer: a function of (x0, progress, feedback) that returns the largest y.

    Raises:
      AssertionError: names the case, the answer, and the largest y of the orbit.
    """
    require.callable_("answer", answer)
    for x0, progress, feedback in ((0.1, 1.0, 2.0), (1e-3, 0.04, 1200.0), (1e-8, 0.5, 3.0)):
        rate = 2e-3 / progress**0.5
        y = self_stabilization.orbit(x0, 0.0, 10_000, progress=progress, feedback=feedback, learning_rate=rate)[1]
        highest, given = float(np.max(y[: _first_fall(y)])), float(answer(x0, progress, feedback))
        assert abs(given / highest - 1) < 0.01, (
            f"x0 = {x0:g}, progress {progress:g}, feedback {feedback:g}: an orbit rises to y = {highest:.5g}, the answer is {given:.5g}. "
            "Hint: E is the same at the crossing and at the top, where x is at its value of rest"
        )
    print("Right: orbits rise as high as you say.")


def _first_fall(y):
    """The index at which y is below zero again, after the first swing."""
    below = np.flatnonzero(np.asarray(y) < 0)
    return int(below[0]) if len(below) else len(y)


def check_gain(answer: Callable) -> None:
    r"""What a step adds to the energy, to an error of third order in the rate.

    Args:
      answer: a function of (x, y, progress, feedback, rate) that returns the gain of a step.

    Raises:
      AssertionError: names the state, the answer, and the gain of a step.
    """
    require.callable_("answer", answer)
    for x, y, progress, feedback in ((0.5, 0.3, 1.0, 2.0), (1.7, -0.4, 0.7, 1.5), (1.0, 0.6, 1.0, 2.0), (0.8, 0.0, 0.2, 3.0)):
        rate = 1e-4
        xs, ys = self_stabilization.orbit(x, y, 1, progress=progress, feedback=feedback, learning_rate=rate)
        E = self_stabilization.energy(xs, ys, progress=progress, feedback=feedback)
        seen, given = float(E[1] - E[0]), float(answer(x, y, progress, feedback, rate))
        assert abs(given - seen) < 2e-3 * abs(seen) + 1e-15, (
            f"x = {x:g}, y = {y:g}, progress {progress:g}, feedback {feedback:g}, rate {rate:g}: a step adds {seen:.4e} to E, "
            f"the answer is {given:.4e}. Hint: expand E to second order in the changes of y and of log|x|, and "
            "log(1 + rate * y) to second order too"
        )
    print("Right: a step adds what you say.")


def check_variance(answer: Callable) -> None:
    r"""With the pressure the sharpness stands still, or it falls and there is none.

    Args:
      answer: a function of (gradient, slope), two vectors, that returns the variance of the swing.

    Raises:
      AssertionError: names the velocity of the sharpness that the answer leaves.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(3)
    for _ in range(20):
        gradient, slope = rng.standard_normal((2, 5))
        given = float(answer(gradient, slope))
        speed = -slope @ (gradient + 0.5 * given * slope)
        assert given >= 0, f"a variance is not negative, but the answer is {given:.4g}. Hint: a wall does not pull"
        free = -slope @ gradient
        if free <= 0:
            assert given == 0, f"the sharpness falls by itself, at the speed {free:.4g}, but the answer is {given:.4g}. Hint: no swing is needed"
        else:
            assert abs(speed) < 1e-9 * free, (
                f"without swing the sharpness moves at the speed {free:.4g}, with the answer {given:.4g} at {speed:.4g}, and not zero. "
                "Hint: the drift is gradient + half the variance times slope"
            )
    print("Right: the sharpness stands still, or falls without you.")
