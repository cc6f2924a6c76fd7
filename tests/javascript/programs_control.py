"""Control flow: scan, while, cond, switch, alone, nested, differentiated, vectorized."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from programs import program
from programs_elementwise import ramp

X = ramp(-1, 1)


@program((0.7, X[:20].reshape(5, 4)), (-0.3, X[9:29].reshape(5, 4)))
def scans(a, xs):
    """Forward and backward, of rows and of numbers, of length none, one, and without inputs."""
    step = lambda c, x: (jnp.tanh(c + a * x), c * x)
    both = [lax.scan(step, jnp.zeros(4), xs, reverse=back) for back in (False, True)]
    numbers = (
        lax.scan(step, a, xs[:, 0]), lax.scan(step, a, xs[0], reverse=True), lax.scan(step, a, xs[:1, 0]),
        lax.scan(step, a, xs[:0, 0]),
    )
    alone = lax.scan(lambda c, _: (c * a + 1, c), a, None, length=12), lax.scan(lambda c, x: (c, x * a), 0.0, xs)[1]
    large = (
        lax.scan(lambda c, x: (c * a + x.sum(), c[::3]), jnp.ones(33), xs),
        lax.scan(lambda c, x: (c + x, None), xs[0], xs, unroll=2)[0],
    )
    pairs = lax.scan(
        lambda c, x: ((c[0] + x["u"], c[1] - x["v"]), {"sum": c[0]}), (0.0, 1.0), {"u": xs[:, 0], "v": xs[:, 1]},
    )
    return both, numbers, alone, large, pairs


@program((0.7, X[:20]), (-0.3, X[9:29]))
def carries(a, v):
    """What loops get wrong: carries that swap, rotate, stay, are an output too, start as one array, or as a constant."""
    swap = lax.scan(lambda c, _: ((c[1], c[0]), c[0]), (v, v * a), None, length=3)
    numbers = lax.scan(lambda c, _: ((c[1], c[0] + c[1], c[0]), c), (a, 1.0, 2.0), None, length=7)
    rotate = lax.fori_loop(0, 4, lambda i, c: (c[2], c[0], c[1]), (v, v * 2, v * 3))
    same = lax.scan(lambda c, _: ((c[0] * a, c[0]), c[0]), (v, v), None, length=4)
    kept = (
        lax.scan(lambda c, _: (c, c * a), v, None, length=2),
        lax.scan(lambda c, _: (c * a, c), jnp.ones(20), None, length=3),
    )
    moved = (
        lax.scan(lambda c, x: (jnp.roll(c, 1).at[0].set(x), c), v, v[:3]),
        lax.scan(lambda c, _: (c[::-1] + a, c[:2]), v, None, length=3),
    )
    reshaped = lax.scan(lambda c, _: (c.T.reshape(4, 5) * a, c[0]), v.reshape(4, 5), None, length=3)
    both = lax.scan(lambda c, _: (c[::-1], c), v[:2], None, length=3)
    flags = (
        lax.scan(lambda c, x: (c ^ (v > x), (c.any(), c.sum())), v > a, v[:4]),
        lax.scan(lambda c, x: ((c[1], ~c[0] | (x > 0)), c[0] & c[1]), (a > 0, True), v),
    )
    counts = lax.scan(lambda c, x: (c * 3 + jnp.int32(x > 0), c % 7), jnp.arange(12, dtype=jnp.int32), v)
    return swap, numbers, rotate, same, kept, moved, reshaped, both, flags, counts, v


@program((0.7, 5), (-0.3, 0), (2.5, 11))
def whiles(a, n):
    """Newton's iteration, a bound that is an argument, a loop that never runs, state of several kinds, a constant start."""
    newton = lax.while_loop(
        lambda s: (jnp.abs(s[1]) > 1e-12) & (s[2] < 50),
        lambda s: (s[0] - (s[0] ** 3 - a) / (3 * s[0] ** 2), s[0] ** 3 - a, s[2] + 1),
        (a + 1.0, 1.0, 0),
    )[0]
    counted = (
        lax.fori_loop(0, n, lambda i, s: s * a + i, 1.0), lax.fori_loop(n, 0, lambda i, s: s + i, a),
        lax.fori_loop(-2, n, lambda i, v: v + i, jnp.zeros(12)),
    )
    mixed = lax.while_loop(lambda s: ~s[1], lambda s: (s[0] + 1, s[0] > n, s[2] * a), (0, False, jnp.ones(10)))
    late = lax.while_loop(
        lambda s: s[1] < n, lambda s: (jnp.where(s[1] == 2, s[0].at[s[1]].set(a), s[0][::-1]), s[1] + 1),
        (jnp.arange(9.0), 0),
    )
    swap = lax.while_loop(lambda s: s[2] < n, lambda s: (s[1], s[0], s[2] + 1), (a, 1.0, 0))
    return newton, counted, mixed, late, swap


