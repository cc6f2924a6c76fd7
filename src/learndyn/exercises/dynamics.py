"""Property checks for the exercises of *Training is a dynamical system*."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from learndyn import _require as require
from learndyn.descent import descend

# Pairs (a, w) on both sides of a + w = 0, with imbalances a^2 - w^2 of both signs and zero.
PLANE = ((2.0, -1.3), (-0.4, -2.0), (0.3, 0.1), (-1.5, 1.1), (0.7, 0.7), (-0.2, 0.9))


def _plane_loss(theta, target=1.0):
    return 0.5 * (theta[0] * theta[1] - target) ** 2


def check_clock(answer: Callable[[float, int], float]) -> None:
    r"""Descent on the mean loss with `answer(learning_rate, n)` makes the same steps as on the sum with `learning_rate`.

    Args:
      answer: a function of the learning rate for the sum and the number n of samples.

    Raises:
      AssertionError: with the two positions after ten steps.
    """
    require.callable_("answer", answer)
    for n, learning_rate in ((7, 0.02), (40, 0.005)):
        X = jnp.cos(jnp.arange(2.0 * n)).reshape(n, 2)
        total = lambda theta: 0.5 * jnp.sum((jnp.tanh(X @ theta) - X[:, 0]) ** 2)
        start = jnp.array([0.3, -0.8])
        on_sum = descend(total, start, optax.sgd(learning_rate), 10).params
        on_mean = descend(lambda theta: total(theta) / n, start, optax.sgd(answer(learning_rate, n)), 10).params
        error = float(jnp.linalg.norm(on_sum - on_mean) / jnp.linalg.norm(on_sum - start))
        assert error < 1e-3, (
            f"n = {n}, learning rate {learning_rate}: after ten steps the mean stands at {on_mean}, the sum at {on_sum}. "
            "Hint: the gradient of the mean is shorter by a factor of n."
        )
    print("Right: both losses are descended through the same points.")


def check_shrink(answer: Callable[[float, float], float]) -> None:
    r"""`answer(learning_rate, residual)` is $(a_{k+1}^2 - w_{k+1}^2) / (a_k^2 - w_k^2)$ for one step on $\frac12(aw-1)^2$.

    Args:
      answer: a function of the learning rate and the residual $aw - 1$ before the step.

    Raises:
      AssertionError: with the ratio that a step really makes.
    """
    require.callable_("answer", answer)
    for a, w in PLANE:
        if abs(a) == abs(w):
            continue
        for learning_rate in (0.01, 0.3, 0.9):
            theta = jnp.array([a, w])
            after = theta - learning_rate * jax.grad(_plane_loss)(theta)
            ratio = float((after[0] ** 2 - after[1] ** 2) / (a**2 - w**2))
            given = float(answer(learning_rate, a * w - 1))
            assert abs(given - ratio) < 1e-5 * (1 + abs(ratio)), (
                f"from a = {a}, w = {w} with learning rate {learning_rate} a step multiplies a^2 - w^2 by {ratio:.6g}, "
                f"and the answer is {given:.6g}. Hint: the terms of first order in the learning rate cancel; "
                "what do the squares leave?"
            )
    print("Right: the formula is what a step does, also for large steps.")


def check_momentum_energy(answer: Callable) -> None:
    r"""$\frac{d}{dt} E(\theta, \dot\theta) = -\gamma \|\dot\theta\|^2$ along $\ddot\theta + \gamma\dot\theta = -\nabla L(\theta)$.

    The derivative is taken exactly, by the chain rule through the answer, at many states; nothing is simulated.

    Args:
      answer: a function (loss, theta, velocity) that returns the energy, where `loss(theta)` is a number.

    Raises:
      AssertionError: with the two rates at the first state where they differ.
    """
    require.callable_("answer", answer)
    losses = {"the valley": _plane_loss, "a quadratic": lambda theta: jnp.sum(jnp.array([0.5, 4.0]) * theta**2)}
    for name, loss in losses.items():
        for state, speed in zip(PLANE, PLANE[1:] + PLANE[:1]):
            for friction in (0.0, 0.7):
                theta, velocity = jnp.array(state), jnp.array(speed)
                acceleration = -friction * velocity - jax.grad(loss)(theta)
                energy = lambda x, v: answer(loss, x, v)
                rate = float(jax.jvp(energy, (theta, velocity), (velocity, acceleration))[1])
                wanted = -friction * float(velocity @ velocity)
                assert abs(rate - wanted) < 1e-4 * (1 + abs(wanted)), (
                    f"{name}, theta = {state}, velocity = {speed}, friction {friction}: the answer changes at the rate "
                    f"{rate:.6g}, and -friction |velocity|^2 is {wanted:.6g}. Hint: without friction it is the "
                    "energy of a ball of mass one at the height L."
                )
    print("Right: the energy is lost to friction alone.")


def check_heavy_ball_limit(answer: Callable[[float, float], float]) -> None:
    r"""Heavy ball, $\theta_{k+1} = \theta_k - \eta\lambda\theta_k + \beta(\theta_k - \theta_{k-1})$, is stable exactly below $\eta$.

    It is run, one percent below the answer and one percent above.

    Args:
      answer: a function of the momentum $0 \le \beta < 1$ and the curvature $\lambda$ that returns the limit.

    Raises:
      AssertionError: names the side on which the ball does something else.
    """
    require.callable_("answer", answer)
    for momentum, curvature in ((0.0, 3.0), (0.5, 1.0), (0.9, 40.0)):
        limit = float(answer(momentum, curvature))
        assert limit > 0, f"momentum {momentum}, curvature {curvature}: the limit must be positive, but is {limit}"
        for share, wanted in ((0.99, "stable"), (1.01, "unstable")):
            before, now = 1.0, 1.0
            for _ in range(20_000):
                before, now = now, now - share * limit * curvature * now + momentum * (now - before)
                if not 1e-9 < abs(now) + abs(before) < 1e9:
                    break
            seen = "stable" if abs(now) + abs(before) < 1 else "unstable"
            assert seen == wanted, (
                f"momentum {momentum}, curvature {curvature}: at {share} of the limit {limit:.6g} the ball is {seen}. "
                "Hint: insert theta_k = z^k; stability is lost where a root passes z = -1."
            )
    print("Right: the ball settles one percent below the limit and flies off one percent above.")


def check_integrator(answer: Callable, *, order: int, stiff: bool = False) -> None:
    r"""`answer(field, theta, step)` is one step of a method whose error at a fixed time is $O(\text{step}^{\text{order}})$.

    The order is the measured slope on two flows that are known in closed form; with `stiff` the method must also
    stay bounded for steps far beyond those that an explicit method survives.

    Args:
      answer: maps a velocity field (a function of theta), theta (p,) and the step to the next theta (p,).
      order: 1 or more.
      stiff: whether to require decay on $\dot\theta = -\lambda\theta$ at step times $\lambda$ of 10 and 1000.

    Raises:
      AssertionError: with the measured order, or the factor by which a stiff step grows.
    """
    require.callable_("answer", answer)
    require.positive_integer("order", order)
    A = jnp.array([[-1.0, 2.0], [-2.0, -0.5]])
    start = jnp.array([1.0, 0.4])
    cases = {  # a field that turns, and one that is not linear: theta' = -theta^3
        "a linear field": (lambda x: A @ x, jax.scipy.linalg.expm(A) @ start),
        "theta' = -theta^3": (lambda x: -(x**3), start / jnp.sqrt(1 + 2 * start**2)),
    }
    for name, (field, exact) in cases.items():
        march = _march(answer, field)
        errors = [float(jnp.linalg.norm(march(start, number) - exact)) for number in (40, 80)]
        measured = float(np.log2(errors[0] / errors[1])) if errors[1] > 0 else np.inf
        assert abs(measured - order) < 0.15, (
            f"{name}: halving the step divides the error {errors[0]:.3g} by 2^{measured:.3f}, and a method of order "
            f"{order} by 2^{order}. Hint: which terms of the Taylor expansion does one step reproduce?"
        )
    for product in (10.0, 1000.0) if stiff else ():
        after = answer(lambda x: -product * x, jnp.ones(2), 1.0)
        growth = float(jnp.max(jnp.abs(after)))
        assert growth < 1, (
            f"at step times rate = {product:g} one step multiplies the state by {growth:.3g}, and the flow makes it "
            "vanish. Hint: the unknown stands on both sides of an implicit step; solve for it."
        )
    print(f"Right: the order is {order}" + (", and large steps on stiff problems decay." if stiff else "."))


def _march(step, field) -> Callable:
    """A function (start, number) that gives the state at time 1 after `number` equal steps, compiled once."""

    @jax.jit
    def march(start, number):
        return jax.lax.fori_loop(0, number, lambda _, theta: step(field, theta, 1.0 / number), start)

    return march
