"""Momentum: the exact law of heavy-ball descent, and the oscillator that it becomes for small steps."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.integrate import solve_ivp

from learndyn import conserved, descent, models, momentum

X, Y = jax.random.normal(jax.random.key(0), (8, 3)), jax.random.normal(jax.random.key(1), (8, 2))
NETWORK = models.mlp((3, 4, 2), parametrization="standard")
PARAMS = NETWORK.init(key=jax.random.key(2))
LOSS = lambda p: 0.5 * jnp.mean(jnp.sum((NETWORK.apply(p, X) - Y) ** 2, axis=1))
rescale = lambda p: ({"W": p[0]["W"]}, {"W": -p[1]["W"]})
Q = conserved.quantity(rescale, PARAMS)
softmax = lambda z: -jnp.vdot(jnp.array([0.2, 0.5, 0.3]), jax.nn.log_softmax(z))
SHIFT = conserved.quantity(jnp.ones_like, jnp.ones(3))
LOGITS = jnp.array([1.0, 2.0, 0.5])
UNDER = {"learning_rate": 0.05, "momentum": 0.95, "weight_decay": 0.2}
OVER = {"learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.2}


def descend(loss, params, steps, observe, *, learning_rate, momentum, weight_decay, every=1):
    optimizer = optax.chain(optax.add_decayed_weights(weight_decay), optax.sgd(learning_rate, momentum))
    return descent.descend(loss, params, optimizer, steps, observe=observe, every=every).observed


@pytest.mark.parametrize("settings", [UNDER, OVER, OVER | {"momentum": 0.0}, UNDER | {"weight_decay": 0.0}])
def test_the_law_is_exact(settings):
    """Of a ReLU network with its drive, and of a softmax, which has none."""
    seen = descend(LOSS, PARAMS, 200, lambda p: (p, Q(p)), **settings)
    velocity = jax.tree.map(lambda p: (p[:-1] - p[1:]) / settings["learning_rate"], seen[0])
    predicted = momentum.law(seen[1][0], jax.vmap(Q)(velocity), **settings)
    np.testing.assert_allclose(predicted, seen[1], atol=1e-12)
    assert jnp.max(jnp.abs(seen[1] - seen[1][0])) > 0.01
    seen = descend(softmax, LOGITS, 200, SHIFT, **settings)
    np.testing.assert_allclose(momentum.law(seen[0], jnp.zeros(200), degree=1, **settings), seen, atol=1e-12)


def test_without_weight_decay_a_translation_is_kept_to_rounding():
    seen = descend(softmax, LOGITS, 200, SHIFT, **UNDER | {"weight_decay": 0.0})
    np.testing.assert_allclose(seen, 3.5, atol=1e-12)


@pytest.mark.parametrize("ratio", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("degree", [1, 2])
def test_the_oscillator_against_measured_trajectories(degree, ratio):
    """From underdamped to overdamped at a fixed gamma / omega, over 6 / omega: within 1e-3, which falls with the step.

    (1 - beta)^2 = ratio^2 2 p lambda eta (1 + beta) keeps the ratio while eta falls. Degree 1 is trained; degree 2 is
    the exact law without drive, for no trained network is without.
    """
    errors = []
    for eta in (0.02, 0.01, 0.005, 0.0025):
        decay = 0.1
        c = ratio**2 * 2 * degree * decay * eta  # (1 - b)^2 = c (1 + b), for b
        beta = 1 + c / 2 - (2 * c + c**2 / 4) ** 0.5
        settings = {"learning_rate": eta, "momentum": beta, "weight_decay": decay}
        gamma, omega = momentum.oscillator(**settings, degree=degree)
        assert gamma / omega == pytest.approx(ratio, rel=1e-9)
        steps = int(6 * max(ratio, 1) / omega / eta)
        if degree == 1:
            seen = descend(softmax, LOGITS, steps, SHIFT, **settings)
        else:
            seen = momentum.law(jnp.array(1.0), jnp.zeros(steps), **settings)
        times = eta * jnp.arange(steps + 1)
        errors.append(float(jnp.max(jnp.abs(seen / seen[0] - momentum.oscillation(times, **settings, degree=degree)))))
    assert errors[0] < 1e-3
    slope = np.polyfit(np.log([0.02, 0.01, 0.005, 0.0025]), np.log(errors), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.03)


def test_the_drive_is_no_small_correction():
    """Where the loss is flat the parameters swing as degree 1, so |p|^2 as its square, far from degree 2 undriven."""
    flat, start = lambda p: 0.0 * jnp.sum(p), jnp.array([1.0, -2.0])
    norm = conserved.quantity(lambda p: p, start)
    seen = descend(flat, start, 400, norm, **UNDER)
    single = descend(flat, start, 400, lambda p: p[0], **UNDER)
    np.testing.assert_allclose(seen / seen[0], single**2, rtol=1e-12)
    times = UNDER["learning_rate"] * jnp.arange(401)
    np.testing.assert_allclose(single, momentum.oscillation(times, degree=1, **UNDER), atol=0.01)
    assert jnp.max(jnp.abs(seen / seen[0] - momentum.oscillation(times, **UNDER))) > 0.3


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.7, 0.9, 0.99])
def test_oscillation_solves_its_equation(beta):
    """Q'' + 2 gamma Q' + omega^2 Q = 0 by DOP853 of scipy, under- and overdamped, from the slope of the release."""
    settings = {"learning_rate": 0.1, "momentum": beta, "weight_decay": 0.5}
    gamma, omega = momentum.oscillator(**settings)
    times = jnp.linspace(0.0, 3.0, 7)
    theirs = solve_ivp(
        lambda t, s: [s[1], -2 * gamma * s[1] - omega**2 * s[0]], (0, 3.0), [1.0, -0.5], method="DOP853",
        t_eval=times, rtol=1e-12, atol=1e-13,
    )  # fmt: skip
    np.testing.assert_allclose(momentum.oscillation(times, **settings), theirs.y[0], atol=1e-10)