@program((0.7, 0), (-0.3, 1), (0.2, 2), (-1.5, 7), (0.1, -4))
def switches(a, k):
    """Conditionals on a truth and on a number; the number outside is clamped; results that are operands or constants."""
    v = jnp.arange(12.0) * a
    two = (
        lax.cond(a > 0, lambda x: x * 2, lambda x: -x, v),
        lax.cond(a > 0, lambda x, y: (x, y), lambda x, y: (y, x), a, 2 * a),
    )
    many = (
        lax.switch(k, [lambda x: x + 1, lambda x: x[::-1], lambda x: jnp.zeros(12)], v),
        lax.switch(k, [lambda: a, lambda: 2.0, lambda: 3.0]),
    )
    same = lax.cond(k > 0, lambda: (v, v[0], True), lambda: (v + 1, 0.5, False)), lax.switch(k, [jnp.sin], a)
    nested = lax.cond(
        a > 0, lambda x: lax.cond(k > 1, jnp.sin, jnp.cos, x), lambda x: lax.switch(k, [jnp.tanh, jnp.exp], x), v[:3],
    )
    here = (
        lax.platform_dependent(a, cpu=lambda x: x + 1, cuda=lambda x: x - 1),
        lax.platform_dependent(a, tpu=jnp.sin, default=jnp.cos),
    )
    return two, many, same, nested, here, lax.cond(True, lambda: v * a, lambda: v)


@program((0.7, 6), (-0.3, 3), (0.2, 0))
def nested(a, n):
    """A scan in a conditional in a while in a scan; constants, buffers, and indices must not mix."""

    def inner(c, x):
        return jnp.tanh(c * a + x), c.sum()

    def middle(state):
        i, v, total = state
        v, sums = lax.cond(i % 2 == 0, lambda v: lax.scan(inner, v, v), lambda v: (v[::-1] * a, v * 0.5), v)
        return i + 1, v, total + sums[i % 9] + v[i % 9]

    def outer(c, x):
        _, v, total = lax.while_loop(lambda s: s[0] < n, middle, (0, c + x, 0.0))
        return jnp.sin(v), (total, v[:2])

    return (
        lax.scan(outer, jnp.linspace(-1, 1, 9), jnp.arange(4.0)),
        lax.map(lambda x: lax.fori_loop(0, n, lambda i, y: y * x + i, a), jnp.arange(5.0)),
    )


