"""The derivative of a descent step in closed form, thousands of networks at once, and several devices."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from learndyn import losses, lyapunov, models

X = jax.random.uniform(jax.random.key(0), (30, 2), minval=-1.0)
Y = (14 * jnp.tanh(3 * X[:, 0] - 1.5 * X[:, 1] + 0.5) - 12 * jnp.tanh(2 * X[:, 0] + 2 * X[:, 1]))[:, None]
RATE = 2 * 0.01 / 30


SAME = dict(every=50, chunk=4)  # compiled once for several tests


def networks(number, widths=(2, 2, 1), activation="tanh"):
    model = models.mlp(widths, activation=activation, parametrization="standard", bias_scale=1.0)
    return model, jax.vmap(lambda key: model.init(key=key))(jax.random.split(jax.random.key(1), number))


def one(params, i=0):
    return jax.tree.map(lambda leaf: leaf[i], params)


@pytest.mark.parametrize(
    "widths, activation",
    [((2, 2, 1), name) for name in ("tanh", "erf", "softplus", "relu", "quadratic", jnp.sin)] + [((3, 4, 1), "tanh")],
    ids=lambda value: getattr(value, "__name__", str(value)),  # not the address of a function: it differs by process
)
def test_the_closed_form_is_the_derivative(widths, activation):
    model, many = networks(3, widths, activation)
    X = jax.random.normal(jax.random.key(2), (30, widths[0]))
    step = lyapunov.descent_map(losses.squared_loss(model.apply, X, Y), 0.1)

    @jax.jit
    def by_autodiff(params):
        flat, unravel = ravel_pytree(params)
        return jax.jacfwd(lambda theta: ravel_pytree(step(unravel(theta)))[0])(flat)

    tangent = jax.jit(lambda params: lyapunov.network_tangent(params, X, Y, 0.1, activation=activation))
    found = tangent(jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), many))
    for i in range(3):
        expected = by_autodiff(one(many, i))
        assert jnp.abs(found[..., i] - expected).max() < 1e-12 * jnp.abs(expected).max()
    np.testing.assert_allclose(tangent(one(many)), found[..., 0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_many_networks_are_what_each_is_alone(activation):
    model, many = networks(4, activation=activation)
    run = lyapunov.descend_networks(many, X, Y, RATE, 100, activation=activation, **SAME)
    loss = losses.squared_loss(model.apply, X, Y)
    step = lyapunov.descent_map(loss, RATE)
    for i in range(2):
        alone = lyapunov.spectrum(step, one(many, i), 100, keep=True, frame=jnp.eye(9))
        np.testing.assert_allclose(run.total[i], jnp.cumsum(alone.growth, axis=0)[49::50], atol=1e-9)
        np.testing.assert_allclose(run.loss[i, -1], loss(alone.state.point), rtol=1e-11)
        np.testing.assert_allclose(run.state.frame[i] @ run.state.frame[i].T, np.eye(9), atol=1e-14)
    np.testing.assert_array_equal(run.steps, [50, 100])


def test_descent_on_a_quadratic_has_the_exponents_of_its_hessian():
    curvatures = jnp.array([19.0, 1.0, 5.0])
    step = lyapunov.descent_map(lambda p: 0.5 * jnp.sum(curvatures * p["w"] ** 2), 0.15)
    run = lyapunov.spectrum(step, {"w": jnp.zeros(3)}, 150, transient=100, dt=0.15)
    # 19 * 0.15 is beyond 2: the sharp direction is unstable
    np.testing.assert_allclose(run.exponents, np.log(np.array([1.85, 0.85, 0.25])) / 0.15, atol=1e-12)
    part = lyapunov.spectrum(step, {"w": jnp.zeros(3)}, 350, 1, transient=300, dt=0.15)
    np.testing.assert_allclose(part.exponents, run.exponents[:1], atol=1e-12)


def test_pieces_give_what_one_run_gives():
    many = networks(4)[1]
    whole = lyapunov.descend_networks(many, X, Y, RATE, 200, **SAME)
    first = lyapunov.descend_networks(many, X, Y, RATE, 100, **SAME)
    rest = lyapunov.descend_networks(first.state, X, Y, RATE, 100, **SAME)
    jax.tree.map(np.testing.assert_array_equal, whole.state, rest.state)
    np.testing.assert_array_equal(whole.total[:, 2:], rest.total)
    np.testing.assert_array_equal(whole.steps[2:], rest.steps)


def test_a_network_that_diverges_leaves_the_others_alone():
    many = networks(4)[1]
    wild = jax.tree.map(lambda leaf: leaf.at[0].multiply(1e200), many)
    run = lyapunov.descend_networks(wild, X, Y, RATE, 100, **SAME)
    calm = lyapunov.descend_networks(many, X, Y, RATE, 100, **SAME)
    assert not np.isfinite(run.loss[0]).any()
    np.testing.assert_array_equal(run.total[1:], calm.total[1:])


DEVICES = """
import jax, numpy as np
jax.config.update("jax_enable_x64", True)
import test_lyapunov_networks as here
from learndyn import lyapunov
assert len(jax.devices()) == 2
henon = lambda x: jax.numpy.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])
starts, many = 0.1 + 0.01 * jax.random.normal(jax.random.key(0), (7, 2)), here.networks(11)[1]
def compute(devices):
    run = lyapunov.descend_networks(many, here.X, here.Y, here.RATE, 20, every=5, chunk=4, devices=devices)
    step = lambda x: lyapunov.spectrum(henon, x, 200, transient=50)
    return run, lyapunov.spread(step, chunk=2, devices=devices)(starts)
single, double = (jax.tree.leaves(compute(jax.devices()[:number])) for number in (1, 2))
assert len(double[0].sharding.device_set | double[3].sharding.device_set) == 2 and len(single[3].sharding.device_set) == 1
for a, b in zip(single, double, strict=True):
    np.testing.assert_array_equal(a, b)
print(len(double), "arrays")
"""


def test_two_devices_give_the_bits_of_one():
    here = os.path.dirname(__file__)
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "PYTHONPATH": here}
    run = subprocess.run([sys.executable, "-c", DEVICES], env=environment, check=True, capture_output=True, text=True)
    assert int(run.stdout.split()[0]) > 10
