"""Alternating gradient flows against closed forms, against Pesme and Flammarion, and against the flow itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from learndyn import agf, flows, pesme_flammarion


def diagonal(theta, x):
    return theta[0] * theta[1] * x


def linear(theta, X):
    return jnp.outer(X @ theta[:4], theta[4:])


def attention(theta, X):
    """A head V (q . x)(k . x) in context, as a function of all products q_a k_b."""
    return theta[0] * (X @ jnp.outer(theta[1:5], theta[5:]).ravel())[:, None]


def rounded(theta, X):
    """A ReLU neuron whose kink is rounded off in proportion to its weights: homogeneous, and smooth."""
    z = X @ theta[1:]
    return theta[0] * 0.5 * (z + jnp.sqrt(z**2 + 0.05**2 * jnp.sum(theta[1:] ** 2)))[:, None]


def cubic(theta, x):
    return jnp.prod(theta) * x


def regression(seed, n=12, d=5, correlation=0.0):
    rng = np.random.default_rng(seed)
    X = np.sqrt(1 - correlation) * rng.normal(size=(n, d)) + np.sqrt(correlation) * rng.normal(size=(n, 1))
    return jnp.asarray(X), jnp.asarray(X @ rng.normal(size=d) + 0.3 * rng.normal(size=n))


def of_diagonal(X, y, scale, **settings):
    d = X.shape[1]
    start = jnp.stack([jnp.full(d, 2**0.5 * scale), jnp.zeros(d)], axis=1)
    return agf.staircase(diagonal, X.T[:, :, None], y[:, None], start, **settings)


SCALES = (1e-2, 1e-5, 1e-12, 1e-30, 1e-100, 1e-300)


# --- diagonal linear networks ------------------------------------------------------------------------------------


def test_staircase_is_that_of_pesme_and_flammarion_on_200_designs():
    """Times, saddles, who jumps, and who returns; half of the designs are correlated, and some coordinates come back.

    With |theta(0)| = sqrt(2) alpha the growth to norm one takes an integral of arccosh(1/2 alpha^2)/2 of the gradient
    instead of log(1/alpha), and every time is longer by the same ratio: what remains is rounding.
    """
    came_back, flipped = 0, 0
    for seed in range(200):
        X, y = regression(seed, correlation=0.9 * (seed % 2))
        scale = SCALES[seed % 6]
        oracle, found = pesme_flammarion.saddles(X, y), of_diagonal(X, y, scale)
        clock = np.log(1 / scale)
        assert jnp.array_equal(found.jumped, oracle.jumped) and jnp.array_equal(found.returned, oracle.returned)
        np.testing.assert_allclose(found.times / clock, oracle.times, rtol=1e-8)
        if scale == 1e-2:
            clock = np.arccosh(0.5 / scale**2) / 2
        np.testing.assert_allclose(found.times / clock, oracle.times, rtol=2e-11)
        coefficients = jnp.prod(found.neurons, axis=-1)
        np.testing.assert_allclose(coefficients, oracle.coefficients, rtol=1e-10, atol=1e-11)
        came_back += int(oracle.returned.any())
        flipped += int((jnp.sum(oracle.jumped, axis=0) > 1).any())
    assert came_back >= 20 and flipped >= 5


@pytest.mark.parametrize("exact", [True, False], ids=["exponentials", "solver"])
@pytest.mark.parametrize("scale", [0.1, *SCALES])
def test_accumulated_utility_of_a_diagonal_neuron(scale, exact, monkeypatch):
    """S(t) = log(cosh(4 U t))/2 from the start (sqrt 2 alpha, 0): the norm is one when cosh(4Ut) = 1/(2 alpha^2)."""
    if not exact:
        monkeypatch.setattr("learndyn.agf.quadratic.applies", lambda *_: False)
    x, y = jnp.ones((1, 3, 1)), jnp.full((3, 1), 0.7)
    found = agf.staircase(diagonal, x, y, jnp.array([[2**0.5 * scale, 0.0]]))
    wait = np.arccosh(0.5 / scale**2) if scale > 1e-100 else 2 * np.log(1 / scale)
    np.testing.assert_allclose(found.utilities[0], [0.35 * (1 - 4 * scale**4) ** 0.5], rtol=1e-10)  # U tanh(4Ut)
    np.testing.assert_allclose(found.times, [wait / (4 * 0.35)], rtol=1e-14 if exact else 3e-11)
    np.testing.assert_allclose(jnp.prod(found.neurons[1]), 0.7, rtol=1e-12)


def test_the_solver_and_the_exponentials_agree_where_coordinates_return(monkeypatch):
    X, y = regression(31, n=20, d=6, correlation=0.8)
    exact = of_diagonal(X, y, 1e-30)
    assert exact.returned.any()
    monkeypatch.setattr("learndyn.agf.quadratic.applies", lambda *_: False)
    solved = of_diagonal(X, y, 1e-30)
    assert jnp.array_equal(solved.jumped, exact.jumped)
    np.testing.assert_allclose(solved.times, exact.times, rtol=1e-8)


def test_a_log_norm_falls_when_the_utility_turns_but_never_below_its_start():
    """u^2 - v^2 is conserved: no gradient can make a neuron of f = uvx smaller than sqrt|u^2 - v^2|."""
    X, y = regression(31, n=20, d=6, correlation=0.8)
    found = of_diagonal(X, y, 1e-6)
    dormant = ~found.active[:-1]
    assert jnp.any((jnp.diff(found.log_norms, axis=0) < -0.1) & dormant[1:])
    assert jnp.all(found.log_norms >= np.log(2**0.5 * 1e-6) - 1e-12)


def test_equal_neurons_jump_together_and_share_the_work():
    x, y = jnp.ones((2, 3, 1)), jnp.ones((3, 1))
    found = agf.staircase(diagonal, x, y, jnp.full((2, 2), 1e-5))
    assert found.jumped.tolist() == [[True, True]]
    np.testing.assert_allclose(found.neurons[1], 0.5**0.5, rtol=1e-10)


# --- linear networks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-3, 1e-40, 1e-200])
def test_linear_networks_learn_singular_pairs_at_the_tails_of_the_spectrum(scale):
    """Whitened inputs: loss sum_{k > m} sigma_k^2/2 after m jumps, each along a singular pair, at about log(1/alpha)/sigma."""
    rng = np.random.default_rng(2)
    X = np.linalg.qr(rng.normal(size=(30, 4)))[0] * 30**0.5
    U, _ = np.linalg.qr(rng.normal(size=(4, 3)))
    V, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    sigma = np.array([3.0, 2.0, 0.5])
    start = scale * rng.normal(size=(6, 7))
    found = agf.staircase(linear, jnp.asarray(X), jnp.asarray(X @ (U * sigma) @ V.T), jnp.asarray(start))
    np.testing.assert_allclose(found.losses, [6.625, 2.125, 0.125, 0], atol=1e-12)
    assert found.ended == "the residual is zero"
    # in the limit each mode grows by its own exponential from the start to one, whoever carries it: alpha e^(sigma t)
    np.testing.assert_allclose(found.times / np.log(1 / scale), 1 / sigma, rtol=2 / np.log(1 / scale))
    w, a = np.split(np.asarray(found.neurons), [4], axis=2)
    for k, product in enumerate(U.T @ np.einsum("khd,khc->kdc", w, a) @ V):
        np.testing.assert_allclose(product, np.diag(sigma * (np.arange(3) < k)), atol=1e-10)


# --- degree three and more ---------------------------------------------------------------------------------------


def in_context(eigenvalues, N):
    """Data with exactly the second moments of linear regression in context: 17 'samples' for 16 features and a target."""
    d, trace = len(eigenvalues), sum(eigenvalues)
    M = np.zeros((d * d + 1, d * d + 1))
    for a, b in np.ndindex(d, d):
        k = a * d + b
        M[k, k] = N * eigenvalues[a] * eigenvalues[b] * (trace + (N + 1) * eigenvalues[b])
        if a == b:
            M[k, -1] = M[-1, k] = N * eigenvalues[a] ** 2
    M[-1, -1] = trace
    values, vectors = np.linalg.eigh(M)
    root = (vectors * np.sqrt(len(M) * np.maximum(values, 0))) @ vectors.T
    return jnp.asarray(root[:, :-1]), jnp.asarray(root[:, -1:])


LAMBDA, N = np.array([3, 1.5, 0.7, 0.3]), 10


def test_attention_learns_principal_components_at_the_published_plateaus():
    X, y = in_context(LAMBDA, N)
    start = np.random.default_rng(1).normal(size=(6, 9))
    start = 1e-8 * start / np.linalg.norm(start, axis=1, keepdims=True)
    found = agf.staircase(attention, X, y, jnp.asarray(start), degree=3)
    np.testing.assert_allclose(found.losses, [2.75, 1.5812, 1.0698, 0.8842, 0.8331], atol=5e-5)
    falls = N * LAMBDA**2 / (2 * (5.5 + (N + 1) * LAMBDA))
    np.testing.assert_allclose(-jnp.diff(found.losses), falls, rtol=1e-10)
    assert jnp.max(found.gradient_norms) < 1e-11


# rtol is that of the times, too, but where they are read between two long steps: there they may be off by some 100 rtol.
@pytest.mark.parametrize(
    ("size", "radius", "rtol", "off"),
    [(1e-3, 1.0, 1e-11, 2e-10), (1e-100, 1.0, 1e-11, 2e-10), (1e-1, 1e9, 1e-11, 2e-10), (1e-3, 1e9, 1e-11, 2e-10), (1e-100, 1e9, 1e-11, 2e-10),
     (1e-1, 1.0, 1e-12, 1e-10), (1e-1, 1.0, 1e-11, 1e-9), (1e-1, 1.0, 1e-9, 1e-7)],
)  # fmt: skip
def test_aligned_attention_jumps_at_its_jump_time_and_then_blows_up(size, radius, rtol, off):
    """tau = sqrt(3)/(N lambda^2) (1/|theta(0)| - 1/R), for U = N lambda^2/(3 sqrt 3); R without bound is the blow-up."""
    X, y = in_context(LAMBDA, N)
    theta = np.zeros(9)
    theta[[0, 1, 5]] = size / 3**0.5
    found = agf.staircase(attention, X, y, jnp.asarray([theta] * 6), degree=3, radius=radius, max_jumps=1, rtol=rtol)
    np.testing.assert_allclose(found.times, [3**0.5 / (N * 9) * (1 / size - 1 / radius)], rtol=off)
    np.testing.assert_allclose(found.utilities[0], N * 9 / (3 * 3**0.5), rtol=1e-12)


def test_alignment_is_part_of_the_jump_time_of_a_cubic_neuron():
    """f = abc x with a start off the diagonal: the time is the integral of ds / (a b c) along a^2 - b^2 = const."""
    x, y, start = jnp.ones((1, 2, 1)), jnp.ones((2, 1)), np.array([0.01, 0.02, 0.03])
    found = agf.staircase(cubic, x, y, jnp.asarray([start]), degree=3)
    # q = a^2 grows by 2abc: dt = dq / 2 sqrt(q (q + B)(q + C)); q = exp(s) is even-handed to all scales
    B, C = start[1] ** 2 - start[0] ** 2, start[2] ** 2 - start[0] ** 2
    s, weights = np.polynomial.legendre.leggauss(200)
    low, high = np.log(start[0] ** 2), np.log((1 - B - C) / 3)
    q = np.exp(low + (high - low) * (s + 1) / 2)
    time = np.sum(weights * q / (2 * np.sqrt(q * (q + B) * (q + C)))) * (high - low) / 2
    np.testing.assert_allclose(found.times, [time], rtol=1e-9)
    np.testing.assert_allclose(found.losses, [0.5, 0], atol=1e-20)


# --- ReLU --------------------------------------------------------------------------------------------------------


def kinks():
    x = np.linspace(-1, 1, 9)
    y = np.abs(x) - 0.3 + 1.5 * np.maximum(x - 0.4, 0)
    return jnp.asarray(np.stack([x, np.ones(9)], axis=1)), jnp.asarray(y[:, None])


def start_of_relu(width, scale):
    rng = np.random.default_rng(0)
    w = rng.normal(size=(width, 2))
    balanced = np.concatenate([rng.choice([-1, 1], (width, 1)), w / np.linalg.norm(w, axis=1, keepdims=True)], axis=1)
    return jnp.asarray(scale * balanced / 2**0.5)


@pytest.mark.parametrize("scale", [1e-5, 1e-60])
def test_relu_neurons_first_take_the_direction_of_greatest_utility(scale):
    X, y = kinks()
    clock = np.log(1 / scale)
    found = agf.staircase(rounded, X, y, start_of_relu(12, scale), until=20 * clock)
    assert found.ended.startswith("no neuron jumps before") and len(found.times) == 2
    angles = np.linspace(0, 2 * np.pi, 20_001)
    circle = np.stack([np.full_like(angles, 0.5**0.5), np.cos(angles) * 0.5**0.5, np.sin(angles) * 0.5**0.5], axis=1)
    utilities = agf.utilities(rounded, jnp.asarray(circle), X, y)
    best = int(jnp.argmax(utilities))
    who = int(jnp.argmax(found.jumped[0]))
    np.testing.assert_allclose(found.directions[0, who], circle[best], atol=1e-3)
    np.testing.assert_allclose(found.times[0] * 2 * utilities[best] / clock, 1, atol=1.5 / clock)
    # quantized: all dormant neurons with a positive readout and any utility have turned the same way
    same = np.abs(np.asarray(found.directions[0] - found.directions[0, who][None])).max(axis=1) < 1e-2
    assert same.sum() >= 4


def test_the_flow_goes_from_saddle_to_saddle_of_the_staircase():
    """Independent of the algorithm: gradient flow in the parameters themselves, at the middle of the waits."""
    X, y = kinks()
    start = start_of_relu(12, 1e-5)
    found = agf.staircase(rounded, X, y, start, until=60.0)
    first = float(found.times[0])
    loss = agf.loss(rounded, X, y)
    flow = flows.gradient_flow(loss, start, jnp.array([0.5 * first, 0.75 * first, 300.0]))
    np.testing.assert_allclose(flow.observed[:2], found.losses[0], rtol=1e-2)
    np.testing.assert_allclose(flow.observed[2], found.losses[-1], rtol=2e-2)


# --- what it says about itself -----------------------------------------------------------------------------------


def test_every_saddle_is_a_critical_point_of_the_whole_loss():
    X, y = regression(7)
    found = of_diagonal(X, y, 1e-8)
    slopes = jax.vmap(jax.grad(agf.loss(diagonal, X.T[:, :, None], y[:, None])))(found.neurons)
    assert jnp.max(jnp.abs(slopes)) < 1e-12
    assert jnp.all(jnp.abs(found.gradient_norms - jnp.linalg.norm(slopes, axis=(1, 2))) < 1e-13)
    assert jnp.all(jnp.diff(found.losses) < 0) and jnp.all(jnp.diff(found.times) > 0)
    assert jnp.array_equal(jnp.any(found.neurons != 0, axis=2), found.active)
    for k in range(len(found.times)):  # who jumps has a utility above zero, and is dormant
        assert jnp.all(jnp.where(found.jumped[k], found.utilities[k], 1) > 0)
        assert not jnp.any(found.jumped[k] & found.active[k])


def test_why_it_ends():
    x = jnp.linspace(-1, 1, 5)[None, :, None]
    zero = agf.staircase(diagonal, x, jnp.zeros((5, 1)), jnp.full((1, 2), 1e-3))
    assert zero.ended == "the residual is zero" and zero.times.shape == (0,) and zero.losses.tolist() == [0]
    even = agf.staircase(diagonal, x, x[0] ** 2, jnp.full((1, 2), 1e-3))
    assert even.ended == "no dormant neuron has, or comes to, a utility above zero" and len(even.losses) == 1
    aligned_against = agf.staircase(diagonal, x, -x[0], jnp.full((1, 2), 1e-3))  # u = v, exactly, and for ever
    assert aligned_against.ended == "no dormant neuron has, or comes to, a utility above zero"
    assert agf.staircase(diagonal, x, x[0], jnp.full((1, 2), 1e-3)).ended == "all neurons are active"
    assert agf.staircase(diagonal, x, x[0], jnp.full((1, 2), 1e-3), until=1.0).ended == "no neuron jumps before the time 1"


def test_the_cost_does_not_grow_as_the_start_vanishes():
    X, y = in_context(LAMBDA, N)
    start = np.random.default_rng(1).normal(size=(6, 9))
    steps = [agf.staircase(attention, X, y, jnp.asarray(scale * start), degree=3).stats["dormant_steps"] for scale in (1e-3, 1e-250)]
    assert steps[1] < 10 * steps[0]


def test_jumps_and_steps_that_run_out_are_errors():
    X, y = kinks()
    with pytest.raises(RuntimeError, match="utility maximization needs more than max_steps = 3 steps"):
        agf.staircase(rounded, X, y, start_of_relu(6, 1e-5), max_steps=3)
    X, y = regression(0)
    assert of_diagonal(X, y, 1e-5, max_jumps=2).ended == "max_jumps = 2 is reached"
    with pytest.raises(RuntimeError, match="cost minimization needs more than max_steps = 5 steps"):
        of_diagonal(X, y, 1e-5, max_steps=5)


def test_polar_holds_norms_whose_squares_are_no_numbers():
    log_norm, direction = agf.polar(jnp.array([[3e-300, 4e-300], [0.0, -1e200]]))
    np.testing.assert_allclose(log_norm, [np.log(5) - 300 * np.log(10), 200 * np.log(10)], rtol=1e-14)
    np.testing.assert_allclose(direction, [[0.6, 0.8], [0, -1]], rtol=1e-14)
