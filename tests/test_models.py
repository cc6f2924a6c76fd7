"""Networks: their function, their distribution at initialization, their symmetries."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from learndyn import models
from learndyn.neural_tangents import stax

X = jax.random.normal(jax.random.key(100), (7, 5))
KEY = jax.random.key(101)


def by_hand(params, X, activation, parametrization, weight_scale, bias_scale):
    """The formula of the docstring, sample by sample, in NumPy."""
    outputs = []
    for x in np.asarray(X):
        h = x
        for level, layer in enumerate(params):
            if level:
                h = activation(h)
            W = np.asarray(layer["W"])
            b = np.asarray(layer["b"]) if "b" in layer else np.zeros(len(W))
            if parametrization == "ntk":
                W, b = weight_scale / np.sqrt(len(h)) * W, bias_scale * b
            h = np.array([row @ h for row in W]) + b
        outputs.append(h)
    return np.stack(outputs)


@pytest.mark.parametrize("parametrization", ["ntk", "standard"])
@pytest.mark.parametrize("widths", [(5, 3), (5, 4, 1), (5, 8, 6, 2)])
@pytest.mark.parametrize("bias_scale", [0.0, 0.3])
def test_the_function_is_the_formula(parametrization, widths, bias_scale):
    model = models.mlp(
        widths, activation="tanh", parametrization=parametrization, weight_scale=1.3, bias_scale=bias_scale
    )
    params = model.init(key=KEY)
    wanted = by_hand(params, X, np.tanh, parametrization, 1.3, bias_scale)
    np.testing.assert_allclose(model.apply(params, X), wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    "name, reference",
    {
        "relu": lambda z: z * (z > 0),
        "erf": special.erf,
        "tanh": np.tanh,
        "gelu": lambda z: z * stats.norm.cdf(z),
        "softplus": lambda z: np.log1p(np.exp(z)),
        "linear": lambda z: z,
        "quadratic": lambda z: z**2,
    }.items(),
)
def test_activations_are_what_they_are_called(name, reference):
    z = np.linspace(-3, 3, 25)
    np.testing.assert_allclose(models.ACTIVATIONS[name](jnp.asarray(z)), reference(z), atol=1e-12)


def test_every_activation_has_a_reference():
    marks = test_activations_are_what_they_are_called.pytestmark[0]
    assert dict(marks.args[1]).keys() == models.ACTIVATIONS.keys()


def test_a_function_serves_as_activation():
    named, given = (models.mlp((5, 6, 2), activation=a) for a in ("erf", jax.scipy.special.erf))
    params = named.init(key=KEY)
    assert jnp.array_equal(named.apply(params, X), given.apply(params, X))


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_same_function_as_neural_tangents(activation):
    widths, weight_scale, bias_scale = (5, 9, 8, 3), 1.4, 0.2
    between = {"relu": stax.Relu, "erf": stax.Erf}[activation]
    dense = [stax.Dense(w, weight_scale, bias_scale) for w in widths[1:]]
    _, apply, _ = stax.serial(dense[0], between(), dense[1], between(), dense[2])
    model = models.mlp(widths, activation=activation, weight_scale=weight_scale, bias_scale=bias_scale)
    params = model.init(key=KEY)
    theirs = [(layer["W"].T, layer["b"][None, :]) for layer in params]
    interleaved = [theirs[0], (), theirs[1], (), theirs[2]]
    np.testing.assert_allclose(model.apply(params, X), apply(interleaved, X), rtol=1e-13)


@pytest.mark.parametrize("parametrization", ["ntk", "standard"])
@pytest.mark.parametrize("hidden", [1, 64])
def test_output_variance_at_initialization_is_that_of_the_theory(parametrization, hidden):
    r"""Linear networks: Var f = sigma_w^4 |x|^2 / d + sigma_w^2 sigma_b^2 + sigma_b^2 at every width.

    Outputs of independent draws; the interval is 5 standard errors of the mean square, taken from the sample.
    """
    weight_scale, bias_scale, draws = 1.5, 0.7, 4000
    model = models.mlp(
        (5, hidden, 1),
        activation="linear",
        parametrization=parametrization,
        weight_scale=weight_scale,
        bias_scale=bias_scale,
    )
    x = X[:1]
    keys = jax.random.split(jax.random.key(hidden), draws)
    f = jax.jit(jax.vmap(lambda key: model.apply(model.init(key=key), x)[0, 0]))(keys)
    wanted = weight_scale**4 * jnp.sum(x**2) / 5 + (weight_scale**2 + 1) * bias_scale**2
    standard_error = jnp.std(f**2) / draws**0.5
    assert abs(jnp.mean(f**2) - wanted) < 5 * standard_error
    assert 5 * standard_error < 0.5 * wanted  # the interval is narrow enough to see a wrong power of a scale
    assert abs(jnp.mean(f)) < 5 * jnp.std(f) / draws**0.5


def test_both_parametrizations_draw_the_same_functions():
    """Kolmogorov-Smirnov on a small tanh network, far from the Gaussian limit."""
    keys = jax.random.split(jax.random.key(7), 4000)

    def outputs(keys, parametrization, weight_scale=1.8):
        model = models.mlp(
            (5, 3, 1), activation="tanh", parametrization=parametrization, weight_scale=weight_scale, bias_scale=0.5
        )
        return jax.jit(jax.vmap(lambda key: model.apply(model.init(key=key), X[:1])[0, 0]))(keys)

    ntk, standard = outputs(keys[:2000], "ntk"), outputs(keys[2000:], "standard")
    assert stats.ks_2samp(ntk, standard).pvalue > 1e-3
    assert stats.ks_2samp(ntk, outputs(keys[2000:], "standard", 1.4)).pvalue < 1e-3  # the test can tell


@pytest.mark.parametrize("parametrization, power", [("ntk", 1.0), ("standard", 0.0)])
def test_gradients_scale_with_the_fan_in_as_stated(parametrization, power):
    """d f/d W of the last layer: the NTK parametrization carries 1/sqrt(m), whose square is m^-1."""
    sizes = []
    for hidden in (64, 1024):
        model = models.mlp((5, hidden, 1), parametrization=parametrization)
        params = model.init(key=KEY)
        gradient = jax.grad(lambda p: model.apply(p, X[:1])[0, 0])(params)
        sizes.append(float(jnp.mean(gradient[-1]["W"] ** 2)))
        assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))
    assert np.log2(sizes[0] / sizes[1]) / 4 == pytest.approx(power, abs=0.15)


@pytest.mark.parametrize("activation", models.ACTIVATIONS)
def test_gradients_are_finite_and_agree_with_differences(activation):
    model = models.mlp((5, 6, 2), activation=activation, bias_scale=0.1)
    params = model.init(key=KEY)
    direction = model.init(key=jax.random.key(5))
    move = lambda t: model.apply(jax.tree.map(lambda p, v: p + t * v, params, direction), X)
    _, exact = jax.jvp(move, (0.0,), (1.0,))
    h = 1e-6
    np.testing.assert_allclose((move(h) - move(-h)) / (2 * h), exact, rtol=1e-6, atol=1e-7)


def test_samples_do_not_see_each_other():
    model = models.mlp((5, 16, 3), bias_scale=0.1)
    params = model.init(key=KEY)
    together = model.apply(params, X)
    order = jnp.array([3, 0, 6, 1, 5, 2, 4])
    np.testing.assert_allclose(model.apply(params, X[order]), together[order], rtol=1e-14, atol=1e-14)
    alone = jnp.concatenate([model.apply(params, x[None]) for x in X])
    np.testing.assert_allclose(alone, together, rtol=1e-13, atol=1e-14)
    mapped = jax.vmap(lambda x: model.apply(params, x[None])[0])(X)
    np.testing.assert_allclose(mapped, together, rtol=1e-13, atol=1e-14)


def test_hidden_units_may_be_exchanged():
    model = models.mlp((5, 6, 4, 2), bias_scale=0.2)
    first, second, third = model.init(key=KEY)
    order = jnp.array([2, 0, 5, 1, 4, 3])
    exchanged = (
        {"W": first["W"][order], "b": first["b"][order]},
        {"W": second["W"][:, order], "b": second["b"]},
        third,
    )
    np.testing.assert_allclose(
        model.apply(exchanged, X), model.apply((first, second, third), X), rtol=1e-13, atol=1e-14
    )


@pytest.mark.parametrize("parametrization", ["ntk", "standard"])
def test_relu_networks_without_biases_are_homogeneous(parametrization):
    """Degree one in the inputs, degree L in the parameters."""
    model = models.mlp((5, 8, 8, 2), parametrization=parametrization, weight_scale=1.2)
    params = model.init(key=KEY)
    f = model.apply(params, X)
    np.testing.assert_allclose(model.apply(params, 2.5 * X), 2.5 * f, rtol=1e-13)
    doubled = jax.tree.map(lambda p: 2 * p, params)
    np.testing.assert_allclose(model.apply(doubled, X), 2**3 * f, rtol=1e-13)


def test_keys():
    model = models.mlp((5, 6, 6), bias_scale=1.0)
    same = jax.tree.map(jnp.array_equal, model.init(key=KEY), model.init(key=KEY))
    assert all(jax.tree.leaves(same))
    other = jax.tree.map(
        lambda a, b: bool(jnp.any(a == b)), model.init(key=KEY), model.init(key=jax.random.key(102))
    )
    assert not any(jax.tree.leaves(other))
    old_style = model.init(key=jax.random.PRNGKey(101))
    assert all(jax.tree.leaves(jax.tree.map(jnp.array_equal, model.init(key=KEY), old_style)))


def test_no_key_is_used_twice():
    """No number is drawn twice anywhere, and layers of one shape are uncorrelated."""
    params = models.mlp((30, 30, 30, 30), bias_scale=1.0).init(key=KEY)
    leaves = jax.tree.leaves(params)
    numbers = np.concatenate([np.ravel(leaf) for leaf in leaves])
    assert len(np.unique(numbers)) == len(numbers)
    for one, two in itertools.combinations([layer["W"].ravel() for layer in params], 2):
        assert abs(np.corrcoef(one, two)[0, 1]) < 5 / 30


@pytest.mark.parametrize("parametrization, weight_scale", [("ntk", 1.0), ("standard", 1.7 / 24**0.5)])
def test_stored_parameters_have_the_stated_scale(parametrization, weight_scale):
    model = models.mlp(
        (24, 600, 3), parametrization=parametrization, weight_scale=1.7, bias_scale=0.4, activation="linear"
    )
    first = model.init(key=KEY)[0]
    n = first["W"].size
    assert jnp.std(first["W"]) == pytest.approx(weight_scale, rel=5 / (2 * n) ** 0.5)
    bias_scale = 1.0 if parametrization == "ntk" else 0.4
    assert jnp.std(first["b"]) == pytest.approx(bias_scale, rel=5 / (2 * 600) ** 0.5)


def test_without_bias_scale_there_are_no_biases():
    assert [set(layer) for layer in models.mlp((5, 4, 1)).init(key=KEY)] == [{"W"}, {"W"}]


def test_ensembles_by_vmap():
    model = models.mlp((5, 6, 2), bias_scale=0.1)
    keys = jax.random.split(KEY, 3)
    batch = jax.vmap(lambda key: model.init(key=key))(keys)
    outputs = jax.vmap(model.apply, in_axes=(0, None))(batch, X)
    for key, output in zip(keys, outputs):
        np.testing.assert_allclose(model.apply(model.init(key=key), X), output, rtol=1e-13, atol=1e-14)


def test_centered():
    model = models.mlp((5, 6, 2), bias_scale=0.1)
    params0, params = model.init(key=KEY), model.init(key=jax.random.key(103))
    f = models.centered(model.apply, params0, 3.0)
    assert jnp.all(f(params0, X) == 0)
    np.testing.assert_allclose(f(params, X), 3 * (model.apply(params, X) - model.apply(params0, X)), rtol=1e-14)
    jacobian = jax.jacobian(f)(params0, X)
    jax.tree.map(
        lambda ours, plain: np.testing.assert_allclose(ours, 3 * plain, rtol=1e-14),
        jacobian,
        jax.jacobian(model.apply)(params0, X),
    )
