r"""The central flow: where gradient descent goes at the edge of stability, on average over its oscillations.

Near the edge descent is at $w + x$, where w moves slowly and x swings from side to side along the directions whose
curvature has come to $2/\eta$. With $\Sigma = \overline{xx^\top}$ the gradient is on average
$\nabla L(w) + \frac12\nabla\langle\nabla^2L(w), \Sigma\rangle$, and $\Sigma$ is what keeps the curvature at $2/\eta$.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Key, PyTree

from learndyn import _require as require
from learndyn.curvature import hvp, top_eigenpairs

TOLERANCE = 1e-9  # of the complementarity problem, relative to its terms
ITERATIONS = 300


class Center(NamedTuple):
    r"""The central flow at steps 0, 1, ..., steps.

    Attributes:
      losses: $L(w)$, at the center of the oscillations; less than the average loss.
      predicted: $L(w) + \mathrm{tr}\,\Sigma/\eta$, the average of the loss over the oscillations.
      eigenvalues: the largest of $\nabla^2L(w)$, descending.
      covariances: $\Sigma$ in the basis of the eigenvectors; zero away from the edge.
      gaps: how far the complementarity problem is from being solved, relative to its terms.
      params: w at the last step.
    """

    losses: Float[Array, " t"]
    predicted: Float[Array, " t"]
    eigenvalues: Float[Array, "t k"]
    covariances: Float[Array, "t k k"]
    gaps: Float[Array, " t"]
    params: PyTree


def integrate(
    loss: Callable[[PyTree], Float[Array, ""]],
    params0: PyTree,
    learning_rate: float,
    steps: int,
    *,
    directions: int = 1,
    substeps: int = 2,
    key: Key[Array, ""],
) -> Center:
    r"""$\dot w = -\eta\,(\nabla L + \frac12\nabla\langle\nabla^2L, \Sigma\rangle)$, one unit of time a step of descent.

    $\Sigma$ lives in the span of the top eigenvectors and is the one positive semidefinite matrix that keeps these
    eigenvalues from passing $2/\eta$ without holding down one that is below: with $H$ for what the Hessian becomes
    there in a time h, $\Sigma\succeq0$, $2/\eta - H\succeq0$, and $\langle\Sigma, 2/\eta - H\rangle=0$. Below the edge
    $\Sigma = 0$ and this is gradient flow. Each substep is one explicit Euler step of length h; the eigenvectors are
    followed by one step of Rayleigh and Ritz in the span of those of the substep before and their errors there.

    Args:
      loss: $L$, a scalar function of the parameters, three times differentiable.
      params0: $\theta_0$, a pytree of floating point arrays; its sharpness should not be above $2/\eta$.
      learning_rate: $\eta$ of the descent that is to be predicted.
      steps: how many steps of descent.
      directions: k, how many eigenvalues may be at the edge at once; one substep takes 2k + 2 products with the Hessian
        and k(k + 1)/2 of its derivatives.
      substeps: 1/h; at least 2, for an eigenvalue of $2/\eta$ times a whole step is the limit of Euler's method.
      key: a PRNG key, to find the first eigenvectors.

    Returns:
      `Center`.

    Raises:
      ValueError, TypeError: for bad arguments, before tracing.
      FloatingPointError: when the flow stops being finite: more eigenvalues come to the edge than `directions`, or the
        start is far above it.

    Source: Cohen et al. (2025).
    """
    require.loss(loss, params0)
    require.static("loss", loss)
    require.positive("learning_rate", learning_rate)
    require.positive_integer("steps", steps)
    require.positive_integer("directions", directions)
    require.positive_integer("substeps", substeps)
    if substeps < 2:
        raise ValueError(f"substeps must be at least 2, the limit of Euler's method at the edge, but is {substeps}")
    require.key("key", key)
    w = ravel_pytree(params0)[0]
    if directions + 1 > w.size:
        raise ValueError(f"directions must be less than the number of parameters, {w.size}, but is {directions}")
    # As `curvature.descend` begins, so that where both are run the search is compiled once: the substeps go on to refine.
    found = max(directions, min(3, w.size))
    pairs = top_eigenpairs(hvp(loss, params0), params0, found, key=key, tolerance=1e-3, throw=False)
    vectors = jax.vmap(lambda v: ravel_pytree(v)[0])(pairs.vectors)
    # room for one more than may be critical, to see the next one come, and for their corrections
    others = jax.random.normal(jax.random.fold_in(key, 1), (min(2 * directions + 2, w.size) - found, w.size), w.dtype)
    basis = _orthonormal(vectors, others)
    params, seen = _compiled(loss, steps, directions, substeps)(params0, basis, learning_rate)
    losses, eigenvalues, covariances, gaps = seen
    if not bool(jnp.all(jnp.isfinite(losses))):
        last = int(np.argmin(np.isfinite(np.asarray(losses))))
        raise FloatingPointError(
            f"central_flow: the loss is no longer finite at step {last} of {steps}; let more directions than {directions} be "
            "at the edge, or start below it"
        )
    predicted = losses + jnp.trace(covariances, axis1=1, axis2=2) / learning_rate
    return Center(losses, predicted, eigenvalues, covariances, gaps, params)


@functools.lru_cache(maxsize=8)
def _compiled(loss, steps, k, substeps):
    rows, columns = np.triu_indices(k)

    @jax.jit
    def run(params, basis, learning_rate):
        w, unravel = ravel_pytree(params)
        flat = lambda w: loss(unravel(w))
        h = learning_rate / substeps

        def entry(w, u, v):  # u'Hv, as a function of where the Hessian is taken
            return u @ jax.jvp(jax.grad(flat), (w,), (v,))[1]

        def substep(carry, _):
            w, _, basis, before, Sigma = carry
            (value, gradient), multiply = jax.linearize(jax.value_and_grad(flat), w)
            values, U, basis = _rayleigh_ritz(basis, jax.vmap(lambda v: multiply(v)[1])(basis), k)
            turn = U @ before.T
            upper = jax.vmap(lambda i, j: jax.grad(entry)(w, U[i], U[j]))(rows, columns)
            slopes = jnp.zeros((k, k, w.size)).at[rows, columns].set(upper).at[columns, rows].set(upper)
            room = jnp.diag(2 / learning_rate - values) + h * slopes @ gradient
            brake = 0.5 * h * jnp.einsum("ijp,klp->ijkl", slopes, slopes)
            Sigma, gap = _solve(room, brake, turn @ Sigma @ turn.T)
            drift = gradient + 0.5 * jnp.einsum("ij,ijp->p", Sigma, slopes)
            return (w - h * drift, w, basis, U, Sigma), (value, values, Sigma, gap)

        start = w, w, basis, basis[:k], jnp.zeros((k, k), w.dtype)
        (_, w, *_), seen = jax.lax.scan(substep, start, None, length=steps * substeps + 1)
        return unravel(w), [each[::substeps] for each in seen]

    return run


def _rayleigh_ritz(basis, images, k):
    """The first k eigenpairs in the span of the basis, and the basis of the next step: eigenvectors and their errors."""
    projected = basis @ images.T
    values, mixing = jnp.linalg.eigh(0.5 * (projected + projected.T))
    values, mixing = values[::-1], mixing[:, ::-1].T
    half = min(k + 1, len(basis) - 1)
    vectors = mixing[:half] @ basis
    errors = mixing[:half] @ images - values[:half, None] * vectors
    return values[:k], vectors[:k], _orthonormal(vectors, errors[: len(basis) - half])


def _orthonormal(vectors, others):
    """The vectors, which are orthonormal, and what the others add to their span."""
    outside = others - (others @ vectors.T) @ vectors
    columns = jnp.linalg.qr(jnp.concatenate([vectors, outside]).T)[0]
    return jnp.concatenate([vectors, columns.T[len(vectors) :]])


def complementarity(
    room: Float[Array, "k k"], brake: Float[Array, "k k k k"], start: Float[Array, "k k"] | None = None
) -> Float[Array, "k k"]:
    r"""$X \succeq 0,\quad Y = A + G[X] \succeq 0,\quad \langle X, Y\rangle = 0$.

    These are the conditions for the minimum of $\frac12\langle X, G[X]\rangle + \langle A, X\rangle$ over positive
    semidefinite X, found by accelerated projected gradients; for k = 1 it is $X = \max(0, -A/G)$.

    Args:
      room: A, symmetric: how far the Hessian will be below $2/\eta$ if nothing brakes it.
      brake: G, with $G[X]_{ij} = \sum_{kl}G_{ijkl}X_{kl}$: how much room a covariance makes; positive semidefinite.
      start: a first guess, such as the solution of a neighboring problem.

    Returns:
      X.

    Raises:
      ValueError: for shapes that do not fit, or if the tolerance is not met (the room is negative where there is no
        brake, so that there is no solution).
    """
    require.matrix("room", room)
    k = room.shape[0]
    if room.shape != (k, k):
        raise ValueError(f"room must be square, but has shape {room.shape}")
    require.array("brake", brake, ndim=4)
    if brake.shape != (k, k, k, k):
        raise ValueError(f"brake must have shape {(k, k, k, k)}, but has shape {brake.shape}")
    if start is not None:
        require.matrix("start", start, rows=k, columns=k)
    X, gap = _solve(room, brake, jnp.zeros_like(room) if start is None else start)
    if not isinstance(gap, jax.core.Tracer) and not gap <= TOLERANCE:
        raise ValueError(f"room must be positive where brake is zero, or there is no solution: the gap is {float(gap):.1e}")
    return X


def _solve(A, G, start):
    length = 1 / (jnp.linalg.norm(G) + jnp.finfo(A.dtype).tiny)

    def project(M):
        values, vectors = jnp.linalg.eigh(0.5 * (M + M.T))
        return (vectors * jnp.maximum(values, 0)[None, :]) @ vectors.T

    def iterate(state):
        X, Z, pace, _, count = state
        new = project(Z - length * (A + jnp.einsum("ijkl,kl->ij", G, Z)))
        # momentum that points uphill is forgotten
        pace = jnp.where(jnp.sum((Z - new) * (new - X)) > 0, 1.0, pace)
        quicker = 0.5 * (1 + jnp.sqrt(1 + 4 * pace**2))
        gap = jnp.linalg.norm(new - Z) / length / (jnp.linalg.norm(A) + jnp.finfo(A.dtype).tiny)
        return new, new + (pace - 1) / quicker * (new - X), quicker, gap, count + 1

    def going(state):
        return (state[3] > TOLERANCE) & (state[4] < ITERATIONS)

    one = jnp.ones((), A.dtype)
    X, _, _, gap, _ = jax.lax.while_loop(going, iterate, (start, start, one, jnp.inf * one, 0))
    return X, gap
