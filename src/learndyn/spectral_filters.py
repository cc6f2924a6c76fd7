r"""Filters: how much of each mode of a least squares fit a way of training lets through.

Least squares, $\frac12\|Xw - y\|^2$, is one problem for every eigenvector $v_i$ of $X^\top X$. Training from zero leaves
$v_i\cdot w = \varphi_i\, v_i\cdot\hat w$, a part of the least squares fit $\hat w$; early stopping, ridge, and momentum differ in
the factor $\varphi_i$ alone. The loss is a sum over samples; for a mean, eigenvalues are divided by n.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from learndyn import _require as require


def stopped_flow(eigenvalues: Float[Array, "... k"], time: Float[Array, "..."] | float) -> Float[Array, "..."]:
    r"""$\varphi = 1 - e^{-\lambda t}$, gradient flow from zero, stopped at time t.

    Args:
      eigenvalues: $\lambda_i \ge 0$ of $X^\top X$.
      time: $t \ge 0$; a number, or an array that broadcasts against the eigenvalues, such as a column.

    Returns:
      The factors, in the shape of the two together.

    Raises:
      ValueError, TypeError: for numbers that are negative or not finite.

    Source: Ali, Kolter & Tibshirani (2019), Section 2.
    """
    eigenvalues, time = _together(_at_least("eigenvalues", eigenvalues), _at_least("time", time))
    return -jnp.expm1(-eigenvalues * time)


def ridge(eigenvalues: Float[Array, "... k"], penalty: Float[Array, "..."] | float) -> Float[Array, "..."]:
    r"""$\varphi = \lambda/(\lambda + \alpha)$, the minimum of $\frac12\|Xw - y\|^2 + \frac12\alpha\|w\|^2$.

    Args:
      eigenvalues: $\lambda_i \ge 0$ of $X^\top X$.
      penalty: $\alpha > 0$; a number, or an array that broadcasts against the eigenvalues. For a loss that is a mean over
        n samples, give n times its penalty.

    Returns:
      The factors, in the shape of the two together.

    Raises:
      ValueError, TypeError: for negative eigenvalues, a penalty that is not positive, or numbers that are not finite.
    """
    eigenvalues, penalty = _together(_at_least("eigenvalues", eigenvalues), _at_least("penalty", penalty, above=True))
    return eigenvalues / (eigenvalues + penalty)


def risk(
    factors: Float[Array, "... k"],
    eigenvalues: Float[Array, " k"],
    signal: Float[Array, " k"],
    noise: Float[Array, ""] | float,
) -> Float[Array, "..."]:
    r"""$E\|w - w^*\|^2 = \sum_i (1-\varphi_i)^2 (v_i\cdot w^*)^2 + \sigma^2\sum_i \varphi_i^2/\lambda_i$.

    For $y = Xw^* + \varepsilon$ with independent noise of the variance $\sigma^2$. The first sum is what is not learned yet, the
    second what noise has been let through.

    Args:
      factors: $\varphi_i$, the last axis over modes.
      eigenvalues: $\lambda_i > 0$ of $X^\top X$. Leave out those that are zero: no filter lets their noise through.
      signal: $(v_i\cdot w^*)^2$, or its mean over a prior.
      noise: $\sigma^2$.

    Returns:
      The risk, one number for each setting of the factors.

    Raises:
      ValueError, TypeError: for eigenvalues that are not positive, negative signal or noise, or numbers that are not finite.
    """
    require.array("factors", factors)
    eigenvalues = _at_least("eigenvalues", eigenvalues, above=True)
    signal, noise = _at_least("signal", signal), _at_least("noise", noise)
    factors, eigenvalues, signal, noise = _together(factors, eigenvalues, signal, noise)
    return jnp.sum((1 - factors) ** 2 * signal + noise * factors**2 / eigenvalues, axis=-1)


def best_time(
    eigenvalues: Float[Array, "... k"], signal: Float[Array, "... k"] | float, noise: Float[Array, ""] | float
) -> Float[Array, "... k"]:
    r"""$t_i = \log(1 + \lambda_i s_i/\sigma^2)/\lambda_i$, when the risk of mode i alone is least along the flow.

    A flow that is stopped then lets through what the best ridge for this mode, $\alpha_i = \sigma^2/s_i$, would.

    Args:
      eigenvalues: $\lambda_i > 0$ of $X^\top X$.
      signal: $s_i = (v_i\cdot w^*)^2$, or its mean over a prior; a number when it is the same for all modes.
      noise: $\sigma^2 > 0$.

    Returns:
      One time for each mode.

    Raises:
      ValueError, TypeError: for eigenvalues or noise that are not positive, negative signal, or numbers that are not finite.
    """
    eigenvalues = _at_least("eigenvalues", eigenvalues, above=True)
    signal, noise = _at_least("signal", signal), _at_least("noise", noise, above=True)
    eigenvalues, signal, noise = _together(eigenvalues, signal, noise)
    return jnp.log1p(eigenvalues * signal / noise) / eigenvalues


def _together(*arrays):
    """All in their common shape, said aloud: where rank promotion is an error, times in a column still meet eigenvalues."""
    shape = jnp.broadcast_shapes(*(array.shape for array in arrays))
    return [jnp.broadcast_to(array, shape) for array in arrays]


def _at_least(name, value, above=False):
    """A number or an array of finite numbers, none negative, or all positive with `above`; what is traced passes."""
    require.finite(name, value)
    if not isinstance(value, jax.core.Tracer):
        least = np.min(value)
        if least < 0 or (above and least == 0):
            raise ValueError(f"{name} must be {'positive' if above else 'zero or positive'}, but its smallest entry is {least}")
    return jnp.asarray(value)
