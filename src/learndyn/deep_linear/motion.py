"""One mode of a linear network on whitened inputs: its strength as a function of time, for any depth."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require
from learndyn.deep_linear import _arguments as arguments


def mode_time(
    strength: Float[Array, "*T"] | float, start: Float[Array, "*T"] | float, singular_value: Float[Array, "*T"] | float,
    *, depth: int = 2,
) -> Float[Array, "*T"]:  # fmt: skip
    r"""$t(u) = \int_{u_0}^u \frac{dv}{L\,v^{2-2/L}(s-v)}$: when a mode that starts at $u_0$ has the strength u.

    A mode of singular value s whose L layers are aligned and balanced obeys $\dot u = L\,u^{2-2/L}(s-u)$. With
    $q = (u/s)^{1/L}$ the time, times $L\,s^{2-2/L}$, is the difference of

    $$F(q) = \frac{L\,q^{2-L}}{2-L} - \sum_{\omega^L=1}\omega^2\ln(1 - q/\omega)$$

    between the two ends; the first term is $2\ln q$ for $L=2$.

    Args:
      strength: u, between 0 and s, as start. All three may be arrays of one shape.
      start: $u_0$.
      singular_value: $s > 0$.
      depth: L, at least 2.

    Raises:
      ValueError, TypeError: for a depth below 2, or numbers out of range.

    Source: the equation is that of Saxe, McClelland & Ganguli (2014); the integral by partial fractions.
    """
    depth = arguments.layers(depth)
    for name, value in (("singular_value", singular_value), ("start", start), ("strength", strength)):
        _between(name, value, singular_value if name != "singular_value" else np.inf)
    s = jnp.asarray(singular_value)
    root = lambda u: (jnp.asarray(u) / s) ** (1 / depth)
    return (_clock(root(strength), depth) - _clock(root(start), depth)) / (depth * s ** (2 - 2 / depth))


def _clock(q, depth):
    """F(q). Of two roots of unity that are conjugate, each gives the same; real ones, 1 and perhaps -1, have no angle."""
    total = 2 * jnp.log(q) if depth == 2 else depth / (2 - depth) * q ** (2.0 - depth)
    for k in range(depth // 2 + 1):
        cos, sin = np.cos(2 * np.pi * k / depth), np.sin(2 * np.pi * k / depth)
        if 2 * k in (0, depth):
            total = total - jnp.log(1 - cos * q)
        else:
            size, angle = jnp.log(1 - 2 * cos * q + q**2), 2 * jnp.arctan(sin * q / (1 - cos * q))
            total = total - (cos**2 - sin**2) * size + 2 * sin * cos * angle
    return total


def modes(
    times: Float[Array, "T"], singular_values: Float[Array, "k"], starts: Float[Array, "k"], *, depth: int = 2,
    halvings: int = 60,
) -> Float[Array, "T k"]:  # fmt: skip
    r"""$u(t) = s\,e^{2st}/(e^{2st} - 1 + s/u_0)$ for two layers, and the inverse of `mode_time` for more.

    Args:
      times: T times, zero or later.
      singular_values: s of each of the k modes, positive.
      starts: $u_0$ of each, between 0 and s.
      depth: L, at least 2.
      halvings: how often the bracket is halved in which u is looked for, for more than two layers. The bracket is in
        $\ln(u/(s-u))$ and at first some 37 longer than from the start's to zero.

    Returns:
      The strengths (T, k). Beyond $1 - 10^{-16}$ of s, s itself.

    Raises:
      ValueError, TypeError: as `mode_time`.

    Source: Saxe, McClelland & Ganguli (2014).
    """
    depth = arguments.layers(depth)
    require.positive_integer("halvings", halvings)
    for name, value in (("times", times), ("singular_values", singular_values), ("starts", starts)):
        require.array(name, value, ndim=1)
    if starts.shape != singular_values.shape:
        raise ValueError(f"starts must have the shape {singular_values.shape} of the modes, but has {starts.shape}")
    _between("singular_values", singular_values, np.inf)
    _between("starts", starts, singular_values)
    s, u0, t = singular_values[None], starts[None], times[:, None]
    first = jnp.log(u0 / (s - u0))
    if depth == 2:  # ln(u/(s-u)) grows at the rate 2s
        return s * jax.nn.sigmoid(first + 2 * s * t)
    return s * jax.nn.sigmoid(_invert(first, t, s, depth, halvings))


@functools.partial(jax.jit, static_argnames=("depth", "halvings"))
def _invert(first, t, s, depth, halvings):
    """The y at time t, by bisection, where sigmoid(y) = u/s, from y = first at the time zero."""
    root = lambda y: jax.nn.sigmoid(y) ** (1 / depth)
    wanted = _clock(root(first), depth) + depth * s ** (2 - 2 / depth) * t

    def halve(_, bracket):
        low, high = bracket
        middle = 0.5 * (low + high)
        early = _clock(root(middle), depth) < wanted
        return jnp.where(early, middle, low), jnp.where(early, high, middle)

    top = 36.0 if first.dtype == jnp.float64 else 15.0  # where 1 - q still differs from zero
    low = jnp.broadcast_to(first, wanted.shape)
    low, high = jax.lax.fori_loop(0, halvings, halve, (low, jnp.full_like(low, top)))
    return 0.5 * (low + high)


def effective_starts(params: PyTree, target: Float[Array, "c d"]) -> Float[Array, "k"]:
    r"""$u_0$ of each mode, from any small start of two layers: $u_i(t) \simeq u_{0,i}\,e^{2s_it}$ as long as it is small.

    Near the origin the weights obey $\dot W_1 = W_2^\top M$, $\dot W_2 = MW_1^\top$. The part that grows at the rate
    $s_i$ is one vector over the neurons, $h_i = \tfrac12(W_1v_i + W_2^\top u_i)$. Where mode i is learned, its neuron
    direction is used up for all modes that come later. So what counts for mode i is the part of $h_i$ orthogonal to
    $h_1, \dots, h_{i-1}$, and $u_{0,i}$ is its length squared.

    Args:
      params: two layers, of a hidden width of at least k.
      target: $M = y^\top X$ for inputs with $X^\top X = I$, with k = min(c, d) different singular values.

    Returns:
      k numbers, the largest singular value first.

    Raises:
      ValueError, TypeError: for another depth, or shapes that do not fit.
    """
    require.matrix("target", target)
    weights = arguments.weights(params)
    if len(weights) != 2:
        raise ValueError(f"params must hold two layers, but holds {len(weights)}")
    first, last = weights
    if (given := (last.shape[0], first.shape[1])) != target.shape:
        raise ValueError(f"target must have the shape {given} of the end-to-end matrix, but has shape {target.shape}")
    if first.shape[0] < min(target.shape):
        raise ValueError(f"params must have at least {min(target.shape)} hidden neurons, but have {first.shape[0]}")
    U, _, Vt = jnp.linalg.svd(target, full_matrices=False)
    return jnp.diag(jnp.linalg.qr(0.5 * (first @ Vt.T + last.T @ U), mode="r")) ** 2


def _between(name, value, most):
    """0 < value < most, where there are values to look at."""
    require.finite(name, value)
    if isinstance(value, jax.core.Tracer) or isinstance(most, jax.core.Tracer):
        return
    low, high = np.min(value), np.max(np.asarray(value) / np.asarray(most))
    if not (low > 0 and high < 1):
        above = "" if np.all(np.isinf(most)) else f" and below the singular value {np.asarray(most)}"
        raise ValueError(f"{name} must be positive{above}, but is {value}")
