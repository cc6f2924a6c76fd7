r"""Gradient noise: what a minibatch adds to a gradient, and where it leaves the parameters.

The loss is a mean over samples, $L = \frac1n\sum_i\ell_i$. A batch of B samples that are drawn independently has a
gradient with the mean $g = \nabla L$ and the covariance $\Sigma/B$. Near a minimum the steps add up this noise and
the curvature forgets it; where the two are in balance is a linear equation.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


class NoiseScale(NamedTuple):
    r"""How noisy gradients are.

    Attributes:
      squared_gradient: $|g|^2$ of the mean gradient (an estimate of it may be negative).
      trace: $\operatorname{tr}\Sigma$ of the gradients of single samples.
      simple: $\operatorname{tr}\Sigma/|g|^2$, the batch whose noise is as large as its signal.
    """

    squared_gradient: Float[Array, ""]
    trace: Float[Array, ""]
    simple: Float[Array, ""]


class Stationary(NamedTuple):
    r"""Where descent with batches comes to rest, on average.

    Attributes:
      covariance: of the parameters about the minimum.
      excess_loss: $\frac12\operatorname{tr}HC$, how far the mean loss stays above the least one.
    """

    covariance: Float[Array, "p p"]
    excess_loss: Float[Array, ""]


def per_sample_gradients(losses: Callable[[PyTree], Float[Array, " n"]], params: PyTree) -> Float[Array, "n p"]:
    r"""$g_i = \nabla\ell_i(\theta)$, one row a sample, the parameters in one vector.

    Args:
      losses: $\theta \mapsto (\ell_1, \dots, \ell_n)$, the loss of every sample; sample i must not depend on the others.
      params: $\theta$, a pytree of floating point arrays.

    Returns:
      (n, p); p counts the entries of the leaves, in the order of `jax.flatten_util.ravel_pytree`.

    Raises:
      ValueError, TypeError: for parameters that are not finite, or losses that are no vector.
    """
    _require_losses(losses, params)
    flat, unravel = ravel_pytree(params)
    return jax.jacrev(lambda w: losses(unravel(w)))(flat)


def covariance(losses: Callable[[PyTree], Float[Array, " n"]], params: PyTree) -> Callable[[PyTree], PyTree]:
    r"""$v \mapsto \Sigma v = \frac1n\sum_i (g_i - g)\,(g_i - g)\cdot v$, and no $g_i$ is ever formed.

    The slopes $g_i\cdot v$ of all samples are one forward derivative along v. Centered, they are the weights of one
    backward derivative. So a product costs little more than a gradient, whatever n and p are.

    Args:
      losses, params: as of `per_sample_gradients`.

    Returns:
      A linear, symmetric, positive semidefinite function on pytrees like params, as `curvature.top_eigenpairs` takes.

    Raises:
      ValueError, TypeError: as `per_sample_gradients`.
    """
    _require_losses(losses, params)

    def product(vector: PyTree) -> PyTree:
        slopes = jax.jvp(losses, (params,), (vector,))[1]
        weights = (slopes - jnp.mean(slopes)) / slopes.shape[0]
        return jax.vjp(losses, params)[1](weights)[0]

    return product


def noise_scale(losses: Callable[[PyTree], Float[Array, " n"]], params: PyTree) -> NoiseScale:
    r"""$\mathcal B = \operatorname{tr}\Sigma/|g|^2$ from the gradients of all samples.

    Args:
      losses, params: as of `per_sample_gradients`.

    Returns:
      `NoiseScale`; infinite where the mean gradient vanishes.

    Raises:
      ValueError, TypeError: as `per_sample_gradients`.

    Source: McCandlish, Kaplan, Amodei et al. (2018).
    """
    rows = per_sample_gradients(losses, params)
    mean = jnp.mean(rows, axis=0)
    squared, trace = mean @ mean, jnp.sum(jnp.var(rows, axis=0))
    return NoiseScale(squared, trace, trace / squared)


def two_batch_estimate(
    small_squared: Float[Array, ""] | float, big_squared: Float[Array, ""] | float, *, small: int, big: int
) -> NoiseScale:
    r"""$|g|^2$ and $\operatorname{tr}\Sigma$ without bias, from the squared lengths of two batch gradients.

    For independent samples $E|g_B|^2 = |g|^2 + \operatorname{tr}\Sigma/B$, a straight line in 1/B: two batches give
    two points on it. The intercept is $|g|^2$, the slope $\operatorname{tr}\Sigma$. Both are unbiased, and their
    quotient is not: average the two over many steps before dividing.

    Args:
      small_squared, big_squared: $|g_B|^2$ of a batch of each size, or averages of many.
      small, big: the sizes, small < big. The small batch may be a part of the big one.

    Returns:
      `NoiseScale`.

    Raises:
      ValueError, TypeError: for sizes that are not in this order, or squared lengths that are negative or not finite.

    Source: McCandlish, Kaplan, Amodei et al. (2018); derived again in the chapter on the learning rate.
    """
    require.positive_integer("small", small)
    require.positive_integer("big", big)
    if not small < big:
        raise ValueError(f"big must be larger than small, but small = {small} and big = {big}")
    for name, value in (("small_squared", small_squared), ("big_squared", big_squared)):
        require.finite(name, value)
        if not isinstance(value, jax.core.Tracer) and np.any(np.asarray(value) < 0):
            raise ValueError(f"{name} must be a squared length, zero or positive, but is {value!r}")
    squared = (big * big_squared - small * small_squared) / (big - small)
    trace = (small_squared - big_squared) / (1 / small - 1 / big)
    return NoiseScale(squared, trace, trace / squared)


def stationary(hessian: Float[Array, "p p"], noise: Float[Array, "p p"], learning_rate: float) -> Stationary:
    r"""$C = (I - \eta H)\,C\,(I - \eta H) + \eta^2 N$: linear noise about a minimum, with the exact factor of a step.

    In the eigenvectors of H, $C_{ij} = \eta N_{ij}/(\lambda_i + \lambda_j - \eta\lambda_i\lambda_j)$. As the rate goes
    to zero this is $\eta$ times the solution of $HC + CH = N$, and it diverges where $\eta\lambda = 2$.

    Args:
      hessian: H, symmetric and positive definite.
      noise: N, the covariance of the gradient that a step uses, $\Sigma/B$ for a batch of B independent samples. It
        does not depend on where the parameters are.
      learning_rate: $\eta$, below $2/\lambda_{\max}$.

    Returns:
      `Stationary`.

    Raises:
      ValueError, TypeError: for matrices that are not symmetric, a Hessian that is not positive definite, noise that
        is no covariance, or a rate at which the mean itself diverges.

    Source: Mandt, Hoffman & Blei (2017) in continuous time; with the factor of a step derived in the chapter.
    """
    _require_symmetric("hessian", hessian)
    _require_symmetric("noise", noise, size=hessian.shape[0])
    require.positive("learning_rate", learning_rate)
    if not isinstance(hessian, jax.core.Tracer):
        low, high = np.linalg.eigvalsh(np.asarray(hessian))[[0, -1]]
        if low <= 0:
            raise ValueError(f"hessian must be positive definite, but its smallest eigenvalue is {low:.3g}: nothing holds the noise there")
        if learning_rate * high >= 2:
            raise ValueError(f"learning_rate must be below 2 / {high:.4g} = {2 / high:.4g}, but is {learning_rate!r}")
    if not isinstance(noise, jax.core.Tracer):
        least = np.linalg.eigvalsh(np.asarray(noise))[0]
        if least < -1e-6 * np.max(np.abs(np.asarray(noise))):
            raise ValueError(f"noise must be positive semidefinite, but its smallest eigenvalue is {least:.3g}")
    return _stationary(hessian, noise, learning_rate)


@jax.jit
def _stationary(hessian, noise, learning_rate):
    values, vectors = jnp.linalg.eigh(hessian)
    sums = values[:, None] + values[None, :] - learning_rate * jnp.outer(values, values)
    C = learning_rate * (vectors.T @ noise @ vectors) / sums
    return Stationary(vectors @ C @ vectors.T, 0.5 * jnp.sum(values * jnp.diag(C)))


def mean_square_limit(X: Float[Array, "n d"], batch: int) -> float:
    r"""$\eta_B = 1/\rho(L^{-1}T)$: above it the mean square of the parameters grows without bound.

    A step of linear regression, $\ell_i = \frac12(w\cdot x_i - y_i)^2$, takes the covariance C about the minimum to
    $C - \eta L(C) + \eta^2\,T(C)$ plus that of the noise there, with $L(C) = HC + CH$ and
    $T(C) = (1-\frac1B)HCH + \frac1{Bn}\sum_i x_ix_i^\top C\,x_ix_i^\top$: two samples of a batch are the same one with
    probability 1/B, and otherwise independent. The limit rises with the batch, at first in proportion, from the one for
    single samples to $2/\lambda_{\max}$.

    Args:
      X: inputs of a linear regression, of full column rank.
      batch: B, drawn with replacement.

    Returns:
      The limit.

    Raises:
      ValueError, TypeError: for bad data.

    Source: the criterion of Ma, Bassily & Belkin (2018) is a bound on it. The map $1-\eta L+\eta^2T$ and $L^{-1}T$ keep
    positive matrices positive, so their spectral radii are eigenvalues with positive eigenmatrices (Krein & Rutman): with
    $TP=\rho LP$ and $\eta\rho\ge1$ a step takes P to at least P, and a step that shrinks no Q has $\eta L^{-1}TQ\succeq Q$.
    """
    X = _require_regressors(X, batch)
    n, d = X.shape
    H, one = X.T @ X / n, np.eye(d)
    pairs = (X[:, :, None] * X[:, None, :]).reshape(n, d * d)
    L = np.kron(H, one) + np.kron(one, H)  # as matrices on the entries of C
    T = (1 - 1 / batch) * np.kron(H, H) + pairs.T @ pairs / (n * batch)
    return float(1 / np.max(np.abs(np.linalg.eigvals(np.linalg.solve(L, T)))))


def _require_regressors(X, batch):
    require.matrix("X", X)
    require.positive_integer("batch", batch)
    X = np.asarray(X, dtype=float)
    rank = np.linalg.matrix_rank(X)
    if rank < X.shape[1]:
        raise ValueError(f"X must have full column rank, but has {X.shape[1]} columns and rank {rank}: nothing holds the noise in the rest")
    return X


def _require_symmetric(name, matrix, size=None):
    require.matrix(name, matrix, rows=size, columns=size)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name} must be square, but has shape {tuple(matrix.shape)}")
    if isinstance(matrix, jax.core.Tracer):
        return
    matrix = np.asarray(matrix)
    error = np.max(np.abs(matrix - matrix.T))
    if error > 1e-5 * np.max(np.abs(matrix)):
        raise ValueError(f"{name} must be symmetric, but differs from its transpose by {error:.3g}")


def _require_losses(losses, params):
    require.callable_("losses", losses)
    require.loss(lambda p: jnp.sum(losses(p)), params)
    shape = jax.eval_shape(losses, params).shape
    if len(shape) != 1 or shape[0] < 1:
        raise ValueError(f"losses must return a vector, one number a sample, but returns the shape {shape}")
