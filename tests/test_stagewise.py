"""Training in stages: what it costs, whom it chooses, and that ordinary training is the case of no stages."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from learndyn import agf, stagewise
from learndyn.descent import descend


def product(theta, x):
    return theta[0] * theta[1] * x


X = jnp.asarray(np.linalg.qr(np.random.default_rng(0).normal(size=(20, 5)))[0] * 20**0.5)
BETA = jnp.array([0.3, -1.2, 0.0, 0.8, 0.1])
OWN, Y = X.T[:, :, None], (X @ BETA)[:, None]
START = jax.random.normal(jax.random.key(0), (5, 2))
LOSS = agf.loss(product, OWN, Y)


def test_no_stages_is_ordinary_training():
    optimizer = optax.adam(0.03)
    course = stagewise.train(product, OWN, Y, START, optimizer, steps=40, observe=LOSS)
    plain = descend(LOSS, START, optimizer, 40)
    np.testing.assert_allclose(course.observed, plain.observed, rtol=1e-12)
    np.testing.assert_allclose(course.neurons, plain.params, rtol=1e-12)
    np.testing.assert_array_equal(course.work, 5 * np.arange(41))


def test_orthogonal_inputs_enter_in_the_order_of_their_coefficients():
    # the best unit direction of uvx is u = +-v, and an exact line search learns the coefficient at once
    tails = 0.5 * np.cumsum(np.sort(np.asarray(BETA) ** 2))[::-1]
    course = stagewise.train(product, OWN, Y, START, optax.sgd(0.1), stages=4, climb=60, descent=0, steps=0, observe=LOSS)
    np.testing.assert_allclose(course.observed, np.append(tails[:4], 0), atol=1e-12)
    np.testing.assert_array_equal(course.entered, [True, True, False, True, True])


def test_work_counts_the_neurons_that_are_trained():
    course = stagewise.train(product, OWN, Y, START, optax.sgd(0.1), stages=2, climb=7, descent=3, steps=2, observe=LOSS)
    first, second = (7 + 1) * 5, (7 + 1) * 4
    steps = [0, first, 1, 1, 1, second, 2, 2, 2, 2, 2]
    np.testing.assert_array_equal(course.work, np.cumsum(steps))
    assert course.observed.shape == course.work.shape


def test_neurons_that_wait_are_zero_and_nobody_enters_to_do_harm():
    seen = stagewise.train(product, OWN, Y, START, optax.sgd(0.1), stages=2, climb=9, descent=2, steps=1,
                           observe=lambda neurons: jnp.sum(jnp.any(neurons != 0, axis=1)))  # fmt: skip
    np.testing.assert_array_equal(seen.observed, [0, 1, 1, 1, 2, 2, 2, 2])
    harmful = jnp.stack([jnp.ones(5), -jnp.sign(BETA + 1e-9)], axis=1)  # every neuron in its worst direction
    nobody = stagewise.train(product, OWN, Y, harmful, optax.sgd(0.1), stages=2, climb=0, descent=1, steps=1, observe=LOSS)
    assert not np.any(nobody.entered[jnp.abs(BETA) > 0]) and np.all(nobody.observed == nobody.observed[0])
    nothing = stagewise.train(product, OWN, 0 * Y, START, optax.sgd(0.1), stages=2, climb=2, descent=1, steps=1, observe=LOSS)
    assert not np.any(nothing.entered) and not np.any(nothing.neurons)


def test_who_enters_is_who_lowers_the_loss_most_not_who_is_loudest():
    loud = OWN * jnp.array([9.0, 1.0, 1.0, 1.0, 1.0])[:, None, None]  # its utility is the largest, 9 * 0.3, its fall is not
    course = stagewise.train(product, loud, Y, START, optax.sgd(0.01), stages=1, climb=60, descent=0, steps=0, observe=LOSS)
    np.testing.assert_array_equal(course.entered, [False, True, False, False, False])


@pytest.mark.parametrize("degree", [2, 3])
def test_the_size_on_entering_is_that_of_a_line_search(degree):
    def power(theta, x):
        return theta[0] * theta[1] ** (degree - 1) * x

    course = stagewise.train(power, OWN, Y, jnp.abs(START), optax.sgd(0.1), degree=degree, stages=1, climb=100, descent=0,
                             steps=0, observe=lambda neurons: neurons)  # fmt: skip
    who = int(np.argmax(course.entered))
    loss = lambda s: 0.5 * jnp.mean((Y - s**degree * power(course.neurons[who], OWN[who])) ** 2)
    assert abs(float(jax.grad(loss)(1.0))) < 1e-12


def test_learning_rates_and_data_can_be_tried_at_once():
    def run(rate, y):
        return stagewise.train(product, OWN, y, START, optax.sgd(rate), stages=2, climb=3, descent=3, steps=3, observe=LOSS).observed

    rates, targets = jnp.array([0.03, 0.1]), jnp.stack([Y, 2 * Y])
    both = jax.jit(jax.vmap(run))(rates, targets)
    for k in range(2):
        np.testing.assert_allclose(both[k], run(float(rates[k]), targets[k]), rtol=1e-10)
