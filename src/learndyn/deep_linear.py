"""Linear networks of any depth, $f(x) = W_L \\cdots W_1 x$: their modes in closed form, and their saddles.

Parameters are a tuple of layers `{"W": (out, in)}`, as of `models.mlp(widths, activation="linear",
parametrization="standard")`. What is written here in matrices is true of every linear network; what is written in
single modes needs inputs that are whitened, $X^\\top X = I$.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from learndyn import _require as require


class Statistics(NamedTuple):
    """All that the squared loss of a linear network knows of its data."""

    cross: Float[Array, "c d"]  # y'X; for whitened inputs the target itself
    covariance: Float[Array, "d d"]  # X'X
    power: Float[Array, ""]  # |y|^2


def statistics(X: Float[Array, "n d"], y: Float[Array, "n c"]) -> Statistics:
    r"""$y^\top X$, $X^\top X$ and $\|y\|^2$, in which n no longer occurs.

    Raises:
      ValueError, TypeError: for anything but two finite matrices with as many rows.
    """
    require.matrix("X", X)
    require.matrix("y", y, rows=X.shape[0])
    return Statistics(y.T @ X, X.T @ X, jnp.sum(y**2))


def cost(data: Statistics) -> Callable[[Float[Array, "c d"]], Float[Array, ""]]:
    r"""$C(P) = \tfrac12\|X P^\top - y\|^2 = \tfrac12\langle P, P\,X^\top X\rangle - \langle P, y^\top X\rangle +
    \tfrac12\|y\|^2$: the squared loss as a function of the end-to-end matrix. It is convex.

    Raises:
      TypeError: for anything but `Statistics`.
    """
    if not isinstance(data, Statistics):
        raise TypeError(f"data must be Statistics, as deep_linear.statistics(X, y) makes them, but is {data!r}")
    return lambda P: 0.5 * jnp.vdot(P, P @ data.covariance) - jnp.vdot(P, data.cross) + 0.5 * data.power


def end_to_end(params: PyTree) -> Float[Array, "c d"]:
    r"""$P = W_L \cdots W_1$.

    Raises:
      ValueError, TypeError: for parameters that are no chain of layers `{"W": (out, in)}`.
    """
    P = None
    for W in _weights(params):
        P = W if P is None else W @ P
    return P


def initialize(widths: Sequence[int], *, scale: float | Float[Array, ""], key: PRNGKeyArray) -> PyTree:
    r"""$W_l \sim N(0, \alpha^2)$, every entry alike. Jacot et al. (2022) set $\alpha^2 = w^{-\gamma}$ for width w.

    Args:
      widths: inputs, hidden widths, outputs.
      scale: $\alpha > 0$; it may be a traced number.
      key: a PRNG key.

    Returns:
      A tuple of layers `{"W": (out, in)}`.

    Raises:
      ValueError, TypeError: for fewer than two widths, one below 1, a scale that is not positive, or no key.
    """
    require.sequence("widths", widths)
    if len(widths) < 2:
        raise ValueError(f"widths must hold at least the inputs and the outputs, but is {tuple(widths)}")
    for level, width in enumerate(widths):
        require.positive_integer(f"widths[{level}]", width)
    if not isinstance(scale, jax.Array):
        require.positive("scale", scale)
    require.key("key", key)
    keys = jax.random.split(key, len(widths) - 1)
    return tuple({"W": scale * jax.random.normal(k, (m, n))} for k, n, m in zip(keys, widths[:-1], widths[1:]))


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
    depth = _depth(depth)
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
    depth = _depth(depth)
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
    return s * jax.nn.sigmoid(0.5 * (low + high))


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
    weights = _weights(params)
    if len(weights) != 2:
        raise ValueError(f"params must hold two layers, but holds {len(weights)}")
    first, last = weights
    if (given := (last.shape[0], first.shape[1])) != target.shape:
        raise ValueError(f"target must have the shape {given} of the end-to-end matrix, but has shape {target.shape}")
    if first.shape[0] < min(target.shape):
        raise ValueError(f"params must have at least {min(target.shape)} hidden neurons, but have {first.shape[0]}")
    U, _, Vt = jnp.linalg.svd(target, full_matrices=False)
    return jnp.diag(jnp.linalg.qr(0.5 * (first @ Vt.T + last.T @ U), mode="r")) ** 2


def saddle(target: Float[Array, "c d"], learned: Sequence[int], *, width: int, depth: int = 2) -> PyTree:
    r"""The balanced parameters at which $W_L\cdots W_1 = \sum_{i\in A} s_i u_i v_i^\top$: a critical point for $X^\top X=I$.

    Args:
      target: $M = y^\top X = \sum_i s_i u_i v_i^\top$.
      learned: the set A, as numbers of modes from 0, the largest singular value first. Mode `learned[j]` runs through
        neuron j of each hidden layer; the other neurons are silent.
      width: of the hidden layers, at least the number of modes learned.
      depth: L, at least 2.

    Returns:
      A tuple of L layers `{"W": (out, in)}`.

    Raises:
      ValueError, TypeError: for a mode that does not exist or occurs twice, too few neurons, or a target that is no matrix.
    """
    require.matrix("target", target)
    depth = _depth(depth)
    require.positive_integer("width", width)
    learned = np.array(_modes_of(learned, min(target.shape), width), dtype=int)
    U, s, Vt = jnp.linalg.svd(target, full_matrices=False)
    share = s[learned] ** (1 / depth)
    neurons = jnp.eye(width)[:, : len(learned)]
    first, last = neurons @ (share[:, None] * Vt[learned]), (U[:, learned] * share[None]) @ neurons.T
    between = neurons @ jnp.diag(share) @ neurons.T
    return ({"W": first}, *({"W": between} for _ in range(depth - 2)), {"W": last})


def saddle_spectrum(
    singular_values: Float[Array, "k"], learned: Sequence[int], *, width: int, inputs: int, outputs: int
) -> Float[np.ndarray, "p"]:
    r"""The Hessian's eigenvalues at `saddle` of two layers, for $X^\top X = I$: what leads away, and how fast.

    Each mode i that is missing gives $\pm s_i$ for every silent neuron and $s_j \pm s_i$ for every mode j learned,
    and two learned ones $s_i + s_j$ and 0. So the index of the saddle, the number of ways down, is
    $\sum_{i\notin A}(w - |A| + |\{j\in A: s_j < s_i\}|)$.

    Args:
      singular_values: of the target, min(inputs, outputs) of them, descending, zeros included.
      learned: the set A, as for `saddle`.
      width, inputs, outputs: the sizes of the network.

    Returns:
      width (inputs + outputs) eigenvalues, ascending.

    Raises:
      ValueError, TypeError: for sizes that do not fit, or modes that do not exist.
    """
    require.array("singular_values", singular_values, ndim=1)
    for name, size in (("width", width), ("inputs", inputs), ("outputs", outputs)):
        require.positive_integer(name, size)
    s = np.asarray(singular_values, dtype=float)
    if len(s) != min(inputs, outputs):
        raise ValueError(f"singular_values must be min(inputs, outputs) = {min(inputs, outputs)} numbers, but are {len(s)}")
    inside = _modes_of(learned, len(s), width)
    missing = [i for i in range(len(s)) if i not in inside]
    rest = inputs + outputs - 2 * len(s)  # directions of input or output in which the target does nothing
    values = [sign * s[i] for i in missing for sign in (1, -1) for _ in range(width - len(inside))]
    values += [s[j] + sign * s[i] for i in missing for j in inside for sign in (1, -1)]
    values += [value for i in inside for j in inside for value in (s[i] + s[j], 0.0)]
    values += [s[j] for j in inside for _ in range(rest)] + [0.0] * (rest * (width - len(inside)))
    values += [0.0] * (2 * len(inside) * (width - len(inside)))  # a silent neuron that listens to a mode already learned
    return np.sort(values)


def _weights(params):
    require.sequence("params", params)
    weights = []
    for level, layer in enumerate(params):
        if not (isinstance(layer, dict) and set(layer) == {"W"}):
            raise TypeError(f'params[{level}] must be a layer {{"W": ...}} without a bias, but is {layer!r}')
        require.matrix(f"params[{level}]['W']", layer["W"], columns=weights[-1].shape[0] if level else None)
        weights.append(layer["W"])
    if not weights:
        raise ValueError("params must hold at least one layer, but is empty")
    return weights


def _depth(depth):
    require.positive_integer("depth", depth)
    if depth < 2:
        raise ValueError(f"depth must be at least 2, but is {depth}; one layer has no saddles")
    return depth


def _modes_of(learned, count, width):
    require.sequence("learned", learned)
    learned = list(learned)
    for place, mode in enumerate(learned):
        require.count(f"learned[{place}]", mode)
        if mode >= count or mode in learned[:place]:
            raise ValueError(f"learned must name modes from 0 to {count - 1}, each at most once, but is {learned}")
    if width < len(learned):
        raise ValueError(f"width must be at least the number of modes learned, {len(learned)}, but is {width}")
    return learned


def _between(name, value, most):
    """0 < value < most, where there are values to look at."""
    require.finite(name, value)
    if isinstance(value, jax.core.Tracer) or isinstance(most, jax.core.Tracer):
        return
    low, high = np.min(value), np.max(np.asarray(value) / np.asarray(most))
    if not (low > 0 and high < 1):
        above = "" if np.all(np.isinf(most)) else f" and below the singular value {np.asarray(most)}"
        raise ValueError(f"{name} must be positive{above}, but is {value}")
