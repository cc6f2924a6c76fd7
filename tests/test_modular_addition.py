"""Modular addition by Fourier: against sums over all pairs, against climbing, against autodiff, against training."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from learndyn import agf, descent, flows
from learndyn import modular_addition as ma

X11 = ma.encoding(11, {1: 10.0, 2: 5.0, 4: 2.5})
TURNED = jnp.roll(X11, 3)  # complex Fourier coefficients


def test_an_encoding_has_the_spectrum_asked_for():
    np.testing.assert_allclose(np.fft.fft(X11)[:6], [0, 10, 5, 0, 2.5, 0], atol=1e-13)
    flat = ma.encoding(7, {k: 1.0 for k in (1, 2, 3)})
    np.testing.assert_allclose(flat, np.eye(7)[0] - 1 / 7, atol=1e-14)


def test_data_are_all_sums():
    X, y = ma.data(X11)
    a, b = 9, 5
    np.testing.assert_array_equal(X[11 * a + b], np.append(np.roll(X11, a), np.roll(X11, b)))
    np.testing.assert_array_equal(y[11 * a + b], np.roll(X11, 3))  # 14 = 3 modulo 11


def test_start_has_the_norms_of_the_published_runs():
    neurons = ma.start(11, 5, scale=1e-2, key=jax.random.key(0))
    np.testing.assert_allclose(np.linalg.norm(neurons[:, :22], axis=1), 1e-2, rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(neurons[:, 22:], axis=1), 1e-2, rtol=1e-12)


@pytest.mark.parametrize("x", [X11, TURNED, ma.encoding(8, {1: 1.0, 3: 2.0})], ids=["p=11", "turned", "p=8"])
def test_utilities_are_those_of_a_sum_over_all_pairs(x):
    neurons = ma.start(len(x), 6, scale=0.3, key=jax.random.key(1))
    X, y = ma.data(x)
    np.testing.assert_allclose(jnp.sum(ma.utilities(neurons, x), axis=1), agf.utilities(ma.neuron, neurons, X, y), rtol=1e-11)
    # each frequency by itself: targets without the others
    first = np.isin(np.arange(len(x)), [1, len(x) - 1])
    alone = jnp.fft.ifft(jnp.where(first[None], jnp.fft.fft(y), 0)).real
    np.testing.assert_allclose(ma.utilities(neurons, x)[:, 0], agf.utilities(ma.neuron, neurons, X, alone), rtol=1e-10)


def test_no_direction_beats_the_best_utility_and_climbing_reaches_it():
    X, y = ma.data(TURNED)
    neurons = ma.start(11, 30, scale=1.0, key=jax.random.key(2))
    down = lambda theta: -jnp.sum(agf.utilities(ma.neuron, theta, X, y))
    best = ma.best_utilities(TURNED)
    reached = flows.gradient_flow(down, neurons, jnp.array([40.0])).params
    found = np.asarray(agf.utilities(ma.neuron, reached, X, y))
    assert np.all(found <= best.max() * (1 + 1e-9))
    near = np.min(np.abs(found[:, None] / np.asarray(best)[None, [0, 1, 3]] - 1), axis=1)
    assert np.mean(near < 1e-6) > 0.9 and abs(found.max() / best.max() - 1) < 1e-8


def test_plateaus_and_what_is_learned_by_projection():
    _, y = ma.data(TURNED)
    np.testing.assert_allclose(ma.plateaus(TURNED)[0], 0.5 * jnp.mean(jnp.sum(y**2, axis=1)), rtol=1e-12)
    np.testing.assert_allclose(ma.plateaus(X11)[:4], np.array([131.25, 31.25, 6.25, 0]) / 11, atol=1e-13)
    np.testing.assert_allclose(  # as published: a mean over outputs too, and no half
        ma.plateaus(ma.encoding(20, {1: 10.0, 3: 5.0, 5: 2.5}))[:4] * 2 / 20, [0.65625, 0.15625, 0.03125, 0], atol=1e-14)  # fmt: skip
    # six neurons whose phases are sixth roots of one know their frequency by heart
    angle = 2 * jnp.pi * jnp.arange(11) / 11
    wave = lambda phase: jnp.cos(angle + phase)
    turns = 2 * jnp.pi * jnp.arange(6) / 6
    team = jnp.stack([jnp.concatenate([wave(s), wave(4 * s), wave(5 * s)]) for s in turns])
    team = team / ma.learned(team, X11)[0] ** (1 / 3)
    f = jnp.sum(agf.outputs(ma.neuron, team, ma.data(X11)[0]), axis=0)
    only = ma.data(ma.encoding(11, {1: 10.0}))[1]
    np.testing.assert_allclose(f, only, atol=1e-12)
    np.testing.assert_allclose(ma.learned(team, X11), [1, 0, 0, 0, 0], atol=1e-12)


@pytest.mark.parametrize("x", [X11, TURNED], ids=["real", "turned"])
def test_first_jump_is_that_of_the_flow_of_the_utility(x):
    neurons = ma.start(11, 4, scale=1e-1, key=jax.random.key(3))
    found = ma.jumps(neurons, x)
    X, y = ma.data(x)
    down = lambda theta: -jnp.sum(jnp.einsum("hnc,nc->h", agf.outputs(ma.neuron, theta, X), y)) / len(y)
    at = flows.gradient_flow(down, neurons, jnp.array([found.times[0]]), rtol=1e-11, atol=1e-13).params
    norms = np.linalg.norm(at, axis=1)
    assert abs(norms.max() - 1) < 1e-5 and norms.argmax() == found.neurons[0]


def test_one_frequency_already_aligned_jumps_at_the_bound():
    x = ma.encoding(7, {2: 3.0})
    angle = 2 * jnp.pi * 2 * jnp.arange(7) / 7
    theta = jnp.concatenate([jnp.cos(angle + 0.4), jnp.cos(angle - 1.0), jnp.cos(angle - 0.6)])
    theta = 0.01 * theta / jnp.linalg.norm(theta)
    bound = (1 / 0.01 - 1) / (3 * ma.best_utilities(x)[1])
    np.testing.assert_allclose(ma.jumps(theta[None], x).times, [bound], rtol=1e-7)


def test_training_jumps_when_and_in_the_order_that_is_predicted():
    neurons = ma.start(11, 16, scale=1e-2, key=jax.random.key(4))
    x = ma.encoding(11, {1: 10.0, 2: 5.0})
    said = ma.jumps(neurons, x)
    run = descent.descend(
        agf.loss(ma.neuron, *ma.data(x)), neurons, optax.sgd(0.002, momentum=0.9), 3500, every=10,
        observe=lambda theta: ma.learned(theta, x),
    )  # fmt: skip
    seen = [run.times[int(jnp.argmax(run.observed[:, k - 1] > 1 / 18))] * 0.02 for k in said.frequencies]
    assert said.frequencies.tolist() == [1, 2]
    np.testing.assert_allclose(seen, said.times, rtol=0.25)
    assert seen[1] > 5 * seen[0]


def test_teams():
    """Two thirds of the squares' power is at characters that must cancel, and so on up to six."""
    for width, expected in ((1, 8 / 9), (2, 5 / 9), (3, 0.325633), (4, 1 / 6)):
        assert abs(ma.least_unlearned(width, p=11, frequency=3, restarts=12) - expected) < 2e-5
    assert ma.least_unlearned(6, p=11, frequency=3, restarts=12) < 1e-18
    assert ma.least_unlearned(4, p=20, frequency=5, restarts=12) < 1e-18 < ma.least_unlearned(3, p=20, frequency=5, restarts=3)
    assert ma.least_unlearned(4, p=11, frequency=3, constant=False, restarts=12) < 1e-18
    assert abs(ma.least_unlearned(3, p=11, frequency=3, constant=False, restarts=12) - 1 / 6) < 2e-5
    rng = np.random.default_rng(0)
    alpha, beta = rng.normal(size=(2, 3, 2)).view(complex)[..., 0]
    a, b = np.divmod(np.arange(169), 13)
    waves = np.exp(2j * np.pi * 2 * np.stack([a, b]) / 13)
    squares = (np.outer(waves[0], alpha).real + np.outer(waves[1], beta).real) ** 2
    left = np.linalg.lstsq(squares.astype(complex), waves[0] * waves[1], rcond=None)[1]
    np.testing.assert_allclose(ma.unlearned(alpha, beta, p=13, frequency=2), left[0] / 169, rtol=1e-10)


def test_an_encoding_that_nobody_can_reach_says_so():
    with pytest.raises(RuntimeError, match="no neuron has grown"):
        ma.jumps(jnp.full((1, 9), 1e-3), ma.encoding(3, {1: 1.0}))  # constant neurons have no Fourier coefficient
