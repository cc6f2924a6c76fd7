"""Neural tangent kernels: the empirical kernel of a network, its spectrum, and how alike two kernels are.

What the kernel predicts when it is constant (`linearize`, `kernel_flow`) is in `learndyn.linearization`, and can be
reached from here.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from learndyn import _require as require
from learndyn.linearization import KernelFlow, kernel_flow, linearize, neural_tangents_time, symmetric_part
from learndyn.neural_tangents import nt

__all__ = [
    "KernelFlow",
    "Spectrum",
    "empirical_ntk",
    "kernel_alignment",
    "kernel_distance",
    "kernel_drift",
    "kernel_flow",
    "linearize",
    "neural_tangents_time",
    "spectrum",
    "target_alignment",
]

_IMPLEMENTATIONS = {
    "jacobian": nt.NtkImplementation.JACOBIAN_CONTRACTION,
    "products": nt.NtkImplementation.NTK_VECTOR_PRODUCTS,
    "structured": nt.NtkImplementation.STRUCTURED_DERIVATIVES,
}


class Spectrum(NamedTuple):
    """Eigenpairs of a symmetric matrix, largest eigenvalue first; `vectors[:, i]` belongs to `values[i]`."""

    values: Float[Array, " n"]
    vectors: Float[Array, "n n"]
    residuals: Float[Array, " n"]  # |K v - lambda v|, the error of each pair as computed


def empirical_ntk(f: Callable, *, outputs: str = "all", implementation: str = "auto") -> Callable:
    r"""$K(x, x') = \nabla_\theta f(x; \theta)\, \nabla_\theta f(x'; \theta)^\top$, at finite width.

    The network must treat the samples one by one (no batch normalization). The returned function is compiled, once
    for each shape, and may itself be called under `jit`, `scan` and `vmap`.

    Args:
      f: a model `f(params, X)` of shape (n, c).
      outputs: `"all"` for every pair of outputs, `"mean"` for the trace over the outputs divided by c.
      implementation: how neural-tangents computes it. `"structured"` derivatives keep weight matrices factored, and
        form no Jacobian of one that acts on activations, as in `h @ W.T` (write gains on h, not on W, to keep it so);
        `"jacobian"` contracts full Jacobians, n c times the number of parameters in memory; `"products"` applies
        the kernel to one-hot vectors. `"auto"` is `"structured"`, the fastest wherever this was measured: more
        than ten times at width 128 (benchmarks/ntk.py), and no slower on the smallest networks.

    Returns:
      `kernel(params, X1, X2=None)` with X1 (n, d) and X2 (m, d), or X2 = X1 where none is given: (n c, m c) with rows
      and columns ordered (sample, output), the last fastest, or (n, m) for `"mean"`.

    Raises:
      TypeError, ValueError: for an unknown choice; when called, for inputs that are not finite matrices of equally
        many columns or a model whose output is not (n, c).

    Source: Jacot et al. (2018); Novak et al. (2022) for the implementations.
    """
    require.callable_("f", f)
    require.one_of("outputs", outputs, ("all", "mean"))
    require.one_of("implementation", implementation, ("auto", *_IMPLEMENTATIONS))
    pairwise = nt.empirical_ntk_fn(
        f,
        trace_axes=(-1,) if outputs == "mean" else (),
        vmap_axes=0,
        implementation=_IMPLEMENTATIONS["structured" if implementation == "auto" else implementation],
    )

    @jax.jit
    def compiled(params, X1, X2):
        out = jax.eval_shape(f, params, X1)
        if getattr(out, "ndim", None) != 2 or out.shape[0] != X1.shape[0]:
            raise ValueError(f"f(params, X) must have shape (n, c) = ({X1.shape[0]}, c), but gives {out}")
        K = pairwise(X1, X2, params)
        if outputs == "mean":
            return K
        n, m, c, _ = K.shape  # neural-tangents puts both samples before both outputs
        return K.transpose(0, 2, 1, 3).reshape(n * c, m * c)

    def kernel(params, X1: Float[Array, "n d"], X2: Float[Array, "m d"] | None = None) -> Float[Array, "rows columns"]:
        require.finite("params", params)
        require.matrix("X1", X1)
        if X2 is not None:
            require.matrix("X2", X2, columns=X1.shape[1])
        return compiled(params, X1, X2)

    return kernel


def spectrum(K: Float[Array, "n n"]) -> Spectrum:
    r"""$K v_i = \lambda_i v_i$ with $\lambda_1 \ge \lambda_2 \ge \dots$ and orthonormal $v_i$.

    Args:
      K: a symmetric matrix, (n, n).

    Returns:
      `Spectrum(values, vectors, residuals)`; `residuals[i]` is $\|K v_i - \lambda_i v_i\|$ for the K that was given.

    Raises:
      ValueError: if K is not finite, square and symmetric to round-off.
    """
    values, vectors = jnp.linalg.eigh(symmetric_part("K", K))
    values, vectors = values[::-1], vectors[:, ::-1]
    return Spectrum(values, vectors, jnp.linalg.norm(K @ vectors - vectors * values[None, :], axis=0))


def kernel_alignment(K1: Float[Array, "n m"], K2: Float[Array, "n m"]) -> Float[Array, ""]:
    r"""$A(K_1, K_2) = \langle K_1, K_2 \rangle_F / (\|K_1\|_F \|K_2\|_F)$: 1 for proportional kernels, not centered.

    Raises:
      ValueError: for matrices of different shapes, not finite, or zero.

    Source: Cristianini et al. (2001).
    """
    return jnp.vdot(*_unit("K1", K1, "K2", K2))


def kernel_distance(K1: Float[Array, "n m"], K2: Float[Array, "n m"]) -> Float[Array, ""]:
    r"""$1 - A(K_1, K_2) = \frac12 \|K_1/\|K_1\|_F - K_2/\|K_2\|_F\|_F^2$, between 0 and 2; blind to scale.

    The second form is computed: the first loses all digits for kernels that are nearly alike.

    Raises:
      ValueError: for matrices of different shapes, not finite, or zero.

    Source: Fort et al. (2020).
    """
    A, B = _unit("K1", K1, "K2", K2)
    return 0.5 * jnp.sum((A - B) ** 2)


def kernel_drift(K: Float[Array, "n m"], K0: Float[Array, "n m"]) -> Float[Array, ""]:
    r"""$\|K - K_0\|_F / \|K_0\|_F$: how far a kernel has moved from its reference, in direction and in scale.

    Raises:
      ValueError: for matrices of different shapes, not finite, or a reference that is zero.
    """
    require.matrix("K0", K0)
    require.matrix("K", K, rows=K0.shape[0], columns=K0.shape[1])
    return jnp.linalg.norm(K - K0) / _norm("K0", K0)


def target_alignment(K: Float[Array, "k k"], y: Float[Array, "n c"]) -> Float[Array, ""]:
    r"""$\langle K, Y Y^\top \rangle_F / (\|K\|_F \|Y Y^\top\|_F)$, for one output $y^\top K y / (\|K\|_F \|y\|^2)$.

    It is 1 for the kernel that is the targets' own, $K \propto Y Y^\top$.

    Args:
      K: a symmetric kernel, (n, n), or of all outputs, (n c, n c), for which Y is the one column of all n c targets.
      y: targets, (n, c).

    Raises:
      ValueError: if K is not finite, symmetric and of one of these shapes, or if K or y is zero.

    Source: Cristianini et al. (2001).
    """
    require.matrix("y", y)
    symmetric_part("K", K)
    if K.shape[0] not in (y.shape[0], y.size):
        raise ValueError(
            f"K must have n = {y.shape[0]} or n c = {y.size} rows for y of shape {y.shape}, but has {K.shape[0]}"
        )
    Y = y if K.shape[0] == y.shape[0] else y.reshape(-1, 1)
    return jnp.vdot(Y, K @ Y) / (_norm("K", K) * _norm("y", Y.T @ Y))  # |Y Y'|_F = |Y' Y|_F, and that one is c x c


def _norm(name: str, A: Float[Array, "..."]) -> Float[Array, ""]:
    norm = jnp.linalg.norm(A)
    if not isinstance(norm, jax.core.Tracer) and not norm > 0:
        raise ValueError(f"{name} must not be zero, but its norm is {float(norm)}")
    return norm


def _unit(name1, K1, name2, K2):
    require.matrix(name1, K1)
    require.matrix(name2, K2, rows=K1.shape[0], columns=K1.shape[1])
    return K1 / _norm(name1, K1), K2 / _norm(name2, K2)
