"""A figure that a reader can move: one function, computed by JAX in a notebook and by the browser on a page."""

import base64
import functools
import hashlib
import json
import os
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from learndyn import _require as require
from learndyn.explore import _check as check
from learndyn.explore import _page, _summary
from learndyn.explore._panel import Panel
from learndyn.explore._simulation import Simulation
from learndyn.explore.controls import Choice, Slider, controls
from learndyn.explore.grid import Grid, Report
from learndyn.explore.plane import Phase

# Beside a figure on a page: its function as JAX stores one, so that tests can hold the page's numbers against JAX.
MIME = "application/vnd.learndyn.explore+json"

_shown: Counter = Counter()  # how often a figure, by its id, is on the page that this process makes


class Figure:
    """What `explore`, which has the same arguments, returns: it shows itself at the end of a cell.

    Attributes:
      panels: what is drawn.
      controls: the sliders and choices by name.
      spec: what the browser draws, as JSON has it, without the function.
    """

    def __init__(
        self,
        simulate: Callable,
        panels: Sequence[Panel],
        given: Mapping[str, Slider | Choice],
        *,
        alt: str,
        summary: str | None = None,
        words: Mapping[str, Sequence[str]] = {},
        play: str | None = None,
        grid: Grid | None = None,
    ):
        for i, panel in enumerate(panels):
            if not isinstance(panel, Panel):
                raise TypeError(f"panels[{i}] must be made by line, phase, bars, scatter or heat, but is {panel!r} of type "
                                f"{type(panel).__name__}")  # fmt: skip
        if not panels:
            raise ValueError("panels must be at least one of line, phase, bars, scatter, heat, but there is none")
        if grid is not None and not isinstance(grid, Grid):
            raise TypeError(f"grid must be a Grid or None, for no control can have this name, but is {grid!r}")
        check.text("alt", alt)
        self.panels, self.controls, self._grid = tuple(panels), controls(given), grid
        _refuse_widget_names(self.controls)
        _judge_play(play, self.controls)
        for panel in panels:
            _judge_drag(panel, self.controls)
        self._simulation = Simulation(simulate, self.controls)
        results = self._simulation.results
        pieces = _summary.parse(summary, words, results, self.controls)
        self.spec = {
            "alt": alt, "play": play, "controls": [control.spec(name) for name, control in self.controls.items()],
            "summary": pieces, "panels": [panel.spec(results) for panel in panels],
        }  # fmt: skip
        told = {piece["key"] for piece in pieces or () if isinstance(piece, dict) and "key" in piece}
        self._keys = sorted(told.union(*(panel.used() for panel in panels)))

    def compute(self, **values: float | int | str) -> dict[str, np.ndarray]:
        """What `simulate` returns, computed by JAX in double precision.

        Args:
          values: settings of the controls; one that is not given stands where it does at first. A `Choice` takes an
            option or its index.

        Raises:
          ValueError, TypeError: an unknown name, or a value outside the range of its control.
        """
        return self._simulation.compute(self._simulation.settings(**values))

    def summary(self, **values: float | int | str) -> str:
        """The line under the figure for these settings of the controls."""
        return _summary.text(self.spec["summary"], self.compute(**values), self._simulation.settings(**values))

    def frame(self, **values: float | int | str) -> dict[str, np.ndarray]:
        """The part of `compute` that the figure shows; words for the summary must exist."""
        settings = self._simulation.settings(**values)
        result = self._simulation.compute(settings)
        _summary.text(self.spec["summary"], result, settings)
        return {key: result[key] for key in self._keys}

    @functools.cached_property
    def script(self) -> str | None:
        """One JavaScript expression, the function from the controls to the frame; None when a `Grid` was asked for."""
        if self._grid is not None:
            return None
        from learndyn.javascript import Unsupported, compile_to_js

        try:
            return compile_to_js(self._simulation.only(self._keys), *self._simulation.arguments(self._simulation.settings()))
        except Unsupported as error:
            error.add_note("Where no bifurcation is crossed, frames can be computed beforehand: grid=Grid(points=..., error=...)")
            raise

    @functools.cached_property
    def _frames(self):
        return None if self._grid is None else self._grid.frames(self._simulation.only(self._keys), self.controls)

    @property
    def report(self) -> Report | None:
        """How exact the frames of a `Grid` are; None when the browser computes."""
        return None if self._frames is None else self._frames.report

    @functools.cached_property
    def id(self) -> str:
        """x and eight hexadecimal digits of a hash of all that the browser gets: the same in every run."""
        parts = [json.dumps(self.spec, sort_keys=True), self.script or self._frames.spec["data"]]
        return "x" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]

    @functools.cached_property
    def picture(self) -> bytes:
        """The figure at its first settings, a PNG for print and for readers without scripts."""
        from learndyn.explore import _picture

        return _picture.png(self.panels, self.compute(), self.summary())

    def to_html(self, *, number: int = 1) -> str:
        """The fragment for a page that holds explore.js and explore.css: picture, spec and function.

        Args:
          number: which of several equal figures on one page this is. From the second on, their ids end with it.
        """
        require.positive_integer("number", number)
        return _page.fragment(self._numbered(number), self.script, self.picture)

    def _numbered(self, number):
        name = self.id if number == 1 else f"{self.id}-{number}"
        return {"id": name, **self.spec, "grid": None if self._frames is None else self._frames.spec}

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of the parts: "script" (the function), "spec", "picture", and "html", the whole fragment."""
        return {"script": len((self.script or "").encode()), "spec": len(_page.as_json(self._numbered(1)).encode()),
                "picture": len(self.picture), "html": len(self.to_html().encode())}  # fmt: skip

    def save(self, path: str | Path, *, title: str | None = None) -> Path:
        """One page that holds all it needs and opens by a double click.

        Args:
          path: the file, such as "figure.html"; its folder must exist.
          title: of the page; None takes what the first panel shows.

        Returns:
          The path.
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise ValueError(f"path must lie in a folder that exists, but {str(path.parent)!r} does not: {str(path)!r}")
        if title is not None:
            check.text("title", title)
        path.write_text(_page.whole(self.to_html(), title or self.spec["panels"][0]["text"]), encoding="utf-8")
        return path

    @functools.cached_property
    def widget(self):
        """The live figure in a notebook: an anywidget with one trait a control, for `observe`, `jslink` and the like."""
        from learndyn.explore import _live

        return _live.widget({"id": "live", **self.spec, "grid": None}, self.controls, self.frame)

    def _repr_mimebundle_(self, include=None, exclude=None):
        if _on_a_page():
            _shown[self.id] += 1
            function = zlib.compress(self._simulation.exported(self._keys), 9)
            return {"text/html": self.to_html(number=_shown[self.id]), "text/plain": repr(self),
                    "image/png": base64.b64encode(self.picture).decode(),
                    MIME: {"function": base64.b64encode(function).decode()}}  # fmt: skip
        if _in_a_kernel():
            bundle, metadata = self.widget._repr_mimebundle_()
            return bundle | {"text/plain": repr(self)}, metadata
        return {"text/plain": repr(self)}

    def __repr__(self):
        settings = ", ".join(f"{name}={value:g}" for name, value in self._simulation.settings().items())
        return f"<explore {self._simulation.name}({settings}): {'; '.join(panel['text'] for panel in self.spec['panels'])}>"


