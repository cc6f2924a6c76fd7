"""What a constant kernel predicts: the network linearized in its parameters, and its gradient flow in closed form."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


class KernelFlow(NamedTuple):
    """Predictions at each time, and the eigenvalues, largest first, that set their rates."""

    times: Float[Array, " t"]
    train: Float[Array, "t n c"]
    test: Float[Array, "t m c"] | None
    eigenvalues: Float[Array, " k"]


def linearize(f: Callable, params0: PyTree) -> Callable:
    r"""$f^{\mathrm{lin}}(x; \theta) = f(x; \theta_0) + \nabla_\theta f(x; \theta_0)\,(\theta - \theta_0)$.

    One Jacobian-vector product a call; no Jacobian is stored.

    Args:
      f: a model `f(params, X)` of shape (n, c).
      params0: the parameters $\theta_0$ to linearize at.

    Returns:
      `f_lin(params, X)` with the signature of `f`; its error is of second order in $\theta - \theta_0$.

    Raises:
      TypeError, ValueError: if f is no function or params0 is not finite; when called, for parameters of another
        structure or shape than params0.

    Source: Lee et al. (2019).
    """
    require.callable_("f", f)
    require.finite("params0", params0)
    shapes0 = jax.tree.map(jnp.shape, params0)

    def f_lin(params: PyTree, X: Float[Array, "n d"]) -> Float[Array, "n c"]:
        if (shapes := jax.tree.map(jnp.shape, params)) != shapes0:
            raise ValueError(f"params must have the shapes {shapes0} of params0, but have {shapes}")
        displacement = jax.tree.map(jnp.subtract, params, params0)
        value, change = jax.jvp(lambda p: f(p, X), (params0,), (displacement,))
        return value + change

    return f_lin


def kernel_flow(
    K: Float[Array, "k k"],
    y: Float[Array, "n c"],
    f0: Float[Array, "n c"],
    times: Float[Array, " t"],
    *,
    K_test: Float[Array, "l k"] | None = None,
    f0_test: Float[Array, "m c"] | None = None,
) -> KernelFlow:
    r"""$f_t = y + e^{-Kt}(f_0 - y)$ on training points and $f_t(x) = f_0(x) + K(x, X)\, t\varphi_1(-Kt)\,(y - f_0)$.

    The flow of $L = \frac12 \sum (f - y)^2$ (a sum: no 1/n) under a constant kernel, with
    $\varphi_1(z) = (e^z - 1)/z$. Where K is invertible $t\varphi_1(-Kt) = K^{-1}(I - e^{-Kt})$; the form used here
    needs no inverse, and for an eigenvalue of zero, where nothing is learned, it is exactly t.

    Args:
      K: kernel of the training points, symmetric and positive semidefinite: (n, n), acting on every output alike, or
        (n c, n c) with rows ordered (sample, output) as by `empirical_ntk`.
      y: targets, (n, c).
      f0: outputs at time zero, (n, c).
      times: increasing, from zero or later.
      K_test: kernel of test points against training points, (m, n) or (m c, n c) as K.
      f0_test: outputs on the test points at time zero, (m, c). Both or neither.

    Returns:
      `KernelFlow(times, train, test, eigenvalues)`: train (t, n, c), test (t, m, c) or None. Eigenvalues that are
      negative within round-off count as zero.

    Raises:
      ValueError: for shapes that do not fit, values that are not finite, times that do not increase, a K that is not
        symmetric or has a negative eigenvalue beyond round-off. Under `jit` only shapes can be judged.

    Source: Jacot et al. (2018), Lee et al. (2019).
    """
    require.matrix("y", y)
    n, c = y.shape
    require.matrix("f0", f0, rows=n, columns=c)
    require.times("times", times)
    K = symmetric_part("K", K)
    if K.shape[0] not in (n, n * c):
        raise ValueError(f"K must have n = {n} or n c = {n * c} rows for y of shape {y.shape}, but has {K.shape[0]}")
    if (K_test is None) != (f0_test is None):
        given, absent = ("K_test", "f0_test") if f0_test is None else ("f0_test", "K_test")
        raise ValueError(f"K_test and f0_test must be given both or neither, but {given} is given and {absent} is None")
    width = c if K.shape[0] == n else 1  # columns that K acts on alike
    if f0_test is not None:
        require.matrix("f0_test", f0_test, columns=c)
        m = f0_test.shape[0]
        require.matrix("K_test", K_test, rows=m * c // width, columns=K.shape[0])

    rates, modes = jnp.linalg.eigh(K)
    rates = _nonnegative("K", rates)
    r = modes.T @ (f0 - y).reshape(-1, width)  # residual in the eigenbasis, (k, width)
    z = -rates[None, :] * times[:, None]  # (t, k)
    decayed = jnp.exp(z)[:, :, None] * r[None]
    train = y[None] + jnp.einsum("ij,tjc->tic", modes, decayed).reshape(-1, n, c)
    if f0_test is None:
        return KernelFlow(times, train, None, rates[::-1])
    integrated = (times[:, None] * _phi1(z))[:, :, None] * r[None]
    test = f0_test[None] - jnp.einsum("ij,tjc->tic", K_test @ modes, integrated).reshape(-1, m, c)
    return KernelFlow(times, train, test, rates[::-1])


def neural_tangents_time(times: Float[Array, "..."], y: Float[Array, "n c"]) -> Float[Array, "..."]:
    r"""$t_{\mathrm{nt}} = n c\, t$: when neural-tangents is where the flow of $\frac12\sum(f-y)^2$ is at t.

    `nt.predict` follows the mean $\frac{1}{2nc}\sum(f-y)^2$, whose gradient is n c times smaller.

    Args:
      times: times of the flow of the summed loss, any shape.
      y: the training targets, (n, c).
    """
    require.matrix("y", y)
    return y.size * times


def symmetric_part(name: str, K: Float[Array, "..."]) -> Float[Array, "n n"]:
    r"""$(K + K^\top)/2$, after a check that the rest is round-off."""
    require.matrix(name, K)
    require.matrix(name, K, rows=K.shape[0], columns=K.shape[0])
    if not isinstance(K, jax.core.Tracer):
        allowed = _round_off(K) * float(jnp.abs(K).max(initial=0.0))
        if (asymmetry := float(jnp.abs(K - K.T).max(initial=0.0))) > allowed:
            raise ValueError(f"{name} must be symmetric, but differs from its transpose by up to {asymmetry:.3g}")
    return 0.5 * (K + K.T)


def _nonnegative(name: str, eigenvalues: Float[Array, " n"]) -> Float[Array, " n"]:
    if not isinstance(eigenvalues, jax.core.Tracer):
        allowed = _round_off(eigenvalues) * float(jnp.abs(eigenvalues).max(initial=0.0))
        if (smallest := float(eigenvalues.min(initial=0.0))) < -allowed:
            raise ValueError(f"{name} must be positive semidefinite, but has the eigenvalue {smallest:.3g}")
    return jnp.maximum(eigenvalues, 0.0)


def _round_off(A: Float[Array, "..."]) -> float:
    """What n additions in A's precision may leave, with room for a kernel that is itself a long sum."""
    return 100 * A.shape[0] ** 0.5 * float(np.finfo(A.dtype).eps)


def _phi1(z: Float[Array, "..."]) -> Float[Array, "..."]:
    """(exp(z) - 1) / z, and 1 at z = 0, with derivatives there too."""
    at_zero = z == 0
    return jnp.where(at_zero, 1.0, jnp.expm1(z) / jnp.where(at_zero, 1.0, z))
