r"""The linear neuron in the space of functions: $\beta = a w$, the hyperbola of its parameters, its kernel.

With rates $\eta_a, \eta_w$ and $g = X^\top(X\beta - y)$ the flow is $\dot a = -\eta_a w^\top g$, $\dot w = -\eta_w a g$.
Hence $\delta = \eta_w a^2 - \eta_a \|w\|^2$ is conserved, and $\dot\beta = a \dot w + \dot a w = -M g$ with
$M = \eta_w a^2 I + \eta_a w w^\top$. As the two numbers $\eta_w a^2$ and $\eta_a \|w\|^2$ have the difference $\delta$ and
the product $\eta_a \eta_w \|\beta\|^2$, they are $(\kappa \pm \delta)/2$: $M$ is a function of $\beta$ and $\delta$.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from learndyn import _require as require
from learndyn.neuron import _arguments as arguments

Number = float | int | Float[Array, ""]


def imbalance(a: Number, w: Float[Array, " d"], *, learning_rates: tuple = (1.0, 1.0)) -> Float[Array, ""]:
    r"""$\delta = \eta_w a^2 - \eta_a \|w\|^2$, conserved by gradient flow; for one neuron (`jax.vmap` takes a path).

    Args:
      a, w: the parameters.
      learning_rates: $(\eta_a, \eta_w)$.

    Raises:
      ValueError, TypeError: if an argument has a wrong shape or is not finite, or a rate is not positive.

    Source: Kunin et al. (2024).
    """
    a, w = _parameters(a, w)
    rate_a, rate_w = arguments.rates(learning_rates)
    return rate_w * a**2 - rate_a * (w @ w)


def from_function(beta: Float[Array, " d"], delta: Number) -> tuple[Float[Array, ""], Float[Array, " d"]]:
    r"""$(a, w)$ with $a w = \beta$, $a^2 - \|w\|^2 = \delta$, $a \ge 0$; the other solution is $(-a, -w)$.

    $a^2 = (\kappa + \delta)/2$ and $\|w\|^2 = (\kappa - \delta)/2$ with $\kappa = \sqrt{\delta^2 + 4\|\beta\|^2}$; to full
    precision where one of the two is a difference of nearly equal numbers.

    Args:
      beta: the function. It may be zero if $\delta \ge 0$; for $\delta < 0$ every $w$ of length $\sqrt{-\delta}$ gives
        zero with $a = 0$ (not checked under `jit` and `vmap`, where the result then holds NaN).
      delta: the imbalance.

    Raises:
      ValueError, TypeError: if an argument has a wrong shape or is not finite, or for `beta` zero and `delta` negative.
    """
    beta, delta = _function(beta, delta, "w could have any direction")
    of_a, of_w = _shares(delta, arguments.length(beta))
    return _root(of_a), _root(of_w) * _direction(beta, delta)


def ntk(
    a: Number, w: Float[Array, " d"], X: Float[Array, "n d"], *, learning_rates: tuple = (1.0, 1.0)
) -> Float[Array, "n n"]:
    r"""$K = X(\eta_w a^2 I + \eta_a w w^\top)X^\top$, the neural tangent kernel of one neuron on the inputs X.

    Args:
      a, w: the parameters.
      X: inputs, one a row.
      learning_rates: $(\eta_a, \eta_w)$; the residual moves by $\dot r = -K r$.

    Raises:
      ValueError, TypeError: if an argument has a wrong shape or is not finite, or a rate is not positive.
    """
    a, w = _parameters(a, w)
    require.matrix("X", X, columns=w.shape[0])
    rate_a, rate_w = arguments.rates(learning_rates)
    z = X @ w
    return rate_w * a**2 * (X @ X.T) + rate_a * z[:, None] * z[None, :]


def preconditioner(
    beta: Float[Array, " d"], delta: Number, *, learning_rates: tuple = (1.0, 1.0)
) -> Float[Array, "d d"]:
    r"""$M(\beta) = \frac{\kappa+\delta}2 I + \frac{\kappa-\delta}2 \frac{\beta\beta^\top}{\|\beta\|^2}$.

    Here $\kappa = \sqrt{\delta^2 + 4\eta_a\eta_w\|\beta\|^2}$. Gradient flow moves the function by
    $\dot\beta = -M(\beta) X^\top(X\beta - y)$, and the kernel is $K = X M X^\top$.

    Args:
      beta: the function. At zero $M = \delta I$ for $\delta \ge 0$; for $\delta < 0$ there is no limit, as $M$ then depends
        on the direction from which zero is reached (not checked under `jit` and `vmap`, where M is then NaN).
      delta: the imbalance $\eta_w a^2 - \eta_a \|w\|^2$.
      learning_rates: $(\eta_a, \eta_w)$.

    Raises:
      ValueError, TypeError: if an argument has a wrong shape or is not finite, a rate is not positive, or for `beta`
        zero and `delta` negative.

    Source: Kunin et al. (2024).
    """
    beta, delta = _function(beta, delta, "the preconditioner depends on the direction of w")
    rate_a, rate_w = arguments.rates(learning_rates)
    of_a, of_w = _shares(delta, (rate_a * rate_w) ** 0.5 * arguments.length(beta))
    unit = _direction(beta, delta)
    return of_a * jnp.eye(beta.shape[0], dtype=beta.dtype) + of_w * unit[:, None] * unit[None, :]


def _parameters(a, w):
    a, w = arguments.floating(a), arguments.floating(w)
    arguments.scalar("a", a)
    arguments.vector("w", w)
    return a, w


def _function(beta, delta, why, name="beta"):
    beta, delta = arguments.floating(beta), arguments.floating(delta)
    arguments.vector(name, beta)
    arguments.scalar("delta", delta)
    b, d = arguments.known(beta), arguments.known(delta)
    if b is not None and d is not None and d < 0 and not b.any():
        raise ValueError(f"{name} must not be zero where delta is negative, but is {b} for delta = {d}: a is 0, and {why}")
    return beta, delta


def _shares(delta, size):
    """The two numbers of difference delta and product size^2: the larger is a sum, the smaller follows from the product."""
    above = delta >= 0
    larger = (jnp.hypot(delta, 2 * size) + jnp.where(above, delta, -delta)) / 2
    smaller = size * (size / jnp.where(larger > 0, larger, 1.0))
    return jnp.where(above, larger, smaller), jnp.where(above, smaller, larger)


def _root(x):
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)


def _direction(beta, delta):
    """beta/|beta|, where it matters; for beta = 0 and delta >= 0 it is multiplied by zero."""
    undefined = ~jnp.any(beta != 0) & (delta < 0)
    return jnp.where(undefined, jnp.nan, arguments.direction(beta))
