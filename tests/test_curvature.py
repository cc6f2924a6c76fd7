"""Curvature: spectra that are known, Hessians that can be written out, and runs that can be checked at every step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from learndyn import curvature, losses, models

KEY = jax.random.key(0)


def matrix(values):
    """A symmetric matrix with these eigenvalues, in no convenient basis."""
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(len(values), len(values))))[0]
    return jnp.asarray(Q @ np.diag(values) @ Q.T)


SPECTRA = {
    "identity": np.ones(60),
    "one and two": np.r_[np.ones(30), np.full(30, 2.0)],
    "zero": np.zeros(50),
    "rank one": np.r_[5.0, np.zeros(80)],
    "indefinite, the negative ones larger": np.r_[-9.0, 2.0, 1.5, np.linspace(-1, 1, 100)],
    "negative definite": -np.linspace(1, 5, 70),
    "clustered": np.r_[3.0, 3 - 1e-9, 3 - 1e-6, 2.5, np.linspace(0, 1, 100)],
    "the top one twice": np.r_[3.0, 3.0, 2.9, np.linspace(0, 1, 200)],
    "the top one three times": np.r_[3.0, 3.0, 3.0, 2.0, np.linspace(0, 1, 200)],
    "dense": np.linspace(0, 1, 300),
    "tiny": 1e-30 * np.r_[3.0, 2.0, np.linspace(-1, 1, 40)],
    "huge": 1e30 * np.r_[3.0, 2.0, np.linspace(-1, 1, 40)],
    "small dimension": np.array([2.0, -1.0, 2.0]),
}


@pytest.mark.parametrize("values", SPECTRA.values(), ids=SPECTRA)
def test_known_spectra(values):
    A = jnp.diag(jnp.asarray(values)) if np.ptp(values) == 0 else matrix(values)
    k, scale = 3, max(np.abs(values).max(), 1e-300)
    pairs = curvature.top_eigenpairs(lambda v: A @ v, jnp.zeros(len(values)), k, key=KEY)
    wanted = np.sort(values)[::-1][:k]
    np.testing.assert_allclose(pairs.values, wanted, rtol=0, atol=1e-9 * scale)
    V = pairs.vectors
    np.testing.assert_allclose(V @ V.T, np.eye(k), atol=1e-12)
    np.testing.assert_allclose(pairs.images, V @ A, rtol=0, atol=1e-12 * scale)
    residuals = np.linalg.norm(V @ A - pairs.values[:, None] * V, axis=1)
    np.testing.assert_allclose(pairs.residuals, residuals, rtol=1e-4, atol=1e-13 * scale)
    assert residuals.max() <= 2e-8 * scale and pairs.converged


def test_diagonal_matrices_have_zeros_where_rounding_would_help():
    pairs = curvature.top_eigenpairs(
        lambda v: jnp.arange(1.0, 101.0) * v, jnp.zeros(100), 2, key=KEY, start=jnp.eye(100)[40]
    )
    np.testing.assert_allclose(pairs.values, [100.0, 99.0], rtol=1e-12)


@pytest.fixture(scope="module")
def problem():
    """A loss, parameters, and the Hessian in full."""
    X = jax.random.normal(jax.random.key(1), (40, 5))
    y = jnp.sin(3 * X[:, :2])
    model = models.mlp((5, 9, 7, 2), activation="tanh", parametrization="standard")
    params = model.init(key=jax.random.key(2))
    whole = losses.squared_loss(model.apply, X, y)
    loss = lambda p: whole(p) / 40
    flat, unravel = ravel_pytree(params)
    return model, X, y, loss, params, jax.hessian(lambda q: loss(unravel(q)))(flat)


def test_products_are_those_of_the_hessian(problem):
    _, _, _, loss, params, H = problem
    vector = jax.random.normal(KEY, (len(H),))
    product = curvature.hvp(loss, params)(ravel_pytree(params)[1](vector))
    np.testing.assert_allclose(ravel_pytree(product)[0], H @ vector, rtol=1e-10, atol=1e-12)


def test_sharpness_is_the_largest_eigenvalue(problem):
    _, _, _, loss, params, H = problem
    exact = np.linalg.eigvalsh(H)[::-1]
    assert abs(curvature.sharpness(loss, params) / exact[0] - 1) < 1e-12
    pairs = curvature.top_eigenpairs(curvature.hvp(loss, params), params, 4, key=KEY)
    np.testing.assert_allclose(pairs.values, exact[:4], rtol=1e-11)


def test_single_precision(problem):
    _, X, y, _, params, H = problem
    single = jax.tree.map(lambda p: p.astype(jnp.float32), params)
    model, X, y = problem[0], X.astype(jnp.float32), y.astype(jnp.float32)
    found = curvature.sharpness(lambda p: jnp.sum((model.apply(p, X) - y) ** 2) / 80, single)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, np.linalg.eigvalsh(H)[-1], rtol=2e-6)


def test_many_networks_at_once(problem):
    model, _, _, loss, _, _ = problem
    many = jax.vmap(lambda key: model.init(key=key))(jax.random.split(KEY, 3))
    together = jax.vmap(lambda p: curvature.sharpness(loss, p))(many)
    one_by_one = [curvature.sharpness(loss, jax.tree.map(lambda leaf: leaf[i], many)) for i in range(3)]
    np.testing.assert_allclose(together, one_by_one, rtol=1e-12)


def test_gauss_newton_and_kernel_share_their_eigenvalues(problem):
    model, X, _, _, params, _ = problem
    J = jax.jacobian(lambda q: model.apply(ravel_pytree(params)[1](q), X).ravel())(ravel_pytree(params)[0])
    exact = np.linalg.svd(J, compute_uv=False)[:3] ** 2
    for operator, like in (
        (curvature.gauss_newton(model.apply, params, X), params),
        (curvature.ntk(model.apply, params, X), jnp.zeros((40, 2))),
    ):
        np.testing.assert_allclose(curvature.top_eigenpairs(operator, like, 3, key=KEY).values, exact, rtol=1e-11)


def test_an_unmet_tolerance_is_an_error():
    A = matrix(np.linspace(0, 1, 300))
    with pytest.raises(RuntimeError, match=r"after max_products = 25 products .* up to .* raise max_products"):
        curvature.top_eigenpairs(lambda v: A @ v, jnp.zeros(300), key=KEY, max_products=25)
    far = curvature.top_eigenpairs(lambda v: A @ v, jnp.zeros(300), key=KEY, max_products=25, throw=False)
    assert not far.converged and far.products == 25
    exact = np.linalg.norm(A @ far.vectors[0] - far.values[0] * far.vectors[0])
    np.testing.assert_allclose(far.residuals[0], exact, rtol=1e-8)
    with pytest.raises(Exception, match="residuals above tolerance"):
        jax.jit(lambda z: curvature.top_eigenpairs(lambda v: A @ v, z, key=KEY, max_products=25))(jnp.zeros(300))


def test_a_loss_that_is_not_finite_is_an_error():
    loss = lambda p: jnp.sum(jnp.log(p))
    with pytest.raises(RuntimeError, match="product 1 with the operator is not finite"):
        curvature.sharpness(loss, jnp.zeros(30))
    assert jnp.isnan(curvature.sharpness(loss, jnp.zeros(30), throw=False))


def test_one_compilation_serves_all_parameters(problem):
    traced = []

    def loss(p):
        traced.append(1)
        return problem[3](p)

    curvature.sharpness(loss, problem[4])
    first = len(traced)
    curvature.sharpness(loss, jax.tree.map(lambda p: 0.5 * p, problem[4]))
    assert len(traced) <= first + 1  # the shape of the loss is looked at; the solver is not traced again
