"""The program that is being written: its statements, loops, names, buffers, and tables."""

import itertools
import math
from contextlib import contextmanager

import numpy as np

from learndyn.javascript.values import ATOM, Buffer, Constant, Index, Lazy, Scalars, linear, number

UNROLL = 9  # arrays of at most so many elements become JavaScript variables: a 3 x 3 matrix does


def positions(shape):
    return itertools.product(*map(range, shape))


class Program:
    """The rules append statements as they run; buffers and tables are declared once, outside of the function."""

    def __init__(self):
        self.statements, self.declarations, self.tables = [], [], {}
        self.depth, self.count = 0, itertools.count()

    def write(self, statement):
        self.statements.append(statement)

    def fresh(self, prefix):
        return f"{prefix}{next(self.count)}"

    def variable(self, expression, keyword="const"):
        """A new variable with this value; one declared by `let` has a name of its own kind, for it changes."""
        name = self.fresh("v" if keyword == "const" else "m")
        self.write(f"{keyword} {name}={expression};")
        return name

    def named(self, expression):
        """A name or a number in place of an expression."""
        return expression if ATOM.fullmatch(expression) else self.variable(expression)

    @contextmanager
    def loop(self, shape):
        """Loops over the positions of an array of this shape; an axis of length 1 needs none."""
        position, depth = [], self.depth
        for n in shape:
            name = "ijklpqrstuwxyz"[self.depth] if self.depth < 14 else f"i{self.depth}"
            position.append(0 if n == 1 else Index({name: 1}))
            if n != 1:
                self.write(f"for(let {name}=0;{name}<{n};{name}++){{")
                self.depth += 1
        yield tuple(position)
        self.write("}" * (self.depth - depth))
        self.depth = depth

    def each(self, shape):
        """The positions of an array: of a small one all, one after the other; of a large one those of loops, once."""
        if math.prod(shape) <= UNROLL:
            yield from positions(shape)
        else:
            with self.loop(shape) as position:
                yield position

    def allocate(self, shape, dtype):
        """A typed array, made once: every call of the function and every turn of a loop uses it again."""
        name = self.fresh("b")
        self.declarations.append(f"{name}=new Float64Array({math.prod(shape)})")
        return Buffer(shape=tuple(shape), dtype=dtype, name=name)

    def constant(self, array, dtype=None):
        return Constant(shape=np.shape(array), dtype=dtype or array.dtype, array=array, table=self.table)

    def table(self, numbers):
        """The name of a stored table; equal ones are stored once."""
        numbers = np.asarray(numbers, np.float64).ravel()
        if numbers.tobytes() not in self.tables:
            name = self.tables[numbers.tobytes()] = self.fresh("c")
            self.declarations.append(f"{name}={_tabulated(numbers)}")
        return self.tables[numbers.tobytes()]

    def scalars(self, shape, dtype, expressions):
        return Scalars(shape=tuple(shape), dtype=dtype, elements=[self.named(e) for e in expressions])

    def lazy(self, shape, dtype, at, *sources, computed=False):
        """The array whose element at a position is at(position, *sources)."""
        if math.prod(shape) > UNROLL:
            sources = [self.readable(source) for source in sources]
        computed = computed or any(source.computed for source in sources)
        return Lazy(shape=tuple(shape), dtype=dtype, at=lambda i: at(i, *sources), computed=computed)

    def settle(self, value, uses):
        """Small arrays become variables; a large one that takes computing is stored if it is used more than once."""
        if isinstance(value, (Buffer, Lazy)) and value.size <= UNROLL:
            return self.scalars(value.shape, value.dtype, [value.at(i) for i in positions(value.shape)])
        return self.stored(value) if uses > 1 else value

    def readable(self, value):
        """The value in a form that loops can read: variables have no index."""
        return self.copy(value) if isinstance(value, Scalars) and value.size != 1 else value

    def stored(self, value):
        """The value in a form that is cheap to read again and again."""
        return self.copy(value) if value.computed else self.readable(value)

    def contiguous(self, value):
        """The value as a buffer, for reading."""
        if isinstance(value, Constant):
            return Buffer(shape=value.shape, dtype=value.dtype, name=self.table(value.array))
        return value if isinstance(value, Buffer) else self.copy(value)

    def copy(self, value):
        return self.assemble(value, [(value, lambda i: i)], store=True)

    def fill(self, buffer, value, where=lambda position: position):
        """Store each element of a value into a buffer, at where(its position)."""
        for position in self.each(value.shape):
            self.write(f"{buffer.at(where(position))}={value.at(position)};")

    def assemble(self, out, parts, store=False):
        """An array like `out` from pairs of a part and where its elements go; later parts cover earlier ones."""
        if math.prod(out.shape) <= UNROLL and not store:
            elements = {linear(where(i), out.shape): part.at(i) for part, where in parts for i in positions(part.shape)}
            return self.scalars(out.shape, out.dtype, [elements[k] for k in range(len(elements))])
        buffer = self.allocate(out.shape, out.dtype)
        for part, where in parts:
            self.fill(buffer, part, where)
        return buffer


def _tabulated(numbers):
    """JavaScript for a table: a formula where one gives these very numbers."""
    n, i = numbers.size, np.arange(numbers.size)
    first, last = numbers[:1].sum(), numbers[-1:].sum()
    if numbers.tobytes() == np.full(n, first).tobytes():
        return f"new Float64Array({n})" + (f".fill({number(first)})" if number(first) != "0" else "")
    if n > UNROLL and np.isfinite(numbers).all():
        part, step = i / (n - 1), numbers[1] - first
        formulas = {f"{number(first)}+{number(step)}*i": first + step * i,
                    f"{number(first)}*(1-i/{n - 1})+i/{n - 1}*{number(last)}": first * (1 - part) + part * last}
        for formula, values in formulas.items():
            if values.tobytes() == numbers.tobytes():
                return f"Float64Array.from({{length:{n}}},(_,i)=>{formula})"
    return f"Float64Array.of({','.join(number(x).strip('()') for x in numbers)})"
