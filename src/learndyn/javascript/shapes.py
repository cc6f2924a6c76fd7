"""Primitives that move elements: most are maps of positions, which cost nothing, the others put parts together."""

from dataclasses import replace

from learndyn.javascript.compiler import rule
from learndyn.javascript.values import Scalars

# From the parameters and the shape of the operand to the map from a position in the result to one in the operand.
MAPS = {
    "broadcast_in_dim": lambda p, shape: lambda i: [0 if n == 1 else i[k] for n, k in zip(shape, p["broadcast_dimensions"])],
    "transpose": lambda p, shape: lambda i: [i[p["permutation"].index(k)] for k in range(len(shape))],
    "slice": lambda p, shape: lambda i: [k * s + a for k, s, a in zip(i, p["strides"] or [1] * len(i), p["start_indices"])],
    "rev": lambda p, shape: lambda i: [n - 1 - k if axis in p["dimensions"] else k for axis, (k, n) in enumerate(zip(i, shape))],
}


@rule(*MAPS)
def remap(program, equation, x):
    out, where = equation.outputs[0], MAPS[equation.name](equation.params, x.shape)
    x = program.stored(x) if out.size > x.size else x  # read several times
    return program.lazy(out.shape, out.dtype, lambda i, x: x.at(where(i)), x)


@rule("reshape", "squeeze")
def reshape(program, equation, x):
    """Along axes of length 1 a map of positions; otherwise the same memory, read with other strides."""
    shape = equation.outputs[0].shape
    old, new = ([k for k, n in enumerate(s) if n != 1] for s in (x.shape, shape))
    if isinstance(x, Scalars):
        return replace(x, shape=shape)
    if [x.shape[k] for k in old] != [shape[k] for k in new]:
        return replace(program.contiguous(x), shape=shape)
    where = dict(zip(old, new))
    return program.lazy(shape, x.dtype, lambda i, x: x.at([i[where[k]] if k in where else 0 for k in range(len(x.shape))]), x)


@rule("concatenate")
def concatenate(program, equation, *parts):
    axis, start, shifted = equation.params["dimension"], 0, []
    for part in parts:
        shifted.append((part, lambda i, start=start: [k + start if a == axis else k for a, k in enumerate(i)]))
        start += part.shape[axis]
    return program.assemble(equation.outputs[0], shifted)


@rule("pad")
def pad(program, equation, x, filling):
    """Element i goes to low + i (1 + interior), if that is inside."""
    out, config = equation.outputs[0], [(low, 1 + interior) for low, _, interior in equation.params["padding_config"]]
    first = [max(0, -(low // step)) for low, step in config]
    end = [min(n, (m - 1 - low) // step + 1) for n, m, (low, step) in zip(x.shape, out.shape, config)]
    inside = program.lazy([max(0, b - a) for a, b in zip(first, end)], x.dtype,
                          lambda i, x: x.at([k + a for k, a in zip(i, first)]), x)
    everywhere = program.lazy(out.shape, out.dtype, lambda i, v: v.at(()), filling)
    return program.assemble(out, [(everywhere, lambda i: i), (
        inside, lambda i: [(k + a) * step + low for k, a, (low, step) in zip(i, first, config)])])
