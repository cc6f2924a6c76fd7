"""Property checks for the exercises of *One run through every lens*."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import _require as require


def _two_layers(seed):
    """A small network with its data: W (m, d), A (c, m), X (n, d), y (n, c)."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((3, 4)), rng.standard_normal((2, 3)), rng.standard_normal((7, 4)), rng.standard_normal((7, 2))


def check_balance(answer: Callable) -> None:
    r"""$\delta_k = |a_k|^2 - |w_k|^2$ after one step of descent less $\delta_k$ before, for networks of random numbers.

    Args:
      answer: a function of (W_slope, A_slope, rate), the gradients in the layers (m, d) and (c, m), that returns the
        change of every neuron's balance, (m,).

    Raises:
      AssertionError: names the neuron, the answer, and the change.
    """
    require.callable_("answer", answer)
    for seed, rate in ((1, 0.1), (2, 0.02)):
        W, A, X, y = _two_layers(seed)
        loss = lambda W, A: jnp.sum((jax.nn.relu(X @ W.T) @ A.T - y) ** 2) / (2 * len(X))
        W_slope, A_slope = (np.asarray(g) for g in jax.grad(loss, (0, 1))(W, A))
        balance = lambda W, A: np.sum(A**2, axis=0) - np.sum(W**2, axis=1)
        wanted = balance(W - rate * W_slope, A - rate * A_slope) - balance(W, A)
        given = np.asarray(answer(W_slope, A_slope, rate), dtype=float)
        assert given.shape == wanted.shape, f"the answer must have one number for each neuron, {wanted.shape}, not {given.shape}"
        for k, (ours, theirs) in enumerate(zip(given, wanted)):
            assert abs(ours - theirs) < 1e-4 * np.abs(wanted).max(), (
                f"neuron {k}, rate {rate:g}: its balance changes by {theirs:.6g}, and not by {ours:.6g}. "
                "Hint: the part of first order vanishes, because the neuron can be rescaled; a W has a row for each neuron, an A a column"
            )
    print("Right: the square of the rate, times the difference of two squares.")


def check_drift(answer: Callable) -> None:
    r"""$\eta^2\sum_k|g_k|^2$ of descent in a valley of one curvature, where the bound is attained.

    Args:
      answer: a function of (loss, rate, sharpness) that returns the largest drift of balance that a run from this
        loss can make.

    Raises:
      AssertionError: names the setting, the answer, and what a run makes.
    """
    require.callable_("answer", answer)
    for start, rate, curvature in ((1.0, 0.1, 2.0), (0.5, 0.3, 6.0), (2.0, 1.0, 0.3)):
        x, wanted = start, 0.0
        for _ in range(4000):
            wanted += (rate * curvature * x) ** 2
            x -= rate * curvature * x
        given = float(answer(0.5 * curvature * start**2, rate, curvature))
        assert abs(given - wanted) < 1e-6 * wanted, (
            f"loss {0.5 * curvature * start**2:.4g}, rate {rate:g}, sharpness {curvature:g}: a valley of this curvature makes "
            f"{wanted:.6g}, and not {given:.6g}. Hint: how much does the loss fall at least in a step, in units of rate |g|^2?"
        )
    print("Right: it is finite below the edge, and a valley attains it.")
