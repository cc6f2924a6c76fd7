"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import numpy as np
import pytest

from learndyn.exercises import mechanics as check


def test_critical_momentum(capsys):
    check.check_critical_momentum(lambda eta, decay, p: (1 - (eta * p * decay) ** 0.5) ** 2)
    assert "Right" in capsys.readouterr().out

    def for_small_steps(eta, decay, p):  # gamma = omega
        c = 2 * p * decay * eta
        return 1 + c / 2 - (2 * c + c**2 / 4) ** 0.5

    with pytest.raises(AssertionError, match="differ by .* small steps"):
        check.check_critical_momentum(for_small_steps)
    with pytest.raises(AssertionError, match="degree 2.*creeps still"):  # the degree forgotten: for squares too large
        check.check_critical_momentum(lambda eta, decay, p: (1 - (eta * decay) ** 0.5) ** 2 if p == 1 else 0.3)
    with pytest.raises(AssertionError, match="degree 2.*swings already"):
        check.check_critical_momentum(lambda eta, decay, p: (1 - (eta * decay) ** 0.5) ** 2)
    with pytest.raises(AssertionError, match="not between 0 and 1"):
        check.check_critical_momentum(lambda eta, decay, p: (1 + (eta * p * decay) ** 0.5) ** 2)


def nesterov(start, steps, eta, beta, decay, ahead=True):
    Q, C = [start], 0.0
    for _ in range(steps):
        C = beta * C + decay * Q[-1]
        Q.append(Q[-1] - eta * (decay * Q[-1] + beta * C if ahead else C))
    return np.array(Q)


def test_nesterov():
    check.check_nesterov(nesterov)
    with pytest.raises(AssertionError, match="momentum 0.95.*from step 1 on"):  # the heavy ball
        check.check_nesterov(lambda *a: nesterov(*a, ahead=False))
    with pytest.raises(AssertionError, match=r"shape \(61,\)"):
        check.check_nesterov(lambda *a: nesterov(*a)[1:])


def decoupled(start, drive, eta, beta, decay, degree, shrunk=True, moved=True):
    s, Q, C = 1 - eta * decay, [start], 0.0
    for V in drive:
        D = beta * C
        Q.append(s**degree * Q[-1] - s ** (degree - 1) * eta * D + eta**2 * V)
        C = (s if degree == 2 and shrunk else 1) * D - (2 * eta * V if moved else 0)
    return np.array(Q)


def test_decoupled():
    check.check_decoupled(decoupled)
    with pytest.raises(AssertionError, match="degree 2"):  # the generator shrinks with the parameters
        check.check_decoupled(lambda *a: decoupled(*a, shrunk=False))
    with pytest.raises(AssertionError, match="degree 2"):
        check.check_decoupled(lambda *a: decoupled(*a, moved=False))

    def coupled(start, drive, eta, beta, decay, degree):
        Q, C = [start], 0.0
        for V in drive:
            D = beta * C + degree * decay * Q[-1]
            Q.append(Q[-1] - eta * D + eta**2 * V)
            C = D - 2 * eta * V
        return np.array(Q)

    with pytest.raises(AssertionError, match="degree 1: b . v is zero"):
        check.check_decoupled(coupled)


def drift(G, signs, size, unbiased=0, finite=True):
    n = len(G)
    factor = (n - size) / (size * (n - 1)) if finite else 1 / size
    return 0.5 * signs @ (G.mean(axis=0) ** 2 + factor * G.var(axis=0, ddof=unbiased))


def test_expected_drift():
    check.check_expected_drift(drift)
    with pytest.raises(AssertionError, match="batches of 7 of 7.*no noise"):  # with replacement
        check.check_expected_drift(lambda *a: drift(*a, finite=False))
    with pytest.raises(AssertionError, match="batches of 1 of 7.*n - 1"):
        check.check_expected_drift(lambda *a: drift(*a, unbiased=1))
