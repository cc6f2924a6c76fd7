"""Primitives that move elements: maps of positions cost nothing; others copy parts, or look places up in an index."""
import numpy as np

from learndyn.javascript.compiler import prepared, rule
from learndyn.javascript.elementwise import operation
from learndyn.javascript.program import UNROLL, positions
from learndyn.javascript.values import Constant, Scalars, Value, index, linear, number

# From the parameters and the shape of the operand to the map from a position in the result to one in the operand.
MAPS = {
    "broadcast_in_dim": lambda p, shape: lambda i: [0 if n == 1 else i[k] for n, k in zip(shape, p["broadcast_dimensions"])],
    "transpose": lambda p, shape: lambda i: [i[p["permutation"].index(k)] for k in range(len(shape))],
    "slice": lambda p, shape: lambda i: [k * s + a for k, s, a in zip(i, p["strides"] or [1] * len(i), p["start_indices"])],
    "rev": lambda p, shape: lambda i: [n - 1 - k if axis in p["dimensions"] else k for axis, (k, n) in enumerate(zip(i, shape))],
}


@rule(*MAPS)
def remap(program, equation, x):
    x = program.evaluated(x) if equation.outputs[0].size > x.size else x  # its elements are read several times
    where = MAPS[equation.name](equation.params, x.shape)
    return program.lazy(equation.outputs[0], lambda i, x: x.at(where(i)), x)


@rule("reshape", "squeeze")
def reshape(program, equation, x):
    """Along axes of length 1 a map of positions; otherwise the same memory, read with other strides."""
    out, rank, order = equation.outputs[0], len(x.shape), equation.params["dimensions"] if equation.name == "reshape" else None
    if order is not None:
        swapped = Value([x.shape[k] for k in order], x.dtype)
        x = program.settle(program.lazy(swapped, lambda i, x: x.at([i[order.index(k)] for k in range(rank)]), x))
    old, new = ([k for k, n in enumerate(v.shape) if n != 1] for v in (x, out))
    if isinstance(x, Scalars) or [x.shape[k] for k in old] != [out.shape[k] for k in new]:
        return (x if isinstance(x, Scalars) else program.contiguous(x)).like(shape=out.shape)
    where = dict(zip(old, new))
    return program.lazy(out, lambda i, x: x.at([i[where[k]] if k in where else 0 for k in range(rank)]), x)


def assembled(program, out, parts):
    """An array like `out` from pairs of a part and where its elements go; later parts cover earlier ones."""
    if out.size <= UNROLL:
        elements = {linear(where(i), out.shape): part.at(i) for part, where in parts for i in positions(part.shape)}
        return program.scalars(out.shape, out.dtype, [elements[k] for k in range(out.size)])
    buffer = program.allocate(out)
    for part, where in parts:
        program.fill(buffer, part, where)
    return buffer


@rule("concatenate")
def concatenate(program, equation, *parts):
    axis, start, shifted = equation.params["dimension"], 0, []
    for part in parts:
        shifted.append((part, lambda i, start=start: [k + start if a == axis else k for a, k in enumerate(i)]))
        start += part.shape[axis]
    return assembled(program, equation.outputs[0], shifted)


@rule("pad")
def pad(program, equation, x, filling):
    """Element i goes to low + i (1 + interior), if that is inside."""
    out, config = equation.outputs[0], [(low, 1 + interior) for low, _, interior in equation.params["padding_config"]]
    first = [max(0, -(low // step)) for low, step in config]
    end = [min(n, (m - 1 - low) // step + 1) for n, m, (low, step) in zip(x.shape, out.shape, config)]
    inside = Value([max(0, b - a) for a, b in zip(first, end)], x.dtype)
    inside = program.lazy(inside, lambda i, x: x.at([k + a for k, a in zip(i, first)]), x)
    return assembled(program, out, [(program.lazy(out, lambda i, v: v.at(()), filling), lambda i: i), (
        inside, lambda i: [(k + a) * step + low for k, a, (low, step) in zip(i, first, config)])])


@rule("take")
def take(program, equation, x, places):
    """x[place] of a vector x, or what `fill` says where the place is negative; `rewrites` brings every gather to this."""
    x = (program.evaluated if isinstance(places, Constant) else program.stored)(x)
    places, fill = program.evaluated(places), number(equation.params["fill"])

    def at(i, x, places):
        place = index(places.at(i))
        if isinstance(place, int):
            return x.at([place]) if place >= 0 else fill
        return f"({place}<0?{fill}:{x.at([place])})" if equation.params["checked"] else x.at([place])

    return program.lazy(equation.outputs[0], at, x, places, computed=True)


@rule("put")
def put(program, equation, x, places, updates):
    """x, a vector, with x[place] = combine(x[place], update) for each place that is not negative: every scatter."""
    combine, result = equation.params["combine"], program.copy(x)
    places, updates = (program.stored(v) if updates.size > UNROLL else v for v in (places, updates))
    for i in program.each(updates.shape):
        place, new = index(places.at(i)), updates.at(i)
        old = result.at([place])
        program.write(f"if({place}>=0){{" if equation.params["checked"] else "{")
        if isinstance(combine, str):
            new = operation(combine, x.dtype)(old, new)
        elif combine is not None:  # a jaxpr
            pair = [Scalars((), x.dtype, elements=[program.variable(v)]) for v in (old, new)]
            new = prepared(program, combine, (), pair)([])[0].at(())
        program.write(f"{old}={new}}}")
    return result
