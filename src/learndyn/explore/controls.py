"""What a reader of a figure can set: a number by a slider, one of several by a drop-down list."""

import keyword
import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from learndyn import _require as require
from learndyn.explore import _check as check
from learndyn.explore import _labels as labels

POSITIONS = 200  # of a slider whose step is not given: a pixel or two each


@dataclass(frozen=True)
class Slider:
    r"""A number in $[\mathrm{low}, \mathrm{high}]$, in equal steps of itself or, with `log`, of its logarithm.

    Args:
      low, high: the ends; above zero when `log`.
      value: where it stands at first; it need not lie on a step.
      log: equal steps multiply by equal factors.
      step: of the number, or of its decimal logarithm when `log`; None makes 200 steps.
      label: words, TeX between dollar signs; None takes the parameter's name.
    """

    low: float | int
    high: float | int
    value: float | int
    _: KW_ONLY
    log: bool = False
    step: float | int | None = None
    label: str | None = None

    def __post_init__(self):
        for name in ("low", "high", "value"):
            require.number(f"{name} of Slider", getattr(self, name))
        if not isinstance(self.log, bool):
            raise TypeError(f"log of Slider must be True or False, but is {self.log!r}")
        if not self.low < self.high:
            raise ValueError(f"high of Slider must be above low, {self.low!r}, but is {self.high!r}")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"value of Slider must lie between {self.low!r} and {self.high!r}, but is {self.value!r}")
        if self.log and self.low <= 0:
            raise ValueError(f"low of Slider must be positive when log=True, but is {self.low!r}")
        if self.step is not None:
            require.positive("step of Slider", self.step)
            if self.step > self.span:
                unit = " in the decimal logarithm" if self.log else ""
                raise ValueError(f"step of Slider must be at most its range, {self.span:g}{unit}, but is {self.step!r}")
        if self.label is not None:
            check.text("label of Slider", self.label)
            labels.html(self.label, "label of Slider")

    @property
    def span(self) -> float:
        """high - low on the slider's own scale."""
        return math.log10(self.high) - math.log10(self.low) if self.log else float(self.high - self.low)

    @property
    def start(self) -> float:
        """What `simulate` gets at first."""
        return float(self.value)

    def example(self, value: float | int) -> np.float64:
        """The value as the argument of `simulate`."""
        return np.float64(value)

    def checked(self, name: str, value) -> float:
        """A value that somebody asks for."""
        return check.within(name, value, float(self.low), float(self.high))

    def nodes(self, count: int) -> np.ndarray:
        """`count` values from low to high, equally far apart on the slider's scale."""
        inner = np.geomspace if self.log else np.linspace
        return inner(float(self.low), float(self.high), count)

    def spec(self, name: str) -> dict:
        """As the script reads it."""
        step = float(self.step) if self.step is not None else self.span / POSITIONS
        return {"kind": "slider", "name": name, **_labeled(self, name), "low": float(self.low), "high": float(self.high),
                "value": self.start, "step": step, "log": self.log}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """One of several; `simulate` gets its index 0, 1, ...

    Args:
      options: what the reader chooses from, plain words.
      value: the one chosen at first; None takes the first.
      label: words, TeX between dollar signs; None takes the parameter's name.
    """

    options: Sequence[str]
    value: str | None = None
    _: KW_ONLY
    label: str | None = None

    def __post_init__(self):
        object.__setattr__(self, "options", check.keys("options of Choice", self.options, least=2))
        if self.value is not None:
            require.one_of("value of Choice", self.value, self.options)
        if self.label is not None:
            check.text("label of Choice", self.label)
            labels.html(self.label, "label of Choice")

    @property
    def start(self) -> int:
        """What `simulate` gets at first."""
        return 0 if self.value is None else self.options.index(self.value)

    def example(self, value: int) -> np.int64:
        """The index as the argument of `simulate`."""
        return np.int64(value)

    def checked(self, name: str, value) -> int:
        """An option, or its index."""
        if isinstance(value, str):
            require.one_of(name, value, self.options)
            return self.options.index(value)
        require.count(name, value)
        if value >= len(self.options):
            raise ValueError(f"{name} must be below {len(self.options)}, the number of options, but is {value!r}")
        return int(value)

    def spec(self, name: str) -> dict:
        """As the script reads it."""
        return {"kind": "choice", "name": name, **_labeled(self, name), "options": list(self.options), "value": self.start}


def _labeled(control, name):
    label, where = (name, name) if control.label is None else (control.label, f"label of {name}")
    return {"label": labels.html(label, where), "text": labels.text(label, where)}


def controls(given) -> dict[str, Slider | Choice]:
    """The sliders and choices of a figure, of which there must be one."""
    for name, control in given.items():
        if not isinstance(control, (Slider, Choice)):
            raise TypeError(f"{name} must be a Slider or a Choice, but is {control!r} of type {type(control).__name__}")
        if not (name.isidentifier() and name.isascii()) or keyword.iskeyword(name) or name.startswith("_"):
            raise ValueError(f"the name of a control must be an ASCII identifier that does not begin with _, but is {name!r}")
    if not given:
        raise ValueError("a figure must have at least one Slider or Choice, but has none")
    return dict(given)
