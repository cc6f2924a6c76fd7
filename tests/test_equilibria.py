"""Equilibria: classification against trajectories, against normal forms, and against Sylvester's law of inertia."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from learndyn import equilibria

NORMAL_FORMS = {
    "stable node": [[-2, 0], [0, -1]],
    "unstable node": [[2, 1], [0, 1]],
    "saddle": [[1, 1], [4, -2]],
    "stable spiral": [[-1, 2], [-2, -1]],
    "unstable spiral": [[0, -1], [1, 1]],
    "center": [[0, 1], [-4, 0]],
    "stable star": [[-3, 0], [0, -3]],
    "unstable star": [[0.5, 0], [0, 0.5]],
    "stable degenerate node": [[-1, 1], [0, -1]],
    "unstable degenerate node": [[3, -4], [1, -1]],
    "line of stable equilibria": [[-1, -1], [-1, -1]],
    "line of unstable equilibria": [[1, 2], [2, 4]],
    "shear": [[2, -4], [1, -2]],
    "plane of equilibria": [[0, 0], [0, 0]],
}


def test_normal_forms_cover_every_kind():
    assert set(NORMAL_FORMS) == set(equilibria.KINDS)


@pytest.mark.parametrize("kind", equilibria.KINDS)
def test_classify_normal_form_in_any_unit_of_time(kind):
    for unit in (1.0, 1e-9, 1e9):
        assert equilibria.classify(unit * np.array(NORMAL_FORMS[kind], dtype=float)) == kind


@pytest.mark.parametrize("index, kind", list(enumerate(equilibria.KINDS)))
def test_classify_agrees_with_trajectories(index, kind):
    A = equilibria.random_systems(kind, 40, key=jax.random.fold_in(jax.random.key(31), index))
    assert [equilibria.classify(a) for a in A] == [kind] * 40
    assert equilibria.kinds_seen(A) == [kind] * 40


def test_time_reversal_exchanges_stable_and_unstable():
    for kind, form in NORMAL_FORMS.items():
        other = kind.replace("unstable", "?").replace("stable", "unstable").replace("?", "stable")
        assert equilibria.classify(-np.array(form, dtype=float)) == other


def test_watch_measures_the_rates_of_known_systems():
    A = jnp.array([[[-1.0, -1.0], [1.0, -1.0]], [[-2.0, 0.0], [0.0, -1.0]]])  # norms 2 and sqrt 5
    seen = equilibria.watch(A)
    np.testing.assert_allclose(seen.forward[0], -0.5, atol=1e-4)
    np.testing.assert_allclose(seen.turned[0], 50.0, atol=1e-2)
    np.testing.assert_allclose(seen.forward[1], -1 / 5**0.5, atol=1e-4)  # the slow direction wins forwards
    np.testing.assert_allclose(seen.backward[1], 2 / 5**0.5, atol=1e-4)  # and the fast one backwards
    np.testing.assert_allclose(seen.apart[1], np.pi / 2, atol=1e-6)


def test_tolerance_moves_the_border():
    almost = np.array([[-1e-6, -1.0], [1.0, 0.0]])
    assert equilibria.classify(almost) == "stable spiral"
    assert equilibria.classify(almost, tolerance=1e-5) == "center"


def test_stability_counts_as_the_law_of_inertia_says():
    """Signs of the pivots of LDL^T are the signs of the eigenvalues, and no eigenvalue is computed for them."""
    rng = np.random.default_rng(5)
    for _ in range(50):
        S = rng.normal(size=(9, 9))
        _, D, _ = scipy.linalg.ldl(S + S.T)
        signs, i = [], 0
        while i < 9:  # D has blocks of one row and of two; a block of two is always indefinite
            pair = i < 8 and D[i, i + 1] != 0
            assert not pair or np.linalg.det(D[i : i + 2, i : i + 2]) < 0
            signs += [-1, 1] if pair else [np.sign(D[i, i])]
            i += 2 if pair else 1
        assert equilibria.stability(S + S.T) == (signs.count(-1), signs.count(1), 0)


def test_stability_of_blocks_is_the_sum_of_their_kinds():
    A = scipy.linalg.block_diag(*(NORMAL_FORMS[k] for k in ("saddle", "center", "stable spiral", "shear")))
    assert equilibria.stability(A, tolerance=1e-6) == (3, 1, 4)
    turn = scipy.stats.ortho_group.rvs(8, random_state=3)
    assert equilibria.stability(turn @ A @ turn.T, tolerance=1e-6) == (3, 1, 4)


def test_stability_of_minus_a_gram_matrix_has_nothing_unstable():
    J = np.random.default_rng(6).normal(size=(12, 7))
    assert equilibria.stability(-J @ J.T) == (7, 0, 5)


classify, stability, watch = map(inspect.unwrap, (equilibria.classify, equilibria.stability, equilibria.watch))


@pytest.mark.parametrize(
    "call, error, words",
    [  # unwrapped: what a reader sees, for whom nobody checks the annotations first
        (lambda: classify(np.eye(3)), ValueError, "A must have shape 2 x 2, but has shape (3, 3)"),
        (lambda: classify([[1, 0], [0, 1]]), TypeError, "A must be an array"),
        (lambda: classify(np.array([[1.0, np.nan], [0.0, 1.0]])), ValueError, "A must be finite"),
        (lambda: classify(np.eye(2), tolerance=0.0), ValueError, "tolerance must be positive"),
        (lambda: stability(np.ones((2, 3))), ValueError, "A must have shape any x 2, but has shape (2, 3)"),
        (lambda: equilibria.random_systems("centre", 3, key=jax.random.key(0)), ValueError, "did you mean 'center'"),
        (lambda: equilibria.random_systems("center", 0, key=jax.random.key(0)), ValueError, "count must be at least 1"),
        (lambda: watch(np.eye(2)), ValueError, "A must have 3 axes"),
    ],
)
def test_bad_input(call, error, words):
    with pytest.raises(error) as raised:
        call()
    assert words in str(raised.value)
