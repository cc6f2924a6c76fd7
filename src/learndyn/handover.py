r"""Handover: train a network until its kernel is slow, then let the linearized network finish in one solve.

Around the parameters $\theta_s$ of the handover the network is $f^{\mathrm{lin}} = f + J\,\delta$ with
$\delta = \theta - \theta_s$ and the derivatives $J$. All that training would do to it is one linear system in
$K = JJ^\top$. Its solution is where training would have ended if the kernel had not moved any more.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


class Finish(NamedTuple):
    r"""The linearized network, solved for every ridge.

    Attributes:
      displacement: $\delta$ of each ridge, in the order of `jax.flatten_util.ravel_pytree`.
      train: its outputs on the training points.
      other: its outputs on the other points.
      ridges: $\lambda$ in absolute size.
      kernel: $K = JJ^\top$ of the training points.
    """

    displacement: Float[Array, "ridges p"]
    train: Float[Array, "ridges n c"]
    other: Float[Array, "ridges m c"]
    ridges: Float[Array, " ridges"]
    kernel: Float[Array, "rows rows"]


def jacobian(f: Callable, params: PyTree, X: Float[Array, "n d"]) -> Float[Array, "rows p"]:
    r"""$J = \partial f(X;\theta)/\partial\theta$, rows ordered (sample, output), one sample at a time.

    It costs one gradient for every sample and output.

    Args:
      f: a model `f(params, X)` of shape (n, c).
      params: $\theta$.
      X: inputs, (n, d).

    Returns:
      (n c, p); $JJ^\top$ is `kernels.empirical_ntk(f)(params, X)`.

    Raises:
      TypeError, ValueError: for bad arguments.
    """
    require.callable_("f", f)
    require.finite("params", params)
    require.matrix("X", X)
    flat, unravel = ravel_pytree(params)
    of_sample = lambda theta, x: f(unravel(theta), x[None])[0]
    rows = jax.vmap(jax.jacrev(of_sample), in_axes=(None, 0))(flat, X)
    return rows.reshape(-1, flat.size)


def solve(
    f: Callable,
    params: PyTree,
    X: Float[Array, "n d"],
    y: Float[Array, "n c"],
    X_other: Float[Array, "m d"],
    *,
    ridges: Float[Array, " ridges"],
) -> Finish:
    r"""$\delta_\lambda = \arg\min \tfrac12\|f + J\delta - y\|^2 + \tfrac12\lambda\|\delta\|^2 = J^\top(K + \lambda)^{-1}(y - f)$.

    One Jacobian and one factorization for each ridge. As $\lambda \to 0$ it is where gradient flow of the linearized
    network ends; a ridge stands for stopping it at a time of about $1/\lambda$. A step to $\theta + \delta_\lambda$ is
    a step of Gauss, Newton, Levenberg and Marquardt.

    Args:
      f: a model `f(params, X)`.
      params: where to linearize.
      X, y: what is to be fitted.
      X_other: where else the outputs are wanted.
      ridges: $\lambda$ as multiples of the mean eigenvalue $\operatorname{tr}K/(nc)$; positive.

    Returns:
      `Finish`.

    Raises:
      TypeError, ValueError: for bad arguments.
    """
    require.matrix("y", y, rows=X.shape[0] if getattr(X, "ndim", 0) == 2 else None)
    require.matrix("X_other", X_other)
    require.array("ridges", ridges, ndim=1)
    if not isinstance(ridges, jax.core.Tracer) and not (np.asarray(ridges) > 0).all():  # numpy: also while tracing the rest
        raise ValueError(f"ridges must be positive, but the smallest is {np.min(np.asarray(ridges)):g}")
    everywhere = jnp.concatenate([X, X_other])  # one Jacobian, one program
    both, values = jacobian(f, params, everywhere), f(params, everywhere)
    J, f0 = both[: y.size], values[: X.shape[0]]
    K = J @ J.T
    absolute = ridges * jnp.trace(K) / K.shape[0]
    identity = jnp.eye(K.shape[0], dtype=K.dtype)
    one = lambda ridge: jax.scipy.linalg.solve(K + ridge * identity, (y - f0).ravel(), assume_a="pos")
    displacement = jax.vmap(one)(absolute) @ J
    solved = values[None] + (displacement @ both.T).reshape(-1, *values.shape)
    return Finish(displacement, solved[:, : X.shape[0]], solved[:, X.shape[0] :], absolute, K)


def velocity(kernels: Float[Array, "T n n"], times: Float[Array, " T"]) -> Float[Array, " T-1"]:
    r"""$v_k = S(K_{k-1}, K_k)^{1/2}\big/(t_k - t_{k-1})$, how fast a kernel turns; $S^{1/2} = \sqrt2\sin(\varphi/2)$ for the angle $\varphi$.

    S is the kernel distance, one minus the cosine. Its root is a chord of the unit sphere over $\sqrt2$, first order in a
    small turn; S itself is second order, and would fall when the checks come more often.

    Args:
      kernels: at the checks, (T, n, n).
      times: of the checks, increasing; in steps or epochs.

    Returns:
      One number for each interval between checks.

    Raises:
      TypeError, ValueError: for bad arguments, or a kernel that is zero.
    """
    require.array("kernels", kernels, ndim=3)
    require.times("times", times)
    if kernels.shape[0] != times.shape[0]:
        raise ValueError(f"times must have one entry for each of the {kernels.shape[0]} kernels, but has {times.shape[0]}")
    norms = jnp.linalg.norm(kernels, axis=(1, 2))
    if not isinstance(norms, jax.core.Tracer) and not bool(jnp.all(norms > 0)):
        raise ValueError(f"kernels must not be zero, but the smallest norm is {float(jnp.min(norms)):g}")
    units = kernels / norms[:, None, None]
    chords = jnp.linalg.norm(units[1:] - units[:-1], axis=(1, 2))
    return chords / jnp.sqrt(2.0) / (times[1:] - times[:-1])


def first_calm(velocities: Float[np.ndarray, " T"], threshold: float, *, patience: int = 1) -> int:
    r"""The first check k with $v_{k-p+1}, \dots, v_k < \tau$: the rule uses the past alone.

    Args:
      velocities: as of `velocity`; entry k - 1 belongs to check k.
      threshold: $\tau$, positive.
      patience: p, how many calm intervals in a row are asked for.

    Returns:
      The number of the check; the last one, if it never is calm.

    Raises:
      TypeError, ValueError: for bad arguments.
    """
    require.array("velocities", velocities, ndim=1)
    require.positive("threshold", threshold)
    require.positive_integer("patience", patience)
    velocities = np.asarray(velocities)
    if not velocities.size or np.isnan(velocities).any():
        raise ValueError(f"velocities must be at least one number, and none of them NaN, but is {velocities}")
    run = 0
    for check, speed in enumerate(velocities, start=1):
        run = run + 1 if speed < threshold else 0
        if run == patience:
            return check
    return velocities.size


def price(
    epochs: float | int,
    *,
    samples: int,
    outputs: int = 1,
    checks: int = 0,
    probes: int = 0,
    solves: int = 0,
    validation: int = 0,
) -> float:
    r"""$e\,n + c\,m\,(\text{checks}) + c\,(n + v)\,(\text{solves})$ gradients of one sample.

    An epoch takes one gradient for each of n samples. A check of the kernel takes the derivatives of c outputs at m
    probes. A solve takes those at n training and v validation points; its linear algebra is not counted here.

    Args:
      epochs: e, zero or more; parts of an epoch are possible.
      samples: n.
      outputs: c.
      checks, probes: how often the kernel is looked at, and on how many probes m.
      solves, validation: how many linear systems, and how many points v choose their ridge.

    Raises:
      TypeError, ValueError: for bad arguments.
    """
    require.non_negative("epochs", epochs)
    require.positive_integer("samples", samples)
    require.positive_integer("outputs", outputs)
    counts = {"checks": checks, "probes": probes, "solves": solves, "validation": validation}
    for name, value in counts.items():
        require.count(name, value)
    return float(epochs * samples + outputs * (checks * probes + solves * (samples + validation)))
