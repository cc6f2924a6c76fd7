"""Flows from vanishing initialization against exact solutions, the ordinary flow, and the limit; and how they fail."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.integrate import quad
from scipy.optimize import brentq

from learndyn import agf, flows, pesme_flammarion, vanishing
from learndyn._leaping import Leaping

SIGNED = lambda theta, x: 0.5 * (theta[0] ** 2 - theta[1] ** 2) * x  # u v x, turned by 45 degrees
PRODUCT = lambda theta, x: theta[0] * theta[1] * x
TRIPLE = lambda theta, x: jnp.prod(theta) * x
LINEAR = lambda theta, X: (X @ theta[:3])[:, None] * theta[3:][None]
SIGMA = np.array([2.0, -1.3, 0.6, 0.25])


def per_coordinate(X):
    """Neuron i sees coordinate i alone: a diagonal network."""
    return jnp.asarray(X.T[:, :, None])


def whitened(sigma=SIGMA):
    """E x x' = 1 and E y x = sigma: every coordinate learns for itself."""
    d = len(sigma)
    return per_coordinate(np.sqrt(d) * np.eye(d)), jnp.asarray(np.sqrt(d) * sigma)[:, None]


def correlated(seed=0, n=30, d=4, mix=0.5):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) @ (np.eye(d) + mix * rng.normal(size=(d, d)))
    return X, X @ rng.normal(size=d)


def diagonal_flow(alpha, until, problem=None, **settings):
    X, y = whitened() if problem is None else problem
    return vanishing.gradient_flow(SIGNED, X, y, jnp.full((len(X), 2), alpha), until, **{"blocks": (1, 1)} | settings)


# Truth


def time_of_half(sigma, alpha):
    """When |(a, b)| is half of what it becomes, for one coordinate. With beta = alpha^2 sinh z: dz/dt = 2 (sigma - beta)."""
    rate = lambda z: 2 * (sigma - alpha**2 * np.sinh(z))
    final = np.arcsinh(sigma / alpha**2)
    square = 2 * alpha**2 * np.cosh(final)  # a^2 + b^2
    end = np.arccosh(square / 4 / (2 * alpha**2))
    # the exponential part by itself: 1/rate = 1/(2 sigma) + beta / (2 sigma (sigma - beta))
    beta = lambda w: alpha**2 * np.sinh(end + w)
    rest = quad(lambda w: beta(w) / (sigma - beta(w)), -min(40, end), 0, epsabs=1e-13, epsrel=1e-13)[0]
    assert rate(end) > 0
    return (end + rest) / (2 * sigma)


@pytest.mark.parametrize("alpha", [1e-2, 1e-8, 1e-30, 1e-100])
def test_jump_times_of_a_diagonal_network_against_quadrature(alpha):
    path = diagonal_flow(alpha, 1.1 * np.log(1 / alpha) / 0.25 + 70)
    jumps = vanishing.jump_times(path)
    assert [jump.neuron for jump in jumps] == [0, 1, 2, 3] and all(jump.rises for jump in jumps)
    exact = [time_of_half(abs(sigma), alpha) for sigma in SIGMA]
    np.testing.assert_allclose([jump.time for jump in jumps], exact, rtol=1e-6, atol=2e-5)
    np.testing.assert_allclose(path.losses[-1], 0, atol=1e-8)


@pytest.mark.parametrize("alpha", [1e-2, 1e-30, 1e-300])
def test_the_product_of_the_blocks_is_conserved(alpha):
    """a b of f = (a^2 - b^2)/2 x stays alpha^2, also where b = 1e-600: the gauge of the whole integration."""
    path = diagonal_flow(alpha, 5 * np.log(1 / alpha), tolerance=1e-10)
    drift = np.abs(np.sum(path.log_blocks, axis=-1) - 2 * np.log(alpha))
    assert drift.max() < 1e-7
    assert np.min(path.log_blocks) < 2.9 * np.log(alpha) / 1.5 - 0  # it is used: b falls below alpha^1.9


def time_of_norm(sigma, alpha, norm):
    """For f = a b c x from a = b = c = alpha: da/dt = a^2 (sigma - a^3), by substitution v = 1/a."""
    return quad(lambda v: 1 / (sigma - v**-3.0), np.sqrt(3) / norm, 1e3, epsabs=1e-13, epsrel=1e-13, limit=500)[0] + (
        # beyond v = 1000 the second term is 1e-9 of the first: a series
        (1 / alpha - 1e3) / sigma + (1e-6 - alpha**2) / (2 * sigma**2)
    )


