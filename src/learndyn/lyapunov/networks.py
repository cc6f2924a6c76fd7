r"""All finite-time exponents at every step of thousands of small networks."""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from learndyn import _require as require
from learndyn.lyapunov.network_tangent import derivatives, flatten, require_network
from learndyn.lyapunov.spread import spread_blocks


class NetworksState(NamedTuple):
    """Where N runs stand, and all that they need to go on: parameters, frames, sums of log R_ii, and steps taken."""

    theta: Float[Array, "N n"]
    frame: Float[Array, "N n n"]
    total: Float[Array, "N n"]
    taken: Int[Array, " N"]


class NetworksRun(NamedTuple):
    r"""N runs, seen after steps every, 2 every, ....

    Attributes:
      steps: how many steps had been taken, those of earlier pieces included.
      loss: $\frac12\sum r^2$ after these. A run that diverges is not finite from there on; the others go on.
      total: $\sum_{s \le t} \log R_{ii}(s)$ for all n exponents. Divided by $\eta t$ these are the finite-time exponents
        since the start, where the frame was the identity; differences over a time, divided by it, those of a window.
      state: to go on from.
    """

    steps: Int[Array, " t"]
    loss: Float[Array, "N t"]
    total: Float[Array, "N t n"]
    state: NetworksState


def descend_networks(
    start: PyTree | NetworksState,
    X: Float[Array, "s d"],
    y: Float[Array, "s 1"],
    learning_rate: float,
    steps: int,
    *,
    activation: str | Callable[[Array], Array] = "tanh",
    every: int = 1,
    devices: Sequence[jax.Device] | None = None,
    chunk: int = 128,
) -> NetworksRun:
    r"""$\theta_{t+1} = \theta_t - \eta \nabla L$ and $J_t Q_t = Q_{t+1} R_{t+1}$ for N networks of one hidden layer.

    What `spectrum(descent_map(loss, learning_rate), params, steps, frame=jnp.eye(n))` gives for each, many times faster: the derivative by
    `network_tangent` and the QR decomposition are written out with the networks along the last axis, so that processor
    vectors run over networks and not over nine numbers. Made for networks of few parameters (n below some 20).
    Computed in the precision of the parameters and the data: single is twice as fast, and wrong by some 1e-6 in most sums
    over 200 steps, by 1e-3 in the worst.
    The vectors are made orthogonal by the modified Gram-Schmidt process, twice, which is as good as Householder's.

    Args:
      start: parameters as of `learndyn.models.mlp((d, m, 1), parametrization="standard", bias_scale=...)`, each leaf with
        a leading axis of length N; or the `state` of an earlier result. A run in pieces gives bit for bit what one run
        gives: so a long study is interrupted, stored, and shown in its progress.
      X, y: the data of all of them.
      learning_rate: $\eta$, for $L = \frac12\sum_s r_s^2$. For the mean of the squared residuals, give $2\eta/s$.
      steps: how many; a multiple of `every`.
      activation: a name of `learndyn.models.ACTIVATIONS` or a function.
      every: how many steps lie between two observations. The sums run over every step nonetheless.
      devices, chunk: as of `spread`. Every bit of the result is the same on any number of devices.

    Returns:
      `NetworksRun(steps, loss, total, state)`, of N (steps / every) (n + 1) numbers.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
    """
    resumed = isinstance(start, NetworksState)
    d = jnp.shape(X)[-1] if jnp.ndim(X) else 0
    activation = require_network(_unflatten(start.theta, d) if resumed else start, X, y, activation, leading=1)
    require.positive("learning_rate", learning_rate)
    require.positive_integer("steps", steps)
    require.positive_integer("every", every)
    if steps % every:
        raise ValueError(f"steps must be a multiple of every, but steps = {steps} and every = {every}")
    state = start if resumed else _begin(start)
    devices = None if devices is None else tuple(devices)
    run = _compiled(activation, steps // every, devices, int(chunk))
    state, loss, total = run(state, X, y[:, 0], jnp.asarray(learning_rate, state.theta.dtype), jnp.asarray(every))
    return NetworksRun(state.taken[0] - steps + every * jnp.arange(1, steps // every + 1), loss, total, state)


def orthonormal_last(A: Float[Array, "k n *batch"]) -> tuple[Float[Array, "k n *batch"], Float[Array, "k *batch"]]:
    """Orthonormal rows, and the diagonal of R, with the batch last."""
    rows, lengths = [], []
    for v in A:
        for _ in range(2):
            for q in rows:
                v = v - jnp.sum(v * q, axis=0)[None] * q
        length = jnp.sqrt(jnp.sum(v * v, axis=0))
        rows.append(v / length[None])
        lengths.append(length)
    return jnp.stack(rows), jnp.stack(lengths)


def _begin(params):
    theta = jax.vmap(flatten)(params)
    size, n = theta.shape
    one = jnp.broadcast_to(jnp.eye(n, dtype=theta.dtype), (size, n, n))
    return NetworksState(theta, one, jnp.zeros_like(theta), jnp.zeros(size, int))


def _unflatten(theta, d):
    size, m = theta.shape[0], (theta.shape[1] - 1) // (d + 2)
    W, b, a, c = jnp.split(theta, [m * d, m * d + m, m * d + 2 * m], axis=1)
    return {"W": W.reshape(size, m, -1), "b": b}, {"W": a[:, None], "b": c}


@functools.lru_cache(maxsize=16)
def _compiled(activation, blocks, devices, chunk):
    def step(state, X, y, rate):
        theta, Q, total, taken = state
        # The barriers keep the compiler from fusing sums over samples into whatever reads them, once a reader.
        _, gradient, H = jax.lax.optimization_barrier(derivatives(theta, X, y, activation))
        image = Q
        for i in range(theta.shape[0]):
            image = image - rate * H[:, i][None] * Q[:, i][:, None]
        Q, lengths = orthonormal_last(jax.lax.optimization_barrier(image))
        return NetworksState(theta - rate * gradient, Q, total + jnp.log(lengths), taken + 1)

    # How many steps lie between two observations is a number that the program is given: one compilation for all.
    def block(state, X, y, rate, every):
        def observe(state, _):
            state = jax.lax.fori_loop(0, every, lambda _, s: step(s, X, y, rate), state)
            return state, (derivatives(state.theta, X, y, activation)[0], state.total)

        last = lambda tree: jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), tree)
        first = lambda tree: jax.tree.map(lambda leaf: jnp.moveaxis(leaf, -1, 0), tree)
        return first((lambda s, seen: (s, *seen))(*jax.lax.scan(observe, last(state), None, length=blocks)))

    return spread_blocks(block, devices, chunk)
