"""Exponents and covariant vectors where they are known: exactly, to rounding, or within a few standard errors."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import qr as scipy_qr

from learndyn import lyapunov

DEGREES = 180 / np.pi


def henon(x):
    return jnp.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])


def lorenz63(x):
    return jnp.array([10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])


def rossler(x):
    return jnp.array([-x[1] - x[2], x[0] + 0.2 * x[1], 0.2 + x[2] * (x[0] - 5.7)])


def lorenz96(x):
    return (jnp.roll(x, -1) - jnp.roll(x, 2)) * jnp.roll(x, 1) - x + 8.0


def linear(A):
    return lambda x: A @ x


NON_NORMAL = jnp.array([[1.5, 10.0, -3.0], [0.0, 0.8, 5.0], [0.0, 0.0, 0.3]])
TWISTED = linear(NON_NORMAL)  # one function, compiled once
ORIGIN = jnp.zeros(3)
START = jnp.array([0.1, 0.1])


@pytest.fixture(scope="module")
def henon_spectrum():
    return lyapunov.spectrum(henon, START, 201_000, transient=1000, keep=True)


def test_henon(henon_spectrum):
    found, errors = henon_spectrum.exponents, henon_spectrum.standard_errors
    assert np.abs(found - np.array([0.4192, -1.6232])).max() < 4 * errors.max() < 0.01
    assert np.abs(jnp.sum(henon_spectrum.growth, axis=1) - np.log(0.3)).max() < 2e-14  # at every step
    np.testing.assert_allclose(jnp.mean(henon_spectrum.growth, axis=0), found, rtol=1e-12)
    assert lyapunov.kaplan_yorke(found) == pytest.approx(1 + float(found[0] / -found[1]), rel=1e-14)


def test_standard_errors_are_those_of_independent_runs():
    starts = 0.1 + 0.01 * jax.random.normal(jax.random.key(0), (40, 2))
    runs = lyapunov.spread(lambda x: lyapunov.spectrum(henon, x, 3000, transient=200)[:2], chunk=40)(starts)
    scatter = np.std(runs[0], axis=0, ddof=1)
    assert np.all(np.abs(np.median(np.asarray(runs[1]), axis=0) / scatter - 1) < 0.4)


def test_covariant_vectors_of_henon():
    found = lyapunov.covariant_vectors(henon, START, 20_000, before=500, after=100, chunk=333)
    assert found.residuals.max() < 1e-12
    angles = lyapunov.angles(found.vectors)
    assert np.median(np.asarray(angles)) * DEGREES == pytest.approx(54.9, abs=0.8)
    assert lyapunov.tangencies(angles, 5 / DEGREES)[0] == pytest.approx(0.022, abs=0.004)
    # they grow by themselves at the rates of the spectrum
    own = lyapunov.spectrum(henon, START, 20_500, transient=500).exponents
    np.testing.assert_allclose(found.exponents, own, atol=2e-3)


def test_chunks_and_observers_change_nothing():
    settings = dict(before=50, after=37)
    whole = lyapunov.covariant_vectors(henon, START, 101, chunk=500, **settings)
    parts = lyapunov.covariant_vectors(henon, START, 101, chunk=7, **settings)
    np.testing.assert_allclose(whole.vectors, parts.vectors, atol=1e-13)
    np.testing.assert_array_equal(whole.points, parts.points)
    seen = lyapunov.covariant_vectors(henon, START, 101, chunk=7, observe=_look, **settings)
    np.testing.assert_allclose(seen.observed, lyapunov.angles(whole.vectors), atol=1e-13)
    assert seen.vectors is None and seen.points is None


def _look(x, V):
    return lyapunov.angles(V)


def test_vectors_by_hand_from_scipy():
    # Forward vectors of a long past, and the null space that a long future leaves: no line in common with the library.
    found = lyapunov.covariant_vectors(henon, START, 180, before=0, after=60)
    J = [np.array([[-2.8 * x[0], 1.0], [0.3, 0.0]]) for x in np.asarray(found.points)]
    for t in range(100, 120):
        stable = np.linalg.svd(np.linalg.multi_dot(J[t : t + 20][::-1]))[2][1]
        Q = np.eye(2)
        for derivative in J[:t]:
            Q = scipy_qr(derivative @ Q)[0]
        expected = np.stack([Q[:, 0], stable])
        np.testing.assert_allclose(np.abs(np.sum(found.vectors[t] * expected, axis=1)), 1.0, atol=1e-10)


def test_lorenz():
    step = lyapunov.flow_map(lorenz63, 0.01, substeps=2)
    start = jnp.array([1.0, 1.0, 20.0])
    run = lyapunov.spectrum(step, start, 81_000, transient=1000, dt=0.01)
    assert np.all(np.abs(run.exponents - np.array([0.9056, 0.0, -14.572])) < 4 * run.standard_errors)
    assert run.standard_errors.max() < 0.02
    assert jnp.sum(run.exponents) == pytest.approx(-41 / 3, abs=2e-5)
    assert lyapunov.kaplan_yorke(run.exponents) == pytest.approx(2.062, abs=0.003)

    found = lyapunov.covariant_vectors(step, run.state, 20_000, before=0, after=2000, dt=0.01)
    flow = jax.vmap(lorenz63)(found.points)
    flow = flow / jnp.linalg.norm(flow, axis=1, keepdims=True)
    assert jnp.sin(lyapunov.angles(jnp.stack([found.vectors[:, 1], flow], axis=1))).max() < 5e-6
    assert found.residuals.max() < 1e-10
    medians = np.median(np.asarray(lyapunov.angles(found.vectors)), axis=0) * DEGREES
    np.testing.assert_allclose(medians, [30.7, 71.2, 67.9], atol=1.5)


def test_rossler_contracts_as_its_divergence():
    # a = b = 0.2, c = 5.7: of the two quoted values of the last exponent, -5.145 and -5.39, the divergence decides
    h = 0.02
    step = lyapunov.flow_map(rossler, h)
    run = lyapunov.spectrum(step, jnp.array([1.0, 1.0, 0.0]), 105_000, transient=5000, dt=h, block=5000)

    x = lyapunov.covariant_vectors(step, jnp.array([1.0, 1.0, 0.0]), 100_000, 1, before=5000, after=0, observe=_first)
    mean = 0.2 - 5.7 + jnp.mean(x.observed)
    assert jnp.sum(run.exponents) == pytest.approx(float(mean), abs=2e-3)
    assert run.exponents[2] == pytest.approx(-5.39, abs=0.03)
    assert run.exponents[0] == pytest.approx(0.0714, abs=0.006)
    assert run.exponents[1] == pytest.approx(0.0, abs=3e-3)


def _first(x, V):
    return x[0]


def test_lorenz96_is_witnessed_by_its_divergence():
    # at F = 8 with n = 8: the sum is -n exactly, one exponent is zero, and a part of the spectrum is the same numbers
    step = lyapunov.flow_map(lorenz96, 0.02)
    start = 8.0 + jnp.zeros(8).at[0].set(0.1)
    whole = lyapunov.spectrum(step, start, 22_000, transient=2000, dt=0.02)
    assert jnp.sum(whole.exponents) == pytest.approx(-8, abs=1e-4)
    assert jnp.min(jnp.abs(whole.exponents)) < 0.02 and whole.exponents[0] > 1.0
    part = lyapunov.spectrum(step, start, 22_000, 3, transient=2000, dt=0.02)
    assert np.all(np.abs(part.exponents - whole.exponents[:3]) < 5 * whole.standard_errors[:3])


def test_a_non_normal_map_has_the_exponents_of_its_eigenvalues():
    run = lyapunov.spectrum(TWISTED, ORIGIN, 300, transient=200)
    np.testing.assert_allclose(run.exponents, np.log([1.5, 0.8, 0.3]), atol=1e-13)
    found = lyapunov.covariant_vectors(TWISTED, ORIGIN, 3, before=200, after=150)
    values, vectors = np.linalg.eig(NON_NORMAL)
    for V in found.vectors:
        np.testing.assert_allclose(np.abs(np.sum(V * vectors.T[np.argsort(-values)], axis=1)), 1.0, atol=1e-13)
    np.testing.assert_allclose(found.growth, np.broadcast_to(np.log([1.5, 0.8, 0.3]), (3, 3)), atol=1e-13)


def test_first_steps_are_the_qr_decompositions_of_products():
    # from the first step on, the sums are those of one decomposition of the product of all derivatives
    run = lyapunov.spectrum(henon, START, 6, keep=True, frame=jnp.eye(2))
    total, x = np.eye(2), START
    for t in range(6):
        total = np.asarray(jax.jacfwd(henon)(x)) @ total
        x = henon(x)
        R = np.linalg.qr(total)[1]
        np.testing.assert_allclose(np.sum(run.growth[: t + 1], axis=0), np.log(np.abs(np.diag(R))), atol=1e-12)


def test_degenerate_exponents():
    # two uncoupled copies of a map: each exponent twice, and the planes, not the vectors, are covariant
    pair = lambda x: (henon(x[0]), henon(x[1]))
    same = (START, START)
    run = lyapunov.spectrum(pair, same, 50_000, transient=1000)
    one = lyapunov.spectrum(henon, START, 50_000, transient=1000).exponents
    np.testing.assert_allclose(run.exponents, np.repeat(one, 2), atol=2e-3)
    assert jnp.sum(run.exponents) == pytest.approx(2 * np.log(0.3), abs=1e-11)
    identity = lyapunov.spectrum(lambda x: 0.5 * x, jnp.ones(4), 10)
    np.testing.assert_allclose(identity.exponents, np.full(4, np.log(0.5)), rtol=1e-14)


def test_a_flow_has_the_order_of_its_solver():
    # dx = (-x, -2 y): the exponents of the discrete step are those of its stability polynomial
    decay = lambda x: {"a": -x["a"], "b": -2 * x["b"]}
    start = {"a": jnp.array(1.0), "b": jnp.ones(1)}
    error = lambda h, **settings: np.abs(
        lyapunov.spectrum(lyapunov.flow_map(decay, h, **settings), start, 100, dt=h, frame=jnp.eye(2)).exponents
        - np.array([-1.0, -2.0])
    )
    np.testing.assert_allclose(np.log2(error(0.1) / error(0.05)), 4, atol=0.2)
    np.testing.assert_allclose(error(0.1, substeps=2), error(0.05), rtol=1e-6)
    np.testing.assert_allclose(np.log2(error(0.1, solver=diffrax.Heun()) / error(0.05, solver=diffrax.Heun())), 2, atol=0.2)


def test_no_future_needed_where_the_derivative_stays():
    frozen = lyapunov.covariant_vectors(TWISTED, ORIGIN, 3, before=200, after=150, future="frozen")
    known = lyapunov.covariant_vectors(TWISTED, ORIGIN, 3, before=200, after=150)
    np.testing.assert_allclose(frozen.vectors, known.vectors, atol=1e-12)


def test_the_estimate_without_a_future_improves_backward_at_the_rate_of_the_gap():
    known = lyapunov.covariant_vectors(henon, START, 60, before=500, after=100)
    near = lyapunov.covariant_vectors(henon, START, 60, before=500, after=0)
    wrong = lyapunov.angles(jnp.stack([known.vectors[:, 1], near.vectors[:, 1]], axis=1))[:, 0]
    assert wrong[-1] > 1e-3 and wrong[40] < 1e-10
    assert jnp.linalg.norm(near.vectors[-1] @ near.vectors[-1].T - jnp.eye(2)) > 1e-3  # one step back from q
    frozen = lyapunov.covariant_vectors(henon, START, 60, before=500, after=100, future="frozen")
    np.testing.assert_allclose(frozen.points, known.points, atol=1e-12)
    assert frozen.residuals.max() < 1e-12 and not np.allclose(frozen.vectors[-1], known.vectors[-1], atol=1e-3)


def test_windows_and_cumulative():
    growth = jnp.log(jnp.array([[2.0, 0.5], [8.0, 1.0], [1.0, 2.0], [1.0, 1.0]]))
    cumulative = lyapunov.finite_time_exponents(growth, dt=0.1)
    np.testing.assert_allclose(cumulative[:2], np.log([[2.0, 0.5], [4.0, 0.5**0.5]]) / 0.1)
    windows = lyapunov.finite_time_exponents(growth, dt=0.1, window=2)
    np.testing.assert_allclose(windows, np.log([[4.0, 0.5**0.5], [8.0**0.5, 2.0**0.5], [1.0, 2.0**0.5]]) / 0.1)


def test_a_window_after_an_infinite_contraction_is_finite():
    growth = jnp.log(jnp.array([[0.0], [1.0], [2.0]]))
    np.testing.assert_allclose(lyapunov.finite_time_exponents(growth, window=1)[:, 0], [-np.inf, 0.0, np.log(2)])
    assert lyapunov.spectrum(lambda x: x * jnp.array([2.0, 0.0]), jnp.ones(2), 3).exponents[1] == -np.inf


def test_kaplan_yorke():
    np.testing.assert_allclose(lyapunov.kaplan_yorke(jnp.array([-2.0, 0.0, 1.0])), 2.5)
    np.testing.assert_allclose(lyapunov.kaplan_yorke(jnp.array([[-1.0, -2.0], [1.0, 2.0], [1.0, -1.0]])), [0.0, 2.0, 2.0])


def test_small_angles_keep_their_digits():
    V = jnp.array([[1.0, 0.0], [-1.0, -1e-10], [0.0, 1.0]])
    np.testing.assert_allclose(lyapunov.angles(V), [1e-10, np.pi / 2, np.pi / 2 - 1e-10], rtol=1e-9)


def test_interrupted_runs_are_bit_equal():
    whole = lyapunov.spectrum(henon, START, 1000, transient=100, block=100)
    first = lyapunov.spectrum(henon, START, 400, transient=100, block=100)
    rest = lyapunov.spectrum(henon, first.state, 600, block=100)
    jax.tree.map(np.testing.assert_array_equal, whole, rest)


def test_a_step_that_diverges_is_named():
    with pytest.raises(FloatingPointError, match=r"^spectrum: the orbit .* after step (9|10|11) of 100 "):
        lyapunov.spectrum(lambda x: x**2, jnp.array([2.0]), 100)
    with pytest.raises(FloatingPointError, match=r"^covariant_vectors: the orbit .* after step (9|10|11) of "):
        lyapunov.covariant_vectors(lambda x: x**2, jnp.array([2.0]), 100, before=3, after=5)
    many = jax.vmap(lambda x: lyapunov.spectrum(lambda x: x**2, x, 100).state.failed)(jnp.array([[2.0], [0.5]]))
    assert many[0] in (9, 10, 11) and many[1] == -1
    with pytest.raises(FloatingPointError, match="must have an inverse"):
        lyapunov.covariant_vectors(lambda x: x * jnp.array([2.0, 0.0]), jnp.ones(2), 3, before=0, after=2)
