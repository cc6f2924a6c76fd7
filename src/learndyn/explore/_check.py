"""Preconditions that only figures have; the general ones are in `learndyn._require`."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from learndyn import _require as require


def text(name: str, value, *, empty: bool = False) -> None:
    """A text; unless `empty`, one with something in it."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, but is {value!r} of type {type(value).__name__}")
    if not empty and not value.strip():
        raise ValueError(f"{name} must be a text that is not empty, but is {value!r}")


def texts(name: str, value, *, least: int = 1) -> tuple[str, ...]:
    """At least `least` texts, none of them empty."""
    require.sequence(name, value)
    value = tuple(value)
    if len(value) < least:
        raise ValueError(f"{name} must hold at least {counted(least, 'text')}, but is {value!r}")
    for i, entry in enumerate(value):
        text(f"{name}[{i}]", entry)
    return value


def pair(name: str, value) -> tuple:
    """Two of something."""
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{name} must be a pair, but is {value!r} of type {type(value).__name__}")
    if len(value) != 2:
        raise ValueError(f"{name} must be a pair, but is {value!r}")
    return tuple(value)


def limits(name: str, value, *, log: bool = False) -> tuple[float, float]:
    """low < high, both finite; above zero on a logarithmic axis."""
    for i, end in enumerate(pair(name, value)):
        require.number(f"{name}[{i}]", end)
    low, high = map(float, value)
    if not low < high:
        raise ValueError(f"{name} must increase, but is {value!r}")
    if log and low <= 0:
        raise ValueError(f"{name} must be positive on a logarithmic axis, but is {value!r}")
    return low, high


def mapping(name: str, value) -> dict:
    """A dict, as a copy that nobody changes."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict, but is {value!r} of type {type(value).__name__}")
    return dict(value)


def keys(name: str, value, *, least: int = 1) -> tuple[str, ...]:
    """Names of entries of what `simulate` returns, none twice."""
    value = texts(name, value, least=least)
    if len(set(value)) < len(value):
        raise ValueError(f"{name} must hold no key twice, but is {value!r}")
    return value


def returned(name: str, key: str, results: Mapping, ranks: Sequence[int], last: int | None = None) -> tuple[int, ...]:
    """The shape of `simulate`'s result `key`, which must exist, not be empty, and have one of the `ranks`.

    Args:
      name: the argument that mentions it.
      key: the entry.
      results: what `simulate` returns: key -> something with a shape.
      ranks: how many axes it may have.
      last: the length of its last axis, where that is given.
    """
    if key not in results:
        raise ValueError(f"{name}: simulate does not return {key!r}; it returns {', '.join(map(repr, results)) or 'nothing'}"
                         f"{nearest(key, results)}")  # fmt: skip
    shape = tuple(results[key].shape)
    if len(shape) not in ranks or (last is not None and shape[-1:] != (last,)):
        axes = " or ".join(str(rank) for rank in ranks if rank > 0) + (" axis" if max(ranks) == 1 else " axes")
        needs = ["be a single number"] * (0 in ranks) + [f"have {axes}"] * (max(ranks) > 0)
        need = " or ".join(needs) + ("" if last is None else f", the last of length {last}")
        raise ValueError(f"{name}: {key!r} must {need}, but simulate returns shape {shape}")
    if 0 in shape:
        raise ValueError(f"{name}: {key!r} must not be empty, but simulate returns shape {shape}")
    return shape


def counted(number: int, noun: str) -> str:
    """1 text, 2 texts."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def nearest(name: str, choices: Iterable[str]) -> str:
    """What an error offers to somebody who mistyped, perhaps nothing."""
    near = difflib.get_close_matches(name, list(choices), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def within(name: str, value, low: float, high: float) -> float:
    """A number between two others; what rounding puts a hair outside is put back."""
    require.number(name, value)
    slack = 1e-9 * max(abs(low), abs(high))
    if not low - slack <= value <= high + slack:
        raise ValueError(f"{name} must lie between {low:g} and {high:g}, but is {value!r}")
    return float(np.clip(value, low, high))
