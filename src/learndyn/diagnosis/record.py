"""A recorded run, as any loop can keep it: read, checked, and brought onto common steps."""

from collections.abc import Mapping

import numpy as np

from learndyn import _require as require

# Each a number a line, or, where the comment says so, a row a line.
KEYS = {
    "step": "the step number of each line (0, 1, 2, ... by default)",
    "train_loss": "the loss that is minimized, zero or above: of a batch, or the mean over some batches",
    "validation_loss": "the same loss on held-out data",
    "gradient_norm": "the Euclidean norm of the gradient of all parameters",
    "parameter_norm": "the Euclidean norm of all parameters",
    "layer_gradient_norm": "the norm of the gradient of each layer, a row a line, inputs first",
    "update_ratio": "the norm of a step over the norm of the parameters, of each layer, a row a line",
    "dead_fraction": "the share of units that are zero for every input looked at, of each hidden layer, a row a line",
    "saturated_fraction": "the share of activations on the flat part of tanh or sigmoid, of each hidden layer",
    "learning_rate": "the learning rate, one number or one a line",
    "chance_loss": "the loss of the best constant prediction, one number: ln(classes), or the variance of the targets",
    "sharpness": "the largest eigenvalue of the Hessian of the loss",
}
ROWS = ("layer_gradient_norm", "update_ratio", "dead_fraction", "saturated_fraction")
NUMBERS = ("learning_rate", "chance_loss")  # may be one number
MOTION = ("train_loss", "gradient_norm", "parameter_norm", "layer_gradient_norm", "update_ratio")  # not finite: broken
FEWEST = 20  # lines, below which a course cannot be told from an accident


class Record:
    """A checked run: `record["train_loss"]` (T,), rows (T, L), `record.step` (T,), `record.end`, lines before it broke."""

    def __init__(self, run):
        if not isinstance(run, Mapping):
            raise TypeError(f"run must be a dictionary of arrays, but is of type {type(run).__name__}")
        if "train_loss" not in run:
            raise ValueError(f"run must have the entry 'train_loss', but has {sorted(map(str, run))}")
        for name in run:
            require.one_of("an entry of run", name, KEYS)
        steps, loss = _pair("train_loss", run["train_loss"])
        if steps is None:
            steps = _array("step", run["step"]) if "step" in run else np.arange(len(loss), dtype=float)
        _increasing("step", steps, len(loss))
        if len(loss) < FEWEST:
            raise ValueError(f"train_loss must have at least {FEWEST} lines, but has {len(loss)}")
        self.step, self._series, self._measured = steps, {}, {}
        for name in run:
            if name != "step":
                self._series[name] = self._aligned(name, run[name])
        broken = np.zeros(len(steps), bool)
        for name in self._series.keys() & set(MOTION):
            broken |= ~np.isfinite(self[name].reshape(len(steps), -1)).all(axis=1)
        self.broken = bool(broken.any())
        self.end = int(np.argmax(broken)) if self.broken else len(steps)
        for name, values in self._series.items():
            fine = values[: self.end]
            if not np.isfinite(fine).all():
                first = int(np.argmin(np.isfinite(fine.reshape(len(fine), -1)).all(axis=1)))
                raise ValueError(
                    f"{name} must be finite until the run breaks, but is {values[first]} in line {first}; where it was "
                    "not measured at every line, give a pair (steps, values)"
                )
            if name.endswith("fraction") and len(fine) and (fine.min() < 0 or fine.max() > 1):
                raise ValueError(f"{name} must lie between 0 and 1, but reaches from {fine.min()} to {fine.max()}")
            if name != "sharpness" and len(fine) and fine.min() < 0:
                raise ValueError(f"{name} must be zero or positive, but is {fine.min()}; of a loss, take off a lower bound")

    def __contains__(self, name):
        return name in self._series

    def __getitem__(self, name):
        return self._series[name]

    def whole(self, name):
        """An entry, up to where the run broke."""
        return self._series[name][: self.end]

    def measured(self, name):
        """Steps and values of an entry where it was measured."""
        return self._measured.get(name, (self.step, self._series[name]))

    def _aligned(self, name, given):
        """On the steps of the train loss; between two measurements the last one holds."""
        steps, values = _pair(name, given)
        if name in NUMBERS and values.ndim == 0:
            values = np.full(len(self.step), float(values))
        if values.ndim != (1 + (name in ROWS)) or 0 in values.shape:
            shape = "(lines, layers)" if name in ROWS else "(lines,)"
            raise ValueError(f"{name} must have the shape {shape}, but has {values.shape}")
        if steps is None:
            if len(values) != len(self.step):
                raise ValueError(
                    f"{name} must have a line for each of train_loss, {len(self.step)}, or be a pair (steps, values), "
                    f"but has {len(values)} lines"
                )
            return values
        _increasing(f"steps of {name}", steps, len(values))
        self._measured[name] = steps, values
        return values[np.maximum(np.searchsorted(steps, self.step, side="right") - 1, 0)]


def _pair(name, given):
    """Steps or None, and values."""
    if isinstance(given, tuple):
        if len(given) != 2:
            raise ValueError(f"{name} must be an array or a pair (steps, values), but is a tuple of {len(given)}")
        return _array(f"steps of {name}", given[0]), _array(name, given[1])
    return None, _array(name, given)


def _array(name, given):
    values = np.asarray(given)
    if values.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold real numbers, but is {given!r}"[:300])
    return values.astype(float)


def _increasing(name, steps, lines):
    if steps.shape != (lines,):
        raise ValueError(f"{name} must have one number a line, {lines}, but has shape {steps.shape}")
    if not np.isfinite(steps).all() or (np.diff(steps) <= 0).any():
        where = int(np.argmax(np.diff(steps) <= 0)) if np.isfinite(steps).all() else int(np.argmin(np.isfinite(steps)))
        raise ValueError(f"{name} must be finite and increase, but is {steps[where : where + 2]} from line {where}")
