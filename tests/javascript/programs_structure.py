"""Rules that move numbers: shapes, slices, pads, concatenations, gathers, scatters, sorts."""

import jax.numpy as jnp
import numpy as np
from jax import lax
from programs import program
from programs_elementwise import ramp

WIDE = ramp(-9, 9)


@program((WIDE[:24],), (WIDE[9:],))
def reshapes(x):
    """Reshape, transpose, squeeze, expand; of vectors, of size-one axes, of the empty array, and composed."""
    m = x.reshape(2, 3, 4)
    turned = [jnp.transpose(m, axes) for axes in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))]
    chain = x.reshape(4, 6).T.reshape(3, 8).T.reshape(24)
    return (
        turned, chain, x.reshape(4, 1, 6)[:, 0], m[None, :, None], x[:0].reshape(0, 3).T, x[:6].reshape(3, 2).T,
        chain[3:5] + 1,
    )


@program((0.7, WIDE[:3], WIDE[:12].reshape(3, 4)), (-0.2, WIDE[4:7], WIDE[9:21].reshape(3, 4)))
def broadcasts(a, v, m):
    """`broadcast_in_dim` of scalars, vectors along each axis, size-one axes; `tile`, `repeat`, `outer`, `kron`."""
    along = [lax.broadcast_in_dim(v, shape, (k,)) for shape, k in (((3, 4), 0), ((4, 3), 1), ((2, 3, 5), 1), ((3, 1), 0))]
    stretched = lax.broadcast_in_dim(v[:, None], (3, 5), (0, 1)), lax.broadcast_in_dim(m, (4, 3, 2)[:2] + (4,), (1, 2))
    full = jnp.full((2, 3), a), jnp.full((5, 4), a), jnp.full((0, 3), a)
    return (
        along, stretched, full, jnp.tile(v, 4), jnp.repeat(v, 3), jnp.outer(v, v), jnp.kron(m[:2, :2], m),
        jnp.tile(m, (2, 1)),
    )


@program((WIDE[:24].reshape(4, 6),), (WIDE[9:].reshape(4, 6),))
def slices(x):
    """Static slices with strides, reversals, single rows, and corners."""
    cuts = x[1:3], x[:, 2], x[::2, ::3], x[1:4:2, ::-1], x[::-1], x[-1], x[2:2], x[3, 5], x[1:, 1:-1], x[..., -2:], x[:1, :1]
    return cuts, lax.slice(x, (0, 1), (4, 6), (3, 2)), lax.rev(x, (0, 1)), lax.rev(x[:, :2], (1,)), jnp.flip(x[0])


@program((WIDE[:12].reshape(3, 4), 0.5), (WIDE[9:21].reshape(3, 4), -2.0))
def pads(x, fill):
    """Low, high, interior, and negative padding, together and alone."""
    configurations = [
        ((1, 2, 0), (0, 3, 0)),
        ((0, 0, 1), (0, 0, 2)),
        ((-1, 0, 0), (0, -2, 0)),
        ((-1, 2, 1), (3, -2, 2)),
        ((2, -4, 0), (-2, 1, 1)),
        ((-2, -1, 0), (0, 0, 0)),
        ((5, 5, 3), (-1, -1, 3)),
        ((0, 0, 0), (-2, 1, 1)),
        ((-3, 1, 2), (-1, 0, 1)),
    ]
    return (
        [lax.pad(x, fill, c) for c in configurations], lax.pad(x[0], fill, ((1, 1, 1),)),
        lax.pad(x[:, :0], fill, ((0, 1, 0), (1, 1, 0))),
    )


