"""Property checks for the exercises of *The mechanics of a real network*."""

import itertools
from collections.abc import Callable

import numpy as np

from learndyn import _require as require

# (learning_rate, momentum, weight_decay)
SETTINGS = ((0.05, 0.95, 0.2), (0.1, 0.5, 0.4), (0.02, 0.99, 0.01), (0.3, 0.0, 0.1))
TARGET, LOGITS = np.array([0.2, 0.5, 0.3]), np.array([1.0, 2.0, 0.5])


def check_critical_momentum(answer: Callable) -> None:
    r"""$\mu^2 - (1 + \beta - \eta p\lambda)\mu + \beta$ has a double root at the answer, and complex ones just above it.

    Args:
      answer: a function of (learning_rate, weight_decay, degree) that returns $\beta$ between 0 and 1.

    Raises:
      AssertionError: names the settings and what the two roots are there.
    """
    require.callable_("answer", answer)
    for eta, decay, degree in itertools.product((0.01, 0.1, 0.5), (1e-4, 0.02, 0.5), (1, 2)):
        beta = float(answer(eta, decay, degree))
        where = f"learning rate {eta}, weight decay {decay}, degree {degree}: beta = {beta:.6g}"
        assert 0 < beta < 1, f"{where} is not between 0 and 1"
        pull = eta * degree * decay
        discriminant = (1 + beta - pull) ** 2 - 4 * beta
        kind = "swings already" if discriminant < 0 else "creeps still"
        hint = (
            "gamma = omega is the answer for small steps; the recursion has one for all"
            if abs(discriminant) < 0.3 * pull
            else "when is (1 + beta - eta p lambda)^2 = 4 beta? Of the two solutions one is below 1"
        )
        assert abs(discriminant) < 1e-10, (
            f"{where} {kind}: the roots of the recursion differ by {abs(discriminant) ** 0.5:.2g}. Hint: {hint}"
        )
    print("Right: at your momentum the two roots meet, for sums and for squares.")


def check_nesterov(answer: Callable) -> None:
    r"""The sum of the logits of a softmax along Nesterov's descent, at every step.

    That is $v_{k+1} = \beta v_k + g_k + \lambda\theta_k$ and $\theta_{k+1} = \theta_k - \eta(g_k + \lambda\theta_k + \beta
    v_{k+1})$ from $v_0 = 0$.

    Args:
      answer: a function of (start, steps, learning_rate, momentum, weight_decay) that returns the steps + 1 values.

    Raises:
      AssertionError: names the settings, and the step from which on the answer is off.
    """
    require.callable_("answer", answer)
    for eta, beta, decay in SETTINGS:
        z, v, sums = LOGITS, np.zeros(3), [LOGITS.sum()]
        for _ in range(60):
            g = _softmax_gradient(z) + decay * z
            v = beta * v + g
            z = z - eta * (g + beta * v)
            sums.append(z.sum())
        hint = "b . g = 0 for the loss, so b . (g + lambda theta) = lambda Q; it enters twice, in v and in the step"
        _same_course(answer(sums[0], 60, eta, beta, decay), np.array(sums), (eta, beta, decay), hint)
    print("Right: your recursion is the sum of the logits under Nesterov's momentum.")


def check_decoupled(answer: Callable) -> None:
    r"""Q along $v_{k+1} = \beta v_k + g_k$, $\theta_{k+1} = (1-\eta\lambda)\theta_k - \eta v_{k+1}$, for both degrees.

    Args:
      answer: a function of (start, drive, learning_rate, momentum, weight_decay, degree), drive being
        $V_k = \frac12\,v_{k+1}\cdot Bv_{k+1}$ for each step (zeros where the degree is 1), that returns one more value.

    Raises:
      AssertionError: names the settings, and the step from which on the answer is off.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(0)
    X, y, a0, w0 = rng.normal(size=(8, 3)), rng.normal(size=8), 1.5, rng.normal(size=3)
    hint = {
        1: "b . v is zero at the start, and nothing but gradients is added to it",
        2: "D_k = beta C_k; expand Q((1 - eta lambda) theta - eta v), and move the generator along",
    }
    for (eta, beta, decay), degree in itertools.product(SETTINGS, (1, 2)):
        eta = 0.1 * eta if degree == 2 else eta  # the neuron's loss is steeper
        theta = LOGITS if degree == 1 else np.append(a0, w0)
        Q = np.sum if degree == 1 else lambda p: 0.5 * (p[0] ** 2 - p[1:] @ p[1:])
        v, values, drive = 0 * theta, [Q(theta)], []
        for _ in range(60):
            g = _softmax_gradient(theta) if degree == 1 else _neuron_gradient(theta, X, y)
            v = beta * v + g
            theta = (1 - eta * decay) * theta - eta * v
            values.append(Q(theta))
            drive.append(0.0 if degree == 1 else Q(v))
        given = answer(values[0], np.array(drive), eta, beta, decay, degree)
        _same_course(given, np.array(values), (eta, beta, decay), f"degree {degree}: {hint[degree]}")
    print("Right: sums decay and never swing, and your law of squares is exact.")


def check_expected_drift(answer: Callable) -> None:
    r"""The mean of $\frac12 g_B\cdot\Xi g_B$ over all batches of B different samples.

    Args:
      answer: a function of (gradients, signs, size), gradients being (n, p), one row a sample, and signs (p,) the
        diagonal of $\Xi$, that returns a number.

    Raises:
      AssertionError: names the size of the batch and both numbers.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(1)
    G, signs = rng.normal(size=(7, 5)) + 0.5, np.array([1.0, 1.0, 1.0, -1.0, -1.0])
    for size in (7, 1, 2, 3, 5):
        chosen = (G[list(rows)].mean(axis=0) for rows in itertools.combinations(range(7), size))
        true = float(np.mean([0.5 * signs @ g**2 for g in chosen]))
        given = float(answer(G, signs, size))
        hint = (
            "a batch of all samples has no noise: what is left is half of g . Xi g, with g the mean gradient"
            if size == 7
            else "the variance is that of the samples at hand, divided by n and not by n - 1; in the factor n - 1 stands"
        )
        assert abs(given - true) < 1e-10, (
            f"batches of {size} of 7: the answer is {given:.6g}, and the mean over all of them {true:.6g}. Hint: {hint}"
        )
    print("Right: it is the mean over all batches, for every size.")


def _softmax_gradient(z):
    shares = np.exp(z - z.max())
    return shares / shares.sum() - TARGET


def _neuron_gradient(theta, X, y):
    pull = X.T @ (X @ (theta[0] * theta[1:]) - y)
    return np.append(theta[1:] @ pull, theta[0] * pull)


def _same_course(given, true, settings, hint):
    given = np.asarray(given, dtype=float)
    where = "learning rate {:.3g}, momentum {}, weight decay {}".format(*settings)
    assert given.shape == true.shape, f"{where}: the answer must have shape {true.shape}, but has {given.shape}"
    wrong = ~(np.abs(given - true) < 1e-9 * np.max(np.abs(true)))
    assert not wrong.any(), (
        f"{where}: from step {(k := int(np.argmax(wrong)))} on the answer is off, {given[k]:.6g} where {true[k]:.6g} is "
        f"measured. Hint: {hint}"
    )
