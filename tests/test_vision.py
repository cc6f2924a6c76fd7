"""Small networks that see: against direct formulas, and against what they cannot tell apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from learndyn import vision

KEY = jax.random.key(0)
X = jax.random.normal(jax.random.key(1), (5, 64))


def test_cnn_is_the_convolution_of_the_library():
    net = vision.cnn(8, channels=(3, 4))
    params = jax.tree.map(lambda p: p + 0.1, net.init(key=KEY))  # offsets that are not zero
    h = X.reshape(-1, 8, 8, 1)
    for layer in params[:-1]:
        filters = layer["W"].reshape(3, 3, h.shape[-1], -1)
        h = jax.lax.conv_general_dilated(h, filters, (2, 2), ((1, 1), (1, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC"))
        h = jnp.tanh(h + layer["b"][None, None, None, :])
    expected = h.reshape(5, -1) @ params[-1]["W"] + params[-1]["b"][None, :]
    np.testing.assert_allclose(net.apply(params, X), expected, rtol=1e-12)


@pytest.mark.parametrize("axis", [1, 2], ids=["above and below", "left and right"])
def test_transformer_sees_the_order_of_patches_only_by_their_positions(axis):
    net = vision.vision_transformer(8, patch=4, blocks=2)
    params = net.init(key=KEY)
    swapped = jnp.flip(X.reshape(5, 2, 4, 2, 4), 2 * axis - 1).reshape(5, 64)  # halves of the image change places
    assert jnp.max(jnp.abs(net.apply(params, swapped) - net.apply(params, X))) > 1e-2
    positions = jnp.flip(params["position"].reshape(2, 2, -1), axis - 1).reshape(4, -1)
    np.testing.assert_allclose(net.apply(params | {"position": positions}, swapped), net.apply(params, X), atol=1e-12)


def test_transformer_attends():
    """One patch changes the tokens of the others: without attention the output is a sum over patches."""
    net = vision.vision_transformer(8, patch=4, outputs=3)
    params = net.init(key=KEY)

    def mixed_difference(params):
        a, b = jnp.zeros((1, 64)).at[0, 0].set(1.0), jnp.zeros((1, 64)).at[0, 63].set(1.0)
        f = lambda x: net.apply(params, x)
        return jnp.max(jnp.abs(f(a + b) - f(a) - f(b) + f(0 * a)))

    deaf = params | {"blocks": tuple(layer | {"mix": 0 * layer["mix"]} for layer in params["blocks"])}
    assert net.apply(params, X).shape == (5, 3)
    assert mixed_difference(deaf) < 1e-12 < 1e-4 < mixed_difference(params)


def test_normalization_is_blind_to_scale_and_shift():
    norm = {"gain": jnp.arange(1.0, 5), "offset": jnp.ones(4)}
    h = jax.random.normal(KEY, (2, 3, 4))
    np.testing.assert_allclose(vision._normalized(norm, 7 * h + 3), vision._normalized(norm, h), rtol=1e-3)
    unit = (vision._normalized(norm, h) - 1) / jnp.arange(1.0, 5)[None, None]
    np.testing.assert_allclose(jnp.std(unit, axis=-1), 1, rtol=1e-3)


@pytest.mark.parametrize("net", [vision.cnn(8), vision.vision_transformer(8, patch=2)], ids=["cnn", "transformer"])
def test_the_outputs_have_the_scale_of_one(net):
    outputs = jax.vmap(lambda key: net.apply(net.init(key=key), X))(jax.random.split(KEY, 50))
    assert 0.1 < jnp.std(outputs) < 2
