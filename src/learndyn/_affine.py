"""Affine fields $\\xi(\\theta) = B\\theta + b$ as matrices [B b], and the equations that a function's symmetries obey.

Everything here is NumPy in double precision: dense linear algebra on a few thousand unknowns, once.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

BAND = 30.0  # how far from the tolerance, up or down, a singular value must stay to be judged
BATCH = 16  # points at a time


class Samples(NamedTuple):
    """Points S x P, and at each the rows, S x r x P, that span the gradients of all outputs; the largest has norm 1."""

    points: np.ndarray
    gradients: np.ndarray


class Side(NamedTuple):
    """An axis of a leaf, on which a matrix can act: the inputs or the outputs of a layer, the entries of a bias."""

    leaf: str
    axis: int
    places: np.ndarray  # k x rest: where in the flat parameters the entries lie, this axis first

    @property
    def size(self) -> int:
        return len(self.places)

    def equations(self, samples: Samples) -> np.ndarray:
        """What <gradient, xi> is in the k x k entries of G, for A + eps G A along the axis."""
        entries = samples.points[:, self.places]
        gradients = samples.gradients[:, :, self.places]
        return np.einsum("srax,sbx->srab", gradients, entries).reshape(-1, self.size**2)

    def field(self, G: np.ndarray, count: int) -> np.ndarray:
        """The matrix [B 0] of theta -> G acting along the axis, among `count` parameters."""
        out = np.zeros((count, count + 1))
        for column in self.places.T:
            out[np.ix_(column, column)] = G
        return out


def leaves(params) -> dict[str, np.ndarray]:
    """Where each leaf's entries lie in the flat parameters, in the leaf's shape; a number counts as a vector of one."""
    out, start = {}, 0
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        places = np.arange(start, start + leaf.size).reshape(leaf.shape)
        out[f"params{jax.tree_util.keystr(path)}"] = np.atleast_1d(places)
        start += leaf.size
    return out


def sides(params) -> list[Side]:
    return [
        Side(name, axis, np.moveaxis(places, axis, 0).reshape(places.shape[axis], -1))
        for name, places in leaves(params).items()
        for axis in range(places.ndim)
    ]


def sampler(f: Callable, params, *, scale: float, key) -> Callable[[float], Samples]:
    """`draw(equations)`: new points around params, normal with standard deviation `scale`, for so many equations."""
    flat, unravel = ravel_pytree(params)
    jacobians = jax.jit(jax.vmap(jax.jacrev(lambda p: jnp.ravel(f(unravel(p))))))
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))  # NumPy's, which compiles nothing

    def at(batches):
        points = np.asarray(flat) + scale * random.normal(size=(batches, BATCH, flat.size))  # one shape: one program
        J = np.concatenate([np.asarray(jacobians(batch)) for batch in points])
        if not np.isfinite(J).all():
            raise ValueError(
                f"f must have finite derivatives where it is looked at, within about scale = {scale:g} of params, "
                f"but {int((~np.isfinite(J)).sum())} of {J.size} are not finite"
            )
        _, s, V = np.linalg.svd(J, full_matrices=False)
        s = s / np.maximum(s[:, :1], 1e-300)
        ranks = (s > 1e-13).sum(axis=1)  # below is the rounding of the gradients themselves
        kept = int(ranks.max())
        if not kept:
            raise ValueError("f must depend on params, but its derivatives are all zero")
        return Samples(points.reshape(-1, flat.size), s[:, :kept, None] * V[:, :kept]), ranks.sum()

    def draw(equations):
        _, each = at(1)
        return at(1 + int(np.ceil(equations / each)))[0]

    return draw


def system(samples: Samples, params, among: str) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """The equations J xi = 0 in the unknowns of a class of fields, and what turns solutions into fields [B b]."""
    points, gradients = samples
    p = points.shape[1]
    if among == "all":
        points = np.pad(points, ((0, 0), (0, 1)), constant_values=1.0)
        equations = np.einsum("srp,sq->srpq", gradients, points)
        return equations.reshape(-1, p * (p + 1)), lambda solutions: solutions.reshape(len(solutions), p, p + 1)
    acting = sides(params)

    def fields(solutions):
        out = np.zeros((len(solutions), p, p + 1))
        for field, solution in zip(out, solutions):
            field[:, p], start = solution[:p], p
            for side in acting:
                field += side.field(solution[start : (start := start + side.size**2)].reshape(side.size, -1), p)
        return out

    return np.concatenate([gradients.reshape(-1, p), *(side.equations(samples) for side in acting)], axis=1), fields


def null(equations: np.ndarray, tolerance: float, reference: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The solutions, one a row, orthonormal, and the singular values, descending, one for each unknown.

    Those below tolerance times the reference, by default the largest, are zeros. Raises RuntimeError where one lies
    so close to that border that to count it either way is a guess.
    """
    unknowns = equations.shape[1]
    if len(equations) > unknowns:
        equations = np.linalg.qr(equations, mode="r")
    _, singular_values, V = np.linalg.svd(equations)
    singular_values = np.append(singular_values, np.zeros(unknowns - len(singular_values)))
    s = singular_values / (singular_values[0] if reference is None else reference)
    if (doubtful := s[(s > tolerance / BAND) & (s < tolerance * BAND)]).size:
        below, above = s[s <= tolerance / BAND], s[s >= tolerance * BAND]
        raise RuntimeError(
            f"no clear gap in the singular values: {doubtful.size} lie around tolerance = {tolerance:g} "
            f"({doubtful.max():.2g} to {doubtful.min():.2g} of the largest), above them {above.min(initial=1):.2g}, "
            f"below {below.max(initial=0):.2g}. A symmetry that holds only nearly (the epsilon of a normalization) "
            "does this, and so do few outputs or a scale far from the parameters' own: change scale, f's inputs, or "
            "tolerance"
        )
    return V[s < tolerance], singular_values


