"""Each kind of panel, drawn by matplotlib."""

import itertools
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.mathtext import MathTextParser
from matplotlib.ticker import MaxNLocator

from learndyn.explore import _labels as labels
from learndyn.explore._panel import Panel
from learndyn.explore.panels import Bars, Heat, Line, Scatter
from learndyn.explore.plane import Phase
from learndyn.figures import BLACK, COLORS, GRAY, GREEN, LINES, MARKERS, PURPLE


def _words(label):
    """The label as matplotlib reads it; where its TeX knows less than ours, plain letters."""
    try:
        MathTextParser("path").parse(label)
    except ValueError:
        return labels.text(label, "label").replace("$", r"\$")
    return label


def paint(ax: Axes, panel: Panel, values: Mapping[str, np.ndarray]) -> None:
    """Draw one panel, with its words and limits, into empty axes; what is not finite is left out."""
    _PAINTERS[type(panel)](ax, panel, values)
    for axis, least in zip("xy", ax.dataLim.minpos, strict=True):
        if axis in panel.log and np.isfinite(least):  # there is something above zero
            ax.set(**{f"{axis}scale": "log"})
    ax.set(title=_words(panel.title), xlabel=_words(panel.xlabel), ylabel=_words(panel.ylabel))
    if panel.xlim is not None:
        ax.set_xlim(panel.xlim)
    if panel.ylim is not None:
        ax.set_ylim(panel.ylim)
    if ax.get_legend_handles_labels()[1]:
        ax.legend()


def _whole_numbers(*axes):
    for axis in axes:
        axis.set_major_locator(MaxNLocator(integer=True))


# as in explore.css
_SEQUENTIAL = LinearSegmentedColormap.from_list("sequential", ["#eef4f9", "#5b9dc9", "#08306b"])
_DIVERGING = LinearSegmentedColormap.from_list("diverging", ["#0b5d91", "#f4f4f2", "#b84a00"])
_LARGE = 1e150  # what is larger counts as infinite: squares of it would be


def _finite(values):
    """Numbers that can be drawn; NaN, where curves break, for the others."""
    values = np.asarray(values, float)
    return np.where(np.abs(values) < _LARGE, values, np.nan)


def _series(panel, values):
    """(x, y, label) for each series of a line or scatter panel."""
    names = iter(panel.labels or ())
    for key in panel.keys:
        y = _finite(values[key])
        y = y[:, None] if y.ndim == 1 else y
        first = 1 if isinstance(panel, Scatter) else 0
        x = np.arange(first, len(y) + first) if panel.x is None else _finite(values[panel.x])
        x = np.broadcast_to(x[:, None] if x.ndim == 1 else x, y.shape)
        for i in range(y.shape[1]):
            yield x[:, i], y[:, i], _words(next(names, ""))


def _marks(ax, panel, values):
    for name, draw in (("vertical", ax.axvline), ("horizontal", ax.axhline)):
        for at, label in getattr(panel, name, {}).items():
            for place in np.ravel(values[at] if isinstance(at, str) else at):
                if np.isfinite(place) and (place > 0 or ("x" if name == "vertical" else "y") not in panel.log):
                    draw(place, color=GRAY, linestyle="--", linewidth=1)
                    if label:
                        _write(ax, name, place, _words(label))


def _write(ax, name, place, label):
    if name == "vertical":
        ax.annotate(label, (place, 1), xycoords=("data", "axes fraction"), xytext=(2, -2), textcoords="offset points",
                    va="top", fontsize=8, color=GRAY)  # fmt: skip
    else:
        ax.annotate(label, (1, place), xycoords=("axes fraction", "data"), xytext=(0, 2), textcoords="offset points",
                    ha="right", fontsize=8, color=GRAY)  # fmt: skip


def _line(ax: Axes, panel: Line, values: Mapping):
    for x, y, label in _series(panel, values):
        ax.plot(x, y, label=label)
    _marks(ax, panel, values)


def _scatter(ax: Axes, panel: Scatter, values: Mapping):
    for i, (x, y, label) in enumerate(_series(panel, values)):
        ax.plot(x, y, linestyle="", marker=MARKERS[i % len(MARKERS)], label=label)
    _marks(ax, panel, values)
    if panel.x is None:
        _whole_numbers(ax.xaxis)


def _bars(ax: Axes, panel: Bars, values: Mapping):
    wide = 0.8 / len(panel.keys)
    for i, key in enumerate(panel.keys):
        heights = _finite(values[key])
        places = np.arange(1, len(heights) + 1) + (i + 0.5) * wide - 0.4
        hatch = ("", "///", "...", "xxx")[i % 4]
        ax.bar(places, np.nan_to_num(heights), wide, color=COLORS[i % len(COLORS)], hatch=hatch, edgecolor="white",
               label=_words(panel.labels[i]) if panel.labels else "")  # fmt: skip
    _whole_numbers(ax.xaxis)
    _marks(ax, panel, values)