@pytest.mark.parametrize("alpha", [1e-4, 1e-7, 1e-12, 1e-30, 1e-100])
def test_degree_three_waits_for_one_over_alpha(alpha):
    sigma = np.array([3.0, 1.5, 0.7])
    X, y = whitened(sigma)
    path = vanishing.gradient_flow(TRIPLE, X, y, jnp.full((3, 3), alpha), 2.0 / alpha, degree=3)
    jumps = vanishing.jump_times(path)
    assert [jump.neuron for jump in jumps] == [0, 1, 2]
    exact = [time_of_norm(s, alpha, np.sqrt(3) * s ** (1 / 3) / 2) for s in sigma]
    np.testing.assert_allclose([jump.time for jump in jumps], exact, rtol=1e-12, atol=1e-3)
    assert path.stats["num_steps"] < 5000
    assert path.losses[-1] < 1e-12


@pytest.mark.parametrize(
    "neuron, blocks, degree, p", [(LINEAR, None, 2, 5), (LINEAR, (3, 2), 2, 5), (TRIPLE, (1, 2), 3, 3)]
)
def test_against_the_flow_in_the_parameters(neuron, blocks, degree, p):
    """Random neurons of size 0.1, full coordinates: everything must be the same, in every chart."""
    rng = np.random.default_rng(p)
    H = 4
    if neuron is LINEAR:
        X, y = jnp.asarray(rng.normal(size=(20, 3))), jnp.asarray(rng.normal(size=(20, 2)))
    else:
        X, y = per_coordinate(rng.normal(size=(20, H))), jnp.asarray(rng.normal(size=(20, 1)))
    start = 0.1 * jnp.asarray(rng.normal(size=(H, p)))
    times = jnp.array([0.0, 1.0, 4.0, 10.0, 30.0])
    path = vanishing.gradient_flow(neuron, X, y, start, times, degree=degree, blocks=blocks, tolerance=1e-10)
    loss = agf.loss(neuron, X, y)
    direct = flows.gradient_flow(loss, start, times, observe=lambda theta: theta, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(path.neurons, direct.observed, atol=1e-7)
    np.testing.assert_allclose(path.losses, jax.vmap(loss)(direct.observed), atol=1e-8)
    log_norm = lambda theta: jnp.log(jnp.linalg.norm(theta, axis=-1))
    growth = jax.vmap(lambda theta: jax.jvp(log_norm, (theta,), (-jax.grad(loss)(theta),))[1])(direct.observed)
    np.testing.assert_allclose(path.growth, growth, atol=1e-6)
    np.testing.assert_allclose(jnp.linalg.norm(path.directions, axis=-1), 1, rtol=1e-14)


def test_the_error_falls_with_the_tolerance():
    exact = [time_of_half(abs(sigma), 1e-30) for sigma in SIGMA]
    logs = lambda tolerance: diagonal_flow(1e-30, jnp.asarray(exact), tolerance=tolerance).log_norms
    best = logs(2e-12)
    errors = [float(jnp.max(jnp.abs(logs(tolerance) - best))) for tolerance in (1e-5, 1e-7, 1e-9)]
    assert errors[0] < 1 and errors[1] < 0.05 * errors[0] and errors[2] < 0.05 * errors[1]


# The limit


@pytest.mark.parametrize("seed", [3, 5])
def test_the_limit_of_correlated_designs(seed):
    """Losses on the plateaus and the order of jumps, of the algorithm of Pesme and Flammarion, at alpha = 1e-100."""
    X, y = correlated(seed)
    limit = pesme_flammarion.saddles(jnp.asarray(X), jnp.asarray(y))
    log, ends = np.log(1e100), np.append(limit.times, 1.2 * limit.times[-1])
    wide = np.flatnonzero(np.diff(ends) > 0.08)  # plateaus that last
    assert len(wide) >= 3
    moments = (ends[wide] + 0.7 * np.diff(ends)[wide]) * log
    path = diagonal_flow(1e-100, jnp.asarray(moments), (per_coordinate(X), jnp.asarray(y)[:, None]))
    np.testing.assert_allclose(path.losses, limit.losses[wide + 1], rtol=1e-5, atol=1e-9)


def returning():
    """A coordinate that jumps, comes back to zero when another one jumps, and leaves again with the other sign."""
    for seed in range(200):
        X, y = correlated(seed, d=4, mix=1.0)
        limit = pesme_flammarion.saddles(jnp.asarray(X), jnp.asarray(y))
        back = np.argwhere(np.asarray(limit.returned))
        final = np.asarray(limit.coefficients[-1])
        for jump, i in back:
            before = np.asarray(limit.coefficients)[jump, i]
            if before * final[i] < 0 and np.diff(limit.times).min() > 0.02:
                return X, y, limit, i
    raise AssertionError("no such design")


def test_a_neuron_that_returns_to_zero_leaves_with_the_other_sign():
    X, y, limit, i = returning()
    log = np.log(1e200)
    path = diagonal_flow(1e-200, float(1.5 * limit.times[-1] * log), (per_coordinate(X), jnp.asarray(y)[:, None]))
    jumps = [jump for jump in vanishing.jump_times(path, fraction=0.1) if jump.neuron == i]
    assert [jump.rises for jump in jumps[:3]] == [True, False, True]
    a, b = np.asarray(path.log_blocks[:, i].T)
    rose, fell, again = (np.argmin(np.abs(path.times - jump.time)) for jump in jumps[:3])
    sign = np.sign(a - b)
    assert sign[(rose + fell) // 2] == -sign[-1]
    assert path.log_norms[fell:again, i].min() < -100  # far below rounding in between
    np.testing.assert_allclose(0.5 * (np.exp(2 * a[-1]) - np.exp(2 * b[-1])), limit.coefficients[-1, i], rtol=1e-8)
    expected = np.asarray(limit.times[np.argmax(limit.jumped[:, i])]), np.asarray(limit.times[np.asarray(limit.jumped[:, i])][-1])
    np.testing.assert_allclose([jumps[0].time / log, jumps[2].time / log], expected, rtol=0.015)


def test_a_unit_vector_forgets_what_its_own_logarithm_keeps():
    """Why `blocks` exist: in f = u v x the conserved u^2 - v^2 is a deviation of the direction, lost below its rounding."""
    X, y, limit, i = returning()
    problem, alpha = (per_coordinate(X), jnp.asarray(y)[:, None]), 1e-100
    until = jnp.asarray(limit.times[-1:] * 1.5 * np.log(1 / alpha))
    start = jnp.tile(jnp.array([2**0.5 * alpha, 0.0]), (4, 1))
    whole = vanishing.gradient_flow(PRODUCT, *problem, start, until, blocks=None)
    signed = diagonal_flow(alpha, until, problem)
    assert signed.losses[-1] == pytest.approx(float(limit.losses[-1]), rel=1e-6)
    assert whole.losses[-1] > limit.losses[-1] * (1 + 1e-6) + 1e-9


def test_the_error_of_the_limit_is_a_constant_over_log_alpha():
    """jump time / log(1/alpha) = limit + C / log(1/alpha), from 1e-2 to 1e-16, C the same within a tenth."""
    limit = pesme_flammarion.saddles(*(jnp.asarray(v) for v in (2 * np.eye(4), 2 * SIGMA))).times
    alphas = [1e-2, 1e-4, 1e-8, 1e-16]
    C = []
    for alpha in alphas:
        path = diagonal_flow(alpha, 1.1 * np.log(1 / alpha) / 0.25 + 70)
        C.append([jump.time for jump in vanishing.jump_times(path)] - np.asarray(limit) * np.log(1 / alpha))
    assert np.max(np.abs(np.array(C) / C[-1] - 1)) < 0.1


# What it costs


def test_the_number_of_steps_hardly_knows_alpha():
    X, y = correlated(1, d=6)
    problem = per_coordinate(X), jnp.asarray(y)[:, None]
    end = 1.3 * float(pesme_flammarion.saddles(jnp.asarray(X), jnp.asarray(y)).times[-1])
    steps = [int(diagonal_flow(a, end * np.log(1 / a), problem).stats["num_steps"]) for a in (1e-3, 1e-30, 1e-300)]
    assert steps[1] < 3 * steps[0]  # at 1e-3 the jumps overlap
    assert steps[2] < 1.5 * steps[1]  # an explicit method takes ten times as many


def test_leaps_cross_a_stiff_line_and_are_exact_on_it():
    """One fast variable at rest, one slow one on a straight line: as many steps for a time of 1e6 as for one of 1e3."""
    field = diffrax.ODETerm(lambda t, y, args: {"fast": -50 * (y["fast"] - jnp.sin(y["slow"] * 0)), "slow": -0.7 + 0 * y["slow"]})
    weigh = lambda y0, y1, error: jax.tree.map(lambda leaf: leaf / 1e-9, error)

    def run(until):
        solution = diffrax.diffeqsolve(
            field, Leaping(weigh=weigh), 0.0, until, None, {"fast": jnp.ones(2), "slow": jnp.zeros(1)},
            stepsize_controller=diffrax.PIDController(rtol=0, atol=1), max_steps=10_000,
        )  # fmt: skip
        np.testing.assert_allclose(solution.ys["slow"][0], -0.7 * until, rtol=1e-12)
        np.testing.assert_allclose(solution.ys["fast"], 0, atol=1e-9)
        return int(solution.stats["num_steps"])

    assert run(1e6) <= run(1e3) + 8 < 150


def test_leaps_are_of_order_four():
    """One fast variable on a curve, so that every step is a leap, beside a slow nonlinear one, y' = -y^2."""
    rates = lambda y: jnp.array([1.0, -2000 * (y[1] - jnp.sin(y[0])) + jnp.cos(y[0]), -(y[2] ** 2)])

    def error(step):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, args: rates(y)), Leaping(), 0.0, 2.0, step, jnp.array([0.0, 0.0, 1.0])
        )
        return abs(float(solution.ys[0, 2]) - 1 / 3)

    order = np.log2(error(0.1) / error(0.05))
    assert 3.7 < order < 4.3


