"""Symmetries of a network, found: all affine generators along which its outputs do not change.

At every $\\theta$ a symmetry obeys $J(\\theta)\\,\\xi(\\theta) = 0$, with J the gradients of all outputs. For affine
$\\xi(\\theta) = B\\theta + b$ these equations are linear in B and b: a null space, over many random $\\theta$. What is
discrete (exchange of two neurons, change of a sign) generates no direction and is not found.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from learndyn import _affine as affine
from learndyn import _families as families
from learndyn import _require as require

MOST_UNKNOWNS = 4000  # whose null space takes minutes


class Family(NamedTuple):
    """Symmetries that have a name.

    Attributes:
      name: `"translation"`, `"GL(k)"`, `"scale of neurons"`, `"rescale of layers"`, `"rotations of k axes"`, ...
      leaves: what moves, and how.
      dimension: how many of them no earlier family holds.
      generators: functions from parameters to a direction, as `learndyn.conserved` takes them.
    """

    name: str
    leaves: tuple[str, ...]
    dimension: int
    generators: tuple[Callable[[PyTree], PyTree], ...]


class Symmetries(NamedTuple):
    """What was found, and the evidence.

    Attributes:
      dimension: linearly independent generators of the class, modulo translations times functions (see `find`).
      families: those that were recognized; the dimensions add up to `dimension - unrecognized`.
      unrecognized: how many are left without a name.
      generators: a basis of all of them, translations first.
      conserved: a basis of those that are the gradient of a quantity, for `conserved.quantity`.
      singular_values: of the equations, over the largest, descending, one for each unknown; zeros are solutions.
      gap: the largest of them that counts as zero and the smallest that does not.
      residual: the largest $|J\\xi| / (|J||\\xi|)$ of a generator at points that the equations do not know.
    """

    dimension: int
    families: tuple[Family, ...]
    unrecognized: int
    generators: tuple[Callable[[PyTree], PyTree], ...]
    conserved: tuple[Callable[[PyTree], PyTree], ...]
    singular_values: np.ndarray
    gap: tuple[float, float]
    residual: float


def find(
    f: Callable[[PyTree], Float[Array, "..."]],
    params: PyTree,
    *,
    key: PRNGKeyArray,
    among: str = "all",
    scale: float = 1.0,
    tolerance: float = 1e-9,
) -> Symmetries:
    r"""All $\xi(\theta) = B\theta + b$ with $J(\theta)\,\xi(\theta) = 0$ for every $\theta$.

    A direction v that is constant, a translation, brings with it $c(\theta)\,v$ for every function c, p more that are
    affine and nothing new. Hence they are counted once: `dimension` is that of the translations plus that of all
    solutions modulo such multiples. An input that is always zero, a bias before a normalization, a weight that is not
    used: all translations. So are directions that only the inputs at hand do not see: take more inputs than a layer
    has, or these are found, as they should be, for they are symmetries of the loss.

    Args:
      f: the network's outputs on some inputs as a function of the parameters, an array of any shape; or a loss. Many
        outputs give many equations at each $\theta$, and a loss one. Differentiable almost everywhere, as ReLU is.
      params: parameters of the structure and shapes that are meant, of double precision.
      key: a PRNG key, for the points.
      among: `"all"` for any B and b, p(p + 1) unknowns for p parameters, up to 60 or so; `"layers"` for each leaf
        moved by a matrix of its own on each axis and a shift of its own, $W \to GW + WH + S$: larger networks.
      scale: standard deviation of the points around params.
      tolerance: singular values below it, relative to the largest, are zeros; none may come within a factor of 30.

    Returns:
      `Symmetries`.

    Raises:
      TypeError, ValueError: for arguments out of range, parameters of single precision, or too many unknowns.
      RuntimeError: if the singular values leave no clear gap, or a solution fails at fresh points; it says by how much.

    Source: the equation is that of Kunin et al. (2021); to solve it for the generator is linear algebra.
    """
    require.callable_("f", f)
    require.finite("params", params)
    require.key("key", key)
    require.one_of("among", among, ("all", "layers"))
    require.positive("scale", scale)
    require.positive("tolerance", tolerance)
    flat, unravel = ravel_pytree(params)
    if not flat.size:
        raise ValueError(f"params must hold at least one number, but is {params!r}")
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        if jnp.result_type(leaf) != jnp.float64:
            raise TypeError(
                f"params{jax.tree_util.keystr(path)} must have double precision, for zeros are to be told from small "
                f'numbers, but has dtype {jnp.result_type(leaf)}: jax.config.update("jax_enable_x64", True)'
            )
    p = flat.size
    unknowns = p * (p + 1) if among == "all" else p + sum(side.size**2 for side in affine.sides(params))
    if unknowns > MOST_UNKNOWNS:
        advice = 'among="layers"' if among == "all" else "a narrower network"
        raise ValueError(f"params must give at most {MOST_UNKNOWNS} unknowns, but {p} give {unknowns}; take {advice}")
    draw = affine.sampler(f, params, scale=scale, key=key)
    fresh = draw(10 * p)
    for margin in (1.5, 5.0):  # the second where many neurons are dead at many points
        samples = draw(margin * unknowns)
        equations, as_fields = affine.system(samples, params, among)
        solutions, singular_values = affine.null(equations, tolerance)
        translations, _ = affine.null(samples.gradients.reshape(-1, p), tolerance)
        constant = np.pad(translations[:, :, None], ((0, 0), (0, 0), (p, 0)))
        others = affine.Span(translations).new(as_fields(solutions))
        basis = np.concatenate([constant, others])
        if (residual := _residual(fresh, basis)) < 1e3 * tolerance:
            break
    else:
        raise RuntimeError(
            f"a solution fails at points that the equations do not know: |J xi| is {residual:.2g} of |J| |xi| there, "
            f"at tolerance = {tolerance:g}; f may be constant on much of what scale = {scale:g} reaches"
        )
    found = families.recognize(samples, params, translations, reference=singular_values[0], tolerance=tolerance)

    ratios = np.concatenate([[1.0], singular_values / singular_values[0], [0.0]])
    first_zero = len(ratios) - 1 - len(solutions)
    wrap = lambda fields: tuple(_generator(field, unravel) for field in fields)
    return Symmetries(
        dimension=len(basis),
        families=tuple(Family(each.name, each.leaves, each.dimension, wrap(each.fields)) for each in found),
        unrecognized=len(basis) - sum(each.dimension for each in found),
        generators=wrap(basis),
        conserved=wrap(np.concatenate([constant, _with_potential(others)])),
        singular_values=ratios[1:-1],
        gap=(float(ratios[first_zero]), float(ratios[first_zero - 1])),
        residual=residual,
    )


def _generator(field, unravel):
    B, b = jnp.asarray(field[:, :-1]), jnp.asarray(field[:, -1])
    return lambda params: unravel(B @ ravel_pytree(params)[0] + b)


def _with_potential(fields):
    """The combinations whose B is symmetric.

    Multiples of translations need not be added to make it so. The fields are reduced, P B = B with P the projection
    off the translations; and B P = B, for f does not see where along a translation it is, so that each column of
    B (1 - P) would be one more.
    """
    B = fields[:, :, :-1]
    asymmetry = (B - B.transpose(0, 2, 1)).reshape(len(fields), B.shape[1] ** 2)
    squares, vectors = np.linalg.eigh(asymmetry @ asymmetry.T)
    return np.einsum("nk,n...->k...", vectors[:, squares < 1e-12], fields)


def _residual(fresh, basis):
    points = np.pad(fresh.points, ((0, 0), (0, 1)), constant_values=1.0)
    directions = np.einsum("npq,sq->nsp", basis, points, optimize=True)
    along = np.linalg.norm(np.einsum("srp,nsp->nsr", fresh.gradients, directions, optimize=True), axis=2)
    size = np.linalg.norm(directions, axis=2)  # the gradients have norm one
    return float((along / np.where(size > 0, size, 1.0)).max(initial=0.0))
