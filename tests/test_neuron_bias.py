"""Where the linear neuron ends: the potential against the preconditioner, the minimizer against the flow."""

from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import null_space

from learndyn import flows, neuron

DELTAS = [-50.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 50.0]
BETA = jnp.array([0.48, -0.64, 0.6])
GRADIENT, HESSIAN = jax.jit(jax.grad(neuron.potential)), jax.jit(jax.hessian(neuron.potential))


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize("size", [1e-9, 1e-3, 1.0, 1e3])
def test_the_mirror_map(delta, size):
    """The gradient of the potential is sqrt(2) w, and its Hessian the inverse of the preconditioner in a time of rate
    sqrt(2) a; both by autodiff."""
    beta = size * BETA
    a, w = neuron.from_function(beta, delta)
    gradient, hessian = GRADIENT(beta, delta), HESSIAN(beta, delta)
    np.testing.assert_allclose(gradient, neuron.tilt(beta, delta), rtol=1e-14)
    np.testing.assert_allclose(neuron.tilt(beta, delta), 2**0.5 * w, rtol=1e-14)
    scale = jnp.max(jnp.abs(hessian)) * jnp.max(jnp.abs(neuron.preconditioner(beta, delta)))
    np.testing.assert_allclose(
        hessian @ neuron.preconditioner(beta, delta), 2**0.5 * a * jnp.eye(3), atol=1e-13 * scale
    )
    with localcontext() as context:
        context.prec = 60
        kappa = (Decimal(delta) ** 2 + 4 * sum(Decimal(float(b)) ** 2 for b in beta)).sqrt()
        value = float((kappa - 2 * Decimal(delta)) * (kappa + Decimal(delta)).sqrt() / 3)
    np.testing.assert_allclose(neuron.potential(beta, delta), value, rtol=1e-14)


@pytest.mark.parametrize("delta", DELTAS)
def test_the_potential_is_convex_also_across_zero(delta):
    rng = np.random.default_rng(0)
    psi = jax.vmap(lambda b: neuron.potential(b, delta))
    one, other = (jnp.asarray(rng.normal(size=(500, 2)) * 10.0 ** rng.uniform(-3, 1, (500, 1))) for _ in range(2))
    other = other.at[:100].set(-one[:100])
    middle, mean = psi((one + other) / 2), (psi(one) + psi(other)) / 2
    assert jnp.all(middle < mean)


def test_what_happens_at_zero():
    """A quadratic, a cusp of power 3/2, a cone; and the tilt of a neuron at rest there."""
    small = jnp.array([1e-8, 0.0])
    rise = lambda delta: float(neuron.potential(small, delta) - neuron.potential(0 * small, delta)) / 1e-8
    assert abs(rise(1.0)) < 1e-7
    assert rise(0.0) == pytest.approx(2**1.5 / 3 * 1e-4, rel=1e-12)
    assert rise(-2.0) == pytest.approx(2.0, rel=1e-7)
    for delta in (0.0, 2.0):
        np.testing.assert_array_equal(neuron.tilt(jnp.zeros(2), delta), 0)
        np.testing.assert_array_equal(jax.grad(neuron.potential)(jnp.zeros(2), delta), 0)


def flow_to_the_end(X, y, beta0, delta, T, **settings):
    """The end of the flow of a neuron that starts with a > 0, and the sign of a there."""
    a0, w0 = neuron.from_function(beta0, delta)
    loss = lambda p: 0.5 * jnp.sum((p[0] * X @ p[1] - y) ** 2)
    tolerances = {"rtol": 1e-12, "atol": 1e-13} | settings
    a, w = flows.gradient_flow(loss, (a0, w0), jnp.array([T]), **tolerances).params
    return a * w, jnp.sign(a)


PRINTED = {-2.0: -1.0335600523, 0.0: -0.5623759298, 2.0: -0.3641313114, 4.0: -0.3442231513}


@pytest.mark.parametrize("delta", PRINTED)
def test_one_sample_in_the_plane(delta):
    """The part in the null space to ten digits, from the minimizer and from the flow."""
    X, y, beta0 = jnp.array([[0.5, 1.0]]), jnp.array([1.1]), jnp.array([0.4, 0.05])
    null = jnp.array([-2.0, 1.0]) / 5**0.5
    found = neuron.implicit_bias(X, y, beta0, delta)
    assert abs(found.beta @ null - PRINTED[delta]) < 6e-11
    assert found.stationarity < 1e-15 and found.feasibility < 1e-15 and found.iterations <= 6  # digits double
    end, _ = flow_to_the_end(X, y, beta0, delta, 40.0)
    np.testing.assert_allclose(end, found.beta, atol=1e-10)


def closed_form(X, y, beta0, delta):
    """The end, from what the flow conserves: besides delta the part of w in the null space of X, so that
    beta = X^+ y + a w_null, and a^2 follows from the hyperbola of imbalance delta + |w_null|^2 through X^+ y."""
    _, w0 = neuron.from_function(beta0, delta)
    N = null_space(X)
    fit, null = np.linalg.pinv(X) @ np.asarray(y), N @ (N.T @ np.asarray(w0))
    rest = delta + null @ null
    kappa = np.hypot(rest, 2 * np.linalg.norm(fit))
    square = (kappa + rest) / 2 if rest > 0 else 2 * (fit @ fit) / (kappa - rest)
    return fit + np.sqrt(square) * null


