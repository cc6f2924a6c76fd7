"""Property checks for the exercises of *Alternating gradient flows: waiting and jumping*."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from learndyn import _require as require
from learndyn import pesme_flammarion


def check_best_utility(answer: Callable) -> None:
    r"""No unit vector has a larger $g\,\theta_1 \cdots \theta_\kappa$, and climbing it ends there.

    Args:
      answer: a function of (g, degree) that returns the largest normalized utility.

    Raises:
      AssertionError: names the case, the answer, and what climbing finds.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(5)
    for g, degree in ((1.0, 2), (-0.7, 2), (2.0, 3), (-1.5, 4), (0.3, 6)):
        found, given = _climb(g, degree, rng), float(answer(g, degree))
        assert abs(given / found - 1) < 1e-6, (
            f"g = {g:g}, degree {degree}: climbing from 20 unit vectors ends at the utility {found:.6g}, the answer is {given:.6g}. "
            "Hint: " + ("a negative g is as good as a positive one" if g < 0 else "the squares of the numbers add up to one")
        )
    print("Right: no direction has a larger utility than you say.")


def check_jump_time(answer: Callable) -> None:
    r"""The time at which a solver of $\frac{d}{dt}|\theta| = \kappa|\theta|^{\kappa-1}\hat U$ reaches norm one.

    Args:
      answer: a function of (norm, degree, utility) that returns the time.

    Raises:
      AssertionError: names the case and the two times.
    """
    require.callable_("answer", answer)
    for norm, degree, utility in ((0.1, 2, 0.5), (1e-3, 2, 2.0), (0.1, 2.5, 1.0), (0.05, 3, 0.3), (0.2, 4, 1.2)):
        def reached(t, x):
            return x[0]

        reached.terminal = True
        # in the logarithm of the norm, and on a clock that shows how far a utility of one would have come
        rate = lambda t, x, degree=degree, utility=utility: degree * utility * np.exp((degree - 2) * x)
        end = 10 * norm ** (2 - degree) * (1 - np.log(norm)) / utility
        solution = solve_ivp(rate, (0, end), [np.log(norm)], events=reached, rtol=1e-10, atol=1e-12)
        wanted, given = float(solution.t_events[0][0]), float(answer(norm, degree, utility))
        assert abs(given / wanted - 1) < 1e-6, (
            f"norm {norm:g}, degree {degree:g}, utility {utility:g}: a solver reaches norm one at {wanted:.6g}, the answer is "
            f"{given:.6g}. Hint: " + ("the log-norm grows at the rate 2U" if degree == 2 else "differentiate |theta|^(2 - degree)")
        )
    print("Right: your neuron has norm one when the solver's has.")


def check_returns(answer: Callable) -> None:
    r"""Whether the coordinate that jumps first returns at the second jump, on problems solved by `pesme_flammarion`.

    Args:
      answer: a function of (S, b), the covariance matrix (2, 2) of the inputs and their covariances with the target,
        that returns a truth value.

    Raises:
      AssertionError: shows the problem and what the coefficients do.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(9)
    for _ in range(40):
        mixing = rng.normal(size=(2, 2)) + np.array([[1.5, 1.5], [0.0, 0.0]])
        S, truth = mixing.T @ mixing, rng.normal(size=2)
        X = np.sqrt(2) * mixing
        found = pesme_flammarion.saddles(jnp.asarray(X), jnp.asarray(X @ truth))
        first = int(np.argmax(found.jumped[0]))
        wanted, given = bool(found.returned[1, first]), bool(answer(S, S @ truth))
        steps = np.round(np.asarray(found.coefficients[:3, first]), 3).tolist()
        assert given == wanted, (
            f"S = {np.round(S, 3).tolist()}, b = {np.round(S @ truth, 3).tolist()}: the coefficient of the first to jump goes "
            f"{steps}, so returns must be {wanted}, but is {given}. Hint: which sign does it have in the least squares solution?"
        )
    print("Right: you know who will be thrown out.")


def _climb(g, degree, rng):
    """The largest utility that projected ascent finds from 20 random unit vectors."""
    theta = rng.normal(size=(20, degree))
    theta /= np.linalg.norm(theta, axis=1, keepdims=True)
    for _ in range(3000):
        others = np.stack([np.prod(np.delete(theta, k, axis=1), axis=1) for k in range(degree)], axis=1)
        theta = theta + 0.5 * np.sign(g) * others
        theta /= np.linalg.norm(theta, axis=1, keepdims=True)
    return float(np.max(g * np.prod(theta, axis=1)))
