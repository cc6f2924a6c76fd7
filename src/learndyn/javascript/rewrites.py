"""Primitives that JAX can say in simpler ones: each is replaced by the jaxpr of a function."""
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import Primitive

from learndyn.javascript.compiler import REWRITES

take, put = Primitive("take"), Primitive("put")  # a vector read or changed at places; their rules are in `structure`
take.def_abstract_eval(lambda x, places, **_: jax.core.ShapedArray(places.shape, x.dtype))
put.def_abstract_eval(lambda x, places, updates, **_: jax.core.ShapedArray(x.shape, x.dtype))


def rewrite(*names):
    return lambda function: REWRITES.update({name: partial(function, name) for name in names}) or function


def places(shape, indices, out, sizes, mode, window_axes, dropped, mapped, batching, indices_batching):
    """Where each element of the windows of a gather or scatter lies in an array of this shape; -1 for one outside.

    A window of these sizes begins at `indices` along the axes that are `mapped`. `window_axes` are those of the result,
    of shape `out`, that run over a window; those of the array are in the same order, without the dropped and batched ones.
    """
    strides, grid = np.array([np.prod(shape[k + 1 :], dtype=int) for k in range(len(shape))], int), np.indices(out)
    kept = [k for k in range(len(shape)) if k not in dropped and k not in batching]
    others = [k for k in range(len(out)) if k not in window_axes]
    pairs = [*zip(kept, window_axes), *zip(batching, [others[k] for k in indices_batching])]
    inside = sum((strides[axis] * grid[k] for axis, k in pairs), np.zeros(out, int))
    last = np.array([shape[axis] - sizes[axis] for axis in mapped], int)
    indices = lax.convert_element_type(indices, jnp.int64)
    start = jnp.clip(indices, 0, np.broadcast_to(last, indices.shape))
    found = lax.expand_dims(jnp.sum(start * np.broadcast_to(strides[list(mapped)], indices.shape), -1), window_axes) + inside
    if "FILL" not in str(mode):  # the other modes clip; what is promised to be inside may be clipped too
        return found
    return jnp.where(lax.expand_dims(jnp.all(start == indices, -1), window_axes), found, -1)


@rewrite("gather")
def gather(name, x, indices, dimension_numbers, slice_sizes, mode, fill_value, **_):
    d, batch = dimension_numbers, list(indices.shape[:-1])
    offsets = [n for k, n in enumerate(slice_sizes) if k not in d.collapsed_slice_dims and k not in d.operand_batching_dims]
    out = [offsets.pop(0) if k in d.offset_dims else batch.pop(0) for k in range(len(offsets) + len(batch))]
    if fill_value is None:
        limits = np.iinfo(x.dtype) if x.dtype.kind in "iu" else None
        fill_value = {"f": np.nan, "b": True}.get(x.dtype.kind) or (limits.min if limits.min < 0 else limits.max)
    where = places(x.shape, indices, out, slice_sizes, mode, d.offset_dims, d.collapsed_slice_dims, d.start_index_map,
                   d.operand_batching_dims, d.start_indices_batching_dims)
    return take.bind(x.reshape(-1), where, fill=fill_value, checked="FILL" in str(mode))


@rewrite("scatter", "scatter-add", "scatter-sub", "scatter-mul", "scatter-min", "scatter-max")
def scatter(name, x, indices, updates, dimension_numbers, mode, update_jaxpr, **_):
    d = dimension_numbers
    window = iter([updates.shape[k] for k in d.update_window_dims])
    sizes = [1 if k in d.inserted_window_dims or k in d.operand_batching_dims else next(window) for k in range(x.ndim)]
    where = places(x.shape, indices, updates.shape, sizes, mode, d.update_window_dims, d.inserted_window_dims,
                   d.scatter_dims_to_operand_dims, d.operand_batching_dims, d.scatter_indices_batching_dims)
    return put.bind(x.reshape(-1), where, updates, combine=name[8:] or update_jaxpr, checked="FILL" in str(mode)).reshape(x.shape)


@rewrite("dynamic_slice", "dynamic_update_slice")
def moving_window(name, x, *others, slice_sizes=None):
    """A slice that begins where scalars say, moved inside if it is not, is the one window of a gather or scatter."""
    axes, starts = tuple(range(x.ndim)), others if name == "dynamic_slice" else others[1:]
    corner = jnp.stack([lax.convert_element_type(k, jnp.int64) for k in starts]) if starts else jnp.zeros(0, int)
    if name == "dynamic_slice":
        return lax.gather(x, corner, lax.GatherDimensionNumbers(axes, (), axes), slice_sizes, mode="clip")
    return lax.scatter(x, corner, others[0], lax.ScatterDimensionNumbers(axes, (), axes), mode="clip")


@rewrite("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")
def cumulative(name, x, axis, reverse):
    low, high = (-np.inf, np.inf) if x.dtype.kind == "f" else (np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
    combine, start = {"cumsum": (lax.add, 0), "cumprod": (lax.mul, 1), "cummax": (lax.max, low), "cummin": (lax.min, high),
                      "cumlogsumexp": (jnp.logaddexp, low)}[name]
    rows = jnp.moveaxis(x, axis, 0)
    first = jnp.full(rows.shape[1:], start, x.dtype)
    return jnp.moveaxis(lax.scan(lambda total, row: (combine(total, row),) * 2, first, rows, reverse=reverse)[1], 0, axis)


@rewrite("argmax", "argmin")
def extremal(name, x, axes, index_dtype):
    """The first of equals; NaN before all, for the extremum is NaN then."""
    extremum = (jnp.max if name == "argmax" else jnp.min)(x, axis=axes, keepdims=True)
    count = lax.broadcasted_iota(index_dtype, x.shape, axes[0])
    return jnp.min(jnp.where((x == extremum) | (x != x), count, index_dtype.type(x.shape[axes[0]])), axis=axes)


REWRITES |= {
    "split": lambda x, sizes, axis: [lax.slice_in_dim(x, sum(sizes[:k]), sum(sizes[: k + 1]), axis=axis) for k in range(len(sizes))],
    "tile": lambda x, reps: lax.broadcast_in_dim(x, [n for pair in zip(reps, x.shape) for n in pair], range(1, 2 * x.ndim, 2))
        .reshape([r * n for r, n in zip(reps, x.shape)]),
    "stack": lambda *xs, axis: lax.concatenate([lax.expand_dims(x, [axis]) for x in xs], axis),
    "unstack": lambda x, axis: [lax.index_in_dim(x, k, axis, keepdims=False) for k in range(x.shape[axis])],
}
