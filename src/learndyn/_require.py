"""Preconditions of the public functions: each names the argument, its value, and what is needed.

They look at shapes always and at values only where there are any: under ``jit`` or ``vmap`` an array is a tracer
without values, and the shape is all that can be judged before tracing goes on.
"""

import difflib
import numbers
from collections.abc import Iterable

import jax
import numpy as np


def _is_traced(array) -> bool:
    return isinstance(array, jax.core.Tracer)


def positive(name: str, value) -> None:
    """A finite number above zero."""
    number(name, value)
    if not value > 0:
        raise ValueError(f"{name} must be positive, but is {value!r}")


def non_negative(name: str, value) -> None:
    """A finite number, zero allowed."""
    number(name, value)
    if not value >= 0:
        raise ValueError(f"{name} must be zero or positive, but is {value!r}")


def number(name: str, value) -> None:
    """A finite real number (a Python or NumPy scalar, not a Boolean)."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, but is {value!r} of type {type(value).__name__}")
    if not np.isfinite(value):
        raise ValueError(f"{name} must be finite, but is {value!r}")


def positive_integer(name: str, value) -> None:
    """An integer of at least one."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, but is {value!r} of type {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, but is {value!r}")


def one_of(name: str, value, choices: Iterable[str]) -> None:
    """A known name; the error lists them all and offers the nearest."""
    choices = sorted(choices)
    if value not in choices:
        near = difflib.get_close_matches(str(value), choices, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, but is {value!r}{hint}")


def callable_(name: str, value) -> None:
    """A function."""
    if not callable(value):
        raise TypeError(f"{name} must be a function, but is {value!r} of type {type(value).__name__}")


def array(name: str, value, *, ndim: int | None = None) -> None:
    """A real, finite array with ``ndim`` axes."""
    if not hasattr(value, "ndim") or not hasattr(value, "dtype"):
        raise TypeError(f"{name} must be an array, but is {value!r} of type {type(value).__name__}")
    if ndim is not None and value.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, but has shape {tuple(value.shape)}")
    finite(name, value)


def matrix(name: str, value, *, rows: int | None = None, columns: int | None = None) -> None:
    """A finite matrix; ``rows`` and ``columns`` where they are known."""
    array(name, value, ndim=2)
    wanted = (rows, columns)
    if any(w is not None and w != s for w, s in zip(wanted, value.shape)):
        need = " x ".join("any" if w is None else str(w) for w in wanted)
        raise ValueError(f"{name} must have shape {need}, but has shape {tuple(value.shape)}")


def finite(name: str, value) -> None:
    """No NaN and no infinity anywhere in an array or a pytree of arrays; says where the first one is."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(value):
        if _is_traced(leaf):
            continue
        leaf = np.asarray(leaf)
        if not np.issubdtype(leaf.dtype, np.number) and leaf.dtype.name != "bfloat16":
            raise TypeError(f"{name}{jax.tree_util.keystr(path)} must hold numbers, but has dtype {leaf.dtype}")
        bad = ~np.isfinite(leaf)
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"{name}{jax.tree_util.keystr(path)} must be finite, but {int(bad.sum())} of its {leaf.size} entries "
                f"are not; the first is {leaf[where]!r} at index {where}"
            )


def times(name: str, value) -> None:
    """At least one finite time, zero or later, strictly increasing."""
    array(name, value, ndim=1)
    if value.shape[0] < 1:
        raise ValueError(f"{name} must hold at least one time, but is empty")
    if _is_traced(value):
        return
    value = np.asarray(value)
    if value[0] < 0 or (np.diff(value) <= 0).any():
        raise ValueError(f"{name} must increase strictly from zero or later, but is {value}")
