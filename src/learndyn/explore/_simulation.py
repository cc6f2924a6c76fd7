"""The function behind a figure: its parameters are the controls, its results are known by key and shape."""

import functools
import inspect
import re
from collections.abc import Callable, Mapping

import jax
import jax.export
import numpy as np

from learndyn import _require as require
from learndyn.explore.controls import Choice, Slider

# JAX's words for a shape, an index or a branch that needs a number while there is none yet
_NEEDS_A_NUMBER = re.compile(r"Tracer[(.]|concrete|static|scalar index")


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
        # partial makes a new function, so that nothing traced for an earlier figure is used again; called by keyword,
        # so that JAX's errors name the function and the parameter
        self._jitted = jax.jit(functools.partial(simulate))
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

    def _named(self, settings):
        return dict(zip(self.controls, self.arguments(settings), strict=True))

    def compute(self, settings: Mapping[str, float | int]) -> dict[str, np.ndarray]:
        """The results at these settings."""
        with jax.enable_x64(True):
            result = jax.device_get(self._jitted(**self._named(settings)))
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
        try:
            with jax.enable_x64(True):
                results = self._jitted.eval_shape(**self._named(self.settings()))
        except (TypeError, IndexError) as error:
            if _NEEDS_A_NUMBER.search(str(error)):
                error.add_note(
                    f"{self.name} is compiled once for all settings of its controls, {', '.join(self.controls)}: "
                    "shapes, indices of lists, Python's if, range and float, and functions of NumPy must not depend on them. "
                    "Take jnp for np; jnp.where, lax.cond or lax.switch for if; lax.fori_loop for range; and for a shape the "
                    "largest one with a mask, as in jnp.where(jnp.arange(100) < n, y, jnp.nan)."
                )
            raise
        if not isinstance(results, dict):
            raise TypeError(f"simulate must return a dict of arrays, but {self.name} returns {_kind(results)}")
        for key, value in results.items():
            if not isinstance(key, str):
                raise TypeError(f"simulate must return a dict whose keys are texts, but {self.name} has the key {key!r}")
            if not isinstance(value, jax.ShapeDtypeStruct):
                raise TypeError(f"simulate must return a flat dict of arrays, but {key!r} of {self.name} is {_kind(value)}")
            if value.dtype.kind not in "iufb":
                raise TypeError(f"simulate must return real numbers, but {key!r} of {self.name} has dtype {value.dtype}")
        return results


def _kind(value):
    if value is None:
        return "None"
    return "an array" if isinstance(value, jax.ShapeDtypeStruct) else f"a {type(value).__name__}"
