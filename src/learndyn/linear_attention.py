r"""Linear attention that learns regression in context: $\hat y = \sum_h v_h\, (g \cdot k_h)(q_h \cdot x_q)$, $g = \sum_j y_j x_j$.

A context holds N examples $(x_j, y_j = \beta \cdot x_j)$ and a query $x_q$ whose $y_q = \beta \cdot x_q$ is asked for, with
$x \sim \mathcal N(0, \Sigma)$ and a fresh $\beta \sim \mathcal N(0, I)$ for each context. A head with a key, a query and a
value vector of rank one sees the context through one vector g alone. So it is a neuron of degree 3 on the input
$(g, x_q)$, and everything for sums of homogeneous neurons (`agf`, `vanishing`) applies.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from learndyn import _require as require

Number = float | Float[Array, "..."]


class Contexts(NamedTuple):
    """Regression tasks, each with its examples and one question.

    Attributes:
      inputs: the $x_j$ of every context.
      values: the $y_j$.
      query: $x_q$.
      answer: $y_q$, which the network is to find.
    """

    inputs: Float[Array, "n N d"]
    values: Float[Array, "n N"]
    query: Float[Array, "n d"]
    answer: Float[Array, "n 1"]


def contexts(covariance: Float[Array, "d d"], length: int, count: int, *, key: PRNGKeyArray) -> Contexts:
    r"""$x_1, \dots, x_N, x_q \sim \mathcal N(0, \Sigma)$, $\beta \sim \mathcal N(0, I)$, $y = \beta \cdot x$: independent contexts.

    Args:
      covariance: $\Sigma$, symmetric and positive semidefinite.
      length: N, examples in a context.
      count: n, contexts.
      key: a PRNG key.

    Raises:
      ValueError, TypeError: for a matrix that is no covariance, a size below one, or no key.
    """
    root = _root(covariance)
    require.positive_integer("length", length)
    require.positive_integer("count", count)
    require.key("key", key)
    key_inputs, key_query, key_task = jax.random.split(key, 3)
    d = root.shape[0]
    inputs = jax.random.normal(key_inputs, (count, length, d), root.dtype) @ root
    query = jax.random.normal(key_query, (count, d), root.dtype) @ root
    task = jax.random.normal(key_task, (count, d), root.dtype)
    values = jnp.einsum("njd,nd->nj", inputs, task)
    return Contexts(inputs, values, query, jnp.sum(query * task, axis=1, keepdims=True))


def summary(contexts: Contexts) -> Float[Array, "n 2d"]:
    r"""$(g, x_q)$ with $g = \sum_j y_j x_j$: all that a linear attention layer sees of a context.

    Raises:
      TypeError: for anything but `Contexts`.
    """
    if not isinstance(contexts, Contexts):
        raise TypeError(f"contexts must be Contexts, as linear_attention.contexts draws them, but is {contexts!r}")
    g = jnp.einsum("njd,nj->nd", contexts.inputs, contexts.values)
    return jnp.concatenate([g, contexts.query], axis=1)


def head(theta: Float[Array, "p"], X: Float[Array, "n 2d"]) -> Float[Array, "n 1"]:
    r"""$v\,(g \cdot k)(q \cdot x_q)$ with $\theta = (v, k, q)$: one head of rank one, a neuron of degree 3.

    Args:
      theta: 1 + 2d numbers.
      X: rows $(g, x_q)$, as `summary` and `exact_sample` return them.

    Raises:
      ValueError, TypeError: when the sizes do not fit.
    """
    require.array("theta", theta, ndim=1)
    d = (theta.shape[0] - 1) // 2
    if theta.shape[0] != 1 + 2 * d or not d:
        raise ValueError(f"theta must hold 1 + 2d numbers (v, k, q), but has shape {tuple(theta.shape)}")
    require.matrix("X", X, columns=2 * d)
    return theta[0] * (X[:, :d] @ theta[1 : 1 + d] * (X[:, d:] @ theta[1 + d :]))[:, None]


def matrix(heads: Float[Array, "H p"]) -> Float[Array, "d d"]:
    r"""$M = \sum_h v_h\, q_h k_h^\top$, with which $\hat y = x_q^\top M g$: what all the heads do together.

    Raises:
      ValueError, TypeError: for rows that are not (v, k, q).
    """
    require.matrix("heads", heads)
    d = (heads.shape[1] - 1) // 2
    if heads.shape[1] != 1 + 2 * d or not d:
        raise ValueError(f"heads must be rows of 1 + 2d numbers (v, k, q), but have shape {tuple(heads.shape)}")
    return jnp.einsum("h,hi,hj->ij", heads[:, 0], heads[:, 1 + d :], heads[:, 1 : 1 + d])


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
    _root(covariance)
    require.positive_integer("length", length)
    require.matrix("M", M, rows=covariance.shape[0], columns=covariance.shape[0])
    bent = _second_moment(covariance, length)
    return (
        0.5 * jnp.trace(covariance)
        - length * jnp.trace(M @ covariance @ covariance)
        + 0.5 * length * jnp.trace(covariance @ M @ bent @ M.T)
    )


class Sample(NamedTuple):
    r"""Made-up inputs $(g, x_q)$ and answers with the same mean loss as all contexts, up to a constant.

    Attributes:
      X, y: data for `agf.staircase`, `agf.loss` or `vanishing.gradient_flow`, with the neuron `head`.
      floor: the loss that no M can avoid; the population loss is the mean loss on X and y plus this.
    """

    X: Float[Array, "n 2d"]
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
    root = _root(covariance)
    require.positive_integer("length", length)
    d = root.shape[0]
    values, vectors = jnp.linalg.eigh(covariance)
    if not isinstance(values, jax.core.Tracer) and not float(values[0]) > 1e-12 * float(values[-1]):
        raise ValueError(f"covariance must be positive definite, but has the eigenvalue {float(values[0]):.3g}")
    bends = length * values * ((length + 1) * values + jnp.sum(values))
    g = d**0.5 * jnp.sqrt(bends)[:, None] * vectors.T
    x = d**0.5 * jnp.sqrt(values)[:, None] * vectors.T
    # the best M is sum_i vv^T / ((N + 1) lambda_i + tr): its answers are those that the sample asks for
    best = (vectors / ((length + 1) * values + jnp.sum(values))) @ vectors.T
    X = jnp.concatenate([jnp.repeat(g, d, axis=0), jnp.tile(x, (d, 1))], axis=1)
    y = jnp.einsum("nd,de,ne->n", X[:, d:], best, X[:, :d])[:, None]
    return Sample(X, y, plateaus(values[::-1], length)[-1])


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
    _length(length)
    trace = jnp.sum(eigenvalues)
    gains = 0.5 * length * eigenvalues**2 / (trace + (length + 1) * eigenvalues)
    return 0.5 * trace - jnp.concatenate([jnp.zeros(1), jnp.cumsum(gains)])


def jump_time(eigenvalue: Number, length: int, norm: Number) -> Number:
    r"""$\tau = \frac{\sqrt3}{N\lambda^2}\big(\tfrac1{\|\theta_0\|} - 1\big)$: a head in its best direction reaches norm one.

    The best direction has k and q along the eigenvector and $v^2 = |k|^2 = |q|^2$; its utility is
    $N\lambda^2/(3\sqrt3)$. From any other direction it takes longer.

    Args:
      eigenvalue: $\lambda$ of the component that the head learns.
      length: N; it may be a traced number.
      norm: $\|\theta_0\|$.

    Raises:
      ValueError, TypeError: for numbers that are not positive, or a length below one.

    Source: Kunin et al. (2025).
    """
    _length(length)
    eigenvalue, norm = _positive("eigenvalue", eigenvalue), _positive("norm", norm)
    return 3**0.5 / (length * eigenvalue**2) * (1 / norm - 1)


def mode_time(
    share: Number, norm: Number, eigenvalue: Number, length: int, trace: Number
) -> Float[Array, "..."]:
    r"""$t = \frac{c^{1/3}}{N\lambda^2}\big[\Phi(u)\big]_{u_0}^{u}$, $\Phi' = \frac1{u^2(1-u^3)}$: when a head has learned a share $u^3$.

    Gradient flow of a head that starts in its best direction, with no other on its component: $v = |k| = |q| = s$
    obeys $\dot s = N\lambda^2 s^2(1 - c s^3)$ with $c = (N+1)\lambda + \operatorname{tr}\Sigma$, and $u = c^{1/3}s$.

    Args:
      share: $u^3 = s^3 c$ of the component's final strength, between the share at the start and 1.
      norm: $\|\theta_0\| = \sqrt3\, s_0$.
      eigenvalue: $\lambda$ of the component.
      length: N; it may be a traced number.
      trace: $\operatorname{tr}\Sigma$.

    Raises:
      ValueError, TypeError: for numbers out of range.
    """
    _length(length)
    norm, eigenvalue, trace = (_positive(*pair) for pair in (("norm", norm), ("eigenvalue", eigenvalue), ("trace", trace)))
    share = _positive("share", share)
    if not isinstance(share, jax.core.Tracer) and not bool(jnp.all(share < 1)):
        raise ValueError(f"share must be below 1, which is never reached, but is {share}")
    c = (length + 1) * eigenvalue + trace
    grown = lambda u: (
        -1 / u - jnp.log1p(-u) / 3 + jnp.log1p(u + u**2) / 6 - jnp.arctan((2 * u + 1) / 3**0.5) / 3**0.5
    )
    return jnp.cbrt(c) / (length * eigenvalue**2) * (grown(jnp.cbrt(share)) - grown(jnp.cbrt(c) * norm / 3**0.5))


def _second_moment(covariance, length):
    """E g g^T / N = Sigma ((N + 1) Sigma + tr Sigma), by Isserlis' theorem."""
    return covariance @ ((length + 1) * covariance + jnp.trace(covariance) * jnp.eye(covariance.shape[0]))


def _root(covariance):
    """The symmetric square root of a covariance matrix."""
    require.matrix("covariance", covariance)
    if covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"covariance must be square, but has shape {tuple(covariance.shape)}")
    values, vectors = jnp.linalg.eigh(covariance)
    if not isinstance(covariance, jax.core.Tracer):
        size = float(jnp.max(jnp.abs(covariance)))
        if float(jnp.max(jnp.abs(covariance - covariance.T))) > 1e-6 * size:
            raise ValueError(f"covariance must be symmetric, but is {covariance}")
        if float(values[0]) < -1e-6 * size:
            raise ValueError(f"covariance must have no negative eigenvalue, but has {float(values[0]):.3g}")
    return (vectors * jnp.sqrt(jnp.maximum(values, 0))) @ vectors.T


def _length(length):
    if not isinstance(length, jax.core.Tracer):
        require.positive_integer("length", length)


def _positive(name, value):
    value = jnp.asarray(value, float)
    if not isinstance(value, jax.core.Tracer) and not bool(jnp.all((value > 0) & jnp.isfinite(value))):
        raise ValueError(f"{name} must be positive and finite, but is {value}")
    return value
