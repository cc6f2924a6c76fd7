"""Property checks for the exercises of *What decides the gap*."""

import itertools
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from learndyn import _require as require


def check_steps(answer: Callable) -> None:
    r"""The best number of steps for one direction, against the risk a little earlier and a little later.

    Args:
      answer: a function of (eigenvalue, rate, signal, noise) that returns a number of steps, not necessarily whole.

    Raises:
      AssertionError: names the case, the answer, and the side on which the risk is lower.
    """
    require.callable_("answer", answer)
    for eigenvalue, rate, signal, noise in ((1.0, 0.1, 1.0, 0.1), (0.02, 5.0, 0.5, 0.01), (3.0, 0.3, 2.0, 1.0), (1e-3, 1.0, 4.0, 0.5)):
        def risk(steps):
            left = (1 - rate * eigenvalue) ** steps  # of the way to the fit
            return left**2 * signal + (1 - left) ** 2 * noise / eigenvalue

        given = float(answer(eigenvalue, rate, signal, noise))
        case = f"eigenvalue {eigenvalue:g}, rate {rate:g}, signal {signal:g}, noise {noise:g}"
        assert np.isfinite(given) and given > 0, f"{case}: {given} is no number of steps"
        for side, factor in (("fewer", 1 - 1e-3), ("more", 1 + 1e-3)):
            assert risk(given) < risk(factor * given), (
                f"{case}: {side} steps than {given:.6g} have a lower risk. Hint: what is left after k steps is "
                "(1 - rate eigenvalue)^k, and the risk is a parabola in it"
            )
    print("Right: a step too few and a step too many are both worse.")


def check_mean(answer: Callable) -> None:
    r"""The mean parameters of descent with batches, against the mean over all sequences of batches.

    Args:
      answer: a function of (X, y, rate, steps) that returns the mean of the parameters after that many steps from zero,
        when every step uses one sample that is drawn independently and the loss is the mean over samples.

    Raises:
      AssertionError: says the number of steps, the answer, and what the enumeration finds.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(0)
    X, y, rate = rng.normal(size=(3, 2)), rng.normal(size=3), 0.2
    for steps in (1, 2, 4):
        ends = []
        for batches in itertools.product(range(3), repeat=steps):
            w = np.zeros(2)
            for i in batches:
                w = w - rate * X[i] * (X[i] @ w - y[i])
            ends.append(w)
        wanted, given = np.mean(ends, axis=0), np.asarray(answer(X, y, rate, steps), float)
        assert given.shape == (2,) and np.abs(given - wanted).max() < 1e-9, (
            f"{steps} steps: the mean over all {len(ends)} sequences of batches is {wanted}, but the answer is {given}. "
            "Hint: a batch is independent of where the parameters are, and the gradient is linear in them"
        )
    print("Right: on average, batches leave the filter as it is.")


def check_margin(answer: Callable) -> None:
    r"""The margin at rest with smoothing and wrong labels, against a minimization of the mean cross-entropy.

    Args:
      answer: a function of (smoothing, wrong, classes) that returns the logit of the true class less that of any other.

    Raises:
      AssertionError: names the case, the answer, and the margin at the minimum.
    """
    require.callable_("answer", answer)
    for smoothing, wrong, classes in ((0.1, 0.0, 10), (0.0, 0.2, 10), (0.1, 0.2, 10), (0.3, 0.5, 3)):
        def mean_loss(margin):
            logits = np.array([margin[0]] + [0.0] * (classes - 1))
            logs = logits - np.log(np.sum(np.exp(logits)))
            smooth = lambda label: -(1 - smoothing) * logs[label] - smoothing * np.mean(logs)
            return (1 - wrong) * smooth(0) + wrong * smooth(1)  # all other classes are alike

        wanted = minimize(mean_loss, [1.0], tol=1e-12).x[0]
        given = float(answer(smoothing, wrong, classes))
        assert abs(given - wanted) < 1e-3, (
            f"smoothing {smoothing:g}, {wrong:g} of the labels wrong, {classes} classes: the margin at the minimum is {wanted:.5f}, "
            f"and not {given:.5f}. Hint: average the smoothed targets over the labels that an image may get"
        )
    print("Right: wrong labels smooth, too.")
