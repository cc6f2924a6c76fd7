"""The JavaScript that is being written: statements, loops, names, buffers, tables."""

import itertools
import math
from contextlib import contextmanager

import numpy as np

from learndyn.javascript.values import ATOM, Buffer, Constant, Index, Lazy, Scalars, linear, number

UNROLL = 9  # arrays of at most so many elements become JavaScript variables: a 3 x 3 matrix does


def positions(shape):
    """Every index of an array, in row-major order."""
    return itertools.product(*map(range, shape))


class Program:
    """Statements are appended as the rules run; buffers and tables are declared once, outside of the function."""

    def __init__(self):
        self.statements, self.declarations, self.tables = [], [], {}
        self.depth, self.count = 0, itertools.count()

    # --- text
    def write(self, statement):
        self.statements.append(statement)

    def fresh(self, prefix):
        return f"{prefix}{next(self.count)}"

    def variable(self, expression, keyword="const"):
        """A new variable with this value."""
        name = self.fresh("v" if keyword == "const" else "m")
        self.write(f"{keyword} {name}={expression};")
        return name

    def named(self, expression):
        """A name or a literal for an expression, which can be repeated at no cost."""
        return expression if ATOM.fullmatch(expression) else self.variable(expression)

    @contextmanager
    def block(self, head):
        self.write(head + "{")
        yield
        self.write("}")

    @contextmanager
    def loop(self, shape):
        """Loops over the indices of an array of this shape; an axis of length 1 needs none."""
        position = []
        for n in shape:
            if n != 1:
                name = "ijklpqrstuwxyz"[self.depth] if self.depth < 14 else f"i{self.depth}"
                self.write(f"for(let {name}=0;{name}<{n};{name}++){{")
                self.depth += 1
            position.append(0 if n == 1 else Index({name: 1}))
        yield tuple(position)
        loops = sum(n != 1 for n in shape)
        self.depth -= loops
        self.write("}" * loops)

    def each(self, shape):
        """The indices of an array: of a small one all, one after the other; of a large one those of loops, once."""
        if math.prod(shape) <= UNROLL:
            yield from positions(shape)
        else:
            with self.loop(shape) as position:
                yield position

    def small(self, shape):
        return math.prod(shape) <= UNROLL

    # --- memory
    def allocate(self, shape, dtype):
        """A typed array, made once: every run of the function and every turn of a loop uses it again."""
        name = self.fresh("b")
        self.declarations.append(f"{name}=new Float64Array({math.prod(shape)})")
        return Buffer(shape=tuple(shape), dtype=dtype, name=name)

    def constant(self, array, dtype=None):
        return Constant(shape=np.shape(array), dtype=dtype or array.dtype, array=array, table=self.table)

    def table(self, flat):
        """The name of a stored table; equal tables are stored once, arithmetic progressions as their formula."""
        flat = flat.astype(np.float64)
        if flat.tobytes() not in self.tables:
            name = self.tables[flat.tobytes()] = self.fresh("c")
            self.declarations.append(f"{name}={_tabulate(flat)}")
        return self.tables[flat.tobytes()]

    # --- values
    def lazy(self, shape, dtype, at, *sources, computed=False):
        """The array whose element at an index is at(index, *sources)."""
        if math.prod(shape) > UNROLL:
            sources = [self.readable(source) for source in sources]
        computed = computed or any(source.computed for source in sources)
        return Lazy(shape=tuple(shape), dtype=dtype, at=lambda i: at(i, *sources), computed=computed)

    def settle(self, value, uses):
        """Small arrays become variables; an array that takes computing is stored when it is used more than once."""
        if isinstance(value, (Scalars, Constant)):
            return value
        if value.size <= UNROLL:
            elements = [self.named(value.at(position)) for position in positions(value.shape)]
            return Scalars(shape=value.shape, dtype=value.dtype, elements=elements)
        return self.stored(value) if uses > 1 else value

    def readable(self, value):
        """The value in a form that loops can read: variables cannot be indexed by a counter."""
        return self.copy(value) if isinstance(value, Scalars) and value.size != 1 else value

    def stored(self, value):
        """The value in a form that is cheap to read again and again, at any index."""
        return self.copy(value) if value.computed else self.readable(value)

    def contiguous(self, value):
        """The value as a buffer."""
        if isinstance(value, Constant):
            return Buffer(shape=value.shape, dtype=value.dtype, name=self.table(np.asarray(value.array).ravel()))
        return value if isinstance(value, Buffer) else self.copy(value)

    def copy(self, value):
        buffer = self.allocate(value.shape, value.dtype)
        self.fill(buffer, value)
        return buffer

    def fill(self, buffer, value, where=lambda position: position):
        """Store each element of a value into a buffer, at where(its index)."""
        for position in self.each(value.shape):
            self.write(f"{buffer.at(where(position))}={value.at(position)};")

    def assemble(self, out, parts):
        """An array like `out` from pairs of a part and where its elements go; later parts cover earlier ones."""
        if math.prod(out.shape) <= UNROLL:
            elements = {linear(where(i), out.shape): part.at(i) for part, where in parts for i in positions(part.shape)}
            elements = [self.named(elements[k]) for k in range(len(elements))]
            return Scalars(shape=out.shape, dtype=out.dtype, elements=elements)
        buffer = self.allocate(out.shape, out.dtype)
        for part, where in parts:
            self.fill(buffer, part, where)
        return buffer

    def piece(self, buffer, batch):
        """JavaScript for the part of a buffer at an index of its leading axes, as a typed array of its own."""
        if not batch:
            return buffer.name
        n = math.prod(buffer.shape[len(batch):])
        start = linear(batch, buffer.shape) * n
        return f"{buffer.name}.subarray({start},{start + n})"


def _tabulate(flat):
    """JavaScript for a table of numbers; a formula only where it gives these very numbers."""
    counter, n = np.arange(flat.size), flat.size
    step = counter / max(n - 1, 1)
    first, last = number(flat[0]) if n else "0", number(flat[-1]) if n else "0"
    if not flat.any() and not np.signbit(flat).any():
        return f"new Float64Array({n})"
    with np.errstate(invalid="ignore"):
        if np.array_equal(flat, np.full(n, flat[0])):
            return f"new Float64Array({n}).fill({first})"
        formulas = {
            f"{first}+{number(flat[1] - flat[0])}*i": flat[0] + (flat[1] - flat[0]) * counter,
            f"{first}*(1-i/{n - 1})+i/{n - 1}*{last}": flat[0] * (1 - step) + step * flat[-1],
        }
    for formula, values in formulas.items():
        if n > 8 and np.array_equal(flat, values):
            return f"Float64Array.from({{length:{n}}},(_,i)=>{formula})"
    return f"Float64Array.of({','.join(number(x).strip('()') for x in flat)})"
