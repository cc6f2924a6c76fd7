"""Values: what a variable of the jaxpr is while its JavaScript is written.

Every value answers one question: which JavaScript expression is your element at this position? A position is a tuple
of integers, when loops are unrolled, and of `Index`es, when the counters of JavaScript loops run over it.
"""

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

ATOM = re.compile(r"[A-Za-z_]\w*|[\d.][\w.]*|[\d.]+e-\d+|\(-[\w./-]+\)|\(1/0\)")  # a name or a number


class Index:
    """c + a i + b j + ..., affine in JavaScript names and calls: maps of indices compose and leave no trace."""

    def __init__(self, terms, constant=0):
        self.terms, self.constant = terms, constant

    def __add__(self, other):
        other = other if isinstance(other, Index) else Index({}, other)
        terms = {name: self.terms.get(name, 0) + other.terms.get(name, 0) for name in self.terms | other.terms}
        return Index({name: a for name, a in terms.items() if a}, self.constant + other.constant)

    def __mul__(self, factor):
        return Index({name: a * factor for name, a in self.terms.items()}, self.constant * factor) if factor else 0

    def __rsub__(self, other):
        return self * -1 + other

    __radd__, __rmul__ = __add__, __mul__

    def __str__(self):
        terms = [name if a == 1 else f"-{name}" if a == -1 else f"{name}*{a}" for name, a in self.terms.items()]
        return "+".join(terms + [str(self.constant)] * bool(self.constant or not terms)).replace("+-", "-")


def index(expression):
    """A JavaScript expression as an index: an integer if it is one."""
    digits = expression.strip("()")
    return int(digits) if digits.removeprefix("-").isdigit() else Index({expression: 1})


def linear(position, shape):
    """Where an element lies when an array is stored row after row."""
    offset = 0
    for i, n in zip(position, shape):
        offset = offset * n + i
    return offset


def number(x):
    """The shortest JavaScript for a number."""
    if np.asarray(x).dtype.kind in "biu":
        text = str(int(x))
    elif math.isfinite(x):
        text = repr(float(x)).removesuffix(".0").replace("e-0", "e-").replace("e+", "e")
        text = re.sub(r"^(-?)0\.", r"\1.", text)
    else:
        text = "NaN" if x != x else "-1/0" if x < 0 else "(1/0)"
    return f"({text})" if text.startswith("-") else text


@dataclass(kw_only=True, eq=False)
class Value:
    """An array of known shape; as such, the name of one that is not there yet."""

    shape: Any
    dtype: Any
    computed = False  # whether reading an element costs arithmetic, so that it should not be read twice

    @property
    def size(self):
        return math.prod(self.shape)


@dataclass(kw_only=True, eq=False)
class Scalars(Value):
    """A small array: the name or the literal of each element, in row-major order. Slicing it costs nothing."""

    elements: Any

    def at(self, position):
        return self.elements[0 if self.size == 1 else linear(position, self.shape)]


@dataclass(kw_only=True, eq=False)
class Buffer(Value):
    """A large array: a typed array."""

    name: str

    def at(self, position):
        return f"{self.name}[{linear(position, self.shape)}]"


@dataclass(kw_only=True, eq=False)
class Lazy(Value):
    """A large array that is not stored: a function of the position, be it a transposed array or a sum of two others."""

    at: Any
    computed: bool


@dataclass(kw_only=True, eq=False)
class Constant(Value):
    """An array that is known while compiling: literals, arithmetic on the index, or a table that is stored once."""

    array: Any
    table: Any  # from numbers to the name of their table

    @cached_property
    def compact(self):
        """The array, shortened to length 1 along the axes along which it does not change."""
        array = np.asarray(self.array)
        for axis, n in enumerate(array.shape):
            first = array.take([0], axis) if n > 1 else array
            same = np.broadcast_to(first, array.shape).tobytes() == array.tobytes()
            array = first if same else array
        return array

    def at(self, position):
        shape, flat = self.compact.shape, self.compact.ravel()
        offset = linear([0 if n == 1 else i for i, n in zip(position, shape)], shape)
        if isinstance(offset, int):
            return number(flat[offset])
        step = flat[1] - flat[0] if flat.dtype.kind in "iu" else 0
        if step and np.array_equal(flat, flat[0] + step * np.arange(flat.size)):
            return f"({offset * int(step) + int(flat[0])})"
        return f"{self.table(flat)}[{offset}]"
