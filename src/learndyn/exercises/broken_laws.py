"""Property checks for the exercises of *Broken laws*."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from learndyn import _require as require

# Runge-Kutta coefficients (A, b): explicit ones of one to four stages, and two that keep every quadratic law.
_TABLEAUS = {
    "Euler": ([[0.0]], [1.0]),
    "implicit Euler": ([[1.0]], [1.0]),
    "implicit midpoint": ([[0.5]], [1.0]),
    "Heun": ([[0.0, 0.0], [1.0, 0.0]], [0.5, 0.5]),
    "classical": (
        [[0.0, 0.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]],
        [1 / 6, 1 / 3, 1 / 3, 1 / 6],
    ),
    "Gauss, two stages": (
        [[0.25, 0.25 - 3**0.5 / 6], [0.25 + 3**0.5 / 6, 0.25]],
        [0.5, 0.5],
    ),
}


def check_rest(answer: Callable) -> None:
    r"""$\|w\|^2 / a^2$ wherever a pair of layers rests that decay at the rates $\lambda_w$ and $\lambda_a$.

    The loss of a linear neuron with both decays is minimized on random data, for four pairs of rates.

    Args:
      answer: a function of (decay_w, decay_a) that returns a number.

    Raises:
      AssertionError: names the pair of rates and by how much the answer is off.
    """
    require.callable_("answer", answer)
    for seed, (decay_w, decay_a) in enumerate(((0.1, 0.1), (0.4, 0.1), (0.05, 0.3), (0.2, 0.02))):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(9, 3))
        y = X @ np.array([1.0, -2.0, 0.5]) + 0.1 * rng.normal(size=9)

        def loss(z):
            return 0.5 * np.sum((z[0] * (X @ z[1:]) - y) ** 2) + 0.5 * (decay_a * z[0] ** 2 + decay_w * (z[1:] @ z[1:]))

        z = minimize(loss, np.array([1.0, 0.5, -0.8, 0.3]), method="BFGS", options={"gtol": 1e-9}).x
        found, given = (z[1:] @ z[1:]) / z[0] ** 2, float(answer(decay_w, decay_a))
        assert abs(given / found - 1) < 1e-3, (
            f"decay_w = {decay_w}, decay_a = {decay_a}: at rest |w|^2 is {found:.4g} a^2, and the answer is {given:.4g}. "
            "Hint: both gradients vanish, so w.(gradient in w) and a (gradient in a) do; the loss enters both by the "
            "same number"
        )
    print("Right: your ratio is that of the trained layers, for all four pairs of decays.")


def check_length(answer: Callable) -> None:
    r"""$\|\theta_k\|$ for steps on a loss that sees only directions, with a gradient of length $c/\|\theta\|$.

    The loss is c times the angle in a plane, and the steps are taken one by one.

    Args:
      answer: a function of (length, c, learning_rate, steps) that returns the length after the steps.

    Raises:
      AssertionError: names the run and by how much the answer is off.
    """
    require.callable_("answer", answer)
    for length, c, rate, steps in ((1.5, 1.0, 0.1, 0), (2.0, 0.7, 0.2, 300), (1.0, 1.0, 0.1, 20_000), (3.0, 2.0, 0.3, 5_000)):
        point = np.array([length, 0.0])
        for _ in range(steps):
            across = np.array([-point[1], point[0]])
            point = point - rate * c * across / (point @ point)
        found, given = float(np.hypot(*point)), float(answer(length, c, rate, steps))
        where = f"from |theta| = {length} with c = {c}, rate {rate}, after {steps} steps"
        assert abs(given / found - 1) < 0.01, (
            f"{where}: the length is {found:.4g}, and the answer is {given:.4g}. Hint: one step adds rate^2 |g|^2 to the "
            "squared length, and |g| is c over the length; which power of the length then grows evenly?"
        )
    print("Right: your formula follows the steps to one percent.")


def check_trapezoid(answer: Callable) -> None:
    r"""The number that $\theta' = \theta - \frac{\eta}{2}(g + g')$ keeps, from $Q$, $\frac12 g\cdot Bg$ and $\eta$.

    Steps are taken on $\frac12(a\,w\cdot x - 1)^2$, with $Q = \frac12(a^2 - \|w\|^2)$.

    Args:
      answer: a function of (Q, rate, learning_rate), three numbers of one state, that returns a number.

    Raises:
      AssertionError: says by how much the answer changes, and by how much Q itself does.
    """
    require.callable_("answer", answer)
    for rate, z in ((0.1, np.array([1.2, 0.7, -0.4])), (0.3, np.array([0.4, 1.1, 0.5])), (0.5, np.array([-1.0, 0.2, 0.9]))):
        kept, laws = [], []
        for _ in range(12):
            g = _gradient(z)
            laws.append(_law(z))
            kept.append(float(answer(laws[-1], _law(g), rate)))
            after = z
            for _ in range(200):  # a contraction at these rates
                after = z - rate / 2 * (g + _gradient(after))
            z = after
        change = np.ptp(kept)
        assert change < 1e-10, (
            f"at rate {rate} the answer changes by {change:.2g} in 12 steps, and Q by {np.ptp(laws):.2g}. Hint: a step is half "
            "a forward one and half a backward one; what is Q in the middle, seen from either end?"
        )
        assert np.ptp([answer(Q, 0.0, rate) for Q in (-1.0, 0.0, 2.0)]) > 0, "the answer does not depend on Q; a constant is kept by everything"  # fmt: skip
    print("Right: the trapezoidal rule keeps your number, and not Q.")


def check_tableau(answer: Callable) -> None:
    r"""$M$ with $\Delta Q = -\frac12h^2\sum_{ij}M_{ij}\,g_i\cdot Bg_j$ for a Runge-Kutta step with coefficients A, b.

    Steps of six methods are taken on a loss with a rescale symmetry.

    Args:
      answer: a function of (A, b), arrays (s, s) and (s,), that returns a matrix (s, s).

    Raises:
      AssertionError: names the method and the property that fails.
    """
    require.callable_("answer", answer)
    for name, (A, b) in _TABLEAUS.items():
        A, b = np.array(A), np.array(b)
        M = np.asarray(answer(A, b), dtype=float)
        assert M.shape == A.shape, f"{name}: M must have shape {A.shape}, but has shape {M.shape}"
        z, h = np.array([1.2, 0.7, -0.4]), 0.2
        g = np.zeros((len(b), 3))
        for _ in range(300):  # explicit methods are done after s rounds, implicit ones converge
            g = np.stack([_gradient(stage) for stage in z - h * A @ g])
        change = _law(z - h * b @ g) - _law(z)
        products = np.array([[gi @ (_SIGNS * gj) for gj in g] for gi in g])
        said = -0.5 * h**2 * np.sum(M * products)
        assert abs(said - change) < 1e-12, (
            f"{name}: a step changes Q by {change:.3e}, and the answer says {said:.3e}. Hint: the stages enter by "
            "b_i b_j from the square and by 2 b_i a_ij from the constraint at each stage"
        )
        assert np.allclose(M, M.T), f"{name}: M must be symmetric, as the products g_i.B g_j are, but is {M}"
    print("Right: your matrix foretells what six methods do to a law.")


_SIGNS = np.array([1.0, -1.0, -1.0])
_INPUT = np.array([0.9, -0.6])


def _gradient(z):
    """Of (a w.x - 1)^2/2 at z = (a, w)."""
    error = z[0] * (z[1:] @ _INPUT) - 1
    return error * np.append(z[1:] @ _INPUT, z[0] * _INPUT)


def _law(z):
    """(a^2 - |w|^2)/2; of a gradient g it is g.Bg/2."""
    return 0.5 * z @ (_SIGNS * z)