def test_leaps_stay_out_of_the_way_where_nothing_is_stiff():
    field = diffrax.ODETerm(lambda t, y, args: jnp.array([y[1], -y[0]]))
    settings = {"t0": 0.0, "t1": 20.0, "dt0": 0.1, "y0": jnp.array([1.0, 0.0])}
    weigh = lambda y0, y1, error: error / 1e-9
    control = lambda atol: diffrax.PIDController(rtol=0, atol=atol)
    ours = diffrax.diffeqsolve(field, Leaping(weigh=weigh), stepsize_controller=control(1.0), **settings)
    theirs = diffrax.diffeqsolve(field, diffrax.Tsit5(), stepsize_controller=control(1e-9), **settings)
    np.testing.assert_allclose(ours.ys[0], [np.cos(20), -np.sin(20)], atol=1e-6)
    assert ours.stats["num_steps"] <= 1.05 * theirs.stats["num_steps"]


# How it is observed


def test_requested_times_and_own_steps_are_the_same_path():
    own = diagonal_flow(1e-20, 400.0)
    path = diagonal_flow(1e-20, own.times[3::40])
    np.testing.assert_allclose(path.log_norms, own.log_norms[3::40], atol=1e-10)
    np.testing.assert_array_equal(path.times, own.times[3::40])
    assert own.times[0] == 0 and own.times[-1] == 400 and np.all(np.diff(own.times) > 0)
    assert own.stats["num_accepted_steps"] == len(own.times) - 1


