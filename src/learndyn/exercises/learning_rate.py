"""Property checks for the exercises of *The learning rate is the control*."""

from collections.abc import Callable

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from learndyn import _require as require


def check_trade(answer: Callable) -> None:
    r"""Steps and samples of a batch, against the gain of the best step found by search.

    Args:
      answer: a function of (batch, scale) that returns the steps over the fewest, and the samples over the fewest.

    Raises:
      AssertionError: names the batch, the answer, and what the search finds.
    """
    require.callable_("answer", answer)
    for batch, scale in ((1, 10.0), (10, 10.0), (64, 3.0)):
        # |g|^2 = 1 and g'Hg = 1, so tr H Sigma = scale; the gain of a step at the rate r
        best = lambda B: max(r - 0.5 * r**2 * (1 + scale / B) for r in 1 / (1 + scale / B) * np.linspace(0.9, 1.1, 201))
        tiny, huge = 1e-7, 1e9
        wanted = best(huge) / best(batch), (batch / best(batch)) / (tiny / best(tiny))
        given = tuple(map(float, answer(batch, scale)))
        for name, ours, theirs in zip(("steps", "samples"), given, wanted):
            assert abs(ours / theirs - 1) < 1e-5, (
                f"batch {batch}, noise scale {scale:g}: {theirs:.6g} times the fewest {name} are needed, and not {ours:.6g}. "
                "Hint: a step gains 1 / (1 + scale / batch) of the most, and a step costs batch samples"
            )
    print("Right: (steps - 1)(samples - 1) = 1.")


def check_variance(answer: Callable) -> None:
    r"""The variance of x in the stationary state of the heavy ball with noise.

    Args:
      answer: a function of (curvature, rate, momentum, noise) that returns the variance of x.

    Raises:
      AssertionError: names the case, the answer, and what the balance of the covariance of (x, v) says.
    """
    require.callable_("answer", answer)
    for curvature, rate, momentum, noise in ((1.0, 0.1, 0.0, 1.0), (2.0, 0.3, 0.9, 0.5), (0.5, 6.5, 0.7, 2.0), (3.0, 1e-3, 0.5, 1.0)):
        step = np.array([[1 - rate * curvature, -rate * momentum], [curvature, momentum]])
        kick = np.array([[-rate], [1.0]])
        wanted = solve_discrete_lyapunov(step, noise * kick @ kick.T)[0, 0]
        given = float(answer(curvature, rate, momentum, noise))
        assert abs(given / wanted - 1) < 1e-6, (
            f"curvature {curvature:g}, rate {rate:g}, momentum {momentum:g}, noise {noise:g}: the variance is {wanted:.6g}, the answer is "
            f"{given:.6g}. Hint: x[k+1] = p x[k] - momentum x[k-1] - rate xi; find the covariance of neighbors first"
        )
    print("Right: noise and friction are in balance.")
