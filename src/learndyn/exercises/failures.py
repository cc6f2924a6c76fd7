"""Property checks for the exercises of *What went wrong?*."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import quad

from learndyn import _require as require


def check_gain(answer: Callable) -> None:
    r"""The mean square of the activations is the same in every layer.

    Args:
      answer: a function of the slope a of the leaky ReLU, max(z, a z), that returns the standard deviation of the weights in units
        of fan_in ** -1/2.

    Raises:
      AssertionError: names the slope, the answer, and the factor by which a layer multiplies the mean square.
    """
    require.callable_("answer", answer)
    for slope in (0.0, 0.1, 0.5, 1.0, -1.0):
        square = lambda z: (z if z > 0 else slope * z) ** 2 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        kept = quad(square, -np.inf, 0)[0] + quad(square, 0, np.inf)[0]
        gain = float(answer(slope))
        factor = gain**2 * kept
        assert gain > 0 and abs(factor - 1) < 1e-6, (
            f"slope {slope:g}: with the answer {gain:.6g} a layer multiplies the mean square by {factor:.6g}, and not by one. "
            "Hint: half of a symmetric z is positive and keeps its square; the other half keeps a^2 of it"
        )
    print("Right: neither signal nor gradient grows or shrinks with depth.")


def check_wait(answer: Callable) -> None:
    r"""The time that dw/dt = w^(depth - 1) takes from one value to another.

    Args:
      answer: a function of (start, end, depth) that returns a time.

    Raises:
      AssertionError: names the case, the answer, and the integral of dt/dw.
    """
    require.callable_("answer", answer)
    for start, end, depth in ((0.1, 0.9, 2), (0.1, 0.9, 3), (0.05, 0.5, 4), (0.2, 0.7, 6), (0.3, 0.3, 5)):
        wanted = quad(lambda w: w ** (1 - depth), start, end)[0]
        given = float(answer(start, end, depth))
        assert abs(given - wanted) < 1e-6 * max(1.0, wanted), (
            f"from {start:g} to {end:g} with depth {depth}: it takes {wanted:.6g}, and the answer is {given:.6g}. "
            "Hint: separate the variables; depth 2 is a case of its own"
        )
    print("Right: a start that is twice as small waits 2^(depth - 2) times as long.")


def check_precision(answer: Callable) -> None:
    r"""Of the runs that a rule names, the share that is sick, counted in a hospital of a million runs.

    Args:
      answer: a function of (recall, false_alarms, share), the last one that of the sick among all runs.

    Raises:
      AssertionError: names the case, the answer, and the counts.
    """
    require.callable_("answer", answer)
    for recall, alarms, share in ((0.9, 0.1, 0.5), (0.95, 0.05, 0.01), (1.0, 0.0, 0.001), (0.2, 0.6, 0.3)):
        sick = 1_000_000 * share
        hits, false = recall * sick, alarms * (1_000_000 - sick)
        wanted, given = hits / (hits + false), float(answer(recall, alarms, share))
        assert abs(given - wanted) < 1e-9, (
            f"recall {recall:g}, false alarms {alarms:g}, {share:.1%} sick: of a million runs the rule names {hits + false:.0f}, and "
            f"{hits:.0f} of them are sick, a share of {wanted:.6g}; the answer is {given:.6g}. Hint: count the sound ones, too"
        )
    print("Right: precision depends on how rare the failure is.")


def check_lead(answer: Callable) -> None:
    r"""By how many lines the train loss jumps before the validation loss does, in whatever units the losses are.

    Args:
      answer: a function of a record, a dictionary with train_loss and validation_loss, that returns a number of lines.

    Raises:
      AssertionError: names the record, the answer, and the lead.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(0)
    for lead, where in ((1, 40), (0, 30), (3, 55)):
        train, held = (np.exp(-np.arange(80) / 30) + 0.01 * rng.standard_normal(80) for _ in range(2))
        train[where:] += 2.0 * 0.6 ** np.arange(80 - where)
        held[where + lead :] += 1.2 * 0.7 ** np.arange(80 - where - lead)
        for name, a, b in (("as it is", 1.0, 1.0), ("train loss in other units", 1000.0, 1.0), ("validation loss in other units", 1.0, 1e-3)):
            given = float(answer({"train_loss": a * train, "validation_loss": b * held}))
            assert given == lead, (
                f"a record whose train loss jumps in line {where} and whose validation loss jumps in line {where + lead}, {name}: "
                f"the lead is {lead}, and the answer is {given:g}. Hint: find the largest rise of each from line to line"
            )
    print("Right: your symptom has no units, and knows who jumped first.")
