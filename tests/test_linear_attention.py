"""Linear attention: Gaussian moments against samples, the made-up sample against the formula, waiting against solvers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from learndyn import agf, vanishing
from learndyn import linear_attention as attention

SPECTRUM = jnp.array([3.0, 1.5, 0.7, 0.3])
N = 10


def rotated(spectrum=SPECTRUM, seed=3):
    Q = jnp.linalg.qr(jax.random.normal(jax.random.key(seed), (len(spectrum), len(spectrum))))[0]
    return (Q * spectrum[None]) @ Q.T


def draw(count, scale, seed=0):
    heads = jax.random.normal(jax.random.key(seed), (count, 9))
    return scale * heads / jnp.linalg.norm(heads, axis=1, keepdims=True)


def test_contexts_have_the_covariance_and_one_task_each():
    S = rotated()
    drawn = attention.contexts(S, 6, 40_000, key=jax.random.key(1))
    assert jnp.max(jnp.abs(jnp.einsum("njd,nje->de", drawn.inputs, drawn.inputs) / 240_000 - S)) < 0.03
    tasks = jnp.linalg.lstsq  # six examples of four numbers determine the task, and with it the answer
    for i in range(3):
        beta = tasks(drawn.inputs[i], drawn.values[i])[0]
        assert jnp.allclose(drawn.query[i] @ beta, drawn.answer[i, 0])
    other = attention.contexts(S, 6, 2, key=jax.random.key(2))
    assert not jnp.allclose(other.query, drawn.query[:2])


def test_a_head_is_attention_without_softmax():
    drawn = attention.contexts(rotated(), N, 5, key=jax.random.key(1))
    theta = draw(1, 1.0)[0]
    v, k, q = theta[0], theta[1:5], theta[5:]
    for i, out in enumerate(attention.head(theta, attention.summary(drawn))):
        scores = (drawn.inputs[i] @ k) * (drawn.query[i] @ q)
        assert jnp.allclose(out[0], jnp.sum(v * drawn.values[i] * scores))


def test_all_heads_are_one_matrix():
    drawn = attention.contexts(rotated(), N, 5, key=jax.random.key(1))
    heads, X = draw(3, 1.0), attention.summary(drawn)
    whole = jnp.sum(agf.outputs(attention.head, heads, X), axis=0)[:, 0]
    assert jnp.allclose(whole, jnp.einsum("nd,de,ne->n", drawn.query, attention.matrix(heads), X[:, :4]))


@pytest.mark.parametrize("length", [1, 3, 10])
def test_population_loss_is_the_mean_over_contexts(length):
    S = rotated()
    M = attention.matrix(draw(3, 2.0))  # large, so that the term quadratic in M is most of the loss
    drawn = attention.contexts(S, length, 200_000, key=jax.random.key(length))
    g = attention.summary(drawn)[:, :4]
    losses = 0.5 * (jnp.einsum("nd,de,ne->n", drawn.query, M, g) - drawn.answer[:, 0]) ** 2
    error = jnp.std(losses) / len(losses) ** 0.5
    exact = attention.population_loss(M, S, length)
    assert error < 0.02 * exact
    assert abs(jnp.mean(losses) - exact) < 4 * error


@pytest.mark.parametrize("length", [1, 10])
def test_the_made_up_sample_has_the_population_loss(length):
    S = rotated()
    sample = attention.exact_sample(S, length)
    loss = agf.loss(attention.head, sample.X, sample.y)
    for seed in range(3):
        heads = draw(5, 1.0, seed)
        exact = attention.population_loss(attention.matrix(heads), S, length)
        assert jnp.allclose(loss(heads) + sample.floor, exact, rtol=1e-12)


def test_plateaus():
    found = attention.plateaus(SPECTRUM, N)
    np.testing.assert_allclose(found, [2.75, 1.5812, 1.0698, 0.8842, 0.8331], atol=5e-5)
    # each is a minimum over matrices that act on the first m components
    for m in range(5):
        first = jnp.arange(4) < m
        inside = lambda M: attention.population_loss(jnp.where(jnp.outer(first, first), M, 0), jnp.diag(SPECTRUM), N)
        H = jax.hessian(lambda z: inside(z.reshape(4, 4)))(jnp.zeros(16))
        b = jax.grad(lambda z: inside(z.reshape(4, 4)))(jnp.zeros(16))
        best = inside((-jnp.linalg.pinv(H) @ b).reshape(4, 4))
        assert jnp.allclose(best, found[m], atol=1e-12)
    sample = attention.exact_sample(rotated(), N)
    assert jnp.allclose(sample.floor, found[-1])


def test_greatest_utility_and_jump_time():
    sample = attention.exact_sample(jnp.diag(SPECTRUM), N)
    for i, eigenvalue in enumerate(SPECTRUM):
        axis = jnp.eye(4)[i]
        best = jnp.concatenate([jnp.ones(1), axis, axis]) / 3**0.5
        utility = agf.utilities(attention.head, best[None], sample.X, sample.y)[0]
        assert jnp.allclose(utility, N * eigenvalue**2 / 27**0.5, rtol=1e-12)
        time = attention.jump_time(eigenvalue, N, 1e-3)
        assert jnp.allclose(time, (1e3 - 1) / (3 * utility), rtol=1e-12)
        assert jnp.allclose(time, attention.escape_time(1e-3 * best, SPECTRUM, N), rtol=1e-9)
    others = agf.utilities(attention.head, draw(200, 1.0), sample.X, sample.y)
    assert jnp.max(others) < N * 9 / 27**0.5


def test_mode_time_is_that_of_the_flow():
    """Aligned heads, one for each component: the share of the strength at the time that the formula gives."""
    shares = jnp.array([0.2, 0.5, 0.9])
    sample = attention.exact_sample(jnp.diag(SPECTRUM), N)
    heads = 0.05 / 3**0.5 * jnp.concatenate([jnp.ones((4, 1)), jnp.eye(4), jnp.eye(4)], axis=1)
    for i in (0, 3):
        times = attention.mode_time(shares, 0.05, SPECTRUM[i], N, jnp.sum(SPECTRUM))
        path = vanishing.gradient_flow(attention.head, sample.X, sample.y, heads, times, degree=3, tolerance=1e-10)
        learned = jnp.prod(path.neurons[:, i][:, jnp.array([0, 1 + i, 5 + i])], axis=1)
        strength = 1 / ((N + 1) * SPECTRUM[i] + jnp.sum(SPECTRUM))
        np.testing.assert_allclose(learned / strength, shares, rtol=1e-5)


def solver(theta, spectrum, radius):
    """The dormant flow itself, on a clock on which it does not blow up."""
    c, d = N * np.asarray(spectrum) ** 2, len(spectrum)

    def velocity(_, state):
        v, k, q = state[0], state[1 : 1 + d], state[1 + d : 1 + 2 * d]
        slow = 1 / (1e-3 + np.linalg.norm(state[:-1]))
        return slow * np.concatenate([[np.sum(c * k * q)], v * c * q, v * c * k, [1.0]])

    arrived = lambda _, state: np.log(np.linalg.norm(state[:-1]) / radius)
    arrived.terminal = True
    run = solve_ivp(velocity, (0, 100), [*theta, 0.0], events=arrived, rtol=1e-11, atol=1e-14, method="DOP853")
    assert run.t_events[0].size
    return run.y_events[0][0, -1]


@pytest.mark.parametrize("seed", range(4))
def test_escape_time_is_that_of_a_solver(seed):
    """Some of these heads first lose: their particle runs uphill and turns."""
    for theta in np.asarray(draw(6, 0.05, seed)):
        expected = solver(theta, SPECTRUM, 1.0)
        assert abs(attention.escape_time(theta, SPECTRUM, N) / expected - 1) < 1e-7
    theta = np.asarray(draw(1, 0.05, seed))[0]
    learned = np.array([0.0, 1.5, 0.7, 0.3])  # nothing to gain from the first component any more
    assert abs(attention.escape_time(theta, learned, N) / solver(theta, learned, 1.0) - 1) < 1e-7


def test_some_heads_turn_and_some_never_leave():
    uphill = np.array([0.1, 0.5, 0, 0, 0, -0.5, 0.1, 0, 0]) * 0.05
    assert abs(attention.escape_time(uphill, SPECTRUM, N) / solver(uphill, SPECTRUM, 1.0) - 1) < 1e-7
    assert attention.escape_time(np.array([0.1] + [0.0] * 8), SPECTRUM, N) == np.inf
    assert attention.escape_time(uphill, np.zeros(4), N) == np.inf
    # exactly downhill to the top: v = |k|, k = -q; both fade for ever
    assert attention.escape_time(np.array([0.2, 0.1, 0, 0, 0, -0.1, 0, 0, 0]), SPECTRUM, N) == np.inf


def test_the_first_jump_of_alternating_flows_is_the_first_escape():
    sample = attention.exact_sample(jnp.diag(SPECTRUM), N)
    heads = draw(3, 1e-3, 2)
    stairs = agf.staircase(attention.head, sample.X, sample.y, heads, degree=3, max_jumps=1)
    first = min(attention.escape_time(theta, SPECTRUM, N) for theta in np.asarray(heads))
    assert abs(float(stairs.times[0]) / first - 1) < 1e-7
