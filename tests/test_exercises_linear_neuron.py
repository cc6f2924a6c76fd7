"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from learndyn import kernels, neuron
from learndyn.exercises import linear_neuron


def ending(a0, w0, target, sign=None):
    delta, s = a0**2 - w0 @ w0, np.linalg.norm(target)
    a = np.sqrt((delta + np.hypot(delta, 2 * s)) / 2)
    a = a * np.sign(a * a0 + target @ w0 / a if sign is None else sign)
    return a, target / a


def test_ending():
    linear_neuron.check_ending(ending)
    with pytest.raises(AssertionError, match="the flow ends in the other one"):  # as if a kept its sign
        linear_neuron.check_ending(lambda a0, w0, target: ending(a0, w0, target, sign=a0 if a0 else 1))
    with pytest.raises(AssertionError, match=r"a\^2 - \|w\|\^2 is off"):  # the balanced one
        linear_neuron.check_ending(lambda a0, w0, target: ending(0.0, 0 * w0, target, sign=1))
    with pytest.raises(AssertionError, match="misses the target"):  # the sign in one factor only
        linear_neuron.check_ending(lambda *start: (-abs(ending(*start)[0]), ending(*start)[1]))
    with pytest.raises(AssertionError, match="w must have shape"):
        linear_neuron.check_ending(lambda a0, w0, target: (1.0, 2.0))


def distances(a, w, frozen=False, forgetful=False):
    a2 = jnp.full_like(a, a[0] ** 2) if frozen else a**2
    K = a2[:, None, None] * (0 if forgetful else 1) * jnp.eye(w.shape[1])[None] + w[:, :, None] * w[:, None, :]
    return jax.vmap(kernels.kernel_distance, in_axes=(0, None))(K, K[0])


def published(a, w):
    d, length = w.shape[1], jnp.linalg.norm(w, axis=1)
    inner = d * a[0] ** 2 * a**2 + a[0] ** 2 * length**2 + a**2 * length[0] ** 2 + (w @ w[0]) ** 2
    later = jnp.sqrt(d * a**4 + 2 * a[0] ** 2 * length**2 + length**4)  # the a of the start
    return 1 - inner / later / later[0]


def test_kernel_distance():
    linear_neuron.check_kernel_distance(distances)
    with pytest.raises(AssertionError, match="it is the published formula"):
        linear_neuron.check_kernel_distance(published)
    with pytest.raises(AssertionError, match="four terms"):  # a never moves
        linear_neuron.check_kernel_distance(lambda a, w: distances(a, w, frozen=True))
    with pytest.raises(AssertionError, match="four terms"):  # without the kernel of the first layer
        linear_neuron.check_kernel_distance(lambda a, w: distances(a, w, forgetful=True))
    with pytest.raises(AssertionError, match="the answer must have shape"):
        linear_neuron.check_kernel_distance(lambda a, w: distances(a, w)[-1:])


def rescaled(times, a0, w0, target, rate_a, rate_w, clock=True, aim=True):
    ra, rw = rate_a**0.5, rate_w**0.5
    c = ra * rw
    times, target = (c**2 * times if clock else times), (target / c if aim else target)
    path = neuron.solve(times, a0 / ra, w0 / rw, jnp.eye(len(w0)), target)
    return ra * path.a, rw * path.w


def test_unequal_rates():
    linear_neuron.check_unequal_rates(rescaled)
    with pytest.raises(AssertionError, match="the target and the clock"):
        linear_neuron.check_unequal_rates(lambda *given: rescaled(*given, clock=False))
    with pytest.raises(AssertionError, match="the target and the clock"):
        linear_neuron.check_unequal_rates(lambda *given: rescaled(*given, aim=False))
    with pytest.raises(AssertionError, match="which multiple"):  # the rates forgotten
        linear_neuron.check_unequal_rates(lambda *given: rescaled(*given[:4], 1.0, 1.0))
    with pytest.raises(AssertionError, match="scaled back"):
        linear_neuron.check_unequal_rates(lambda *given: (2 * rescaled(*given)[0], rescaled(*given)[1]))


def hidden(K, X):
    low, *_, high = jnp.linalg.eigvalsh(X.T @ K @ X)
    return 2 * low - high


def test_hidden_balance():
    linear_neuron.check_hidden_balance(hidden)
    with pytest.raises(AssertionError, match="once; elsewhere it is zero"):  # the zeros outside of the span
        linear_neuron.check_hidden_balance(lambda K, X: 2 * jnp.linalg.eigvalsh(K)[0] - jnp.linalg.eigvalsh(K)[-1])
    with pytest.raises(AssertionError, match="but the neuron has the balance"):  # a^2 minus the largest eigenvalue
        linear_neuron.check_hidden_balance(lambda K, X: jnp.linalg.eigvalsh(X.T @ K @ X)[0] - jnp.max(jnp.linalg.eigvalsh(K)))
