"""Primitives whose positions are computed: gather and scatter, with the general dimension numbers of XLA."""

import numpy as np

from learndyn.javascript.compiler import prepared, rule
from learndyn.javascript.elementwise import operation
from learndyn.javascript.program import UNROLL
from learndyn.javascript.values import Constant, Index, Scalars, index, number


def windows(program, mode, shape, indices, mapped, sizes, axes, dropped, batching, indices_batching):
    """For a position in the windows: the one in the operand, and the JavaScript for whether its window is inside.

    The operand has this shape, a window these sizes; it begins at `indices` along the axes that are `mapped`. `axes`
    are those of the positions that run over a window, without those of the operand that are dropped or batched.
    """
    kept = [k for k in range(len(shape)) if k not in dropped and k not in batching]

    def start(batch, k, axis):
        start, last = indices.at([*batch, k]), shape[axis] - sizes[axis]
        i = index(start)
        if isinstance(i, int):
            return min(max(i, 0), last), "" if 0 <= i <= last else "0"
        return (Index({f"clip({start},{last})": 1}) if last else 0), f"within({start},{last})"

    def find(position):
        batch, where, inside = [i for k, i in enumerate(position) if k not in axes], [0] * len(shape), []
        for axis, i in [*zip(kept, [position[k] for k in axes]), *zip(batching, [batch[k] for k in indices_batching])]:
            where[axis] = i
        for k, axis in enumerate(mapped):
            first, test = once[k] if once else start(batch, k, axis)
            where[axis] = first + where[axis]
            inside += [test] if test and "FILL" in str(mode) else []  # all other modes clip
        return where, "&&".join(inside)

    once = []
    if len(indices.shape) == 1:  # one window: its beginning is computed once
        once = [(index(program.named(str(i))), test) for i, test in (start((), k, axis) for k, axis in enumerate(mapped))]
    return find


@rule("gather")
def gather(program, equation, x, indices):
    out, p, d = equation.outputs[0], equation.params, equation.params["dimension_numbers"]
    x = program.stored(x) if x.computed or not isinstance(indices, Constant) else x
    indices = program.stored(indices) if out.size > UNROLL or indices.computed else indices
    find = windows(program, p["mode"], x.shape, indices, d.start_index_map, p["slice_sizes"], d.offset_dims,
                   d.collapsed_slice_dims, d.operand_batching_dims, d.start_indices_batching_dims)
    fill, kind = p["fill_value"], out.dtype.kind
    if fill is None:
        fill = np.nan if kind == "f" else True if kind == "b" else getattr(np.iinfo(out.dtype), "min" if kind == "i" else "max")

    def at(position, x):
        where, inside = find(position)
        return f"({inside}?{x.at(where)}:{number(fill)})" if inside else x.at(where)

    return program.lazy(out.shape, out.dtype, at, x, computed=True)


@rule("scatter", "scatter-add", "scatter-sub", "scatter-mul", "scatter-min", "scatter-max")
def scatter(program, equation, x, indices, updates):
    """Each update is combined with what is there."""
    p, d, name = equation.params, equation.params["dimension_numbers"], equation.name.removeprefix("scatter-")
    kept = [k for k in range(len(x.shape)) if k not in d.inserted_window_dims and k not in d.operand_batching_dims]
    window = {axis: updates.shape[k] for axis, k in zip(kept, d.update_window_dims)}
    result, apply = program.copy(x), p["update_jaxpr"] if name == "scatter" and p["update_jaxpr"] else None
    if updates.size > UNROLL:
        indices, updates = program.stored(indices), program.readable(updates)
    find = windows(program, p["mode"], x.shape, indices, d.scatter_dims_to_operand_dims,
                   [window.get(k, 1) for k in range(len(x.shape))], d.update_window_dims, d.inserted_window_dims,
                   d.operand_batching_dims, d.scatter_indices_batching_dims)
    for position in program.each(updates.shape):
        where, inside = find(position)
        old, new = result.at(where), updates.at(position)
        program.write(f"{f'if({inside})' if inside else ''}{{")
        if apply:
            pair = [Scalars(shape=(), dtype=x.dtype, elements=[program.variable(v)]) for v in (old, new)]
            new = prepared(program, apply, p["update_consts"], pair)([])[0].at(())
        program.write(f"{old}={new if name == 'scatter' else operation(name, x.dtype)(old, new)};}}")
    return result
