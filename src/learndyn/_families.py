"""Names for symmetries: which candidates (pairs under GL_k, neurons, layers, rotations) solve the equations."""

import itertools
from typing import NamedTuple

import numpy as np

from learndyn import _affine as affine


class Found(NamedTuple):
    name: str
    leaves: tuple[str, ...]
    fields: np.ndarray  # one [B b] for each dimension
    dimension: int


class Level(NamedTuple):
    """All sides of one size k, and the equations of a matrix on each of them, compressed to a triangle."""

    sides: list[affine.Side]
    equations: list[np.ndarray]  # one block of k^2 columns for each side


def recognize(samples, params, translations: np.ndarray, *, reference: float, tolerance: float) -> list[Found]:
    """In this order, each family without what the earlier ones hold."""
    known, count = affine.Span(translations), samples.points.shape[1]
    null = lambda equations: affine.null(equations, tolerance, reference)[0]
    levels = list(_levels(samples, affine.sides(params)))
    found = _translations(samples, affine.leaves(params), translations, tolerance)
    for level in levels:
        found += _general_linear(level, known, count, reference * tolerance)
    for level in levels:
        found += _subgroups(level, known, count, null)
    for level in levels:
        found += _neurons(level, known, count, null)
    found += _layers(samples, affine.leaves(params), known, null)
    for level in levels:
        found += _rotations(level, known, count, null)
    return found


def _levels(samples, sides):
    for size in sorted({side.size for side in sides}):
        alike = [side for side in sides if side.size == size]
        equations = np.linalg.qr(np.concatenate([side.equations(samples) for side in alike], axis=1), mode="r")
        yield Level(alike, np.split(equations, len(alike), axis=1))


def _translations(samples, places, translations, tolerance):
    """Those of one leaf alone, leaf by leaf, and the others."""
    p, found, rest = samples.points.shape[1], [], len(translations)
    for name, at in places.items():
        gradients = samples.gradients[:, :, at.ravel()].reshape(-1, at.size)
        alone, _ = affine.null(gradients, tolerance, float(np.linalg.norm(samples.gradients)))
        if len(alone):
            fields = np.zeros((len(alone), p, p + 1))
            fields[:, at.ravel(), p] = alone
            found.append(Found("translation", (name,), fields, len(alone)))
            rest -= len(alone)
    if rest:
        fields = np.pad(translations[:, :, None], ((0, 0), (0, 0), (p, 0)))
        moved = tuple(name for name, at in places.items() if np.abs(translations[:, at.ravel()]).max() > 1e-6)
        found.append(Found("translation across leaves", moved, fields, rest))
    return found


def _actions(level, most):
    """Up to so many sides, each under G (+1) or its dual -G^T (-1); the first under G, without loss of generality."""
    for number in range(1, most + 1):
        for chosen in itertools.combinations(range(len(level.sides)), number):
            for signs in itertools.product((1, -1), repeat=number - 1):
                yield list(zip(chosen, (1, *signs)))


def _acting(G, sign):
    return G if sign > 0 else -G.T


def _field(level, action, G, count):
    return sum(level.sides[i].field(_acting(G, sign), count) for i, sign in action)


def _written(level, action):
    return tuple(
        f"{level.sides[i].leaf} axis {level.sides[i].axis} by {'G' if sign > 0 else '-G^T'}" for i, sign in action
    )


def _general_linear(level, known, count, zero):
    """Two or three sides on which every G acts: seen on one G drawn at random, which no proper subgroup holds."""
    size = level.sides[0].size
    if size < 2:
        return
    random = np.random.default_rng(0).normal(size=(size, size)) / size
    for action in _actions(level, 3):
        parts = [level.equations[i] @ _acting(random, sign).ravel() for i, sign in action]
        if min(map(np.linalg.norm, parts)) < zero or np.linalg.norm(sum(parts)) > zero:
            continue  # a side that does not matter, or no symmetry
        units = np.eye(size**2).reshape(-1, size, size)
        fields = np.stack([_field(level, action, G, count) for G in units])
        if new := known.add(fields):
            yield Found(f"GL({size})", _written(level, action), fields, new)


