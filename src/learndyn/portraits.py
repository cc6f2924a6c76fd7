"""Phase portraits of linear systems ẋ = Ax in the plane: their kinds, and what trajectories show of them.

Here A is only ever multiplied: no trace, determinant or eigenvalue is computed, so that what is seen here is a witness
independent of `learndyn.equilibria`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from learndyn import _require as require

KINDS = (
    "stable node",
    "unstable node",
    "saddle",
    "stable spiral",
    "unstable spiral",
    "center",
    "stable star",
    "unstable star",
    "stable degenerate node",
    "unstable degenerate node",
    "line of stable equilibria",
    "line of unstable equilibria",
    "shear",
    "plane of equilibria",
)


def random_systems(kind: str, count: int, *, key: PRNGKeyArray) -> Float[Array, "count 2 2"]:
    r"""$A = P \Lambda P^{-1}$ with random eigenvalues of one kind in $\Lambda$ and a random basis $P$.

    Rates and frequencies lie between 0.5 and 2 in absolute value, different rates at least 0.5 apart, and P is a
    rotation times a shear of at most 0.8: far enough from every border that a trajectory of moderate length shows
    the kind.

    Args:
      kind: one of `KINDS`.
      count: how many matrices.
      key: chooses them.

    Returns:
      The matrices, (count, 2, 2).

    Raises:
      ValueError, TypeError: an unknown kind (the error lists them), or a count below one.
    """
    require.one_of("kind", kind, KINDS)
    require.positive_integer("count", count)
    require.key("key", key)
    low_key, high_key, angle_key, shear_key, sign_key = jax.random.split(key, 5)
    low = jax.random.uniform(low_key, (count,), minval=0.5, maxval=1.0)
    high = jax.random.uniform(high_key, (count,), minval=1.5, maxval=2.0)
    angle = jax.random.uniform(angle_key, (count,), maxval=2 * jnp.pi)
    shear = jax.random.uniform(shear_key, (count,), minval=-0.8, maxval=0.8)
    turn = jnp.where(jax.random.bernoulli(sign_key, shape=(count,)), high, -high)
    zero = jnp.zeros(count)
    canonical = {  # a, b, c, d of the canonical form; the stable kinds, the unstable ones are their negatives
        "node": (-low, zero, zero, -high),
        "spiral": (-low, -turn, turn, -low),
        "star": (-low, zero, zero, -low),
        "degenerate node": (-low, turn, zero, -low),
        "line of equilibria": (-low, zero, zero, zero),
        "saddle": (-low, zero, zero, high),
        "center": (zero, -turn, turn, zero),
        "shear": (zero, turn, zero, zero),
        "plane of equilibria": (zero, zero, zero, zero),
    }
    form = jnp.stack(canonical[kind.replace("unstable ", "").replace("stable ", "")], axis=1).reshape(count, 2, 2)
    form = -form if "unstable" in kind else form
    rotation = jnp.stack([jnp.cos(angle), -jnp.sin(angle), jnp.sin(angle), jnp.cos(angle)], axis=1)
    P = rotation.reshape(count, 2, 2) @ (jnp.eye(2)[None] + shear[:, None, None] * jnp.eye(2, k=1)[None])
    return P @ form @ jnp.linalg.inv(P)


class Watched(NamedTuple):
    """What was seen along s trajectories of each of N systems, in units of the system's own norm.

    Attributes:
      forward, backward: mean growth rate of log|x| over the last half of the run, in time and in reversed time.
      turned: the angle swept from t = 0 to the end, in radians, with its sign.
      apart: the angle between the lines on which a trajectory ends and from which it came.
    """

    forward: Float[Array, "N s"]
    backward: Float[Array, "N s"]
    turned: Float[Array, "N s"]
    apart: Float[Array, "N s"]


def watch(A: Float[Array, "N 2 2"]) -> Watched:
    r"""Growth and rotation of trajectories of $\dot x = Ax$, by integration: no eigenvalue is computed.

    Each system is run from six directions over 100 of its own time units $1/\|A\|_F$, forwards and backwards, by the
    classical Runge-Kutta method with a step of 1/8 (error per unit time below 1e-5). |x| is divided out after every
    step and added up as a logarithm, so nothing overflows.

    Raises:
      ValueError, TypeError: A is not a finite array of shape (N, 2, 2).
    """
    require.array("A", A, ndim=3)
    if A.shape[1:] != (2, 2):
        raise ValueError(f"A must have shape (N, 2, 2), but has shape {tuple(A.shape)}")
    return _watch(jnp.asarray(A))


@jax.jit
def _watch(A):
    angles = 0.1 + jnp.arange(6) * jnp.pi / 6
    starts = jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=1)
    norm = jnp.linalg.norm(A, axis=(1, 2), keepdims=True)
    A = A / jnp.where(norm > 0, norm, 1.0)
    forward, turned, end = _run(A, starts)
    backward, _, origin = _run(-A, starts)
    sine = jnp.abs(end[..., 0] * origin[..., 1] - end[..., 1] * origin[..., 0])
    return Watched(forward, backward, turned, jnp.arcsin(jnp.clip(sine, 0.0, 1.0)))


def _run(A, starts, step=0.125, steps=800):
    hA = step * A
    one = jnp.eye(2)[None]
    # for a linear field the four stages of Runge-Kutta add up to this matrix
    advance = one + hA @ (one + hA @ (one + hA @ (one + hA / 4) / 3) / 2)

    def body(carry, _):
        x, log_norm, angle = carry
        moved = jnp.einsum("nij,nsj->nsi", advance, x)
        cross = x[..., 0] * moved[..., 1] - x[..., 1] * moved[..., 0]
        length = jnp.linalg.norm(moved, axis=-1)
        angle = angle + jnp.arctan2(cross, jnp.sum(x * moved, axis=-1))
        return (moved / length[..., None], log_norm + jnp.log(length), angle), None

    shape = (A.shape[0], starts.shape[0])
    carry = (jnp.broadcast_to(starts[None], (*shape, 2)), jnp.zeros(shape), jnp.zeros(shape))
    half, _ = jax.lax.scan(body, carry, None, length=steps // 2)
    (x, log_norm, angle), _ = jax.lax.scan(body, half, None, length=steps // 2)
    return (log_norm - half[1]) / (step * (steps // 2)), angle, x


def kinds_seen(A: Float[Array, "N 2 2"]) -> list[str]:
    """The kind of each system as its trajectories show it (`watch`), to hold against `classify`.

    A rate below 0.03 counts as none (a shear's |x| grows like t: 0.014 in this measure), a full turn of every
    trajectory as rotation, starts that all turn less than 1e-6 as straight rays, and lines of coming and going that
    are typically less than 0.4 apart as one line. Meant for systems clear of the borders, like those of `random_systems`.
    """
    forward, backward, turned, apart = (np.asarray(part) for part in watch(A))
    names = []
    for i in range(len(forward)):
        ahead, behind = _trend(forward[i]), _trend(backward[i])
        rotates = np.min(np.abs(turned[i])) > 2 * np.pi
        straight = np.max(np.abs(turned[i])) < 1e-6
        if (ahead, behind) == (1, 1):
            names.append("saddle")
        elif (ahead, behind) == (0, 0):
            names.append("center" if rotates else "plane of equilibria" if straight else "shear")
        elif 0 in (ahead, behind):
            names.append(f"line of {'stable' if behind == 1 else 'unstable'} equilibria")
        else:
            one_line = np.median(apart[i]) < 0.4
            shape = "spiral" if rotates else "star" if straight else "degenerate node" if one_line else "node"
            names.append(f"{'stable' if ahead == -1 else 'unstable'} {shape}")
    return names


def _trend(rates: Float[np.ndarray, "s"], threshold: float = 0.03) -> int:
    """-1, 0 or 1 when the typical trajectory decays, stays or grows.

    The median, because one start in six may lie so near an invariant line that it is still turning away from it.
    """
    rate = float(np.median(rates))
    return 0 if abs(rate) < threshold else int(np.sign(rate))
