"""Batch normalization: what it fixes, what it cannot see, and by how much its epsilon can."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from learndyn import batch_norm, conserved, symmetries

WIDTHS, FLAGS = (5, 4, 3, 4, 3), (True, True, False)
X = jax.random.normal(jax.random.key(0), (16, 5))
LABELS = jnp.arange(16) % 3


def network(epsilon=0.0):
    return batch_norm.mlp(WIDTHS, normalized=FLAGS, epsilon=epsilon)


def somewhere(key=1):
    """Parameters at which no gain is one and no shift or bias is zero."""
    params = network().init(key=jax.random.key(key))
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.key(2), len(leaves))
    return tree.unflatten([p + 0.3 * jax.random.normal(k, p.shape) for p, k in zip(leaves, keys)])


def cross_entropy(model):
    return lambda p: -jnp.mean(jax.nn.log_softmax(model.apply(p, X))[jnp.arange(16), LABELS])


def test_columns_have_mean_zero_and_variance_one():
    z = batch_norm.normalize(3.0 * X + 7.0, epsilon=0.0)
    np.testing.assert_allclose(z.mean(axis=0), 0.0, atol=1e-14)
    np.testing.assert_allclose(z.var(axis=0), 1.0, rtol=1e-12)


@pytest.mark.parametrize("epsilon", [0.0, 1e-5, 0.3])
def test_a_length_is_seen_by_epsilon_alone(epsilon):
    """d z_hat / d log c = z_hat epsilon / (variance + epsilon)."""
    seen = jax.jvp(lambda c: batch_norm.normalize(c * X, epsilon=epsilon), (1.0,), (1.0,))[1]
    z_hat = batch_norm.normalize(X, epsilon=epsilon)
    np.testing.assert_allclose(seen, z_hat * epsilon / (X.var(axis=0) + epsilon)[None, :], atol=1e-14)


def test_the_symmetries_that_the_docstring_lists():
    """Each generator, as a direction made by hand from random numbers per neuron; at epsilon > 0 the scale goes."""
    params, model = somewhere(), network()
    first, second, third, last = params
    c = [jax.random.normal(jax.random.key(10 + k), (m,)) for k, m in enumerate((4, 3, 4, 3, 4, 4, 1))]
    zero = jax.tree.map(jnp.zeros_like, params)
    put = lambda level, **leaves: tuple(z | leaves if k == level else z for k, z in enumerate(zero))
    add = lambda *trees: jax.tree.map(lambda *leaves: sum(leaves), *trees)
    directions = {
        "scale 1": put(0, W=c[0][:, None] * first["W"]),
        "scale 2": put(1, W=c[1][:, None] * second["W"]),
        "rescale 1": add(put(0, gain=c[2] * first["gain"], shift=c[2] * first["shift"]), put(1, W=-second["W"] * c[2][None, :])),
        "rescale 2": add(put(1, gain=c[3] * second["gain"], shift=c[3] * second["shift"]), put(2, W=-third["W"] * c[3][None, :])),
        "rescale 3": add(put(2, W=c[4][:, None] * third["W"], b=c[4] * third["b"]), put(3, W=-last["W"] * c[4][None, :])),
        "translation": put(3, W=jnp.ones((3, 1)) * c[5][None, :], b=jnp.ones(3) * c[6]),
    }
    for name, direction in directions.items():
        cosine = conserved.constraint(cross_entropy(model), lambda p, d=direction: d)(params).cosine
        assert abs(cosine) < 1e-13, name
        seen = conserved.constraint(cross_entropy(network(epsilon=0.1)), lambda p, d=direction: d)(params).cosine
        assert (abs(seen) > 1e-4) == name.startswith("scale"), name


def test_no_other_symmetry_is_found():
    """One scale for each of the two hidden neurons, and one rescale for each; a linear output has no translation."""
    model = batch_norm.mlp((3, 2, 2), epsilon=0.0)
    inputs = jax.random.normal(jax.random.key(3), (12, 3))
    found = symmetries.find(
        lambda p: model.apply(p, inputs), model.init(key=jax.random.key(4)), key=jax.random.key(5), among="layers"
    )
    assert found.dimension == 4


def test_it_starts_as_documented():
    first, second, third, last = network().init(key=jax.random.key(6))
    assert jnp.all(first["gain"] == 1) and jnp.all(second["shift"] == 0) and jnp.all(third["b"] == 0)
    assert set(first) == {"W", "gain", "shift"} and set(third) == set(last) == {"W", "b"}
    wide = batch_norm.mlp((400, 300)).init(key=jax.random.key(7))
    assert float(wide[0]["W"].var()) == pytest.approx(2 / 400, rel=0.02)


def test_without_normalized_layers_it_is_a_plain_network():
    model = batch_norm.mlp((5, 4, 2), normalized=(False,))
    params = model.init(key=jax.random.key(8))
    h = jax.nn.relu(X @ params[0]["W"].T + 0.0)
    np.testing.assert_allclose(model.apply(params, X), h @ params[1]["W"].T, rtol=1e-14)
