"""Deep linear networks: the closed form of a mode against quadrature and flow, the saddles against autodiff."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.integrate import quad, solve_ivp

from learndyn import deep_linear, losses, models
from learndyn.flows import gradient_flow

TARGET = jax.random.normal(jax.random.key(0), (4, 3))
SINGULAR = jnp.linalg.svd(TARGET, compute_uv=False)
COST = deep_linear.cost(deep_linear.Statistics(TARGET, jnp.eye(3), jnp.sum(TARGET**2)))


def loss(params):
    return COST(deep_linear.end_to_end(params))


def test_the_cost_is_the_squared_loss():
    X, y = jax.random.normal(jax.random.key(1), (9, 3)), jax.random.normal(jax.random.key(2), (9, 2))
    model = models.mlp((3, 5, 4, 2), activation="linear", parametrization="standard")
    params = model.init(key=jax.random.key(3))
    through_samples = losses.squared_loss(model.apply, X, y)(params)
    P = deep_linear.end_to_end(params)
    np.testing.assert_allclose(deep_linear.cost(deep_linear.statistics(X, y))(P), through_samples, rtol=1e-13)
    np.testing.assert_allclose(X @ P.T, model.apply(params, X), rtol=1e-12)


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("start", [1e-9, 1e-3, 0.9])
def test_the_time_is_the_integral_of_one_over_the_speed(depth, start):
    s, end = 1.7, 1.65
    inverse = lambda x: np.exp(x) / (depth * np.exp(x) ** (2 - 2 / depth) * (s - np.exp(x)))  # over the logarithm of u
    quadrature = quad(inverse, np.log(start), np.log(end), epsabs=0, epsrel=1e-12, limit=500)[0]
    np.testing.assert_allclose(deep_linear.mode_time(end, start, s, depth=depth), quadrature, rtol=1e-10)


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_modes_solve_their_equation(depth):
    s, u0, times = np.array([2.0, 0.5]), np.array([1e-2, 0.3]), np.linspace(0, 6, 13)
    speed = lambda t, u: depth * u ** (2 - 2 / depth) * (s - u)
    by_solver = solve_ivp(speed, (0, 6), u0, t_eval=times, method="DOP853", rtol=1e-12, atol=1e-14).y.T
    given = deep_linear.modes(jnp.asarray(times), jnp.asarray(s), jnp.asarray(u0), depth=depth)
    np.testing.assert_allclose(given, by_solver, rtol=1e-9)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_aligned_and_balanced_layers_move_mode_by_mode(depth):
    U, s, Vt = jnp.linalg.svd(TARGET, full_matrices=False)
    starts = jnp.array([0.02, 0.05, 0.01])
    begin = (U * starts[None]) @ Vt
    params = deep_linear.saddle(begin, range(3), width=6, depth=depth)  # balanced parameters of the matrix `begin`
    np.testing.assert_allclose(deep_linear.end_to_end(params), begin, atol=1e-15)
    times = jnp.linspace(0, 4, 9)
    strengths = lambda params: jnp.diag(U.T @ deep_linear.end_to_end(params) @ Vt.T)
    run = gradient_flow(loss, params, times, observe=strengths, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(run.observed, deep_linear.modes(times, s, starts, depth=depth), rtol=1e-7)


@pytest.mark.parametrize("learned", [[], [0], [2], [0, 2], [2, 1], [0, 1, 2]], ids=str)
@pytest.mark.parametrize("wide", [False, True])
def test_the_spectrum_of_a_saddle_is_that_of_the_hessian(learned, wide):
    target, width = (TARGET.T, 4) if wide else (TARGET, 3)
    inputs, outputs = target.shape[::-1]
    cost = deep_linear.cost(deep_linear.Statistics(target, jnp.eye(inputs), jnp.sum(target**2)))
    flat, unravel = ravel_pytree(deep_linear.saddle(target, learned, width=width))
    flat_loss = lambda z: cost(deep_linear.end_to_end(unravel(z)))
    assert jnp.max(jnp.abs(jax.grad(flat_loss)(flat))) < 1e-13
    missing = [i for i in range(3) if i not in learned]
    np.testing.assert_allclose(flat_loss(flat), 0.5 * jnp.sum(SINGULAR[jnp.array(missing, int)] ** 2), atol=1e-13)
    stated = deep_linear.saddle_spectrum(SINGULAR, learned, width=width, inputs=inputs, outputs=outputs)
    np.testing.assert_allclose(jnp.linalg.eigvalsh(jax.hessian(flat_loss)(flat)), stated, atol=1e-12)
    index = sum(width - len(learned) + sum(bool(SINGULAR[j] < SINGULAR[i]) for j in learned) for i in missing)
    assert np.sum(stated < -1e-9) == index


@pytest.mark.parametrize("learned", [[], [0], [0, 1]], ids=str)
def test_three_layers_leave_no_strict_saddle_on_the_staircase(learned):
    flat, unravel = ravel_pytree(deep_linear.saddle(TARGET, learned, width=4, depth=3))
    values = jnp.linalg.eigvalsh(jax.hessian(lambda z: loss(unravel(z)))(flat))
    assert values[0] > -1e-12


def test_effective_starts_predict_the_rise_from_a_random_start():
    params = deep_linear.initialize((3, 6, 4), scale=1e-7, key=jax.random.key(4))
    starts = deep_linear.effective_starts(params, TARGET)
    half = jnp.log(SINGULAR / starts - 1) / (2 * SINGULAR)
    U, _, Vt = jnp.linalg.svd(TARGET, full_matrices=False)
    strengths = lambda params: jnp.diag(U.T @ deep_linear.end_to_end(params) @ Vt.T)
    run = gradient_flow(loss, params, jnp.sort(half), observe=strengths, rtol=1e-9, atol=1e-20)
    np.testing.assert_allclose(jnp.diag(run.observed[jnp.argsort(jnp.argsort(half))]), SINGULAR / 2, rtol=2e-3)


def test_the_draw_has_the_variance_that_is_said():
    params = deep_linear.initialize((20, 300, 300, 20), scale=0.1, key=jax.random.key(5))
    assert [layer["W"].shape for layer in params] == [(300, 20), (300, 300), (20, 300)]
    for layer in params:
        np.testing.assert_allclose(jnp.std(layer["W"]), 0.1, rtol=0.05)
