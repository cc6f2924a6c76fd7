r"""The network $f(x) = \sum_k a_k \max(0, w_k \cdot x)$ in closed form: what is known of it without a run."""

import functools

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require
from learndyn.lenses import _arguments as arguments


def outputs(W, A, X):
    return jax.nn.relu(X @ W.T) @ A.T


def kernel(params: PyTree, X: Float[Array, "n d"]) -> Float[Array, "n n"]:
    r"""$K_{ij} = \sum_k G_{ik}G_{jk}\,|a_k|^2\,x_i\cdot x_j + c\,h_i\cdot h_j$ with $h = \max(0, Wx)$ and G its gates.

    The neural tangent kernel of the two layers, summed over the c outputs.

    Args:
      params: parameters `({"W": (m, d)}, {"W": (c, m)})`.
      X: inputs (n, d).

    Raises:
      ValueError, TypeError: for shapes that do not fit, or numbers that are not finite.
    """
    require.finite("params", params)
    require.matrix("X", X, columns=params[0]["W"].shape[1])
    return kernel_of(params[0]["W"], params[1]["W"], X, X @ X.T)


def kernel_of(W, A, X, gram):
    """The same for matrices that have been checked, with $XX^\\top$ from outside: in a run it is computed once."""
    hidden = jax.nn.relu(X @ W.T)
    gates = (hidden > 0).astype(X.dtype)
    return (gates * jnp.sum(A**2, axis=0)[None]) @ gates.T * gram + A.shape[0] * hidden @ hidden.T


def saddle_rate(start: PyTree, X: Float[Array, "*own n d"], y: Float[Array, "*own n c"]) -> Float[Array, " E"]:
    r"""$\rho = \max_k \sigma_{\max}\bigl(\frac1n\sum_i 1[w_k\cdot x_i>0]\,y_ix_i^\top\bigr)$: the Hessian of a vanishing start.

    Where f is zero the residual part of the Hessian couples only $a_k$ with $w_k$, by this matrix, whatever their
    norms. Its spectrum is symmetric, so that $\rho$ is both its largest eigenvalue and the leading exponent of the
    saddle at the origin, in the sectors in which the neurons stand.

    Args:
      start: parameters `({"W": (E, m, d)}, {"W": (E, c, m)})` of E networks.
      X, y: the samples, (n, d) and (n, c) for all networks, or (E, n, d) and (E, n, c) for each its own.

    Raises:
      ValueError, TypeError: for shapes that do not fit, or numbers that are not finite.
    """
    W, _ = arguments.matrices(start, X, y)

    def rate(W, X, y):
        gates = (X @ W.T > 0).astype(X.dtype)
        return jnp.max(jnp.linalg.norm(jnp.einsum("nk,nc,nd->kcd", gates, y, X) / len(X), ord=2, axis=(1, 2)))

    own = 0 if X.ndim == 3 else None
    return jax.jit(jax.vmap(rate, (0, own, own)))(W, X, y)


def tangent_end(
    start: PyTree, X: Float[Array, "n d"], y: Float[Array, "n c"], learning_rates: Float[Array, " E"], *, steps: int
) -> PyTree:
    r"""$\theta_0 + J^\top \frac{1 - (1 - \eta JJ^\top/n)^N}{JJ^\top}\,y$: where N steps would lead if J stayed.

    Descent on the tangent model $f = J(\theta - \theta_0)$, without descending: one eigendecomposition of
    $JJ^\top$, of size n c, serves all rates. If the kernel at that place is not the one at the start, the tangent
    model contradicts itself.

    Args:
      start: $\theta_0$ of one network, `({"W": (m, d)}, {"W": (c, m)})`.
      X, y: the samples.
      learning_rates: $\eta$; where $\eta\lambda_{\max}(JJ^\top)/n > 2$ the tangent model diverges too.
      steps: N.

    Returns:
      Parameters with a leading axis of E.

    Raises:
      ValueError, TypeError: for shapes that do not fit, numbers that are not finite, or rates that are not positive.
    """
    arguments.positive_rates(learning_rates)
    require.positive_integer("steps", steps)
    arguments.matrices(jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], start), X, y)
    return _tangent_end(start, X, y, learning_rates, steps)


@functools.partial(jax.jit, static_argnums=4)
def _tangent_end(start, X, y, rates, steps):
    flat, unravel = ravel_pytree(start)
    said = lambda theta: outputs(*(layer["W"] for layer in unravel(theta)), X).ravel()
    J = jax.jacobian(said)(flat)
    values, vectors = jnp.linalg.eigh(J @ J.T / len(X))
    values = jnp.maximum(values, 0.0)
    products = rates[:, None] * values[None]
    small = products * steps < 1e-8
    learned = (1 - (1 - products) ** steps) / jnp.where(small, 1.0, values[None])
    share = jnp.where(small, steps * rates[:, None], learned)
    moved = (share * (vectors.T @ y.ravel())[None]) @ vectors.T @ J / len(X)
    return jax.vmap(unravel)(flat[None] + moved)
