r"""Drift of conserved quantities: what the step size and weight decay make of a law of gradient flow.

Everywhere $Q = \frac12\,\theta\cdot B\theta + b\cdot\theta$ is the `conserved.quantity` of a symmetry
$\xi(\theta) = B\theta + b$. What momentum makes of it is in `learndyn.momentum`.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require
from learndyn.conserved import tangent


def rate(loss: Callable[[PyTree], Float[Array, ""]], generator: Callable[[PyTree], PyTree]) -> Callable:
    r"""$\frac12\,g\cdot Bg$ with $g = \nabla L(\theta)$: one step of descent changes Q by $\eta^2$ times it.

    Exactly, for the step's own gradient, whether of the whole loss or of a batch: $Q(\theta - \eta g) = Q(\theta) -
    \eta\,g\cdot\xi(\theta) + \frac12\eta^2\,g\cdot Bg$, and the middle term is zero. After a time $t$ of small steps
    Q has drifted by $\eta\int_0^t \frac12\,g\cdot Bg\,ds$ to first order in $\eta$, along the gradient flow.

    Args:
      loss: $L$, a scalar function of the parameters.
      generator: $\xi$ of a symmetry of the loss, affine.

    Returns:
      `measure(params)`, a number; positive for a scale, whatever the loss; of either sign for a rescale.

    Raises:
      TypeError, ValueError: when loss or generator is no function; when measured, for parameters that do not fit.

    Source: Kunin et al. (2021) for the three families; in this generality by expansion, as above.
    """
    require.callable_("loss", loss)
    require.callable_("generator", generator)

    def measure(params: PyTree) -> Float[Array, ""]:
        require.loss(loss, params)
        return _rate(jax.grad(loss)(params), generator)

    return measure


def after_step(
    loss: Callable[[PyTree], Float[Array, ""]],
    generator: Callable[[PyTree], PyTree],
    *,
    learning_rate: float,
    weight_decay: float = 0.0,
) -> Callable:
    r"""$Q_{t+1} = (1-\eta\lambda)^2 Q_t + \frac12\eta^2\,g\cdot Bg$: the exact law of descent with weight decay.

    That is Q after the step $\theta \to (1 - \eta\lambda)\theta - \eta g$ where b is zero; in general

    $$Q_{t+1} = (1-\eta\lambda)^2\,\tfrac12\theta\cdot B\theta + (1-\eta\lambda)\,b\cdot\theta
      + \eta^2\bigl(\tfrac12 g\cdot Bg - \lambda\,b\cdot g\bigr).$$

    The terms $-\eta(1-\eta\lambda)\,g\cdot B\theta - \eta\,b\cdot g$ have gone, because $g\cdot B\theta = -g\cdot b$
    by the symmetry: only $-\eta^2\lambda\,b\cdot g$ is left of them, and this is zero too if B or b is. What was there
    at the start decays by $(1-\eta\lambda)^p$ a step, as $e^{-p\lambda t}$ in the flow, with p = 2 for b = 0 and p = 1
    for B = 0, whatever the loss.

    Args:
      loss: $L$ without its weight decay.
      generator: $\xi$ of a symmetry of L, affine with symmetric B.
      learning_rate: $\eta > 0$.
      weight_decay: $\lambda \ge 0$.

    Returns:
      `predict(params)`, the value of Q one step after params.

    Raises:
      TypeError, ValueError: for numbers out of range, and as `rate`.

    Source: by expansion, as above; Kunin et al. (2021) have the flow that interpolates the steps.
    """
    require.callable_("loss", loss)
    require.callable_("generator", generator)
    require.positive("learning_rate", learning_rate)
    require.non_negative("weight_decay", weight_decay)
    shrink = 1.0 - learning_rate * weight_decay

    def predict(params: PyTree) -> Float[Array, ""]:
        require.loss(loss, params)
        gradient = jax.grad(loss)(params)
        offset = tangent(generator, jax.tree.map(jnp.zeros_like, params))
        constant = _dot(params, offset)
        quadratic = 0.5 * (_dot(params, tangent(generator, params)) - constant)
        pushed = _rate(gradient, generator) - weight_decay * _dot(offset, gradient)
        return shrink**2 * quadratic + shrink * constant + learning_rate**2 * pushed

    return predict


def _rate(gradient, generator):
    zero = jax.tree.map(jnp.zeros_like, gradient)
    linear = jax.tree.map(jnp.subtract, tangent(generator, gradient), tangent(generator, zero))
    return 0.5 * _dot(gradient, linear)


def _dot(a, b):
    return jnp.vdot(ravel_pytree(a)[0], ravel_pytree(b)[0])
