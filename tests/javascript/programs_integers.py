"""Integers and booleans: wrap-around, division and shifts as the hardware does them, conversions, logic."""

import jax.numpy as jnp
import numpy as np
from jax import lax
from programs import program
from programs_elementwise import SPECIAL, elementwise, ramp

EDGES = {
    "int32": np.array([0, 1, -1, 7, -7, 3, -3, 2**31 - 1, -(2**31), 46341, -65536, 123456789, -2, 31, 32, 33], np.int32),
    "uint32": np.array([0, 1, 7, 3, 2**31 - 1, 2**31, 2**32 - 1, 65536, 123456789, 31, 32, 33, 4000000000], np.uint32),
    "int64": np.array([0, 1, -1, 7, -7, 3, -3, 2**31, -(2**31), 94906265, -(2**26), 2**41 + 1, -2, 31, 32, 33], np.int64),
    "uint8": np.array([0, 1, 7, 255, 128, 200, 8, 9], np.uint8),
    "int8": np.array([0, 1, 7, 127, -128, -100, 8, -9, -1], np.int8),
}


def pairs(kind):
    """Every edge against every edge, in rows of 33 pairs."""
    left, right = (a.ravel() for a in np.meshgrid(EDGES[kind], EDGES[kind]))
    return [(np.resize(left[k : k + 33], 33), np.resize(right[k : k + 33], 33)) for k in range(0, left.size, 33)]


ARITHMETIC = (lax.add, lax.sub, lax.mul, lax.div, lax.rem, lax.max, lax.min)
BITS = (lax.bitwise_and, lax.bitwise_or, lax.bitwise_xor)
SHIFTS = (lax.shift_left, lax.shift_right_arithmetic, lax.shift_right_logical)
COMPARISONS = (lax.eq, lax.ne, lax.lt, lax.le, lax.gt, lax.ge)
for kind in ("int32", "uint32", "int64"):
    for op in ARITHMETIC + COMPARISONS:
        rows = pairs(kind)
        if kind == "int64" and op is lax.mul:  # a product beyond 2⁵³ is no JavaScript number
            rows = [(x % 94906265, y % 94906265) for x, y in rows]
        elementwise(f"{op.__name__}_{kind}", op, *rows)
for kind in ("int32", "uint32"):
    for op in BITS + SHIFTS:
        elementwise(f"{op.__name__}_{kind}", op, *pairs(kind))
    elementwise(f"not_{kind}", lax.bitwise_not, *[(x,) for x, _ in pairs(kind)])
for kind in ("uint8", "int8"):
    elementwise(f"narrow_{kind}", lambda x, y: (x + y, x - y, x * y, x & y), *pairs(kind))
