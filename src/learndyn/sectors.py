r"""Sectors: where a small ReLU neuron turns, arc by arc, exactly.

A ReLU neuron $f(x) = a\,\mathrm{relu}(w\cdot x)$ with $a = s|w|$, so small that the residual r does not feel it, moves by
$\frac{d}{dt}\hat w = s P_\perp g$, $\frac{d}{dt}\log|w| = s\,g\cdot\hat w$, where
$g = \frac1n\sum_{w\cdot x_i > 0} r_i x_i$ is constant as long as no sample changes sides. The directions with the same open
samples are a sector. Inside one, $\hat w$ runs along the great circle toward g, and the angle $\varphi$ between them obeys
$\tan\frac\varphi2 \propto e^{-|g|t}$. At a wall, $w\cdot x_i = 0$, the neuron crosses or stays and slides along it. So the
whole way is a finite list of arcs, and needs no solver.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Array, Bool, Float, Int
from scipy.optimize import lsq_linear

from learndyn import _require as require

_Any: TypeAlias = Array | np.ndarray
_SMALL = 1e-12  # beside numbers of order one: unit directions, shares of a sample


class Climb(NamedTuple):
    r"""Where m neurons come to rest, and what the way costs them.

    Attributes:
      directions: $\hat w$ at rest; where a neuron is shut for all samples, or nothing pulls, where that happened.
      rates: $\frac{d}{dt}\log|w|$ there, twice the utility; negative where a neuron rests and shrinks, zero for a dead one.
      offsets: $\lim\,\log|w(t)| - \log|w(0)| - \mathrm{rate}\cdot t$, at most zero where the rate is positive: what turning costs.
      walls: the samples on whose walls the neuron rests.
      open: the samples for which it is open, those of the walls left out.
      arcs: how many pieces of great circles it went.
    """

    directions: Float[np.ndarray, "m d"]
    rates: Float[np.ndarray, "m"]
    offsets: Float[np.ndarray, "m"]
    walls: Bool[np.ndarray, "m n"]
    open: Bool[np.ndarray, "m n"]
    arcs: Int[np.ndarray, "m"]


def climb(
    X: Float[_Any, "n d"],
    residual: Float[_Any, "n 1"],
    directions: Float[_Any, "m d"],
    signs: Float[_Any, "m"],
    *,
    max_arcs: int = 1000,
) -> Climb:
    r"""The limit of $\frac{d}{dt}\hat w = s P_\perp \frac1n\sum_{w\cdot x_i > 0} r_i x_i$, and the norm gained on the way.

    On walls it is the flow of Filippov: the neuron stays on the wall of sample i if the velocities of both sides point at
    it, and moves by the mixture $g + \lambda r_i x_i/n$, $0\le\lambda\le1$, that is tangent to the wall. A neuron may also
    tend to a direction on a wall that does not hold it, from one side and without ever crossing, where the utility has a
    saddle (orthogonal inputs do this); such a wall is not listed.

    Args:
      X: inputs; a column of ones makes a bias.
      residual: what is left to be learned, y - f.
      directions: $w$ at the start, one neuron a row, of any length but zero, on no wall.
      signs: s, the sign of each output weight, 1 or -1.
      max_arcs: the most arcs a neuron may go.

    Returns:
      `Climb`, in NumPy arrays: how many arcs there are depends on the numbers, so it works outside of `jit` only.

    Raises:
      ValueError, TypeError: for shapes that do not fit, a direction that is zero or on a wall, a sign that is neither 1 nor -1.
      RuntimeError: when a neuron is not at rest after max_arcs arcs.

    Source: Maennel, Bousquet and Gelly (2018), section 3; the closed form along an arc is derived in the book.
    """
    require.matrix("X", X)
    require.matrix("residual", residual, rows=X.shape[0], columns=1)
    require.matrix("directions", directions, columns=X.shape[1])
    require.array("signs", signs, ndim=1)
    require.positive_integer("max_arcs", max_arcs)
    X, pull, W, signs = (np.asarray(a, float) for a in (X, residual[:, 0] / X.shape[0], directions, signs))
    if len(signs) != len(W):
        raise ValueError(f"signs must have one entry a direction, {len(W)}, but has shape {signs.shape}")
    if (wrong := np.flatnonzero(np.abs(signs) != 1)).size:
        raise ValueError(f"signs must be 1 or -1, but signs[{wrong[0]}] is {signs[wrong[0]]:g}")
    length = np.linalg.norm(W, axis=1)
    if (zero := np.flatnonzero(length == 0)).size:
        raise ValueError(f"directions must not be zero, but directions[{zero[0]}] is")
    W = W / length[:, None]
    heights = np.abs(W @ X.T) - _SMALL * np.linalg.norm(X, axis=1)
    if (on := np.argwhere((heights <= 0) & (np.linalg.norm(X, axis=1) > 0))).size:
        raise ValueError(f"directions must lie on no wall, but directions[{on[0, 0]}] is at right angles to X[{on[0, 1]}]")
    found = []
    for k, (w, sign) in enumerate(zip(W, signs)):
        end = _rest(X, sign * pull, w, max_arcs)
        if end is None:
            raise RuntimeError(f"climb: neuron {k} is not at rest after max_arcs = {max_arcs} arcs; raise max_arcs")
        found.append(end)
    return Climb(*map(np.array, zip(*found)))


def maximizers(
    X: Float[_Any, "n d"], residual: Float[_Any, "n 1"], starts: Float[_Any, "m d"]
) -> tuple[Climb, Float[np.ndarray, "k"]]:
    r"""The different $(\hat w, s)$ of positive utility in which neurons from `starts`, of both signs, come to rest.

    Two ends are the same if sign, walls and open samples are: a sector, or a face of one, holds at most one maximizer.

    Args:
      X, residual: as in `climb`.
      starts: directions from which to climb. In two dimensions a few from each of the 2n sectors find all maximizers; in
        more dimensions what is found are those with basins not too small. Orthogonal inputs have saddles that
        neurons tend to; these are listed too.

    Returns:
      `Climb` of the different ends, in the order of falling rates, and their signs. What leads nowhere is left out.

    Raises:
      ValueError, TypeError, RuntimeError: as `climb`.
    """
    require.matrix("starts", starts)
    signs = np.repeat([1.0, -1.0], len(starts))
    ends = climb(X, residual, np.tile(np.asarray(starts), (2, 1)), signs)
    different = {}
    for k in np.flatnonzero(ends.rates > 0):
        different.setdefault((signs[k], ends.walls[k].tobytes(), ends.open[k].tobytes()), k)
    order = sorted(different.values(), key=lambda k: -ends.rates[k])
    return Climb(*(part[order] for part in ends)), signs[order]


def _rest(X, pull, w, max_arcs):
    """One neuron, from w; `pull` is s r / n. Where it rests, in the order of `Climb`."""
    is_open, walls, gain, time, crossed = X @ w > 0, [], 0.0, 0.0, []
    unit = np.linalg.norm(pull[:, None] * X)  # of forces
    for arcs in range(max_arcs):
        force, freed = _force(X, pull, w, is_open, walls)
        size = np.linalg.norm(force)
        toward = force / size if size > _SMALL * unit else w
        across = w - (w @ toward) * toward
        angle = np.arctan2(np.linalg.norm(across), w @ toward)
        if size <= _SMALL * unit or min(angle, np.pi - angle) < 1e-9:  # nothing pulls, or all pulls along w itself
            rate = float(w @ force) if size > _SMALL * unit else 0.0
            return w, rate, gain - rate * time, _mask(walls, X), is_open & ~_mask(walls, X), arcs
        across /= np.linalg.norm(across)
        meets = np.arctan2(-(X @ toward), X @ across) % np.pi  # where on the great circle sample i changes sides
        ahead = (meets > _SMALL) & (meets < angle - _SMALL)  # a goal on a wall, as orthogonal inputs have, is reached in the limit
        ahead[walls + crossed + freed] = False  # a great circle that leaves a wall does not meet it again within pi
        if not ahead.any():  # the goal lies in the same sector: the rest of the way takes for ever, and costs a constant
            offset = gain - size * time + 2 * np.log(np.cos(angle / 2))
            return toward, size, offset, _mask(walls, X), is_open & ~_mask(walls, X), arcs + 1
        just, crossed = int(np.argmax(np.where(ahead, meets, -1))), []
        time += np.log(np.tan(angle / 2) / np.tan(meets[just] / 2)) / size
        gain += np.log(np.sin(angle) / np.sin(meets[just]))
        w = toward * np.cos(meets[just]) + across * np.sin(meets[just])
        if pull[just] > 0:  # beyond the wall the sample pulls further: across
            is_open[just], crossed = ~is_open[just], [just]
        else:
            walls = [*walls, just]  # and `_force` says whether it stays
        w = _tangent(X, walls, w)
        w = w / np.linalg.norm(w)


def _force(X, pull, w, is_open, walls):
    r"""The least of all mixtures $g + \sum_i \lambda_i r_i x_i/n$, $0 \le \lambda_i \le 1$, on the tangent plane: where the neuron goes.

    What its walls do not hold, because $\lambda_i$ is 0 or 1, leaves their list, shut or open.
    """
    inside = is_open.copy()
    inside[walls] = False
    force = pull[inside] @ X[inside]
    if not walls:
        return force, []
    edges, along = (pull[walls, None] * X[walls]).T, force - (force @ w) * w
    share = np.linalg.lstsq(edges, -along, rcond=None)[0]
    if np.any((share < 0) | (share > 1)):
        share = lsq_linear(edges, -along, bounds=(0, 1), method="bvls", tol=1e-14).x
    held = (share > _SMALL) & (share < 1 - _SMALL)
    freed = [i for i, stays in zip(walls, held) if not stays]
    is_open[freed] = share[~held] > 0.5
    walls[:] = [i for i, stays in zip(walls, held) if stays]
    return _tangent(X, walls, force + edges @ share), freed


def _tangent(X, walls, v):
    """v without its part across the walls."""
    return v - X[walls].T @ np.linalg.lstsq(X[walls].T, v, rcond=None)[0] if walls else v


def _mask(walls, X):
    mask = np.zeros(len(X), bool)
    mask[walls] = True
    return mask
