"""Checks for the chapter on linearization: each tests properties that any right answer has, on data of its own."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import _require as require
from learndyn import models
from learndyn.exercises._same import TOLERANCE, same


def _parameters(j, k):
    """The axes of two Jacobians that belong to the parameters: all but the first."""
    return list(range(1, j.ndim)), list(range(1, k.ndim))


def _normal(key: int, *shape: int):
    return jax.random.normal(jax.random.key(key), shape)


def check_two_layer_linear_ntk(answer: Callable) -> None:
    r"""$f(x) = a^\top W x$: `answer(a, W, X1, X2)` must be its kernel, (n, m).

    Properties: each layer's contribution alone (the other layer's parameters being zero), and the inner products of
    gradients taken by automatic differentiation.

    Raises:
      AssertionError: naming the property that fails.
    """
    require.callable_("answer", answer)
    a, W, X1, X2 = _normal(0, 5), _normal(1, 5, 3), _normal(2, 4, 3), _normal(3, 6, 3)
    jacobians = [
        jax.jit(jax.jacobian(lambda params, X=X: X @ params[1].T @ params[0]))((a, W))  # (n, 5) and (n, 5, 3)
        for X in (X1, X2)
    ]
    wanted = sum(jnp.tensordot(j, k, _parameters(j, k)) for j, k in zip(*jacobians))
    same("readout's part (a = 0)", answer(0 * a, W, X1, X2), X1 @ W.T @ W @ X2.T,
          "the gradient in a is W x, and it does not vanish with a")
    same("first layer's part (W = 0)", answer(a, 0 * W, X1, X2), jnp.sum(a**2) * X1 @ X2.T,
          "the gradient in W is the matrix a x', with the squared norm |a|^2 |x|^2")
    same("inner products of the gradients", answer(a, W, X1, X2), wanted, "add the contributions of both layers")
    print("check_two_layer_linear_ntk: both layers contribute what they should, and the sum is the kernel.")


def check_kernel_vector_product(answer: Callable) -> None:
    r"""$K v = J J^\top v$: `answer(f, params, X, v)` with v and the result (n, c).

    Properties: the right shape, linear in v, symmetric, positive semidefinite, and equal to the product with the
    Jacobian that this check does form.

    Raises:
      AssertionError: naming the property that fails.
    """
    require.callable_("answer", answer)
    model = models.mlp((3, 7, 2), activation="tanh", bias_scale=0.5)
    params, X = model.init(key=jax.random.key(10)), _normal(11, 5, 3)
    u, v = _normal(12, 5, 2), _normal(13, 5, 2)
    Ku, Kv = (jnp.asarray(answer(model.apply, params, X, vector)) for vector in (u, v))
    assert Kv.shape == v.shape, f"shape: K v must have the shape {v.shape} of v, but has {Kv.shape}"
    same("linear in v", answer(model.apply, params, X, 2 * u - 3 * v), 2 * Ku - 3 * Kv,
          "nothing in K v may depend on v but through a linear map")
    left, right = float(jnp.vdot(u, Kv)), float(jnp.vdot(Ku, v))
    scale = float(jnp.linalg.norm(u) * jnp.linalg.norm(Kv))
    assert abs(left - right) < TOLERANCE * scale, (
        f"symmetric: <u, K v> = {left:.6g} and <K u, v> = {right:.6g} must agree. "
        "Hint: the vector must be pulled back and pushed forward at the same parameters"
    )
    assert float(jnp.vdot(v, Kv)) >= 0, (
        f"positive semidefinite: <v, K v> = {float(jnp.vdot(v, Kv)):.6g} must not be negative. Hint: check the sign"
    )
    J = jax.jit(jax.jacobian(lambda p: model.apply(p, X).ravel()))(params)
    K = sum(jnp.tensordot(j, j, _parameters(j, j)) for j in jax.tree.leaves(J))
    same("equal to J J' v", Kv, (K @ v.ravel()).reshape(v.shape), "every leaf of the parameters takes part, once")
    print("check_kernel_vector_product: linear, symmetric, positive semidefinite, and equal to J J' v.")


def check_descent_prediction(answer: Callable) -> None:
    r"""$f_k(x)$ after k steps: `answer(K, K_test, r0, f0_test, learning_rate, steps)`, outputs (m,) on test points.

    Properties: no step changes nothing, one step is a step, two halves make a whole, agreement with descent on the
    parameters of a linear model, and a kernel with an eigenvalue of zero.

    Raises:
      AssertionError: naming the property that fails.
    """
    require.callable_("answer", answer)
    X, X_test, y = (np.asarray(_normal(*draw)) for draw in ((20, 4, 6), (21, 3, 6), (22, 4)))
    theta0, learning_rate = np.asarray(_normal(23, 6)), 0.05

    def descended(X, y, steps):
        theta = theta0
        for _ in range(steps):
            theta = theta - learning_rate * X.T @ (X @ theta - y)
        return X_test @ theta

    def answered(X, y, steps):
        given = (X @ X.T, X_test @ X.T, X @ theta0 - y, X_test @ theta0)
        return answer(*map(jnp.asarray, given), learning_rate, steps)

    same("no step", answered(X, y, 0), X_test @ theta0, "the sum over steps is empty")
    same("one step", answered(X, y, 1), descended(X, y, 1), "one step changes f(x) by -eta k(x)' r0")
    same("thirty steps of descent", answered(X, y, 30), descended(X, y, 30),
          "sum the residuals r_0, ..., r_{k-1}; the residual is multiplied by I - eta K, not by exp(-eta K)")
    doubled, contradicting = np.concatenate([X, X[:1]]), np.concatenate([y, -y[:1]])
    same("a repeated sample", answered(doubled, contradicting, 30), descended(doubled, contradicting, 30),
          "K has an eigenvalue of zero here: do not invert it; the geometric sum is k where the eigenvalue is zero")
    print("check_descent_prediction: no step, one step, thirty steps, and a singular kernel: all as descent does it.")
