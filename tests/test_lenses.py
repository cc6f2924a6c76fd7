"""Every lens on one run, against the definitions and against derivatives of the whole matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from learndyn import kernels, lenses, models
from learndyn.lenses import runs as followed

NETWORK = models.mlp((4, 3, 2), parametrization="standard")
X = jax.random.normal(jax.random.key(1), (7, 4))
Y = jax.random.normal(jax.random.key(2), (7, 2))
ONE = jax.tree.map(lambda leaf: 0.5 * leaf, NETWORK.init(key=jax.random.key(3)))
RATES = jnp.array([0.05, 0.2])
START = jax.tree.map(lambda leaf: jnp.stack([leaf, 1.5 * leaf]), ONE)
STEPS = 30


def loss_of(start):
    targets = Y + NETWORK.apply(start, X)
    return lambda params: jnp.sum((NETWORK.apply(params, X) - targets) ** 2) / 14


@pytest.fixture(scope="module")
def seen():
    return lenses.watch(START, X, Y, RATES, steps=STEPS, key=jax.random.key(4))


@pytest.fixture(scope="module")
def runs():
    """The same steps, one by one: parameters, gradient, Hessian."""
    found = []
    for e in range(2):
        start = jax.tree.map(lambda leaf: leaf[e], START)
        flat, unravel = ravel_pytree(start)
        loss = lambda v, start=start, unravel=unravel: loss_of(start)(unravel(v))
        slope, hessian, path = jax.jit(jax.grad(loss)), jax.jit(jax.hessian(loss)), []
        for _ in range(STEPS):
            path.append((unravel(flat), loss(flat), hessian(flat)))
            flat = flat - RATES[e] * slope(flat)
        found.append(path)
    return found


def test_what_needs_no_derivative_is_what_the_definitions_say(seen, runs):
    balance = lambda p: jnp.sum(p[1]["W"] ** 2, axis=0) - jnp.sum(p[0]["W"] ** 2, axis=1)
    total = lambda p: jnp.sum(p[1]["W"] ** 2, axis=0) + jnp.sum(p[0]["W"] ** 2, axis=1)
    kernel = lambda p: 2 * kernels.empirical_ntk(NETWORK.apply, outputs="mean")(p, X)
    for e, path in enumerate(runs):
        first, (last, loss, _) = path[0][0], path[-1]
        np.testing.assert_allclose(seen.loss[-1, e], loss, rtol=1e-10)
        np.testing.assert_allclose(seen.kernel[-1, e], kernels.kernel_drift(kernel(last), kernel(first)), rtol=1e-8)
        np.testing.assert_allclose(seen.alignment[-1, e], kernels.target_alignment(kernel(last), Y), rtol=1e-8)
        moved = jnp.linalg.norm(balance(last) - balance(first)) / jnp.linalg.norm(total(first))
        np.testing.assert_allclose(seen.balance[-1, e], moved, rtol=1e-8)
        said = [np.outer(np.maximum(X @ w, 0), a) for w, a in zip(last[0]["W"], last[1]["W"].T)]
        residual = Y + NETWORK.apply(first, X) - NETWORK.apply(last, X)
        unit = [np.linalg.norm(w) * np.linalg.norm(a) for w, a in zip(last[0]["W"], last[1]["W"].T)]
        gains = [abs(np.sum(f * residual)) / (2 * 7 * u) for f, u in zip(said, unit)]
        np.testing.assert_allclose(seen.utility[-1, e], max(gains), rtol=1e-8)
        assert seen.active[-1, e] == np.mean([np.linalg.norm(f) > 0.1 * np.linalg.norm(Y) for f in said])


def test_the_sharpness_is_followed_by_two_products_a_step(seen, runs):
    for e, path in enumerate(runs):
        dense = [np.linalg.eigvalsh(H)[-1] for *_, H in path]
        np.testing.assert_allclose(seen.sharpness[0, e], dense[0], rtol=1e-8)
        v = np.linalg.eigh(path[0][2])[1][:, -1]
        for k, (*_, H) in enumerate(path):
            for _ in range(followed.FOLLOW):
                value = v @ H @ v
                v = H @ v + abs(value) * v
                v = v / np.linalg.norm(v)
            np.testing.assert_allclose(seen.sharpness[k, e], value, rtol=1e-6)
            assert value <= dense[k] * (1 + 1e-9)  # a quotient of Rayleigh's: it can lag and cannot overshoot


def test_the_followed_sharpness_does_not_lag_behind_small_steps():
    seen = lenses.watch(jax.tree.map(lambda leaf: leaf[None], ONE), X, Y, jnp.array([1e-3]), steps=20, key=jax.random.key(4))
    flat, unravel = ravel_pytree(ONE)
    loss = lambda v: loss_of(ONE)(unravel(v))
    for _ in range(19):
        flat = flat - 1e-3 * jax.grad(loss)(flat)
    dense = np.linalg.eigvalsh(jax.hessian(loss)(flat))[-1]
    assert abs(dense / seen.sharpness[0, 0] - 1) > 1e-3  # there is something to follow
    np.testing.assert_allclose(seen.sharpness[-1, 0], dense, rtol=1e-5)


def test_the_exponent_is_the_growth_under_the_dense_map(seen, runs):
    for e, path in enumerate(runs):
        values, vectors = np.linalg.eigh(path[0][2])
        v = vectors[:, np.argmax(np.abs(1 - RATES[e] * values))]
        for k, (*_, H) in enumerate(path):
            pushed = v - RATES[e] * H @ v
            np.testing.assert_allclose(seen.exponent[k, e], np.log(np.linalg.norm(pushed)) / RATES[e], rtol=1e-5, atol=1e-7)
            v = pushed / np.linalg.norm(pushed)


def test_the_rate_of_the_saddle_is_the_sharpness_and_the_exponent_of_a_vanishing_start():
    tiny = jax.tree.map(lambda leaf: 1e-4 * leaf[None], ONE)
    seen = lenses.watch(tiny, X, Y, jnp.array([1e-3]), steps=1, key=jax.random.key(5))
    rate = lenses.saddle_rate(tiny, X, Y)[0]
    np.testing.assert_allclose(seen.sharpness[0, 0], rate, rtol=1e-6)
    np.testing.assert_allclose(seen.exponent[0, 0], np.log1p(1e-3 * rate) / 1e-3, rtol=1e-6)


def test_the_end_of_the_tangent_model_is_where_its_descent_ends():
    flat, unravel = ravel_pytree(ONE)
    J = jax.jacobian(lambda v: NETWORK.apply(unravel(v), X).ravel())(flat)
    ends = lenses.tangent_end(ONE, X, Y, RATES, steps=25)
    for e, rate in enumerate(RATES):
        theta = flat
        for _ in range(25):
            theta = theta - rate * J.T @ (J @ (theta - flat) - Y.ravel()) / 7
        np.testing.assert_allclose(ravel_pytree(jax.tree.map(lambda leaf: leaf[e], ends))[0], theta, rtol=1e-9)


def test_own_samples_are_the_shared_ones_twice(seen):
    twice = lenses.watch(START, jnp.stack([X, X]), jnp.stack([Y, Y]), RATES, steps=STEPS, key=jax.random.key(4))
    np.testing.assert_allclose(twice.kernel, seen.kernel, rtol=1e-9, atol=1e-12)
    rates = lenses.saddle_rate(START, jnp.stack([X, 2 * X]), jnp.stack([Y, Y]))
    np.testing.assert_allclose(rates, lenses.saddle_rate(START, X, Y) * jnp.array([1.0, 2.0]), rtol=1e-12)


def test_departures_are_the_first_steps_outside_the_band():
    ramp = jnp.arange(6.0)[:, None] * jnp.array([[0.1, 0.0]])
    seen = lenses.Lenses(*(1 + ramp for _ in range(7)), ramp)
    when = lenses.departures(seen, band=0.25, window=1, rate=jnp.array([2.0, 2.0]))
    assert [int(v) for v in (when.loss[0], when.kernel[0], when.exponent[0])] == [3, 3, -1]
    assert all(int(v[1]) == -1 for v in when)
    lost = seen._replace(loss=seen.loss.at[4].set(jnp.nan))
    assert lenses.departures(lost, band=0.25, window=1, rate=jnp.ones(2)).loss.tolist() == [3, 4]


def test_a_finite_time_exponent_is_the_mean_of_its_window():
    values = jnp.array([1.0, 2.0, 4.0, 8.0])[:, None]
    assert lenses.finite_time(values, 2)[:, 0].tolist() == [1.0, 1.5, 3.0, 6.0]