def test_critical_damping_is_the_limit_of_both_sides():
    """eta = 0.5, beta = 0.5, p lambda = 1/6: gamma = omega = 2/3."""
    times = jnp.linspace(0.0, 10.0, 11)
    at = lambda decay: momentum.oscillation(times, learning_rate=0.5, momentum=0.5, weight_decay=decay)
    gamma, omega = momentum.oscillator(learning_rate=0.5, momentum=0.5, weight_decay=1 / 12)
    assert gamma == pytest.approx(omega, rel=1e-15)
    exact = np.exp(-gamma * times) * (1 + (gamma - 1 / 12) * times)
    for decay in (1 / 12, (1 + 1e-9) / 12, (1 - 1e-9) / 12):
        np.testing.assert_allclose(at(decay), exact, atol=1e-8)


def test_nothing_overflows_and_no_decay_is_constant():
    far = jnp.array([0.0, 1.0, 1e3, 1e6])
    values = momentum.oscillation(far, learning_rate=1e-4, momentum=0.1, weight_decay=1e-3)
    assert bool(jnp.all(jnp.isfinite(values))) and values[-1] < 1e-300
    still = momentum.oscillation(far, learning_rate=1e-4, momentum=0.1, weight_decay=0.0)
    np.testing.assert_allclose(still, 1.0, rtol=1e-12)


def test_without_momentum_the_slow_root_is_weight_decay():
    """exp(-2 lambda t) for small steps, as in the flow."""
    times = jnp.linspace(0.0, 3.0, 4)
    values = momentum.oscillation(times, learning_rate=1e-5, momentum=0.0, weight_decay=0.5)
    np.testing.assert_allclose(values, jnp.exp(-times), rtol=1e-4)
