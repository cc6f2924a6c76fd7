"""Property checks for the exercises of *ReLU: two thousand neurons, three directions*."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

from learndyn import _require as require


def check_angle_at(answer: Callable) -> None:
    r"""The angle to g of a solution of $\dot w = |w|\,g$, in two dimensions, which knows nothing of angles.

    Args:
      answer: a function of (angle, speed, time) that returns the angle.

    Raises:
      AssertionError: names the case and the two angles.
    """
    require.callable_("answer", answer)
    for angle, speed, time in ((1.0, 1.0, 1.0), (0.3, 2.0, 0.7), (2.9, 0.5, 4.0), (3.1, 1.5, 3.0)):
        pull = np.array([speed, 0.0])
        start = [np.cos(angle), np.sin(angle)]
        solution = solve_ivp(lambda t, w, pull=pull: np.linalg.norm(w) * pull, (0, time), start, rtol=1e-10, atol=1e-13)
        wanted = float(np.arctan2(solution.y[1, -1], solution.y[0, -1]))
        given = float(answer(angle, speed, time))
        assert abs(given - wanted) < 1e-6, (
            f"angle {angle:g}, speed {speed:g}, time {time:g}: a solver ends at the angle {wanted:.6g}, the answer is {given:.6g}. "
            "Hint: " + ("the speed is |g| sin(angle), not |g| angle" if angle < 2 else "the tangent of half the angle decays")
        )
    print("Right: your neuron turns as the solver's does.")


def check_dead_share(answer: Callable) -> None:
    r"""The share of all directions that are shut for every sample, counted on a fine grid.

    Args:
      answer: a function of the inputs (n,) that returns the share.

    Raises:
      AssertionError: shows the inputs and the two shares.
    """
    require.callable_("answer", answer)
    angles = (np.arange(200_000) + 0.5) * (2 * np.pi / 200_000)
    for x in ([0.0], [-1.0, 1.0], [0.2, 0.1, 0.5], [-3.0, -2.0, 5.0, 0.3]):
        heights = np.outer(np.cos(angles), x) + np.sin(angles)[:, None]
        wanted, given = float(np.mean(np.all(heights < 0, axis=1))), float(answer(np.array(x)))
        assert abs(given - wanted) < 1e-4, (
            f"x = {x}: of all directions the share {wanted:.5f} is shut for every sample, the answer is {given:.5f}. "
            "Hint: " + ("one sample shuts half of the circle" if len(x) == 1 else "which two of the half circles matter?")
        )
    print("Right: you count the dead before they are born.")


def check_resting(answer: Callable) -> None:
    r"""The maxima of $s\sum_i r_i\,\mathrm{relu}(w\cdot x_i)$ above zero, by a grid on the circle.

    Args:
      answer: a function of (X, r, sign), inputs (n, 2) and residuals (n,), that returns the angles.

    Raises:
      AssertionError: shows the data, and the angle that is missing or should not be there.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(3)
    angles = (np.arange(20_000) + 0.5) * (2 * np.pi / 20_000)
    w = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for n in (3, 4, 5, 6, 6, 7, 8, 8):
        X, r = np.stack([rng.normal(size=n), np.ones(n)], axis=1), rng.normal(size=n)
        for sign in (1, -1):
            u = sign * np.maximum(w @ X.T, 0) @ r / n
            peaks = angles[(u > np.roll(u, 1)) & (u > np.roll(u, -1)) & (u > 1e-6)]
            given = np.asarray(answer(X, r, sign), float).reshape(-1)
            case = f"x = {np.round(X[:, 0], 3).tolist()}, r = {np.round(r, 3).tolist()}, sign {sign:+d}: "
            for peak in peaks:
                missing = _apart(given, peak)
                assert missing < 2e-3, (
                    case + f"the utility has a maximum at the angle {peak:.4f}, which is not in the answer "
                    f"{np.round(given, 4).tolist()}. Hint: " + _where(X, peak)
                )
            for angle in given:
                assert _apart(peaks, angle) < 2e-3, (
                    case + f"the answer has the angle {angle:.4f}, where the utility has no maximum above zero. "
                    "Hint: is the goal in its own sector, and the utility positive?"
                )
    print("Right: your list has all places of rest, and no other.")


def _apart(angles, angle):
    """The distance on the circle to the nearest."""
    return min((abs((a - angle + np.pi) % (2 * np.pi) - np.pi) for a in angles), default=np.inf)


def _where(X, angle):
    on_wall = np.min(np.abs(X @ [np.cos(angle), np.sin(angle)]) / np.linalg.norm(X, axis=1)) < 1e-3
    return "it lies on the wall of a sample" if on_wall else "it lies in a sector, where the sum of the open samples points"
