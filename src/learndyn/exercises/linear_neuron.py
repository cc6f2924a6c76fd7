"""Property checks for the exercises of *One linear neuron*."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from learndyn import _require as require
from learndyn import kernels


def check_ending(answer: Callable) -> None:
    r"""$(a_\infty, w_\infty)$ fits the target, has the balance of the start, and is where the flow ends.

    The flow is integrated from starts of both signs of $a$ and all kinds of balance, with $X^\top X = I$.

    Args:
      answer: a function of (a0, w0, target) with w0 and target of shape (d,) that returns a number and a vector (d,).

    Raises:
      AssertionError: names the start and the property that fails.
    """
    require.callable_("answer", answer)
    for a0, w0, target in _starts():
        a, w = answer(a0, w0, target)
        a, w = float(a), np.asarray(w, dtype=float)
        where = f"from a = {a0:.3g}, w = {np.round(w0, 3)} to the target {np.round(target, 3)}"
        assert w.shape == w0.shape, f"{where}: w must have shape {w0.shape}, but has {w.shape}"
        misfit = float(np.max(np.abs(a * w - target)))
        assert misfit < 1e-8, f"{where}: a w misses the target by {misfit:.2g}; every ending is a perfect fit"
        off = float(a**2 - w @ w - (a0**2 - w0 @ w0))
        assert abs(off) < 1e-8, (
            f"{where}: a^2 - |w|^2 is off by {off:.2g} from its value at the start, which the flow conserves. Hint: "
            "a^2 and |w|^2 have a known difference and a known product"
        )
        end = _flow(a0, w0, target, (1.0, 1.0), np.array([60.0]))[0]
        assert np.max(np.abs(end - np.append(a, w))) < 1e-6, (
            f"{where}: the answer {np.round(np.append(a, w), 4)} is a minimum of the right balance, but the flow ends in "
            f"the other one, {np.round(end, 4)}. Hint: which of the two is nearer to the start? The sign of a0 does not tell"
        )
    print("Right: your endings fit, conserve the balance, and are where the flow goes.")


def check_kernel_distance(answer: Callable) -> None:
    r"""$S(0, t) = 1 - \cos(K_0, K_t)$ with $K_t = X(a_t^2 I + w_t w_t^\top)X^\top$ and $X^\top X = I$.

    The kernels are built from gradients of the outputs, and no formula for them is used.

    Args:
      answer: a function of (a, w), a path a (t,) and w (t, d), that returns the t distances from its first state.

    Raises:
      AssertionError: names the path and the property that fails.
    """
    require.callable_("answer", answer)
    for a0, w0, target in _starts():
        times = np.linspace(0, 12, 25)
        path = _flow(a0, w0, target, (1.0, 1.0), times)
        given = np.asarray(answer(jnp.asarray(path[:, 0]), jnp.asarray(path[:, 1:])), dtype=float)
        where = f"on the flow from a = {a0:.3g}, w = {np.round(w0, 3)}"
        assert given.shape == times.shape, f"{where}: the answer must have shape {times.shape}, but has {given.shape}"
        X = np.linalg.qr(np.random.default_rng(5).normal(size=(len(w0) + 3, len(w0))))[0]
        gradients = [np.column_stack([X @ z[1:], z[0] * X]) for z in path]
        K = [jnp.asarray(J @ J.T) for J in gradients]
        true = np.array([kernels.kernel_distance(k, K[0]) for k in K])
        worst = int(np.argmax(np.abs(given - true)))
        published = _published(path)
        hint = (
            "Hint: it is the published formula; look at which times enter the length of the later kernel"
            if np.allclose(given, published, atol=1e-9) and not np.allclose(true, published, atol=1e-9)
            else "Hint: of two matrices a^2 I + w w' the inner product has four terms, and tr I = d"
        )
        assert abs(given[worst] - true[worst]) < 1e-9, (
            f"{where}, at t = {times[worst]:.3g}: the answer is {given[worst]:.6g}, and the kernels of the gradients are "
            f"{true[worst]:.6g} apart. {hint}"
        )
    print("Right: your distances are those of the kernels made from gradients.")


def check_unequal_rates(answer: Callable) -> None:
    r"""$\dot a = -\eta_a\, w \cdot (a w - \beta^*)$, $\dot w = -\eta_w\, a\, (a w - \beta^*)$, at all times asked for.

    Args:
      answer: a function of (times, a0, w0, target, rate_a, rate_w) that returns a (t,) and w (t, d).

    Raises:
      AssertionError: names the property that fails.
    """
    require.callable_("answer", answer)
    times = np.linspace(0, 6, 13)
    for (a0, w0, target), rates in zip(_starts(), ((1.0, 1.0), (4.0, 1.0), (0.5, 0.5), (0.3, 1.7), (2.0, 0.1), (1.2, 0.4))):
        a, w = answer(jnp.asarray(times), a0, jnp.asarray(w0), jnp.asarray(target), *rates)
        given = np.column_stack([np.asarray(a, dtype=float), np.asarray(w, dtype=float)])
        where = f"rates {rates}, from a = {a0:.3g}, w = {np.round(w0, 3)}"
        start = float(np.max(np.abs(given[0] - np.append(a0, w0))))
        assert start < 1e-9, f"{where}: at t = 0 the answer is off by {start:.2g}; are the parameters scaled back?"
        kept = rates[1] * given[:, 0] ** 2 - rates[0] * np.sum(given[:, 1:] ** 2, axis=1)
        change = float(np.max(np.abs(kept - kept[0])))
        assert change < 1e-8, (
            f"{where}: rate_w a^2 - rate_a |w|^2 changes by {change:.2g}, but this flow conserves it. Hint: which multiple of "
            "a moves at unit rate?"
        )
        error = float(np.max(np.abs(given - _flow(a0, w0, target, rates, times))))
        assert error < 1e-7, (
            f"{where}: the answer conserves the balance but is off by {error:.2g} from the integrated flow. Hint: "
            "the target and the clock change, too"
        )
    print("Right: for all pairs of rates your path is the flow.")


def check_hidden_balance(answer: Callable) -> None:
    r"""$\delta = a^2 - \|w\|^2$ from the kernel $K = X(a^2 I + ww^\top)X^\top$ on whitened inputs alone.

    Args:
      answer: a function of (K, X) with K (n, n) and X (n, d), d of at least 2, that returns a number.

    Raises:
      AssertionError: names the kernel and by how much the answer is off.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(6)
    for n, d, a, size in ((2, 2, 1.3, 0.4), (7, 3, 0.2, 1.9), (9, 5, -0.8, 0.8), (12, 4, 0.0, 1.1), (6, 6, 2.0, 0.0)):
        X = np.linalg.qr(rng.normal(size=(n, d)))[0]
        w = rng.normal(size=d)
        w = size * w / np.linalg.norm(w)
        K = X @ (a**2 * np.eye(d) + np.outer(w, w)) @ X.T
        given, true = float(answer(jnp.asarray(K), jnp.asarray(X))), a**2 - size**2
        assert abs(given - true) < 1e-9, (
            f"n = {n}, d = {d}: the answer is {given:.6g}, but the neuron has the balance {true:.6g}. Hint: on the span "
            f"of the inputs K has the eigenvalue a^2 with multiplicity {d - 1} and a^2 + |w|^2 once; elsewhere it is zero"
        )
    print("Right: you can tell the balance from the kernel.")


