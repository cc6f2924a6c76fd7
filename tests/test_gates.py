"""Gates as an argument: the network's own kernel, the frozen network, the linear one."""

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import gates, kernels, models, teacher_student

PARAMS = teacher_student.student(5, 8, scale=0.7, ratio=0.6, key=jax.random.key(0))
PARAMS = jax.tree.map(lambda leaf: leaf + 0.1 * jax.random.normal(jax.random.key(1), leaf.shape), PARAMS)
X = teacher_student.inputs(12, 5, key=jax.random.key(2))
OTHER = (jax.random.uniform(jax.random.key(3), (12, 8)) > 0.4).astype(float)


def test_own_gates_make_the_relu_network():
    model = models.mlp((5, 8, 1), activation="relu", parametrization="standard")
    G = gates.pattern(PARAMS, X)
    assert set(np.unique(G)) == {0.0, 1.0}
    np.testing.assert_allclose(gates.outputs(PARAMS, X, G), model.apply(PARAMS, X), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(gates.kernel(PARAMS, X, G), kernels.empirical_ntk(model.apply)(PARAMS, X), rtol=1e-12, atol=1e-14)


def test_open_gates_make_the_linear_network():
    model = models.mlp((5, 8, 1), activation="linear", parametrization="standard")
    ones = jnp.ones((12, 8))
    np.testing.assert_allclose(gates.outputs(PARAMS, X, ones), model.apply(PARAMS, X), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(gates.kernel(PARAMS, X, ones), kernels.empirical_ntk(model.apply)(PARAMS, X), rtol=1e-12, atol=1e-14)


def test_any_gates_have_the_kernel_of_their_outputs():
    flat = jax.jacrev(lambda params: gates.outputs(params, X, OTHER)[:, 0])(PARAMS)
    J = jnp.concatenate([leaf.reshape(12, -1) for leaf in jax.tree.leaves(flat)], axis=1)
    np.testing.assert_allclose(gates.kernel(PARAMS, X, OTHER), J @ J.T, rtol=1e-12, atol=1e-14)
