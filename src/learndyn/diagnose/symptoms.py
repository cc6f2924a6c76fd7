"""Symptoms: one number for each failure, without units, and the line of the run that shows it best.

Each takes a `Record` and returns a `Symptom`, or a text that says what the run would have to show for it to be judged.
"""

from typing import NamedTuple

import numpy as np

CAP = 6.0  # decades: an overflow counts as this much


class Symptom(NamedTuple):
    score: float  # larger is worse
    line: int  # where it shows
    evidence: str  # the numbers, in words


def _smooth(values, width=5):
    """Running median; at the ends of the part of the window that there is."""
    half = width // 2
    return np.array([np.median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))])


def _tail(values, share=0.1):
    return float(np.median(values[-max(3, int(share * len(values))) :], axis=0))


def _decades(value, reference):
    """log10 of a ratio, within ±CAP, for numbers that may be zero."""
    tiny = 1e-300
    return float(np.clip(np.log10(max(value, tiny)) - np.log10(max(reference, tiny)), -CAP, CAP))


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
    """log10 of the largest jump of the loss, in units of its recent scatter plus 2 % of its start."""
    loss, before = run.whole("train_loss"), 10
    if len(loss) <= before:
        return f"at least {before + 1} lines before the run broke"
    past = np.lib.stride_tricks.sliding_window_view(loss, before)[:-1]
    level = np.median(past, axis=1)
    scatter = 1.48 * np.median(np.abs(past - level[:, None]), axis=1) + 0.02 * loss[0] + 1e-300
    jump = (loss[before:] - level) / scatter
    top = int(np.argmax(jump))
    text = f"train loss {loss[top + before]:.3g} at step {run.step[top + before]:g}, {level[top]:.3g} in the {before} lines before"
    return Symptom(_decades(max(jump[top], 0.1), 1.0), top + before, text + f", {jump[top]:.0f} times the scatter")


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
    """Decades by which the validation loss rose from its minimum, while the train loss went on falling."""
    train, held = _smooth(run.whole("train_loss")), _smooth(run.whole("validation_loss"))
    if run.broken:
        return "a run that stays finite"
    low = int(np.argmin(held))
    rose = _decades(_tail(held), held[low]) if held[low] < 0.8 * held[0] and _tail(train) < train[low] else 0.0
    text = (f"validation loss {held[low]:.3g} at step {run.step[low]:g} and {_tail(held):.3g} at the end, "
            f"train loss {train[low]:.3g} and {_tail(train):.3g}")  # fmt: skip
    return Symptom(rose, low, text)


def distribution_mismatch(run):
    """1 - (fall of the validation loss) / (fall of the train loss) while the train loss falls to half of its start."""
    train, held = _smooth(run.whole("train_loss")), _smooth(run.whole("validation_loss"))
    half = _first(train <= 0.5 * train[0], None)
    if half is None:
        return "a train loss that falls to half of its start"
    share = (held[0] - held[half]) / (train[0] - train[half])
    text = f"at step {run.step[half]:g} train loss {train[0]:.3g} -> {train[half]:.3g}, validation {held[0]:.3g} -> {held[half]:.3g}"
    return Symptom(float(np.clip(1 - share, -2.0, 5.0)), half, text)


def exploding_gradients(run):
    """log10 of |g| |theta| / L at the start: per cent by which the loss changes when the parameters change by one."""
    stretch = run["gradient_norm"][0] * run["parameter_norm"][0] / max(run["train_loss"][0], 1e-300)
    if not np.isfinite(stretch):
        return Symptom(CAP, 0, "the gradient is not finite at the start")
    text = f"gradient norm {run['gradient_norm'][0]:.3g} at the start: parameters changed by 1 % move the loss by {stretch:.3g} %"
    return Symptom(_decades(stretch, 1.0), 0, text)


def vanishing_gradients(run):
    """Decades between the layer with the largest and the one with the smallest gradient, early in the run."""
    early = run.whole("layer_gradient_norm")[: max(3, run.end // 5)]
    if not len(early):
        return "a finite start"
    norms = np.median(early, axis=0)
    small, large = int(np.argmin(norms)), int(np.argmax(norms))
    text = f"gradient norm {norms[small]:.2g} in layer {small + 1}, {norms[large]:.2g} in layer {large + 1}"
    return Symptom(_decades(norms[large], norms[small]), 0, text)


def dead_units(run):
    """Share of dead units in the layer that has most of them, at the end."""
    dead = run.whole("dead_fraction")
    if not len(dead):
        return "a finite start"
    shares = np.median(dead[-max(3, len(dead) // 10) :], axis=0)
    worst = int(np.argmax(shares))
    line = _first(dead[:, worst] >= 0.9 * shares[worst], 0)
    return Symptom(float(shares[worst]), line, f"{shares[worst]:.0%} of the units of hidden layer {worst + 1} are zero for every input")


def too_much_noise(run):
    """log10 of the typical change of the validation loss from line to line, over its level, in the second half."""
    held = run.whole("validation_loss")
    held = held[len(held) // 2 :]
    if run.broken or len(held) < 5:
        return "a run that stays finite"
    jitter, level = float(np.median(np.abs(np.diff(held)))), float(np.median(held))
    text = f"validation loss {level:.3g} in the second half, changing by {jitter:.2g} from line to line"
    return Symptom(_decades(jitter, level), len(run.step) // 2, text)
