"""The loss over all contexts at once, and the levels on which it rests."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from learndyn import _require as require
from learndyn.linear_attention import _arguments as arguments


def population_loss(M: Float[Array, "d d"], covariance: Float[Array, "d d"], length: int) -> Float[Array, ""]:
    r"""$\tfrac12\operatorname{tr}\Sigma - N\operatorname{tr}(M\Sigma^2) + \tfrac N2\operatorname{tr}(\Sigma M \Sigma((N+1)\Sigma + \operatorname{tr}\Sigma)M^\top)$.

    This is $\tfrac12\mathbb E(\hat y - y_q)^2$ over contexts, exactly, by the fourth moments of a Gaussian. M may have
    been learned on other contexts than those on which it is judged here.

    Args:
      M: what multiplies g, `matrix(heads)`.
      covariance: $\Sigma$ of the contexts.
      length: N.

    Raises:
      ValueError, TypeError: for a matrix that is no covariance, an M of another size, or a length below one.
    """
    arguments.root(covariance)
    require.positive_integer("length", length)
    require.matrix("M", M, rows=covariance.shape[0], columns=covariance.shape[0])
    return _loss(M, covariance, length)


class Sample(NamedTuple):
    r"""Made-up inputs $(g, x_q)$ and answers with the same mean loss as all contexts, up to a constant.

    Attributes:
      X, y: data for `agf.staircase`, `agf.loss` or `vanishing.gradient_flow`, with the neuron `head`.
      floor: the loss that no M can avoid; the population loss is the mean loss on X and y plus this.
    """

    X: Float[Array, "n e"]
    y: Float[Array, "n 1"]
    floor: Float[Array, ""]


def exact_sample(covariance: Float[Array, "d d"], length: int) -> Sample:
    r"""$d^2$ pairs $(g_a, x_b)$ with $\mathbb E\, g g^\top = N\Sigma((N+1)\Sigma + \operatorname{tr}\Sigma)$, $\mathbb E\, x x^\top = \Sigma$.

    The population loss is quadratic in M with these two matrices, so that a grid of $d \times d$ points stands for
    infinitely many contexts, and nothing is random.

    Args:
      covariance: $\Sigma$, here positive definite.
      length: N.

    Raises:
      ValueError, TypeError: for a matrix that is no covariance or singular, or a length below one.
    """
    arguments.root(covariance)
    require.positive_integer("length", length)
    if not isinstance(covariance, jax.core.Tracer):
        known = np.linalg.eigvalsh(np.asarray(covariance))
        if not known[0] > 1e-12 * known[-1]:
            raise ValueError(f"covariance must be positive definite, but has the eigenvalue {known[0]:.3g}")
    return _grid(covariance, length)


def plateaus(eigenvalues: Float[Array, "d"], length: int) -> Float[Array, "d+1"]:
    r"""$\ell_m = \tfrac12\operatorname{tr}\Sigma - \sum_{i \le m} \frac{N\lambda_i^2}{2(\operatorname{tr}\Sigma + (N+1)\lambda_i)}$, m = 0, ..., d.

    Args:
      eigenvalues: $\lambda_1 \ge \dots \ge \lambda_d > 0$ of the covariance, in the order in which they are learned.
      length: N; it may be a traced number.

    Raises:
      ValueError, TypeError: for eigenvalues that are no vector, or a length below one.

    Source: Kunin et al. (2025); Zhang et al. (2025).
    """
    require.array("eigenvalues", eigenvalues, ndim=1)
    arguments.length(length)
    return _levels(eigenvalues, length)


# One compilation each: run operation by operation, these few lines would be a dozen small ones.
@jax.jit
def _loss(M, covariance, length):
    # E g g^T / N = Sigma ((N + 1) Sigma + tr Sigma), by Isserlis' theorem
    bent = covariance @ ((length + 1) * covariance + jnp.trace(covariance) * jnp.eye(covariance.shape[0]))
    return (
        0.5 * jnp.trace(covariance)
        - length * jnp.trace(M @ covariance @ covariance)
        + 0.5 * length * jnp.trace(covariance @ M @ bent @ M.T)
    )


@jax.jit
def _levels(eigenvalues, length):
    trace = jnp.sum(eigenvalues)
    gains = 0.5 * length * eigenvalues**2 / (trace + (length + 1) * eigenvalues)
    return 0.5 * trace - jnp.concatenate([jnp.zeros(1), jnp.cumsum(gains)])


@jax.jit
def _grid(covariance, length):
    d = covariance.shape[0]
    values, vectors = jnp.linalg.eigh(covariance)
    bends = length * values * ((length + 1) * values + jnp.sum(values))
    g = d**0.5 * jnp.sqrt(bends)[:, None] * vectors.T
    x = d**0.5 * jnp.sqrt(values)[:, None] * vectors.T
    # the best M is sum_i vv^T / ((N + 1) lambda_i + tr): its answers are those that the sample asks for
    best = (vectors / ((length + 1) * values + jnp.sum(values))[None]) @ vectors.T
    X = jnp.concatenate([jnp.repeat(g, d, axis=0), jnp.tile(x, (d, 1))], axis=1)
    y = jnp.einsum("nd,de,ne->n", X[:, d:], best, X[:, :d])[:, None]
    return Sample(X, y, _levels(values[::-1], length)[-1])
