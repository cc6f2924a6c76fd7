"""A figure that a reader can move: one function, computed by JAX in a notebook and by the browser on a page."""

import base64
import functools
import hashlib
import inspect
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from learndyn import _require as require
from learndyn.explore import _check as check
from learndyn.explore import _page, _summary
from learndyn.explore._panel import Panel
from learndyn.explore.controls import Choice, Slider, controls
from learndyn.explore.grid import Grid
from learndyn.explore.plane import Phase

_shown = Counter()  # how often a figure, by its id, is on the page that this process makes


class Figure:
    """What `explore` returns: shows itself at the end of a cell; its attributes serve other uses.

    Attributes:
      controls: the sliders and choices by name.
      panels: the panels.
      spec: what the browser draws, as JSON has it, without the function.
      report: how exact the precomputed frames are, when a `Grid` was asked for; else None.
    """

    def __init__(
        self,
        simulate: Callable,
        panels: tuple[Panel, ...],
        given: Mapping[str, Slider | Choice],
        *,
        alt: str,
        summary: str | None = None,
        words: Mapping[str, Sequence[str]] = {},
        play: str | None = None,
        grid: Grid | None = None,
    ):
        require.callable_("simulate", simulate)
        for i, panel in enumerate(panels):
            if not isinstance(panel, Panel):
                raise TypeError(f"panels[{i}] must be made by line, phase, bars, scatter or heat, but is {panel!r} of type "
                                f"{type(panel).__name__}")  # fmt: skip
        if not panels:
            raise ValueError("panels must be at least one of line, phase, bars, scatter, heat, but there is none")
        if grid is not None and not isinstance(grid, Grid):
            raise TypeError(f"grid must be a Grid or None (no control can have this name), but is {grid!r}")
        check.text("alt", alt)
        self.simulate, self.panels, self.controls, self.alt, self.grid = simulate, panels, controls(given), alt, grid
        self._name = getattr(simulate, "__name__", type(simulate).__name__)
        _match_parameters(self._name, simulate, self.controls)
        _refuse_widget_names(self.controls)
        if play is not None and not isinstance(self.controls.get(play), Slider):
            sliders = [name for name, control in self.controls.items() if isinstance(control, Slider)]
            raise ValueError(f"play must name a slider, one of {', '.join(map(repr, sliders)) or 'none'}, but is {play!r}")
        for panel in panels:
            _judge_drag(panel, self.controls)
        self._jitted = jax.jit(self._call)
        self.results = self._traced()
        pieces = _summary.parse(summary, words, self.results, self.controls)
        self.spec = {
            "alt": alt, "play": play, "controls": [control.spec(name) for name, control in self.controls.items()],
            "summary": pieces, "panels": [panel.spec(self.results) for panel in panels],
        }  # fmt: skip
        filled = {piece["key"] for piece in pieces or () if isinstance(piece, dict) and "key" in piece}
        self._used = sorted(filled.union(*(panel.used() for panel in panels)), key=list(self.results).index)

    def compute(self, **values: float | int | str) -> dict[str, np.ndarray]:
        """What `simulate` returns, computed by JAX in double precision.

        Args:
          values: settings of the controls; one that is not given stands where it does at first. A `Choice` takes an
            option or its index.

        Raises:
          ValueError, TypeError: an unknown name, or a value outside the range of its control.
        """
        with jax.enable_x64(True):
            result = jax.device_get(self._jitted(*self._arguments(self._set(values))))
        return {key: np.asarray(value) for key, value in result.items()}

    @property
    def settings(self) -> dict[str, float | int]:
        """Where the controls stand at first."""
        return {name: control.start for name, control in self.controls.items()}

    def summary(self, **values: float | int | str) -> str:
        """The line under the figure for these settings of the controls."""
        return _summary.text(self.spec["summary"], self.compute(**values), self._set(values))

    def frame(self, **values: float | int | str) -> dict[str, np.ndarray]:
        """The part of `compute` that is drawn or told, after a look at the words of the summary."""
        result = self.compute(**values)
        _summary.text(self.spec["summary"], result, self._set(values))
        return {key: result[key] for key in self._used}

    @functools.cached_property
    def script(self) -> str | None:
        """One JavaScript expression, the function that draws need; None when frames are precomputed."""
        if self.grid is not None:
            return None
        from learndyn.javascript import Unsupported, compile_to_js

        try:
            return compile_to_js(self._drawn, *self._arguments(self.settings))
        except Unsupported as error:
            error.add_note("Frames can be computed beforehand where no bifurcation is crossed: grid=Grid(points=..., error=...)")
            raise

    @functools.cached_property
    def _frames(self):
        return None if self.grid is None else self.grid.frames(self._drawn, self.controls)

    @property
    def report(self):
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
          number: which of several equal figures on one page this is. Their ids end with it, from the second on.
        """
        require.positive_integer("number", number)
        name = self.id if number == 1 else f"{self.id}-{number}"
        return _page.fragment(self._complete(name), self.script, self.picture)

    def _complete(self, name):
        return {"id": name, **self.spec, "grid": None if self._frames is None else self._frames.spec}

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of the parts: "script" (the function), "spec", "picture", and "html", the whole fragment."""
        parts = {"script": (self.script or "").encode(), "spec": _page.as_json(self._complete(self.id)).encode(),
                 "picture": self.picture, "html": self.to_html().encode()}  # fmt: skip
        return {name: len(part) for name, part in parts.items()}

    def save(self, path: str | Path, *, title: str | None = None) -> Path:
        """One page that holds all it needs and opens by a double click.

        Args:
          path: the file, such as "figure.html"; its folder must exist.
          title: of the page; None takes the first panel's title or description.

        Returns:
          The path.
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise ValueError(f"path must lie in a folder that exists, but {str(path.parent)!r} does not")
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
            return {"text/html": self.to_html(number=_shown[self.id]), "text/plain": repr(self),
                    "image/png": base64.b64encode(self.picture).decode()}  # fmt: skip
        if _in_a_kernel():
            bundle, metadata = self.widget._repr_mimebundle_()
            return bundle | {"text/plain": repr(self)}, metadata
        return {"text/plain": repr(self)}

    def __repr__(self):
        settings = ", ".join(f"{name}={value:g}" for name, value in self.settings.items())
        return f"<explore {self._name}({settings}): {'; '.join(panel['text'] for panel in self.spec['panels'])}>"

    def _set(self, values):
        """The first settings, with these instead."""
        for name in values:
            require.one_of("the name of a control", name, self.controls)
        return self.settings | {name: self.controls[name].checked(name, value) for name, value in values.items()}

    def _arguments(self, settings):
        return [control.example(settings[name]) for name, control in self.controls.items()]

    def _call(self, *values):
        return self.simulate(**dict(zip(self.controls, values, strict=True)))

    def _drawn(self, *values):
        result = self._call(*values)
        return {key: result[key] for key in self._used}

    def _traced(self):
        with jax.enable_x64(True):
            results = jax.eval_shape(self._call, *self._arguments(self.settings))
        if not isinstance(results, dict):
            raise TypeError(f"simulate must return a dict of arrays, but {self._name} returns a {type(results).__name__}")
        for key, value in results.items():
            if not isinstance(key, str):
                raise TypeError(f"simulate must return a dict whose keys are texts, but {self._name} has the key {key!r}")
            if not isinstance(value, jax.ShapeDtypeStruct):
                raise TypeError(f"simulate must return a flat dict of arrays, but {key!r} of {self._name} is a {type(value).__name__}")
            if value.dtype.kind not in "iufb":
                raise TypeError(f"simulate must return real numbers, but {key!r} of {self._name} has dtype {value.dtype}")
        return results


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


def _match_parameters(name, simulate, controls):
    """Each control a parameter; each parameter, unless it has a default, a control."""
    parameters = inspect.signature(simulate).parameters.values()
    if any(p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) for p in parameters):
        raise TypeError(f"simulate must have named parameters only, but is {name}{inspect.signature(simulate)}")
    needed = {p.name for p in parameters if p.default is p.empty}
    if not needed <= set(controls) <= {p.name for p in parameters}:
        raise ValueError("simulate must have one parameter for each control, but "
                         f"{name} takes {', '.join(p.name for p in parameters) or 'none'} and the controls are {', '.join(controls)}")  # fmt: skip


def _refuse_widget_names(controls):
    from anywidget import AnyWidget

    for name in controls:
        if hasattr(AnyWidget, name):
            raise ValueError(f"the name of a control must not be one that widgets use themselves, but is {name!r}; rename the parameter")


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