def problem(seed, n=3, d=6, rank=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d))
    return jnp.asarray(X), jnp.asarray(X @ rng.normal(size=d)), jnp.asarray(rng.normal(size=d))


@pytest.mark.parametrize("n, d, rank", [(1, 2, 1), (3, 6, 2), (9, 4, 2), (2, 40, 2), (4, 3, 3)])
@pytest.mark.parametrize("delta", [-50.0, -1.0, 0.0, 1e-3, 50.0])
def test_the_minimizer_against_what_is_conserved(n, d, rank, delta):
    for seed in range(4):
        X, y, beta0 = problem(seed, n, d, rank)
        for y_scale, start_scale in ((1, 1), (1e-6, 1), (1, 1e-6), (1e4, 1)):
            found = neuron.implicit_bias(X, y_scale * y, start_scale * beta0, delta)
            truth = closed_form(X, y_scale * y, start_scale * beta0, delta)
            assert np.linalg.norm(found.beta - truth) < 1e-9 * np.linalg.norm(truth)
            assert found.stationarity < 1e-12 and found.feasibility < 1e-12


@pytest.mark.parametrize("delta", [-1.5, 0.0, 1.5])
def test_the_minimizer_against_the_flow(delta):
    """Inputs of low rank; a start that points to the target's side, so that the sign of a stays."""
    X, y, beta0 = problem(5)
    beta0 = beta0 * jnp.sign(beta0 @ (X.T @ y))
    end, sign = flow_to_the_end(X, y, beta0, delta, 30.0)
    assert sign == 1
    np.testing.assert_allclose(end, neuron.implicit_bias(X, y, beta0, delta).beta, atol=1e-9)


def test_a_flow_through_zero_ends_at_the_minimizer_of_the_opposite_tilt():
    X, y, beta0 = jnp.array([[0.5, 1.0]]), jnp.array([1.1]), jnp.array([-0.2, -0.25])
    end, sign = flow_to_the_end(X, y, beta0, -2.0, 60.0)
    assert sign == -1
    np.testing.assert_allclose(end, neuron.implicit_bias(X, y, -beta0, -2.0).beta, atol=1e-9)
    assert np.linalg.norm(end - neuron.implicit_bias(X, y, beta0, -2.0).beta) > 0.1


@pytest.mark.parametrize("delta, tip", [(-4.0, True), (-0.2, False), (0.0, False), (1.0, False)])
def test_a_target_of_zero(delta, tip):
    """For delta < 0, and little of w in the null space, the minimizer is the tip of the cone at zero."""
    X, y, beta0 = jnp.array([[0.5, 1.0]]), jnp.zeros(1), jnp.array([0.9, 0.3])
    found = neuron.implicit_bias(X, y, beta0, delta)
    assert found.beta.any() != tip
    np.testing.assert_allclose(found.beta, closed_form(X, y, beta0, delta), atol=1e-15)
    end, _ = flow_to_the_end(X, y, beta0, delta, 100.0)
    np.testing.assert_allclose(end, found.beta, atol=1e-9)


def test_far_upstream_the_nearest_fit_and_far_downstream_the_direction():
    """For delta to infinity the fit nearest to beta0; to minus infinity beta/|beta| keeps its part in the null space."""
    X, y, beta0 = problem(7)
    null = jnp.asarray(null_space(X))
    unit = lambda b: b / jnp.linalg.norm(b)
    nearest = beta0 + jnp.asarray(np.linalg.pinv(X)) @ (y - X @ beta0)
    np.testing.assert_allclose(neuron.implicit_bias(X, y, beta0, 1e7).beta, nearest, atol=1e-6)
    far = neuron.implicit_bias(X, y, beta0, -1e7).beta
    np.testing.assert_allclose(null.T @ unit(far), null.T @ unit(beta0), atol=1e-6)


def test_evidence_is_measured():
    """No start and no unknown: the shortest fit, in no steps; one fit only: that one."""
    X, y, _ = problem(1)
    found = neuron.implicit_bias(X, y, jnp.zeros(6), 2.0)
    np.testing.assert_allclose(found.beta, np.linalg.pinv(X) @ y, atol=1e-13)
    X, y, beta0 = problem(2, 4, 3, 3)
    found = neuron.implicit_bias(X, y, beta0, -1.0)
    np.testing.assert_allclose(found.beta, np.linalg.solve(X.T @ X, X.T @ y), atol=1e-11)
    assert found.iterations == 0 and found.stationarity == 0 and found.feasibility < 1e-14


@pytest.mark.parametrize("which", range(4))
def test_the_minimizer_is_not_for_tracing(which):
    arguments = [jnp.eye(2)[:1], jnp.ones(1), jnp.ones(2), jnp.array(1.0)]
    call = lambda value: neuron.implicit_bias(*arguments[:which], value, *arguments[which + 1 :]).beta
    with pytest.raises(TypeError, match=r"(X|y|beta0|delta) must have values, .* outside of jit"):
        jax.jit(call)(arguments[which])
