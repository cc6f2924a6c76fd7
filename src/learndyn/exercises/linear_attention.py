"""Property checks for the exercises of *Linear attention: learning to regress in context*."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import _require as require
from learndyn import linear_attention


def check_floor(answer: Callable) -> None:
    r"""The least loss over all M, as a share of the loss of M = 0, where the covariance is a multiple of the identity.

    The best M is then one, too (the loss is convex and does not change when M is rotated), and the population loss along
    multiples of the identity is a parabola through three of its values.

    Args:
      answer: a function of (d, length) that returns the share, a number between 0 and 1.

    Raises:
      AssertionError: names d, the length, and the two numbers.
    """
    require.callable_("answer", answer)
    for d, length, scale in ((1, 1, 0.5), (1, 7, 2.0), (3, 2, 2.0), (4, 10, 0.5), (4, 40, 1.0)):
        covariance = scale * jnp.eye(d)
        below, here, above = (
            float(linear_attention.population_loss(m * jnp.eye(d), covariance, length)) for m in (-1.0, 0.0, 1.0)
        )
        wanted = 1 - (above - below) ** 2 / (8 * (above + below - 2 * here) * here)
        given = float(answer(d, length))
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
            loss = lambda entries: float(linear_attention.population_loss(jnp.diag(entries), covariance, length))  # noqa: B023
            silent = loss(jnp.zeros(d + 1))
            wanted = [silent - noise / 2]  # the query has no noise
            for axis in jnp.eye(d + 1)[:d]:  # components do not meet: each has a parabola of its own
                above, below = loss(axis) - silent, loss(-axis) - silent
                wanted.append(wanted[-1] - (above - below) ** 2 / (8 * (above + below)))
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
