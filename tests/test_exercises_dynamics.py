"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import jax
import jax.numpy as jnp
import pytest

from learndyn.exercises import dynamics


def test_clock():
    dynamics.check_clock(lambda learning_rate, n: n * learning_rate)
    for wrong in (lambda learning_rate, n: learning_rate / n, lambda learning_rate, n: learning_rate):
        with pytest.raises(AssertionError, match="after ten steps the mean stands at"):
            dynamics.check_clock(wrong)


def test_shrink(capsys):
    dynamics.check_shrink(lambda learning_rate, residual: 1 - learning_rate**2 * residual**2)
    assert capsys.readouterr().out.startswith("Right")
    wrong = [
        lambda learning_rate, residual: 1.0,  # what the flow does
        lambda learning_rate, residual: 1 + learning_rate**2 * residual**2,
        lambda learning_rate, residual: (1 - learning_rate * residual) ** 2,
    ]
    for answer in wrong:
        with pytest.raises(AssertionError, match="a step multiplies"):
            dynamics.check_shrink(answer)


def test_momentum_energy():
    dynamics.check_momentum_energy(lambda loss, theta, velocity: loss(theta) + 0.5 * velocity @ velocity)
    wrong = [
        lambda loss, theta, velocity: loss(theta),  # not a Lyapunov function any more
        lambda loss, theta, velocity: loss(theta) + velocity @ velocity,
        lambda loss, theta, velocity: loss(theta) - 0.5 * velocity @ velocity,
    ]
    for answer in wrong:
        with pytest.raises(AssertionError, match="the answer changes at the rate"):
            dynamics.check_momentum_energy(answer)


def test_heavy_ball_limit():
    dynamics.check_heavy_ball_limit(lambda momentum, curvature: 2 * (1 + momentum) / curvature)
    with pytest.raises(AssertionError, match=r"at 1\.01 of the limit .* the ball is stable"):  # as if momentum did not help
        dynamics.check_heavy_ball_limit(lambda momentum, curvature: 2 / curvature)
    with pytest.raises(AssertionError, match=r"at 0\.99 of the limit .* the ball is unstable"):
        dynamics.check_heavy_ball_limit(lambda momentum, curvature: 2 / (1 - momentum) / curvature)
    with pytest.raises(AssertionError, match="must be positive"):
        dynamics.check_heavy_ball_limit(lambda momentum, curvature: -2 / curvature)


def euler(field, theta, step):
    return theta + step * field(theta)


def heun(field, theta, step):
    slope = field(theta)
    return theta + step / 2 * (slope + field(theta + step * slope))


def implicit_euler(field, theta, step, iterations=8):
    equation = lambda new: new - theta - step * field(new)
    new = theta
    for _ in range(iterations):
        new = new - jnp.linalg.solve(jax.jacobian(equation)(new), equation(new))
    return new


def implicit_by_iteration(field, theta, step):
    """Fixed-point iteration: right in the limit of small steps, and no cure for stiffness."""
    new = theta
    for _ in range(8):
        new = theta + step * field(new)
    return new


def test_integrator():
    dynamics.check_integrator(euler, order=1)
    dynamics.check_integrator(heun, order=2)
    dynamics.check_integrator(implicit_euler, order=1, stiff=True)
    with pytest.raises(AssertionError, match=r"a method of order 2 by 2\^2"):  # Euler in disguise
        dynamics.check_integrator(lambda field, theta, step: euler(field, euler(field, theta, step / 2), step / 2), order=2)
    with pytest.raises(AssertionError, match="halving the step"):  # the average forgotten
        dynamics.check_integrator(lambda field, theta, step: theta + step * field(theta + step * field(theta)), order=2)
    with pytest.raises(AssertionError, match="at step times rate = 10 one step multiplies the state by"):
        dynamics.check_integrator(implicit_by_iteration, order=1, stiff=True)
    with pytest.raises(AssertionError, match="at step times rate = 10 one step multiplies the state by 9"):
        dynamics.check_integrator(euler, order=1, stiff=True)


def test_what_is_not_an_answer():
    with pytest.raises(TypeError, match="answer"):
        dynamics.check_shrink(3)
    with pytest.raises(ValueError, match="order must be at least 1, but is 0"):
        dynamics.check_integrator(euler, order=0)
