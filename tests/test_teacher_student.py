"""Teacher and student: norms, signs, twins, what training conserves, and the law of the inputs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from learndyn import flows, losses, models, teacher_student

KEY, OTHER = jax.random.key(600), jax.random.key(601)


def test_a_teacher_has_unit_rows_and_signs():
    hidden, readout = teacher_student.teacher(7, width=200, key=KEY)
    np.testing.assert_allclose(jnp.linalg.norm(hidden["W"], axis=1), 1, rtol=1e-14)
    assert hidden["W"].shape == (200, 7) and readout["W"].shape == (1, 200)
    assert set(np.asarray(readout["W"]).ravel()) == {-1.0, 1.0}
    assert abs(float(jnp.mean(readout["W"]))) < 4 / 200**0.5  # fair coins, to four standard errors


@pytest.mark.parametrize("scale, ratio", [(0.03, 1.0), (2.0, 0.5), (0.5, 3.0)])
def test_a_student_has_the_scale_the_ratio_and_the_twins(scale, ratio):
    hidden, readout = teacher_student.student(6, 10, scale=scale, ratio=ratio, key=KEY)
    W, a = hidden["W"], readout["W"][0]
    np.testing.assert_allclose(jnp.linalg.norm(W, axis=1), scale * ratio, rtol=1e-14)
    np.testing.assert_allclose(jnp.abs(a), scale / ratio, rtol=1e-14)
    np.testing.assert_allclose(a**2 - jnp.sum(W**2, axis=1), scale**2 * (ratio**-2 - ratio**2), atol=1e-14)
    np.testing.assert_array_equal(W[:5], W[5:])
    np.testing.assert_array_equal(a[:5], -a[5:])
    assert len(np.unique(np.asarray(W), axis=0)) == 5


def test_a_student_starts_at_zero_and_can_move():
    model = models.mlp((6, 10, 1), activation="relu", parametrization="standard")
    params, X = teacher_student.student(6, 10, scale=0.3, key=KEY), teacher_student.inputs(8, 6, key=OTHER)
    np.testing.assert_allclose(model.apply(params, X), 0, atol=1e-16)
    target = model.apply((params[0], {"W": jnp.abs(params[1]["W"])}), X)
    gradient = jax.grad(losses.squared_loss(model.apply, X, target))(params)
    assert all(float(jnp.max(jnp.abs(leaf))) > 1e-3 for leaf in jax.tree.leaves(gradient))


def test_the_imbalance_of_every_neuron_is_conserved():
    model = models.mlp((3, 4, 1), activation="relu", parametrization="standard")
    goal = models.mlp((3, 2, 1), activation="relu", parametrization="standard")
    X = teacher_student.inputs(20, 3, key=OTHER)
    y = goal.apply(teacher_student.teacher(3, width=2, key=jax.random.key(602)), X)
    params = teacher_student.student(3, 4, scale=0.5, ratio=0.7, key=KEY)
    run = flows.gradient_flow(losses.squared_loss(model.apply, X, y), params, jnp.array([0.0, 2.0]),
                              observe=lambda p: (p[1]["W"][0] ** 2 - jnp.sum(p[0]["W"] ** 2, axis=1), p[1]["W"]),
                              rtol=1e-7, atol=1e-9)  # fmt: skip
    imbalance, readouts = run.observed
    np.testing.assert_allclose(imbalance[-1], 0.25 * (0.7**-2 - 0.7**2), atol=1e-6)
    assert float(jnp.max(jnp.abs(readouts[-1] - readouts[0]))) > 0.05  # it did train


def test_the_same_key_gives_the_same_directions_at_every_scale():
    many = jax.vmap(lambda scale: teacher_student.student(5, 4, scale=scale, key=KEY))(jnp.array([0.1, 2.0]))
    one = teacher_student.student(5, 4, scale=2.0, key=KEY)
    np.testing.assert_allclose(many[0]["W"][1], one[0]["W"], rtol=1e-15)
    np.testing.assert_allclose(many[0]["W"][1], 20 * many[0]["W"][0], rtol=1e-14)
    assert float(jnp.max(jnp.abs(teacher_student.student(5, 4, scale=2.0, key=OTHER)[0]["W"] - one[0]["W"]))) > 0.1


def test_inputs_are_uniform_on_the_sphere():
    n, d = 20_000, 4
    X = teacher_student.inputs(n, d, key=KEY)
    np.testing.assert_allclose(jnp.linalg.norm(X, axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(jnp.mean(X, axis=0), 0, atol=4 / (n * d) ** 0.5)
    np.testing.assert_allclose(X.T @ X / n, jnp.eye(d) / d, atol=4 / (d * n**0.5))
    # the fourth moment tells the sphere from a normal vector, and from a cube that is pushed onto the sphere
    np.testing.assert_allclose(jnp.mean(X**4, axis=0), 3 / (d * (d + 2)), atol=4 * 0.18 / n**0.5)