@program((WIDE[:12].reshape(3, 4), 0.5), (WIDE[9:21].reshape(3, 4), -2.0))
def joins(x, a):
    """Concatenate along each axis, of pieces small and large, empty, and equal; stack, roll, split."""
    v = x[0]
    return [
        jnp.concatenate([x, x * a, x[:1]]),
        jnp.concatenate([x, x[:, :1], x[:, :0], x], 1),
        jnp.concatenate([v[:2], v[:1]]),
        jnp.concatenate([v, v, v]),
        jnp.stack([v, v * a], 1),
        jnp.stack([x, -x, x + a], 2),
        jnp.roll(x, 1, 1),
        jnp.roll(v, -1),
        jnp.split(x, 2, 1),
        jnp.append(v, a),
        jnp.block([[x, x], [x, x * a]]),
        jnp.array([a, v[1], 3.0, a * a]),
    ]


@program(*[(WIDE[k : k + 24].reshape(4, 6), i, j) for k, i, j in ((0, 1, 2), (9, -1, -3), (9, 3, 99), (9, -99, 5))])
def dynamic_slices(x, i, j):
    """Windows at computed places: starts are clamped so that the window fits."""
    window = lax.dynamic_slice(x, (i, j), (2, 3))
    written = lax.dynamic_update_slice(x, window * 10, (j, i)), lax.dynamic_update_slice(x, jnp.array([[7.0]]), (i, j))
    row = lax.dynamic_index_in_dim(x, i, 0), lax.dynamic_slice_in_dim(x, j, 4, 1), lax.dynamic_slice(x, (i, j), (1, 1))
    small = lax.dynamic_update_slice(x[0, :3], x[1, :2], (i,)), lax.dynamic_slice(x[0], (j,), (6,))
    return (
        window, written, row, small, lax.dynamic_update_index_in_dim(x, x[0], i, 0), x[i], x[i, j],
        x.at[i, j].get(mode="clip"),
    )


PLACES = [(np.array(k, np.int64),) for k in ([0, 3, 5, 5, 1], [-1, -6, 2, 0, 4], [9, -9, 6, -7, 100])]


@program(*[(WIDE[:24].reshape(6, 4), *k) for k in PLACES])
def gathers(x, k):
    """Rows, columns, pairs, and windows by index, with each rule for places outside."""
    modes = [x.at[k].get(mode=mode) for mode in ("clip", "fill")]
    modes += [x.at[k].get(mode="fill", fill_value=-7.0), x[k]]
    numpy = jnp.take(x, k, axis=1, mode="clip"), jnp.take(x, k), jnp.take(x[0], k, mode="wrap"), x[k % 6, k % 4], x[:, k % 4]
    along = jnp.take_along_axis(x, (k[:, None] % 6), 0), jnp.take_along_axis(x[:5], k[:, None] % 4, 1), x[k % 6][:, ::2]
    grid = (
        x[(k % 6)[:, None], (k % 4)[None, :]], x[jnp.array([1, 3, 5])], x[k[1] % 6, 2], x[k % 6, 1:3],
        x.at[k % 6].get(mode="promise_in_bounds"),
    )
    truth = (x > 0)[k], (x > 0).at[k].get(mode="fill", fill_value=True), x.astype(jnp.int32).at[k].get(mode="fill")
    return modes, numpy, along, grid, truth


WINDOWS = lax.GatherDimensionNumbers(offset_dims=(1, 2), collapsed_slice_dims=(), start_index_map=(1, 0))
BATCHED = lax.GatherDimensionNumbers(
    offset_dims=(2,),
    collapsed_slice_dims=(),
    start_index_map=(1,),
    operand_batching_dims=(0,),
    start_indices_batching_dims=(0,),
)


@program(*[(WIDE[:24].reshape(6, 4), np.array(k)) for k in ([[0, 1], [2, 4], [1, 0]], [[-1, 0], [3, 5], [2, 9]])])
def gathers_of_windows(x, at):
    """The general gather: windows of two axes, permuted start indices, a batched axis; clipped and filled."""
    clip, fill = lax.GatherScatterMode.CLIP, lax.GatherScatterMode.FILL_OR_DROP
    windows = [lax.gather(x, at, WINDOWS, (2, 3), mode=mode) for mode in (clip, fill)]
    batched = [lax.gather(x[:3], at[:, :, None], BATCHED, (1, 2), mode=mode) for mode in (clip, fill)]
    return windows, batched


