r"""Self-stabilization: how gradient descent, too fast for the curvature in one direction, turns the curvature back.

Along the top eigenvector u of the Hessian, with sharpness $S = 2/\eta + y$, descent swings from x to
$-(1 + \eta y)x$. The gradient at a displacement x has the extra term $\frac12x^2\nabla S$, and descent along it lowers
S: two coupled numbers, a predator and its prey.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Key, PyTree

from learndyn import _require as require
from learndyn.curvature import hvp, top_eigenpairs


class Coefficients(NamedTuple):
    r"""What the two variables need to know of a loss.

    Attributes:
      progress: $\alpha = -\nabla L\cdot P_\perp\nabla S$, how fast plain descent sharpens (per unit of flow time).
      feedback: $\beta = \|P_\perp\nabla S\|^2$, how strongly swings flatten.
      sharpness: S.
      direction: u, of unit length; the sign is arbitrary.
    """

    progress: Float[Array, ""]
    feedback: Float[Array, ""]
    sharpness: Float[Array, ""]
    direction: PyTree


def coefficients(
    loss: Callable[[PyTree], Float[Array, ""]], params: PyTree, *, key: Key[Array, ""]
) -> Coefficients:
    r"""$\alpha = -\nabla L\cdot P_\perp\nabla S$ and $\beta = \|P_\perp\nabla S\|^2$ at a point.

    $\nabla S = \nabla^3L(u, u)$, where $P_\perp$ takes away the part along u.

    Args:
      loss: $L$, a scalar function of the parameters, three times differentiable.
      params: $\theta$, a pytree of floating point arrays; its top eigenvalue should be simple.
      key: a PRNG key, to find the top eigenvector.

    Returns:
      `Coefficients`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      RuntimeError: if the top eigenvector is not found.

    Source: Damian, Nichani & Lee (2023); derived again in the chapter on the edge of stability.
    """
    operator = hvp(loss, params)
    require.key("key", key)
    pairs = top_eigenpairs(operator, params, key=key)
    direction = jax.tree.map(lambda leaf: leaf[0], pairs.vectors)
    progress, feedback = _slopes(loss)(params, direction)
    return Coefficients(progress, feedback, pairs.values[0], direction)


@functools.lru_cache(maxsize=8)
def _slopes(loss):
    @jax.jit
    def slopes(params, direction):
        def curvature(params):  # u'Hu with u held still: the derivative of an eigenvalue needs no more
            product = jax.jvp(jax.grad(loss), (params,), (direction,))[1]
            return ravel_pytree(direction)[0] @ ravel_pytree(product)[0]

        u, gradient, slope = (ravel_pytree(tree)[0] for tree in (direction, jax.grad(loss)(params), jax.grad(curvature)(params)))
        slope = slope - (u @ slope) * u
        return -gradient @ slope, slope @ slope

    return slopes


def orbit(
    x: float, y: float, steps: int, *, progress: float, feedback: float, learning_rate: float
) -> tuple[Float[Array, " t"], Float[Array, " t"]]:
    r"""$x_{k+1} = -(1 + \eta y_k)\,x_k,\qquad y_{k+1} = y_k + \eta\,(\alpha - \frac12\beta x_k^2)$.

    Args:
      x: the displacement along the top eigenvector, not zero (from zero it never leaves).
      y: the sharpness less $2/\eta$.
      steps: how many steps.
      progress: $\alpha > 0$.
      feedback: $\beta > 0$.
      learning_rate: $\eta$.

    Returns:
      x and y at steps 0, ..., steps.

    Raises:
      ValueError, TypeError: for numbers out of range.

    Source: Damian, Nichani & Lee (2023); derived again in the chapter on the edge of stability.
    """
    for name, value in (("x", x), ("y", y)):
        require.number(name, value)
    if x == 0:
        raise ValueError("x must not be zero, where the two variables stay apart for ever, but is 0")
    require.positive_integer("steps", steps)
    _check(progress, feedback)
    require.positive("learning_rate", learning_rate)
    return _orbit(steps)(x, y, progress, feedback, learning_rate)


@functools.lru_cache(maxsize=8)
def _orbit(steps):
    @jax.jit
    def run(x, y, progress, feedback, learning_rate):
        def step(state, _):
            x, y = state
            new = -(1 + learning_rate * y) * x, y + learning_rate * (progress - 0.5 * feedback * x**2)
            return new, new

        start = jnp.asarray(x, float), jnp.asarray(y, float)
        _, (xs, ys) = jax.lax.scan(step, start, None, length=steps)
        return jnp.concatenate([start[0][None], xs]), jnp.concatenate([start[1][None], ys])

    return run


def energy(
    x: Float[Array, " t"], y: Float[Array, " t"], *, progress: float, feedback: float
) -> Float[Array, " t"]:
    r"""$E = \frac12y^2 + \frac14\beta x^2 - \alpha\log|x|$, which the two variables conserve for small steps.

    Its minimum is the point of rest, $y = 0$ and $x^2 = 2\alpha/\beta$.

    Args:
      x, y: displacements and excess sharpnesses.
      progress, feedback: $\alpha > 0$ and $\beta > 0$.

    Returns:
      E at each of them.

    Raises:
      ValueError, TypeError: for bad arguments.

    Source: Damian, Nichani & Lee (2023); derived again in the chapter on the edge of stability.
    """
    require.array("x", x, ndim=1)
    require.array("y", y, ndim=1)
    if x.shape != y.shape:
        raise ValueError(f"y must have the shape of x, {x.shape}, but has shape {y.shape}")
    _check(progress, feedback)
    return 0.5 * y**2 + 0.25 * feedback * x**2 - progress * jnp.log(jnp.abs(x))


def _check(progress, feedback):
    for name, value in (("progress", progress), ("feedback", feedback)):
        require.positive(name, value)
