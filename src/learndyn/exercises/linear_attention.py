"""Property checks for the exercises of *Linear attention: learning to regress in context*."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import _require as require
from learndyn import linear_attention


def check_floor(answer: Callable) -> None:
    r"""The least loss over all M, as a share of the loss of M = 0, where the covariance is a multiple of the identity.

    The least loss is found by Newton's method on the population loss, which is quadratic.

    Args:
      answer: a function of (d, length) that returns the share, a number between 0 and 1.

    Raises:
      AssertionError: names d, the length, and the two numbers.
    """
    require.callable_("answer", answer)
    for d, length in ((1, 1), (1, 7), (3, 2), (4, 10), (5, 40)):
        for scale in (0.5, 2.0):
            covariance = scale * jnp.eye(d)
            loss = lambda z: linear_attention.population_loss(z.reshape(d, d), covariance, length)  # noqa: B023
            zero = jnp.zeros(d * d)
            least = loss(-jnp.linalg.solve(jax.hessian(loss)(zero), jax.grad(loss)(zero)))
            wanted, given = float(least / loss(zero)), float(answer(d, length))
            assert abs(given - wanted) < 1e-9, (
                f"d = {d}, N = {length}: the least loss is {wanted:.6g} of the loss at M = 0, the answer is {given:.6g}. "
                "Hint: the trace of the identity is d"
            )
    print("Right: no matrix M leaves less.")


def check_noisy_plateaus(answer: Callable) -> None:
    r"""Plateaus for $y_j = \beta\cdot x_j + \varepsilon_j$, where $\varepsilon\sim\mathcal N(0,\sigma^2)$ and the query's answer is clean.

    Noise is one more input, of variance $\sigma^2$ and with a $\beta$ of its own, that the query does not have and the
    heads do not read: it has the same second moments. So the formula without noise judges the one with it.

    Args:
      answer: a function of (eigenvalues, length, noise) that returns the d + 1 plateaus; noise is the variance.

    Raises:
      AssertionError: names the case, the plateau, and the two numbers.
    """
    require.callable_("answer", answer)
    for spectrum, length in (((3.0, 1.5, 0.7), 10), ((2.0, 0.1), 3)):
        spectrum = jnp.array(spectrum)
        for noise in (0.0, 0.5, 4.0):
            d = len(spectrum)
            covariance = jnp.diag(jnp.append(spectrum, noise))
            loss = lambda z: linear_attention.population_loss(jnp.diag(jnp.append(z, 0.0)), covariance, length)  # noqa: B023
            zero = jnp.zeros(d)
            best = -jax.grad(loss)(zero) / jnp.diag(jax.hessian(loss)(zero))
            wanted = [float(loss(jnp.where(jnp.arange(d) < m, best, 0.0)) - noise / 2) for m in range(d + 1)]
            given = np.asarray(answer(spectrum, length, noise), dtype=float)
            assert given.shape == (d + 1,), f"the answer must hold d + 1 = {d + 1} plateaus, but has shape {given.shape}"
            worst = int(np.argmax(np.abs(given - wanted)))
            assert abs(given[worst] - wanted[worst]) < 1e-9, (
                f"eigenvalues {spectrum}, N = {length}, noise {noise}: plateau {worst} is {wanted[worst]:.6g}, the answer is "
                f"{given[worst]:.6g}. Hint: only E gg' changes, by N times the variance of the noise times the covariance"
            )
    print("Right: your plateaus are the least losses with m components, noise included.")


def check_best_matrix(answer: Callable) -> None:
    r"""The best M for contexts of several lengths, where the layer takes the mean of $y_jx_j$ instead of the sum.

    The gradient of the mean loss, by automatic differentiation of the population loss, must vanish.

    Args:
      answer: a function of (covariance, lengths) that returns M (d, d); all lengths are equally likely.

    Raises:
      AssertionError: names the lengths and the size of the gradient.
    """
    require.callable_("answer", answer)
    root = jax.random.normal(jax.random.key(13), (3, 3))
    covariance = root @ root.T + 0.1 * jnp.eye(3)
    for lengths in ((10,), (2, 50), (1, 5, 30)):
        M = jnp.asarray(answer(covariance, lengths), float)
        assert M.shape == (3, 3), f"the answer must have shape (3, 3), but has {M.shape}"
        mean = lambda M: sum(linear_attention.population_loss(M / N, covariance, N) for N in lengths) / len(lengths)  # noqa: B023
        slope = float(jnp.linalg.norm(jax.grad(mean)(M)))
        assert slope < 1e-9 * float(jnp.linalg.norm(jax.grad(mean)(jnp.zeros((3, 3))))), (
            f"lengths {lengths}: the gradient of the mean loss at the answer has norm {slope:.3g}, not 0. Hint: the loss is "
            "linear in 1/N"
        )
    print("Right: the gradient of the mean loss vanishes at your M.")
