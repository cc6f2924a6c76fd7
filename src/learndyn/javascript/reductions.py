"""Primitives that combine many elements into one, and the sort."""

import functools
import math

import numpy as np

from learndyn.javascript.compiler import rule
from learndyn.javascript.elementwise import operation
from learndyn.javascript.program import UNROLL, positions
from learndyn.javascript.values import Scalars, index, number

REDUCTIONS = {"reduce_sum": "add", "reduce_prod": "mul", "reduce_max": "max", "reduce_min": "min", "reduce_and": "and",
              "reduce_or": "or", "reduce_xor": "xor", "unvmap_any": "or", "unvmap_all": "and", "unvmap_max": "max"}
CUMULATIONS = {"cumsum": "add", "cumprod": "mul", "cummax": "max", "cummin": "min", "cumlogsumexp": "logaddexp"}


def neutral(name, dtype):
    """JavaScript for the element that an operation begins with."""
    everything = number(np.bool_(True) if dtype.kind == "b" else -1)
    infinity = {"max": "(-1/0)", "logaddexp": "(-1/0)", "min": "(1/0)"}
    return {"add": "0", "mul": "1", "and": everything, "or": "0", "xor": "0", **infinity}[name]


def without(shape, axes):
    return [n for k, n in enumerate(shape) if k not in axes]


def merged(outer, inner, axes):
    """The position whose entries along `axes` are the inner ones, in order."""
    rank, outer, inner = len(outer) + len(inner), iter(outer), iter(inner)
    return [next(inner) if k in axes else next(outer) for k in range(rank)]


def fold(program, name, dtype, outer, inner, at):
    """The array over the outer positions of the sum, or another operation, of at(outer, inner) over the inner ones."""
    n, m, combine, initial = math.prod(outer), math.prod(inner), operation(name, dtype), neutral(name, dtype)
    if n <= UNROLL and n * m <= 4 * UNROLL:
        terms = [[at(o, i) for i in positions(inner)] or [initial] for o in positions(outer)]
        return program.scalars(outer, dtype, [functools.reduce(combine, elements) for elements in terms])
    buffer = program.allocate(outer, dtype) if n != 1 else None
    with program.loop(outer) as o:
        total = program.variable(initial, "let")
        with program.loop(inner) as i:
            program.write(f"{total}={combine(total, at(o, i))};")
        if buffer:
            program.write(f"{buffer.at(o)}={total};")
    return buffer or Scalars(shape=tuple(outer), dtype=dtype, elements=[total])


@rule(*REDUCTIONS)
def reduction(program, equation, x):
    axes, x = equation.params.get("axes", range(len(x.shape))), program.readable(x) if x.size > 4 * UNROLL else x
    outer, inner = without(x.shape, axes), [x.shape[k] for k in sorted(axes)]
    return fold(program, REDUCTIONS[equation.name], x.dtype, outer, inner, lambda o, i: x.at(merged(o, i, axes)))


@rule(*CUMULATIONS)
def cumulation(program, equation, x):
    axis, name, x = equation.params["axis"], CUMULATIONS[equation.name], program.readable(x)
    buffer, n, combine = program.allocate(x.shape, x.dtype), x.shape[axis], operation(name, x.dtype)
    with program.loop(without(x.shape, [axis])) as o:
        total = program.variable(neutral(name, x.dtype), "let")
        with program.loop([n]) as (k,):
            position = merged(o, [n - 1 - k if equation.params["reverse"] else k], [axis])
            program.write(f"{buffer.at(position)}={total}={combine(total, x.at(position))};")
    return buffer


@rule("dot_general")
def dot_general(program, equation, x, y):
    """The sum over the contracted axes of the products; batch axes come first, then those of x, then those of y."""
    (x_sum, y_sum), (x_batch, y_batch) = equation.params["dimension_numbers"]
    x_axes, y_axes = ([*b, *(k for k in range(len(v.shape)) if k not in b and k not in s), *s]
                      for v, b, s in ((x, x_batch, x_sum), (y, y_batch, y_sum)))
    out, inner, split = equation.outputs[0], [x.shape[k] for k in x_sum], len(x_axes) - len(x_sum)
    if out.size > UNROLL or out.size * math.prod(inner) > 4 * UNROLL:
        x, y = program.stored(x), program.stored(y)

    def at(o, i):
        x_at, y_at = dict(zip(x_axes, [*o[:split], *i])), dict(zip(y_axes, [*o[: len(x_batch)], *o[split:], *i]))
        return multiply(*(v.at([p[k] for k in range(len(p))]) for v, p in ((x, x_at), (y, y_at))))

    multiply = operation("mul", out.dtype)
    return fold(program, "add", out.dtype, out.shape, inner, at)


@rule("sort")
def sort(program, equation, *operands):
    """A stable sort of the numbers of the rows; NaN comes last."""
    axis, keys, operands = equation.params["dimension"], equation.params["num_keys"], [program.stored(x) for x in operands]
    shape, n = operands[0].shape, operands[0].shape[axis]
    order, sorted_ = program.allocate([n], np.dtype(np.int32)), [program.allocate(shape, x.dtype) for x in operands]
    with program.loop(without(shape, [axis])) as o:
        compared = [[x.at(merged(o, [index(name)], [axis])) for name in ("p", "q")] for x in operands[:keys]]
        with program.loop([n]) as (k,):
            program.write(f"{order.at([k])}={k};")
        program.write(f"{order.name}.sort((p,q)=>{'||'.join(f'compare({p},{q})' for p, q in compared)});")
        with program.loop([n]) as (k,):
            for x, result in zip(operands, sorted_):
                program.write(f"{result.at(merged(o, [k], [axis]))}={x.at(merged(o, [index(order.at([k]))], [axis]))};")
    return sorted_
