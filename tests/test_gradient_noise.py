"""Gradient noise: products against dense matrices, estimators without bias, balances against independent solvers and runs."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from jax.flatten_util import ravel_pytree

from learndyn import curvature, gradient_noise, models

NET = models.mlp((3, 4, 1), activation="tanh", bias_scale=1.0)
PARAMS = NET.init(key=jax.random.key(0))
X = jax.random.normal(jax.random.key(1), (7, 3))
Y = jax.random.normal(jax.random.key(2), (7, 1))


def sample_losses(params):
    return 0.5 * jnp.sum((NET.apply(params, X) - Y) ** 2, axis=1)


def rows_one_by_one():
    one = lambda i: ravel_pytree(jax.grad(lambda p: sample_losses(p)[i])(PARAMS))[0]
    return np.array([one(i) for i in range(7)])


def test_rows_are_the_gradients_of_single_samples():
    rows = gradient_noise.per_sample_gradients(sample_losses, PARAMS)
    np.testing.assert_allclose(rows, rows_one_by_one(), atol=1e-14)


def test_products_are_those_of_the_dense_covariance():
    dense = np.cov(rows_one_by_one().T, bias=True)
    flat, unravel = ravel_pytree(PARAMS)
    product = gradient_noise.covariance(sample_losses, PARAMS)
    many = jax.vmap(lambda v: ravel_pytree(product(unravel(v)))[0])(jnp.eye(len(flat)))
    np.testing.assert_allclose(many, dense, atol=1e-14)
    top = curvature.top_eigenpairs(product, PARAMS, 2, key=jax.random.key(3))
    np.testing.assert_allclose(top.values, np.linalg.eigvalsh(dense)[::-1][:2], rtol=1e-6)


def test_the_noise_scale_is_trace_over_squared_length():
    rows = rows_one_by_one()
    scale = gradient_noise.noise_scale(sample_losses, PARAMS)
    trace, squared = np.trace(np.cov(rows.T, bias=True)), np.sum(rows.mean(axis=0) ** 2)
    np.testing.assert_allclose([scale.trace, scale.squared_gradient, scale.simple], [trace, squared, trace / squared], rtol=1e-12)


@pytest.mark.parametrize("nested", [False, True])
def test_two_batches_estimate_without_bias(nested):
    # all ordered draws of 1 and of 3 samples: the mean over them is the expectation itself
    rows = rows_one_by_one()
    length = lambda draw: np.sum(rows[list(draw)].mean(axis=0) ** 2)
    triples = list(itertools.product(range(7), repeat=3))
    small = np.array([length(t[:1]) for t in triples]) if nested else np.full(len(triples), np.mean([length([i]) for i in range(7)]))
    estimates = [gradient_noise.two_batch_estimate(s, length(t), small=1, big=3) for s, t in zip(small, triples)]
    exact = gradient_noise.noise_scale(sample_losses, PARAMS)
    np.testing.assert_allclose(np.mean([e.squared_gradient for e in estimates]), exact.squared_gradient, rtol=1e-12)
    np.testing.assert_allclose(np.mean([e.trace for e in estimates]), exact.trace, rtol=1e-12)


def positive(key, d=5):
    A = jax.random.normal(key, (d, d))
    return A @ A.T / d + 0.1 * jnp.eye(d)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_stationary_solves_the_discrete_lyapunov_equation(share):
    hessian, N = positive(jax.random.key(4)), positive(jax.random.key(5))
    rate = share * 2 / float(jnp.linalg.eigvalsh(hessian)[-1])
    oracle = scipy.linalg.solve_discrete_lyapunov(np.eye(5) - rate * np.asarray(hessian), rate**2 * np.asarray(N))
    found = gradient_noise.stationary(hessian, N, rate)
    np.testing.assert_allclose(found.covariance, oracle, rtol=1e-9, atol=1e-12 * np.abs(oracle).max())
    np.testing.assert_allclose(found.excess_loss, 0.5 * np.trace(np.asarray(hessian) @ oracle), rtol=1e-9)


def test_small_rates_give_the_continuous_equation_and_the_next_order_is_linear():
    hessian, N = positive(jax.random.key(4)), positive(jax.random.key(5))
    oracle = scipy.linalg.solve_continuous_lyapunov(np.asarray(hessian), np.asarray(N))
    errors = [np.abs(gradient_noise.stationary(hessian, N, rate).covariance / rate - oracle).max() for rate in (2e-4, 1e-4)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=1e-3)


def test_one_direction_diverges_at_the_edge_like_a_pole():
    one = jnp.ones((1, 1))
    sizes = [float(gradient_noise.stationary(one, one, 2 - gap).covariance[0, 0]) * gap for gap in (1e-3, 1e-6)]
    np.testing.assert_allclose(sizes, 2.0, rtol=1e-3)  # eta / (2 - eta), times the gap: to 2


REGRESSORS = jax.random.normal(jax.random.key(6), (12, 3)) @ jnp.diag(jnp.array([2.0, 1.0, 0.5]))
H = np.asarray(REGRESSORS.T @ REGRESSORS / 12)


def moved(C, rate, batch, targets):
    """One exact step of the covariance about the minimum, by gradients of single samples at points that have it."""
    x, y = np.asarray(REGRESSORS), np.asarray(targets)
    w = np.linalg.lstsq(x, y, rcond=None)[0][:, 0]
    total = np.zeros((3, 3))
    for delta in np.sqrt(3) * np.vstack([np.linalg.cholesky(C).T, -np.linalg.cholesky(C).T]):
        rows = x * (x @ (w + delta) - y[:, 0])[:, None]
        step = delta - rate * rows.mean(axis=0)
        total += np.outer(step, step) + rate**2 * np.cov(rows.T, bias=True) / batch
    return total / 6


@pytest.mark.parametrize("batch", [1, 4])
def test_mean_squares_shrink_below_the_limit_and_grow_above(batch):
    exact_fit = REGRESSORS @ jnp.ones((3, 1))  # no noise at the minimum
    limit, factors = gradient_noise.mean_square_limit(REGRESSORS, batch), []
    for side in (0.999, 1.001):
        C = np.eye(3)
        for _ in range(100):
            C = moved(C / np.trace(C), side * limit, batch, exact_fit)
        factors.append(np.trace(C))
    assert 0.99 < factors[0] < 1 < factors[1] < 1.01


def test_the_limit_rises_with_the_batch_to_that_of_descent():
    limits = [gradient_noise.mean_square_limit(REGRESSORS, batch) for batch in (1, 2, 4, 8, 16, 10**9)]
    assert np.all(np.diff(limits) > 0)
    assert limits[-1] == pytest.approx(2 / np.linalg.eigvalsh(H)[-1], rel=1e-6)


def test_one_input_is_solved_by_hand():
    # x^2 is 1 or 4: E x^2 = 2.5 and E x^4 = 8.5; descent on single samples tolerates 2 E x^2 / E x^4
    assert gradient_noise.mean_square_limit(jnp.array([[1.0], [2.0]]), 1) == pytest.approx(2 * 2.5 / 8.5)
