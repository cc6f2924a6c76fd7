"""Property checks for the exercises of *Downhill, and still unpredictable*."""

from collections.abc import Callable

import numpy as np

from learndyn import _require as require


def check_tangent(answer: Callable) -> None:
    r"""The matrix is symmetric, and maps small displacements as a step of descent does.

    Args:
      answer: a function of (w, a, x, y, rate) that returns the tangent map, 2 x 2, of a step on $\frac12(a\tanh(wx) - y)^2$.

    Raises:
      AssertionError: names the place, the displacement, and what a step does to it.
    """
    require.callable_("answer", answer)
    for w, a, x, y, rate in ((0.3, 0.8, 1.5, -0.4, 0.2), (-1.1, 0.5, 0.7, 1.0, 0.5), (0.9, -1.3, -1.2, 0.3, 0.1)):

        def step(theta):
            hidden = np.tanh(theta[0] * x)
            residual = theta[1] * hidden - y
            return theta - rate * residual * np.array([theta[1] * (1 - hidden**2) * x, hidden])

        given = np.asarray(answer(w, a, x, y, rate), float)
        assert given.shape == (2, 2), f"the tangent map must be 2 x 2, in the order (w, a), but has shape {given.shape}"
        place = f"w = {w:g}, a = {a:g}, x = {x:g}, y = {y:g}, rate {rate:g}"
        assert abs(given[0, 1] - given[1, 0]) < 1e-9, (
            f"{place}: the matrix is not symmetric, {given[0, 1]:.6g} against {given[1, 0]:.6g}. "
            "Hint: it is the identity less the rate times a Hessian"
        )
        for name, v in (("w", np.array([1.0, 0.0])), ("a", np.array([0.0, 1.0]))):
            seen = (step(np.array([w, a]) + 1e-6 * v) - step(np.array([w, a]) - 1e-6 * v)) / 2e-6
            assert np.max(np.abs(given @ v - seen)) < 1e-7, (
                f"{place}: a step carries a displacement in {name} to {np.round(seen, 6)}, your matrix to {np.round(given @ v, 6)}. "
                "Hint: differentiate the residual times each first derivative by the product rule; the residual stays in two entries"
            )
    print("Right: your matrix carries displacements as a step does.")


def check_pair(answer: Callable) -> None:
    """Two symmetric tangent maps: each stretches something, their product nothing.

    Args:
      answer: a function of no argument that returns (H1, H2, rate), two Hessians with a negative eigenvalue each.

    Raises:
      AssertionError: names the property that fails.
    """
    require.callable_("answer", answer)
    first, second, rate = answer()
    maps = []
    for name, H in (("first", first), ("second", second)):
        H = np.asarray(H, float)
        assert H.ndim == 2 and H.shape[0] == H.shape[1] and np.allclose(H, H.T), f"the {name} Hessian must be a symmetric matrix"
        lowest, highest = np.linalg.eigvalsh(H)[[0, -1]]
        assert lowest < -1e-6, f"the {name} Hessian must have a negative eigenvalue, but its smallest is {lowest:.4g}"
        assert rate * highest < 2, (
            f"the {name} Hessian must not be beyond the edge, but rate times its largest eigenvalue is {rate * highest:.4g}. "
            "Hint: the contraction may be strong, at most to zero or with a change of sign"
        )
        maps.append(np.eye(len(H)) - rate * H)
    stretched = np.linalg.norm(maps[1] @ maps[0], 2)
    assert stretched < 1, (
        f"the two steps together must stretch nothing, but stretch something by {stretched:.4g}. "
        "Hint: what one step stretches the other must shrink by more, so let their eigenvectors differ"
    )
    print("Right: each step stretches, and both together shrink everything.")


def check_orbit(answer: Callable) -> None:
    r"""The formula gives the iterates of descent on $\frac14\theta^4 - \frac12\theta^2$ with $\eta = 2$.

    Args:
      answer: a function of (phi, k) that returns $\theta_k$ from $\theta_0 = \sqrt2\cos\varphi$.

    Raises:
      AssertionError: names the start, the step, the iterate and the answer.
    """
    require.callable_("answer", answer)
    for phi in (0.3, 1.0, 2.2, 2.9):
        theta = np.sqrt(2) * np.cos(phi)
        for k in range(11):
            given = float(answer(phi, k))
            assert abs(given - theta) < 1e-6, (
                f"phi = {phi:g}: after {k} steps descent is at {theta:.8f}, the answer is {given:.8f}. "
                "Hint: cos 3a = 4 cos^3 a - 3 cos a, and a change of sign is a shift of the angle by pi"
            )
            theta = 3 * theta - 2 * theta**3
    print("Right: your formula is the orbit, and each step triples the angle.")


def check_volume(answer: Callable) -> None:
    r"""The mean log-volume of a step of the heavy ball on a loss with all kinds of curvature.

    Args:
      answer: a function of (momentum, dimension, rate) that returns the sum of all exponents, per unit of time $\eta k$.

    Raises:
      AssertionError: names the case, the sum by determinants, and the answer.
    """
    require.callable_("answer", answer)
    for momentum, dimension, rate in ((0.9, 1, 0.1), (0.5, 3, 0.05), (0.8, 2, 0.2)):

        def step(state):
            theta, v = state[:dimension], state[dimension:]
            v = momentum * v + theta**3 - theta + np.sin(np.sum(theta))
            return np.concatenate([theta - rate * v, v])

        state, total = np.concatenate([np.linspace(0.2, 0.9, dimension), np.zeros(dimension)]), 0.0
        for _ in range(5):
            # One imaginary displacement a column: the derivative of an analytic map without a difference.
            tangent = np.stack([step(state + 1e-30j * e).imag / 1e-30 for e in np.eye(2 * dimension)], axis=1)
            total += np.linalg.slogdet(tangent)[1]
            state = step(state)
        seen, given = total / (5 * rate), float(answer(momentum, dimension, rate))
        assert abs(given - seen) < 1e-3 * abs(seen), (
            f"momentum {momentum:g}, dimension {dimension}, rate {rate:g}: the determinants of five steps give {seen:.6g} "
            f"per unit of time, the answer is {given:.6g}. Hint: write a step as two shears and one contraction"
        )
    print("Right: the volume does not know the loss.")
