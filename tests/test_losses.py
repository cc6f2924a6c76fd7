"""The squared loss and the accuracy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from learndyn import losses, models

X = jax.random.normal(jax.random.key(200), (6, 4))
Y = jax.random.normal(jax.random.key(201), (6, 3))
MODEL = models.mlp((4, 5, 3), activation="tanh", bias_scale=0.2)
PARAMS = MODEL.init(key=jax.random.key(202))
LOSS = losses.squared_loss(MODEL.apply, X, Y)


def test_value_is_half_the_sum_of_squares():
    outputs, wanted = np.asarray(MODEL.apply(PARAMS, X)), 0.0
    for i in range(6):
        for a in range(3):
            wanted += (outputs[i, a] - float(Y[i, a])) ** 2 / 2
    assert LOSS(PARAMS) == pytest.approx(wanted, rel=1e-13)


def test_gradient_is_the_jacobian_transposed_times_the_residual():
    residual = MODEL.apply(PARAMS, X) - Y
    jacobian = jax.jacobian(MODEL.apply)(PARAMS, X)
    jax.tree.map(
        lambda g, J: np.testing.assert_allclose(g, np.einsum("na,na...->...", residual, J), rtol=1e-11, atol=1e-13),
        jax.grad(LOSS)(PARAMS),
        jacobian,
    )


def test_zero_exactly_where_the_targets_are_met():
    met = losses.squared_loss(MODEL.apply, X, MODEL.apply(PARAMS, X))
    assert met(PARAMS) == 0.0
    assert all(bool(jnp.all(g == 0)) for g in jax.tree.leaves(jax.grad(met)(PARAMS)))


def test_samples_add_up():
    parts = [losses.squared_loss(MODEL.apply, X[k], Y[k])(PARAMS) for k in (slice(0, 2), slice(2, 6))]
    assert sum(parts) == pytest.approx(float(LOSS(PARAMS)), rel=1e-13)


def test_works_under_jit_and_vmap_over_parameters():
    batch = jax.tree.map(lambda p: jnp.stack([p, 2 * p]), PARAMS)
    values = jax.jit(jax.vmap(LOSS))(batch)
    wanted = [LOSS(PARAMS), LOSS(jax.tree.map(lambda p: 2 * p, PARAMS))]
    np.testing.assert_allclose(values, wanted, rtol=1e-13)


def test_accuracy_counts():
    y = jnp.eye(4)[jnp.array([0, 1, 2, 3, 0])] - 0.25
    outputs = jnp.array([[5.0, 1, 1, 1], [0, -1, -2, -3], [0, 0, 0.1, 0], [1, 2, 3, 4], [-1, -2, -3, -4]])
    assert losses.accuracy(outputs, y) == pytest.approx(4 / 5)
    assert losses.accuracy(y, y) == 1.0
    assert losses.accuracy(-y, y) == 0.0
    assert losses.accuracy(10 * outputs - 3, y) == losses.accuracy(outputs, y)
