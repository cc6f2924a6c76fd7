"""Primitives that combine many elements into one: sums and their like, products of matrices, extrema, sorting."""

import functools
import math

import numpy as np

from learndyn.javascript.compiler import rule
from learndyn.javascript.elementwise import operation
from learndyn.javascript.program import UNROLL, positions
from learndyn.javascript.values import Scalars, index, number


def fold(program, dtype, outer, inner, at, combine, initial):
    """The array over the outer indices of combine(... combine(initial, at(outer, inner)) ...) over the inner ones."""
    n, m = math.prod(outer), math.prod(inner)
    if n <= UNROLL and n * m <= 4 * UNROLL:
        def element(o):
            return functools.reduce(combine, [at(o, i) for i in positions(inner)]) if m else initial

        return Scalars(shape=outer, dtype=dtype, elements=[program.named(element(o)) for o in positions(outer)])
    buffer = program.allocate(outer, dtype) if n != 1 else None
    with program.loop(outer) as o:
        total = program.variable(initial, "let")
        with program.loop(inner) as i:
            program.write(f"{total}={combine(total, at(o, i))};")
        if buffer:
            program.write(f"{buffer.at(o)}={total};")
    return buffer or Scalars(shape=outer, dtype=dtype, elements=[total])


def start(name, dtype):
    """JavaScript for the neutral element of an operation."""
    every = number(dtype.kind == "b" or -1)
    return {"add": "0", "mul": "1", "max": "(-1/0)", "min": "(1/0)", "and": every, "or": "0", "xor": "0"}[name]


REDUCTIONS = {"reduce_sum": "add", "reduce_prod": "mul", "reduce_max": "max", "reduce_min": "min", "reduce_and": "and",
              "reduce_or": "or", "reduce_xor": "xor", "unvmap_any": "or", "unvmap_all": "and", "unvmap_max": "max"}
CUMULATIONS = {"cumsum": "add", "cumprod": "mul", "cummax": "max", "cummin": "min", "cumlogsumexp": None}


def without(shape, axes):
    return [n for k, n in enumerate(shape) if k not in axes]


def merged(outer, inner, axes):
    """The index whose entries along `axes` are the inner ones."""
    rank, outer, inner = len(outer) + len(inner), iter(outer), iter(inner)
    return [next(inner) if k in axes else next(outer) for k in range(rank)]


@rule(*REDUCTIONS)
def reduction(program, equation, x):
    name, axes = REDUCTIONS[equation.name], equation.params.get("axes", range(len(x.shape)))
    shape = without(x.shape, axes)
    if math.prod(shape) > UNROLL or x.size > 4 * UNROLL:
        x = program.readable(x)
    return fold(program, equation.outputs[0].dtype, shape, [x.shape[k] for k in sorted(axes)],
                lambda o, i: x.at(merged(o, i, axes)), operation(name, x.dtype), start(name, x.dtype))


@rule(*CUMULATIONS)
def cumulation(program, equation, x):
    axis, name, x = equation.params["axis"], CUMULATIONS[equation.name], program.readable(x)
    combine = operation(name, x.dtype) if name else "logAddExp({},{})".format
    buffer, n = program.allocate(x.shape, x.dtype), x.shape[axis]
    with program.loop(without(x.shape, [axis])) as o:
        total = program.variable(start(name or "max", x.dtype), "let")
        with program.loop([n]) as i:
            position = merged(o, [n - 1 - i[0]] if equation.params["reverse"] else i, [axis])
            program.write(f"{buffer.at(position)}={total}={combine(total, x.at(position))};")
    return buffer


@rule("dot_general")
def dot_general(program, equation, x, y):
    """The sum over the contracted axes of the products; batch axes first, then those of x, then those of y."""
    (x_sum, y_sum), (x_batch, y_batch) = equation.params["dimension_numbers"]
    x_free = [k for k in range(len(x.shape)) if k not in x_sum and k not in x_batch]
    y_free = [k for k in range(len(y.shape)) if k not in y_sum and k not in y_batch]
    out, inner = equation.outputs[0], [x.shape[k] for k in x_sum]
    if math.prod(out.shape) > UNROLL or math.prod(out.shape) * math.prod(inner) > 4 * UNROLL:
        x, y = program.stored(x), program.stored(y)
    batch, left = len(x_batch), len(x_batch) + len(x_free)

    def at(o, i):
        x_at = dict(zip([*x_batch, *x_free, *x_sum], [*o[:left], *i]))
        y_at = dict(zip([*y_batch, *y_free, *y_sum], [*o[:batch], *o[left:], *i]))
        return multiply(x.at([x_at[k] for k in range(len(x_at))]), y.at([y_at[k] for k in range(len(y_at))]))

    multiply = operation("mul", out.dtype)
    return fold(program, out.dtype, out.shape, inner, at, operation("add", out.dtype), "0")


@rule("argmax", "argmin")
def argument(program, equation, x):
    """The first of the largest; NaN is larger, and smaller, than every number."""
    (axis,), out, x = equation.params["axes"], equation.outputs[0], program.stored(x)
    buffer, better = program.allocate(out.shape, out.dtype), "<" if equation.name == "argmin" else ">"
    with program.loop(out.shape) as o:
        best, where = program.variable(x.at(merged(o, [0], [axis])), "let"), program.variable("0", "let")
        with program.loop([x.shape[axis]]) as i:
            element = x.at(merged(o, i, [axis]))
            program.write(f"if({element}{better}{best}||{element}!={element}&&{best}=={best}){best}={element},{where}={i[0]};")
        program.write(f"{buffer.at(o)}={where};")
    return buffer


@rule("sort")
def sort(program, equation, *operands):
    """A stable sort of the numbers of the rows; NaN comes last."""
    axis, keys = equation.params["dimension"], equation.params["num_keys"]
    operands = [program.stored(x) for x in operands]
    shape, n = operands[0].shape, operands[0].shape[axis]
    order, buffers = program.allocate([n], np.dtype(np.int32)), [program.allocate(shape, x.dtype) for x in operands]
    with program.loop(without(shape, [axis])) as o:
        row = ["||".join(f"compare({x.at(merged(o, [index('p')], [axis]))},{x.at(merged(o, [index('q')], [axis]))})"
                         for x in operands[:keys])]
        with program.loop([n]) as i:
            program.write(f"{order.at(i)}={i[0]};")
        program.write(f"{order.name}.sort((p,q)=>{row[0]});")
        with program.loop([n]) as i:
            for x, buffer in zip(operands, buffers):
                program.write(f"{buffer.at(merged(o, i, [axis]))}={x.at(merged(o, [index(order.at(i))], [axis]))};")
    return buffers
