"""Property checks for the exercises of *Leaving the lazy regime*."""

from collections.abc import Callable

import numpy as np

from learndyn import _require as require


def check_saved(answer: Callable) -> None:
    r"""The share of operations that a handover saves, counted piece by piece.

    Args:
      answer: a function of (epochs, handed over after, samples, validation, checks, probes, parameters, ridges,
        operations of one gradient).

    Raises:
      AssertionError: names the case, the answer, and the count.
    """
    require.callable_("answer", answer)
    for case in ((32, 8, 256, 128, 4, 64, 700, 5, 3e4), (10, 0, 50, 0, 0, 0, 100, 1, 1e3), (20, 10, 4000, 500, 5, 64, 2000, 3, 1e5)):
        epochs, after, samples, validation, checks, probes, parameters, ridges, operations = case
        spent = sum(samples * operations for _ in range(after))
        spent += sum(probes * operations for _ in range(checks)) + (samples + validation) * operations
        spent += sum(2 * samples * parameters for _ in range(samples)) + ridges * samples**3 / 3
        right = 1 - spent / (epochs * samples * operations)
        given = float(answer(*case))
        assert abs(given - right) < 1e-9, (
            f"{after} of {epochs} epochs on {samples} samples: the share is {given:.6g}, and counted it is {right:.6g}. "
            "Hint: epochs, checks, derivatives, kernel and factorizations all cost; a share below zero is a loss"
        )
    print("Right: your share is what is left after every piece is paid.")


def check_path_length(answer: Callable) -> None:
    r"""On a known circle of kernels the length converges to the angle over $\sqrt2$, whatever the sizes.

    Args:
      answer: a function of a sequence of kernels (T, n, n) that returns the sum of the roots of the kernel distances.

    Raises:
      AssertionError: names the number of checks, the answer, and the length.
    """
    require.callable_("answer", answer)
    A, B = np.diag([1.0, 1.0, 0.0]) / 2**0.5, np.diag([0.0, 0.0, 1.0])
    for pieces in (1, 10, 1000):
        angle = np.linspace(0, 1.2, pieces + 1)
        kernels = [(1 + t) * (np.cos(t) * A + np.sin(t) * B) for t in angle]
        right = pieces * 2**0.5 * np.sin(0.6 / pieces)  # chords of a circle, over root two
        given = float(answer(kernels))
        assert abs(given - right) < 1e-9, (
            f"{pieces} pieces of a turn by 1.2: the length is {given:.6g}, and the chords over root two are {right:.6g}. "
            "Hint: S = 1 - cos is half the square of the chord between kernels of norm one; take the root before you add"
        )
    print("Right: the roots add up to the length of the kernel's path.")


def check_damped(answer: Callable) -> None:
    r"""The gradient of $\tfrac12|r + J\delta|^2 + \tfrac12\gamma|\delta|^2$ vanishes at the answer.

    Args:
      answer: a function of J (n, p), the residual r (n,) and $\gamma$ that returns $\delta$, (p,).

    Raises:
      AssertionError: names the shape, the ridge, and what is left of the gradient.
    """
    require.callable_("answer", answer)
    random = np.random.default_rng(0)
    for n, p in ((5, 12), (12, 5), (6, 6)):
        J, r = random.normal(size=(n, p)), random.normal(size=n)
        for gamma in (1e-3, 1.0, 50.0):
            delta = np.asarray(answer(J, r, gamma), float)
            assert delta.shape == (p,), f"J of shape {(n, p)}: the step has shape {delta.shape}, and {p} weights need ({p},)"
            left = np.linalg.norm(J.T @ (r + J @ delta) + gamma * delta)
            assert left < 1e-8, (
                f"J of shape {(n, p)}, ridge {gamma}: the gradient is {left:.3g} at the step and should vanish. "
                "Hint: r = f - y, so the step must lower r + J delta"
            )
    print("Right: at your step the damped loss has no slope.")
