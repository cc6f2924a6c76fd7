"""The step that everything here repeats: the derivative of a map applied to a frame, and the frame made orthonormal."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


def orthonormal(A: Float[Array, "k n"]) -> tuple[Float[Array, "k n"], Float[Array, "k k"]]:
    r"""$A^\top = Q^\top R$ with $R_{ii} \ge 0$; vectors are rows.

    LAPACK leaves the signs of the diagonal open. Positive, they make the decomposition unique, hence a continuous
    function of A, and the logarithm of the diagonal a growth rate.
    """
    Q, R = jnp.linalg.qr(A.T)
    sign = jnp.where(jnp.diag(R) < 0, -1.0, 1.0).astype(A.dtype)
    return (Q * sign[None, :]).T, R * sign[:, None]


def push(step: Callable, point: PyTree, frame: Float[Array, "k n"]) -> tuple[PyTree, Float[Array, "k n"]]:
    """The image of a point, and J v for the rows v of a frame (in the order of `ravel_pytree`), J never formed."""
    unravel = ravel_pytree(point)[1]

    def along(v):
        image, change = jax.jvp(step, (point,), (unravel(v),))
        return image, ravel_pytree(change)[0]

    return jax.vmap(along, out_axes=(None, 0))(frame)


def generic_frame(k: int, dimension: int, dtype) -> Float[Array, "k n"]:
    """k orthonormal rows, always the same ones, in no special position.

    The unit vectors would be in one: where coordinates do not act on each other, they never turn to their places.
    """
    return orthonormal(jax.random.normal(jax.random.key(0), (k, dimension), dtype))[0]


def require_map(step: Callable, point: PyTree) -> int:
    """A map from points to points; returns their dimension. Nothing is evaluated."""
    require.callable_("step", step)
    require.static("step", step)
    leaves = jax.tree_util.tree_leaves_with_path(point)
    if not sum(jnp.size(leaf) for _, leaf in leaves):
        raise ValueError(f"start must hold at least one number, but is {point!r}")
    require.finite("start", point)
    for path, leaf in leaves:
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            where = f"start{jax.tree_util.keystr(path)}"
            raise TypeError(f"{where} must be floating point to be differentiated, but has dtype {jnp.result_type(leaf)}")
    describe = lambda tree: jax.tree.map(lambda leaf: (tuple(jnp.shape(leaf)), str(jnp.result_type(leaf))), tree)
    given, image = describe(point), describe(jax.eval_shape(step, point))
    if given != image:
        raise ValueError(
            f"step must map points to points of the same shapes (its derivative must be square), but maps {given} to {image}"
        )
    return sum(jnp.size(leaf) for _, leaf in leaves)


def require_rank(k: int | None, dimension: int) -> int:
    """How many exponents: all of them, or a number that there are."""
    k = dimension if k is None else k
    require.positive_integer("k", k)
    if k > dimension:
        raise ValueError(f"k must be at most the dimension {dimension} of the map, but is {k}")
    return int(k)


def require_frame(frame, k: int, dimension: int) -> None:
    """k orthonormal rows."""
    require.matrix("frame", frame, rows=k, columns=dimension)
    if isinstance(frame, jax.core.Tracer):
        return
    if (worst := float(jnp.max(jnp.abs(frame @ frame.T - jnp.eye(k, dtype=frame.dtype))))) > 1e-4:
        raise ValueError(f"frame must have orthonormal rows, but their products are off by {worst:.2g}")