def _heat(ax: Axes, panel: Heat, values: Mapping):
    matrix = np.ma.masked_invalid(_finite(values[panel.key]))
    low, high = panel.limits or ((float(matrix.min()), float(matrix.max())) if matrix.count() else (0.0, 1.0))
    if panel.center is not None:
        reach = max(high - panel.center, panel.center - low) or 1.0
        low, high = panel.center - reach, panel.center + reach
    rows, columns = matrix.shape
    across = panel.xlim or (0.5, columns + 0.5)
    up = panel.ylim or (rows + 0.5, 0.5)  # as a matrix is written, its first row on top
    image = ax.imshow(matrix, vmin=low, vmax=high, cmap=_SEQUENTIAL if panel.center is None else _DIVERGING, interpolation="nearest",
                      origin="upper" if panel.ylim is None else "lower", extent=(*across, *up), aspect="auto")  # fmt: skip
    ax.grid(False)
    _whole_numbers(*(axis for axis, given in ((ax.xaxis, panel.xlim), (ax.yaxis, panel.ylim)) if given is None))
    ax.figure.colorbar(image, ax=ax)


def _phase(ax: Axes, panel: Phase, values: Mapping):
    if panel.field is not None:
        field = _finite(values[panel.field])
        x, y = _cells(panel, field)
        speed = np.hypot(*np.moveaxis(field, -1, 0))
        # longer where it is faster, but weakly, so that slow regions can be read as well
        length = np.maximum(0.3, (speed / np.nanmax(speed, initial=1e-300)) ** 0.35) / np.where(speed > 0, speed, np.nan)
        ax.quiver(x, y, *np.moveaxis(field * length[..., None], -1, 0), color=GRAY, alpha=0.7, pivot="mid", angles="xy",
                  scale=1.1 * field.shape[1], width=0.005)  # fmt: skip
        if panel.nullclines:
            for part, color, dashes in ((0, PURPLE, "solid"), (1, GREEN, "dashed")):
                _contour(ax, x, y, field[..., part], [0.0], colors=color, linestyles=dashes)
    for key, levels in panel.levels.items():
        height = _finite(values[key])
        _contour(ax, *_cells(panel, height), height, sorted(levels), colors=GRAY, linestyles="solid")
    for key in panel.curves:
        for curve in np.atleast_3d(_finite(values[key]).T).T:
            ax.plot(*curve.T, color=GRAY, linestyle="-", linewidth=0.9)
    names, bundles = iter(panel.labels or ()), 0
    for key in panel.paths:
        paths = np.atleast_3d(_finite(values[key]).T).T
        for i, path in enumerate(paths):
            number = bundles + (i if len(paths) <= len(COLORS) else 0)  # a bundle of many has one color
            look = {"color": COLORS[number % len(COLORS)], "linestyle": LINES[number % len(LINES)]}
            ax.plot(*path.T, **look, label=_words(next(names, "")))
            ax.plot(*path[0], marker="o", linestyle="", color=look["color"])
            _arrow(ax, path, look["color"])
        bundles += len(paths) if len(paths) <= len(COLORS) else 1
    for marker, key in zip(itertools.cycle(MARKERS), panel.points):
        ax.plot(*np.atleast_2d(_finite(values[key])).T, marker=marker, linestyle="", color=BLACK)
    for note, (x, y) in panel.notes.items():
        ax.text(x, y, _words(note), ha="center", va="center", fontsize=8)
    spans = [high - low for low, high in (panel.xlim, panel.ylim)]
    if np.isclose(*spans):
        ax.set_aspect("equal")


def _cells(panel, field):
    sides = [np.linspace(*ends, count, endpoint=False) + (ends[1] - ends[0]) / count / 2
             for ends, count in ((panel.xlim, field.shape[1]), (panel.ylim, field.shape[0]))]  # fmt: skip
    return np.meshgrid(*sides)


def _contour(ax, x, y, height, levels, **look):
    if levels and np.nanmin(height, initial=np.inf) <= max(levels) and np.nanmax(height, initial=-np.inf) >= min(levels):
        ax.contour(x, y, height, levels=levels, linewidths=0.9, **look)  # it warns when no level is met


def _arrow(ax, path, color):
    """A head in the middle of what is finite, along the path."""
    path = path[np.isfinite(path).all(axis=1)]
    steps = np.hypot(*np.diff(path, axis=0).T) if len(path) > 1 else np.zeros(0)
    if not steps.sum() > 0:
        return
    middle = int(np.searchsorted(np.cumsum(steps), steps.sum() / 2))
    ax.annotate("", xy=path[middle + 1], xytext=path[middle], annotation_clip=True,
                arrowprops={"arrowstyle": "-|>", "color": color, "mutation_scale": 10})  # fmt: skip


_PAINTERS = {Line: _line, Scatter: _scatter, Bars: _bars, Heat: _heat, Phase: _phase}
