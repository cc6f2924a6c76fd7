"""The finder on networks whose symmetries can be counted by hand; each count is derived next to the network."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from learndyn import conserved, flows, models, symmetries

KEY = jax.random.key(1)
X = jax.random.normal(jax.random.key(0), (9, 3))
TOKENS = jax.random.normal(jax.random.key(5), (5, 4, 3))
WORDS = jax.random.randint(jax.random.key(6), (6, 4), 0, 4)
unit = lambda h: h / jnp.linalg.norm(h, axis=-1, keepdims=True)


class Case(NamedTuple):
    f: callable
    params: object
    among: str
    dimension: int
    conserved: int
    families: dict  # name: dimension
    unrecognized: int = 0


def mlp(*widths, **settings):
    model = models.mlp(widths, **settings)
    return (lambda p: model.apply(p, X)), model.init(key=jax.random.key(2))


def normal(**shapes):
    keys = jax.random.split(jax.random.key(3), len(shapes))
    return {name: jax.random.normal(key, shape) for key, (name, shape) in zip(keys, shapes.items())}


def softmax_of_queries(x, y, Q, K):
    return jax.nn.softmax(jnp.einsum("bid,kd,ke,bje->bij", x, Q, K, y), axis=-1)


def attention(p):
    return jnp.einsum("bij,bjd,vd,ov->bio", softmax_of_queries(TOKENS, TOKENS, p["Q"], p["K"]), TOKENS, p["V"], p["O"])


def stacked(p):
    """Two heads of two rows each, in one matrix of four."""
    Q, K = (p[name].reshape(2, 2, 3) for name in "QK")
    return jnp.stack([softmax_of_queries(TOKENS, TOKENS, q, k) for q, k in zip(Q, K)])


def transformer(p):
    """One block on embedded words, normalized before each part and before the softmax readout."""
    h = p["E"][WORDS]
    weights = softmax_of_queries(unit(h), unit(h), p["Q"], p["K"])
    h = h + jnp.einsum("bij,bjd,vd,ov->bio", weights, unit(h), p["V"], p["O"])
    h = h + jax.nn.relu(unit(h) @ p["U"].T + p["b"][None, None]) @ p["D"].T
    return jax.nn.log_softmax(unit(h) @ p["R"].T)


TRANSFORMER = normal(E=(4, 3), Q=(2, 3), K=(2, 3), V=(2, 3), O=(3, 2), U=(4, 3), b=(4,), D=(3, 4), R=(3, 3))


def batch_normalized(p, epsilon=0.0):
    z = X @ p["W"].T + p["b"][None]
    z = z - jnp.mean(z, axis=0, keepdims=True)
    z = z / jnp.sqrt(jnp.mean(z**2, axis=0, keepdims=True) + epsilon)
    return (z * p["gain"][None] + p["shift"][None]) @ p["A"].T


BATCH = normal(W=(2, 3), b=(2,), gain=(2,), shift=(2,), A=(2, 2))
SOFTMAX = normal(W=(3, 3), b=(3,))
softmax = lambda p: jax.nn.log_softmax(X @ p["W"].T + p["b"][None])
squared_norm = lambda p: jnp.sum((X @ p["W"].T) ** 2, axis=1)

# Under flow, of GL(k) the symmetric G are conserved, k (k + 1) / 2; scales, rescales and translations are; rotations not.
CASES = {
    # W2 W1 = (W2 G^-1)(G W1): gl(2), k^2 = 4, of which 3 are symmetric.
    "linear": Case(*mlp(3, 2, 2, activation="linear"), "all", 4, 3, {"GL(2)": 4}),
    # One output: W2 = a' is a row, and a' J a = 0 for J' = -J, so W1 -> W1 + J a u' for any u in R^d besides:
    # k (k - 1) / 2 * d = 1 * 3 more, linear in the parameters and of no layer alone. They have no potential.
    "linear, one output": Case(*mlp(3, 2, 1, activation="linear"), "all", 7, 3, {"GL(2)": 4}, 3),
    "linear, one output, by layers": Case(*mlp(3, 2, 1, activation="linear"), "layers", 4, 3, {"GL(2)": 4}),
    # One gl(2) for each of two hidden layers.
    "deep linear": Case(*mlp(3, 2, 2, 2, activation="linear"), "all", 8, 6, {"GL(2)": 8}),
    # With biases also b1 -> b1 + v, b2 -> b2 - W2 v, for v in R^2: linear in W2, so of no layer alone, no potential.
    "linear, biases": Case(*mlp(3, 2, 2, activation="linear", bias_scale=1.0), "all", 6, 3, {"GL(2)": 4}, 2),
    # relu(g z) = g relu(z): one for each hidden neuron, its row and bias against its column.
    "ReLU": Case(*mlp(3, 3, 2, bias_scale=1.0), "all", 3, 3, {"rescale of neurons": 3}),
    "deep ReLU, by layers": Case(*mlp(3, 2, 3, 2), "layers", 5, 5, {"rescale of neurons": 5}),
    # (g z)^2 = g^2 z^2: one for each hidden neuron.
    "quadratic neurons": Case(*mlp(3, 3, 2, activation="quadratic"), "all", 3, 3, {"rescale of neurons": 3}),
    # |W x|^2 = |O W x|^2: so(3), 3, of which none is symmetric.
    "squared norm": Case(squared_norm, normal(W=(3, 3)), "all", 3, 0, {"rotations of 3 axes": 3}),
    # Logits may be shifted by any affine function of x: 3 columns of W and the bias; nothing else, for the model is
    # linear in the differences of logits.
    "softmax": Case(softmax, SOFTMAX, "all", 4, 4, {"translation": 4}),
    # w x / |w|: the length of w.
    "normalized": Case(lambda p: X @ unit(p["w"]), normal(w=(3,)), "all", 1, 1, {"scale of layers": 1}),
    # For each of 2 neurons: the bias is not seen (2), the row's length is not seen (2), and gain and shift against the
    # column of the linear layer above (2).
    "batch normalization, then linear": Case(
        batch_normalized, BATCH, "all", 6, 6, {"translation": 2, "scale of neurons": 2, "rescale of neurons": 2}
    ),
    # Q' K and O V: two gl(2).
    "attention": Case(attention, normal(Q=(2, 3), K=(2, 3), V=(2, 3), O=(2, 2)), "all", 8, 6, {"GL(2)": 8}),
    # Two heads in one matrix: gl(2) + gl(2) inside gl(4).
    "stacked heads": Case(stacked, normal(Q=(4, 3), K=(4, 3)), "layers", 8, 6, {"part of GL(4)": 8}),
    # Q' K and O V: 8 (6 symmetric). ReLU: 4. Softmax: a shift of the logits by a linear function of 3 inputs: 3. The
    # residual stream is read through normalizations alone, so its length: 1, and it may be turned: so(3), 3, none
    # symmetric.
    "transformer": Case(
        transformer, TRANSFORMER, "layers", 19, 14,
        {"GL(2)": 8, "rescale of neurons": 4, "translation": 3, "scale of layers": 1, "rotations of 3 axes": 3},
    ),
    # None: tanh is odd, which is a discrete symmetry, and neurons can be exchanged, which is another.
    "tanh": Case(*mlp(3, 3, 2, activation="tanh", bias_scale=1.0), "all", 0, 0, {}),
    "softplus, by layers": Case(*mlp(3, 3, 2, activation="softplus", bias_scale=1.0), "layers", 0, 0, {}),
}  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def case(request):
    case = CASES[request.param]
    return case, symmetries.find(case.f, case.params, among=case.among, key=KEY)


def total(families):
    out = {}
    for family in families:
        out[family.name] = out.get(family.name, 0) + family.dimension
    return out


def test_the_count_is_right(case):
    case, found = case
    assert found.dimension == len(found.generators) == case.dimension
    assert total(found.families) == case.families
    assert found.unrecognized == case.unrecognized == case.dimension - sum(case.families.values())
    assert len(found.conserved) == case.conserved
    assert found.gap[0] < 1e-14 and found.gap[1] > 1e-7
    assert found.residual < 1e-10
    sizes = [leaf.shape for leaf in jax.tree.leaves(case.params)]
    p = sum(map(np.prod, sizes))
    unknowns = p * (p + 1) if case.among == "all" else p + sum(sum(k**2 for k in shape) for shape in sizes)
    assert found.singular_values.shape == (unknowns,) and found.singular_values[0] == 1


def test_generators_of_all_kinds_are_symmetries_of_any_loss(case):
    """Those found, those of the families, those conserved, at parameters that the finder has not seen."""
    case, found = case
    flat, unravel = ravel_pytree(case.params)
    elsewhere = unravel(1.5 * jax.random.normal(jax.random.key(9), flat.shape))
    weights = jax.random.normal(jax.random.key(10), jnp.shape(case.f(elsewhere)))
    loss = lambda p: jnp.sum(jnp.sin(weights + case.f(p)))
    named = [generator for family in found.families for generator in family.generators]
    for generator in (*found.generators, *named, *found.conserved):
        assert abs(conserved.constraint(loss, generator)(elsewhere).cosine) < 1e-9
        assert jnp.linalg.norm(ravel_pytree(generator(elsewhere))[0]) > 1e-3
    for generator in found.conserved:
        conserved.quantity(generator, case.params)  # raises if its linear part is not symmetric


def test_generators_are_independent_and_contain_the_families(case):
    """As fields, at many points; and modulo translations for the families."""
    case, found = case
    flat, unravel = ravel_pytree(case.params)
    points = jax.random.normal(jax.random.key(11), (8, flat.size))
    values = lambda generators: np.array([[ravel_pytree(g(unravel(v)))[0] for v in points] for g in generators])
    if not case.dimension:
        return
    basis = values(found.generators)
    assert np.linalg.matrix_rank(basis.reshape(case.dimension, -1), tol=1e-6) == case.dimension
    shifts = basis[: sum(family.dimension for family in found.families if family.name.startswith("translation")), 0]
    off = lambda fields: fields - np.einsum("ip,iq,nsq->nsp", shifts, shifts, fields)
    moving = off(basis)[len(shifts) :].reshape(case.dimension - len(shifts), points.size)
    for family in found.families:
        fields = off(values(family.generators)).reshape(len(family.generators), points.size)
        assert np.linalg.matrix_rank(np.concatenate([moving, fields]), tol=1e-6) == len(moving)


def test_quantities_of_the_conserved_are_conserved():
    """By the attention's flow: 6 numbers, and not by a flow of another loss."""
    case = CASES["attention"]
    found = symmetries.find(case.f, case.params, key=KEY)
    laws = [conserved.quantity(generator, case.params) for generator in found.conserved]
    look = lambda p: jnp.stack([law(p) for law in laws])
    target = jax.random.normal(jax.random.key(12), (5, 4, 2))
    times = jnp.array([0.0, 0.1, 0.2])
    loss = lambda p: jnp.mean((attention(p) - target) ** 2)
    Q = flows.gradient_flow(loss, case.params, times, observe=look).observed
    assert Q.shape == (3, 6) and jnp.max(jnp.abs(Q - Q[:1])) < 1e-7
    other = lambda p: loss(p) + 0.1 * jnp.sum(p["Q"] ** 2) + 0.2 * jnp.sum(p["V"] ** 3)
    Q = flows.gradient_flow(other, case.params, times, observe=look).observed
    assert jnp.min(jnp.max(jnp.abs(Q - Q[:1]), axis=0)) > 1e-4


