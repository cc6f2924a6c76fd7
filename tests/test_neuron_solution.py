"""The closed form of the linear neuron against an integrator of eighth order, against 80 digits, and in its corners."""

from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from learndyn import flows, neuron

D = 4  # inputs
RNG = np.random.default_rng(0)
X = jnp.asarray(np.linalg.qr(RNG.normal(size=(7, D)))[0])  # whitened: 7 samples, orthonormal columns


def unit(rng, *shape):
    v = rng.normal(size=shape)
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def log_uniform(rng, low, high, size):
    return np.exp(rng.uniform(np.log(low), np.log(high), size))


def starts(seed=0, each=200):
    """Starts (a0, w0), targets and times: 7 families of `each`, all of random direction, sign, scale and time."""
    rng, n = np.random.default_rng(seed), 7 * each
    s = log_uniform(rng, 0.5, 10, n)
    beta = s[:, None] * unit(rng, n, D)
    T = log_uniform(rng, 1e-2, 1e3, n) / s
    T[::10] = 1e3 / s[::10]
    size = log_uniform(rng, 1e-8, 10, n)
    a0, w0 = size * rng.normal(size=n), size[:, None] * unit(rng, n, D) * log_uniform(rng, 0.1, 1, n)[:, None]
    family = np.arange(n) // each  # 0: a0 and w0 of one scale
    a0[family == 1] = 0.0
    w0[family == 2] = 0.0
    # exactly balanced: 5^2 = 3^2 + 4^2, times a power of two
    binary = 2.0 ** np.round(np.log2(size))
    signs = rng.choice([-1.0, 1.0], (n, D))
    triple = np.array([rng.permutation([3.0, 4.0] + [0.0] * (D - 2)) for _ in range(n)])
    a0 = np.where(family == 3, 5 * binary * signs[:, 0], a0)
    w0 = np.where((family == 3)[:, None], triple * signs * binary[:, None], w0)
    # pointing away from the target: those with delta < 0 change the sign of a
    away = -beta / s[:, None] + 0.3 * rng.normal(size=(n, D))
    a0 = np.where(family == 4, 0.3 * size * rng.uniform(size=n), a0)
    w0 = np.where((family == 4)[:, None], size[:, None] * away, w0)
    # a prescribed imbalance, its extremes among them, and a function of prescribed size
    delta = rng.uniform(-50, 50, n)
    delta[family == 6] = np.where(rng.uniform(size=n) < 0.5, -50.0, 50.0)[family == 6]
    product = log_uniform(rng, 1e-8, 10, n)
    larger = np.sqrt((np.abs(delta) + np.hypot(delta, 2 * product)) / 2)
    length, prescribed = np.where(delta > 0, product / larger, larger), family >= 5
    a0 = np.where(prescribed, product / length * signs[:, 0], a0)
    w0 = np.where(prescribed[:, None], length[:, None] * unit(rng, n, D), w0)
    return T, a0, w0, beta


def integrated(T, a0, w0, beta, rtol=1e-13):
    """The ends of all flows by DOP853. A flow stays in the span of w0 and beta*: three numbers each, and many flows at
    once, their times stretched to [0, 1], in groups of equal stiffness."""
    s = np.linalg.norm(beta, axis=1)
    e = beta / s[:, None]
    along = np.sum(e * w0, axis=1)
    across = w0 - along[:, None] * e
    height = np.linalg.norm(across, axis=1)
    normal = across / np.where(height > 0, height, 1.0)[:, None]
    end = np.empty((3, len(T)))
    stiffness = T * np.hypot(a0**2 - np.sum(w0**2, axis=1), 2 * s)
    for group in np.array_split(np.argsort(stiffness), 14):

        def velocity(_, state):
            a, p, h = state.reshape(3, -1)
            miss = a * p - s[group]
            return (-T[group] * np.stack([p * miss + a * h**2, a * miss, a**2 * h])).ravel()

        start = np.stack([a0, along, height])[:, group].ravel()
        run = solve_ivp(velocity, (0.0, 1.0), start, method="DOP853", rtol=rtol, atol=1e-22)
        assert run.success
        end[:, group] = run.y[:, -1].reshape(3, -1)
    a, p, h = end
    return a, p[:, None] * e + h[:, None] * normal


