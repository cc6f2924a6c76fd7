"""Property checks for the exercises of *Noether for gradient flow*."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from learndyn import _require as require
from learndyn import conserved

_X = np.random.default_rng(0).normal(size=(9, 3))
_Y = np.random.default_rng(1).normal(size=(9, 2))


def check_power(answer: Callable) -> None:
    r"""One number a neuron that gradient flow of $\sum_j a_j \max(0, w_j \cdot x)^\kappa$ conserves, for each $\kappa > 0$.

    Args:
      answer: a function of (W, a, power) with W (k, d) and a (c, k) that returns k numbers.

    Raises:
      AssertionError: names the power and the property that fails.
    """
    require.callable_("answer", answer)
    for power in (1.0, 2.0, 3.0):
        loss = lambda p, power=power: 0.5 * jnp.sum((jax.nn.relu(_X @ p["W"].T) ** power @ p["a"].T - _Y) ** 2)
        params = _draw(0, W=(4, 3), a=(2, 4))
        hint = "Hint: w -> g w needs a -> g^(-power) a; differentiate at g = 1, then integrate the direction"
        _check_laws(lambda p, power=power: answer(p["W"], p["a"], power), loss, params, (4,), 4, f"power {power:g}", hint)
    print("Right: one law a neuron, whatever the power.")


def check_attention(answer: Callable) -> None:
    r"""A k x k matrix that every gradient flow of $\operatorname{softmax}(x^\top Q^\top K y)$ conserves.

    Args:
      answer: a function of (Q, K), both (k, d), that returns a (k, k) matrix.

    Raises:
      AssertionError: names the property that fails.
    """
    require.callable_("answer", answer)
    for k in (2, 3):
        target = jnp.asarray(np.random.default_rng(k).normal(size=(9, 9)))
        loss = lambda p, target=target: jnp.sum((jax.nn.softmax(_X @ p["Q"].T @ p["K"] @ _X.T) - target) ** 2)
        params = _draw(k, Q=(k, 3), K=(k, 3))
        hint = "Hint: Q -> G Q needs K -> G^(-T) K; only symmetric G give a number, and all of them do"
        _check_laws(
            lambda p: answer(p["Q"], p["K"]), loss, params, (k, k), k * (k + 1) // 2, f"with k = {k} rows", hint
        )
    print("Right: a symmetric matrix of laws for each head.")


def check_one_output(answer: Callable) -> None:
    r"""The $d\,k(k-1)/2$ symmetries of $a \cdot Wx$ that $GL_k$ does not hold.

    Args:
      answer: a function of (k, d) that returns a list of generators, each from {"W": (k, d), "a": (k,)} to a direction of
        the same shapes.

    Raises:
      AssertionError: names the sizes and the property that fails.
    """
    require.callable_("answer", answer)
    for k, d in ((2, 3), (3, 2), (3, 3)):
        X, y = _X[:, :d], _Y[:, 0]
        loss = lambda p, X=X, y=y: jnp.sum(jnp.cosh(X @ (p["a"] @ p["W"]) - y))
        generators, where = list(answer(k, d)), f"k = {k}, d = {d}"
        points = [_draw(10 + i, W=(k, d), a=(k,)) for i in range(3 * d * k * k)]
        flat = lambda tree: np.asarray(ravel_pytree(tree)[0])
        slope = jax.jit(jax.grad(loss))
        slopes = [flat(slope(p)) for p in points[:4]]
        fields = lambda generators: np.array([[flat(conserved.tangent(g, p)) for p in points] for g in generators])
        given = fields(generators).reshape(len(generators), len(points), k * d + k)
        for i, field in enumerate(given):
            cosine = max(abs(v @ g) / max(np.linalg.norm(v) * np.linalg.norm(g), 1e-300) for v, g in zip(field, slopes))
            assert cosine < 1e-10, (
                f"{where}: generator {i} is no symmetry, for its cosine with a gradient is {cosine:.2g}. Hint: a may stay; "
                "W must change by columns that are orthogonal to a, whatever a is"
            )
        pairs = [lambda p, G=G: {"W": G @ p["W"], "a": -p["a"] @ G} for G in np.eye(k * k).reshape(-1, k, k)]
        rows = np.concatenate([fields(pairs), given]).reshape(len(pairs) + len(given), -1)
        new = np.linalg.matrix_rank(rows, tol=1e-8) - k * k
        wanted = d * k * (k - 1) // 2
        assert new == len(generators) == wanted, (
            f"{where}: the {len(generators)} generators add {new} dimensions to the {k * k} of GL(k), but there are {wanted}. "
            "Hint: an antisymmetric J makes J a orthogonal to a; count the J, and the vectors u in J a u^T"
        )
    print("Right: all of them are symmetries, and they are all that is missing.")


def check_angle(answer: Callable) -> None:
    r"""A function of a vector in the plane that is constant along $\dot v = -\nabla L$ for every $L = \ell(\|v\|)$.

    Args:
      answer: a function of v (2,) that returns a number; it may jump by a constant somewhere.

    Raises:
      AssertionError: names the point and the property that fails.
    """
    require.callable_("answer", answer)
    for v in np.random.default_rng(3).normal(size=(8, 2)):
        slope = np.asarray(jax.grad(lambda v: jnp.asarray(answer(v), dtype=float).reshape(()))(jnp.asarray(v)))
        size, where = float(np.linalg.norm(slope)), f"at v = {np.round(v, 3)}"
        assert np.isfinite(slope).all() and size > 1e-6, (
            f"{where}: the gradient of the answer is {slope}; a constant is conserved by everything and says nothing"
        )
        cosine = float(slope @ v / size / np.linalg.norm(v))
        assert abs(cosine) < 1e-9, (
            f"{where}: the gradient of the answer has the cosine {cosine:.2g} with v, along which the flow moves. Hint: "
            "divide the generator (-v2, v1) by something that makes it a gradient"
        )
    print("Right: it is constant along every flow of a loss of the norm, and nowhere stationary.")


def check_mirror(answer: Callable) -> None:
    r"""The projection onto the parameters that the exchange of the first two hidden neurons leaves alone.

    A loss that is invariant under a reflection has, at its fixed points, a gradient that is fixed as well.

    Args:
      answer: a function of params, layers {"W": (k, d), "b": (k,)} and {"W": (c, k), "b": (c,)}, that returns params.

    Raises:
      AssertionError: names the property that fails.
    """
    require.callable_("answer", answer)
    shapes = ({"W": (4, 3), "b": (4,)}, {"W": (2, 4), "b": (2,)})
    draw = lambda seed: tuple(_draw(seed + i, **layer) for i, layer in enumerate(shapes))
    loss = lambda p: 0.5 * jnp.sum(
        (jnp.tanh(_X @ p[0]["W"].T + p[0]["b"][None]) @ p[1]["W"].T + p[1]["b"][None] - _Y) ** 2
    )
    params, flat = draw(20), lambda p: np.asarray(ravel_pytree(p)[0])
    once = conserved.tangent(answer, params)
    again = float(np.max(np.abs(flat(answer(once)) - flat(once))))
    assert again < 1e-10, f"a projection done twice is done once, but the second time moves the parameters by {again:.2g}"
    gradient = jax.grad(loss)(once)
    out = float(np.linalg.norm(flat(answer(gradient)) - flat(gradient)) / np.linalg.norm(flat(gradient)))
    assert out < 1e-10, (
        f"of the gradient at a projected point {out:.2g} lies outside of the subspace: the flow leaves it. Hint: two "
        "neurons move alike if their inputs, their biases and their outputs are all alike"
    )
    basis = np.array([flat(answer(draw(30 + 2 * i))) for i in range(60)])
    rank = np.linalg.matrix_rank(basis, tol=1e-8)
    assert rank == 26 - 6, (
        f"the subspace has dimension {rank}, but the exchange of two neurons leaves {26 - 6} of 26. Hint: the other "
        "neurons are not touched, and the mean of the two is free"
    )
    print("Right: what begins with two equal neurons keeps them equal for ever.")


def _draw(seed, **shapes):
    rng = np.random.default_rng(100 + seed)
    return {name: jnp.asarray(rng.normal(size=shape)) for name, shape in shapes.items()}


def _check_laws(law, loss, params, shape, rank, where, hint):
    """The law has the shape; its derivatives are orthogonal to the gradient; so many of them are independent."""
    value = jnp.asarray(law(params))
    assert value.shape == shape, f"{where}: the answer must have shape {shape}, but has {value.shape}"
    flat, unravel = ravel_pytree(params)
    slopes = np.asarray(jax.jit(jax.jacobian(lambda v: jnp.ravel(law(unravel(v)))))(flat))
    assert np.isfinite(slopes).all(), f"{where}: the answer's derivatives are not finite"
    gradient = np.asarray(ravel_pytree(jax.jit(jax.grad(loss))(params))[0])
    sizes = np.linalg.norm(slopes, axis=1) * np.linalg.norm(gradient)
    cosines = np.abs(slopes @ gradient) / np.where(sizes > 0, sizes, 1.0)
    assert cosines.max() < 1e-10, (
        f"{where}: entry {int(cosines.argmax())} of the answer moves, for its gradient has the cosine {cosines.max():.2g} "
        f"with that of a loss. {hint}"
    )
    found = np.linalg.matrix_rank(slopes, tol=1e-8)
    assert found == rank, f"{where}: the answer holds {found} independent numbers, but {rank} are conserved. {hint}"
