r"""How much of the targets lies in the first eigenvectors of a kernel, and how that changes along a run."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require
from learndyn.kernels import empirical_ntk, spectrum, target_alignment


class KernelState(NamedTuple):
    """What is kept of a kernel at one moment.

    Attributes:
      eigenvalues: the k largest, descending.
      cumulative_alignment: the share of the targets in the first 1, ..., k eigenvectors.
      target_alignment: the cosine between the kernel and that of the targets.
    """

    eigenvalues: Float[Array, " k"]
    cumulative_alignment: Float[Array, " k"]
    target_alignment: Float[Array, ""]


def cumulative_alignment(K: Float[Array, "m m"], y: Float[Array, "n c"], k: int | None = None) -> Float[Array, " k"]:
    r"""$C_k = \sum_{i \le k} |v_i \cdot y|^2 / |y|^2$: the share of the targets in the first k eigenvectors of K.

    It rises from $C_1$ to 1, and does not depend on the scale of K. Where $\lambda_k = \lambda_{k+1}$ the k-th of these
    numbers is not determined by K.

    Args:
      K: a symmetric kernel, (n, n), or of all outputs, (n c, n c), with rows ordered (sample, output).
      y: targets, (n, c). Their columns count together for an (n, n) kernel.
      k: how many; by default all.

    Returns:
      $C_1, \dots, C_k$, shape (k,).

    Raises:
      ValueError: if K is not finite, symmetric and of one of these shapes, or if y is zero.
    """
    return _state(K, y, k).cumulative_alignment


def kernel_observable(
    f: Callable,
    X: Float[Array, "n d"],
    y: Float[Array, "n c"],
    k: int = 20,
    *,
    outputs: str = "all",
    kernel: Callable | None = None,
) -> Callable[[PyTree], KernelState]:
    r"""$\theta \mapsto$ the spectrum of the neural tangent kernel and its alignment with the targets.

    To be passed as `observe` to `learndyn.descent.descend`, `learndyn.flows.gradient_flow` or
    `learndyn.curvature.descend`. Each evaluation makes the kernel and its eigenvectors: use `every`.

    Args:
      f: a model `f(params, X)` of shape (n, c).
      X, y: inputs and targets.
      k: how many eigenvalues and alignments to keep, at most the rows of the kernel.
      outputs: `"all"` or `"mean"`, as of `learndyn.kernels.empirical_ntk`.
      kernel: another `kernel(params, X)`, by default `empirical_ntk(f, outputs=outputs)`.

    Returns:
      A function from parameters to `KernelState`.

    Raises:
      ValueError, TypeError: for bad arguments; when called, as `target_alignment`.
    """
    require.matrix("X", X)
    require.matrix("y", y, rows=X.shape[0])
    kernel = empirical_ntk(f, outputs=outputs) if kernel is None else kernel
    require.callable_("kernel", kernel)
    rows = y.size if outputs == "all" else y.shape[0]
    require.positive_integer("k", k)
    if k > rows:
        raise ValueError(f"k must be at most the {rows} rows of the kernel, but is {k}")
    return lambda params: _state(kernel(params, X), y, k)


def _state(K, y, k):
    total = target_alignment(K, y)
    if k is not None:
        require.positive_integer("k", k)
        if k > K.shape[0]:
            raise ValueError(f"k must be at most the {K.shape[0]} rows of K, but is {k}")
    values, vectors, _ = spectrum(K)
    Y = y if K.shape[0] == y.shape[0] else y.reshape(-1, 1)
    shares = jnp.sum((vectors.T @ Y) ** 2, axis=1) / jnp.sum(Y**2)
    return KernelState(values[:k], jnp.cumsum(shares)[:k], total)
