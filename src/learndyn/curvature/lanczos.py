r"""The largest eigenvalues of a symmetric operator, by restarted Lanczos iteration that does not trust its own arithmetic.

Three things are done that the textbook recurrence leaves out, and without which it returns eigenvalues that no matrix
has or misses some that it has. Every new vector is made orthogonal to all earlier ones, twice. A Krylov space that ends
early (for the identity, after one product) is noticed, and goes on from a fresh random vector. And because no Krylov
space holds two copies of a multiple eigenvalue, several eigenpairs count as found only when a search from a fresh
random vector, among all that is orthogonal to them, has met nothing larger.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int, Key, PyTree

from learndyn import _require as require
from learndyn.curvature.operators import hvp


class Eigenpairs(NamedTuple):
    r"""$A v_i \approx \lambda_i v_i$ with $\lambda_1 \ge \dots \ge \lambda_k$, and the evidence.

    Attributes:
      values: $\lambda_i = v_i \cdot A v_i$, in error by at most $r_i$, and by $r_i^2$ over the distance to the other
        eigenvalues.
      vectors: $v_i$, orthonormal: the pytree of the operator, each leaf with a leading axis of length k.
      residuals: $r_i = \|A v_i - \lambda_i v_i\|$, of the product itself and not an estimate.
      products: how many products with A were made.
      converged: whether the residuals are what was asked for.
      images: $A v_i$, as `vectors`.
    """

    values: Float[Array, " k"]
    vectors: PyTree
    residuals: Float[Array, " k"]
    products: Int[Array, ""]
    converged: Bool[Array, ""]
    images: PyTree


def top_eigenpairs(
    operator: Callable[[PyTree], PyTree],
    like: PyTree,
    k: int = 1,
    *,
    key: Key[Array, ""],
    tolerance: float | None = None,
    subspace: int | None = None,
    max_products: int = 1000,
    start: PyTree | None = None,
    throw: bool = True,
) -> Eigenpairs:
    r"""$A v_i = \lambda_i v_i$ for the k largest *algebraic* eigenvalues, by thick-restart Lanczos.

    Largest, not largest in absolute value: a saddle with the eigenvalues -9 and 2 has the top eigenvalue 2. Works under
    `jit` and `vmap`. Called by itself it is compiled once for an operator function; the operators of this package
    (`hvp`, ...) are compiled once for their loss and not again for other parameters.

    Args:
      operator: a linear, symmetric function $v \mapsto Av$ from pytrees like `like` to the same. That it is symmetric
        is not checked: the residuals of one that is not do not vanish.
      like: a pytree of floating point arrays, of which only shapes and dtypes matter (the parameters, for `hvp`).
      k: how many.
      key: a PRNG key, for the random vectors to start from.
      tolerance: the largest residual, relative to the largest $|\lambda|$ seen; by default the square root of the
        rounding unit, which leaves simple, separated eigenvalues exact to rounding (their error is quadratic in it).
      subspace: how many vectors are kept at most; by default 2k + 20, or the dimension where that is less. Memory is
        twice as many copies of the parameters.
      max_products: the most products with A.
      start: a first vector, such as an eigenvector of a neighboring operator. Even the best is checked against a random
        one, for it may belong to an eigenvalue that is no longer the largest.
      throw: whether to raise when the tolerance is not met. Otherwise look at `converged`.

    Returns:
      `Eigenpairs(values, vectors, residuals, products, converged)`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      RuntimeError: if after `max_products` products the residuals are too large, or the operator gives numbers that are
        not finite; under `jit` and `vmap` too, there without the numbers.

    Source: Wu and Simon (2000) for the thick restart; Parlett (1998) for the rest.
    """
    require.callable_("operator", operator)
    require.finite("like", like)
    require.key("key", key)
    zeros = jax.tree.map(jnp.zeros_like, like)
    dimension, dtype = _space(zeros)
    require.positive_integer("k", k)
    if k > dimension:
        raise ValueError(f"k must be at most the dimension {dimension} of the operator, but is {k}")
    subspace = min(dimension, 2 * k + 20) if subspace is None else subspace
    require.positive_integer("subspace", subspace)
    if subspace < min(dimension, k + 2):
        raise ValueError(f"subspace must be at least min(k + 2, dimension) = {min(dimension, k + 2)}, but is {subspace}")
    tolerance = float(jnp.finfo(dtype).eps) ** 0.5 if tolerance is None else tolerance
    require.positive("tolerance", tolerance)
    require.positive_integer("max_products", max_products)
    if start is not None:
        require.finite("start", start)
        if (given := jax.tree.map(jnp.shape, start)) != (needed := jax.tree.map(jnp.shape, like)):
            raise ValueError(f"start must have the shapes {needed} of like, but has {given}")
    settings = (int(k), min(int(subspace), dimension), float(tolerance), int(max_products))
    pairs = _compiled(operator, zeros, start, key, settings)
    return check(pairs, "top_eigenpairs", settings) if throw else pairs


def sharpness(
    loss: Callable[[PyTree], Float[Array, ""]],
    params: PyTree,
    *,
    key: Key[Array, ""] | None = None,
    tolerance: float | None = None,
    max_products: int = 1000,
    throw: bool = True,
) -> Float[Array, ""]:
    r"""$\lambda_{\max}(\nabla^2 L(\theta))$, the largest eigenvalue of the Hessian.

    Compiled once for a loss. For many networks at once, `jax.vmap(lambda params: sharpness(loss, params))`; along a run
    `learndyn.curvature.descend` is far cheaper than a call at every step.

    Args:
      loss: $L$, a scalar function of the parameters.
      params: $\theta$, a pytree of floating point arrays.
      key: a PRNG key for the first vector; by default always the same one.
      tolerance, max_products: as of `top_eigenpairs`.
      throw: whether to raise when the tolerance is not met; otherwise NaN is returned then, as for a run of a sweep
        that has diverged.

    Raises:
      ValueError, TypeError, RuntimeError: as `top_eigenpairs`.
    """
    operator = hvp(loss, params)
    key = jax.random.key(0) if key is None else key
    pairs = top_eigenpairs(operator, params, key=key, tolerance=tolerance, max_products=max_products, throw=throw)
    return pairs.values[0] if throw else jnp.where(pairs.converged, pairs.values[0], jnp.nan)


def check(pairs: Eigenpairs, name: str, settings: tuple) -> Eigenpairs:
    """The pairs, or an error that says how far they are from what was asked for."""
    k, subspace, tolerance, max_products = settings
    if isinstance(pairs.converged, jax.core.Tracer):
        return eqx.error_if(
            pairs,
            ~pairs.converged,
            f"{name}: residuals above tolerance = {tolerance:.1e} after {max_products} products, or the operator is not "
            "finite there; raise max_products or tolerance, or pass throw=False and look at the result",
        )
    if not bool(pairs.converged):
        made = int(pairs.products)
        if made < max_products:
            raise RuntimeError(f"{name}: product {made} with the operator is not finite")
        worst = float(jnp.max(pairs.residuals))
        raise RuntimeError(
            f"{name}: after max_products = {max_products} products the residuals of k = {k} eigenpairs are up to "
            f"{worst:.3g} where values are {float(pairs.values[0]):.6g} ... {float(pairs.values[-1]):.6g} and tolerance = "
            f"{tolerance:.1e}, or nothing yet rules out larger values; raise max_products, tolerance, or subspace = {subspace}"
        )
    return pairs


def _space(tree):
    flat = jax.eval_shape(lambda: ravel_pytree(tree)[0])
    if not flat.size or not jnp.issubdtype(flat.dtype, jnp.floating):
        raise TypeError(f"like must hold at least one floating point number, but is of shape {flat.shape}, {flat.dtype}")
    return flat.size, flat.dtype


# Products before anything is believed to be the largest. A Krylov space of j random-start products misses an eigenvalue
# that is larger by the share e of the spectrum's width with a probability below 1.7 sqrt(p) exp(-sqrt(e) (2 j - 1))
# (Kuczynski and Wozniakowski, 1992): for p = 10 000 and a fifth of the width that is 2e-5.
_SEARCH = 20


class _State(NamedTuple):
    V: Float[Array, "m p"]  # orthonormal rows, the first `size` of them filled
    W: Float[Array, "m p"]  # W[i] = A V[i]
    T: Float[Array, "m m"]  # V A V'
    size: Int[Array, ""]
    fresh: Float[Array, " p"]  # the next direction: orthogonal to the rows of V, of length 1
    values: Float[Array, " k"]
    vectors: Float[Array, "k p"]
    images: Float[Array, "k p"]
    residuals: Float[Array, " k"]
    scale: Float[Array, ""]  # the largest |Ritz value| so far
    searched: Int[Array, ""]  # products since k pairs were found and a random vector looks for larger ones; or -1
    products: Int[Array, ""]
    done: Bool[Array, ""]
    finite: Bool[Array, ""]
    key: Key[Array, ""]


@eqx.filter_jit
def _compiled(operator, zeros, start, key, settings):
    out = jax.eval_shape(operator, zeros)
    if jax.tree.map(jnp.shape, out) != jax.tree.map(jnp.shape, zeros):
        raise ValueError(f"operator must give what it takes, {jax.eval_shape(lambda: zeros)}, but gives {out}")
    flat, unravel = ravel_pytree(zeros)
    # What does not depend on the vector (the network's own forward and backward pass) is done once, here, and not
    # in every round of the loop.
    apply = jax.linearize(operator, zeros)[1]
    multiply = lambda v: ravel_pytree(apply(unravel(v)))[0]
    s = _iterate(multiply, flat, None if start is None else ravel_pytree(start)[0], key, *settings)
    vectors, images = jax.vmap(unravel)(s.vectors), jax.vmap(unravel)(s.images)
    return Eigenpairs(s.values, vectors, s.residuals, s.products, s.done & s.finite, images)


def _iterate(multiply, zero, start, key, k, m, tolerance, max_products):
    dimension, dtype = zero.size, zero.dtype
    noise = 10 * jnp.finfo(dtype).eps * dimension**0.5
    kept = min(k + (m - k) // 3, m - 1)  # how many Ritz vectors survive a restart
    watched = min(k + 1, m)
    single = k == 1 and start is None  # a random vector has a share in the one wanted: no second search
    index = jnp.arange(m)
    random = lambda key: jax.random.normal(key, (dimension,), dtype)

    def body(s: _State) -> _State:
        w = multiply(s.fresh)
        V, W, size, products = s.V.at[s.size].set(s.fresh), s.W.at[s.size].set(w), s.size + 1, s.products + 1

        # Rayleigh-Ritz: the best that the space has to offer. Rows not yet filled get values below all others.
        row = V @ w
        T = s.T.at[s.size].set(row).at[:, s.size].set(row)
        outside = index >= size
        below = -(1.0 + 2.0 * jnp.max(jnp.sum(jnp.abs(T), axis=1)))
        values, mixing = jnp.linalg.eigh(T + jnp.diag(jnp.where(outside, below, 0.0)))
        values, mixing = values[::-1], mixing[:, ::-1].T
        scale = jnp.maximum(s.scale, jnp.max(jnp.where(outside, 0.0, jnp.abs(values))))
        vectors = mixing[:watched] @ V
        images = mixing[:watched] @ W
        residuals = jnp.linalg.norm(images - values[:watched, None] * vectors, axis=1)

        # Are these eigenpairs, and are there no larger ones?
        enough = tolerance * scale
        found = (size >= k) & jnp.all(residuals[:k] <= enough)
        searched = s.searched + (s.searched >= 0)
        rival = values[watched - 1] + residuals[watched - 1]
        unrivaled = (searched >= _SEARCH) & (size >= watched) & (rival <= values[k - 1] + enough)
        done = found & ((size == dimension) | ((products >= _SEARCH) if single else unrivaled))
        begin = found & (searched < 0) & ~done & (not single)

        # The next direction is what the product adds; or a random one, where the search begins, or where nothing is
        # added but the noise of rounding: then the space is invariant, and says nothing of what is outside.
        key, now = jax.random.split(s.key)
        u = w - V.T @ row
        length = jnp.linalg.norm(u)
        anew = begin | (length <= noise * scale)
        u = jax.lax.cond(anew, lambda: random(now), lambda: u / _nonzero(length))
        keep = jnp.where(begin, k, jnp.where((size == m) & ~done, kept, size))

        def shrink():
            keeping = (index < keep)[:, None]
            return (
                jnp.where(keeping, mixing @ V, 0.0),
                jnp.where(keeping, mixing @ W, 0.0),
                jnp.diag(jnp.where(keeping[:, 0], values, 0.0)),
            )

        V, W, T = jax.lax.cond(keep < size, shrink, lambda: (V, W, T))
        u = _perpendicular(u, V)
        return _State(
            V, W, T, keep, u / _nonzero(jnp.linalg.norm(u)), values[:k], vectors[:k], images[:k],
            residuals[:k], scale, jnp.where(begin, 0, searched), products, done, jnp.all(jnp.isfinite(w)), key,
        )  # fmt: skip

    key, first = jax.random.split(key)
    begin = random(first)
    if start is not None:
        begin = jnp.where(jnp.any(start != 0), start, begin)
    V, T = jnp.zeros((m, dimension), dtype), jnp.zeros((m, m), dtype)
    unknown, no = jnp.full(k, jnp.inf, dtype), jnp.array(False)
    state = _State(
        V, V, T, jnp.array(0), begin / jnp.linalg.norm(begin), unknown, V[:k], V[:k], unknown,
        jnp.zeros((), dtype), jnp.array(-1), jnp.array(0), no, ~no, key,
    )  # fmt: skip
    return jax.lax.while_loop(lambda s: ~s.done & s.finite & (s.products < max_products), body, state)


def _perpendicular(u, V):
    """What of u is orthogonal to the rows of V. Twice, for once leaves what cancellation has spoiled."""
    for _ in range(2):
        u = u - V.T @ (V @ u)
    return u


def _nonzero(length):
    return jnp.where(length > 0, length, 1.0)
