"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import numpy as np
import pytest

from learndyn.exercises import relu as check


def test_angle_at():
    right = lambda angle, speed, time: 2 * np.arctan(np.exp(-speed * time) * np.tan(angle / 2))
    check.check_angle_at(right)
    with pytest.raises(AssertionError, match="not .g. angle"):  # linear decay of the angle
        check.check_angle_at(lambda angle, speed, time: angle * np.exp(-speed * time))
    with pytest.raises(AssertionError, match="angle 1, speed 1"):  # the rate of the norm squared
        check.check_angle_at(lambda angle, speed, time: right(angle, 2 * speed, time))


def test_dead_share():
    right = lambda x: 0.5 - (np.arctan(np.max(x)) - np.arctan(np.min(x))) / (2 * np.pi)
    check.check_dead_share(right)
    with pytest.raises(AssertionError, match="one sample shuts half"):  # independent samples
        check.check_dead_share(lambda x: 0.5 ** (len(x) + 1))
    with pytest.raises(AssertionError, match="which two of the half circles"):  # the first and the last in the list
        check.check_dead_share(lambda x: 0.5 - abs(np.arctan(x[-1]) - np.arctan(x[0])) / (2 * np.pi))


def resting(X, r, sign, inside=True, wall=True, positive=True):
    walls = np.arctan2(X[:, 1], X[:, 0]) + np.pi / 2
    walls = np.sort(np.append(walls, walls + np.pi) % (2 * np.pi))
    after = np.append(walls[1:], walls[0] + 2 * np.pi)
    unit = lambda a: np.stack([np.cos(a), np.sin(a)], axis=-1)
    g = sign * ((unit((walls + after) / 2) @ X.T > 0) * r) @ X / len(r)
    goal = walls + (np.arctan2(g[:, 1], g[:, 0]) - walls) % (2 * np.pi)
    turn = unit(walls + np.pi / 2)
    stuck = (np.sum(np.roll(g, 1, axis=0) * turn, axis=1) > 0) & (np.sum(g * turn, axis=1) < 0)
    stuck &= (np.sum(g * unit(walls), axis=1) > 0) | (not positive)
    keep = (np.linalg.norm(g, axis=1) > 1e-12) & (goal < after)
    return np.concatenate([goal[keep] if inside else [], walls[stuck] if wall else []]) % (2 * np.pi)


def test_resting():
    check.check_resting(resting)
    with pytest.raises(AssertionError, match="not in the answer.*wall of a sample"):
        check.check_resting(lambda *args: resting(*args, wall=False))
    with pytest.raises(AssertionError, match="not in the answer.*in a sector"):
        check.check_resting(lambda *args: resting(*args, inside=False))
    with pytest.raises(AssertionError, match="no maximum above zero"):  # places where neurons rest and shrink
        check.check_resting(lambda *args: resting(*args, positive=False))
    with pytest.raises(AssertionError, match="sign -1"):  # the sign forgotten
        check.check_resting(lambda X, r, sign: resting(X, r, 1))
