"""Diagonal linear networks: the potential, its minimizer, and the flow that both speak of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from learndyn import diagonal, flows, losses


def problem(seed, n=4, d=9):
    keys = jax.random.split(jax.random.key(seed))
    return jax.random.normal(keys[0], (n, d)), jax.random.normal(keys[1], (n,))


def least_l1(X, y):
    both = linprog(np.ones(2 * X.shape[1]), A_eq=np.hstack([X, -X]), b_eq=y).x
    return both[: X.shape[1]] - both[X.shape[1] :]


def test_the_start_is_the_zero_function():
    params = diagonal.start(3, scale=0.7)
    assert jnp.all(diagonal.coefficients(params) == 0)
    params["u"] = jnp.array([2.0, 0.7, 0.0])
    np.testing.assert_allclose(diagonal.coefficients(params), [3.51, 0, -0.49], atol=1e-15)
    np.testing.assert_allclose(diagonal.apply(params, jnp.eye(3)[:2]), [[3.51], [0]], atol=1e-15)


@pytest.mark.parametrize("scale", [1e-3, 0.3, 20.0])
def test_the_potential_is_zero_at_zero_and_its_gradient_is_the_inverse_sinh(scale):
    beta = jnp.array([0.0, 1e-6, -0.4, 3.0])
    assert diagonal.potential(0 * beta, scale) == 0
    np.testing.assert_allclose(jax.grad(diagonal.potential)(beta, scale), jnp.arcsinh(beta / (2 * scale**2)), rtol=1e-10)


def test_limits_of_the_potential():
    beta = jnp.array([0.5, -2.0, 0.0, 1.25])
    scale = 1e3  # the next term of the series is 1 / (48 scale^4)
    np.testing.assert_allclose(4 * scale**2 * diagonal.potential(beta, scale), beta @ beta, rtol=1e-11)
    for scale in (1e-3, 1e-6, 1e-50):  # |beta| (log(|beta|/scale^2) - 1) + O(scale^2), from arsinh z = log 2z + O(1/z^2)
        size = jnp.abs(beta[beta != 0])
        expected = jnp.sum(size * (jnp.log(size) - 2 * np.log(scale) - 1)) + 2 * scale**2 * len(size)
        np.testing.assert_allclose(diagonal.potential(beta, scale), expected, rtol=1e-10)


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_a_solver_that_knows_only_the_potential_finds_the_same_minimizer(scale):
    X, y = problem(0)
    found = diagonal.minimizer(X, y, scale)
    null = np.linalg.svd(X)[2][len(y) :].T  # beta = least squares + null z: an unconstrained problem in z
    origin = np.linalg.pinv(X) @ y
    value = jax.jit(jax.value_and_grad(lambda z: diagonal.potential(origin + null @ z, scale)))
    other = minimize(lambda z: jax.tree.map(np.asarray, value(z)), np.zeros(null.shape[1]), jac=True, options={"gtol": 1e-12})
    np.testing.assert_allclose(found.beta, origin + null @ other.x, atol=1e-7)
    assert found.infeasibility < 1e-12 and found.stationarity < 1e-12


@pytest.mark.parametrize("scale", [0.2, 1.0])
def test_the_flow_ends_at_the_minimizer(scale):
    X, y = problem(1)
    loss = losses.squared_loss(diagonal.apply, X, y[:, None])
    run = flows.gradient_flow(loss, diagonal.start(9, scale=scale), jnp.array([400.0]), rtol=1e-11, atol=1e-13)
    assert run.observed[-1] < 1e-18
    np.testing.assert_allclose(diagonal.coefficients(run.params), diagonal.minimizer(X, y, scale).beta, atol=1e-8)


def test_small_scales_find_the_least_l1_norm_and_large_ones_the_least_l2_norm():
    X, y = problem(2)
    np.testing.assert_allclose(diagonal.minimizer(X, y, 1e-40).beta, least_l1(X, y), atol=1e-10)
    np.testing.assert_allclose(diagonal.minimizer(X, y, 1e3).beta, np.linalg.pinv(X) @ y, atol=1e-10)
    beta = diagonal.minimizer(jnp.array([[0.5, 1.0]]), jnp.array([1.1]), 1e-8).beta  # by hand: all on the larger input
    np.testing.assert_allclose(beta, [0.0, 1.1], atol=1e-7)


def test_sparse_solutions_are_found_at_small_scales():
    """The multipliers are then not unique in the limit, and the matrix of Newton's method is nearly singular."""
    X, _ = problem(3, n=20, d=30)
    truth = jnp.zeros(30).at[jnp.array([2, 11])].set(jnp.array([1.0, -0.5]))
    found = diagonal.minimizer(X, X @ truth, 1e-10)
    np.testing.assert_allclose(found.beta, truth, atol=1e-9)


def test_many_at_once_are_as_one_by_one():
    X, y = problem(4)
    scales = jnp.array([1e-8, 0.1, 3.0])
    many = jax.vmap(lambda scale: diagonal.minimizer(X, y, scale))(scales)
    for k, scale in enumerate(scales):
        np.testing.assert_allclose(many.beta[k], diagonal.minimizer(X, y, scale).beta, atol=1e-12)


def test_targets_of_zero_need_no_step():
    X, y = problem(5)
    found = diagonal.minimizer(X, 0 * y, 0.1)
    assert found.steps == 0 and jnp.all(found.beta == 0)


def test_what_does_not_converge_raises():
    X, y = problem(6)
    with pytest.raises(RuntimeError, match=r"did not converge in max_steps = 2 steps at scale = 1e-06"):
        diagonal.minimizer(X, y, 1e-6, max_steps=2)
    with pytest.raises(Exception, match="did not converge in 2 steps"):
        jax.block_until_ready(jax.vmap(lambda s: diagonal.minimizer(X, y, s, max_steps=2))(jnp.array([1e-6])))
