"""Filters of a least squares fit: against a solver, a matrix exponential, and draws of the noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from learndyn import spectral_filters as filters

N, D, NOISE = 30, 6, 0.3
X = np.asarray(jax.random.normal(jax.random.key(0), (N, D)))
W = np.asarray(jax.random.normal(jax.random.key(1), (D,)))
VALUES, V = np.linalg.eigh(X.T @ X)
LAMBDA = jnp.asarray(VALUES)


def fit_of(factors, y):
    return V @ (np.asarray(factors) * (V.T @ np.linalg.lstsq(X, y, rcond=None)[0]))


@pytest.mark.parametrize("time", [0.0, 0.003, 0.05, 2.0])
def test_the_flow_is_a_matrix_exponential(time):
    y = X @ W + 1.0
    # d/dt (w, 1) = [[-X'X, X'y], [0, 0]] (w, 1)
    generator = np.block([[-X.T @ X, (X.T @ y)[:, None]], [np.zeros((1, D + 1))]])
    flowed = scipy.linalg.expm(time * generator)[:D, D]
    np.testing.assert_allclose(fit_of(filters.stopped_flow(LAMBDA, time), y), flowed, atol=1e-11)


@pytest.mark.parametrize("penalty", [0.01, 1.0, 300.0])
def test_ridge_solves_the_penalized_equations(penalty):
    y = X @ W - 2.0
    solved = np.linalg.solve(X.T @ X + penalty * np.eye(D), X.T @ y)
    np.testing.assert_allclose(fit_of(filters.ridge(LAMBDA, penalty), y), solved, atol=1e-11)


def test_the_risk_is_the_mean_over_draws_of_the_noise():
    factors = filters.stopped_flow(LAMBDA, 0.03)
    kicks = NOISE**0.5 * np.asarray(jax.random.normal(jax.random.key(2), (20_000, N)))
    fits = np.asarray(factors) * ((X @ W + kicks) @ np.linalg.pinv(X).T @ V)
    misses = np.sum((fits - V.T @ W) ** 2, axis=1)
    error = misses.std() / len(misses) ** 0.5
    assert abs(misses.mean() - filters.risk(factors, LAMBDA, jnp.asarray((V.T @ W) ** 2), NOISE)) < 4 * error


def test_at_its_best_time_a_mode_gets_the_best_ridge():
    signal = jnp.asarray((V.T @ W) ** 2)
    at_best = filters.stopped_flow(LAMBDA, filters.best_time(LAMBDA, signal, NOISE))
    np.testing.assert_allclose(at_best, filters.ridge(LAMBDA, NOISE / signal), rtol=1e-12)
    for factor in (0.9, 1.1):  # of one mode alone, earlier and later are worse
        beside = filters.stopped_flow(LAMBDA, factor * filters.best_time(LAMBDA, signal, NOISE))
        for i in range(D):
            one = [filters.risk(f[i : i + 1], LAMBDA[i : i + 1], signal[i : i + 1], NOISE) for f in (at_best, beside)]
            assert one[0] < one[1]


def test_the_flow_costs_at_most_1_69_times_the_ridge_of_the_inverse_time():
    worst = 0.0
    for key in jax.random.split(jax.random.key(3), 50):
        spectrum, signal, scale = (10.0 ** jax.random.uniform(k, (8,), minval=-3, maxval=3) for k in jax.random.split(key, 3))
        times = jnp.geomspace(1e-4, 1e4, 200)[:, None]
        ratio = filters.risk(filters.stopped_flow(spectrum, times), spectrum, signal, scale[0])
        ratio /= filters.risk(filters.ridge(spectrum, 1 / times), spectrum, signal, scale[0])
        worst = max(worst, float(ratio.max()))
    assert 1.2 < worst < 1.6860  # ((1 - exp(-x)) (1 + x) / x)^2 at x = 1.793
