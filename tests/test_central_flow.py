"""The central flow on losses for which it is known exactly, and the complementarity problem by its own conditions."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from learndyn import central_flow
from learndyn.curvature import descend
from learndyn.flows import gradient_flow

KEY = jax.random.key(0)
RATE = 0.5  # the limit is 4


def symmetric(z):
    # the root makes the map an isometry: the gradient in z is the gradient in M
    return jnp.array([[z[0], z[2] / 2**0.5], [z[2] / 2**0.5, z[1]]])


def valley(pull):
    """A valley in the plane of x whose curvature matrix is 3 + M(z), and which z would raise at the speed `pull`."""

    def loss(params):
        x, M = params["x"], symmetric(params["z"])
        return 0.5 * (3 * x @ x + x @ M @ x) - pull @ params["z"]

    return loss


def start(z):
    return {"x": jnp.zeros(2), "z": jnp.asarray(z, float)}


@pytest.mark.parametrize("k", [1, 2, 3])
def test_complementarity_by_its_conditions(k):
    rng = np.random.default_rng(k)
    for _ in range(10):
        slopes = rng.standard_normal((k, k, 12))
        slopes = slopes + slopes.transpose(1, 0, 2)
        G = jnp.einsum("ijp,klp->ijkl", slopes, slopes)
        A = rng.standard_normal((k, k))
        A = jnp.asarray(A + A.T)
        X = central_flow.complementarity(A, G)
        Y = A + jnp.einsum("ijkl,kl->ij", G, X)
        assert jnp.linalg.eigvalsh(X)[0] > -1e-12
        assert jnp.linalg.eigvalsh(Y)[0] > -1e-7
        assert abs(jnp.sum(X * Y)) < 1e-7
        if k == 1:
            assert abs(X[0, 0] - max(0.0, float(-A[0, 0] / G[0, 0, 0, 0]))) < 1e-9


def test_without_need_there_is_no_covariance():
    assert jnp.all(central_flow.complementarity(jnp.eye(2), jnp.ones((2, 2, 2, 2)), start=jnp.eye(2)) == 0)


@pytest.mark.parametrize("substeps", [2, 3])  # an error that comes and goes with every second substep shows in one of them
def test_one_direction_rises_to_the_limit_and_stays(substeps):
    pull = jnp.array([0.1, 0.0, 0.0])
    center = central_flow.integrate(valley(pull), start([0.5, -2.0, 0.0]), RATE, 40, substeps=substeps, key=KEY)
    free = 3.5 + RATE * 0.1 * np.arange(41)
    np.testing.assert_allclose(center.eigenvalues[:, 0], np.minimum(free, 2 / RATE), atol=1e-9)
    # z is pulled up at the speed 0.1 and pushed down at sigma^2 / 2
    assert center.covariances[5, 0, 0] == 0
    np.testing.assert_allclose(center.covariances[12:, 0, 0], 0.2, rtol=1e-8)
    np.testing.assert_allclose(center.predicted - center.losses, center.covariances[:, 0, 0] / RATE, atol=1e-14)


def test_the_average_of_descent_is_what_the_flow_predicts():
    pull = jnp.array([0.01, 0.0, 0.0])
    loss = valley(pull)
    begin = start([1.0, -2.0, 0.0])
    center = central_flow.integrate(loss, begin, RATE, 400, key=KEY)
    kicked = begin | {"x": jnp.array([0.14, 0.0])}
    run = descend(loss, kicked, optax.sgd(RATE), 400)
    assert abs(jnp.mean(run.loss) - jnp.mean(center.predicted)) < 0.01 * abs(jnp.mean(center.predicted - center.losses))
    assert abs(jnp.mean(run.loss) - jnp.mean(center.losses)) > 0.5 * abs(jnp.mean(center.predicted - center.losses))


@pytest.mark.parametrize("pull", [[0.1, 0.05, 0.03], [0.1, -0.05, 0.04], [0.03, 0.05, -0.09]])
def test_two_directions_balance_the_positive_part_of_the_pull(pull):
    # the derivative of <H, Sigma> in M is Sigma, so at M = 1 the covariance is twice the positive part of the pull
    pull = jnp.array(pull)
    center = central_flow.integrate(valley(pull), start([1.0, 1.0, 0.0]), RATE, 30, directions=2, key=KEY)
    wanted = 2 * jnp.maximum(jnp.linalg.eigvalsh(symmetric(pull)), 0)
    for covariance in center.covariances[3:]:
        np.testing.assert_allclose(jnp.linalg.eigvalsh(covariance), wanted, atol=1e-6)
    assert jnp.max(center.eigenvalues) < 2 / RATE + 1e-7
    assert jnp.max(center.gaps) < 1e-8


def test_below_the_edge_it_is_gradient_flow():
    loss = lambda p: 0.5 * (p[0] ** 2 + 0.3 * p[1] ** 2) + 0.1 * p[0] ** 2 * p[1]
    p0 = jnp.array([1.0, 0.7])
    exact = gradient_flow(loss, p0, jnp.linspace(0, 10 * 0.1, 11)).observed
    errors = [float(jnp.abs(central_flow.integrate(loss, p0, 0.1, 10, substeps=parts, key=KEY).losses - exact).max()) for parts in (2, 4)]
    assert errors[0] / errors[1] == pytest.approx(2, abs=0.1)


def test_more_directions_than_allowed_are_told():
    loss = lambda p: 0.25 * jnp.sum(p**4) - 20 * jnp.sum(p**2)
    with pytest.raises(FloatingPointError, match="central_flow: the loss is no longer finite at step"):
        central_flow.integrate(lambda p: -loss(p) * 1e3, jnp.array([3.0, 2.0]), 1.0, 50, key=KEY)
