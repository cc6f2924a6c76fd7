"""The saddles of diagonal linear networks: conditions that make them what they are, cases known in closed form, the flow."""

import jax.numpy as jnp
import numpy as np
import pytest

from learndyn import flows, pesme_flammarion


def design(seed, n=20, d=6, correlation=0.0):
    rng = np.random.default_rng(seed)
    X = np.sqrt(1 - correlation) * rng.normal(size=(n, d)) + np.sqrt(correlation) * rng.normal(size=(n, 1))
    return jnp.asarray(X), jnp.asarray(X @ rng.normal(size=d) + 0.3 * rng.normal(size=n))


def test_uncorrelated_features_are_learned_each_at_its_own_time():
    """X'X = nI: the coefficient i jumps to X'y/n at 1/|X'y/n|, and nothing else moves."""
    X = np.linalg.qr(np.random.default_rng(1).normal(size=(9, 4)))[0] * 3
    beta = np.array([0.5, -2.0, 1.0, -0.25])
    found = pesme_flammarion.saddles(jnp.asarray(X), jnp.asarray(X @ beta))
    np.testing.assert_allclose(found.times, [1 / 2, 1, 2, 4], rtol=1e-13)
    np.testing.assert_allclose(found.coefficients[2], [0, -2, 1, 0], atol=1e-13)
    np.testing.assert_allclose(found.losses, [0.5 * 5.3125, 0.5 * 1.3125, 0.5 * 0.3125, 0.5 * 0.0625, 0], atol=1e-13)


@pytest.mark.parametrize("seed", range(12))
def test_each_saddle_is_the_minimizer_with_the_signs_that_the_dual_allows(seed):
    X, y = design(seed, correlation=0.8)
    found = pesme_flammarion.saddles(X, y)
    gradients = (found.coefficients @ X.T - y[None]) @ X / len(y)
    at_wall = jnp.abs(found.duals) == 1
    assert jnp.all((found.coefficients == 0) | at_wall)
    assert jnp.all(found.coefficients * found.duals >= 0)
    assert jnp.max(jnp.abs(jnp.where(found.coefficients != 0, gradients, 0))) < 1e-12
    assert jnp.all(jnp.where((found.coefficients == 0) & at_wall, gradients * found.duals, 0) >= -1e-12)  # inward
    assert jnp.all(jnp.diff(found.losses) < 0)
    # s is minus the integral of the gradient, and the time the sum of the waits
    steps = -jnp.diff(found.times, prepend=0)[:, None] * gradients[:-1]
    assert jnp.max(jnp.abs(jnp.diff(found.duals, axis=0) - steps)) < 1e-11
    assert jnp.allclose(found.coefficients[-1], jnp.linalg.lstsq(X, y)[0], atol=1e-10)


def test_some_coordinate_jumps_and_returns():
    X, y = design(31, correlation=0.8)
    assert pesme_flammarion.saddles(X, y).returned.any()


def test_the_last_saddle_of_an_underdetermined_problem_has_the_least_l1_norm():
    X, y = design(3, n=4, d=9)
    found = pesme_flammarion.saddles(X, y)
    assert found.losses[-1] < 1e-25
    # the dual certificate: X' nu is 1 in size where beta is not zero, with its sign, and at most 1 elsewhere
    nu = jnp.linalg.lstsq(X.T, found.duals[-1])[0]
    assert jnp.max(jnp.abs(X.T @ nu - found.duals[-1])) < 1e-11
    assert jnp.all(jnp.abs(found.duals[-1]) <= 1)


def test_the_flow_from_a_vanishing_start_waits_where_the_saddles_are():
    X, y = design(4, n=12, d=4)
    found, scale = pesme_flammarion.saddles(X, y), 1e-6
    loss = lambda p: 0.5 * jnp.mean((X @ (p["u"] * p["v"]) - y) ** 2)
    middle = np.log(1 / scale) * 0.5 * (found.times[:-1] + found.times[1:])
    start = {"u": jnp.full(4, 2**0.5 * scale), "v": jnp.zeros(4)}
    long = np.diff(found.times) > 0.2  # a wait shorter than a jump is no plateau
    flow = flows.gradient_flow(loss, start, middle)
    assert long.sum() >= 2
    np.testing.assert_allclose(flow.observed[long], found.losses[1:-1][long], rtol=1e-2)


def test_too_many_jumps_are_an_error():
    with pytest.raises(RuntimeError, match="max_jumps = 2"):
        pesme_flammarion.saddles(*design(0), max_jumps=2)


def test_nothing_to_learn_has_no_jumps():
    X, y = design(0)
    found = pesme_flammarion.saddles(X, 0 * y)
    assert found.times.shape == (0,) and found.jumped.shape == (0, 6) and found.losses.tolist() == [0]
