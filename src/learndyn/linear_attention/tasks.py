"""Regression tasks in context, and the layer that reads them."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from learndyn import _require as require
from learndyn.linear_attention import _arguments as arguments


class Contexts(NamedTuple):
    """Regression tasks, each with its examples and one question.

    Attributes:
      inputs: the $x_j$ of every context.
      values: the $y_j$.
      query: $x_q$.
      answer: $y_q$, which the network is to find.
    """

    inputs: Float[Array, "n N d"]
    values: Float[Array, "n N"]
    query: Float[Array, "n d"]
    answer: Float[Array, "n 1"]


def contexts(covariance: Float[Array, "d d"], length: int, count: int, *, key: PRNGKeyArray) -> Contexts:
    r"""$x_1, \dots, x_N, x_q \sim \mathcal N(0, \Sigma)$, $\beta \sim \mathcal N(0, I)$, $y = \beta \cdot x$: independent contexts.

    Args:
      covariance: $\Sigma$, symmetric and positive semidefinite.
      length: N, examples in a context.
      count: n, contexts.
      key: a PRNG key.

    Raises:
      ValueError, TypeError: for a matrix that is no covariance, a size below one, or no key.
    """
    root = arguments.root(covariance)
    require.positive_integer("length", length)
    require.positive_integer("count", count)
    require.key("key", key)
    return _draw(root, length, count, key)


def summary(contexts: Contexts) -> Float[Array, "n e"]:
    r"""$(g, x_q)$ with $g = \sum_j y_j x_j$: all that a linear attention layer sees of a context.

    Raises:
      TypeError: for anything but `Contexts`.
    """
    if not isinstance(contexts, Contexts):
        raise TypeError(f"contexts must be Contexts, as linear_attention.contexts draws them, but is {contexts!r}")
    g = jnp.einsum("njd,nj->nd", contexts.inputs, contexts.values)
    return jnp.concatenate([g, contexts.query], axis=1)


def head(theta: Float[Array, "p"], X: Float[Array, "n e"]) -> Float[Array, "n 1"]:
    r"""$v\,(g \cdot k)(q \cdot x_q)$ with $\theta = (v, k, q)$: one head of rank one, a neuron of degree 3.

    Args:
      theta: 1 + 2d numbers.
      X: rows $(g, x_q)$, as `summary` and `exact_sample` return them.

    Raises:
      ValueError, TypeError: when the sizes do not fit.
    """
    require.array("theta", theta, ndim=1)
    d = (theta.shape[0] - 1) // 2
    if theta.shape[0] != 1 + 2 * d or not d:
        raise ValueError(f"theta must hold 1 + 2d numbers (v, k, q), but has shape {tuple(theta.shape)}")
    require.matrix("X", X, columns=2 * d)
    return theta[0] * (X[:, :d] @ theta[1 : 1 + d] * (X[:, d:] @ theta[1 + d :]))[:, None]


def matrix(heads: Float[Array, "H p"]) -> Float[Array, "d d"]:
    r"""$M = \sum_h v_h\, q_h k_h^\top$, with which $\hat y = x_q^\top M g$: what all the heads do together.

    Raises:
      ValueError, TypeError: for rows that are not (v, k, q).
    """
    require.matrix("heads", heads)
    d = (heads.shape[1] - 1) // 2
    if heads.shape[1] != 1 + 2 * d or not d:
        raise ValueError(f"heads must be rows of 1 + 2d numbers (v, k, q), but have shape {tuple(heads.shape)}")
    return jnp.einsum("h,hi,hj->ij", heads[:, 0], heads[:, 1 + d :], heads[:, 1 : 1 + d])


@functools.partial(jax.jit, static_argnums=(1, 2))
def _draw(root, length, count, key):
    key_inputs, key_query, key_task = jax.random.split(key, 3)
    d = root.shape[0]
    inputs = jax.random.normal(key_inputs, (count, length, d), root.dtype) @ root
    query = jax.random.normal(key_query, (count, d), root.dtype) @ root
    task = jax.random.normal(key_task, (count, d), root.dtype)
    values = jnp.einsum("njd,nd->nj", inputs, task)
    return Contexts(inputs, values, query, jnp.sum(query * task, axis=1, keepdims=True))