@program((0.7, X[:24].reshape(2, 3, 4)), (-0.3, X[9:].reshape(2, 3, 4)))
def deep(a, x):
    """Many loops around each other: every counter needs a name of its own, in sorts, sums, and products, too."""

    def level(depth):
        def step(c, row):
            if depth:
                c, _ = lax.scan(level(depth - 1), c, row)
            else:
                c = jnp.sin(3 * jnp.sort(c + row, 1)) + 0.1 * jnp.tensordot(c, x[:, :, :1], ((0, 1), (0, 1)))[None, :1]
                c = c[:, :, ::-1] + 0.1 * jnp.cumsum(c, 2) - 0.1 * c.sum((0, 2), keepdims=True)
                c = jnp.sin(2 * jnp.sort(c, 2) + 0.1 * jnp.einsum("ijk,ilk->ijl", c, x)[..., :1])
                c = c.at[:, jnp.int64(row > 0)].add(a)
            return c, c.sum()

        return step

    return (
        lax.scan(level(2), x, x),
        lax.map(lambda r: lax.map(lambda s: jnp.sort(jnp.outer(s, s)[..., None] * x[None, 0, 0][None], 0), r), x),
    )


@program((0.7, X[:12]), (-0.3, X[9:21]))
def vectorized(a, v):
    """`vmap` of each: a scan, a while with a vector of conditions, a conditional that becomes a selection."""
    collatz = jax.vmap(lambda x: lax.while_loop(lambda s: s[0] > 0.1, lambda s: (s[0] * 0.5, s[1] + 1), (jnp.abs(x), 0)))(v)
    grow = lambda s: lax.while_loop(lambda s: s.sum() < 9, lambda s: s * 1.5 + 0.1, s)
    wide = jax.vmap(lambda x: grow(jnp.stack([x * x, a * a, 1.0])))(v)
    chosen = (
        jax.vmap(lambda x: lax.cond(x > 0, jnp.sin, lambda y: y * a, x))(v),
        jax.vmap(lambda k: lax.switch(k, [jnp.sin, jnp.cos, jnp.tanh], a))(jnp.arange(-1, 5)),
    )
    moved = (
        jax.vmap(lambda k: lax.dynamic_slice(v, (k,), (3,)))(jnp.arange(-3, 12)),
        jax.vmap(lambda k, x: v.at[k].set(x))(jnp.arange(12), v),
    )
    updates = jax.vmap(
        lambda k, row: lax.dynamic_update_slice(row, jnp.array([a, 2 * a]), (k,)),
    )(jnp.arange(4) * 3, jnp.tile(v, 4).reshape(4, 12))
    return collatz, wide, chosen, moved, updates, jax.vmap(lambda x: lax.scan(lambda c, y: (c * x + y, c), a, v))(v[:3])


@program((0.7, X[:6]), (-0.3, X[9:15]))
def differentiated(a, v):
    """Gradients through each: scans forward and backward, nested, rematerialized; the forward mode of a while."""
    loss = lambda w: lax.scan(lambda c, x: (jnp.tanh(c * w + x), c**2), jnp.ones(6) * a, jnp.stack([v, -v, v * a]))[1].sum()
    deep = lambda w: lax.scan(
        lambda c, _: (lax.scan(lambda d, x: (jnp.sin(d + x * w), d), c, v)[0], c), w, None, length=3,
    )[0]
    second = jax.grad(deep)(a), jax.grad(jax.grad(deep))(a), jax.jvp(jax.grad(loss), (v,), (v * 2,)), jax.hessian(loss)(v)
    grown = jax.jvp(lambda x: lax.while_loop(lambda s: s < 5, lambda s: s * 1.7 + x * x, x * x), (a,), (1.0,))
    fixed = jax.grad(lambda x: lax.fori_loop(0, 5, lambda i, s: jnp.sin(s) * x + i, x))(a)
    chosen = (
        jax.grad(lambda x: lax.cond(x > 0, jnp.sin, lambda y: y**3, x))(a),
        jax.grad(lambda x: lax.switch(1, [jnp.sin, jnp.cos], x))(a),
    )
    again = (
        jax.grad(jax.checkpoint(lambda w: jnp.sum(jnp.sin(jnp.outer(w, v)) ** 2)))(v),
        jax.grad(lambda w: lax.scan(jax.checkpoint(lambda c, x: (jnp.tanh(c * w + x), None)), a, v)[0])(a),
    )
    return jax.value_and_grad(loss)(v), second, grown, fixed, chosen, again
