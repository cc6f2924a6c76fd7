"""Primitives whose indices are computed: slices, gather, scatter."""

import numpy as np

from learndyn.javascript.compiler import rule
from learndyn.javascript.elementwise import operation
from learndyn.javascript.program import UNROLL
from learndyn.javascript.values import Constant, Index, index, number


def clipped(expression, last):
    """An index made to lie in 0..last."""
    i = index(expression)
    return min(max(i, 0), last) if isinstance(i, int) else 0 if last == 0 else Index({f"clip({expression},{last})": 1})


def corner(program, starts, shape, window):
    """Where a window begins that must lie inside of an array."""
    starts = [clipped(start.at(()), n - m) for start, n, m in zip(starts, shape, window)]
    return [index(program.named(str(start))) for start in starts]


@rule("dynamic_slice")
def dynamic_slice(program, equation, x, *starts):
    out, start = equation.outputs[0], corner(program, starts, x.shape, equation.outputs[0].shape)
    x = x if all(isinstance(a, int) for a in start) else program.stored(x)
    return program.lazy(out.shape, out.dtype, lambda i, x: x.at([a + k for a, k in zip(start, i)]), x)


@rule("dynamic_update_slice")
def dynamic_update_slice(program, equation, x, update, *starts):
    start = corner(program, starts, x.shape, update.shape)

    def where(i):
        return [a + k for a, k in zip(start, i)]

    if all(isinstance(a, int) for a in start):
        return program.assemble(equation.outputs[0], [(x, lambda i: i), (update, where)])
    result = program.copy(x)
    program.fill(result, update, where)
    return result


def find(position, indices, shape, sizes, mode, window_axes, dropped, mapped, batching, indices_batching):
    """Where an element of the windows of a gather or scatter lies in the operand; JavaScript for "inside of it"."""
    batch = [i for k, i in enumerate(position) if k not in window_axes]
    kept = [k for k in range(len(shape)) if k not in dropped and k not in batching]
    where, inside = [0] * len(shape), []
    for axis, k in zip(kept, window_axes):
        where[axis] = position[k]
    for axis, k in zip(batching, indices_batching):
        where[axis] = batch[k]
    for k, axis in enumerate(mapped):
        start, last = indices.at([*batch, k]), shape[axis] - sizes[axis]
        i = clipped(start, last)
        if "FILL" in str(mode):  # the other modes clip: what is promised in bounds may be clipped too
            inside += [f"within({start},{last})"] if isinstance(i, Index) or last == 0 else ["0"] if i != index(start) else []
        where[axis] = i + where[axis]
    return where, "0" if "0" in inside else "&&".join(inside)


@rule("gather")
def gather(program, equation, x, indices):
    out, p, d = equation.outputs[0], equation.params, equation.params["dimension_numbers"]
    x = program.stored(x) if x.computed or not isinstance(indices, Constant) else x
    indices = program.stored(indices) if indices.computed else indices
    outside = p["fill_value"]
    if outside is None:
        limits = {"f": np.nan, "b": True} if out.dtype.kind in "fb" else {"i": np.iinfo(out.dtype).min, "u": np.iinfo(out.dtype).max}
        outside = limits[out.dtype.kind]

    def at(position, x, indices):
        where, inside = find(position, indices, x.shape, p["slice_sizes"], p["mode"], d.offset_dims, d.collapsed_slice_dims,
                             d.start_index_map, d.operand_batching_dims, d.start_indices_batching_dims)
        return f"({inside}?{x.at(where)}:{number(outside)})" if inside else x.at(where)

    return program.lazy(out.shape, out.dtype, at, x, indices, computed=True)


@rule("scatter", "scatter-add", "scatter-sub", "scatter-mul", "scatter-min", "scatter-max")
def scatter(program, equation, x, indices, updates):
    p, d = equation.params, equation.params["dimension_numbers"]
    result, name = program.copy(x), equation.name.removeprefix("scatter-")
    if name == "scatter" and p["update_jaxpr"] is not None and p["update_jaxpr"].eqns:
        raise equation.unsupported("the primitive 'scatter' with a function has no JavaScript: use x.at[i].set(f(x[i]))")
    combine = operation(name, x.dtype) if name != "scatter" else lambda old, new: new
    if updates.size > UNROLL:
        indices, updates = program.stored(indices), program.readable(updates)
    sizes = [1] * len(x.shape)
    kept = [k for k in range(len(x.shape)) if k not in d.inserted_window_dims and k not in d.operand_batching_dims]
    for axis, k in zip(kept, d.update_window_dims):
        sizes[axis] = updates.shape[k]
    for position in program.each(updates.shape):
        where, inside = find(position, indices, x.shape, sizes, p["mode"], d.update_window_dims, d.inserted_window_dims,
                             d.scatter_dims_to_operand_dims, d.operand_batching_dims, d.scatter_indices_batching_dims)
        target = result.at(where)
        program.write(f"{f'if({inside})' if inside else ''}{target}={combine(target, updates.at(position))};")
    return result
