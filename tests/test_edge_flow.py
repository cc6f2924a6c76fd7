"""Edge flow against a solver of the three motions in a valley, and against descent that swings in it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.integrate import solve_ivp

from learndyn import edge_flow
from learndyn.descent import descend

KEY = jax.random.key(0)
RATE, PROGRESS, STEPS = 0.5, 0.02, 60


def valley(params):
    x, z = params
    return 0.5 * (4 + z) * x**2 - PROGRESS * z


def solved():
    def field(_, state):
        z, log_rho = state
        return [RATE * (PROGRESS - 0.5 * np.exp(2 * log_rho)), np.log(abs(1 - RATE * (4 + z)))]

    out = solve_ivp(field, (0, STEPS), [-0.1, np.log(0.05)], rtol=1e-10, atol=1e-12, t_eval=np.arange(STEPS + 1))
    return 4 + out.y[0], np.exp(out.y[1])


def test_it_solves_its_equations_to_first_order():
    sharpness, magnitudes = solved()
    errors = []
    for substeps in (8, 16):
        swing = edge_flow.integrate(
            valley, (jnp.array(0.0), jnp.array(-0.1)), RATE, STEPS, magnitude=0.05, substeps=substeps, key=KEY
        )
        errors.append([np.abs(swing.sharpness - sharpness).max(), np.abs(swing.magnitudes - magnitudes).max()])
    np.testing.assert_allclose(np.divide(*errors), 2, atol=0.15)
    assert np.max(errors[1]) < 0.01
    # half the sum of the losses on the two sides
    both = 0.5 * swing.sharpness * swing.magnitudes**2 - PROGRESS * (swing.sharpness - 4)
    np.testing.assert_allclose(swing.losses, both, atol=1e-12)
    assert swing.params[1] == pytest.approx(float(swing.sharpness[-1] - 4))


def test_the_direction_turns_to_the_top():
    # the second valley becomes the sharper one on the way
    def loss(p):
        return 0.5 * (3 - p[2]) * p[0] ** 2 + 0.5 * (2 + p[2]) * p[1] ** 2 - 0.05 * p[2]

    swing = edge_flow.integrate(loss, jnp.array([1e-3, 1e-3, 0.0]), 0.4, 200, magnitude=1e-3, key=KEY)
    assert swing.sharpness[0] == pytest.approx(3, abs=1e-3)
    assert swing.sharpness[-1] > 4


def test_descent_swings_like_it():
    swing = edge_flow.integrate(valley, (jnp.array(0.0), jnp.array(-0.1)), RATE, STEPS, magnitude=0.05, key=KEY)
    run = descend(valley, (jnp.array(0.05), jnp.array(-0.1)), optax.sgd(RATE), STEPS, observe=lambda p: p)
    assert np.abs(np.abs(run.observed[0]) - swing.magnitudes).max() < 0.1 * np.max(swing.magnitudes)


def test_a_start_far_above_is_told():
    with pytest.raises(FloatingPointError, match="edge_flow: the loss is no longer finite at step"):
        edge_flow.integrate(lambda p: jnp.sum(p**4) + 50 * jnp.sum(p**2), jnp.array([1.0, 1.1]), 1.0, 100, magnitude=1.0, key=KEY)
