"""Primitives that JAX itself can say in simpler ones: each becomes the jaxpr of one of these functions."""

import jax.numpy as jnp
from jax import lax


def _tile(x, reps):
    shape = [n for pair in zip(reps, x.shape) for n in pair]
    return lax.broadcast_in_dim(x, shape, range(1, len(shape), 2)).reshape([r * n for r, n in zip(reps, x.shape)])


def _top_k(x, k, axis):
    """The last k in order; turned around twice, so that of equals the first stays first."""
    count = lax.broadcasted_iota(jnp.int32, x.shape, axis)
    keys, places = lax.sort((lax.rev(x, [axis]), lax.rev(count, [axis])), dimension=axis, num_keys=1)
    return [lax.slice_in_dim(lax.rev(v, [axis]), 0, k, axis=axis) for v in (keys, places)]


def _first(best, x, axes, index_dtype):
    """Where the extremum is: the first of equals, and NaN before all, for the extremum is NaN then."""
    extremum, places = best(x, axis=axes, keepdims=True), lax.broadcasted_iota(index_dtype, x.shape, axes[0])
    found = (x == extremum) | (x != x)
    return jnp.min(jnp.where(found, places, x.shape[axes[0]]), axis=axes).astype(index_dtype)


def _corner(x, starts):
    """A slice that begins where scalars say, moved inside if it is not, is the one window of a gather or scatter."""
    axes = tuple(range(x.ndim))
    return jnp.stack([lax.convert_element_type(k, jnp.int64) for k in starts]) if starts else jnp.zeros(0, int), axes, (), axes


def _dynamic_slice(x, *starts, slice_sizes):
    corner, *numbers = _corner(x, starts)
    return lax.gather(x, corner, lax.GatherDimensionNumbers(*numbers), slice_sizes, mode="clip")


def _dynamic_update_slice(x, update, *starts):
    corner, *numbers = _corner(x, starts)
    return lax.scatter(x, corner, update, lax.ScatterDimensionNumbers(*numbers), mode="clip")


REWRITES = {
    "argmax": lambda x, axes, index_dtype: _first(jnp.max, x, axes, index_dtype),
    "argmin": lambda x, axes, index_dtype: _first(jnp.min, x, axes, index_dtype),
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "split": lambda x, sizes, axis: [
        lax.slice_in_dim(x, sum(sizes[:k]), sum(sizes[: k + 1]), axis=axis) for k in range(len(sizes))],
    "stack": lambda *xs, axis: lax.concatenate([lax.expand_dims(x, [axis]) for x in xs], axis),
    "unstack": lambda x, axis: [lax.index_in_dim(x, k, axis, keepdims=False) for k in range(x.shape[axis])],
    "tile": _tile,
    "top_k": _top_k,
}