for kind in ("int32", "int64"):
    elementwise(
        f"unary_{kind}", lambda x: (-x, abs(x), lax.sign(x), lax.integer_pow(x % 9, 3)), *[(x,) for x, _ in pairs(kind)],
    )
    elementwise(
        f"floored_{kind}", lambda x, y: (x // y, x % y, jnp.divmod(x, y)),
        *[(x, np.where(y == 0, 5, y)) for x, y in pairs(kind)],
    )
elementwise("power_wraps", lambda x: lax.integer_pow(x, 5), *[(x,) for x, _ in pairs("int32")])
elementwise("powers_of_integers", lambda x, y: x ** jnp.abs(y % 4), *pairs("int32")[:2])
elementwise("bits_int64", lambda x, y: (x & y, x | y, x ^ y, ~x), *[(x % 2**30, y % 2**30) for x, y in pairs("int64")])
elementwise("shift_right_logical_int64", lambda x, y: lax.shift_right_logical(x, 12 + y % 50), *pairs("int64"))
elementwise("shifts_int64", lambda x, y: (x << y, x >> y), *[(x % 2**30, y % 20) for x, y in pairs("int64")])
elementwise("clamp_int32", lambda x: lax.clamp(jnp.int32(-5), x, jnp.int32(40)), *[(x,) for x, _ in pairs("int32")])

TRUE = np.arange(33) % 3 == 0, np.arange(33) % 2 == 0
elementwise("logic", lambda x, y: (x & y, x | y, x ^ y, ~x, jnp.logical_and(x, ~y), x == y, x != y), TRUE)
elementwise("order_of_truth", lambda x, y: (x * y, x + y, x < y, x <= y, x > y, lax.max(x, y), lax.min(x, y)), TRUE)
elementwise("from_bool", lambda x, _: (x + 1.0, x * 2, x.astype(jnp.int32), jnp.where(x, 1, 2), x.astype(jnp.uint32)), TRUE)
elementwise("select_bool", lambda x, y: (jnp.where(x, y, ~y), lax.select_n(x, y, x)), TRUE)

WHOLE = np.resize([0.0, 0.5, -0.5, 1.9, -1.9, 2147483646.7, -2147483647.5, 1e5, -0.0, 3.0], 33)
FAR = np.resize([3e9, -3e9, 1e300, np.inf, -np.inf, np.nan, -1.0, 4e9, 5e9], 33)
elementwise("to_int", lambda x: (x.astype(jnp.int32), x.astype(jnp.int64), x.astype(bool)), (WHOLE,))
elementwise("to_int_saturates", lambda x: x.astype(jnp.int32), (FAR,), (SPECIAL,))
elementwise("to_unsigned", lambda x: x.astype(jnp.uint32), (np.abs(WHOLE),))
elementwise("to_bool", lambda x: x.astype(bool), (SPECIAL,), (FAR,))
for kind in ("int32", "uint32", "int64"):
    casts = lambda x: (
        x.astype(float), x.astype(bool), x.astype(jnp.int32), x.astype(jnp.uint32), x.astype(jnp.int8),
        x.astype(jnp.int64),
    )
    elementwise(f"from_{kind}", casts, *[(x,) for x, _ in pairs(kind)])
elementwise("true_quotient", lambda x, y: x / y, *pairs("int64"))
elementwise(
    "int_with_float", lambda x: (x * 1.5, x + 0.5, jnp.sqrt(jnp.abs(x % 7)), x > 0.5), *[(x,) for x, _ in pairs("int64")],
)


@program((3, True, 0.5), (-4, False, -1.5), (0, True, 0.0))
def scalar_kinds(n, flag, x):
    """Arguments that are an integer, a truth value, a number."""
    return {"n": n, "flag": flag, "x": x, "sum": n + x, "kept": jnp.where(flag, n, -n), "not": ~flag, "parity": n % 2 == 0}


@program((np.arange(12, dtype=np.int32), 5), (np.arange(-6, 6, dtype=np.int32) * 2**28, -3))
def integer_sums(x, n):
    """Sums, products, and dot products of integers wrap around, too."""
    m = x.reshape(3, 4)
    return (
        x.sum(), m.sum(0), m.prod(1, dtype=jnp.int32), jnp.dot(m, m.T), jnp.cumsum(x), x.max(), x.min(),
        m.sum(1, dtype=jnp.int32), n * m,
    )


LEAST = np.full(12, -(2**31), np.int32)


@program((LEAST, LEAST.view(np.uint32)), (np.arange(12, dtype=np.int32) * 7 % 5 - 2, np.arange(12, dtype=np.uint32) * 7 % 5))
def running_integers(n, u):
    """Running sums wrap around; running extrema begin below and above every integer."""
    kinds = (lax.cumsum, lax.cumprod, lax.cummax, lax.cummin)
    return (
        [[f(v), f(v.reshape(3, 4), axis=1, reverse=True)] for f in kinds for v in (n, u)], n.max(), n.min(), u.max(),
        jnp.argmax(n), jnp.argmin(u),
    )


@program((np.arange(33) % 3 == 0,), (np.ones(33, bool),), (np.zeros(33, bool),))
def truth_of_many(x):
    """`any`, `all`, parity, and counts."""
    parity = lax.reduce(x, np.False_, lax.bitwise_xor, (0,))
    return (
        x.any(), x.all(), x[:4].any(), x[:0].any(), x[:0].all(), x.sum(), parity, x[:32].reshape(4, 8).any(1),
        jnp.argmax(x),
    )


@program((ramp(-9, 9),))
def mixed_precision_of_sizes(x):
    """Integers made from shapes and positions keep their type."""
    return (
        x.shape[0] * x[0], jnp.arange(5) * 2, jnp.arange(5, dtype=jnp.int32) + x[:5].astype(jnp.int32),
        lax.iota(jnp.uint32, 9) - jnp.uint32(4),
    )
