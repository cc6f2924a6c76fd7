"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import jax.numpy as jnp
import pytest

from learndyn.exercises import linear_attention as check


def test_floor():
    check.check_floor(lambda d, length: (d + 1) / (length + d + 1))
    with pytest.raises(AssertionError, match="d = 1, N = 1.*trace of the identity"):  # without the fourth moments
        check.check_floor(lambda d, length: d / (length + d))
    with pytest.raises(AssertionError, match="d = 3, N = 2"):  # right for one dimension only
        check.check_floor(lambda d, length: 2 / (length + 2))


def noisy_plateaus(eigenvalues, length, noise):
    trace = jnp.sum(eigenvalues)
    gains = 0.5 * length * eigenvalues**2 / ((length + 1) * eigenvalues + trace + noise)
    return 0.5 * trace - jnp.append(0.0, jnp.cumsum(gains))


def test_noisy_plateaus():
    check.check_noisy_plateaus(noisy_plateaus)
    with pytest.raises(AssertionError, match=r"noise 0.5: plateau 3.*E gg'"):  # noise forgotten
        check.check_noisy_plateaus(lambda e, length, noise: noisy_plateaus(e, length, 0.0))
    with pytest.raises(AssertionError, match="noise 0.5"):  # N times too much
        check.check_noisy_plateaus(lambda e, length, noise: noisy_plateaus(e, length, length * noise))
    with pytest.raises(AssertionError, match="must hold d \\+ 1 = 4 plateaus"):
        check.check_noisy_plateaus(lambda e, length, noise: noisy_plateaus(e, length, noise)[1:])


def best_matrix(covariance, lengths):
    inverse = sum(1 / N for N in lengths) / len(lengths)
    return jnp.linalg.inv((1 + inverse) * covariance + inverse * jnp.trace(covariance) * jnp.eye(len(covariance)))


def test_best_matrix():
    check.check_best_matrix(best_matrix)
    with pytest.raises(AssertionError, match=r"lengths \(2, 50\).*linear in 1/N"):  # the mean length
        check.check_best_matrix(lambda covariance, lengths: best_matrix(covariance, [sum(lengths) / len(lengths)]))
    with pytest.raises(AssertionError, match=r"lengths \(10,\)"):  # least squares
        check.check_best_matrix(lambda covariance, lengths: jnp.linalg.inv(covariance))
    with pytest.raises(AssertionError, match="shape"):
        check.check_best_matrix(lambda covariance, lengths: jnp.eye(2))