def _starts():
    """(a0, w0, target): upstream, balanced, downstream, with a0 = 0, and where a must change its sign."""
    return (
        (1.5, np.array([0.3, -0.4, 0.1]), np.array([0.2, 0.9, -0.5])),
        (-1.2, np.array([0.5, 0.2]), np.array([0.0, 1.0])),
        (0.5, np.array([0.3, -0.4]), np.array([1.0, 0.5])),
        (0.4, np.array([-1.5, 0.6, 0.2]), np.array([0.8, 0.1, 0.6])),
        (0.0, np.array([1.0, -0.3]), np.array([-0.7, 0.7])),
        (-0.3, np.array([0.9, 0.8]), np.array([1.1, 0.2])),
    )


def _flow(a0, w0, target, rates, times):
    """The states (t, 1 + d) at the times, by an integrator of order 8."""

    def velocity(t, z):
        v = z[0] * z[1:] - target
        return np.append(-rates[0] * (z[1:] @ v), -rates[1] * z[0] * v)

    run = solve_ivp(
        velocity, (0, times[-1]), np.append(a0, w0), t_eval=times, method="DOP853", rtol=1e-11, atol=1e-13
    )
    return run.y.T


def _published(path):
    """The kernel distance with a of the start in one term of the length of the later kernels."""
    a2, w2, d = path[:, 0] ** 2, np.sum(path[:, 1:] ** 2, axis=1), path.shape[1] - 1
    product = d * a2[0] * a2 + a2[0] * w2 + a2 * w2[0] + (path[:, 1:] @ path[0, 1:]) ** 2
    lengths = (d * a2[0] ** 2 + 2 * a2[0] * w2[0] + w2[0] ** 2) * (d * a2**2 + 2 * a2[0] * w2 + w2**2)
    return 1 - product / np.sqrt(lengths)
