"""The two variables of self-stabilization, on a loss whose descent they are exactly, and by their conservation law."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from learndyn import self_stabilization as two
from learndyn.descent import descend

KEY = jax.random.key(0)
RATE, PROGRESS = 0.5, 0.02


def valley(params):
    """Curvature 4 + z across; z is pulled up at the speed `PROGRESS`, by the square of the displacement down."""
    x, z = params
    return 0.5 * (4 + z) * x**2 - PROGRESS * z


def test_descent_in_a_valley_is_the_two_variables():
    run = descend(valley, (jnp.array(0.05), jnp.array(-0.1)), optax.sgd(RATE), 200, observe=lambda p: p)
    x, y = two.orbit(0.05, -0.1, 200, progress=PROGRESS, feedback=1.0, learning_rate=RATE)
    np.testing.assert_allclose(run.observed[0], x, atol=1e-11)
    np.testing.assert_allclose(run.observed[1], y, atol=1e-11)


@pytest.mark.parametrize("tilt", [0.0, 0.7])
def test_coefficients_of_the_valley(tilt):
    # a slope of the curvature along the valley's own direction does not count
    loss = lambda p: valley(p) + tilt * p[0] ** 3 / 6
    found = two.coefficients(loss, (jnp.array(0.0), jnp.array(0.25)), key=KEY)
    assert found.sharpness == pytest.approx(4.25)
    assert found.progress == pytest.approx(PROGRESS)
    assert found.feedback == pytest.approx(1.0)
    assert abs(found.direction[0]) == pytest.approx(1.0)


def test_the_feedback_is_the_square_of_a_slope():
    loss = lambda p: 0.5 * (4 + 3 * p[1]) * p[0] ** 2 - 0.1 * p[1] - 5.0 * p[2]
    found = two.coefficients(loss, jnp.zeros(3), key=KEY)
    assert found.feedback == pytest.approx(9.0)
    assert found.progress == pytest.approx(0.3)


def test_rest():
    progress, feedback = 0.3, 2.0
    rest = (2 * progress / feedback) ** 0.5
    x, y = two.orbit(rest, 0.0, 50, progress=progress, feedback=feedback, learning_rate=0.1)
    np.testing.assert_allclose(jnp.abs(x), rest, rtol=1e-12)
    assert jnp.all(jnp.sign(x[1:]) == -jnp.sign(x[:-1]))
    E = lambda x, y: two.energy(jnp.array([x]), jnp.array([y]), progress=progress, feedback=feedback)[0]
    assert all(E(rest, 0.0) < E(rest + dx, dy) for dx, dy in ((0.01, 0.0), (-0.01, 0.0), (0.0, 0.01), (0.0, -0.01)))


def test_energy_is_conserved_to_first_order_and_grows():
    drifts = []
    for parts in (40, 80, 160):
        x, y = two.orbit(0.2, 0.0, 100 * parts, progress=0.1, feedback=1.0, learning_rate=0.5 / parts)
        E = two.energy(x, y, progress=0.1, feedback=1.0)
        assert jnp.all(jnp.diff(E) > 0)
        drifts.append(float(E[-1] - E[0]))
    assert drifts[0] / drifts[1] == pytest.approx(2, abs=0.15)
    assert drifts[1] / drifts[2] == pytest.approx(2, abs=0.08)
