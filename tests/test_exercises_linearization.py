"""Each check accepts a right answer and tells typical wrong ones apart, by the property that they violate."""

import jax
import jax.numpy as jnp
import pytest

from learndyn.exercises import linearization as check


def two_layers(a, W, X1, X2):
    return X1 @ W.T @ W @ X2.T + jnp.sum(a**2) * X1 @ X2.T


def product(f, params, X, v):
    outputs, pull_back = jax.vjp(lambda p: f(p, X), params)
    return jax.jvp(lambda p: f(p, X), (params,), pull_back(v))[1]


def predicted(K, K_test, r0, f0_test, learning_rate, steps):
    values, vectors = jnp.linalg.eigh(K)
    total = sum((1 - learning_rate * values) ** k for k in range(steps)) if steps else 0 * values
    return f0_test - learning_rate * K_test @ (vectors @ (total * (vectors.T @ r0)))


def flow_instead(K, K_test, r0, f0_test, learning_rate, steps):
    values, vectors = jnp.linalg.eigh(K)
    integral = -jnp.expm1(-values * learning_rate * steps) / values
    return f0_test - K_test @ (vectors @ (integral * (vectors.T @ r0)))


def inverted(K, K_test, r0, f0_test, learning_rate, steps):
    left = jnp.eye(len(K)) - jnp.linalg.matrix_power(jnp.eye(len(K)) - learning_rate * K, steps)
    return f0_test - K_test @ jnp.linalg.inv(K) @ left @ r0


@pytest.mark.parametrize("checked, answer", [
    (check.check_two_layer_linear_ntk, two_layers),
    (check.check_kernel_vector_product, product),
    (check.check_descent_prediction, predicted),
])
def test_right_answers_pass(checked, answer, capsys):
    assert checked(answer) is None
    assert capsys.readouterr().out.startswith(checked.__name__)


@pytest.mark.parametrize("answer, violated", [
    (lambda a, W, X1, X2: jnp.sum(a**2) * X1 @ X2.T, "readout's part"),  # readout forgotten
    (lambda a, W, X1, X2: X1 @ W.T @ W @ X2.T, "first layer's part"),  # first layer forgotten
    (lambda a, W, X1, X2: (X1 @ W.T @ a)[:, None] * (X2 @ W.T @ a)[None, :], "readout's part"),  # outputs, not gradients
    (lambda a, W, X1, X2: two_layers(a, W, X2, X1), "shape"),  # transposed
    (lambda a, W, X1, X2: two_layers(a, W, X1, X2) + jnp.sum(a) * (X1 @ W.T).sum() * (X1 @ X2.T), "inner products"),
])
def test_wrong_two_layer_kernels(answer, violated):
    with pytest.raises(AssertionError, match=violated):
        check.check_two_layer_linear_ntk(answer)


@pytest.mark.parametrize("answer, violated", [
    (lambda f, params, X, v: product(f, params, X, v).ravel(), "shape"),
    (lambda f, params, X, v: -product(f, params, X, v), "positive semidefinite"),
    (lambda f, params, X, v: product(f, params, X, v) + 1.0, "linear"),
    (lambda f, params, X, v: product(f, params, X, v)[::-1], "symmetric"),
    (lambda f, params, X, v: jax.jvp(lambda p: f(p, X), (params,), (jax.tree.map(  # pulled back elsewhere
        lambda leaf: 2 * leaf, jax.vjp(lambda p: f(p, X), params)[1](v)[0]),))[1], "equal to J J' v"),
])
def test_wrong_products(answer, violated):
    with pytest.raises(AssertionError, match=violated):
        check.check_kernel_vector_product(answer)


@pytest.mark.parametrize("answer, violated", [
    (flow_instead, "one step"),
    (lambda *args: predicted(*args[:-1], args[-1] + 1), "no step"),  # one residual too many
    (lambda *args: 2 * args[3] - predicted(*args), "one step"),  # wrong sign
    (inverted, "repeated sample"),
])
def test_wrong_predictions(answer, violated):
    with pytest.raises(AssertionError, match=violated):
        check.check_descent_prediction(answer)
