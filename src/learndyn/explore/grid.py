"""Frames computed beforehand, for functions that the browser cannot compute: interpolated, with a measured error.

Never across a bifurcation: between two nodes the result is taken to be linear, so a jump becomes a ramp. The measured
error, half of the jump, then stops the build.
"""

import base64
import itertools
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import numpy as np

from learndyn import _require as require
from learndyn.explore import _check as check
from learndyn.explore.controls import Choice, Slider

LEVELS = 65535  # each number is one of 65536, equally spaced over the range of its field
MEASURED = 4096  # midpoints at most; beyond, a fixed random sample of the cells
BATCH = 256  # settings computed at once
NUMBERS = 50_000_000  # held in memory at most, 400 MB


@dataclass(frozen=True)
class Report:
    """How exact interpolated frames are.

    Attributes:
      errors: key -> the largest |interpolated - computed|, as a fraction of the key's range over the grid.
      where: key -> the settings of the controls where it occurs.
      measured: the number of cells whose midpoint was computed.
      cells: the number of cells; when above `measured`, those were drawn at random, the same in every run.
      size: bytes of the encoded frames.
    """

    errors: dict[str, float]
    where: dict[str, dict[str, float | int]]
    measured: int
    cells: int
    size: int

    def __str__(self):
        key = max(self.errors, key=self.errors.get)
        share = "all" if self.measured == self.cells else f"{self.measured} (drawn at random) of"
        return (f"at the midpoints of {share} {self.cells} cells the largest error is {self.errors[key]:.2g} of the range, "
                f"in {key!r} at {_told(self.where[key])}; {self.size} bytes")  # fmt: skip


