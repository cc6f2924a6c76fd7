"""Property checks for the exercises of *Two forecasts of one storm*."""

from collections.abc import Callable

import numpy as np

from learndyn import _require as require


def check_linear(answer: Callable) -> None:
    r"""Powers of a matrix stretch their i-th volume at the rate of the first i answers.

    Args:
      answer: a function of a square matrix A that returns the exponents of $x \mapsto Ax$, in descending order.

    Raises:
      AssertionError: names the matrix, the answer, and the rates measured on its powers.
    """
    require.callable_("answer", answer)
    turn = 0.9 * np.array([[0.6, -0.8], [0.8, 0.6]])
    matrices = {
        "the cat map": np.array([[2.0, 1.0], [1.0, 1.0]]),
        "a matrix far from normal": np.array([[0.5, 50.0], [0.0, -1.5]]),
        "a rotation that shrinks": turn,
        "three dimensions": np.array([[0.3, 4.0, 1.0], [0.0, 2.0, 7.0], [0.0, 0.0, -0.9]]),
    }
    for name, A in matrices.items():
        given = np.asarray(answer(A), dtype=float)
        assert given.shape == (len(A),), f"{name}: {len(A)} exponents are needed, but the answer has shape {given.shape}"
        seen = _rates(np.broadcast_to(A, (240, *A.shape)), skip=120)
        assert np.all(np.abs(given - seen) < 1e-3), (
            f"{name}: the volumes grow at the rates {np.round(seen, 4)}, the answer is {np.round(given, 4)}. "
            "Hint: over many steps a vector along an eigenvector grows like |eigenvalue|^t, whatever the angles between them; "
            "singular values of one step only bound this"
        )
    print("Right: powers of the matrix stretch at your rates.")


def check_dimension(answer: Callable) -> None:
    r"""The growth rate of D-volumes, linear between whole numbers, is zero at the answer.

    Args:
      answer: a function of an array of exponents that returns the Kaplan-Yorke dimension.

    Raises:
      AssertionError: names the exponents, the answer, and the rate at which volumes of that dimension grow.
    """
    require.callable_("answer", answer)
    cases = [(0.9056, 0.0, -14.572), (0.4192, -1.6232), (0.3, 0.2, -0.1, -0.2, -5.0), (-14.572, 0.9056, 0.0)]
    for exponents in cases:
        given = float(answer(np.array(exponents)))
        ordered = np.sort(exponents)[::-1]
        assert 0 <= given <= len(ordered), f"{exponents}: a dimension lies between 0 and {len(ordered)}, but the answer is {given:.6g}"
        rate = np.interp(given, np.arange(len(ordered) + 1), np.concatenate([[0.0], np.cumsum(ordered)]))
        assert given > 0.5 and abs(rate) < 1e-9, (
            f"{exponents}: volumes of dimension {given:.6g} grow at the rate {rate:.4g}, and not zero. "
            "Hint: sum the exponents in descending order, up to the last sum that is not negative; divide by the modulus of the next"
        )
    for exponents, expected in (((-1.0, -2.0), 0.0), ((1.0, -0.5), 2.0), ((0.2, 0.1), 2.0)):
        given = float(answer(np.array(exponents)))
        assert given == expected, (
            f"{exponents}: nothing that is not a point survives, or all of the space, so the dimension is {expected:g}, "
            f"but the answer is {given:.6g}. Hint: the first sum may be negative already, and the last need not be"
        )
    print("Right: volumes of your dimension neither grow nor shrink.")


