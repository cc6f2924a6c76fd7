"""Property checks for the exercises of *The kernel at the edge*."""

from collections.abc import Callable

import numpy as np

from learndyn import _require as require


def check_alignment(answer: Callable) -> None:
    r"""KTA of a kernel with one large eigenvalue, $m - 1$ equal to one, and the share c in the first eigenvector.

    Kernels with random eigenvectors and a random target of this share are built, and the cosine is computed.

    Args:
      answer: a function of (top, c, m) that returns a number.

    Raises:
      AssertionError: names the kernel and by how much the answer is off.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(0)
    for top, c, m in ((5.0, 0.0, 8), (5.0, 0.3, 8), (1.5, 0.9, 3), (40.0, 0.5, 20)):
        vectors = np.linalg.qr(rng.normal(size=(m, m)))[0]
        K = vectors @ np.diag([top] + [1.0] * (m - 1)) @ vectors.T
        across = vectors[:, 1:] @ rng.normal(size=m - 1)
        y = 3.0 * (c**0.5 * vectors[:, 0] + (1 - c) ** 0.5 * across / np.linalg.norm(across))
        found, given = y @ K @ y / (np.linalg.norm(K) * (y @ y)), float(answer(top, c, m))
        assert abs(given - found) < 1e-9, (
            f"top = {top}, c = {c}, m = {m}: the KTA of such a kernel is {found:.6f}, and the answer is {given:.6f}. "
            "Hint: the norm of a kernel is that of its list of eigenvalues, and the shares sum to one"
        )
    print("Right: your formula is the cosine between kernel and target, for all four kernels.")


def check_final_alignment(answer: Callable) -> None:
    r"""KTA of a neuron with whitened inputs, $a \|w\| = s$, where its sharpness is $2/\eta$, upstream.

    Kernels of neurons are formed for a grid of output weights, and the one at the edge is looked up.

    Args:
      answer: a function of (rate, s, d) that returns a number.

    Raises:
      AssertionError: names the neuron and by how much the answer is off.
    """
    require.callable_("answer", answer)
    for rate, s, d in ((0.5, 1.0, 10), (0.9, 1.0, 4), (0.2, 3.0, 25)):
        direction = np.eye(d)[0]
        low, high = s**0.5, 2 / rate**0.5  # the sharpness rises with a between them, through the edge
        for _ in range(60):
            a = 0.5 * (low + high)
            K = a**2 * np.eye(d) + (s / a) ** 2 * np.outer(direction, direction)
            low, high = (low, a) if np.linalg.eigvalsh(K)[-1] > 2 / rate else (a, high)
        found, given = direction @ K @ direction / np.linalg.norm(K), float(answer(rate, s, d))
        assert abs(given - found) < 1e-7, (
            f"rate = {rate}, s = {s}, d = {d}: the kernel of the neuron at the edge has the KTA {found:.6f}, and the answer "
            f"is {given:.6f}. Hint: of the two roots for a^2, upstream is the larger"
        )
    print("Right: your alignment is that of the kernel whose sharpness is 2/rate, for all three neurons.")


def check_parts(answer: Callable) -> None:
    r"""$K = A\,S + ff^\top/A + E$ of a two-layer linear network, with E from the part of W across a.

    Args:
      answer: a function of (W, a, X) that returns three matrices, for W (h, d), a (h,) and X (n, d).

    Raises:
      AssertionError: names the property that fails.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(1)
    W, a, X = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=(5, 3))
    K = X @ (a @ a * np.eye(3) + W.T @ W) @ X.T
    inputs, target, rest = (np.asarray(part) for part in answer(W, a, X))
    assert np.allclose(inputs + target + rest, K), (
        f"the three parts must sum to the kernel, but differ by up to {np.abs(inputs + target + rest - K).max():.3g}"
    )
    f = X @ W.T @ a
    assert np.allclose(target * (a @ a), np.outer(f, f)), "the second part must be f f' / |a|^2 with f the outputs X W' a"
    assert np.allclose(inputs, a @ a * X @ X.T), "the first part must be |a|^2 X X'"
    print("Right: inputs, outputs, and rest, and together the kernel.")
