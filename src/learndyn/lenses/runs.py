"""Many networks descend as one computation, and each is seen through every lens at every step.

One product of the gradient's derivative with a vector serves two lenses: it carries an eigenvector of the Hessian along
the run, and a tangent vector of the map.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from learndyn import _require as require
from learndyn import curvature
from learndyn.lenses import _arguments as arguments
from learndyn.lenses import network

FOLLOW = 2  # products a step with which the largest one is followed
# Residual of the two first vectors, over the sharpness. Eigenvalues err by its square; but the lowest one of a lazy
# start is a hundred times smaller than the sharpness, so that much more than this would show in the exponent.
FIRST = 1e-5


class Lenses(NamedTuple):
    r"""What is seen of a network; each has a leading axis of times and one of networks.

    Attributes:
      loss: $L = \frac1{2n}\sum_i |f(x_i) - y_i|^2$.
      kernel: $|K_t - K_0|_F / |K_0|_F$, the drift of the neural tangent kernel, summed over outputs.
      alignment: $\langle K_t, YY^\top\rangle / (|K_t|_F |YY^\top|_F)$, with the targets of the start.
      balance: $|\delta_t - \delta_0| / |\nu_0|$ with $\delta_k = |a_k|^2 - |w_k|^2$, $\nu_k = |a_k|^2 + |w_k|^2$.
      utility: $\max_k \hat U_k = \max_k |\frac1n\sum_i \max(0, \hat w_k\cdot x_i)\,\langle\hat a_k, r_i\rangle| / 2$, the
        rate at which the best of the neurons could lower the loss, at equal norms of its layers.
      active: the share of neurons whose own output, $|a_k|\,|\max(0, Xw_k)|$, exceeds a tenth of $|Y|$.
      sharpness: $\lambda_{\max}(\nabla^2 L)$.
      exponent: $\log(|J_t v_t| / |v_t|) / \eta$ with $J = I - \eta\nabla^2 L$ and $v_{t+1} = J_t v_t$: the leading
        exponent over one step. Averaged over a window it is the finite-time exponent.
    """

    loss: Float[Array, "*shape"]
    kernel: Float[Array, "*shape"]
    alignment: Float[Array, "*shape"]
    balance: Float[Array, "*shape"]
    utility: Float[Array, "*shape"]
    active: Float[Array, "*shape"]
    sharpness: Float[Array, "*shape"]
    exponent: Float[Array, "*shape"]


def watch(
    start: PyTree,
    X: Float[Array, "*own n d"],
    y: Float[Array, "*own n c"],
    learning_rates: Float[Array, " E"],
    *,
    steps: int,
    key: PRNGKeyArray,
) -> Lenses:
    r"""$\theta_{k+1} = \theta_k - \eta\nabla L(\theta_k)$ for E networks at once, seen at every step through every lens.

    The network learns $y$ from zero: what it says at the start is subtracted, so that all scales begin with one loss.
    A network that is lost shows numbers that are not finite from then on, and touches no other.

    Args:
      start: parameters `({"W": (E, m, d)}, {"W": (E, c, m)})`, as of `jax.vmap` over `models.mlp((d, m, c),
        parametrization="standard").init`, times a scale.
      X, y: the samples, (n, d) and (n, c) for all networks, or (E, n, d) and (E, n, c) for each its own.
      learning_rates: $\eta$, one for each network.
      steps: how many.
      key: for the first vectors of the two extreme eigenvectors.

    Returns:
      `Lenses`, each (steps, E): what is seen *before* step k. The sharpness is followed, not solved for: two products
      a step, with the vector of the step before. It lags where the top eigenvector turns within a few steps.

    Raises:
      ValueError, TypeError: for shapes that do not fit, numbers that are not finite, or rates that are not positive.
    """
    arguments.positive_rates(learning_rates)
    require.positive_integer("steps", steps)
    require.key("key", key)
    W, A = arguments.matrices(start, X, y, learning_rates.shape[0])
    return _compiled(W, A, X, y, learning_rates, key, steps)


@functools.partial(jax.jit, static_argnums=6)
def _compiled(W, A, X, y, rates, key, steps):
    own = 0 if X.ndim == 3 else None
    return jax.vmap(functools.partial(_watch, key, steps), (0, 0, own, own, 0), 1)(W, A, X, y, rates)


def _watch(key, steps, W, A, X, y, rate):
    """One network."""
    start, n = (W, A), X.shape[0]
    targets = y + network.outputs(*start, X)
    gradient = jax.grad(lambda params: jnp.sum((network.outputs(*params, X) - targets) ** 2) / (2 * n))
    look = _looker(start, X, y, targets)
    _, H = jax.linearize(gradient, start)
    top, bottom = _extremes(H, start, key)
    stretch = lambda v: jnp.abs(1 - rate * _dot(v, H(v)))
    leading = jax.tree.map(lambda t, b: jnp.where(stretch(top) > stretch(bottom), t, b), top, bottom)

    def step(state, _):
        params, top, leading = state
        slope, H = jax.linearize(gradient, params)
        for _ in range(FOLLOW):  # a shift by the value itself: minus it, the least that there can be, goes to zero
            image = H(top)
            value = _dot(top, image)
            top = _unit(_add(image, jnp.abs(value), top))
        pushed = _add(leading, -rate, H(leading))
        growth = jnp.sqrt(_dot(pushed, pushed))
        after = _add(params, -rate, slope)
        return (after, top, _unit(pushed)), Lenses(*look(params), value, jnp.log(growth) / rate)

    return jax.lax.scan(step, (start, top, leading), None, length=steps)[1]


def _looker(start, X, y, targets):
    """All lenses that need no derivative, as a function of the two matrices."""
    gram, Y = X @ X.T, jnp.linalg.norm(y)

    norms = lambda W, A: (jnp.sum(A**2, axis=0), jnp.sum(W**2, axis=1))
    K0, (a0, w0) = network.kernel_of(*start, X, gram), norms(*start)

    def look(params):
        W, A = params
        K, (a, w) = network.kernel_of(W, A, X, gram), norms(W, A)
        residual, hidden = targets - network.outputs(*params, X), jax.nn.relu(X @ W.T)
        gains = jnp.abs(jnp.einsum("nk,nc,ck->k", hidden, residual, A)) / jnp.sqrt(a * w)
        said = jnp.sqrt(a * jnp.sum(hidden**2, axis=0))
        return (
            jnp.sum(residual**2) / (2 * len(X)),
            jnp.linalg.norm(K - K0) / jnp.linalg.norm(K0),
            jnp.vdot(y, K @ y) / (jnp.linalg.norm(K) * jnp.linalg.norm(y.T @ y)),
            jnp.linalg.norm(a - w - a0 + w0) / jnp.linalg.norm(a0 + w0),
            jnp.max(gains) / (2 * len(X)),
            jnp.mean((said > 0.1 * Y).astype(X.dtype)),
        )

    return look


def _extremes(H, start, key):
    """Eigenvectors of the largest and of the lowest eigenvalue of the Hessian at the start."""
    tolerance = max(FIRST, 1e4 * float(jnp.finfo(start[0].dtype).eps))  # of less, single precision has nothing to say
    of = lambda sign: curvature.top_eigenpairs(
        lambda v: jax.tree.map(lambda leaf: sign * leaf, H(v)), start, key=key, tolerance=tolerance, throw=False
    ).vectors
    both = jax.vmap(of)(jnp.array([1.0, -1.0], start[0].dtype))
    return tuple(jax.tree.map(lambda leaf: leaf[i, 0], both) for i in (0, 1))


def _dot(u, v):
    return sum(jnp.vdot(a, b) for a, b in zip(u, v))


def _add(u, factor, v):
    return jax.tree.map(lambda a, b: a + factor * b, u, v)


def _unit(v):
    return jax.tree.map(lambda leaf: leaf / jnp.sqrt(_dot(v, v)), v)
