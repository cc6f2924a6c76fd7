"""Conserved quantities: constraints on live networks, constancy along flows, and generators that are no symmetry."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from learndyn import conserved, flows, models

X, Y = jax.random.normal(jax.random.key(0), (7, 3)), jax.random.normal(jax.random.key(1), (7, 2))
LABELS = jax.nn.one_hot(jnp.arange(7) % 2, 2)
LINEAR = models.mlp((3, 4, 3, 2), activation="linear")
RELU = models.mlp((3, 5, 2), bias_scale=0.7)
TIMES = jnp.linspace(0.0, 1.0, 6)
SHORT = 0.4 * TIMES  # ReLU networks have kinks in their gradient, where an adaptive solver may take small steps for ever


def squared(apply):
    return lambda p: 0.5 * jnp.sum((apply(p, X) - Y) ** 2)


def classifier(p):
    """Layer normalization, ReLU and a softmax in one network: a scale, rescales and a translation at once."""
    h = X @ p["U"].T
    h = h - jnp.mean(h, axis=1, keepdims=True)
    h = h / jnp.linalg.norm(h, axis=1, keepdims=True)
    h = jax.nn.relu(h @ p["V"].T + p["b"][None])
    return -jnp.sum(LABELS * jax.nn.log_softmax(h @ p["R"].T))


CLASSIFIER = {
    name: jax.random.normal(jax.random.key(i), shape)
    for i, (name, shape) in enumerate({"U": (4, 3), "V": (5, 4), "b": (5,), "R": (2, 5)}.items())
}
still = lambda p: jax.tree.map(jnp.zeros_like, p)


def neuron(p, j=2, sign=-1.0, below="V", above="R"):
    unit = jax.nn.one_hot(j, 5)
    out = still(p) | {below: unit[:, None] * p[below], "b": unit * p["b"]}
    return out | {above: sign * p[above] * unit[None]}


SYMMETRIES = {
    "scale": lambda p: still(p) | {"U": p["U"]},
    "translation before the normalization": lambda p: still(p) | {"U": jnp.outer(jnp.ones(4), jnp.array([1.0, 2, -3]))},
    "rescale": neuron,
    "translation before the softmax": lambda p: still(p) | {"R": jnp.outer(jnp.ones(2), jnp.arange(5.0))},
}
MUTANTS = {
    "scale of a layer that is not normalized": lambda p: still(p) | {"V": p["V"]},
    "rescale with the wrong sign": lambda p: neuron(p, sign=1.0),
    "rescale that forgets the bias": lambda p: neuron(p) | {"b": jnp.zeros(5)},
    "rescale of another neuron above": lambda p: neuron(p) | {"R": neuron(p, j=3)["R"]},
    "translation along the inputs": lambda p: still(p) | {"R": jnp.outer(jnp.arange(2.0), jnp.ones(5))},
}


def gl(G, below, above, dual=1.0):
    """W_below + eps G W_below and W_above - eps W_above G, in a deep network."""

    def generator(p):
        out = list(still(p))
        out[below] = {"W": G @ p[below]["W"]}
        out[above] = {"W": -dual * p[above]["W"] @ G}
        return tuple(out)

    return generator


@pytest.mark.parametrize("name", SYMMETRIES)
def test_a_symmetry_has_no_component_along_the_gradient(name):
    found = conserved.constraint(classifier, SYMMETRIES[name])(CLASSIFIER)
    assert abs(found.cosine) < 1e-14
    assert abs(found.product) < 1e-13


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutated_generator_has_one(name):
    assert abs(conserved.constraint(classifier, MUTANTS[name])(CLASSIFIER).cosine) > 1e-3


@pytest.mark.parametrize("below, above, sign, holds", [(0, 1, 1, True), (1, 2, 1, True), (0, 1, -1, False), (0, 2, 1, False)])  # fmt: skip
def test_general_linear_pairs_of_a_linear_network(below, above, sign, holds):
    """Any G between neighbors, symmetric or not; with the wrong sign or the wrong layer it is none."""
    widths = (4, 4, 4, 2)
    network = models.mlp((3, 4, 4, 2), activation="linear")
    params = network.init(key=jax.random.key(5))
    G = jax.random.normal(jax.random.key(6), (widths[below], widths[below]))
    cosine = conserved.constraint(squared(network.apply), gl(G, below, above, sign))(params).cosine
    assert (abs(cosine) < 1e-14) == holds
    assert holds or abs(cosine) > 1e-3


def test_product_and_cosine_are_what_they_say():
    loss = lambda p: 3.0 * p["x"] + 4.0 * p["y"]
    found = conserved.constraint(loss, lambda p: {"x": 2.0 * p["x"], "y": jnp.array(0.0)})({"x": 5.0, "y": 1.0})
    assert found.product == pytest.approx(30.0) and found.cosine == pytest.approx(0.6)
    at_rest = conserved.constraint(lambda p: p @ p, lambda p: p)(jnp.zeros(3))
    assert at_rest.product == 0 and at_rest.cosine == 0


@pytest.mark.parametrize("name", SYMMETRIES)
def test_the_gradient_of_the_quantity_is_the_generator(name):
    Q = conserved.quantity(SYMMETRIES[name], CLASSIFIER)
    slope, xi = ravel_pytree(jax.grad(Q)(CLASSIFIER))[0], ravel_pytree(SYMMETRIES[name](CLASSIFIER))[0]
    np.testing.assert_allclose(slope, xi, atol=1e-13)
    assert Q(still(CLASSIFIER)) == 0


def test_quantities_are_the_ones_that_have_names():
    half = lambda p: 0.5 * jnp.sum(p**2)
    named = {
        "scale": half(CLASSIFIER["U"]),
        "rescale": half(CLASSIFIER["V"][2]) + half(CLASSIFIER["b"][2]) - half(CLASSIFIER["R"][:, 2]),
        "translation before the softmax": jnp.sum(CLASSIFIER["R"] @ jnp.arange(5.0)),
    }
    for name, wanted in named.items():
        assert conserved.quantity(SYMMETRIES[name], CLASSIFIER)(CLASSIFIER) == pytest.approx(float(wanted), rel=1e-13)


def test_quantities_are_constant_along_the_flow_and_those_of_mutants_are_not():
    Q = {name: conserved.quantity(xi, CLASSIFIER) for name, xi in {**SYMMETRIES, **MUTANTS}.items()}
    look = lambda p: {name: q(p) for name, q in Q.items()}
    run = flows.gradient_flow(classifier, CLASSIFIER, SHORT, observe=look, rtol=1e-9, atol=1e-11)
    drift = {name: float(jnp.max(jnp.abs(q - q[0]))) for name, q in run.observed.items()}
    assert max(drift[name] for name in SYMMETRIES) < 3e-8
    assert min(drift[name] for name in MUTANTS) > 1e-3


def test_the_drift_along_the_flow_is_the_solvers():
    """Four decades of tolerance, four of drift."""
    Q = conserved.quantity(neuron, CLASSIFIER)
    drift = []
    for rtol in (1e-5, 1e-7, 1e-9):
        run = flows.gradient_flow(classifier, CLASSIFIER, SHORT, observe=Q, rtol=rtol, atol=rtol / 100)
        drift.append(float(jnp.max(jnp.abs(run.observed - run.observed[0]))))
    assert 0.8 < np.log10(drift[0] / drift[2]) / 4 < 1.2


def test_balancedness_is_conserved_by_linear_networks_and_by_relu_on_the_diagonal():
    deep = LINEAR.init(key=jax.random.key(7))
    run = flows.gradient_flow(squared(LINEAR.apply), deep, TIMES, observe=conserved.balancedness)
    assert [q.shape[1:] for q in run.observed] == [(4, 4), (3, 3)]
    for q in run.observed:
        np.testing.assert_allclose(q, jnp.broadcast_to(q[0], q.shape), atol=2e-7)
    relu = RELU.init(key=jax.random.key(8))
    run = flows.gradient_flow(squared(RELU.apply), relu, SHORT, observe=conserved.neuron_balancedness)
    np.testing.assert_allclose(run.observed[0], jnp.broadcast_to(run.observed[0][0], (6, 5)), atol=2e-7)
    whole = flows.gradient_flow(squared(RELU.apply), relu, SHORT, observe=conserved.balancedness).observed[0]
    assert jnp.max(jnp.abs(whole - whole[0][None])) > 0.01  # off the diagonal nothing is promised
    np.testing.assert_allclose(jnp.diagonal(whole, axis1=1, axis2=2), run.observed[0], atol=1e-12)


def test_balancedness_is_the_quantity_of_the_symmetric_generators():
    params = LINEAR.init(key=jax.random.key(9))
    for level, Q in enumerate(conserved.balancedness(params)):
        G = jax.random.normal(jax.random.key(level), Q.shape)
        G = G + G.T
        law = conserved.quantity(gl(G, level, level + 1), params)
        assert law(params) == pytest.approx(float(-0.5 * jnp.sum(G * Q)), rel=1e-12)


def test_biases_count_in_balancedness():
    network = models.mlp((3, 4, 2), activation="linear", bias_scale=0.5)
    params = network.init(key=jax.random.key(10))
    run = flows.gradient_flow(squared(network.apply), params, TIMES, observe=conserved.balancedness)
    assert jnp.max(jnp.abs(run.observed[0] - run.observed[0][0][None])) < 2e-7
    bare = lambda p: conserved.balancedness(tuple({"W": layer["W"]} for layer in p))
    run = flows.gradient_flow(squared(network.apply), params, TIMES, observe=bare)
    assert jnp.max(jnp.abs(run.observed[0] - run.observed[0][0][None])) > 0.01


def test_a_rotation_is_refused_with_the_size_of_its_antisymmetric_part():
    """G with symmetric part S and antisymmetric part A: the departure is |A| / |G|, up to the sampling of two probes."""
    params = LINEAR.init(key=jax.random.key(11))
    A = jnp.zeros((4, 4)).at[0, 1].set(1.0).at[1, 0].set(-1.0)
    assert abs(conserved.constraint(squared(LINEAR.apply), gl(A, 0, 1))(params).cosine) < 1e-14  # a symmetry it is
    with pytest.raises(ValueError, match=r"antisymmetric part is 1 of it: a rotation"):
        conserved.quantity(gl(A, 0, 1), params)
    with pytest.raises(ValueError, match=r"antisymmetric part is 0\.0(0[6-9]\d?|1[0-4]?) of it"):
        conserved.quantity(gl(jnp.diag(jnp.array([1.0, -1, 0, 0])) + 0.01 * A, 0, 1), params)


def test_what_a_rotation_keeps_depends_on_the_dimension():
    """In a plane the angle: xi / r^2 is its gradient. In more dimensions xi confines the velocity, and W turns anyway."""
    J = jnp.array([[0.0, -1.0], [1.0, 0.0]])
    radial = lambda p: 0.25 * (p @ p - 2.0) ** 2
    start = jnp.array([0.5, 0.3])
    assert abs(conserved.constraint(radial, lambda p: J @ p)(start).cosine) < 1e-15
    angle = flows.gradient_flow(radial, start, TIMES, observe=lambda p: jnp.arctan2(p[1], p[0])).observed
    np.testing.assert_allclose(angle, angle[0], atol=1e-8)

    loss = lambda W: 0.5 * jnp.mean((jnp.sum((X @ W.T) ** 2, axis=1) - Y[:, 0] ** 2) ** 2)
    W = jnp.array([[0.3, -0.5, 0.2], [0.1, 0.4, 0.6], [-0.7, 0.2, 0.1]])
    A = jnp.array([[0.0, 1, -2], [-1, 0, 0.5], [2, -0.5, 0]])
    assert abs(conserved.constraint(loss, lambda W: A @ W)(W).cosine) < 1e-14

    def turn(W):  # R of the polar decomposition W = R |W|
        U, _, V = jnp.linalg.svd(W)
        return U @ V

    turned = flows.gradient_flow(loss, W, TIMES, observe=turn).observed
    assert jnp.linalg.norm(turned[-1] - turned[0]) > 0.03


def test_a_generator_that_is_not_affine_is_refused():
    with pytest.raises(ValueError, match=r"generator must be affine .* differ by 0\.\d+ of their size"):
        conserved.quantity(lambda p: jax.tree.map(jnp.tanh, p), CLASSIFIER)
    with pytest.raises(ValueError, match=r"generator must be affine"):
        conserved.quantity(lambda p: p * jnp.sum(p), jnp.ones(3))


def test_no_matrix_of_the_size_of_the_parameters():
    """A million parameters: B would have 10^12 entries."""
    params = {"W": jnp.ones((1000, 1000))}
    Q = conserved.quantity(lambda p: p, params)
    assert Q(params) == pytest.approx(5e5)
    with pytest.raises(ValueError, match="antisymmetric part is 1 of it"):
        conserved.quantity(lambda p: {"W": p["W"][::-1] * jnp.where(jnp.arange(1000) < 500, 1.0, -1.0)[:, None]}, params)


def test_quantities_go_through_jit_and_vmap():
    many = jax.tree.map(lambda p: jnp.stack([p, 2 * p]), CLASSIFIER)
    Q = jax.jit(jax.vmap(lambda p: conserved.quantity(neuron, p)(p)))(many)
    assert Q[1] == pytest.approx(4 * float(Q[0]), rel=1e-12)
    found = jax.vmap(conserved.constraint(classifier, neuron))(many)
    assert found.cosine.shape == (2,) and jnp.max(jnp.abs(found.cosine)) < 1e-13
