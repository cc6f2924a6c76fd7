"""One look for every figure of the book, and the few figures that two chapters share.

Rules for authors, all of them checked on the built book:

- A figure is at most `WIDTH` inches wide, or `WIDE` when two panels must stand side by side;
  stack panels otherwise. Its letters then stay readable on a phone of 390 pixels.
- No figure relies on color. `use_style` pairs each color with a line style; for points take
  `MARKERS` in the same order.
- A figure stays under 150 KB. Pass ``rasterized=True`` to `scatter` beyond some 500 points and
  to `pcolormesh`; `imshow` needs nothing, it is a raster anyway. Axes and letters stay vectors.
- Draw on a transparent background and give no white boxes: the page turns a figure over for
  dark mode by the filter ``invert(1) hue-rotate(180deg)``, which keeps the hues.
"""

from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from cycler import cycler
from jaxtyping import Array, Float, Num
from matplotlib.axes import Axes

from learndyn import _require as require

# The hues of Okabe and Ito, in an order that keeps neighbors apart. Purple is darkened and
# yellow has become brown, so that all reach a contrast of 3:1 on white and, turned over, on the
# dark page; any two stay apart in the common color deficiencies (tests/test_figures.py).
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, BLACK, BROWN = "#C06A98", "#000000", "#6B5200"
COLORS = (BLUE, VERMILION, GREEN, PURPLE, BLACK, BROWN)
GRAY = "#767676"  # for what stands behind the data: reference lines, streams

