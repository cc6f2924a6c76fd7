"""Elementwise rules: every function at usual and at special values, at sizes around the unrolling threshold."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core.primitives import eq_to_p, le_to_p, lt_to_p
from programs import jit, program

SIZES = (0, 1, 2, 8, 9, 10, 33)
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, 1e300, -1e300, 5e-17, 1e-9, 0.5, -0.5])
SPECIAL = np.resize(SPECIAL, 33)


def parts(x):
    """Of 33 numbers: vectors around the size from which arrays are loops, a matrix, a scalar."""
    return {f"{n}": x[:n] for n in SIZES} | {"matrix": x[:32].reshape(4, 8).T, "scalar": x[3]}


def elementwise(name, op, *arguments, scale=0.0):
    """A row of the table: `op` of the parts of each tuple of arrays, by default judged entry by entry."""

    def f(*arrays):
        cut = [parts(x) for x in arrays]
        return {key: op(*(part[key] for part in cut)) for key in cut[0]}

    def reference(*arrays, whole=jit(op)):  # an entry does not depend on its neighbors: one small function to jit
        result = jax.tree.map(np.asarray, whole(*arrays))
        return {key: jax.tree.map(lambda y: parts(y)[key], result) for key in parts(arrays[0])}

    f.__name__ = name
    program(*arguments, scale=scale, reference=reference)(f)


def ramp(low, high):
    """33 numbers between two limits, in mixed order."""
    return low + (high - low) * ((np.arange(33) * 0.6180339887498949) % 1)


for op, low, high in [
    (lax.neg, -9, 9),
    (lax.sign, -2, 2),
    (lax.abs, -9, 9),
    (lax.floor, -9, 9),
    (lax.ceil, -9, 9),
    (lax.is_finite, -9, 9),
    (lax.exp, -30, 30),
    (lax.exp2, -30, 30),
    (lax.expm1, -3, 3),
    (lax.log, 1e-3, 50),
    (lax.log1p, -0.9, 9),
    (lax.sqrt, 0, 99),
    (lax.rsqrt, 1e-3, 99),
    (lax.cbrt, -9, 9),
    (lax.sin, -40, 40),
    (lax.cos, -40, 40),
    (lax.tan, -9, 9),
    (lax.asin, -1, 1),
    (lax.acos, -1, 1),
    (lax.atan, -20, 20),
    (lax.sinh, -9, 9),
    (lax.cosh, -9, 9),
    (lax.tanh, -6, 6),
    (lax.asinh, -20, 20),
    (lax.acosh, 1, 20),
    (lax.atanh, -0.99, 0.99),
    (lax.logistic, -40, 40),
    (lax.square, -9, 9),
    (lax.reciprocal, -9, 9),
    (lax.erf, -4, 4),
    (lax.erfc, -4, 8),
]:
    arrays = [ramp(low, high), ramp(low / 50, high / 50), SPECIAL]
    if op in (lax.sin, lax.cos, lax.tan):  # of 1e300 is another matter
        arrays[2] = np.where(np.abs(SPECIAL) > 1e9, 1e4, SPECIAL)
    elementwise(op.__name__, op, *[(a,) for a in arrays])

HALVES = np.resize([0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.49999999999999994, -0.3, 3.7, 4503599627370497.0, -0.0], 33)
elementwise(
    "round_to_even", lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN), (HALVES,), (SPECIAL,), (ramp(-9, 9),),
)
elementwise("round_away", lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO), (HALVES,), (SPECIAL,), (ramp(-9, 9),))
elementwise("round_decimals", lambda x: jnp.round(x, 2), (ramp(-9, 9),))
for power in (-3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 10):
    name = f"integer_pow_{power}".replace("-", "minus_")
    elementwise(name, lambda x, y=power: lax.integer_pow(x, y), (ramp(-3, 3),), (SPECIAL,))

EVERY = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1.5, -2.0])
LEFT, RIGHT = (a.ravel() for a in np.meshgrid(EVERY, EVERY))
PAIRS = [(LEFT[k : k + 33], RIGHT[k : k + 33]) for k in (0, 24, 48)]  # each of them with each
for op in (lax.add, lax.sub, lax.mul, lax.div, lax.max, lax.min, lax.atan2, lax.rem):
    elementwise(op.__name__, op, (ramp(-9, 9), ramp(-5, 7)), *PAIRS)
for op in (lax.eq, lax.ne, lax.lt, lax.le, lax.gt, lax.ge):
    elementwise(op.__name__, op, (np.round(ramp(-3, 3)), np.round(ramp(-2, 4))), *PAIRS)
elementwise("pow", lax.pow, (ramp(0.1, 9), ramp(-3, 3)), (np.round(ramp(-3, 3)), np.round(ramp(-4, 4))))
elementwise("pow_special", lax.pow, *PAIRS)
elementwise("pow_float_int", lambda x: lax.pow(x, jnp.full(x.shape, 3, jnp.int32)), (ramp(-3, 3),))
elementwise("power_of_numpy", jnp.power, (ramp(0.1, 9), ramp(-3, 3)))
elementwise("modulo_of_numpy", lambda x, y: (x % y, x // y, jnp.divmod(x, y)), (ramp(-9, 9), ramp(-5, 7)))
elementwise("hypot", jnp.hypot, (ramp(-9, 9), ramp(-5, 7)))
elementwise("logaddexp", jnp.logaddexp, (ramp(-90, 90), ramp(-50, 70)))
elementwise("nan_functions", lambda x: (jnp.isnan(x), jnp.nan_to_num(x, nan=7.0), jnp.isinf(x)), (SPECIAL,))
elementwise(
    "total_order", lambda x, y: (eq_to_p.bind(x, y), lt_to_p.bind(x, y), le_to_p.bind(x, y)),
    *[(x + 0, y + 0) for x, y in PAIRS],
)
elementwise("sinc", jnp.sinc, (ramp(-3, 3),))
elementwise("gelu", lambda x: (jax.nn.gelu(x), jax.nn.gelu(x, approximate=False)), (ramp(-3, 3),))
elementwise("activations", lambda x: (jax.nn.relu(x), jax.nn.elu(x), jax.nn.silu(x), jax.nn.softplus(x)), (ramp(-30, 30),))
elementwise("clamp", lambda x: lax.clamp(-1.0, x, 2.0), (ramp(-3, 5),), (SPECIAL,))
elementwise("clamp_by_arrays", lambda x, y: lax.clamp(y - 1, x, y + 1), (ramp(-3, 3), ramp(-2, 2)))
elementwise("clip_of_numpy", lambda x: jnp.clip(x, -1.0, 2.0), (ramp(-3, 5),), (SPECIAL,))
elementwise("select", lambda x, y: lax.select_n(x > y, x, y * 2), (ramp(-9, 9), ramp(-5, 7)), *PAIRS)
elementwise("where", lambda x: jnp.where(x > 0, x, -1.0), (ramp(-9, 9),), (SPECIAL,))
elementwise("reduce_precision", lambda x: lax.reduce_precision(x, 11, 52), (ramp(-9, 9),))
elementwise("barrier", lambda x: lax.optimization_barrier((x, x + 1)), (ramp(-9, 9),))
elementwise("stop_gradient", lambda x: lax.stop_gradient(x) * 2, (ramp(-9, 9),))
elementwise("copy", lambda x: jnp.copy(x) + jnp.array(x, copy=True), (ramp(-9, 9),))


@program((0.3, ramp(-1, 1)), (-2.0, ramp(-3, 1)))
def scalar_with_arrays(a, x):
    """A scalar beside an array, on either side, and arrays of size one."""
    return {
        "left": a - x, "right": x / a, "one": x[:1] * a, "matrix": a * x[:32].reshape(4, 8),
        "one_one": a - x[:1].reshape(1, 1),
    }


@program((0.0, 1.0), (-0.0, 1.0), (np.nan, 1.0))
def signs_of_zero(a, b):
    """Visible in a quotient: −0 is kept by products, negation, roundings, the sign. (XLA drops "+ 0", so no sums here.)"""
    return [b / z for z in (a * b, -a, lax.round(a), lax.sign(a), lax.ceil(a - 0.5 * b), lax.abs(a))]


@program((1.5, 2), (-0.5, 0), (0.25, 1), (0.25, 3))
def select_of_three(x, which):
    """`select_n` with three cases, by a scalar and by an array of integers."""
    cases = [x + jnp.arange(12.0).reshape(3, 4) * s for s in (1.0, -1.0, 2.0)]
    where = jnp.arange(12, dtype=jnp.int32).reshape(3, 4) % 3
    which = jnp.clip(which, 0, 2).astype(jnp.int32)
    return (
        lax.select_n(x > 0, *cases[:2]), lax.select_n(which, *cases), lax.select_n((where + which) % 3, *cases),
        lax.select_n(which, x, x * 2, x * 3),
    )