@program(*[(WIDE[:24].reshape(6, 4), *k, 0.5) for k in PLACES])
def scatters(x, k, a):
    """Set, add, multiply, min, max, apply, at rows and entries, places repeated and outside (dropped or clipped)."""
    r, s = x[:5] * a, x[:5, 0]
    safe = k % 5
    rows = [x.at[k].add(r), x.at[k].multiply(r), x.at[k].min(r), x.at[k].max(r), x.at[k].subtract(r), x.at[k].divide(2.0)]
    modes = [x.at[k].add(r, mode=mode) for mode in ("clip", "drop")] + [x.at[k[0]].set(a), x.at[k[:1]].set(a, mode="clip")]
    pairs = [
        x.at[safe, safe % 4].add(s), x.at[1, 2].set(a), x.at[:, safe % 4].add(a), x.at[::2, 1].set(a),
        x[0, :3].at[1].set(a),
    ]
    others = [x.at[safe].apply(jnp.tanh), jnp.zeros(9).at[safe].add(s), x.at[2:4, 1:3].add(a)]
    others += [jnp.zeros(3, int).at[safe % 3].add(1)]
    truth = [(x > 0).at[k[0] % 6].set(True), (x[:, 0] > 0).at[k].max(True), jnp.bincount(safe, length=7)]
    return rows, modes, pairs, others, truth


@program((WIDE[:24].reshape(4, 6),), (WIDE[9:].reshape(4, 6),))
def iotas(x):
    """Counting arrays along each axis, triangles, identities, lattices."""
    counted = [lax.broadcasted_iota(kind, (4, 6), axis) * x for kind in (jnp.int32, jnp.float64) for axis in (0, 1)]
    return (
        counted, jnp.tril(x), jnp.triu(x, 1), jnp.diag(x[0]), jnp.diag(x), jnp.eye(4) @ x,
        jnp.linspace(x[0, 0], x[1, 1], 12), jnp.trace(x),
    )


TIES = np.array([2.0, 1.0, 2.0, -1.0, 1.0, 2.0, -1.0, 0.0, -0.0, 5.0, 1.0, 0.0])


@program((WIDE[:12],), (TIES,), (np.where(TIES == 2, np.nan, TIES),), (np.where(TIES == 5, np.inf, -TIES),))
def sorts(x):
    """Stable sorts: with NaN last, several operands, one and two keys, each axis, downwards, ranks, and medians."""
    m, ranks = x.reshape(3, 4), jnp.arange(12.0)
    both = lax.sort((x, ranks)), lax.sort((x[:5], ranks[:5])), lax.sort((jnp.round(x / 2), x, ranks), num_keys=2)
    along = (
        jnp.sort(m, 0), jnp.sort(m, 1), jnp.argsort(m, 0), jnp.argsort(x), jnp.argsort(x, descending=True),
        jnp.sort(x[:3]),
    )
    rest = jnp.median(x), jnp.quantile(x, 0.3), jnp.searchsorted(jnp.sort(x), 0.5)
    kinds = (
        lax.sort((x > 0, ranks), num_keys=1), jnp.sort(jnp.nan_to_num(x, posinf=9).astype(jnp.int32)), jnp.sort(x[:1]),
        jnp.sort(x[:0]),
    )
    return both, along, rest, kinds


@program((WIDE[:24],), (np.resize(TIES, 24),), (np.resize([np.nan, 1.0, np.inf], 24),), (np.resize([-np.inf], 24),))
def extremes(x):
    """Where the largest and smallest are: the first of equals, NaN before all, along each axis, in each index type."""
    m = x.reshape(2, 3, 4)
    found = [f(m, k) for f in (jnp.argmax, jnp.argmin) for k in (0, 1, 2)] + [f(x) for f in (jnp.argmax, jnp.argmin)]
    return (
        found, lax.argmax(x, 0, jnp.int32), jnp.argmax(x[:3]), jnp.argmin(x[:1]), jnp.max(m, (0, 2)), jnp.min(m, 1),
        jnp.nanmax(x[:6]),
    )
