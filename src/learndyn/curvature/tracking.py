r"""The sharpness at every step of a descent, for little more than the descent itself.

A step changes the Hessian little, so the top eigenvector of the step before is nearly right. One product measures its
Rayleigh quotient and its residual at the new parameters; only where the residual is too large is the space enlarged.
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


class Run(NamedTuple):
    r"""A descent and its curvature.

    Attributes:
      trajectory: as of `learndyn.descent.descend`, observed at steps 0, every, ..., steps.
      loss: $L(\theta_k)$ at every step k = 0, ..., steps.
      sharpness: $\lambda_{\max}(\nabla^2 L(\theta_k))$ at every step.
      residuals: $\|Hv-\lambda v\|$ of each of these.
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
    tolerance: float = 0.03,
    max_products: int = 6,
) -> Eigenpairs:
    r"""The eigenpairs of an operator, from those of a neighboring one, in as few products as the tolerance allows.

    For use inside `jit`, `scan` and `vmap`, step after step; begin with `top_eigenpairs(hvp(loss, params0), ...)`.

    Args:
      operator: $v \mapsto Av$, linear and symmetric, a little different from the one of `pairs`.
      pairs: the k eigenpairs of that one.
      tolerance: the relative residual $\|Av_1-\lambda_1 v_1\|/\lambda_1$ of the first pair below which nothing is added.
        The relative error of $\lambda_1$ is of the order of its square.
      max_products: the most products, at least k.

    Returns:
      `Eigenpairs`; `converged` where the tolerance is met, otherwise the best that the products allow.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
    """
    require.callable_("operator", operator)
    require.positive("tolerance", tolerance)
    k = pairs.values.shape[0]
    require.positive_integer("max_products", max_products)
    if max_products < k:
        raise ValueError(f"max_products must be at least the {k} pairs to follow, but is {max_products}")
    like = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape[1:], leaf.dtype), pairs.vectors)
    unravel = ravel_pytree(like)[1]
    multiply = lambda v: ravel_pytree(operator(unravel(v)))[0]
    start = jax.vmap(lambda v: ravel_pytree(v)[0])(pairs.vectors)
    values, vectors, residuals, products = _follow(multiply, start, tolerance, max_products)
    return Eigenpairs(values, jax.vmap(unravel)(vectors), residuals, products, residuals[0] <= tolerance * jnp.abs(values[0]))


def _follow(multiply, start, tolerance, m):
    k, dimension = start.shape
    m = min(m, dimension)
    index = jnp.arange(m)

    def grow(state):
        V, W, size, fresh, *_ = state
        w = multiply(fresh)
        V, W = V.at[size].set(fresh), W.at[size].set(w)
        size = size + 1
        T = W @ V.T
        outside = index >= size
        below = -(1.0 + 2.0 * jnp.max(jnp.sum(jnp.abs(T), axis=1)))
        values, mixing = jnp.linalg.eigh(0.5 * (T + T.T) + jnp.diag(jnp.where(outside, below, 0.0)))
        values, mixing = values[::-1][:k], mixing[:, ::-1][:, :k].T
        vectors = mixing @ V
        errors = mixing @ W - values[:, None] * vectors
        residuals = jnp.linalg.norm(errors, axis=1)
        u = errors[0]
        for _ in range(2):
            u = u - V.T @ (V @ u)
        following = start[jnp.minimum(size, k - 1)]
        following = following - V.T @ (V @ following)
        fresh = jnp.where(size < k, following, u)
        length = jnp.linalg.norm(fresh)
        return V, W, size, fresh / jnp.where(length > 0, length, 1.0), values, vectors, residuals, length > 0

    def going(state):
        size, values, residuals, more = state[2], state[4], state[6], state[7]
        close = residuals[0] <= tolerance * jnp.abs(values[0])
        return (size < k) | (~close & more & jnp.isfinite(residuals[0]) & (size < m))

    empty = jnp.zeros((m, dimension), start.dtype)
    begin = (
        empty, empty, jnp.array(0), start[0] / jnp.linalg.norm(start[0]), jnp.zeros(k, start.dtype), start,
        jnp.full(k, jnp.inf, start.dtype), jnp.array(True),
    )  # fmt: skip
    _, _, size, _, values, vectors, residuals, _ = jax.lax.while_loop(going, grow, begin)
    return values, vectors, residuals, size


def descend(
    loss: Callable[[PyTree], Float[Array, ""]],
    params0: PyTree,
    optimizer: optax.GradientTransformation,
    steps: int,
    *,
    key: Key[Array, ""] | None = None,
    k: int = 1,
    tolerance: float = 0.03,
    max_products: int = 6,
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
      k: how many eigenpairs are followed. One is enough for the sharpness; each more costs a product a step.
      tolerance, max_products: as of `follow`, for each step.
      pairs: eigenpairs at params0 to go on from (`run.pairs` of an earlier call).

    Returns:
      `Run(trajectory, loss, sharpness, residuals, products, pairs)`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      FloatingPointError: when the loss or the sharpness stops being finite. Under `jit` or `vmap` the numbers are
        returned as they are.
    """
    require.loss(loss, params0)
    if not (hasattr(optimizer, "init") and hasattr(optimizer, "update")):
        raise TypeError(f"optimizer must be an optax gradient transformation, but is {optimizer!r}")
    require.positive_integer("steps", steps)
    require.positive_integer("every", every)
    if steps % every:
        raise ValueError(f"steps must be a multiple of every, but steps = {steps} and every = {every}")
    observe = loss if observe is None else observe
    require.callable_("observe", observe)
    require.positive_integer("k", k)
    require.positive("tolerance", tolerance)
    require.positive_integer("max_products", max_products)
    for name, function in (("loss", loss), ("optimizer", optimizer), ("observe", observe)):
        require.static(name, function)
    if pairs is None:
        key = jax.random.key(0) if key is None else key
        pairs = top_eigenpairs(hvp(loss, params0), params0, k, key=key, throw=False)
    state = optimizer.init(params0) if state is None else state
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

    def look(params, pairs):
        # The gradient and the products come from one linearization: the network is gone through once.
        (value, gradient), product = jax.linearize(jax.value_and_grad(loss), params)
        pairs = follow(lambda v: product(v)[1], pairs, tolerance=tolerance, max_products=max_products)
        return value, gradient, pairs, (value, pairs.values[0], pairs.residuals[0], pairs.products)

    def step(carry, _):
        params, state, pairs = carry
        value, gradient, pairs, seen = look(params, pairs)
        updates, state = update(gradient, state, params, value=value, grad=gradient, value_fn=loss)
        return (optax.apply_updates(params, updates), state, pairs), seen

    def block(carry, _):
        observed = jax.tree.map(jnp.asarray, observe(carry[0]))
        carry, seen = jax.lax.scan(step, carry, None, length=every)
        return carry, (observed, seen)

    carry = (params0, state0, pairs0._replace(products=jnp.asarray(pairs0.products)))
    (params, state, pairs), (observed, seen) = jax.lax.scan(block, carry, None, length=blocks)
    *_, pairs, last = look(params, pairs)
    observed = jax.tree.map(lambda a, b: jnp.concatenate([a, jnp.asarray(b)[None]]), observed, observe(params))
    seen = jax.tree.map(lambda a, b: jnp.concatenate([a.reshape(-1), b[None]]), seen, last)
    return observed, params, state, pairs, seen