@pytest.mark.parametrize("name", ["attention", "ReLU", "batch normalization, then linear"])
def test_a_mutated_generator_is_no_symmetry(name):
    """The direction of one leaf turned around: none of the named ones that move two leaves survives it."""
    case = CASES[name]
    found = symmetries.find(case.f, case.params, among="layers", key=KEY)
    loss = lambda p: jnp.sum(jnp.sin(case.f(p)))
    for family in found.families:
        for generator in family.generators:
            leaves, structure = jax.tree.flatten(generator(case.params))
            moved = [i for i, leaf in enumerate(leaves) if jnp.any(leaf != 0)]
            if len(moved) < 2:
                continue

            def turned(p, generator=generator, which=moved[0]):
                leaves = jax.tree.leaves(generator(p))
                return jax.tree.unflatten(structure, [-x if i == which else x for i, x in enumerate(leaves)])

            assert abs(conserved.constraint(loss, turned)(case.params).cosine) > 1e-4


def test_names_say_what_moves_and_how():
    leaves = lambda name: [family.leaves for family in symmetries.find(*CASES[name][:2], among="layers", key=KEY).families]
    assert leaves("quadratic neurons") == [("params[0]['W'] axis 0 by +1", "params[1]['W'] axis 1 by -2")]
    assert leaves("attention") == [
        ("params['K'] axis 0 by G", "params['Q'] axis 0 by -G^T"),
        ("params['O'] axis 1 by G", "params['V'] axis 0 by -G^T"),
    ]
    assert leaves("batch normalization, then linear") == [
        ("params['b']",),
        ("params['A'] axis 1 by +1", "params['gain'] axis 0 by -1", "params['shift'] axis 0 by -1"),
        ("params['W'] axis 0 by +1",),
    ]


