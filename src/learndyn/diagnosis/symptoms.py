"""Symptoms: one number for each failure, without units, and the line of the run that shows it best.

Each takes a `Record` and returns a `Symptom`, or a text that says what the run would have to show for it to be judged.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import median_filter

CAP = 6.0  # decades: an overflow counts as this much
TINY = 1e-300  # in place of zero, where a ratio is taken


class Symptom(NamedTuple):
    score: float  # larger is worse
    line: int  # where it shows
    evidence: str  # the numbers, in words


def _smooth(values, width=5):
    """Running median; the first and the last value count as often as the window reaches beyond them."""
    return median_filter(values, width, mode="nearest")


def _tail(values, share=0.1):
    return float(np.median(values[-max(3, int(share * len(values))) :], axis=0))


def _decades(value, reference):
    """log10 of a ratio, within ±CAP, for numbers that may be zero."""
    return float(np.clip(np.log10(max(value, TINY)) - np.log10(max(reference, TINY)), -CAP, CAP))


def _first(condition, otherwise):
    return int(np.argmax(condition)) if np.any(condition) else otherwise


def divergence(run):
    """Decades by which the loss rose above its start, where it stayed above half of the start."""
    loss = run.whole("train_loss")
    if run.broken:
        return Symptom(CAP, run.end, f"not finite from step {run.step[run.end]:g} on")
    top = int(np.argmax(loss))
    rise, end = _decades(loss[top], loss[0]), _tail(loss)
    text = f"train loss {loss[0]:.3g} at the start, {loss[top]:.3g} at step {run.step[top]:g}, {end:.3g} at the end"
    return Symptom(rise if end > 0.5 * loss[0] else 0.0, top, text)


def loss_spike(run):
    """log10 of the largest jump of the loss, in units of its recent scatter plus 5 % of its start."""
    loss, before = run.whole("train_loss"), 10
    if len(loss) <= before:
        return f"at least {before + 1} lines before the run broke"
    past = np.lib.stride_tricks.sliding_window_view(loss, before)[:-1]
    level = np.median(past, axis=1)
    scatter = 1.48 * np.median(np.abs(past - level[:, None]), axis=1) + 0.05 * loss[0] + TINY
    jump = (loss[before:] - level) / scatter
    top = int(np.argmax(jump))
    here = top + before
    text = (f"train loss {loss[here]:.3g} at step {run.step[here]:g}, {level[top]:.3g} in the {before} lines before: "
            f"a jump of {jump[top]:.0f} times the scatter")  # fmt: skip
    return Symptom(_decades(max(jump[top], 0.1), 1.0), here, text)


def early_plateau(run):
    """Share of the run that passed before the loss had fallen by a fifth."""
    loss = _smooth(run.whole("train_loss"))
    passed = _first(loss <= 0.8 * loss[0], len(loss)) / len(run.step)
    if run.broken or loss.max() > 1.5 * loss[0]:  # it did not stay where it was
        passed = 0.0
    line = min(int(passed * len(run.step)), len(loss) - 1)
    text = f"train loss {loss[0]:.3g} at the start, {loss[line]:.3g} after {passed:.0%} of the run"
    return Symptom(passed, line, text)


def overfitting(run):
    """Rise of the validation loss from its minimum, over its start, while the train loss went on falling."""
    train, held = _smooth(run.whole("train_loss")), _smooth(run.whole("validation_loss"))
    if run.broken:
        return "a run that stays finite"
    low, end = int(np.argmin(held)), _tail(held)
    text = (f"validation loss {held[low]:.3g} at step {run.step[low]:g} and {end:.3g} at the end, "
            f"train loss {train[low]:.3g} and {_tail(train):.3g}")  # fmt: skip
    rise = float((end - held[low]) / max(held[0], TINY)) if _tail(train) < train[low] else 0.0
    return Symptom(rise, low, text)


def distribution_mismatch(run):
    """(validation loss - train loss) / start, in the lines after the train loss fell to six tenths of its start."""
    train = _smooth(run.whole("train_loss"))
    start = max(min(train[0], run["train_loss"][0]), TINY)
    fallen = _first(train <= 0.6 * start, None)
    if run.broken or fallen is None or train.max() > 1.5 * start:
        return "a train loss that falls to six tenths of its start, without rising far above it"
    train, held = run.whole("train_loss")[fallen : fallen + 8], run.whole("validation_loss")[fallen : fallen + 8]
    text = f"from step {run.step[fallen]:g} on train loss {np.median(train):.3g}, validation loss {np.median(held):.3g}"
    return Symptom(float(np.clip(np.median(held - train) / start, -CAP, CAP)), fallen, text)


def exploding_gradients(run):
    """log10 of |g_1| |theta| / L_chance at the start, with the gradient of the first layer, where all factors meet."""
    gradient, size = run["layer_gradient_norm"][0, 0], run["parameter_norm"][0]
    if not run.end:
        return Symptom(CAP, 0, "not finite at the start")
    stretch = gradient * size / max(run["chance_loss"][0], TINY)
    text = f"gradient norm {gradient:.3g} in the first layer at the start, parameter norm {size:.3g}"
    return Symptom(_decades(stretch, 1.0), 0, text + f": a change by 1 % moves the loss by {stretch:.3g} % of chance")


def vanishing_gradients(run):
    """Decades between the layer with the largest and the one with the smallest gradient, early in the run."""
    early = run.whole("layer_gradient_norm")[:5]
    norms = np.median(early, axis=0)
    small, large = int(np.argmin(norms)), int(np.argmax(norms))
    text = f"gradient norm {norms[small]:.2g} in layer {small + 1}, {norms[large]:.2g} in layer {large + 1}"
    return Symptom(_decades(norms[large], norms[small]), 0, text)


def dead_units(run):
    """Share of dead units in the layer that has most of them, at the end."""
    dead = run.whole("dead_fraction")
    shares = np.median(dead[-max(3, len(dead) // 10) :], axis=0)
    worst = int(np.argmax(shares))
    line = _first(dead[:, worst] >= 0.9 * shares[worst], 0)
    text = f"{shares[worst]:.0%} of the units of hidden layer {worst + 1} are zero for every input"
    return Symptom(float(shares[worst]), line, text)


def too_much_noise(run):
    """log10 of the typical change from line to line over the start, of train or validation loss, whichever is less."""
    if run.broken:
        return "a run that stays finite"
    half, found = len(run.step) // 2, []
    for name in ("train_loss", "validation_loss"):
        steps, values = run.measured(name)
        late = values[steps >= run.step[half]]
        if len(late) < 5:
            return "five measurements of the validation loss in the second half"
        jitter = float(np.median(np.abs(np.diff(late))))
        found.append((_decades(jitter, values[0]), f"{name.replace('_', ' ')} {np.median(late):.3g} ± {jitter:.2g}"))
    text = " and ".join(part for _, part in found) + " from line to line in the second half"
    return Symptom(min(score for score, _ in found), half, text)
