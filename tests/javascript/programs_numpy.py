"""Functions of jax.numpy and its neighbors that authors call, whatever primitives they become."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental.ode import odeint
from programs import program
from programs_elementwise import ramp

X = ramp(-1, 1)


@program((0.7, 3, X[:24].reshape(4, 6)), (-0.3, -5, X[9:].reshape(4, 6)))
def choices(a, n, x):
    """Selections: piecewise, select, digitize, histogram, nonzero with a size, segments, moved by a computed amount."""
    v, holes = x[0], jnp.where(x > a / 2, x, jnp.nan)
    return {
        "piecewise": jnp.piecewise(x, [x < -0.5, x > 0.4], [lambda y: -y, jnp.sin, 0.5]),
        "select": jnp.select([x < a, x > 0.5], [x * 2, x - 1], 7.0),
        "digitize": jnp.digitize(x, jnp.linspace(-1, 1, 6)),
        "histogram": jnp.histogram(x, bins=jnp.linspace(-1.01, 1.01, 6))[0],
        "nonzero": jnp.nonzero(v > 0, size=4, fill_value=-1)[0],
        "segments": jax.ops.segment_sum(v, jnp.array([0, 2, 1, 2, 0, 2]), num_segments=4),
        "roll": (jnp.roll(v, n), jnp.roll(x, (n, 1), (0, 1))),
        "masks": (holes, jnp.nanmean(holes), jnp.nansum(holes, 0), jnp.nanmax(holes), jnp.where(x > 0, x, 0.0).sum(1)),
        "places": (jnp.unravel_index(jnp.argmax(x), x.shape), jnp.argwhere(v > 0, size=3), jnp.flatnonzero(v < 0, size=2)),
        "counts": (jnp.count_nonzero(x > a), jnp.count_nonzero(x > a, 1), jnp.sum(x > a, 0) / 4),
    }


@program((0.7, X[:24].reshape(4, 6)), (-0.3, X[9:].reshape(4, 6)))
def arrays(a, x):
    """Geometry and statistics: cross products, distances, standardization, polynomials, windows, triangles."""
    y = x * a + 1
    return {
        "cross": jnp.cross(x[:, :3], y[:, 3:]),
        "distances": jnp.linalg.norm(x[:, None] - y[None], axis=-1),
        "correlation": jnp.corrcoef(x),
        "quantiles": jnp.percentile(x, jnp.array([10.0, 50.0, 90.0]), axis=1),
        "polynomial": (jnp.polyder(x[0]), jnp.polyval(x[0], y), jnp.vander(x[0], 4)),
        "triangles": (x[jnp.tril_indices(4)], jnp.diagonal(x, 1), jnp.diag(x[0], 1), jnp.fill_diagonal(x, a, inplace=False)),
        "lattice": jnp.stack(jnp.meshgrid(x[0], y[:, 0], indexing="ij"), -1),
        "lists": (jnp.array([[a, 1.0], [x[0, 0], y[1, 1]]]), jnp.hstack([x, y]), jnp.column_stack([x[0], y[0]])),
        "moves": (jnp.moveaxis(x.reshape(4, 2, 3), 0, 2), jnp.swapaxes(x, 0, 1), jnp.rot90(x), jnp.fliplr(x)),
        "edges": (jnp.pad(x, 1), jnp.pad(x[0], 2, mode="edge"), jnp.pad(x[0], 2, mode="reflect")),
        "deltas": (jnp.ediff1d(x), jnp.cumsum(x[::-1])[::-1], jnp.trapezoid(x, dx=a), jnp.interp(a, x[0].sort(), y[0])),
        "columns": jax.vmap(lambda c: c / jnp.linalg.norm(c), 1, 1)(x),
    }


@program((0.7, 0.3), (-0.3, 1.2), (1.5, -0.8))
def functions(a, b):
    """Special functions and distributions by name."""
    t = jnp.linspace(-2.0, 2.0, 12) * a
    stats, special = jax.scipy.stats, jax.scipy.special
    return {
        "normal": (stats.norm.pdf(t), stats.norm.cdf(t), stats.norm.logpdf(t, b), stats.norm.ppf(jax.nn.sigmoid(t))),
        "special": (special.expit(t), special.logit(jax.nn.sigmoid(t)), special.xlogy(t**2, t**2 + 1), special.entr(t**2)),
        "angles": (jnp.arctan2(t, b), jnp.hypot(t, b), jnp.unwrap(3 * t), jnp.deg2rad(t), jnp.mod(5 * t, 1.1)),
        "float": (jnp.heaviside(t, 0.5), jnp.sign(t), jnp.float_power(1 + t**2, b), jnp.nan_to_num(jnp.log(t - 9))),
        "sums": (jax.nn.logsumexp(t, b=jnp.abs(t)), jnp.logaddexp(t, b), jax.nn.log_sigmoid(9 * t), jax.nn.glu(t)),
    }


@program((0.7, 0.3), (-0.3, 1.2))
def solvers(a, b):
    """Loops from libraries: odeint, associative scan, map in batches, conjugate gradients, fixed points."""
    decay = lambda y, t: jnp.stack([y[1], -y[0] - a * y[1]])

    def halve(_, ends):
        middle = (ends[0] + ends[1]) / 2
        return lax.cond(middle**3 + middle > a, lambda: (ends[0], middle), lambda: (middle, ends[1]))

    m = jnp.cos(jnp.arange(16.0).reshape(4, 4)) * 0.2
    system = m @ m.T + (1 + b**2) * jnp.eye(4)
    return {
        "odeint": odeint(decay, jnp.array([1.0, 0.0]) * b, jnp.linspace(0.0, 2.0, 7), rtol=1e-9, atol=1e-9),
        "associative": lax.associative_scan(lambda p, q: p * q + 0.1, jnp.linspace(0.1, a, 11)),
        "batches": lax.map(lambda x: jnp.sin(x) * a, jnp.arange(10.0), batch_size=4),
        "cg": jax.scipy.sparse.linalg.cg(lambda v: system @ v, jnp.ones(4) * a, tol=1e-13)[0],
        "fixed": lax.while_loop(lambda s: jnp.abs(s[0] - s[1]) > 1e-14, lambda s: (jnp.cos(s[0] * a), s[0]), (b, b + 1))[0],
        "bisection": lax.fori_loop(0, 60, halve, (-3.0, 3.0)),
        "table": jnp.asarray(np.linspace(0, 1, 5))[jnp.int64(jnp.floor(jnp.abs(b) * 3))],
    }