@dataclass(frozen=True)
class Frames:
    """The "grid" of a figure's spec, and how exact it is."""

    spec: dict
    report: Report


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Ask for frames on a grid of slider settings, which the browser interpolates linearly between the nodes.

    Args:
      points: nodes along each slider, one number for all or {name: number}; a `Choice` has its options.
      error: the largest error that is accepted at the midpoints of the cells, as a fraction of each key's range over
        the grid. It includes rounding to 16 bits.
      limit: bytes of the encoded frames at most.
    """

    points: int | Mapping[str, int]
    error: float
    limit: int = 1_000_000

    def __post_init__(self):
        given = self.points.items() if isinstance(self.points, Mapping) else [("", self.points)]
        for name, count in given:
            where = f"points[{name!r}] of Grid" if name else "points of Grid"
            require.positive_integer(where, count)
            if count < 2:
                raise ValueError(f"{where} must be at least 2, but is {count!r}")
        require.positive("error of Grid", self.error)
        require.positive_integer("limit of Grid", self.limit)

    def frames(self, function: Callable, controls: Mapping[str, Slider | Choice]) -> Frames:
        """Compute, encode, and measure.

        Args:
          function: of the controls' values, in their order; a dict of arrays.
          controls: the sliders and choices by name.

        Raises:
          ValueError: a number is not finite, an error is above the accepted one, or the frames are too many or too large.
        """
        axes = self._axes(controls)
        settings = list(itertools.product(*axes.values()))
        with jax.enable_x64(True):
            shapes = jax.eval_shape(function, *(c.example(v) for c, v in zip(controls.values(), settings[0], strict=True)))
        numbers = len(settings) * sum(math.prod(s.shape) for s in shapes.values())
        if numbers > NUMBERS:
            raise ValueError(f"points of Grid must make at most {NUMBERS} numbers, but {len(settings)} frames make {numbers}")
        exact = _computed(function, controls, settings)
        _require_finite(exact, controls, settings)
        fields, blobs, decoded = [], [], {}
        for key, values in exact.items():
            low, high = float(values.min()), float(values.max())
            levels = np.round((values - low) / ((high - low) or 1.0) * LEVELS).astype("<u2").reshape(len(settings), -1)
            decoded[key] = (low + levels * ((high - low) / LEVELS)).reshape(*map(len, axes.values()), -1)
            blobs.append(np.diff(levels, axis=1, prepend=levels.dtype.type(0)).astype("<u2").tobytes())  # modulo 65536
            fields.append({"key": key, "shape": list(shapes[key].shape), "low": low, "high": high})
        data = base64.b64encode(zlib.compress(b"".join(blobs), 9)).decode()
        if len(data) > self.limit:
            raise ValueError(f"the frames must take at most limit of Grid, {self.limit} bytes, but take {len(data)}; take fewer points, "
                             "or return fewer numbers")  # fmt: skip
        report = self._measure(function, controls, axes, decoded, {f["key"]: f["high"] - f["low"] for f in fields}, len(data))
        spec = {"axes": [_axis(control, axes[name]) for name, control in controls.items()], "fields": fields, "data": data}
        return Frames(spec, report)

    def _axes(self, controls):
        sliders = [name for name, control in controls.items() if isinstance(control, Slider)]
        points = check.mapping("points of Grid", self.points) if isinstance(self.points, Mapping) else dict.fromkeys(sliders, self.points)
        if set(points) != set(sliders):
            raise ValueError(f"points of Grid must name the sliders, {', '.join(sliders)}, but names {', '.join(points)}")
        return {name: range(len(c.options)) if isinstance(c, Choice) else c.nodes(points[name]) for name, c in controls.items()}

    def _measure(self, function, controls, axes, decoded, ranges, size):
        """The error at the midpoint of each cell, or of some; the interpolated value is the mean of the cell's corners."""
        sliders = [i for i, control in enumerate(controls.values()) if isinstance(control, Slider)]
        counts = [len(nodes) - (i in sliders) for i, nodes in enumerate(axes.values())]
        total = math.prod(counts)
        chosen = np.arange(total)
        if total > MEASURED:
            chosen = np.sort(np.random.default_rng(0).choice(total, MEASURED, replace=False))
        cells = np.stack(np.unravel_index(chosen, counts), axis=1)
        middle = {name: control.nodes(2 * len(axes[name]) - 1)[1::2] if i in sliders else axes[name]
                  for i, (name, control) in enumerate(controls.items())}  # fmt: skip
        settings = [tuple(nodes[k] for nodes, k in zip(middle.values(), cell, strict=True)) for cell in cells]
        exact = _computed(function, controls, settings)
        _require_finite(exact, controls, settings)
        corners = [np.array(corner) for corner in itertools.product(*((0, 1) if i in sliders else (0,) for i in range(len(axes))))]
        errors, where = {}, {}
        for key, values in exact.items():
            mean = sum(decoded[key][tuple((cells + corner).T)] for corner in corners) / len(corners)
            off = np.abs(mean - values.reshape(len(settings), -1)).max(axis=1)
            worst = int(off.argmax())
            rounding = 1e-9 * float(np.abs(mean).max())
            if ranges[key] > rounding:
                errors[key] = float(off[worst] / ranges[key])
            else:  # what is constant on the nodes must be so between them
                errors[key] = 0.0 if off[worst] <= rounding else np.inf
            where[key] = dict(zip(controls, settings[worst], strict=True))
        for key, error in errors.items():
            if error > self.error:
                raise ValueError(f"error of Grid must be at least what is measured, but it is {self.error:g} and {key!r} is off by "
                                 f"{error:.2g} of its range at {_told(where[key])}; take more points, or ranges without a jump")  # fmt: skip
        return Report(errors, where, len(settings), total, size)


def _computed(function, controls, settings):
    """The results at all settings, stacked along a first axis."""
    batched = jax.jit(jax.vmap(function))
    columns = [np.array([control.example(v) for v in column]) for control, column in
               zip(controls.values(), zip(*settings, strict=True), strict=True)]  # fmt: skip
    batches = []
    with jax.enable_x64(True):
        for start in range(0, len(settings), BATCH):
            rows = np.minimum(np.arange(start, start + BATCH), len(settings) - 1)  # a full last batch: one compilation
            batches.append(jax.device_get(batched(*(column[rows] for column in columns))))
    return {key: np.concatenate([b[key] for b in batches])[: len(settings)].astype(float) for key in batches[0]}


def _require_finite(results, controls, settings):
    for key, values in results.items():
        bad = ~np.isfinite(values.reshape(len(settings), -1)).all(axis=1)
        if bad.any():
            first = dict(zip(controls, settings[int(bad.argmax())], strict=True))
            raise ValueError(f"frames on a Grid must be finite, but {key!r} is not at {int(bad.sum())} of {len(settings)} settings; "
                             f"the first is {_told(first)}")  # fmt: skip


def _axis(control, nodes):
    if isinstance(control, Choice):
        return {"options": len(nodes)}
    return {"low": float(control.low), "high": float(control.high), "log": control.log, "points": len(nodes)}


def _told(settings):
    return ", ".join(f"{name}={value:.6g}" for name, value in settings.items())