@jax.jit
@jax.vmap
def ends(T, a0, w0, beta):
    path = neuron.solve(T[None], a0, w0, X, X @ beta)
    return path.a[0], path.w[0]


def relative_error(a, w, a_true, w_true):
    """Of the state: |(a, w) - true| / |true|."""
    return np.sqrt((a - a_true) ** 2 + np.sum((w - w_true) ** 2, axis=1)) / np.hypot(
        a_true, np.linalg.norm(w_true, axis=1)
    )


def test_against_an_integrator_of_eighth_order():
    """1400 random starts; worst error of the state, relative to its norm, 2e-13 (DOP853 at rtol 1e-13), in 8 seconds.

    Norms of (a0, w0) from 1e-9 to 57, delta from -97 to 394 and, in 400 of them, drawn from [-50, 50] with both ends;
    200 balanced to the last bit, 200 with a0 = 0, 200 with w0 = 0; in some 250 the sign of a changes. |beta*| = s from
    0.5 to 10, times from 0.01/s to 1000/s, every tenth at 1000/s. Smaller s at delta = -50 or 50 is the same problem
    in other units, delta/s, and only costs DOP853 more steps; the test against 80 digits has it.
    """
    T, a0, w0, beta = starts()
    delta, norm = a0**2 - np.sum(w0**2, axis=1), np.hypot(a0, np.linalg.norm(w0, axis=1))
    assert np.sum(delta == 0) >= 200 and np.sum(a0 == 0) >= 200 and norm.min() < 1e-8 and norm.max() > 10
    assert min(np.sum(delta < -49.99), np.sum(delta > 49.99), np.sum(T * np.linalg.norm(beta, axis=1) > 999)) >= 80
    a_true, w_true = integrated(T, a0, w0, beta)
    assert np.sum(a0 * a_true < 0) >= 200
    errors = relative_error(*map(np.asarray, ends(T, a0, w0, beta)), a_true, w_true)
    print(f"worst relative error of {len(errors)} starts: {np.max(errors):.1e}")
    assert len(errors) >= 1000 and np.max(errors) < 1e-9


def eighty_digits(t, a0, w0, beta):
    """The same formulas without any care for rounding, which 80 digits do not need, nor for overflow."""
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = 80, MAX_EMAX, MIN_EMIN
        t, a0, w0, beta = Decimal(t), Decimal(a0), list(map(Decimal, w0)), list(map(Decimal, beta))
        s = sum(b * b for b in beta).sqrt()
        e = [b / s for b in beta]
        along = sum(x * y for x, y in zip(e, w0))
        delta = a0 * a0 - sum(x * x for x in w0)
        kappa = (delta * delta + 4 * s * s).sqrt()
        m, n = (delta + kappa) / 2, (delta - kappa) / 2
        A, B = (m * a0 + s * along) / kappa, -(n * a0 + s * along) / kappa
        middle = ((delta * t).exp() - 1) / delta if delta else t
        square = A * A * ((2 * m * t).exp() - 1) / m + 4 * A * B * middle + B * B * ((2 * n * t).exp() - 1) / n
        Q = A * (m * t).exp() + B * (n * t).exp()
        change = s * (A * ((m * t).exp() - 1) / m + B * ((n * t).exp() - 1) / n)
        root = (1 + square).sqrt()
        return np.array([float(v / root) for v in [Q, *(x + change * y for x, y in zip(w0, e))]])


CORNERS = {  # a0, w0 and beta* in the plane, and a time
    "waits for long": (1e-150, [1e-150, -3e-151], [0.3, 0.4], 2e3),
    "waits, then long after": (1e-150, [1e-150, -3e-151], [0.3, 0.4], 1e9),
    "far downstream, tiny target": (0.0, [7.0, 1.0], [1e-8, 1e-8], 1e3),
    "far downstream, tiny target, long after": (0.0, [7.0, 1.0], [1e-8, 1e-8], 1e20),
    "far upstream, tiny target": (7.0, [0.0, 0.0], [1e-8, 1e-8], 1e3),
    "far upstream, long after": (1e3, [1.0, 2.0], [1.0, -1.0], 1e6),
    "large and balanced": (1e4, [1e4, 0.0], [0.0, 1.0], 1e-3),
    "on the stable manifold": (1.0, [0.0, -1.0], [0.0, 1.0], 1e6),
    "on the stable manifold, downstream": (0.0, [3.0, 0.0], [0.0, 1.0], 0.5),
    "beside the stable manifold": (1.0, [0.0, -1.0 + 2.0**-40], [0.0, 1.0], 100.0),
    "at the saddle": (0.0, [0.0, 0.0], [0.0, 1.0], 1e6),
    "no time": (0.1, [0.2, 0.3], [0.6, 0.7], 1e-300),
    "nearly balanced": (1.0 + 2.0**-50, [0.0, 1.0], [0.6, 0.7], 3.0),
}


