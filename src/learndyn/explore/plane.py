"""The phase plane: a vector field, trajectories, nullclines, level sets, and a start that can be dragged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from learndyn import _require as require
from learndyn.explore import _check as check
from learndyn.explore import _labels as markup
from learndyn.explore._panel import Panel, frame, keys_of, names, split


def lattice(
    xlim: Sequence[float | int], ylim: Sequence[float | int], cols: int = 13, rows: int | None = None
) -> Float[Array, "rows cols 2"]:
    """Centers of the cells of a rectangle, on which `phase` expects its field.

    Args:
      xlim, ylim: the limits of the panel.
      cols: cells along x.
      rows: cells along y, the first at the low end; None makes as many as `cols`.
    """
    sides = []
    for name, ends, count in (("xlim", xlim, cols), ("ylim", ylim, cols if rows is None else rows)):
        low, high = check.limits(name, ends)
        require.positive_integer("cols" if name == "xlim" else "rows", count)
        # computed and not tabulated: in the browser a multiplication is shorter than a table
        sides.append(low + (jnp.arange(count) + 0.5) * ((high - low) / count))
    return jnp.stack(jnp.meshgrid(*sides), axis=-1)


@dataclass(frozen=True, kw_only=True)
class Phase(Panel):
    """A plane with what moves in it; `phase` makes one."""

    paths: tuple[str, ...]
    field: str | None
    drag: Sequence[str] | None
    nullclines: bool
    levels: Mapping[str, Sequence[float | int]]
    curves: Sequence[str]
    points: Sequence[str]
    labels: Sequence[str] | None
    notes: Mapping[str, Sequence[float | int]]

    kind = "phase"

    def __post_init__(self):
        super().__post_init__()
        keep = lambda name, value: object.__setattr__(self, name, value)
        for name in ("xlim", "ylim"):
            if getattr(self, name) is None:
                raise ValueError(f"{name} of phase must be given, a pair of numbers, but is None")
        for name in ("paths", "curves", "points"):
            keep(name, check.keys(f"{name} of phase", getattr(self, name), least=0))
        if self.field is not None:
            check.text("field of phase", self.field)
        if self.drag is not None:
            keep("drag", check.keys("drag of phase", check.pair("drag of phase", self.drag)))
        if not isinstance(self.nullclines, bool):
            raise TypeError(f"nullclines of phase must be True or False, but is {self.nullclines!r}")
        if self.nullclines and self.field is None:
            raise ValueError("field of phase must be given when nullclines=True, but is None")
        keep("levels", check.mapping("levels of phase", self.levels))
        for key, values in self.levels.items():
            require.sequence(f"levels[{key!r}] of phase", values)
            for i, value in enumerate(values):
                require.number(f"levels[{key!r}][{i}] of phase", value)
        keep("labels", names("phase", self.labels))
        keep("notes", check.mapping("notes of phase", self.notes))
        for note, at in self.notes.items():
            markup.html(note, "a note of phase")
            for i, ends in enumerate((self.xlim, self.ylim)):
                check.within(f"notes[{note!r}][{i}] of phase", check.pair(f"notes[{note!r}] of phase", at)[i], *ends)
        if not (self.used() or self.drag or self.notes):
            raise ValueError("phase must show something: give it a path, a field, levels, curves, points or a drag")

    def used(self) -> set[str]:
        return keys_of(self.paths, self.field, self.levels, self.curves, self.points)

    def spec(self, results: Mapping) -> dict:
        counts = {}
        for key in self.paths:
            shape = check.returned("paths of phase", key, results, ranks=(2, 3), last=2)
            counts[key] = shape[0] if len(shape) == 3 else 1
        for key in self.curves:
            check.returned("curves of phase", key, results, ranks=(2, 3), last=2)
        for key in self.points:
            check.returned("points of phase", key, results, ranks=(1, 2), last=2)
        if self.field is not None:
            self._cells("field", self.field, check.returned("field of phase", self.field, results, ranks=(3,), last=2))
        for key in self.levels:
            self._cells("levels", key, check.returned("levels of phase", key, results, ranks=(2,)))
        paths = [{"key": entry["key"], "labels": entry["labels"]} for entry in split("phase", self.labels, counts)]
        return self.common("second coordinate", "first coordinate") | {
            "paths": paths, "field": self.field, "drag": None if self.drag is None else list(self.drag),
            "nullclines": self.nullclines, "curves": list(self.curves), "points": list(self.points),
            "levels": [{"key": key, "values": list(map(float, values))} for key, values in self.levels.items()],
            "notes": [{"label": markup.html(note, "a note of phase"), "at": list(map(float, at))} for note, at in self.notes.items()],
        }  # fmt: skip

    def _cells(self, name, key, shape):
        if min(shape[:2]) < 2:
            raise ValueError(f"{name} of phase must lie on at least 2 x 2 cells, but {key!r} has shape {shape}")


def phase(
    *paths: str,
    field: str | None = None,
    drag: Sequence[str] | None = None,
    nullclines: bool = False,
    levels: Mapping[str, Sequence[float | int]] = {},
    curves: Sequence[str] = (),
    points: Sequence[str] = (),
    labels: Sequence[str] | None = None,
    notes: Mapping[str, Sequence[float | int]] = {},
    **axes: str | Sequence[float | int] | None,
) -> Phase:
    r"""The plane of $\dot x = v(x)$: arrows of $v$, trajectories from a dot on, and what else lies in it.

    Args:
      paths: results of shape (t, 2), or (n, t, 2) for n trajectories.
      field: a result of shape (rows, cols, 2): the velocities on `lattice(xlim, ylim, cols, rows)`.
      drag: the names of two sliders, the coordinates of a handle that the reader moves.
      nullclines: draw where either component of the field is zero.
      levels: {key: values}: level sets of a function, a result of shape (rows, cols) on such a lattice.
      curves: results of shape (t, 2) or (n, t, 2), drawn thin and gray; NaN breaks them.
      points: results of shape (2,) or (n, 2), such as equilibria.
      labels: names for the legend, one a trajectory.
      notes: {words: (x, y)}, written into the plane.
      axes: title, xlabel, ylabel, and xlim and ylim, which must be given.
    """
    return Phase(paths=paths, field=field, drag=drag, nullclines=nullclines, levels=levels, curves=curves, points=points,
                 labels=labels, notes=notes, **frame(phase, axes))  # fmt: skip
