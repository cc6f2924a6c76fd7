"""The linear neuron in function space: identities, limits, and digits where a formula could lose them."""

from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from learndyn import kernels, neuron

RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.normal(size=(3, 5)))  # rank 3 of 5
Y = jnp.asarray(RNG.normal(size=3))
RATES = (0.7, 2.3)
DELTAS = [-50.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 50.0]


def neurons(count=20, seed=1):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        scale = 10.0 ** rng.uniform(-6, 2, 2)
        yield jnp.asarray(rng.normal() * scale[0]), jnp.asarray(rng.normal(size=5) * scale[1])


def shares(beta, delta):
    """a^2 and |w|^2 in 700 digits, enough for 1e-300 beside 50."""
    with localcontext() as context:
        context.prec = 700
        square, delta = sum(Decimal(float(b)) ** 2 for b in beta), Decimal(delta)
        kappa = (delta * delta + 4 * square).sqrt()
        return float((kappa + delta) / 2), float((kappa - delta) / 2)


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize("size", [1e-150, 1e-12, 1e-3, 1.0, 1e5])
def test_from_function_loses_no_digits(delta, size):
    beta = size * jnp.array([0.6, 0.0, -0.8])
    a, w = neuron.from_function(beta, delta)
    of_a, of_w = shares(beta, delta)
    np.testing.assert_allclose([a * a, w @ w], [of_a, of_w], rtol=2e-15)
    np.testing.assert_allclose(a * w, beta, rtol=2e-15)
    np.testing.assert_allclose(neuron.preconditioner(beta, delta)[1, 1], of_a, rtol=2e-15)
    assert a > 0


def test_from_function_where_squares_underflow():
    a, w = neuron.from_function(jnp.array([6e-201, 8e-201]), 0.0)
    np.testing.assert_allclose([a, *w], [1e-100, 6e-101, 8e-101], rtol=1e-14)


def test_from_function_is_the_inverse():
    for a, w in neurons():
        back = neuron.from_function(a * w, neuron.imbalance(a, w))
        sign = jnp.sign(a)
        # as well as delta, a difference, knows a and w
        lost = 1e-15 * (a**2 + w @ w)
        np.testing.assert_allclose(back[0] ** 2, a**2, rtol=1e-14, atol=lost)
        np.testing.assert_allclose(sign * back[0] * back[1], sign * a * w, rtol=1e-14)


def test_the_imbalance_is_conserved():
    """Its derivative along gradient flow with two rates vanishes, whatever the inputs."""
    loss = lambda a, w: 0.5 * jnp.sum((a * X @ w - Y) ** 2)
    imbalance = lambda a, w: neuron.imbalance(a, w, learning_rates=RATES)
    for a, w in neurons():
        da, dw = jax.grad(loss, (0, 1))(a, w)
        _, slope = jax.jvp(imbalance, (a, w), (-RATES[0] * da, -RATES[1] * dw))
        assert abs(slope) < 1e-13 * (abs(a * da) + abs(w) @ abs(dw))


def test_the_kernel_is_that_of_autodiff():
    f = lambda p, X: (p["a"] * X @ p["w"])[:, None]
    for a, w in neurons():
        theirs = kernels.empirical_ntk(f)({"a": a, "w": w}, X)
        np.testing.assert_allclose(neuron.ntk(a, w, X), theirs, rtol=1e-12, atol=1e-13 * np.max(np.abs(theirs)))


def test_the_residual_moves_by_the_kernel_and_the_function_by_the_preconditioner():
    """Velocities by autodiff of the loss, with two rates, on inputs of low rank; and K = X M X'."""
    loss = lambda a, w: 0.5 * jnp.sum((a * X @ w - Y) ** 2)
    for a, w in neurons():
        da, dw = jax.grad(loss, (0, 1))(a, w)
        _, velocity = jax.jvp(jnp.multiply, (a, w), (-RATES[0] * da, -RATES[1] * dw))
        K = neuron.ntk(a, w, X, learning_rates=RATES)
        M = neuron.preconditioner(a * w, neuron.imbalance(a, w, learning_rates=RATES), learning_rates=RATES)
        residual = a * X @ w - Y
        close = lambda one, other: np.testing.assert_allclose(one, other, atol=1e-12 * np.max(np.abs(other)))
        close(X @ velocity, -K @ residual)
        close(-M @ (X.T @ residual), velocity)
        close(X @ M @ X.T, K)


def test_the_preconditioner_in_its_three_limits():
    beta = jnp.array([3e-4, -4e-4])
    unit, size, eye = beta / 5e-4, 5e-4, jnp.eye(2)
    along = unit[:, None] * unit[None, :]
    np.testing.assert_allclose(neuron.preconditioner(beta, 1.0), eye, atol=5e-7)
    np.testing.assert_allclose(neuron.preconditioner(beta, 0.0), size * (eye + along), rtol=1e-14)
    np.testing.assert_allclose(neuron.preconditioner(beta, -1.0), along, atol=5e-7)
    zero = jnp.zeros(2)
    np.testing.assert_array_equal(neuron.preconditioner(zero, 2.0), 2 * eye)
    np.testing.assert_array_equal(neuron.preconditioner(zero, 0.0), 0 * eye)
    rated = neuron.preconditioner(beta, 0.0, learning_rates=(1.0, 4.0))
    np.testing.assert_allclose(rated, 2 * size * (eye + along), rtol=1e-14)


def test_where_the_direction_is_unknown_traced_results_are_nan():
    zero, one = jnp.zeros(2), jnp.ones(2)
    for f in (neuron.preconditioner, lambda b, d: neuron.from_function(b, d)[1], neuron.tilt):
        assert jnp.all(jnp.isnan(jax.jit(f)(zero, -1.0)))
        assert jnp.all(jnp.isfinite(jax.jit(f)(one, -1.0)))
        assert jnp.all(jnp.isfinite(jax.jit(f)(zero, 1.0)))


@pytest.mark.parametrize("delta", [-2.0, 0.0, 2.0])
def test_derivatives_of_the_preconditioner(delta):
    """In direction and imbalance, also where two numbers change places as the larger; at zero for delta > 0."""
    beta = jnp.array([0.3, -0.8])
    points = [(beta, delta)] + [(jnp.zeros(2), delta)] * (delta > 0)
    for b, d in points:
        forward = jax.jacfwd(neuron.preconditioner, (0, 1))(b, d)
        h = 1e-5
        numeric = [
            jnp.stack([(neuron.preconditioner(b + h * e, d) - neuron.preconditioner(b - h * e, d)) / (2 * h)
                       for e in jnp.eye(2)], axis=-1),
            (neuron.preconditioner(b, d + h) - neuron.preconditioner(b, d - h)) / (2 * h),
        ]  # fmt: skip
        for one, other in zip(forward, numeric):
            np.testing.assert_allclose(one, other, atol=1e-9)


def test_the_kernel_moves_as_far_as_the_imbalance_lets_it():
    """Kernel distance from start to end on whitened inputs, beta from (-1, 0) to (0, 1)."""
    distance = {-4.0: 0.871308, -1.0: 0.486446, 0.0: 0.200000, 1.0: 0.050140, 4.0: 0.001469}
    eye = jnp.eye(2)
    for delta, expected in distance.items():
        start = neuron.from_function(jnp.array([-1.0, 0.0]), delta)
        path = neuron.solve(jnp.array([20.0]), *start, eye, jnp.array([0.0, 1.0]))
        moved = kernels.kernel_distance(neuron.ntk(*start, eye), neuron.ntk(path.a[0], path.w[0], eye))
        assert abs(moved - expected) < 5.1e-7