@pytest.mark.parametrize("a0, w0, beta, t", CORNERS.values(), ids=CORNERS)
def test_corners_against_eighty_digits(a0, w0, beta, t):
    path = neuron.solve(jnp.array([t]), a0, jnp.array(w0), jnp.eye(2), jnp.array(beta))
    truth = eighty_digits(t, a0, w0, beta)
    error = np.linalg.norm(np.append(path.w, path.a) - np.append(truth[1:], truth[0]))
    assert error <= 1e-13 * np.linalg.norm(truth)


def test_random_starts_against_eighty_digits():
    """467 starts, times to a million convergence times: worst relative error of the state 3e-15."""
    rng = np.random.default_rng(3)
    T, a0, w0, beta = (v[::3] for v in starts(seed=1))
    T = T * log_uniform(rng, 1, 1e3, len(T))
    truth = np.array([eighty_digits(*one) for one in zip(T.tolist(), a0.tolist(), w0.tolist(), beta.tolist())])
    a, w = jax.jit(jax.vmap(lambda T, a0, w0, b: neuron.solve(T[None], a0, w0, jnp.eye(D), b)[1:]))(T, a0, w0, beta)
    errors = relative_error(np.asarray(a)[:, 0], np.asarray(w)[:, 0], truth[:, 0], truth[:, 1:])
    assert np.max(errors) < 3e-14


TIMES = jnp.array([0.0, 0.2, 0.7, 1.5, 4.0, 30.0])
TARGETS = jnp.asarray(RNG.normal(size=7))  # partly out of reach
W0 = jnp.asarray(RNG.normal(size=D))


def velocity(a, w):
    miss = X.T @ (X @ (a * w) - TARGETS)
    return -(w @ miss), -a * miss


@pytest.mark.parametrize("a0", [0.0, 1.7, -0.4, float(jnp.linalg.norm(W0))])
def test_the_derivative_in_time_is_minus_the_gradient(a0):
    """By differentiating the closed form itself, also at t = 0."""
    path, slope = jax.jvp(lambda t: neuron.solve(t, a0, W0, X, TARGETS), (TIMES,), (jnp.ones_like(TIMES),))
    da, dw = jax.vmap(velocity)(path.a, path.w)
    np.testing.assert_allclose(slope.a, da, atol=1e-13)
    np.testing.assert_allclose(slope.w, dw, atol=1e-13)
    np.testing.assert_array_equal(path.a[0], a0)
    np.testing.assert_array_equal(path.w[0], W0)
    np.testing.assert_allclose(jax.vmap(neuron.imbalance)(path.a, path.w), neuron.imbalance(a0, W0), atol=1e-13)


def test_it_can_be_stopped_and_continued():
    once = neuron.solve(jnp.array([1.9]), -0.4, W0, X, TARGETS)
    half = neuron.solve(jnp.array([0.6]), -0.4, W0, X, TARGETS)
    rest = neuron.solve(jnp.array([1.3]), half.a[0], half.w[0], X, TARGETS)
    np.testing.assert_allclose(jnp.append(rest.w, rest.a), jnp.append(once.w, once.a), atol=1e-14)


def test_times_may_come_in_any_order():
    path, back = (neuron.solve(t, 0.5, W0, X, TARGETS) for t in (TIMES, TIMES[::-1]))
    np.testing.assert_allclose(back.w[::-1], path.w, rtol=1e-15)


