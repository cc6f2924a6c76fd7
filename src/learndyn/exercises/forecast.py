"""Property checks for the exercises of *Can the first steps tell?*"""

from collections.abc import Callable

import numpy as np

from learndyn import _require as require


def check_area(answer: Callable) -> None:
    r"""The answer is the share of pairs that are in the right order, ties counted by one half.

    Args:
      answer: a function of (scores, outcome), two arrays, that returns the area under the curve.

    Raises:
      AssertionError: names the runs, the answer, and the share of pairs.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(1)
    for decimals, size in ((6, 40), (0, 40), (1, 11)):
        outcome = np.arange(size) % 3 == 0
        scores = (rng.standard_normal(size) + outcome).round(decimals)
        given = float(answer(scores, outcome))
        pairs = scores[outcome][:, None] - scores[~outcome][None]
        counted = float(np.mean((pairs > 0) + 0.5 * (pairs == 0)))
        ties = "no ties" if decimals == 6 else f"{int((pairs == 0).sum())} ties"
        assert abs(given - counted) < 1e-9, (
            f"{size} runs with {ties}: {counted:.4f} of all pairs are in the right order, the answer is {given:.4f}. "
            "Hint: give ties the mean of their ranks, and count ranks from 1"
        )
    print("Right: your area is the share of pairs in the right order.")


def check_standard_error(answer: Callable) -> None:
    r"""The answer is the standard deviation of the area over many samples of runs.

    Args:
      answer: a function of (scores, outcome), two arrays, that returns the standard error of the area.

    Raises:
      AssertionError: names the sizes of the classes, the mean answer, and the deviation that was seen.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(2)
    for positive, negative, shift in ((20, 400, 1.0), (300, 30, 0.5)):
        outcome = np.arange(positive + negative) < positive
        areas, answers = [], []
        for trial in range(400):
            scores = rng.standard_normal(len(outcome)) + shift * outcome
            areas.append(np.mean(scores[outcome][:, None] > scores[~outcome][None]))
            if trial < 40:
                answers.append(float(answer(scores, outcome)))
        seen, given = float(np.std(areas)), float(np.mean(answers))
        assert abs(given / seen - 1) < 0.12, (
            f"{positive} runs in the class and {negative} others: over 400 samples the area varies by {seen:.4f}, "
            f"the answer is {given:.4f} in the mean. Hint: V has one number for each run of the class, and its variance is divided by "
            "their number; then the same for W, and a square root"
        )
    print("Right: areas vary from sample to sample by what you say.")


def check_frame(answer: Callable) -> None:
    r"""The answer is the logarithm of the diagonal of R when the turned frame is pushed by $\mathrm{diag}(e^a, e^{-a})$.

    Args:
      answer: a function of (a, angle) that returns the two exponents.

    Raises:
      AssertionError: names the case, and the exponent that is wrong.
    """
    require.callable_("answer", answer)
    for a, angle in ((1.0, 0.0), (2.0, 0.7), (0.5, np.pi / 2), (3.0, 1.5), (1.5, -0.4)):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        R = np.linalg.qr(np.diag([np.exp(a), np.exp(-a)]) @ turn, mode="r")
        wanted, given = np.log(np.abs(np.diag(R))), np.asarray(answer(a, angle), float)
        assert given.shape == (2,), f"a = {a:g}: two exponents are wanted, the answer has shape {given.shape}. Hint: return both"
        assert abs(given.sum()) < 1e-9, (
            f"a = {a:g}, angle {angle:.3f}: the determinant is one, but the answer's exponents add up to {given.sum():.4g}. "
            "Hint: the sum does not depend on the frame"
        )
        assert abs(given[0] - wanted[0]) < 1e-9, (
            f"a = {a:g}, angle {angle:.3f}: the first vector of the frame grows by the exponent {wanted[0]:.4g}, the answer is "
            f"{given[0]:.4g}. Hint: apply the matrix to (cos, sin) and take the logarithm of the length"
        )
    print("Right: the exponents of every frame.")


def check_restart(answer: Callable) -> None:
    r"""The answer is the mean number of steps in a simulation of starts, warnings, and restarts.

    Args:
      answer: a function of (bad, hit, alarm, cut, total) that returns the mean number of steps until a run ends well.

    Raises:
      AssertionError: names the case, the answer, and the mean of the simulation.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(4)
    for bad, hit, alarm, cut, total in ((0.3, 0.8, 0.1, 75, 5000), (0.5, 1.0, 0.0, 100, 1000), (0.05, 0.6, 0.3, 500, 5000), (0.4, 0.0, 0.0, 50, 1000)):
        fails, lucky = rng.random((2, 200_000))
        fails = fails < bad
        stopped = lucky < np.where(fails, hit, alarm)
        steps = np.where(stopped, cut, total)
        seen, given = steps.sum() / (~fails & ~stopped).sum(), float(answer(bad, hit, alarm, cut, total))
        assert abs(given / seen - 1) < 0.02, (
            f"failures {bad:g}, caught {hit:g}, false alarms {alarm:g}, cut at {cut} of {total}: in a simulation of 200 000 starts a good "
            f"end costs {seen:.0f} steps, the answer is {given:.0f}. Hint: divide the mean cost of a start, be it stopped or not, by the "
            "probability that it ends well"
        )
    print("Right: a good end costs what you say.")
