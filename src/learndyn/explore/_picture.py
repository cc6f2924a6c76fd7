"""The figure in print, and for readers without scripts: a small PNG in the look of the book."""

import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from learndyn.explore import _painters
from learndyn.explore._panel import Panel
from learndyn.figures import COLORS, GRAY, LINES, WIDTH

LIMIT = 30_000  # bytes
RESOLUTIONS = (130, 110, 95, 80, 65, 50)  # dots per inch; the first that keeps within the limit is taken

# White, not transparent: it is printed, and shown where no style sheet of ours is.
STYLE = {
    "figure.facecolor": "white", "axes.facecolor": "white", "savefig.facecolor": "white",
    "font.family": "DejaVu Sans", "mathtext.fontset": "dejavusans", "font.size": 9, "axes.titlesize": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": GRAY, "grid.alpha": 0.25, "grid.linewidth": 0.6, "lines.linewidth": 1.5, "lines.markersize": 4,
    "legend.fontsize": 8, "legend.frameon": False, "legend.handlelength": 2.8,
    "axes.prop_cycle": cycler(color=COLORS) + cycler(linestyle=LINES),
}  # fmt: skip


def png(panels: Sequence[Panel], values: Mapping[str, np.ndarray], summary: str) -> bytes:
    """The panels with these values, two in a row, the summary under them: at most 30 kB, the same in every run.

    Args:
      panels: what is drawn.
      values: what `simulate` returned; what is not finite is not drawn.
      summary: one line, perhaps empty.

    Raises:
      ValueError: even a coarse picture is too large.
    """
    with mpl.rc_context(mpl.rcParamsDefault | STYLE):
        columns = min(2, len(panels))
        rows = -(-len(panels) // columns)
        figure = Figure(figsize=(WIDTH if columns == 2 else 0.7 * WIDTH, 2.5 * rows + (0.3 if summary else 0)), layout="constrained")
        FigureCanvasAgg(figure)
        frames = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax in frames[len(panels) :]:
            ax.remove()
        for ax, panel in zip(frames, panels, strict=False):
            _painters.paint(ax, panel, values)
        if summary:
            figure.supxlabel(summary.replace("$", r"\$"), fontsize=9, wrap=True)
        for resolution in RESOLUTIONS:
            picture = _encoded(figure, resolution)
            if len(picture) <= LIMIT:
                return picture
    raise ValueError(f"the picture of a figure must take at most {LIMIT} bytes, but takes {len(picture)}; draw fewer things")


def _encoded(figure, resolution):
    """A few hues, their soft edges and a color bar need no more than 256 colors, which take a third of the bytes."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=resolution)
    image = Image.open(raw).convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    image.save(packed, format="PNG", optimize=True)
    return packed.getvalue()