def sparse(rows: np.ndarray) -> Iterator[np.ndarray]:
    """The reduced row echelon form: one row a pivot, with 1 there and 0 at the other pivots."""
    rows, done = rows.copy(), 0
    for column in range(rows.shape[1]):
        if done == len(rows):
            break
        pivot = done + int(np.argmax(np.abs(rows[done:, column])))
        if abs(rows[pivot, column]) < 1e-6:
            continue
        rows[[done, pivot]] = rows[[pivot, done]]
        rows[done] /= rows[done, column]
        others = np.arange(len(rows)) != done
        rows[others] -= np.outer(rows[others, column], rows[done])
        done += 1
    yield from np.where(np.abs(rows[:done]) < 1e-9, 0.0, rows[:done])


class Span:
    """Fields that are known, modulo translations; `add` keeps what is new and says how much that is."""

    def __init__(self, translations: np.ndarray):
        self.translations, self.basis = translations, None

    def reduce(self, fields: np.ndarray) -> np.ndarray:
        """The part of each field that is not along a translation."""
        T = self.translations
        return fields - np.einsum("ip,iq,nqc->npc", T, T, fields, optimize=True)

    def add(self, fields: np.ndarray) -> int:
        return len(self.new(fields))

    def new(self, fields: np.ndarray) -> np.ndarray:
        """Orthonormal combinations that were not known, now known."""
        shape = fields.shape[1:]
        if not len(fields):
            return fields
        rows = self.reduce(fields).reshape(len(fields), -1)
        sizes = np.linalg.norm(fields.reshape(len(fields), -1), axis=1, keepdims=True)
        rows = np.divide(rows, sizes, out=np.zeros_like(rows), where=sizes > 1e-9)  # G on one side, -G on the other
        if self.basis is not None:
            rows = rows - (rows @ self.basis.T) @ self.basis
        _, s, V = np.linalg.svd(rows, full_matrices=False)
        found = V[s > 1e-6]
        self.basis = found if self.basis is None else np.concatenate([self.basis, found])
        return found.reshape(-1, *shape)
