"""Greedy low-rank learning against reduced-rank regression, truncated matrices, and the flow from tiny starts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from learndyn import deep_linear, greedy_low_rank
from learndyn.flows import gradient_flow

X = jax.random.normal(jax.random.key(0), (30, 5)) * jnp.array([0.4, 0.2, 0.1, 0.3, 0.15])[None]
Y = 2 * X @ jax.random.normal(jax.random.key(1), (5, 4)) + 0.1 * jax.random.normal(jax.random.key(2), (30, 4))
DATA = deep_linear.statistics(X, Y)
COST = deep_linear.cost(DATA)


def best_of_rank(data, rank):
    """The truncation of the regression in the metric of X'X: what no descent has found."""
    values, V = np.linalg.eigh(data.covariance)
    root = V @ np.diag(values**0.5) @ V.T
    U, s, Vt = np.linalg.svd(data.cross @ np.linalg.inv(root), full_matrices=False)
    return U[:, :rank] @ np.diag(s[:rank]) @ Vt[:rank] @ np.linalg.inv(root), s


def test_each_saddle_is_the_best_matrix_of_its_rank():
    found = greedy_low_rank.learn(COST, (4, 5), steps=4)
    assert found.P.shape == (5, 4, 5) and jnp.all(found.residual < 1e-7)
    least = COST(best_of_rank(DATA, 4)[0])
    for rank in range(5):
        P, s = best_of_rank(DATA, rank)
        np.testing.assert_allclose(found.P[rank], P, atol=1e-5)
        np.testing.assert_allclose(found.levels[rank], least + 0.5 * np.sum(s[rank:] ** 2), rtol=1e-8)
    assert jnp.all(jnp.linalg.svd(found.P[2], compute_uv=False)[2:] < 1e-12)


def test_whitened_inputs_are_learned_by_truncation_at_times_one_over_s():
    target = jax.random.normal(jax.random.key(3), (3, 3))
    U, s, Vt = jnp.linalg.svd(target)
    whitened = deep_linear.cost(deep_linear.Statistics(target, jnp.eye(3), jnp.sum(target**2)))
    found = greedy_low_rank.learn(whitened, (3, 3), steps=3)
    for rank in range(4):
        np.testing.assert_allclose(found.P[rank], (U[:, :rank] * s[None, :rank]) @ Vt[:rank], atol=1e-6)
    np.testing.assert_allclose(found.times, jnp.append(0.0, 1 / s), rtol=1e-6)


def test_the_times_are_those_of_the_flow():
    """t_r(alpha) = T_r ln(1/alpha) + const: the slope between two tiny scales is T_r, for inputs that are not whitened."""
    found = greedy_low_rank.learn(COST, (4, 5), steps=3)
    unit = deep_linear.initialize((5, 7, 4), scale=1.0, key=jax.random.key(4))
    loss = lambda params: COST(deep_linear.end_to_end(params))
    halfway, passed = 0.5 * (found.levels[1:] + found.levels[:-1]), []
    scales = (1e-6, 1e-10)
    for scale in scales:
        times = jnp.linspace(0, 1.2 * found.times[-1] * np.log(1 / scale), 6001)
        start = jax.tree.map(lambda W: scale * W, unit)
        levels = gradient_flow(loss, start, times, rtol=1e-9, atol=1e-22).observed
        passed.append([float(jnp.interp(-level, -levels, times)) for level in halfway])
    slopes = (np.array(passed[1]) - passed[0]) / np.log(scales[0] / scales[1])
    np.testing.assert_allclose(slopes, found.times[1:], rtol=1e-2)


@pytest.mark.parametrize("wanted", [2.0, -2.0])
def test_a_new_neuron_pulls_in_the_direction_of_the_force(wanted):
    """With one input and one output nothing can turn: a neuron that is added with the wrong sign dies for ever."""
    found = greedy_low_rank.learn(lambda P: 0.5 * jnp.sum((P - wanted) ** 2), (1, 1), steps=1)
    np.testing.assert_allclose(found.P[1], [[wanted]], rtol=1e-6)


def test_it_stops_where_nothing_is_left():
    target = jnp.outer(jnp.array([1.0, 2.0, 0.0]), jnp.array([0.6, 0.8]))
    one = deep_linear.cost(deep_linear.Statistics(target, jnp.eye(2), jnp.sum(target**2)))
    found = greedy_low_rank.learn(one, (3, 2), steps=2)
    assert len(found.levels) == 2
    np.testing.assert_allclose(found.P[1], target, atol=1e-6)


def test_a_matrix_is_completed_at_the_least_rank():
    hidden = jnp.outer(jnp.array([1.0, -2.0, 0.5, 1.5]), jnp.array([2.0, 1.0, -1.0, 0.5]))
    seen = jnp.ones((4, 4)).at[0, 0].set(0).at[1, 3].set(0).at[2, 1].set(0).at[3, 2].set(0)
    found = greedy_low_rank.learn(lambda P: 0.5 * jnp.sum(seen * (P - hidden) ** 2), (4, 4), steps=4)
    assert len(found.levels) == 2
    np.testing.assert_allclose(found.P[1], hidden, atol=1e-5)


def test_a_flow_that_does_not_come_to_rest_is_an_error():
    with pytest.raises(RuntimeError, match=r"rank 1 has a gradient of .* after 1 rounds"):
        greedy_low_rank.learn(COST, (4, 5), steps=1, rounds=1)