def _subgroups(level, known, count, null):
    """Some of the G on one or two sides, as where heads are stacked in one matrix; not if all scale, or all rotate."""
    size = level.sides[0].size
    for action in _actions(level, 2):
        E = [level.equations[i].reshape(-1, size, size) for i, _ in action]
        equations = sum(e if sign > 0 else -e.transpose(0, 2, 1) for e, (_, sign) in zip(E, action))
        solutions = null(equations.reshape(len(equations), -1)).reshape(-1, size, size)
        diagonal = np.abs(solutions * (1 - np.eye(size))).max(initial=0.0) < 1e-6
        if diagonal or np.abs(solutions + solutions.transpose(0, 2, 1)).max(initial=0.0) < 1e-6:
            continue
        if len(new := known.new(np.stack([_field(level, action, G, count) for G in solutions]))):
            yield Found(f"part of GL({size})", _written(level, action), new, len(new))


def _neurons(level, known, count, null):
    """One weight for each side, at one index j: neurons whose scale is free, alone or against the next layer's."""
    size, buckets = level.sides[0].size, {}
    for j in range(size):
        unit = np.diag(np.eye(size)[j])
        for weights in affine.sparse(null(np.stack([E[:, j * size + j] for E in level.equations], axis=1))):
            field = sum(w * side.field(unit, count) for w, side in zip(weights, level.sides))
            if known.add(field[None]):
                names = [f"{side.leaf} axis {side.axis}" for side in level.sides]
                buckets.setdefault(_weighted(names, weights), []).append(field)
    for (leaves, kind), fields in buckets.items():
        yield Found(f"{kind} of neurons", leaves, np.stack(fields), len(fields))


def _layers(samples, places, known, null):
    """One weight for each leaf as a whole."""
    columns = [np.einsum("srp,sp->sr", samples.gradients[:, :, at.ravel()], samples.points[:, at.ravel()]).ravel()
               for at in places.values()]  # fmt: skip
    count = samples.points.shape[1]
    for weights in affine.sparse(null(np.stack(columns, axis=1))):
        field = np.zeros((count, count + 1))
        for weight, at in zip(weights, places.values()):
            field[at.ravel(), at.ravel()] = weight
        if known.add(field[None]):
            leaves, kind = _weighted(list(places), weights)
            yield Found(f"{kind} of layers", leaves, field[None], 1)


def _rotations(level, known, count, null):
    """An antisymmetric matrix of its own on each side: a residual stream runs through more sides than one can guess."""
    size = level.sides[0].size
    rows, columns = np.triu_indices(size, 1)
    if size < 2:
        return
    units = np.zeros((len(rows), size, size))
    units[np.arange(len(rows)), rows, columns] = 1.0
    units -= units.transpose(0, 2, 1)
    flat = units.reshape(len(units), -1).T
    solutions = null(np.concatenate([E @ flat for E in level.equations], axis=1))
    if not len(solutions):
        return
    generators = np.einsum("nsu,uab->nsab", solutions.reshape(len(solutions), len(level.sides), -1), units)
    fields = np.stack([sum(s.field(G, count) for s, G in zip(level.sides, Gs)) for Gs in generators])
    new = known.new(fields)
    if len(new):
        moved = [s.leaf for s in level.sides if np.abs(new[:, s.places.ravel()]).max() > 1e-6]
        yield Found(f"rotations of {size} axes", tuple(dict.fromkeys(moved)), new, len(new))


def _weighted(names, weights):
    """('leaf by +1', 'leaf by -2'), and what such weights are called."""
    leaves = tuple(f"{name} by {weight:+.6g}" for name, weight in zip(names, weights) if abs(weight) > 1e-6)
    return leaves, "scale" if np.all(weights >= 0) else "rescale"
