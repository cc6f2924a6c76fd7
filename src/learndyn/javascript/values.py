"""Values: what a variable of the jaxpr is while its JavaScript is written.

Every value answers one question: which JavaScript expression is your element at this position? A position is a list
of integers, when loops are unrolled, and of `Index`es, when the counters of JavaScript loops run over it.
"""
import copy
import math
import re

import numpy as np


class Index(dict):
    """c + a i + b j + ... as {"": c, "i": a, "j": b}: maps of positions compose and leave no trace in the program."""

    def __add__(self, other):
        other = other if isinstance(other, Index) else {"": other}
        return Index({name: self.get(name, 0) + other.get(name, 0) for name in self | other})

    def __mul__(self, factor):
        return Index({name: a * factor for name, a in self.items()})

    def __rsub__(self, other):
        return self * -1 + other

    __radd__, __rmul__ = __add__, __mul__

    def __str__(self):
        terms = [name if a == 1 else f"-{name}" if a == -1 else f"{name}*{a}" for name, a in self.items() if a and name]
        return "+".join(terms + [str(self[""])] * bool(self.get("") or not terms)).replace("+-", "-")


def index(expression):
    """A JavaScript expression as an index: an integer if it is one."""
    digits = expression.strip("()")
    return int(digits) if digits.removeprefix("-").isdigit() else Index({"": 0, expression: 1})


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
        text = re.sub(r"^(-?)0\.", r"\1.", repr(float(x)).removesuffix(".0").replace("e-0", "e-").replace("e+", "e"))
    else:
        text = "NaN" if x != x else "-1/0" if x < 0 else "(1/0)"
    return f"({text})" if text.startswith("-") else text


class Value:
    """An array of known shape; as such, the name of one that is not there yet."""

    computed = 0  # how many operations reading an element takes; with any it should not be read twice

    def __init__(self, shape, dtype, **content):
        self.shape, self.dtype, self.size = tuple(shape), dtype, math.prod(shape)
        vars(self).update(content)

    def like(self, **changes):
        """The same elements in the same order, under another shape or type."""
        other = copy.copy(self)
        vars(other).update(changes)
        return other


class Scalars(Value):
    """A small array: the names or literals of its `elements`, in row-major order. Slicing it costs nothing."""

    def at(self, position):
        return self.elements[0 if self.size == 1 else linear(position, self.shape)]


class Buffer(Value):
    """A large array: the typed array of this `name`."""

    def at(self, position):
        return f"{self.name}[{linear(position, self.shape)}]"


class Lazy(Value):
    """A large array that is not stored, but a function `at` of the position: a transposed array, a sum of two others."""


class Constant(Value):
    """A known `array`: literals, arithmetic on the index, or a `table` that is stored once."""

    def at(self, position):
        array = np.asarray(self.array)
        for axis in range(array.ndim):  # along an axis along which it does not change, it is one number
            first = array[(slice(None),) * axis + (slice(1),)]
            array = first if np.broadcast_to(first, array.shape).tobytes() == array.tobytes() else array
        flat, offset = array.ravel(), linear([0 if n == 1 else i for i, n in zip(position, array.shape)], array.shape)
        if isinstance(offset, int):
            return number(flat[offset])
        step = int(flat[1]) - int(flat[0]) if flat.dtype.kind in "iu" else 0
        if step and np.array_equal(flat, int(flat[0]) + step * np.arange(flat.size, dtype=object)):
            return f"({offset * step + int(flat[0])})"
        return f"{self.table(flat)}[{offset}]"
