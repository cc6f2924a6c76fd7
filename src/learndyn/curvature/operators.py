"""Symmetric matrices of a network as functions that multiply by them: no matrix is formed."""

from collections.abc import Callable

import equinox as eqx
import jax
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


class _Hessian(eqx.Module):
    # A pytree whose leaves are the parameters, so that one compiled solver serves all parameters of a loss.
    loss: Callable = eqx.field(static=True)
    params: PyTree

    def __call__(self, vector: PyTree) -> PyTree:
        same_shape("vector", vector, self.params)
        return jax.jvp(jax.grad(self.loss), (self.params,), (vector,))[1]


class _GaussNewton(eqx.Module):
    f: Callable = eqx.field(static=True)
    params: PyTree
    X: Array

    def __call__(self, vector: PyTree) -> PyTree:
        same_shape("vector", vector, self.params)
        outputs = lambda params: self.f(params, self.X)
        change = jax.jvp(outputs, (self.params,), (vector,))[1]
        return jax.vjp(outputs, self.params)[1](change)[0]


class _Kernel(eqx.Module):
    f: Callable = eqx.field(static=True)
    params: PyTree
    X: Array

    def __call__(self, vector: Float[Array, "n c"]) -> Float[Array, "n c"]:
        outputs = lambda params: self.f(params, self.X)
        value, pull = jax.vjp(outputs, self.params)
        same_shape("vector", vector, value)
        return jax.jvp(outputs, (self.params,), pull(vector))[1]


def hvp(loss: Callable[[PyTree], Float[Array, ""]], params: PyTree) -> Callable[[PyTree], PyTree]:
    r"""$v \mapsto H v$ with $H = \nabla^2 L(\theta)$, as the derivative of the gradient along v (forward over reverse).

    Args:
      loss: $L$, a scalar function of the parameters.
      params: $\theta$, a pytree of floating point arrays.

    Returns:
      A linear function from pytrees like params to pytrees like params. It costs two gradients: one to go through
      the network and one for the derivative of that. Where many products are made at the same parameters (as in
      `top_eigenpairs`) the first is made once.

    Raises:
      ValueError, TypeError: for parameters that are not finite floating point arrays or a loss that is no scalar;
        when called, for a vector of another structure.

    Source: Pearlmutter (1994).
    """
    require.loss(loss, params)
    require.static("loss", loss)
    return _Hessian(loss, params)


def gauss_newton(f: Callable, params: PyTree, X: Float[Array, "n ..."]) -> Callable[[PyTree], PyTree]:
    r"""$v \mapsto J^\top J v$: the Hessian of $\frac12\sum(f-y)^2$ without the curvature of the network itself.

    Its nonzero eigenvalues are those of the neural tangent kernel $JJ^\top$.

    Args:
      f: a model `f(params, X)` of shape (n, c).
      params: $\theta$, where $J = \partial f / \partial\theta$ is taken.
      X: inputs, n of them along the first axis.

    Raises:
      ValueError, TypeError: for arguments that are not finite arrays or no function.
    """
    _network(f, params, X)
    return _GaussNewton(f, params, X)


def ntk(f: Callable, params: PyTree, X: Float[Array, "n ..."]) -> Callable:
    r"""$u \mapsto J J^\top u$: a product with the neural tangent kernel of all outputs, for u of shape (n, c).

    The matrix itself is `learndyn.kernels.empirical_ntk(f)(params, X)`; this serves where it does not fit.

    Args:
      f: a model `f(params, X)` of shape (n, c).
      params: $\theta$.
      X: inputs, n of them along the first axis.

    Raises:
      ValueError, TypeError: for arguments that are not finite arrays or no function.
    """
    _network(f, params, X)
    return _Kernel(f, params, X)


def _network(f, params, X):
    require.callable_("f", f)
    require.static("f", f)
    require.finite("params", params)
    require.array("X", X)


def same_shape(name: str, vector: PyTree, like: PyTree) -> None:
    """The structure and the shapes of `like`."""
    if (given := jax.tree.map(jax.numpy.shape, vector)) != (needed := jax.tree.map(jax.numpy.shape, like)):
        raise ValueError(f"{name} must have the shapes {needed}, but has {given}")
