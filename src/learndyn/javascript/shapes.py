"""Primitives that move elements: most are maps of indices, which cost nothing, some copy into a buffer."""

import math
from dataclasses import replace

from learndyn.javascript.compiler import rule
from learndyn.javascript.values import Scalars


def remap(program, out, where, x):
    """The array whose element at an index is the element of x at where(index)."""
    return program.lazy(out.shape, out.dtype, lambda position, x: x.at(where(position)), x)


@rule("broadcast_in_dim")
def broadcast_in_dim(program, equation, x):
    out, axes = equation.outputs[0], equation.params["broadcast_dimensions"]
    if math.prod(out.shape) > x.size:
        x = program.stored(x)  # read several times

    def where(i):
        return [0 if n == 1 else i[axis] for n, axis in zip(x.shape, axes)]

    return remap(program, out, where, x)


@rule("reshape", "squeeze", "expand_dims")
def reshape(program, equation, x):
    order = equation.params.get("dimensions") if equation.name == "reshape" else None
    if order is not None:
        x = program.lazy([x.shape[k] for k in order], x.dtype, lambda i, x: x.at([i[order.index(k)] for k in range(len(order))]), x)
    return reshaped(program, x, equation.outputs[0].shape)


def reshaped(program, x, shape):
    """The same elements in the same order under another shape."""
    old, new = ([k for k, n in enumerate(s) if n != 1] for s in (x.shape, shape))
    if isinstance(x, Scalars) or [x.shape[k] for k in old] != [shape[k] for k in new]:
        return replace(x if isinstance(x, Scalars) else program.contiguous(x), shape=tuple(shape))

    def at(i, x):
        return x.at([i[new[old.index(k)]] if k in old else 0 for k in range(len(x.shape))])

    return program.lazy(shape, x.dtype, at, x)


@rule("transpose")
def transpose(program, equation, x):
    order = equation.params["permutation"]
    return remap(program, equation.outputs[0], lambda i: [i[order.index(k)] for k in range(len(order))], x)


@rule("slice")
def slice_(program, equation, x):
    starts = equation.params["start_indices"]
    steps = equation.params["strides"] or [1] * len(starts)
    return remap(program, equation.outputs[0], lambda i: [k * s + a for k, s, a in zip(i, steps, starts)], x)


@rule("rev")
def rev(program, equation, x):
    axes = equation.params["dimensions"]
    return remap(program, equation.outputs[0], lambda i: [x.shape[k] - 1 - q if k in axes else q for k, q in enumerate(i)], x)


@rule("split")
def split(program, equation, x):
    axis, start, parts = equation.params["axis"], 0, []
    for out in equation.outputs:
        parts.append(remap(program, out, lambda i, start=start: [q + start * (k == axis) for k, q in enumerate(i)], x))
        start += out.shape[axis]
    return parts


@rule("unstack")
def unstack(program, equation, x):
    axis = equation.params["axis"]
    return [remap(program, out, lambda i, k=k: [*i[:axis], k, *i[axis:]], x) for k, out in enumerate(equation.outputs)]


@rule("tile")
def tile(program, equation, x):
    """Repeated along new axes beside the old ones, then merged with them."""
    out, reps = equation.outputs[0], equation.params["reps"]
    x = program.stored(x)
    shape = [n for pair in zip(reps, x.shape) for n in pair]
    return reshaped(program, program.lazy(shape, out.dtype, lambda i, x: x.at(i[1::2]), x), out.shape)


@rule("stack")
def stack(program, equation, *parts):
    axis, out = equation.params["axis"], equation.outputs[0]
    return program.assemble(out, [(v, lambda i, k=k: [*i[:axis], k, *i[axis:]]) for k, v in enumerate(parts)])


@rule("concatenate")
def concatenate(program, equation, *parts):
    axis, start, pasted = equation.params["dimension"], 0, []
    for part in parts:
        pasted.append((part, lambda i, start=start: [q + start * (k == axis) for k, q in enumerate(i)]))
        start += part.shape[axis]
    return program.assemble(equation.outputs[0], pasted)


@rule("pad")
def pad(program, equation, x, filling):
    """Element i goes to low + i (1 + interior), if that is inside."""
    out, config = equation.outputs[0], equation.params["padding_config"]
    firsts = [max(0, -(low // (inside + 1))) for low, _, inside in config]
    lasts = [min(n, (m - 1 - low) // (inside + 1) + 1) for n, m, (low, _, inside) in zip(x.shape, out.shape, config)]
    part = program.lazy([max(0, b - a) for a, b in zip(firsts, lasts)], x.dtype,
                        lambda i, x: x.at([k + a for k, a in zip(i, firsts)]), x)
    everywhere = program.lazy(out.shape, out.dtype, lambda i, v: v.at(()), filling)
    return program.assemble(out, [
        (everywhere, lambda i: i),
        (part, lambda i: [(k + a) * (inside + 1) + low for k, a, (low, _, inside) in zip(i, firsts, config)])])