LINES = ("-", "--", "-.", ":", (0, (7, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")

WIDTH, WIDE = 5.2, 6.4  # inches; on a phone 5.2 in shrink to 72 %, 11 pt letters to 10.5 px


def use_style() -> None:
    """Give every later figure of this process the look of the book; call it in the first cell.

    Inside a notebook, figures are shown as SVG whose text is drawn as paths (the same letters on
    every machine), on a transparent background, and byte for byte the same in every run: fixed
    ids, no date. The font is DejaVu Sans, which comes with matplotlib.
    """
    mpl.rcParams.update(
        {
            "figure.figsize": (WIDTH, 3.4),
            "figure.dpi": 180,  # resolution of the rasterized parts; vectors do not notice
            "figure.constrained_layout.use": True,
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "savefig.transparent": True,
            "legend.facecolor": "none",
            "legend.frameon": False,
            "legend.handlelength": 2.8,  # long enough to tell the line styles apart
            "font.family": "DejaVu Sans",
            "mathtext.fontset": "dejavusans",
            "font.size": 11,
            "axes.titlesize": 12,
            "axes.labelsize": 11,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "legend.fontsize": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": GRAY,
            "grid.alpha": 0.25,
            "grid.linewidth": 0.6,
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "axes.prop_cycle": cycler(color=COLORS) + cycler(linestyle=LINES),
            "image.cmap": "cividis",
            "path.simplify_threshold": 0.3,  # a third of a pixel: long curves stay small
            "svg.fonttype": "path",
            "svg.hashsalt": "learndyn",
            "svg.image_inline": True,
        }
    )
    _show_as_svg()


def _show_as_svg() -> None:
    """Switch the notebook's inline figures to SVG; outside a kernel there is nothing to do."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    from matplotlib_inline.config import InlineBackend

    # On the configuration and not by `set_matplotlib_formats`, because importing pyplot later
    # reads the configuration again and would bring PNG back.
    inline = InlineBackend.instance(parent=shell)
    inline.shell = shell
    inline.print_figure_kwargs = {
        "bbox_inches": "tight",
        "metadata": {"Date": None, "Creator": None},
    }
    inline.figure_formats = {"svg"}


def phase_portrait(
    ax: Axes,
    field: Num[np.ndarray | Array, "2 2"] | Callable,
    *,
    trajectories: Sequence[Num[np.ndarray | Array, "t 2"]] = (),
    limits: tuple[float | int, float | int] = (-1.0, 1.0),
    directions: bool = True,
    density: float | int = 0.6,
) -> None:
    r"""$\dot x = Ax$ or $\dot x = v(x)$ in the plane: thin stream lines, and trajectories drawn over them.

    Args:
      ax: the axes to draw on; both axes get the same scale.
      field: the matrix A of a linear system, or a function from points (n, 2) to their
        velocities (n, 2).
      trajectories: arrays (t, 2), one row a time, each with the color and line style next in
        the cycle; a circle marks the start and an arrowhead shows which way it goes.
        Compute them outside: `learndyn.flows` for a field, `scipy.linalg.expm` for a matrix.
      limits: the smallest and the largest coordinate shown, on both axes.
      directions: draw the real eigenvectors of a matrix as gray dashed lines through the
        origin. A function has none.
      density: of the stream lines, as in `Axes.streamplot`; a portrait takes some 45 KB at 0.6.

    Raises:
      ValueError: field is not 2×2 or does not map (n, 2) to (n, 2), a trajectory is not
        (t, 2) with t >= 2, a number is not finite, or the limits are not increasing.
    """
    low, high = limits
    require.number("limits[0]", low)
    require.number("limits[1]", high)
    if not low < high:
        raise ValueError(f"limits must increase, but are {limits!r}")
    require.positive("density", density)
    if not callable(field):
        require.matrix("field", field, rows=2, columns=2)
    for i, path in enumerate(trajectories):
        require.matrix(f"trajectories[{i}]", path, columns=2)
        if len(path) < 2:
            raise ValueError(f"trajectories[{i}] must have at least 2 rows, but has {len(path)}")

    side = np.linspace(low, high, 41)
    x, y = np.meshgrid(side, side)
    points = np.column_stack([x.ravel(), y.ravel()])
    velocities = field(points) if callable(field) else points @ np.asarray(field).T
    require.matrix("field(points)", velocities, rows=len(points), columns=2)
    vx, vy = np.asarray(velocities).T.reshape(2, *x.shape)
    if np.any(vx) or np.any(vy):  # streamplot divides by the largest speed
        lines = ax.streamplot(
            x, y, vx, vy, color=GRAY, linewidth=0.7, density=density, num_arrows=0
        ).lines
        _heads(ax, lines.get_segments())

    if directions and not callable(field):
        reach = 2 * max(abs(low), abs(high))  # beyond the corners; the limits cut it
        values, vectors = np.linalg.eig(np.asarray(field))
        for value, vector in zip(values, vectors.T, strict=True):
            if value.imag == 0:
                ends = np.outer([-reach, reach], vector.real)
                ax.plot(*ends.T, color=GRAY, linestyle="--", linewidth=1.2)
    for path in trajectories:
        _trajectory(ax, np.asarray(path))
    ax.set(xlim=(low, high), ylim=(low, high), aspect="equal")


def _heads(ax: Axes, curves: Sequence[Float[np.ndarray, "_ 2"]]) -> None:
    """A gray arrowhead in the middle of each curve: one path each, where streamplot writes two."""
    tips = np.array([curve[len(curve) // 2] for curve in curves])
    steps = tips - [curve[len(curve) // 2 - 1] for curve in curves]
    sizes = np.hypot(*steps.T)
    moving = sizes > 0  # streamplot may end a curve by repeating its last point
    ax.quiver(
        *tips[moving].T,
        *(steps[moving] / sizes[moving, None]).T,
        color=GRAY,
        pivot="mid",
        units="inches",
        width=0.012,
        scale=12,  # so the arrow is 1/12 inch long, all of it head
        headwidth=5,
        headlength=7,
        headaxislength=6,
    )


def _trajectory(ax: Axes, path: Float[np.ndarray, "t 2"]) -> None:
    """One curve with its start and, halfway along its length, an arrowhead."""
    (line,) = ax.plot(*path.T)
    ax.plot(*path[0], marker="o", linestyle="", color=line.get_color())
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    if length[-1] == 0:  # it rests: an equilibrium
        return
    half = np.clip(np.searchsorted(length, length[-1] / 2), 1, len(path) - 1)
    ax.annotate(
        "",
        xy=path[half],
        xytext=path[half - 1],
        arrowprops={"arrowstyle": "-|>", "color": line.get_color(), "mutation_scale": 13},
    )


def spectrum(
    ax: Axes,
    values: Num[np.ndarray | Array, " n"],
    *,
    label: str | None = None,
    floor: float | int | None = None,
) -> None:
    r"""$\lambda_1 \ge \dots \ge \lambda_n$ against their ranks $1, \dots, n$, both on logarithmic axes.

    Args:
      ax: the axes to draw on; call again with other values to compare.
      values: eigenvalues (n,) in descending order, as `learndyn.kernels.spectrum` returns them.
      label: name in the legend.
      floor: values below it (rounding errors, or the zeros of a singular kernel) are drawn on
        a gray line at the floor, not left out.

    Raises:
      ValueError: values are not a vector, not finite, not descending, or not all positive
        while no floor is given.
    """
    require.array("values", values, ndim=1)
    values = np.asarray(values)
    if len(values) == 0 or np.any(np.diff(values) > 0):
        raise ValueError(f"values must be at least one number, in descending order, but are {values!r}")
    if floor is None:
        if values[-1] <= 0:
            raise ValueError(
                f"values must be positive on a logarithmic axis, but the least is {values[-1]:g}; "
                "pass floor= to show what lies below it"
            )
    else:
        require.positive("floor", floor)
        ax.axhline(floor, color=GRAY, linewidth=0.8, linestyle="-")
        values = np.maximum(values, floor)
    ranks = np.arange(1, len(values) + 1)
    marker = MARKERS[sum(line.get_marker() in MARKERS for line in ax.lines) % len(MARKERS)]
    ax.loglog(ranks, values, marker=marker, markersize=3.5, label=label)
    ax.set(xlabel="rank", ylabel="eigenvalue")
    if label is not None:
        ax.legend()