def test_between_leaps_the_path_is_right():
    """Requested in the middle of a plateau that the solver crosses in one step: growth is a straight line there."""
    times = jnp.linspace(40.0, 60.0, 11)
    path = diagonal_flow(1e-100, times)
    slope = jnp.diff(path.log_norms[:, 3]) / 2
    np.testing.assert_allclose(slope, 0.25, rtol=1e-9)


def test_times_on_a_clock_that_was_set_back():
    sigma, alpha = np.array([3.0, 1.5, 0.7]), 1e-40
    X, y = whitened(sigma)
    times = jnp.array([0.0, 0.2, 0.5, 0.6, 1.0, 2.0]) / alpha
    path = vanishing.gradient_flow(TRIPLE, X, y, jnp.full((3, 3), alpha), times, degree=3)
    np.testing.assert_array_equal(path.times, times)
    learned = np.array([0, 0, 1, 1, 2, 3])
    np.testing.assert_allclose(path.losses, [np.sum(sigma[k:] ** 2) / 2 for k in learned], rtol=1e-9, atol=1e-12)
    waiting = np.log(alpha * np.sqrt(3)) - np.log1p(-np.asarray(times[:3] * alpha * sigma[1]))  # 1/a = 1/alpha - sigma t
    np.testing.assert_allclose(path.log_norms[:3, 1], waiting, rtol=1e-9)


def test_own_steps_on_a_clock_that_was_set_back():
    sigma, alpha = np.array([3.0, 1.5, 0.7]), 1e-40
    X, y = whitened(sigma)
    path = vanishing.gradient_flow(TRIPLE, X, y, jnp.full((3, 3), alpha), 2 / alpha, degree=3)
    assert np.all(np.diff(path.times) >= 0) and path.times[-1] == 2 / alpha
    jumps = vanishing.jump_times(path)
    assert [jump.neuron for jump in jumps] == [0, 1, 2]
    np.testing.assert_allclose([jump.time for jump in jumps], 1 / (alpha * sigma), rtol=1e-6)


def test_vmap_over_starts_is_the_loop():
    X, y = whitened()
    scales = jnp.array([1e-3, 1e-9])
    run = lambda scale: vanishing.gradient_flow(SIGNED, X, y, scale * jnp.ones((4, 2)), jnp.array([1.0, 9.0]), blocks=(1, 1))
    batch = jax.vmap(run)(scales)
    for k, scale in enumerate(scales):
        np.testing.assert_allclose(batch.log_norms[k], run(scale).log_norms, atol=1e-9)


