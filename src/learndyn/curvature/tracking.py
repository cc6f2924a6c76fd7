r"""The sharpness at every step of a descent, for little more than the descent itself.

A step changes the Hessian little, so the top eigenvector of the step before is nearly right. One product with the new
Hessian tells by how much it is wrong, and, divided by the distances between eigenvalues that are still roughly known,
how to correct it. Only where the Hessian changes a lot in one step are there more products.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, Key, PyTree

from learndyn import _require as require
from learndyn.curvature.lanczos import Eigenpairs, top_eigenpairs
from learndyn.curvature.operators import hvp
from learndyn.flows import Trajectory


_TURN = 4  # every so many steps one of the other eigenpairs is measured


class Run(NamedTuple):
    r"""A descent and its curvature.

    Attributes:
      trajectory: as of `learndyn.descent.descend`, observed at steps 0, every, ..., steps.
      loss: $L(\theta_k)$ at every step k = 0, ..., steps.
      sharpness: $\lambda_{\max}(\nabla^2 L(\theta_k))$ at every step.
      residuals: $\|Hv-\lambda v\|$, at most which each of these is in error before its correction (see `follow`).
      products: how many products with the Hessian each step took.
      pairs: the eigenpair at the end, to go on from.
    """

    trajectory: Trajectory
    loss: Float[Array, " t"]
    sharpness: Float[Array, " t"]
    residuals: Float[Array, " t"]
    products: Int[Array, " t"]
    pairs: Eigenpairs


def follow(
    operator: Callable[[PyTree], PyTree],
    pairs: Eigenpairs,
    *,
    tolerance: float = 0.1,
    max_products: int = 20,
    also: int | Int[Array, ""] = 0,
) -> Eigenpairs:
    r"""$\lambda_1$ and $v_1$ of an operator, from the eigenpairs of a neighboring one, in one product where that suffices.

    The product gives the residual of $v_1$, and that, divided by the distances between the eigenvalues, is to first order
    by how much $v_1$ has turned. The other pairs serve for that division. They keep their old images $Av_i$ (only made
    symmetric with the new one), which is close enough for a correction. The correction needs no product of its own.

    For use inside `jit`, `scan` and `vmap`, step after step; begin with `top_eigenpairs(hvp(loss, params0), params0, 3)`.

    Args:
      operator: $v \mapsto Av$, linear and symmetric, a little different from the one of `pairs`.
      pairs: the k eigenpairs of that one.
      tolerance: products go on while the relative residual of $v_1$ at the last of them is above this. The error of
        $\lambda_1$ is of the order of the residual's third power, over the distance to the other eigenvalues.
      max_products: the most products.
      also: another pair to measure, 1 to k - 1 (0: none), by one more product. Measured in turn every few steps, the
        others learn in time of an eigenvalue that is about to become the largest.

    Returns:
      `Eigenpairs`. `residuals[0]` is that of the last vector a product was made with, and `values[0]` and `vectors[0]` are
      those after its correction, which are better. Of the others, values and images are as old as their last product.
      `products` is how many this call has made; `converged` says whether the tolerance is met.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
    """
    require.callable_("operator", operator)
    _eigenpairs(pairs)
    require.positive("tolerance", tolerance)
    require.positive_integer("max_products", max_products)
    if not isinstance(also, jax.Array):
        require.count("also", also)
        if also >= pairs.values.shape[0]:
            raise ValueError(f"also must be less than the {pairs.values.shape[0]} pairs there are, but is {also}")
    unravel = ravel_pytree(jax.tree.map(lambda leaf: leaf[0], pairs.vectors))[1]
    multiply = lambda v: ravel_pytree(operator(unravel(v)))[0]
    V, W = (jax.vmap(lambda v: ravel_pytree(v)[0])(tree) for tree in (pairs.vectors, pairs.images))
    space = _follow(multiply, V, W, pairs.values, also, tolerance, max_products)
    residuals = jnp.linalg.norm(space.W - space.values[:, None] * space.V, axis=1).at[0].set(space.residual)
    vectors, images = jax.vmap(unravel)(space.V), jax.vmap(unravel)(space.W)
    converged = space.residual <= tolerance * jnp.abs(space.values[0])
    return Eigenpairs(space.values, vectors, residuals, space.products, converged, images)


def _eigenpairs(pairs):
    if not isinstance(pairs, Eigenpairs):
        raise TypeError(f"pairs must be Eigenpairs, as top_eigenpairs finds them, but is {pairs!r} of {type(pairs).__name__}")


class _Space(NamedTuple):
    V: Float[Array, "k p"]  # orthonormal rows, the best known eigenvectors
    W: Float[Array, "k p"]  # their images, more or less old
    values: Float[Array, " k"]
    residual: Float[Array, ""]  # of the last V[0] that was measured, before its correction
    products: Int[Array, ""]
    measure: Int[Array, ""]  # which row to measure next; -1: none


def _follow(multiply, V, W, values, also, tolerance, max_products):
    k, dtype = V.shape[0], V.dtype

    def body(s: _Space) -> _Space:
        V, i = s.V, s.measure
        w = multiply(V[i])
        along = V @ w
        # The others keep their images, except that v_j . A v_i = v_i . A v_j.
        W = s.W + jnp.outer(along - s.W @ V[i], V[i])
        W = W.at[i].set(w)
        outside = w - V.T @ along
        outside = outside - V.T @ (V @ outside)
        length = jnp.linalg.norm(outside)
        first = jnp.linalg.norm(w - along[0] * V[0])
        residual = jnp.where(i == 0, first, s.residual)

        # One direction more, in which A is known as far as symmetry tells. Its own Rayleigh quotient, which is not
        # known, counts as the least so far, or 0: what has not been measured shall not pass for the largest.
        new = outside / jnp.where(length > 0, length, 1.0)
        T = W @ V.T
        T = 0.5 * (T + T.T)
        least = jnp.minimum(0.0, jnp.min(jnp.diag(T)))
        nothing = length <= 10 * jnp.finfo(dtype).eps * jnp.max(jnp.abs(T))
        least = jnp.where(nothing, -(1.0 + 2.0 * jnp.max(jnp.sum(jnp.abs(T), axis=1))), least)
        coupling = jnp.where(nothing, 0.0, W @ new)
        T = jnp.block([[T, coupling[:, None]], [coupling[None, :], least[None, None]]])
        values, mixing = jnp.linalg.eigh(T)
        values, mixing = values[::-1][:k], mixing[:, ::-1][:, :k].T
        V, W = mixing @ jnp.vstack([V, new]), mixing @ jnp.vstack([W, coupling @ V + least * new])
        slant = 0.5 * (V @ V.T - jnp.eye(k, dtype=dtype))  # keeps rounding from adding up over many steps
        V, W = V - slant @ V, W - slant @ W

        products = s.products + 1
        poor = (i == 0) & (residual > tolerance * jnp.abs(values[0])) & (products < max_products)
        turn = (i == 0) & (jnp.asarray(also) > 0) & (products < max_products)
        then = jnp.where(poor, 0, jnp.where(turn, also, -1))
        return _Space(V, W, values, residual, products, then)

    begin = _Space(V, W, values, jnp.array(jnp.inf, dtype), jnp.array(0), jnp.array(0))
    return jax.lax.while_loop(lambda s: s.measure >= 0, body, begin)


def descend(
    loss: Callable[[PyTree], Float[Array, ""]],
    params0: PyTree,
    optimizer: optax.GradientTransformation,
    steps: int,
    *,
    key: Key[Array, ""] | None = None,
    k: int = 3,
    tolerance: float = 0.1,
    max_products: int = 20,
    observe: Callable[[PyTree], PyTree] | None = None,
    every: int = 1,
    state: PyTree | None = None,
    pairs: Eigenpairs | None = None,
) -> Run:
    r"""$\theta_{k+1} = \theta_k + \mathrm{update}(\nabla L(\theta_k))$ with $\lambda_{\max}(\nabla^2 L(\theta_k))$ at every step.

    The steps are those of `learndyn.descent.descend`. At $\theta_0$ the eigenpairs are found by `top_eigenpairs`, and
    from then on they are followed. The products of a step share the forward and backward pass of its gradient.

    Args:
      loss, params0, optimizer, steps, observe, every, state: as of `learndyn.descent.descend`.
      key: a PRNG key for the first eigenpair; by default always the same one.
      k: how many eigenpairs are followed, at most the dimension: the first at every step, the others in turn, one every
        four steps. With one alone, an eigenvalue that overtakes it is noticed late or not at all.
      tolerance, max_products: as of `follow`, for each step.
      pairs: eigenpairs at params0 to go on from (`run.pairs` of an earlier call).

    Returns:
      `Run(trajectory, loss, sharpness, residuals, products, pairs)`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      FloatingPointError: when the loss or the sharpness stops being finite. Under `jit` or `vmap` the numbers are
        returned as they are.
    """
    observe, state = require.descent(loss, params0, optimizer, steps, every, observe, state)
    require.positive_integer("k", k)
    require.positive("tolerance", tolerance)
    require.positive_integer("max_products", max_products)
    if pairs is not None:
        _eigenpairs(pairs)
    else:
        key = jax.random.key(0) if key is None else key
        k = min(k, sum(jnp.size(leaf) for leaf in jax.tree.leaves(params0)))
        pairs = top_eigenpairs(hvp(loss, params0), params0, k, key=key, tolerance=1e-3, throw=False)
    run = _compiled(loss, observe, optimizer, steps // every, every, float(tolerance), max_products)
    observed, params, state, pairs, (losses, sharp, residuals, products) = run(params0, state, pairs)
    if not isinstance(losses, jax.core.Tracer):
        finite = np.isfinite(np.asarray(losses)) & np.isfinite(np.asarray(sharp))
        if not finite.all():
            raise FloatingPointError(
                f"descend: the loss and the sharpness are not finite at step {int(np.argmin(finite))} of {steps}; the "
                "learning rate is too high for this loss, or the loss is not finite there"
            )
    trajectory = Trajectory(every * jnp.arange(steps // every + 1.0), observed, params, {"state": state})
    return Run(trajectory, losses, sharp, residuals, products, pairs)


@functools.lru_cache(maxsize=8)
def _compiled(loss, observe, optimizer, blocks, every, tolerance, max_products):
    return jax.jit(functools.partial(_scan, loss, observe, optimizer, blocks, every, tolerance, max_products))


def _scan(loss, observe, optimizer, blocks, every, tolerance, max_products, params0, state0, pairs0):
    update = optax.with_extra_args_support(optimizer).update

    k = pairs0.values.shape[0]

    def look(params, pairs, index):
        # The gradient and the products come from one linearization: the network is gone through once.
        (value, gradient), product = jax.linearize(jax.value_and_grad(loss), params)
        also = jnp.where(index % _TURN == 0, 1 + index // _TURN % (k - 1), 0) if k > 1 else 0
        pairs = follow(lambda v: product(v)[1], pairs, tolerance=tolerance, max_products=max_products, also=also)
        return value, gradient, pairs, (value, pairs.values[0], pairs.residuals[0], pairs.products)

    def step(carry, index):
        params, state, pairs = carry
        value, gradient, pairs, seen = look(params, pairs, index)
        updates, state = update(gradient, state, params, value=value, grad=gradient, value_fn=loss)
        return (optax.apply_updates(params, updates), state, pairs), seen

    def block(carry, index):
        observed = jax.tree.map(jnp.asarray, observe(carry[0]))
        carry, seen = jax.lax.scan(step, carry, index * every + jnp.arange(every))
        return carry, (observed, seen)

    carry = (params0, state0, pairs0)
    (params, state, pairs), (observed, seen) = jax.lax.scan(block, carry, jnp.arange(blocks))
    *_, pairs, last = look(params, pairs, jnp.array(blocks * every))
    observed = jax.tree.map(lambda a, b: jnp.concatenate([a, jnp.asarray(b)[None]]), observed, observe(params))
    seen = jax.tree.map(lambda a, b: jnp.concatenate([a.reshape(-1), b[None]]), seen, last)
    return observed, params, state, pairs, seen
