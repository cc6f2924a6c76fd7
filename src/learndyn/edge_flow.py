r"""Edge flow: gradient descent at the edge of stability as three coupled motions, of a center, a direction, and a swing.

Two points $c \pm \rho u$ on either side of a valley have on average the gradient of the symmetrized loss
$\frac12 L(c + \rho u) + \frac12 L(c - \rho u)$. That is the slow motion of descent; the fast one exchanges the points.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Key, PyTree

from learndyn import _require as require
from learndyn.curvature import hvp, top_eigenpairs


class Swing(NamedTuple):
    r"""Edge flow at steps 0, 1, ..., steps.

    Attributes:
      losses: the symmetrized loss.
      sharpness: $u\cdot\nabla^2L(c)\,u$.
      magnitudes: $\rho$.
      params: c at the last step.
    """

    losses: Float[Array, " t"]
    sharpness: Float[Array, " t"]
    magnitudes: Float[Array, " t"]
    params: PyTree


def integrate(
    loss: Callable[[PyTree], Float[Array, ""]],
    params0: PyTree,
    learning_rate: float,
    steps: int,
    *,
    magnitude: float,
    substeps: int = 2,
    key: Key[Array, ""],
) -> Swing:
    r"""$\dot c = -\frac\eta2\nabla_c[L(c+\rho u) + L(c-\rho u)],\quad \dot u = \eta P_\perp Hu,\quad \dot\rho = \rho\,\ln|1-\eta\,u\cdot Hu|$.

    One unit of time is one step of descent, whose swing changes by the factor $1-\eta S$ a step. Each substep is
    one explicit Euler step and takes two gradients and one product with the Hessian.

    Args:
      loss: $L$, a scalar function of the parameters, twice differentiable.
      params0: the center $c_0$, a pytree of floating point arrays; the top eigenvalue there should be simple.
      learning_rate: $\eta$ of the descent that is to be predicted.
      steps: how many steps of descent.
      magnitude: $\rho_0 > 0$.
      substeps: of one step; at least 2, for an eigenvalue of $2/\eta$ times a whole step is the limit of Euler's method.
      key: a PRNG key, to find the first direction.

    Returns:
      `Swing`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      FloatingPointError: when the flow stops being finite.

    Source: Marion (2026), of which the abstract; the formulas are derived here.
    """
    require.loss(loss, params0)
    require.static("loss", loss)
    require.positive("learning_rate", learning_rate)
    require.positive_integer("steps", steps)
    require.positive("magnitude", magnitude)
    require.positive_integer("substeps", substeps)
    if substeps < 2:
        raise ValueError(f"substeps must be at least 2, the limit of Euler's method at the edge, but is {substeps}")
    require.key("key", key)
    pairs = top_eigenpairs(hvp(loss, params0), params0, key=key)
    direction = jax.tree.map(lambda leaf: leaf[0], pairs.vectors)
    c, seen = _compiled(loss, steps, substeps)(params0, direction, magnitude, learning_rate)
    if not bool(jnp.all(jnp.isfinite(seen[0]))):
        last = int(np.argmin(np.isfinite(np.asarray(seen[0]))))
        raise FloatingPointError(f"edge_flow: the loss is no longer finite at step {last} of {steps}; start nearer to the edge")
    return Swing(*seen, c)


@functools.lru_cache(maxsize=8)
def _compiled(loss, steps, substeps):
    @jax.jit
    def run(params, direction, magnitude, learning_rate):
        c, unravel = ravel_pytree(params)
        u = ravel_pytree(direction)[0]
        value_and_grad = jax.value_and_grad(lambda w: loss(unravel(w)))
        h = 1 / substeps

        def substep(state, _):
            (c, u, rho), _ = state
            (above, up), (below, down) = value_and_grad(c + rho * u), value_and_grad(c - rho * u)
            Hu = jax.jvp(lambda w: value_and_grad(w)[1], (c,), (u,))[1]
            S = u @ Hu
            turned = u + h * learning_rate * (Hu - S * u)
            new = (
                c - 0.5 * h * learning_rate * (up + down),
                turned / jnp.linalg.norm(turned),
                rho * jnp.exp(h * jnp.log(jnp.abs(1 - learning_rate * S))),
            )
            return (new, c), (0.5 * (above + below), S, rho)

        start = (c, u, jnp.asarray(magnitude, c.dtype)), c
        (_, c), seen = jax.lax.scan(substep, start, None, length=steps * substeps + 1)
        return unravel(c), [each[::substeps] for each in seen]

    return run
