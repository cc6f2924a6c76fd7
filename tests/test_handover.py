"""A handover solves the linearized problem it says it solves, the rule sees the past alone, and the price adds up."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from learndyn import handover, kernels, losses, models

MODEL = models.mlp((3, 7, 2), activation="tanh")
PARAMS = MODEL.init(key=jax.random.key(0))
X = jax.random.normal(jax.random.key(1), (6, 3))
X_OTHER = jax.random.normal(jax.random.key(2), (4, 3))
Y = jax.random.normal(jax.random.key(3), (6, 2))
RIDGES = jnp.array([1e-6, 0.1, 10.0])


def test_the_jacobian_squares_to_the_kernel():
    J = handover.jacobian(MODEL.apply, PARAMS, X)
    np.testing.assert_allclose(J @ J.T, kernels.empirical_ntk(MODEL.apply)(PARAMS, X), atol=1e-12)


def test_the_displacement_minimizes_the_damped_linear_loss():
    done = handover.solve(MODEL.apply, PARAMS, X, Y, X_OTHER, ridges=RIDGES)
    theta, unravel = ravel_pytree(PARAMS)
    linear = kernels.linearize(MODEL.apply, PARAMS)

    for displacement, ridge, train, other in zip(done.displacement, done.ridges, done.train, done.other):
        there = unravel(theta + displacement)
        np.testing.assert_allclose(train, linear(there, X), atol=1e-9)
        np.testing.assert_allclose(other, linear(there, X_OTHER), atol=1e-9)
        loss = losses.squared_loss(linear, X, Y)
        slope = ravel_pytree(jax.grad(loss)(there))[0] + ridge * displacement
        assert jnp.abs(slope).max() < 1e-9 * (1 + ridge)
    np.testing.assert_allclose(done.train[0], Y, atol=1e-3)  # almost no ridge, 37 weights, 12 numbers: fitted
    np.testing.assert_allclose(done.ridges, RIDGES * jnp.trace(done.kernel) / 12)


def test_without_a_ridge_it_is_where_the_kernel_flow_ends():
    done = handover.solve(MODEL.apply, PARAMS, X, Y, X_OTHER, ridges=jnp.array([1e-12]))
    ntk, f = kernels.empirical_ntk(MODEL.apply), MODEL.apply
    flow = kernels.kernel_flow(
        ntk(PARAMS, X), Y, f(PARAMS, X), jnp.array([1e9]), K_test=ntk(PARAMS, X_OTHER, X), f0_test=f(PARAMS, X_OTHER)
    )
    np.testing.assert_allclose(done.other[0], flow.test[0], atol=1e-6)


def test_solve_under_jit_and_vmap():
    plain = handover.solve(MODEL.apply, PARAMS, X, Y, X_OTHER, ridges=RIDGES)
    run = jax.jit(jax.vmap(lambda y: handover.solve(MODEL.apply, PARAMS, X, y, X_OTHER, ridges=RIDGES)))
    np.testing.assert_allclose(run(jnp.stack([Y, 2 * Y])).displacement[0], plain.displacement, atol=1e-8)


def test_velocity_is_first_order_and_blind_to_scale():
    A, B = jnp.diag(jnp.array([1.0, 1.0])) / 2**0.5, jnp.array([[0.0, 1.0], [1.0, 0.0]]) / 2**0.5
    turn = lambda angles: jnp.stack([(2 + t) * (jnp.cos(t) * A + jnp.sin(t) * B) for t in angles])
    for pieces in (20, 40):
        times = jnp.linspace(0.0, 1.0, pieces + 1)
        np.testing.assert_allclose(handover.velocity(turn(0.8 * times), times), 0.8 / 2**0.5, rtol=1e-3)
    distance = kernels.kernel_distance(*turn(jnp.array([0.0, 0.3])))
    v = handover.velocity(turn(jnp.array([0.0, 0.3])), jnp.array([1.0, 3.0]))
    np.testing.assert_allclose(v[0], distance**0.5 / 2)


@pytest.mark.parametrize("patience, check", [(1, 2), (2, 5), (3, 6)])
def test_first_calm(patience, check):
    velocities = np.array([0.9, 0.1, 0.8, 0.1, 0.1, 0.5])
    assert handover.first_calm(velocities, 0.3, patience=patience) == check
    # what comes later does not matter
    if check < 6:
        assert handover.first_calm(np.append(velocities[:check], 9.0), 0.3, patience=patience) == check


def test_the_price_adds_up():
    assert handover.price(3, samples=100) == 300
    assert handover.price(0.5, samples=100, outputs=10, checks=2, probes=8, solves=1, validation=20) == 50 + 160 + 1200
