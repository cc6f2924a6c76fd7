"""The live figure in a notebook: the reader moves a slider, the kernel computes, numbers travel back."""

from collections.abc import Callable, Mapping

import numpy as np
import traitlets
from anywidget import AnyWidget

from learndyn.explore import _page
from learndyn.explore.controls import Choice, Slider

_RENDER = "\nexport default { render: (context) => learndynExplore.live(context) };\n"


class Number(traitlets.Float):
    """A number in a slider's range; what rounding puts a hair outside is put back, anything else refused."""

    def __init__(self, slider: Slider):
        super().__init__(slider.start)
        self.slider = slider

    def validate(self, obj, value):
        return _judged(self.slider, self.name, super().validate(obj, value))


class Index(traitlets.Int):
    """The index of an option."""

    def __init__(self, choice: Choice):
        super().__init__(choice.start)
        self.choice = choice

    def validate(self, obj, value):
        return _judged(self.choice, self.name, super().validate(obj, value))


def _judged(control, name, value):
    try:
        return control.checked(name, value)
    except (TypeError, ValueError) as error:
        raise traitlets.TraitError(str(error)) from error


class LiveFigure(AnyWidget):
    """What all live figures share; `widget` adds one trait a control."""

    _spec = traitlets.Dict().tag(sync=True)
    _layout = traitlets.List().tag(sync=True)
    _frame = traitlets.Bytes().tag(sync=True)
    _error = traitlets.Unicode().tag(sync=True)

    def __init__(self, spec: Mapping, names: tuple[str, ...], frame: Callable[..., Mapping[str, np.ndarray]]):
        self._names, self._compute, self._answers, self._last = names, frame, 0, self._settings(names)
        # computed before the widget exists: when it fails, no connection to the browser is left behind
        super().__init__(_spec=dict(spec), **self._packed(frame(**self._last)))
        self.observe(self._answer, names=list(names))

    def _settings(self, names):
        return {name: getattr(self, name) for name in names}

    def _packed(self, result):
        layout = [[key, list(value.shape)] for key, value in result.items()]
        numbers = b"".join(np.ascontiguousarray(value, "<f8").tobytes() for value in result.values())
        return {"_layout": layout, "_frame": numbers + self._number()}

    def _number(self):
        """The number of the answer, which ends every frame: so one that looks like the frame before, or an error that
        reads like the error before, is a change all the same and reaches the browser, which waits for an answer."""
        self._answers += 1
        return np.array(self._answers, "<f8").tobytes()

    def _answer(self, change):
        """Compute at the present settings and send what is drawn; an error is shown to the reader and raised."""
        settings = self._settings(self._names)
        if settings == self._last:  # both coordinates of a handle came in one message: the first call has seen them
            return
        self._last = settings
        try:
            answer = {"_error": "", **self._packed(self._compute(**settings))}
        except BaseException as error:  # an interrupt, too, is an answer
            with self.hold_sync():
                self._error = f"{type(error).__name__}: {error}"
                self._frame = self._frame[:-8] + self._number()
            raise
        with self.hold_sync():
            for name, value in answer.items():
                setattr(self, name, value)


def widget(
    spec: Mapping, controls: Mapping[str, Slider | Choice], frame: Callable[..., Mapping[str, np.ndarray]]
) -> LiveFigure:
    """A widget whose traits are the controls.

    Args:
      spec: what the browser draws.
      controls: the sliders and choices by name.
      frame: the arrays to draw, from the controls' values by name.
    """
    traits = {name: (Index(c) if isinstance(c, Choice) else Number(c)).tag(sync=True) for name, c in controls.items()}
    parts = {"_esm": _page.asset("explore.js") + _RENDER, "_css": _page.asset("explore.css"), "__module__": __name__}
    return type("LiveFigure", (LiveFigure,), parts | traits)(spec, tuple(controls), frame)
