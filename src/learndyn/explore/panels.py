"""The panels of a figure: curves, bars, points, heat maps. `learndyn.explore.plane` has the phase plane.

Each names keys of the dictionary that `simulate` returns and says how they are drawn. All take `title`, `xlabel`,
`ylabel` (words, TeX between dollar signs) and `xlim`, `ylim` (pairs; without them the axis follows the data).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from learndyn import _require as require
from learndyn.explore import _check as check
from learndyn.explore import _labels as markup
from learndyn.explore._panel import Panel, frame, keys_of, mark_spec, marks, names, split

CELLS = 40  # rows and columns of a heat map: each cell is an element of the page


@dataclass(frozen=True, kw_only=True)
class Line(Panel):
    """Curves; `line` makes one."""

    keys: tuple[str, ...]
    x: str | None
    log: str
    labels: Sequence[str] | None
    vertical: Mapping[str | float | int, str]
    horizontal: Mapping[str | float | int, str]

    kind = "line"
    logs = ("", "x", "y", "xy")

    def __post_init__(self):
        super().__post_init__()
        check.keys(f"keys of {self.kind}", self.keys)
        if self.x is not None:
            check.text(f"x of {self.kind}", self.x)
        object.__setattr__(self, "labels", names(self.kind, self.labels))
        for name, axis in {"vertical": "x", "horizontal": "y"}.items():
            kept = marks(f"{name} of {self.kind}", getattr(self, name), log=axis in self.log)
            object.__setattr__(self, name, kept)

    def used(self) -> set[str]:
        return keys_of(self.keys, self.x, self.vertical, self.horizontal)

    def spec(self, results: Mapping) -> dict:
        shapes = {key: check.returned(f"a key of {self.kind}", key, results, ranks=(1, 2)) for key in self.keys}
        if self.x is not None:
            self._beside(shapes, check.returned(f"x of {self.kind}", self.x, results, ranks=self._x_ranks))
        counts = {key: shape[1] if len(shape) == 2 else 1 for key, shape in shapes.items()}
        return self.common(" and ".join(self.keys), self.x or self._index) | {
            "log": self.log, "x": self.x, "series": split(self.kind, self.labels, counts),
            "vertical": mark_spec(f"vertical of {self.kind}", self.vertical, results),
            "horizontal": mark_spec(f"horizontal of {self.kind}", self.horizontal, results)}  # fmt: skip

    _x_ranks = (1,)
    _index = "index"

    def _beside(self, shapes, x):
        for key, shape in shapes.items():
            if shape[: len(x)] != x:
                raise ValueError(f"x of {self.kind} must be as long as what is drawn against it, but {self.x!r} has shape {x} "
                                 f"and {key!r} has shape {shape}")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Scatter(Line):
    """Points; `scatter` makes one."""

    kind = "scatter"
    _x_ranks = (1, 2)
    _index = "rank"


@dataclass(frozen=True, kw_only=True)
class Bars(Panel):
    """Bars; `bars` makes one."""

    keys: tuple[str, ...]
    log: str
    labels: Sequence[str] | None
    horizontal: Mapping[str | float | int, str]

    kind = "bars"
    logs = ("", "y")

    def __post_init__(self):
        super().__post_init__()
        check.keys("keys of bars", self.keys)
        object.__setattr__(self, "labels", names("bars", self.labels))
        object.__setattr__(self, "horizontal", marks("horizontal of bars", self.horizontal, log="y" in self.log))

    def used(self) -> set[str]:
        return keys_of(self.keys, self.horizontal)

    def spec(self, results: Mapping) -> dict:
        shapes = {key: check.returned("a key of bars", key, results, ranks=(1,)) for key in self.keys}
        if len(set(shapes.values())) > 1:
            raise ValueError(f"keys of bars must be equally long, to stand side by side, but have shapes {shapes}")
        return self.common(" and ".join(self.keys), "rank") | {
            "log": self.log, "series": split("bars", self.labels, dict.fromkeys(self.keys, 1)),
            "horizontal": mark_spec("horizontal of bars", self.horizontal, results)}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Heat(Panel):
    """A matrix in colors; `heat` makes one."""

    key: str
    limits: Sequence[float | int] | None
    center: float | int | None

    kind = "heat"

    def __post_init__(self):
        super().__post_init__()
        check.text("key of heat", self.key)
        if self.limits is not None:
            object.__setattr__(self, "limits", check.limits("limits of heat", self.limits))
        if self.center is not None:
            require.number("center of heat", self.center)
            if self.limits is not None and not np.isclose(self.center, np.mean(self.limits)):
                raise ValueError(f"center of heat must lie halfway between its limits, {self.limits!r}, but is {self.center!r}")

    def used(self) -> set[str]:
        return {self.key}

    def spec(self, results: Mapping) -> dict:
        shape = check.returned("key of heat", self.key, results, ranks=(2,))
        if max(shape) > CELLS:
            raise ValueError(f"key of heat must have at most {CELLS} rows and columns, but {self.key!r} has shape {shape}")
        return self.common("row", "column") | {
            "text": markup.text(self.title, "title") or f"{self.key}, a matrix in colors",
            "key": self.key, "limits": None if self.limits is None else list(self.limits),
            "center": None if self.center is None else float(self.center)}  # fmt: skip


def line(
    *keys: str,
    x: str | None = None,
    log: str = "",
    labels: Sequence[str] | None = None,
    vertical: Mapping[str | float | int, str] = {},
    horizontal: Mapping[str | float | int, str] = {},
    **axes: str | Sequence[float | int] | None,
) -> Line:
    """Curves $y(x)$.

    Args:
      keys: results of shape (t,) or (t, n), which is n curves.
      x: a result of shape (t,); without it 0, 1, ..., t - 1.
      log: "x", "y" or "xy": which axes are logarithmic.
      labels: names for the legend, one a curve.
      vertical, horizontal: {key or number: label}, lines that mark a value. A key's result may be a scalar or a
        vector; where it is not finite, nothing is drawn.
      axes: title, xlabel, ylabel, xlim, ylim.
    """
    return Line(keys=keys, x=x, log=log, labels=labels, vertical=vertical, horizontal=horizontal, **frame(line, axes))


def bars(
    *keys: str,
    log: str = "",
    labels: Sequence[str] | None = None,
    horizontal: Mapping[str | float | int, str] = {},
    **axes: str | Sequence[float | int] | None,
) -> Bars:
    """Bars at the ranks $1, \\dots, n$, those of several keys side by side.

    Args:
      keys: results of shape (n,).
      log: "y" for a logarithmic axis.
      labels: names for the legend, one a key.
      horizontal: {key or number: label}, lines that mark a value.
      axes: title, xlabel, ylabel, xlim, ylim.
    """
    return Bars(keys=keys, log=log, labels=labels, horizontal=horizontal, **frame(bars, axes))


def scatter(
    key: str,
    x: str | None = None,
    *,
    log: str = "",
    labels: Sequence[str] | None = None,
    vertical: Mapping[str | float | int, str] = {},
    horizontal: Mapping[str | float | int, str] = {},
    **axes: str | Sequence[float | int] | None,
) -> Scatter:
    """Points $(x_i, y_i)$, each series with a marker of its own.

    Args:
      key: a result of shape (n,) or (n, m), which is m series.
      x: a result of shape (n,) or (n, m); without it the ranks 1, ..., n.
      log: "x", "y" or "xy": which axes are logarithmic.
      labels: names for the legend, one a series.
      vertical, horizontal: {key or number: label}, lines that mark a value.
      axes: title, xlabel, ylabel, xlim, ylim.
    """
    return Scatter(keys=(key,), x=x, log=log, labels=labels, vertical=vertical, horizontal=horizontal, **frame(scatter, axes))


def heat(
    key: str,
    *,
    limits: Sequence[float | int] | None = None,
    center: float | int | None = None,
    **axes: str | Sequence[float | int] | None,
) -> Heat:
    """A matrix, each entry a colored cell: rows from the top, as it is written, or with `ylim` from the low end up.

    Args:
      key: a result of shape (n, m), both at most 40.
      limits: the values of the first and the last color; without them the smallest and the largest entry.
      center: a value with a neutral color, on both sides of which the colors diverge.
      axes: title, xlabel, ylabel, and xlim, ylim: the rectangle that the cells fill; without them rows and columns are
        counted from 1.
    """
    return Heat(key=key, limits=limits, center=center, **frame(heat, axes))