def test_compiled_once_for_new_numbers():
    traces = []

    def neuron(theta, x):
        traces.append(1)
        return SIGNED(theta, x)

    X, y = whitened()
    counts = []
    for k in range(3):
        vanishing.gradient_flow(neuron, X, y + k, jnp.full((4, 2), 10.0**-k - 0.9), 5.0 + k, tolerance=10.0 ** (-6 - k))
        counts.append(len(traces))
    assert counts[2] - counts[1] == counts[1] - counts[0] < counts[0] / 2  # what remains is the check of the degree


def test_single_precision_is_refused():
    with jax.enable_x64(False), pytest.raises(TypeError, match="neurons must be double precision, but are float32"):
        diagonal_flow(1e-3, 9.0, tuple(jnp.asarray(np.asarray(value), jnp.float32) for value in whitened()))


def test_jump_times_read_a_known_curve():
    """log norms -40 + 2 t up to 0, then down by 3 t from t = 25: 1/2 is passed near 20 and 25."""
    times = jnp.array([0.0, 10.0, 20.0, 25.0, 30.0])
    logs = jnp.array([[-40.0, -20.0, 0.0, 0.0, -15.0], [-40.0, -39.0, -38.0, -37.0, -36.0]]).T
    growth = jnp.array([[2.0, 2.0, 2.0, 0.0, -3.0], [0.1] * 5]).T
    path = vanishing.Path(times, times, logs, growth, logs[..., None], logs[..., None], {})
    up, down = vanishing.jump_times(path, fraction=0.5)
    assert (up.neuron, up.rises, down.neuron, down.rises) == (0, True, 0, False)
    assert up.time == pytest.approx(20 - np.log(2) / 2)  # the line is met exactly
    fall = brentq(lambda s: -15 * (3 * s**2 - 2 * s**3) + 5 * -3 * (s**3 - s**2) + np.log(2), 0, 1)  # Hermite by hand
    assert down.time == pytest.approx(25 + 5 * fall)


# How it fails


def test_a_neuron_of_another_degree_is_refused_with_its_own():
    X, y = whitened()
    with pytest.raises(ValueError, match=r"neuron must be homogeneous of degree 2 in theta.* 3 from"):
        vanishing.gradient_flow(TRIPLE, X, y, jnp.ones((4, 3)), 1.0)


def test_too_few_steps_say_where():
    with pytest.raises(RuntimeError, match=r"stopped at t = \S+ of 400 after 30 of at most max_steps = 30 steps.*raise max_steps"):
        diagonal_flow(1e-20, 400.0, max_steps=30)


def test_a_block_that_passes_through_zero_is_not_followed():
    """u v with both u, v > 0 must turn: the target is negative."""
    X, y = whitened(np.array([-1.0]))
    start = jnp.array([[1.0, 0.5]])
    with pytest.raises(RuntimeError, match="A block that passes through zero cannot be followed"):
        vanishing.gradient_flow(PRODUCT, X, y, start, 20.0, blocks=(1, 1))
    assert vanishing.gradient_flow(PRODUCT, X, y, start, 20.0).losses[-1] < 1e-9


def test_failures_are_raised_inside_transformations():
    problem, times = whitened(), jnp.array([400.0])
    run = lambda scale: diagonal_flow(scale, times, problem, max_steps=30).losses
    with pytest.raises(RuntimeError, match="vanishing.gradient_flow failed within 30 steps"):
        jax.block_until_ready(jax.jit(run)(jnp.array(1e-20)))


def test_progress_is_said_on_standard_error_and_changes_nothing(capfd, monkeypatch):
    clock = iter(np.arange(0.0, 1e5, 0.4))
    monkeypatch.setattr(vanishing._report, "begin", lambda: vars(vanishing._report).update(began=0.0, spoke=0.0))
    monkeypatch.setattr("learndyn._progress.time.monotonic", lambda: next(clock))
    silent = diagonal_flow(1e-20, 400.0)
    jax.effects_barrier()
    assert capfd.readouterr() == ("", "")
    talking = diagonal_flow(1e-20, 400.0, progress=True)
    jax.effects_barrier()
    out, err = capfd.readouterr()
    assert out == "" and err.splitlines()[0].startswith("vanishing.gradient_flow: ") and "% of the time" in err
    np.testing.assert_array_equal(ravel_pytree(silent)[0], ravel_pytree(talking)[0])
