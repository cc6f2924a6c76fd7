"""Checks for the chapter on teacher and student: each tests properties that any right answer has, on data of its own."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import _require as require
from learndyn import losses, models
from learndyn.exercises._same import TOLERANCE, same


def check_relative_change(answer: Callable) -> None:
    r"""$f(\theta) = \theta^L - \theta_0^L$ trained to $y$: `answer(theta0, y, degree)` is how much $f'$ changes.

    The relative change of the derivative, $f'(\theta_\infty)/f'(\theta_0) - 1$, for $\theta_0 > 0$ and
    $y > -\theta_0^L$.

    Properties: a linear model changes nothing, training the model agrees, and laziness: the change falls as
    $\theta_0^{-L}$.

    Raises:
      AssertionError: naming the property that fails.
    """
    require.callable_("answer", answer)
    linear = float(answer(0.7, 0.4, 1))
    assert abs(linear) < TOLERANCE, f"a linear model (degree = 1): its derivative is constant, but changes by {linear:.4g}"
    for theta0, y, degree in ((1.0, 0.8, 2), (0.5, 2.0, 3), (1.5, -1.0, 2)):
        theta = theta0
        for _ in range(2000):  # descent, whose end on a line is that of the flow
            theta -= 0.05 * (theta**degree - theta0**degree - y) * degree * theta ** (degree - 1)
        same(f"what descent does from {theta0} to y = {y}, degree = {degree}", answer(theta0, y, degree),
              (theta / theta0) ** (degree - 1) - 1,
              "solve f(theta) = y for theta; f' is compared with f' at the start")  # fmt: skip
    for degree in (2, 4):
        power = float(np.log2(answer(40.0, 1.0, degree) / answer(20.0, 1.0, degree)))
        assert abs(power + degree) < 0.01, (
            f"laziness: for large theta0 the change must fall as theta0 to the power of {-degree}, "
            f"but the power is {power:.3f}"
        )
    print("check_relative_change: linear models, descent and the lazy limit all agree.")


def check_two_dials(answer: Callable) -> None:
    r"""`answer(alpha, degree)` is `(factor, clock)`: the start and the time that do to $f$ what $\alpha$ does to its output.

    With f homogeneous of degree $L$, the gradient flow of $\frac12\|\alpha f(\theta) - y\|^2$ from $\theta_0$, at
    the time t, and that of $\frac12\|f(\theta) - y\|^2$ from `factor` $\theta_0$, at the time `clock` t, must give the
    same outputs.

    Properties: nothing changes for $\alpha = 1$, the outputs agree at the start, and the velocities of the parameters
    agree wherever they are, for networks with two and with three layers.

    Raises:
      AssertionError: naming the property that fails.
    """
    require.callable_("answer", answer)
    for degree in (2, 3):
        same(f"alpha = 1, degree = {degree}", answer(1.0, degree), (1.0, 1.0), "no change is no change")
        model = models.mlp((2,) + (3,) * (degree - 1) + (1,), activation="linear")
        key_params, key_X, key_y = jax.random.split(jax.random.key(degree), 3)
        params, X = model.init(key=key_params), jax.random.normal(key_X, (4, 2))
        y, alpha = jax.random.normal(key_y, (4, 1)), 2.5
        factor, clock = (float(number) for number in answer(alpha, degree))
        start = jax.tree.map(lambda leaf: factor * leaf, params)
        same(f"outputs at the start, degree = {degree}", model.apply(start, X), alpha * model.apply(params, X),
              "f(s theta) = s^L f(theta)")  # fmt: skip
        scaled = lambda theta, X: alpha * model.apply(theta, X)
        velocity = jax.grad(losses.squared_loss(scaled, X, y))(params)
        other = jax.grad(losses.squared_loss(model.apply, X, y))(start)
        for layer, (one, two) in enumerate(zip(jax.tree.leaves(velocity), jax.tree.leaves(other))):
            same(f"velocity of layer {layer + 1}, degree = {degree}", clock * two, factor * one,
                  "write phi = s theta and differentiate: the gradient is homogeneous of degree L - 1")  # fmt: skip
    print("check_two_dials: the two networks are one, at the start and in motion, for two layers and for three.")


def check_alignment(answer: Callable) -> None:
    r"""How well a student looks where its teacher looks: `answer(W, a, U)` in [-1, 1], with (m, d), (m,) and (k, d).

    Properties: one for a student that is the teacher; what a reparametrization $(w, a) \to (cw, a/c)$ or an exchange of
    neurons leaves alone, the answer leaves alone; so do neurons that have died ($a = 0$); each neuron counts by its
    share $|a|\,\|w\|$; and it is minus one for neurons opposite to a teacher that has one direction.

    Raises:
      AssertionError: naming the property that fails.
    """
    require.callable_("answer", answer)
    key_U, key_W, key_a, key_c = jax.random.split(jax.random.key(30), 4)
    U = jax.random.normal(key_U, (3, 5))
    U = U / jnp.linalg.norm(U, axis=1)[:, None]
    W, a = jax.random.normal(key_W, (6, 5)), jax.random.normal(key_a, (6,))
    c = jnp.exp(jax.random.normal(key_c, (6,)))
    value = float(answer(W, a, U))
    same("a student that is its teacher", answer(2.0 * U, jnp.array([1.0, -1.0, 0.5]), U), 1.0,
          "divide by the lengths of the neurons")  # fmt: skip
    same("a neuron's two layers rescaled, (c w, a / c)", answer(c[:, None] * W, a / c, U), value,
          "the function is the same; weigh neurons by |a||w|, not by |a| or |w| alone")  # fmt: skip
    same("neurons in another order", answer(W[::-1], a[::-1], U), value, "no neuron is special")
    same("teacher in another order", answer(W, a, U[::-1]), value, "compare with the nearest of the teacher's neurons")
    same("neurons that are dead (a = 0)", answer(jnp.concatenate([W, W[:2] * 9]), jnp.append(a, jnp.zeros(2)), U), value,
          "a neuron without a readout is no part of the function")  # fmt: skip
    opposite = jnp.stack([U[0], -U[0]])
    same("shares", answer(opposite, jnp.array([3.0, -1.0]), U[:1]), 0.5,
          "three quarters of this student have the cosine 1 and one quarter has -1; signs of a do not matter")  # fmt: skip
    print("check_alignment: one for the teacher itself, blind to what the function is blind to, and weighed by shares.")
