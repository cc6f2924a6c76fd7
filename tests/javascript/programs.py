"""The table of small programs: every `programs_*.py` adds to it, one function with its arguments a row."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax

PROGRAMS: dict[str, "Program"] = {}


class Program(NamedTuple):
    """A function and the tuples of arguments at which JavaScript must agree with JAX."""

    f: Callable
    arguments: tuple[tuple, ...]
    scale: float | None  # of `engine.agree`
    reference: Callable  # what JavaScript must compute


# Half the time to compile; what the numbers are does not depend on it.
jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


def program(*arguments: tuple, scale: float | None = None, reference: Callable | None = None) -> Callable:
    """Puts the decorated function into the table under its name; the reference is the function itself, jitted."""

    def add(f):
        if f.__name__ in PROGRAMS:
            raise ValueError(f"two programs are called {f.__name__}")
        PROGRAMS[f.__name__] = Program(f, arguments, scale, reference or jit(f))
        return f

    return add
