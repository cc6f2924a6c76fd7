"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.optimize

from learndyn.exercises import stability

NAMES = ["saddle", "stable spiral", "stable degenerate node", "saddle", "center"]


def test_portraits():
    names = NAMES.copy()
    names[3] = "line of stable equilibria"
    stability.check_portraits(names)
    with pytest.raises(AssertionError, match=r"system 4 is not a saddle"):
        stability.check_portraits(NAMES)
    names[2] = "stable node"  # looked at the signs only
    with pytest.raises(AssertionError, match=r"system 3 is not a stable node"):
        stability.check_portraits(names)
    with pytest.raises(ValueError, match="answer must be one of"):
        stability.check_portraits(["focus"] * 5)
    with pytest.raises(ValueError, match="5 names, but holds 1"):
        stability.check_portraits(["saddle"])


def test_jordan():
    stability.check_jordan(lambda mu, b, t: np.exp(mu * t) * np.array([[1, b * t], [0, 1]]))
    with pytest.raises(AssertionError, match="differs from A times"):
        stability.check_jordan(lambda mu, b, t: np.exp(mu * t) * np.array([[1, np.exp(b * t) - 1], [0, 1]]))
    with pytest.raises(AssertionError, match="differs from A times"):  # as if A were diagonal
        stability.check_jordan(lambda mu, b, t: np.exp(mu * t) * np.eye(2))
    with pytest.raises(AssertionError, match="identity"):
        stability.check_jordan(lambda mu, b, t: np.exp(mu * t) * np.array([[1, b], [0, 1]]))


def time_below(K, r0, epsilon, rate=2.0, slack=1e-12):
    eigenvalues, vectors = np.linalg.eigh(K)
    eigenvalues = np.where(eigenvalues < slack * eigenvalues[-1], 0.0, eigenvalues)
    energy = 0.5 * (vectors.T @ r0) ** 2
    loss = lambda t: float(energy @ np.exp(-rate * eigenvalues * t))
    if loss(0.0) <= epsilon:
        return 0.0
    if epsilon <= np.sum(energy[eigenvalues == 0]):
        return np.inf
    high = 1.0
    while loss(high) > epsilon:
        high *= 2
    return scipy.optimize.brentq(lambda t: loss(t) - epsilon, 0.0, high, xtol=1e-12, rtol=1e-12)


def test_time_below():
    stability.check_time_below(time_below)
    with pytest.raises(AssertionError, match="the loss is"):  # the loss decays twice as fast as the residual
        stability.check_time_below(lambda K, r0, epsilon: time_below(K, r0, epsilon, rate=1.0))
    with pytest.raises(AssertionError, match="the time is infinite"):  # rounding errors taken for eigenvalues
        stability.check_time_below(lambda K, r0, e: min(time_below(K, r0, e), 1e18))
    with pytest.raises(AssertionError, match="so the time is 0"):
        stability.check_time_below(lambda K, r0, e: np.log(np.sum(r0**2) / 2 / e) / np.trace(K))


def test_plateau():
    x = jnp.asarray([[1.0, 2.0], [0.3, -1.0], [1.0, 2.0]])
    stability.check_plateau(x, jnp.asarray([[1.0], [0.5], [-1.0]]))
    with pytest.raises(AssertionError, match="the targets do not use it"):
        stability.check_plateau(x, jnp.asarray([[1.0], [0.5], [1.0]]))
    with pytest.raises(AssertionError, match="every direction is learnable"):  # dependent inputs are not enough
        stability.check_plateau(jnp.asarray([[1.0, 0.0], [-1.0, 0.0], [2.0, 0.0]]), jnp.asarray([[1.0], [1.0], [0.0]]))
    with pytest.raises(ValueError, match="X must hold 2 to 50 inputs"):
        stability.check_plateau(jnp.ones((51, 2)), jnp.ones((51, 1)))