def explore(
    simulate: Callable,
    /,
    *panels: Panel,
    alt: str,
    summary: str | None = None,
    words: Mapping[str, Sequence[str]] = {},
    play: str | None = None,
    grid: Grid | None = None,
    **controls: Slider | Choice,
) -> Figure:
    """A figure of `simulate(**controls)` that a reader can move, in a notebook and on a page without a kernel.

    Args:
      simulate: a JAX function of scalars, one parameter for each control, that returns a flat dict of arrays. It is
        traced in double precision.
      panels: what is drawn, made by `line`, `phase`, `bars`, `scatter`, `heat`.
      alt: what somebody needs who does not see the figure.
      summary: a line of text with {key:.2f} and {control:.3g} filled in; it is read aloud when it changes.
      words: {key: texts}: the summary shows the text whose index is the key's value.
      play: the slider that the play button moves.
      grid: computes frames beforehand where `simulate` cannot be compiled to JavaScript.
      controls: a `Slider` or a `Choice` for each parameter of `simulate`.

    Raises:
      ValueError, TypeError: an argument that does not fit, or that does not fit what `simulate` returns.
      Unsupported: on a page, a primitive that the compiler does not know.
    """
    figure = Figure(simulate, panels, controls, alt=alt, summary=summary, words=words, play=play, grid=grid)
    if _on_a_page():
        figure.to_html()  # now, because IPython hides the errors of objects that show themselves
    return figure


def _on_a_page():
    return os.environ.get("LEARNDYN_EXPLORE") == "page"


def _in_a_kernel():
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _refuse_widget_names(controls):
    from anywidget import AnyWidget

    for name in controls:
        if hasattr(AnyWidget, name):
            raise ValueError(f"the name of a control must not be one that widgets use themselves, but is {name!r}: "
                             "rename the parameter of simulate")  # fmt: skip


def _judge_play(play, controls):
    if play is not None and not isinstance(controls.get(play), Slider):
        sliders = [name for name, control in controls.items() if isinstance(control, Slider)]
        raise ValueError(f"play must name a slider, one of {', '.join(map(repr, sliders)) or 'none'}, but is {play!r}")


def _judge_drag(panel, controls):
    if not isinstance(panel, Phase) or panel.drag is None:
        return
    for name, axis in zip(panel.drag, ("xlim", "ylim"), strict=True):
        if not isinstance(controls.get(name), Slider):
            raise ValueError(f"drag of phase must name two sliders, but {name!r} is none")
        low, high = getattr(panel, axis)
        if not low <= controls[name].start <= high:
            raise ValueError(f"value of {name}, which a handle moves, must lie in {axis} of its panel, {low:g} to {high:g}, "
                             f"but is {controls[name].start:g}")  # fmt: skip
