"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import numpy as np
import pytest
from scipy.optimize import root

from learndyn.exercises import implicit_bias as check


def test_one_sample(capsys):
    large, small = np.array([1.0, 2.0, 2.0]) / 3, np.array([0.0, 0.75, 0.75])
    check.check_one_sample(large, small)
    assert "Right" in capsys.readouterr().out
    with pytest.raises(AssertionError, match="small does not fit"):
        check.check_one_sample(large, np.array([0.0, 1.5, 1.5]))
    with pytest.raises(AssertionError, match="part .* that the sample does not see"):
        check.check_one_sample(np.array([0.6, 0.6, 0.6]), small)
    with pytest.raises(AssertionError, match="l1 norm 1.667, but 1.5"):
        check.check_one_sample(large, large)
    with pytest.raises(AssertionError, match="one of many"):
        check.check_one_sample(large, np.array([0.0, 1.5, 0.0]))
    with pytest.raises(ValueError, match="three coefficients"):
        check.check_one_sample(large[:2], small)


def end(X, y, u0, v0, product=lambda u, v: u * v, tilt=lambda u, v: np.log(u / v)):
    beta = lambda nu: 2 * product(u0, v0) * np.sinh(tilt(u0, v0) + X.T @ nu)
    return beta(root(lambda nu: X @ beta(nu) - y, np.zeros(len(y)), tol=1e-12).x)


def test_any_start():
    check.check_any_start(end)
    with pytest.raises(AssertionError, match="unequal starts.* outside"):  # as if the function were zero at the start
        check.check_any_start(lambda X, y, u, v: end(X, y, u, v, tilt=lambda u, v: 0 * u))
    with pytest.raises(AssertionError, match="unequal starts.* outside"):  # one scale for all
        check.check_any_start(lambda X, y, u, v: end(X, y, u, v, product=lambda u, v: np.mean(u * v)))
    with pytest.raises(AssertionError, match="outside"):
        check.check_any_start(lambda X, y, u, v: np.linalg.pinv(X) @ y)
    with pytest.raises(AssertionError, match="does not fit"):
        check.check_any_start(lambda X, y, u, v: u**2 - v**2)


def deep(G, scale, depth, rate=1.0, power=1.0):
    p, z = power * depth / (depth - 2), -rate * depth * (depth - 2) * scale ** (depth - 2) * G
    return scale**depth * ((1 - z) ** -p - (1 + z) ** -p)


def test_deep_image():
    check.check_deep_image(deep)
    with pytest.raises(AssertionError, match="depth 3, alpha = 0.5"):
        check.check_deep_image(lambda *a: deep(*a, rate=0.5))
    with pytest.raises(AssertionError, match="integrating gives"):
        check.check_deep_image(lambda *a: deep(*a, power=0.5))
    with pytest.raises(AssertionError, match="integrating gives"):  # the formula for depth two
        check.check_deep_image(lambda G, scale, depth: 2 * scale**depth * np.sinh(-depth * 2 * G))
    with pytest.raises(AssertionError, match="zero function"):
        check.check_deep_image(lambda G, scale, depth: scale**depth)