def check_benettin(answer: Callable) -> None:
    r"""Exponents of long products: right where they are known, in exact sum, and finite.

    Args:
      answer: a function of Jacobians (t, n, n), the first applied first, that returns n finite-time exponents per step.

    Raises:
      AssertionError: names the product, the answer, and what the exponents are.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(5)
    diagonal = rng.uniform(0.5, 1.0, (2000, 3)) * np.array([6.0, 1.5, 0.1])
    upper = np.triu(rng.standard_normal((2000, 3, 3)), 1) + diagonal[:, :, None] * np.eye(3)
    dense = rng.standard_normal((1000, 4, 4))
    turned = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    for name, J in (
        ("triangular matrices in turned coordinates", turned @ upper @ turned.T),
        ("random matrices", dense),
        ("random matrices, three steps", dense[:3]),
    ):
        given = np.asarray(answer(J), dtype=float)
        n = J.shape[1]
        assert given.shape == (n,), f"{name}: {n} exponents are needed, but the answer has shape {given.shape}"
        assert np.all(np.isfinite(given)), f"{name}: the answer is {given}. Hint: the product overflows; take logarithms after each QR"
        volume = float(np.mean(np.linalg.slogdet(J)[1]))
        assert abs(given.sum() - volume) < 1e-9, (
            f"{name}: the logarithm of the volume grows by {volume:.6f} a step, but the answer sums to {given.sum():.6f}. "
            "Hint: take |R_ii|, and divide by the number of steps"
        )
        if len(J) > 3:
            seen = np.log(diagonal).mean(axis=0) if n == 3 else _rates(J)
            assert np.all(np.abs(given - seen) < 0.02), (
                f"{name}: the exponents are {np.round(seen, 3)}, the answer is {np.round(given, 3)}. "
                "Hint: decompose J_t Q_t, with the Q of the step before, and not J_t alone"
            )
    print("Right: volumes of every dimension grow at your rates.")


def check_covariant(answer: Callable) -> None:
    r"""The vectors are of unit length and are carried into each other, and not all of them are orthogonal.

    Args:
      answer: a function of (Q, R), Q of shape (t, n, n) and R with $J_t Q_t = Q_{t+1} R_t$ in `R[t]`, that returns V of shape
        (t, n, n), covariant vectors in the columns.

    Raises:
      AssertionError: names the property that fails, and by how much.
    """
    require.callable_("answer", answer)
    J, Q, R = _record(np.random.default_rng(8), 400, 3)
    V = np.asarray(answer(Q, R), dtype=float)
    assert V.shape == Q.shape, f"V must have the shape {Q.shape} of Q, but has shape {V.shape}"
    assert np.all(np.isfinite(V)), "V is not finite. Hint: normalize the columns of C at each step backward"
    off = float(np.abs(np.linalg.norm(V, axis=1) - 1).max())
    assert off < 1e-9, f"columns of V must be unit vectors, but a norm is off by {off:.2e}. Hint: columns of C have norm one, rows do not"
    image = (J[:-1] @ V[:-1])[100:-100]
    image = image / np.linalg.norm(image, axis=1, keepdims=True)
    ahead = V[1:][100:-100]
    along = np.sum(image * ahead, axis=1, keepdims=True)
    residual = np.linalg.norm(image - along * ahead, axis=1).max(axis=0)
    assert residual.max() < 1e-8, (
        f"J v(t) and v(t+1) must be parallel, but the largest residuals of the three vectors are {residual[0]:.1e}, {residual[1]:.1e}, "
        f"{residual[2]:.1e}. Hint: the R between times t and t + 1 is R[t] here; solve R[t] C(t) = C(t + 1), and V = Q C"
    )
    independent = np.abs(np.linalg.det(V[100:-100])).min()
    assert independent > 1e-9, (
        f"the vectors of one time must be independent, but a determinant is {independent:.1e}. "
        "Hint: C is upper triangular, and begins with no zero on its diagonal"
    )
    print("Right: each of your vectors is carried into itself.")


def _record(rng, steps, n):
    """Jacobians with distinct exponents, and the record of their QR decompositions."""
    J = np.exp(-np.arange(n)) * (np.eye(n) + 0.5 * rng.standard_normal((steps, n, n)))
    Q, R = [np.eye(n)], []
    for derivative in J:
        following, triangle = np.linalg.qr(derivative @ Q[-1])
        Q.append(following)
        R.append(triangle)
    return J, np.array(Q[:-1]), np.array(R)


def _rates(J, skip=0):
    """Mean growth of the logarithms of nested volumes, by Gram and Schmidt, past a transient."""
    n = J.shape[1]
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))[0]
    total = np.zeros(n)
    for t, derivative in enumerate(J):
        frame = derivative @ frame
        for i in range(n):
            for j in range(i):
                frame[:, i] -= (frame[:, j] @ frame[:, i]) * frame[:, j]
            length = np.linalg.norm(frame[:, i])
            frame[:, i] /= length
            total[i] += np.log(length) * (t >= skip)
    return total / (len(J) - skip)