def test_a_loss_will_do_and_the_key_does_not_matter():
    """A loss gives one equation a point instead of many."""
    f, params = mlp(3, 2, 2)
    target = jax.random.normal(jax.random.key(13), (9, 2))
    by_loss = symmetries.find(lambda p: jnp.sum((f(p) - target) ** 2), params, key=KEY)
    by_outputs = symmetries.find(f, params, key=jax.random.key(14), scale=0.5)
    for found in (by_loss, by_outputs):
        assert total(found.families) == {"rescale of neurons": 2} and found.unrecognized == 0


def test_what_the_inputs_do_not_see_is_a_translation():
    """An input that is always zero, or two inputs in three dimensions: k = 2 entries of W1 each."""
    model = models.mlp((3, 2, 2), activation="linear")
    params = model.init(key=jax.random.key(2))
    for inputs in (X * jnp.array([[0.0, 1.0, 1.0]]), X[:2]):
        found = symmetries.find(lambda p: model.apply(p, inputs), params, key=KEY)
        assert total(found.families) == {"translation": 2, "GL(2)": 4} and found.unrecognized == 0


def test_translations_are_counted_once():
    """A bias before a normalization is 2 translations v, and v c(theta) besides: 2 p = 32 of the 38 zeros are no news."""
    found = symmetries.find(batch_normalized, BATCH, key=KEY)
    assert np.count_nonzero(found.singular_values < 1e-9) == 6 + 2 * 16
    assert found.dimension == 6


def test_the_epsilon_of_a_normalization_breaks_the_scale():
    """At 1e-5 it is seen to be broken, in the singular values; where it cannot be told from rounding nobody guesses."""
    found = symmetries.find(lambda p: batch_normalized(p, 1e-5), BATCH, key=KEY, among="layers")
    assert total(found.families) == {"translation": 2, "rescale of neurons": 2} and found.unrecognized == 0
    assert 1e-7 < found.gap[1] < 1e-3
    with pytest.raises(RuntimeError, match=r"no clear gap in the singular values: 2 lie around tolerance = 1e-09 \("):
        symmetries.find(lambda p: batch_normalized(p, 1e-8), BATCH, key=KEY, among="layers")


def test_a_function_that_is_mostly_constant_is_refused():
    """y is seen where x > 2, at one point in forty: the equations may miss it, and fresh points catch them at it."""
    seldom = lambda p: jax.nn.relu(p["x"] - 2.0) * p["y"] + p["x"]
    with pytest.raises(RuntimeError, match=r"fails at points that the equations do not know: .* f may be constant"):
        symmetries.find(seldom, {"x": jnp.array(0.0), "y": jnp.array(1.0)}, key=jax.random.key(1))