def test_against_the_flow_of_the_network():
    loss = lambda p: 0.5 * jnp.sum((p["a"] * X @ p["w"] - TARGETS) ** 2)
    run = flows.gradient_flow(
        loss, {"a": jnp.array(-0.4), "w": W0}, TIMES, observe=lambda p: p, rtol=1e-11, atol=1e-12
    )
    path = neuron.solve(TIMES, -0.4, W0, X, TARGETS)
    np.testing.assert_allclose(run.observed["a"], path.a, atol=1e-9)
    np.testing.assert_allclose(run.observed["w"], path.w, atol=1e-9)


# Where a formula has a case or a removable singularity: balanced, a0 = 0, w0 = 0, the saddle, small x in (1 - e^-x)/x.
DELICATE = {
    "balanced": (1.0, [0.6, 0.8], 1.3),
    "balanced, antiparallel": (1.0, [0.0, -1.0], 1.3),
    "nearly balanced": (1.0 + 1e-9, [0.0, 1.0], 1.3),
    "nearly balanced, from below": (1.0 - 1e-9, [0.0, 1.0], 1.3),
    "a0 zero": (0.0, [0.6, -0.8], 0.4),
    "w0 zero": (0.9, [0.0, 0.0], 0.4),
    "saddle": (0.0, [0.0, 0.0], 0.4),
    "start": (0.3, [0.5, -0.4], 0.0),
    "soon": (0.3, [0.5, -0.4], 1e-9),
    "late": (0.3, [0.5, -0.4], 1e4),
}


@pytest.mark.parametrize("a0, w0, t", DELICATE.values(), ids=DELICATE)
def test_derivatives_in_the_start_solve_the_variational_equation(a0, w0, t):
    """J' = (linearized velocity) J along the path, J(0) = 1: integrated by DOP853, against jacobians of the formula."""
    beta = jnp.array([0.3, 1.1])
    state0 = jnp.array([a0, *w0])
    flow = lambda state, t: jnp.concatenate(
        [v[0].ravel() for v in neuron.solve(t[None], state[0], state[1:], jnp.eye(2), beta)[1:]]
    )
    forward, backward = (mode(flow)(state0, jnp.asarray(t)) for mode in (jax.jacfwd, jax.jacrev))
    field = lambda z: jnp.concatenate([(z[1:] @ (beta - z[0] * z[1:]))[None], z[0] * (beta - z[0] * z[1:])])
    both = jax.jit(lambda z, J: (field(z), jax.jacfwd(field)(z) @ J))

    def variational(_, v):
        dz, dJ = both(v[:3], v[3:].reshape(3, 3))
        return np.concatenate([dz, np.ravel(dJ)])

    run = solve_ivp(variational, (0, min(t, 60.0)), np.append(state0, np.eye(3)), "DOP853", rtol=1e-12, atol=1e-13)
    truth = run.y[3:, -1].reshape(3, 3)
    np.testing.assert_allclose(forward, truth, atol=1e-8)
    np.testing.assert_allclose(backward, forward, atol=1e-12)


def test_the_limit_of_no_target_where_values_are_not_checked():
    """Under jit beta* = 0 is taken as the limit: a' = -a |w|^2, w' = -a^2 w, with a closed form of its own."""
    a0, w0, t = 0.8, jnp.array([0.3, -0.5]), 2.0
    path = jax.jit(lambda y: neuron.solve(jnp.array([t]), a0, w0, jnp.eye(2), y))(jnp.zeros(2))
    delta = a0**2 - float(w0 @ w0)
    D = 1 + a0**2 * np.expm1(2 * delta * t) / delta
    np.testing.assert_allclose(path.a[0], a0 * np.exp(delta * t) / D**0.5, rtol=1e-13)
    np.testing.assert_allclose(path.w[0], w0 / D**0.5, rtol=1e-13)


def test_single_precision():
    path = neuron.solve(
        jnp.array([0.5, 3e5], jnp.float32), 1e-6, jnp.array([1e-6, 0], jnp.float32), jnp.eye(2, dtype=jnp.float32),
        jnp.array([0.6, -0.8], jnp.float32),
    )  # fmt: skip
    assert path.a.dtype == path.w.dtype == jnp.float32
    truth = eighty_digits(3e5, 1e-6, [1e-6, 0.0], [0.6, -0.8])
    np.testing.assert_allclose(jnp.append(path.a[1], path.w[1]), truth, rtol=1e-5)
