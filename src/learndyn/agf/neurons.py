r"""A two-layer network as a sum of homogeneous neurons, $f(x) = \sum_i f_i(x; \theta_i)$, and what a neuron can gain.

A neuron is one function `neuron(theta, X) -> (n, c)` of p parameters, homogeneous of degree $\kappa \ge 2$ in them:
$f_i(x; s\theta) = s^\kappa f_i(x; \theta)$ for $s > 0$. What differs between neurons is $\theta_i$ and, where wanted, the
inputs that they see: X of shape (n, d) is seen by all, X of shape (H, n, d) gives every neuron its own.

    relu = lambda theta, X: theta[0] * jax.nn.relu(X @ theta[1:])[:, None]      # degree 2, p = 1 + d
    diagonal = lambda theta, x: theta[0] * theta[1] * x                         # degree 2, with X.T[:, :, None]
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from learndyn import _require as require


def outputs(neuron: Callable, neurons: Float[Array, "H p"], X: Float[Array, "..."]) -> Float[Array, "H n c"]:
    r"""$f_i(x; \theta_i)$ of every neuron, not yet summed.

    Args:
      neuron: `neuron(theta, X)` of shape (n, c).
      neurons: $\theta$, one neuron a row.
      X: inputs (n, d) for all neurons, or (H, n, d) for each its own.

    Raises:
      TypeError: when the neuron is not a function.
    """
    require.callable_("neuron", neuron)
    return jax.vmap(neuron, (0, 0 if X.ndim == 3 else None))(neurons, X)


def loss(
    neuron: Callable, X: Float[Array, "..."], y: Float[Array, "n c"]
) -> Callable[[Float[Array, "H p"]], Float[Array, ""]]:
    r"""$L(\theta) = \tfrac12 \mathbb E\, |\sum_i f_i(x; \theta_i) - y|^2$: a mean over samples, a sum over outputs.

    `losses.squared_loss` is n times this, and its flow runs n times faster.

    Args:
      neuron: `neuron(theta, X)` of shape (n, c).
      X: inputs (n, d) for all neurons, or (H, n, d) for each its own.
      y: targets (n, c).

    Returns:
      `loss(neurons)`, a scalar function of an (H, p) array.

    Raises:
      ValueError, TypeError: when X and y do not fit, or hold numbers that are not finite.
    """
    require.callable_("neuron", neuron)
    data(X, y)

    def loss(neurons: Float[Array, "H p"]) -> Float[Array, ""]:
        return 0.5 * jnp.mean(jnp.sum((jnp.sum(outputs(neuron, neurons, X), axis=0) - y) ** 2, axis=-1))

    return loss


def utilities(
    neuron: Callable, neurons: Float[Array, "H p"], X: Float[Array, "..."], residual: Float[Array, "n c"]
) -> Float[Array, "H"]:
    r"""$\hat U_i = \mathbb E\, \langle f_i(x; \theta_i/|\theta_i|),\, r(x) \rangle$: the rate at which neuron i can lower the loss.

    A neuron so small that the residual does not feel it moves by
    $\dot\theta = \nabla_\theta \mathbb E\langle f_i, r\rangle$. With Euler's theorem,
    $\theta \cdot \nabla f_i = \kappa f_i$, its norm obeys $\frac{d}{dt}|\theta| = \kappa |\theta|^{\kappa - 1} \hat U$,
    and its direction climbs $\hat U$ on the sphere:
    $\frac{d}{dt}\hat\theta = |\theta|^{\kappa - 2} P_\perp \nabla U(\hat\theta)$.

    Args:
      neuron: `neuron(theta, X)` of shape (n, c).
      neurons: one neuron a row, none of them zero; only their directions matter.
      X: inputs (n, d) for all neurons, or (H, n, d) for each its own.
      residual: $r = y - f$, what is left to be learned.

    Raises:
      ValueError, TypeError: for shapes that do not fit, a neuron that is zero, or numbers that are not finite.

    Source: Kunin et al. (2025), equations 3 to 5.
    """
    require.callable_("neuron", neuron)
    data(X, residual, "residual")
    _, directions = polar(neurons)
    return jnp.einsum("hnc,nc->h", outputs(neuron, directions, X), residual) / residual.shape[0]


def polar(neurons: Float[Array, "H p"]) -> tuple[Float[Array, "H"], Float[Array, "H p"]]:
    r"""$\log|\theta_i|$ and $\theta_i/|\theta_i|$, also where the square of the norm is no number of the machine's.

    Args:
      neurons: one neuron a row, none of them zero.

    Raises:
      ValueError, TypeError: for a neuron that is zero, which has no direction, or numbers that are not finite.
    """
    require.matrix("neurons", neurons)
    neurons = jnp.asarray(neurons, jnp.result_type(neurons, float))
    largest = jnp.max(jnp.abs(neurons), axis=1)
    if not isinstance(largest, jax.core.Tracer) and (zero := np.flatnonzero(np.asarray(largest) == 0)).size:
        raise ValueError(f"neurons must not be zero, which has no direction and never leaves, but neurons[{zero[0]}] is")
    scaled = neurons / largest[:, None]
    norm = jnp.linalg.norm(scaled, axis=1)
    return jnp.log(largest) + jnp.log(norm), scaled / norm[:, None]


def data(X, y, name="y") -> None:
    """Inputs (n, d) or (H, n, d), and targets (n, c) of as many samples."""
    require.array("X", X)
    if X.ndim not in (2, 3) or 0 in X.shape:
        raise ValueError(f"X must have shape (n, d), or (H, n, d) for each neuron its own, but has shape {tuple(X.shape)}")
    if getattr(y, "ndim", None) == 1:
        raise ValueError(f"{name} must have shape (n, c), but has shape {tuple(y.shape)}; for one output write y[:, None]")
    require.matrix(name, y, rows=X.shape[-2])


def problem(neuron: Callable, X, y, neurons, degree) -> None:
    r"""What every method for sums of homogeneous neurons needs: data that fit, and a neuron of the degree it claims.

    Homogeneity is measured, not believed: at random unit vectors the outputs at $\tfrac12\theta$ and $2\theta$ are
    compared with those at $\theta$, entry by entry.

    Raises:
      ValueError, TypeError: with the argument, its value, and what is needed; for a neuron of another degree, or none,
        with the exponents that were measured.
    """
    require.callable_("neuron", neuron)
    require.static("neuron", neuron)
    data(X, y)
    polar(neurons)
    if X.ndim == 3 and X.shape[0] != neurons.shape[0]:
        raise ValueError(f"X must hold the inputs of {neurons.shape[0]} neurons, but has shape {tuple(X.shape)}")
    require.number("degree", degree)
    if degree < 2:
        raise ValueError(f"degree must be at least 2 (a neuron of lower degree does not stay near zero), but is {degree!r}")
    probes = np.random.default_rng(0).normal(size=(max(8, neurons.shape[0]), neurons.shape[1]))
    probes = jnp.asarray(probes / np.linalg.norm(probes, axis=1, keepdims=True), jnp.result_type(neurons, float))
    inputs = jnp.resize(X, (len(probes), *X.shape[1:])) if X.ndim == 3 else X
    half, one, two = (outputs(neuron, scale * probes, inputs) for scale in (0.5, 1.0, 2.0))
    if one.shape[1:] != y.shape:
        raise ValueError(f"y must have the shape of a neuron's outputs, {one.shape[1:]}, but has shape {tuple(y.shape)}")
    require.finite("neuron(theta, X)", one)
    if not jnp.any(one != 0):
        raise ValueError(f"neuron must not be zero everywhere, but is at all of {len(probes)} random unit vectors")
    wrong = jnp.maximum(jnp.abs(two - 2.0**degree * one), jnp.abs(2.0**degree * half - one))
    if float(jnp.max(wrong)) > 1e4 * float(jnp.finfo(one.dtype).eps) * float(jnp.max(jnp.abs(two))):
        size = [float(jnp.linalg.norm(value)) for value in (half, one, two)]
        low, high = (np.log2(size[k + 1] / size[k]) for k in range(2))
        raise ValueError(
            f"neuron must be homogeneous of degree {degree} in theta, but its outputs grow with |theta| to the power "
            f"{low:.3g} from 1/2 to 1 and {high:.3g} from 1 to 2"
        )
