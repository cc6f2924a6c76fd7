"""Climbing arc by arc: against a solver, against a grid, and by the conditions of a maximum."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from learndyn import sectors

CASES = [(2, 6), (2, 9), (3, 8), (5, 12)]


def problem(d, n, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X[:, -1] = 1.0
    return X, rng.normal(size=(n, 1)), rng.normal(size=(12, d)), rng.choice([-1.0, 1.0], 12)


def unit(w):
    return w / np.linalg.norm(w, axis=-1, keepdims=True)


@pytest.mark.parametrize("d, n", CASES)
def test_ends_and_offsets_are_those_of_the_flow_of_rounded_gates(d, n):
    X, r, W, s = problem(d, n, seed=d + n)
    found = sectors.climb(X, r, W, s)
    w, end = unit(W), 200.0

    def field(t, state):  # of one neuron; the gate opens within 1e-4 of the wall
        w, sign = state[:d], state[d]
        gate = 0.5 * (1 + np.tanh(X @ w / 1e-4))
        g = sign * (gate * r[:, 0]) @ X / n
        return np.concatenate([g - (w @ g) * w, [0.0, w @ g]])

    for k in range(6):
        path = solve_ivp(field, (0, end), np.concatenate([w[k], [s[k], 0.0]]), method="LSODA", rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(unit(path.y[:d, -1]), found.directions[k], atol=3e-3)
        if found.rates[k] > 0:
            np.testing.assert_allclose(path.y[-1, -1], found.rates[k] * end + found.offsets[k], atol=3e-2 + 2e-3 * end)


@pytest.mark.parametrize("d, n", CASES)
def test_what_is_found_are_local_maxima(d, n):
    X, r, W, _ = problem(d, n, seed=3 * n)
    found, signs = sectors.maximizers(X, r, W)
    assert len(signs) and np.all(np.diff(found.rates) <= 0)
    nudges = np.random.default_rng(1).normal(size=(4000, d))
    for w, s, rate in zip(found.directions, signs, found.rates):
        utility = lambda v, s=s: s * np.maximum(v @ X.T, 0) @ r[:, 0] / n
        np.testing.assert_allclose(utility(w), rate, rtol=1e-10)
        assert np.max(utility(unit(w + 1e-4 * nudges))) < rate * (1 + 1e-14)


@pytest.mark.parametrize("seed", range(20))
def test_in_the_plane_all_maxima_are_found(seed):
    rng = np.random.default_rng(seed)
    n = 3 + seed % 6
    X, r = np.stack([rng.normal(size=n), np.ones(n)], axis=1), rng.normal(size=(n, 1))
    angles = (np.arange(40_000) + 0.5) * (2 * np.pi / 40_000)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found, signs = sectors.maximizers(X, r, circle[::100])
    for s in (1, -1):
        u = s * np.maximum(circle @ X.T, 0) @ r[:, 0] / n
        peaks = circle[(u > np.roll(u, 1)) & (u > np.roll(u, -1)) & (u > 1e-9)]
        mine = found.directions[signs == s]
        assert len(peaks) == len(mine)
        assert all(np.max(mine @ peak) > 1 - 1e-7 for peak in peaks)


def test_one_sample_in_closed_form():
    # open, with a residual of its sign: along one great circle to x; with the wrong sign: to the wall and shut
    X, r, angle = np.array([[2.0, 0.0]]), np.array([[3.0]]), 1.1
    w = np.array([[np.cos(angle), np.sin(angle)]] * 2)
    found = sectors.climb(X, r, w, np.array([1.0, -1.0]))
    np.testing.assert_allclose(found.directions[0], [1.0, 0.0], atol=1e-15)
    np.testing.assert_allclose([found.rates[0], found.offsets[0]], [6.0, 2 * np.log(np.cos(angle / 2))])
    np.testing.assert_allclose(found.directions[1], [0.0, 1.0], atol=1e-12)
    assert found.rates[1] == 0 and not found.open[1].any()
    # what is across g does not change: |w| sin(angle) of the start is the norm at the wall
    np.testing.assert_allclose(found.offsets[1], np.log(np.sin(angle)))


def test_orthogonal_inputs_keep_what_was_open_at_the_start():
    # samples do not see each other: of those that pull outward (s r > 0) the ones open at the start stay, all others are shut
    rng = np.random.default_rng(2)
    for X in (np.eye(5)[:4], np.linalg.qr(rng.normal(size=(5, 5)))[0][:4] * np.array([[1.0], [0.5], [2.0], [1.0]])):
        r, W, s = rng.normal(size=(4, 1)), rng.normal(size=(16, 5)), rng.choice([-1.0, 1.0], 16)
        found = sectors.climb(X, r, W, s)
        kept = (W @ X.T > 0) & (s[:, None] * r[:, 0] > 0)
        goals = s[:, None] * (kept * r[:, 0]) @ X / 4
        np.testing.assert_allclose(found.rates, np.linalg.norm(goals, axis=1), atol=1e-12)
        np.testing.assert_array_equal(found.open, kept)
        alive = kept.any(axis=1)
        np.testing.assert_allclose(found.directions[alive], unit(goals[alive]), atol=1e-9)
        assert np.all(np.isfinite(found.offsets)) and np.all(found.offsets[alive] <= 0)


def test_length_and_units_do_not_matter():
    X, r, W, s = problem(3, 8, seed=0)
    one, other = sectors.climb(X, r, W, s), sectors.climb(2 * X, 5 * r, 1e-9 * W, s)
    np.testing.assert_allclose(one.directions, other.directions, atol=1e-9)
    np.testing.assert_allclose(10 * one.rates, other.rates, atol=1e-9)
    np.testing.assert_allclose(one.offsets, other.offsets, atol=1e-9)


def test_too_few_arcs():
    X, r, W, s = problem(5, 12, seed=1)
    with pytest.raises(RuntimeError, match="not at rest after max_arcs = 1 arcs"):
        sectors.climb(X, r, W, s, max_arcs=1)
