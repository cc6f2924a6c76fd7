"""Sharpness along a run: against the Hessian written out at every step, and against descent without it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

from learndyn import curvature, datasets, descent, flows, kernels, losses, models

KEY = jax.random.key(0)


@functools.cache
def network(rate, steps):
    """A small network on digits, and its three largest eigenvalues at every step of descent, from all of the Hessian."""
    data = datasets.digits(train=60, key=KEY)
    X, y = data.X[:, ::7], data.y
    model = models.mlp((X.shape[1], 8, y.shape[1]), activation="tanh", parametrization="standard")
    whole = losses.squared_loss(model.apply, X, y)
    loss = lambda p: whole(p) / 60
    params = model.init(key=jax.random.key(1))
    flat, unravel = ravel_pytree(params)
    of_flat = lambda q: loss(unravel(q))

    def step(q, _):
        return q - rate * jax.grad(of_flat)(q), jnp.linalg.eigvalsh(jax.hessian(of_flat)(q))[::-1][:3]

    exact = jax.jit(lambda q: jax.lax.scan(step, q, None, length=steps + 1)[1])(flat)
    return model, X, y, loss, params, exact


@pytest.mark.parametrize("rate, typical, later", [(0.05, 5e-5, 1e-5), (0.4, 5e-4, 1e-2)])
def test_every_step_of_a_run(rate, typical, later):
    _, _, _, loss, params, exact = network(rate, 400)
    run = curvature.descend(loss, params, optax.sgd(rate), 400)
    late = float(jnp.mean(exact[-100:, 0])) * rate / 2
    assert late < 0.5 if rate < 0.4 else 0.95 < late < 1.05  # the second run is at the edge, and the first is not
    errors = np.abs(run.sharpness / exact[:, 0] - 1)
    # In the first steps, from above the edge, the Hessian halves from one to the next.
    assert errors.max() < 0.03 and errors[30:].max() < later
    assert errors.mean() < typical and np.median(errors) < 1e-5
    # A step's gradient, and two for each product: less than four gradients in all.
    assert 1 + 2 * run.products.mean() < 4
    assert np.all(run.residuals <= 0.101 * run.sharpness)


def test_the_steps_are_those_of_descent():
    model, X, y, loss, params, _ = network(0.4, 400)
    optimizer = optax.sgd(0.05, momentum=0.9, nesterov=True)
    run = curvature.descend(loss, params, optimizer, 60, every=20, observe=lambda p: {"half": 0.5 * loss(p)})
    plain = descent.descend(loss, params, optimizer, 60)
    np.testing.assert_allclose(run.loss, plain.observed, rtol=1e-12)
    np.testing.assert_allclose(run.trajectory.observed["half"], 0.5 * plain.observed[::20], rtol=1e-12)
    np.testing.assert_array_equal(run.trajectory.times, [0, 20, 40, 60])
    for a, b in zip(jax.tree.leaves(run.trajectory.params), jax.tree.leaves(plain.params)):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_a_run_goes_on():
    _, _, _, loss, params, _ = network(0.4, 400)
    optimizer = optax.sgd(0.1, momentum=0.5)
    whole = curvature.descend(loss, params, optimizer, 80)
    first = curvature.descend(loss, params, optimizer, 40)
    second = curvature.descend(
        loss, first.trajectory.params, optimizer, 40, state=first.trajectory.stats["state"], pairs=first.pairs
    )
    np.testing.assert_allclose(second.loss, whole.loss[40:], rtol=1e-10)
    np.testing.assert_allclose(second.sharpness, whole.sharpness[40:], rtol=1e-4)


def test_many_runs_at_once_some_of_which_diverge():
    _, _, _, loss, params, _ = network(0.4, 400)
    rates = jnp.array([0.05, 0.2])
    runs = jax.vmap(lambda rate: curvature.descend(loss, params, optax.sgd(rate), 40))(rates)
    alone = curvature.descend(loss, params, optax.sgd(0.2), 40)
    np.testing.assert_allclose(runs.sharpness[1], alone.sharpness, rtol=1e-6)
    quartic = lambda p: jnp.sum(p**4)
    with pytest.raises(FloatingPointError, match=r"not finite at step \d+ of 30; the learning rate"):
        curvature.descend(quartic, jnp.ones(5), optax.sgd(1.0), 30)
    blown = jax.vmap(lambda rate: curvature.descend(quartic, jnp.ones(5), optax.sgd(rate), 30))(jnp.array([0.01, 1.0]))
    assert np.isfinite(blown.sharpness[0]).all() and not np.isfinite(blown.sharpness[1, -1])


def test_an_eigenvalue_that_overtakes_is_noticed():
    """Two eigenvectors that no product connects: only the turn of the second one tells."""
    operator = lambda t: lambda v: jnp.concatenate([jnp.array([2 - t, 1 + t]), jnp.full(8, 0.3)]) * v
    pairs = curvature.top_eigenpairs(operator(0.0), jnp.zeros(10), 3, key=KEY)
    follow = jax.jit(lambda pairs, t, also: curvature.follow(operator(t), pairs, also=also))
    products = 0
    for i in range(100):
        pairs = follow(pairs, i / 100, 1 + i // 4 % 2 if i % 4 == 0 else 0)
        products += int(pairs.products)
        if abs(i - 50) > 10:
            np.testing.assert_allclose(pairs.values[0], max(2 - i / 100, 1 + i / 100), rtol=1e-12)
    assert products == 125


@pytest.mark.parametrize("values", [np.zeros(6), np.ones(6), -np.arange(1.0, 7.0), np.array([3.0, 2.0, 1.0])])
def test_following_what_stands_still(values):
    operator = lambda v: jnp.asarray(values) * v
    k = 3
    pairs = curvature.top_eigenpairs(operator, jnp.zeros(len(values)), k, key=KEY)
    follow = jax.jit(lambda pairs, also: curvature.follow(operator, pairs, also=also))
    for also in (0, 1, 2) * 3:
        pairs = follow(pairs, also)
        np.testing.assert_allclose(pairs.values, np.sort(values)[::-1][:k], atol=1e-14)
        np.testing.assert_allclose(pairs.vectors @ pairs.vectors.T, np.eye(k), atol=1e-14)
        assert pairs.products == 1 + (also > 0) and pairs.converged


def test_one_product_leaves_an_error_of_third_order():
    """In the change of the operator; a Rayleigh quotient with the old eigenvector leaves one of second order."""
    A = jnp.diag(jnp.array([5.0, 3.0, 2.0, 0.0, 0.0, 0.0]))
    B = jax.random.normal(jax.random.key(3), (6, 6))
    B = B + B.T
    pairs = curvature.top_eigenpairs(lambda v: A @ v, jnp.zeros(6), 3, key=KEY)
    follow = jax.jit(lambda C: curvature.follow(lambda v: C @ v, pairs))
    errors, rayleigh = [], []
    for size in (0.02, 0.01):
        C = A + size * B
        exact = np.linalg.eigvalsh(C)[-1]
        found = follow(C)
        assert found.products == 1
        errors.append(abs(float(found.values[0]) - exact))
        rayleigh.append(abs(float(C[0, 0]) - exact))
    assert 2.8 < np.log2(errors[0] / errors[1]) < 4.2 and errors[1] < 0.1 * rayleigh[1]


def test_cumulative_alignment():
    Q = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]
    K = jnp.asarray(Q @ np.diag(np.arange(8.0, 0, -1)) @ Q.T)
    y = jnp.asarray(Q[:, [1]] * 3 + Q[:, [4]] * 4)
    np.testing.assert_allclose(curvature.cumulative_alignment(K, y), [0, 9 / 25, 9 / 25, 9 / 25, 1, 1, 1, 1], atol=1e-12)
    two = jnp.asarray(np.c_[Q[:, 0], 2 * Q[:, 7]])  # two outputs that share a kernel count together
    np.testing.assert_allclose(curvature.cumulative_alignment(K, two, 3), [0.2] * 3, rtol=1e-10)


def test_the_kernel_along_a_run():
    model, X, y, loss, params, _ = network(0.4, 400)
    look = curvature.kernel_observable(model.apply, X, y, 20)
    run = curvature.descend(loss, params, optax.sgd(0.4), 20, observe=look, every=10)
    seen = run.trajectory.observed
    assert seen.eigenvalues.shape == seen.cumulative_alignment.shape == (3, 20)
    K = kernels.empirical_ntk(model.apply)(run.trajectory.params, X)
    np.testing.assert_allclose(seen.eigenvalues[-1], np.linalg.eigvalsh(K)[::-1][:20], rtol=1e-9)
    np.testing.assert_allclose(seen.target_alignment[-1], kernels.target_alignment(K, y), rtol=1e-10)
    assert np.all(np.diff(seen.cumulative_alignment, axis=1) >= 0)
    flowed = flows.gradient_flow(loss, params, jnp.array([0.0, 0.1]), observe=look).observed
    np.testing.assert_allclose(flowed.eigenvalues[0], seen.eigenvalues[0], rtol=1e-10)
    batched = jax.vmap(look)(jax.tree.map(lambda p: jnp.stack([p, 2 * p]), params))
    np.testing.assert_allclose(batched.eigenvalues[0], seen.eigenvalues[0], rtol=1e-10)
