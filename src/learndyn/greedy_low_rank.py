"""Greedy low-rank learning: what a two-layer linear network does from a vanishing initialization, one rank at a time.

The cost is any convex function C(P) of the end-to-end matrix $P = W_2W_1$: a squared loss on inputs that need not be
whitened, matrix completion, another loss. Nothing here is small: the initialization has gone to zero, and with it the
time that the network waits, in units of $\\ln(1/\\alpha)$.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from learndyn import _require as require
from learndyn.flows import gradient_flow


class Staircase(NamedTuple):
    """The saddles that greedy low-rank learning visits; row r is the one of rank r, and row 0 the origin.

    Attributes:
      P: end-to-end matrices.
      levels: the cost at each.
      singular_values: of $-\\nabla C(P_r)$, descending. The first is the rate at which the saddle is left; it is
        (nearly) zero at the end.
      times: when each is reached, in units of $\\ln(1/\\alpha)$, alpha the size of the weights at the start.
      residual: $\\|\\nabla_\\theta C(W_2W_1)\\|$ over the first singular value of the origin: how far the saddle that
        was found is from a critical point.
    """

    P: Float[Array, "R c d"]
    levels: Float[Array, "R"]
    singular_values: Float[Array, "R k"]
    times: Float[Array, "R"]
    residual: Float[Array, "R"]


def learn(
    cost: Callable[[Float[Array, "c d"]], Float[Array, ""]],
    shape: tuple[int, int],
    *,
    steps: int,
    seed_size: float = 1e-3,
    tolerance: float = 1e-7,
    rounds: int = 40,
) -> Staircase:
    r"""$P_{r+1} = \lim$ of the flow from $P_r + \epsilon\,uv^\top$, with $(u, v)$ the top singular pair of $-\nabla C(P_r)$.

    At $P_r$ the neurons that are still silent obey a linear equation, $\dot W_1 = W_2^\top G$ and $\dot W_2 = G
    W_1^\top$ with $G = -\nabla C(P_r)$, and the fastest direction wins: one more neuron, along the first singular pair.
    Then all active neurons minimize the cost together, by gradient flow, to the next saddle.

    The times follow from the same linear equation. Write $\alpha^{-x_j}$ for the j-th singular value of the silent
    neurons' weights; all $x_j = -1$ at the start. While G stands still, $x_j$ grows at the rate $\sigma_j(G)$ in time
    over $\ln(1/\alpha)$. When $x_1$ reaches zero, a rank is learned; it leaves the list, and $x_2$ becomes the first.

    Args:
      cost: C, a function of the end-to-end matrix.
      shape: (c, d) of that matrix.
      steps: the most ranks to learn, at most min(c, d). Fewer are learned where $\nabla C$ vanishes before.
      seed_size: $\epsilon$ as a share of $\sigma_1(G)$ at the origin, for the norm of what a new neuron adds to P.
      tolerance: of `Staircase.residual`; a $\sigma_1(G)$ below ten times that (relative to the origin's) is the end.
      rounds: each flow is run for a time, and for twice as long, until the residual is small; how often at most.

    Returns:
      `Staircase` with one row more than ranks were learned.

    Raises:
      ValueError, TypeError: for bad arguments, or a cost whose gradient is zero at the origin.
      RuntimeError: when a flow has not come to rest after all rounds; it says at which rank.

    Source: Li, Luo & Lyu (2021), algorithm 1, for square matrices; here for any, by the same argument. The times
    beyond the first are ours.
    """
    require.callable_("cost", cost)
    require.static("cost", cost)
    if not (isinstance(shape, tuple) and len(shape) == 2):
        raise TypeError(f"shape must be the pair (c, d), but is {shape!r}")
    for place, size in enumerate(shape):
        require.positive_integer(f"shape[{place}]", size)
    require.positive_integer("steps", steps)
    if steps > min(shape):
        raise ValueError(f"steps must be at most min{shape} = {min(shape)}, for no matrix has a larger rank, but is {steps}")
    require.positive("seed_size", seed_size)
    require.positive("tolerance", tolerance)
    require.positive_integer("rounds", rounds)

    force = jax.jit(lambda P: -jax.grad(cost)(P))
    loss, slope = _on_factors(cost)
    factors = (jnp.zeros((steps, shape[1])), jnp.zeros((shape[0], steps)))
    P = jnp.zeros(shape)
    rows, time, waiting, scale = [], 0.0, -np.ones(min(shape)), None
    for rank in range(steps + 1):
        U, sigma, Vt = np.linalg.svd(np.asarray(force(P)), full_matrices=False)
        if scale is None and not (np.isfinite(sigma[0]) and (scale := sigma[0]) > 0):
            raise ValueError(f"cost must have a gradient at the origin that is finite and not zero, but it is {force(P)}")
        rows.append((P, cost(P), sigma, time, float(slope(factors)) / scale))
        if rank == steps or sigma[0] <= 10 * tolerance * scale:
            break
        wait = -waiting[0] / sigma[0]
        time += wait
        waiting = (waiting + sigma[: len(waiting)] * wait)[1:]
        size = (seed_size * scale) ** 0.5
        below, above = (np.array(factor) for factor in factors)
        below[rank], above[:, rank] = size * Vt[0], size * U[:, 0]
        factors = _to_rest(loss, slope, (jnp.asarray(below), jnp.asarray(above)), sigma[0], tolerance * scale, rank, rounds)
        P = factors[1] @ factors[0]
    return Staircase(*(jnp.asarray(np.stack(column)) for column in zip(*rows)))


# Silent rows and columns of the factors stay exactly zero, so that one compiled flow serves every rank.
@functools.lru_cache(maxsize=8)
def _on_factors(cost):
    loss = lambda factors: cost(factors[1] @ factors[0])
    slope = jax.jit(lambda factors: jnp.sqrt(sum(jnp.sum(g**2) for g in jax.grad(loss)(factors))))
    return loss, slope


def _to_rest(loss, slope, factors, rate, small, rank, rounds):
    time = 4 / rate
    for _ in range(rounds):
        factors = gradient_flow(loss, factors, jnp.array([time]), rtol=1e-9, atol=1e-11 * rate**0.5).params
        if slope(factors) <= small:
            return factors
        time = 2 * time
    raise RuntimeError(
        f"learn: the flow of rank {rank + 1} has a gradient of {float(slope(factors)):.2g} after {rounds} rounds, and "
        f"{small:.2g} is needed; raise rounds or tolerance (seldom: the cost has no minimum at this rank)"
    )
