"""Equilibria of linear systems ẋ = Ax: what the matrix A says about them.

What their trajectories do, found without any eigenvalue, is in `learndyn.portraits`, and can be reached from here.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Num

from learndyn import _require as require
from learndyn.portraits import KINDS, Watched, kinds_seen, random_systems, watch

__all__ = ["KINDS", "Dimensions", "Watched", "classify", "kinds_seen", "random_systems", "stability", "watch"]


def classify(A: Num[np.ndarray | Array, "2 2"], *, tolerance: float = 1e-9) -> str:
    r"""The kind of $\dot x = Ax$ from $\tau = \operatorname{tr} A$, $\Delta = \det A$ and $D = \tau^2 - 4 \Delta$.

    Signs are judged after A is divided by its Frobenius norm, so the answer does not depend on the unit of time:
    $\tau$, $\Delta$ and $D$ count as zero within `tolerance`. The eigenvalues are $(\tau \pm \sqrt D)/2$, hence two
    eigenvalues closer than about $\sqrt{\text{tolerance}}$ count as equal. Kinds on the borders (centers, stars,
    degenerate nodes, lines of equilibria) occupy no area of the plane of $\tau$ and $\Delta$: measured numbers
    fall on a border only within a tolerance, whose choice is the caller's.

    Args:
      A: the matrix of the system.
      tolerance: below what a dimensionless number is zero; the default suits exact matrices in double precision.

    Returns:
      One of `KINDS`. A node, star, degenerate node or spiral is a sink when stable and a source when unstable.

    Raises:
      ValueError, TypeError: A is not a finite 2 x 2 matrix, or the tolerance is not positive.

    Source: Strogatz (2018), chapter 5.
    """
    require.matrix("A", A, rows=2, columns=2)
    require.positive("tolerance", tolerance)
    A = np.asarray(A, dtype=float)
    size = np.linalg.norm(A)
    if size == 0:
        return "plane of equilibria"
    A = A / size
    trace, determinant = _sign(A[0, 0] + A[1, 1], tolerance), np.linalg.det(A)
    # (a - d)^2 + 4bc equals tau^2 - 4 Delta without the cancellation of two nearly equal numbers
    discriminant = _sign((A[0, 0] - A[1, 1]) ** 2 + 4 * A[0, 1] * A[1, 0], tolerance)
    determinant = _sign(determinant, tolerance)
    if determinant < 0:
        return "saddle"
    if determinant == 0:
        return {-1: "line of stable equilibria", 1: "line of unstable equilibria", 0: "shear"}[trace]
    if trace == 0:
        return "center"
    side = "stable" if trace < 0 else "unstable"
    if discriminant < 0:
        return f"{side} spiral"
    if discriminant > 0:
        return f"{side} node"
    shape = A - np.trace(A) / 2 * np.eye(2)  # nilpotent; zero for a star. Its square is of the order of D.
    return f"{side} star" if np.linalg.norm(shape) <= tolerance**0.5 else f"{side} degenerate node"


def _sign(value: float, tolerance: float) -> int:
    return 0 if abs(value) <= tolerance else int(np.sign(value))


class Dimensions(NamedTuple):
    """How many directions decay, grow, and do neither."""

    stable: int
    unstable: int
    center: int


def stability(A: Num[np.ndarray | Array, "n n"], *, tolerance: float = 1e-9) -> Dimensions:
    r"""Dimensions of the stable, unstable and center subspaces: eigenvalues with $\Re\mu < 0$, $> 0$, $= 0$.

    Args:
      A: the matrix of $\dot x = Ax$. A symmetric one (exactly) is treated by a symmetric solver.
      tolerance: real parts within tolerance times the largest $|\mu|$ count as zero.

    Returns:
      `Dimensions`; they add up to n, multiplicities counted.

    Raises:
      ValueError, TypeError: A is not a finite square matrix, or the tolerance is not positive.
    """
    require.array("A", A, ndim=2)
    require.matrix("A", A, columns=A.shape[0])
    require.positive("tolerance", tolerance)
    A = np.asarray(A, dtype=float)
    eigenvalues = np.linalg.eigvalsh(A) if np.array_equal(A, A.T) else np.linalg.eigvals(A)
    small = tolerance * np.max(np.abs(eigenvalues), initial=0.0)
    stable, unstable = int(np.sum(eigenvalues.real < -small)), int(np.sum(eigenvalues.real > small))
    return Dimensions(stable, unstable, len(A) - stable - unstable)
