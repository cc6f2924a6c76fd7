"""Property checks for the exercises of *The learning rate is the control*."""

import itertools
from collections.abc import Callable

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from learndyn import _require as require


def check_estimate(answer: Callable) -> None:
    r"""Averaged over all batches without repetition, the estimates are the numbers themselves.

    Args:
      answer: a function of (small_squared, big_squared, small, big, n) that returns estimates of $|g|^2$ and
        $\operatorname{tr}\Sigma$.

    Raises:
      AssertionError: names the sizes, the answer's mean, and the number.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(1)
    for n, small, big in ((6, 1, 3), (6, 2, 6), (7, 3, 5)):
        rows = rng.standard_normal((n, 4)) + 0.5
        squared = {B: [np.sum(rows[list(batch)].mean(axis=0) ** 2) for batch in itertools.combinations(range(n), B)] for B in (small, big)}
        pairs = np.array([answer(a, b, small, big, n) for a in squared[small] for b in squared[big]], dtype=float)
        assert pairs.shape[1:] == (2,), f"the answer must be two numbers, but has the shape {pairs.shape[1:]}"
        exact = np.sum(rows.mean(axis=0) ** 2), np.sum(rows.var(axis=0))
        for name, given, wanted in zip(("|g|^2", "tr Sigma"), pairs.mean(axis=0), exact):
            assert abs(given - wanted) < 1e-9 * abs(wanted) + 1e-12, (
                f"batches of {small} and {big} out of {n}: the mean of your estimates of {name} is {given:.6g}, and not {wanted:.6g}. "
                "Hint: |g_B|^2 is on average a straight line in (n - B) / (B (n - 1))"
            )
    print("Right: both estimates are without bias.")


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


def check_typical(answer: Callable) -> None:
    r"""Single runs shrink at every rate below the answer, and grow just above it.

    Args:
      answer: a function of squares, the values of $x^2$ that are drawn with equal chances, that returns a rate.

    Raises:
      AssertionError: names the squares, the rate, and the growth of a typical run there.
    """
    require.callable_("answer", answer)
    for squares in ((1.0, 4.0), (1.0,), (0.2, 1.0, 3.0)):
        growth = lambda rate: np.mean(np.log(np.abs(1 - rate * np.array(squares)) + 1e-300))
        limit = float(answer(squares))
        for rate in limit * np.array([0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999]):
            assert growth(rate) < 0, (
                f"x^2 in {squares}: at the rate {rate:.5g}, below the answer {limit:.5g}, a typical run grows by {growth(rate):.3g} a step. "
                "Hint: log|x| is a sum; find where the mean of log|1 - rate x^2| first becomes positive"
            )
        assert growth(1.001 * limit) > 0, (
            f"x^2 in {squares}: just above the answer {limit:.5g} a typical run still shrinks, by {growth(1.001 * limit):.3g} a step. "
            "Hint: the mean square may explode while almost all runs shrink; ask for the mean of the logarithm"
        )
    print("Right: almost every run converges below your limit.")
