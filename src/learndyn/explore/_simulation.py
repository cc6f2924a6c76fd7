"""The function behind a figure: its parameters are the controls, its results are known by key and shape."""

import inspect
from collections.abc import Callable, Mapping

import jax
import jax.export
import numpy as np

from learndyn import _require as require
from learndyn.explore.controls import Choice, Slider


class Simulation:
    """`simulate` with its controls, traced once and run in double precision, whatever the global setting is.

    Attributes:
      name: of the function.
      controls: the sliders and choices by parameter.
      results: key -> shape and dtype of what it returns.
    """

    def __init__(self, simulate: Callable, controls: Mapping[str, Slider | Choice]):
        require.callable_("simulate", simulate)
        self.name = getattr(simulate, "__name__", type(simulate).__name__)
        self.controls = controls
        self._simulate = simulate
        self._match_parameters()
        self._jitted = jax.jit(self)
        self.results = self._traced()

    def __call__(self, *values):
        return self._simulate(**dict(zip(self.controls, values, strict=True)))

    def only(self, keys: list[str]) -> Callable:
        """The function reduced to these results, so that nothing else is compiled or stored."""

        def reduced(*values):
            result = self(*values)
            return {key: result[key] for key in keys}

        return reduced

    def settings(self, **changed: float | int | str) -> dict[str, float | int]:
        """Where the controls stand at first, or after these changes."""
        for name in changed:
            require.one_of("the name of a control", name, self.controls)
        start = {name: control.start for name, control in self.controls.items()}
        return start | {name: self.controls[name].checked(name, value) for name, value in changed.items()}

    def arguments(self, settings: Mapping[str, float | int]) -> list[np.generic]:
        """The settings as the function takes them."""
        return [control.example(settings[name]) for name, control in self.controls.items()]

    def compute(self, settings: Mapping[str, float | int]) -> dict[str, np.ndarray]:
        """The results at these settings."""
        with jax.enable_x64(True):
            result = jax.device_get(self._jitted(*self.arguments(settings)))
        return {key: np.asarray(value) for key, value in result.items()}

    def exported(self, keys: list[str]) -> bytes:
        """The function reduced to these results in JAX's portable form, for `jax.export.deserialize`."""
        with jax.enable_x64(True):
            examples = self.arguments(self.settings())
            return bytes(jax.export.export(jax.jit(self.only(keys)), platforms=["cpu"])(*examples).serialize())

    def _match_parameters(self):
        """Each control a parameter; each parameter, unless it has a default, a control."""
        signature = inspect.signature(self._simulate)
        parameters = signature.parameters.values()
        if any(p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) for p in parameters):
            raise TypeError(f"simulate must have named parameters only, but is {self.name}{signature}")
        needed = {p.name for p in parameters if p.default is p.empty}
        if not needed <= set(self.controls) <= {p.name for p in parameters}:
            takes = ", ".join(p.name for p in parameters) or "nothing"
            raise ValueError(f"simulate must have one parameter for each control, but {self.name} takes {takes} "
                             f"and the controls are {', '.join(self.controls)}")  # fmt: skip

    def _traced(self):
        with jax.enable_x64(True):
            results = jax.eval_shape(self, *self.arguments(self.settings()))
        if not isinstance(results, dict):
            raise TypeError(f"simulate must return a dict of arrays, but {self.name} returns a {type(results).__name__}")
        for key, value in results.items():
            if not isinstance(key, str):
                raise TypeError(f"simulate must return a dict whose keys are texts, but {self.name} has the key {key!r}")
            if not isinstance(value, jax.ShapeDtypeStruct):
                kind = type(value).__name__
                raise TypeError(f"simulate must return a flat dict of arrays, but {key!r} of {self.name} is a {kind}")
            if value.dtype.kind not in "iufb":
                raise TypeError(f"simulate must return real numbers, but {key!r} of {self.name} has dtype {value.dtype}")
        return results
