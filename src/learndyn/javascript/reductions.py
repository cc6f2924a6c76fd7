"""Primitives that combine many elements: sums and their like, products of matrices, sorting, factorizations."""
import functools
import math

import numpy as np

from learndyn.javascript.compiler import rule
from learndyn.javascript.elementwise import operation
from learndyn.javascript.program import UNROLL, positions
from learndyn.javascript.values import Scalars, Value, index, linear

REDUCTIONS = {"reduce_sum": "add", "reduce_prod": "mul", "reduce_max": "max", "reduce_min": "min", "reduce_and": "and",
              "reduce_or": "or", "reduce_xor": "xor"}
NEUTRAL = {"add": "0", "mul": "1", "max": "(-1/0)", "min": "(1/0)", "and": "(-1)", "or": "0", "xor": "0"}
NEUTRAL_TRUTH = {**NEUTRAL, "max": "0", "min": "1", "and": "1"}


def merged(outer, inner, axes):
    """The position whose entries along `axes` are the inner ones, in order."""
    rank, outer, inner = len(outer) + len(inner), iter(outer), iter(inner)
    return [next(inner) if k in axes else next(outer) for k in range(rank)]


def fold(program, name, out, inner, at):
    """The array like `out` of the sum, or another operation, of at(position in out, i) over the inner positions i."""
    combine, initial = operation(name, out.dtype), (NEUTRAL_TRUTH if out.dtype.kind == "b" else NEUTRAL)[name]
    if out.size <= UNROLL and out.size * math.prod(inner) <= 4 * UNROLL:
        terms = [[at(o, i) for i in positions(inner)] or [initial] for o in positions(out.shape)]
        return program.scalars(out.shape, out.dtype, [functools.reduce(combine, elements) for elements in terms])
    buffer = program.allocate(out) if out.size != 1 else None
    for o in program.each(out.shape, 0):
        total = program.variable(initial, "let")
        for i in program.each(inner, 0):
            program.write(f"{total}={combine(total, at(o, i))};")
        if buffer:
            program.write(f"{buffer.at(o)}={total};")
    return buffer or Scalars(out.shape, out.dtype, elements=[total])


@rule(*REDUCTIONS)
def reduction(program, equation, x):
    axes, out = equation.params["axes"], equation.outputs[0]
    x, inner = program.readable(x) if out.size > UNROLL else x, [x.shape[k] for k in sorted(axes)]
    return fold(program, REDUCTIONS[equation.name], out, inner, lambda o, i: x.at(merged(o, i, axes)))


@rule("dot_general")
def dot_general(program, equation, x, y):
    """The sum over the contracted axes of the products; batch axes come first, then those of x, then those of y."""
    (x_sum, y_sum), (x_batch, y_batch) = equation.params["dimension_numbers"]
    x_axes, y_axes = ([*batch, *(k for k in range(len(v.shape)) if k not in batch and k not in contracted), *contracted]
                      for v, batch, contracted in ((x, x_batch, x_sum), (y, y_batch, y_sum)))
    out, inner, split = equation.outputs[0], [x.shape[k] for k in x_sum], len(x_axes) - len(x_sum)
    loops = out.size > UNROLL or out.size * math.prod(inner) > 4 * UNROLL
    x, y = ((program.stored if loops else program.evaluated)(v) for v in (x, y))

    def at(o, i):
        x_at, y_at = dict(zip(x_axes, [*o[:split], *i])), dict(zip(y_axes, [*o[: len(x_batch)], *o[split:], *i]))
        return multiply(*(v.at([p[k] for k in range(len(p))]) for v, p in ((x, x_at), (y, y_at))))

    multiply = operation("mul", out.dtype)
    return fold(program, "add", out, inner, at)


@rule("sort")
def sort(program, equation, *operands):
    """A stable sort of the numbers of the rows; NaN comes last."""
    axis, keys, operands = equation.params["dimension"], equation.params["num_keys"], [program.stored(x) for x in operands]
    shape, n = operands[0].shape, operands[0].shape[axis]
    order, results = program.allocate(Value([n], np.dtype(np.int32))), [program.allocate(x) for x in operands]
    for o in program.each(shape[:axis] + shape[axis + 1 :], 0):
        compared = [[x.at(merged(o, [index(name)], [axis])) for name in ("P", "Q")] for x in operands[:keys]]
        for (k,) in program.each([n], 0):
            program.write(f"{order.at([k])}={k};")
        program.write(f"{order.name}.sort((P,Q)=>{'||'.join(f'compare({p},{q})' for p, q in compared)});")
        for (k,) in program.each([n], 0):
            for x, result in zip(operands, results):
                program.write(f"{result.at(merged(o, [k], [axis]))}={x.at(merged(o, [index(order.at([k]))], [axis]))};")
    return results


@rule("cholesky", "eigh", "lu", "lu_pivots_to_permutation", "triangular_solve")
def linear_algebra(program, equation, *operands):
    """For each matrix a function of algebra.js: of the operands, the results, the sizes of the operands, and the flags."""
    arrays = [*map(program.contiguous, operands), *map(program.allocate, equation.outputs)]
    rank, params = 1 if "pivots" in equation.name else 2, sorted(equation.params.items())
    batch, flags = operands[0].shape[:-rank], [int(p) for _, p in params if isinstance(p, int)]
    numbers = [str(n) for n in [*(n for x in operands for n in x.shape[-rank:]), *flags]]
    sizes = [v.size // max(math.prod(batch), 1) for v in arrays]
    for position in program.each(batch, 0):
        k = linear(position, batch)
        parts = [f"{v.name}.subarray({k * n},{k * n + n})" if batch else v.name for v, n in zip(arrays, sizes)]
        program.write(f"{equation.name}({','.join(parts + numbers)});")
    return arrays[len(operands) :]
