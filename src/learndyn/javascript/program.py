"""The program that is being written: its statements, loops, names, buffers, and tables."""
import itertools
import math
import re

import numpy as np

from learndyn.javascript.values import Buffer, Constant, Index, Lazy, Scalars, linear, number

UNROLL = 9  # arrays of at most so many elements become JavaScript variables: a 3 x 3 matrix does
ATOM = re.compile(r"[A-Za-z]\w*|[\d.][\w.]*|[\d.]+e-\d+|\(-[\w./-]+\)|\(1/0\)")  # a name or a number


def positions(shape):
    return list(itertools.product(*map(range, shape)))


class Program:
    """The rules append statements as they run; buffers and tables are declared once, outside of the function."""

    def __init__(self):
        self.statements, self.declarations, self.tables, self.source = [], [], {}, ""
        self.depth, self.count = 0, itertools.count()

    def write(self, statement):
        self.statements.append(statement)

    def variable(self, expression, keyword="const"):
        """A new variable with this value."""
        name = f"v{next(self.count)}"
        self.write(f"{keyword} {name}={expression};")
        return name

    def scalars(self, shape, dtype, expressions):
        """A small array: a variable for each expression that is more than a name or a number."""
        return Scalars(shape, dtype, elements=[e if ATOM.fullmatch(e) else self.variable(e) for e in expressions])

    def each(self, shape, unroll=UNROLL):
        """The positions of an array: of a small one all, one after the other; of a large one those of loops, once."""
        if math.prod(shape) <= unroll:
            yield from positions(shape)
            return
        position, depth = [], self.depth
        for n in shape:
            name = "ijklpqrstuwxyz"[self.depth] if self.depth < 14 else f"i{self.depth}"
            position.append(0 if n == 1 else Index({"": 0, name: 1}))
            if n != 1:
                self.write(f"for(let {name}=0;{name}<{n};{name}++){{")
                self.depth += 1
        yield position
        self.write("}" * (self.depth - depth))
        self.depth = depth

    def declare(self, prefix, expression):
        name = f"{prefix}{next(self.count)}"
        self.declarations.append(f"{name}={expression}")
        return name

    def allocate(self, like):
        """A typed array, made once: every call of the function and every turn of a loop uses it again."""
        return Buffer(like.shape, like.dtype, name=self.declare("b", f"new Float64Array({like.size})"))

    def constant(self, array):
        return Constant(np.shape(array), array.dtype, array=array, table=self.table)

    def table(self, numbers):
        """The name of a stored table; equal ones are stored once."""
        numbers = np.asarray(numbers, np.float64).ravel()
        if (key := numbers.tobytes()) not in self.tables:
            self.tables[key] = self.declare("c", _tabulated(numbers))
        return self.tables[key]

    def lazy(self, like, at, *sources, computed=False):
        """An array like another, whose element at a position is at(position, *sources)."""
        sources = [self.readable(source) for source in sources] if like.size > UNROLL else sources
        computed += max((source.computed for source in sources), default=0)
        return Lazy(like.shape, like.dtype, at=lambda i: at(i, *sources), computed=computed)

    def settle(self, value, uses=1):
        """Small arrays become variables; a large one that takes arithmetic is stored if used often, or if it takes much."""
        if isinstance(value, (Buffer, Lazy)) and value.size <= UNROLL:
            return self.scalars(value.shape, value.dtype, map(value.at, positions(value.shape)))
        return self.evaluated(value) if uses > 1 or value.computed > 30 else value

    def readable(self, value):
        """The value in a form that loops can read: variables have no index."""
        return self.copy(value) if isinstance(value, Scalars) and value.size != 1 else value

    def evaluated(self, value):
        """The value with its arithmetic done, so that it can be read again and again."""
        return self.copy(value) if value.computed else value

    def stored(self, value):
        """The value for reading again and again, also in loops."""
        return self.readable(self.evaluated(value))

    def contiguous(self, value):
        """The value as a buffer, for reading."""
        if isinstance(value, Constant):
            return Buffer(value.shape, value.dtype, name=self.table(value.array))
        return value if isinstance(value, Buffer) else self.copy(value)

    def copy(self, value):
        return self.fill(self.allocate(value), value)

    def fill(self, buffer, value, where=lambda position: position):
        """Store each element of a value into a buffer, at where(its position)."""
        for position in self.each(value.shape):
            self.write(f"{buffer.at(where(position))}={value.at(position)};")
        return buffer


def _tabulated(numbers):
    """JavaScript for a table: a formula where one gives these very numbers."""
    n, i, first, last = numbers.size, np.arange(numbers.size), numbers[:1].sum(), numbers[-1:].sum()
    if numbers.tobytes() == np.full(n, first).tobytes():
        return f"new Float64Array({n})" + (f".fill({number(first)})" if number(first) != "0" else "")
    with np.errstate(over="ignore", invalid="ignore"):
        part, step = i / max(n - 1, 1), numbers[1] - first
    for formula, values in [(f"{number(first)}+{number(step)}*i", lambda: first + step * i),
                            (f"{number(first)}*(1-i/{n - 1})+i/{n - 1}*{number(last)}",
                             lambda: first * (1 - part) + part * last)]:
        if n > UNROLL and np.isfinite(numbers).all() and values().tobytes() == numbers.tobytes():
            return f"Float64Array.from({{length:{n}}},(_,i)=>{formula})"
    return f"Float64Array.of({','.join(number(x).strip('()') for x in numbers)})"
