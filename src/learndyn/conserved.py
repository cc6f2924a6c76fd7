"""Conserved quantities of gradient flow: what a symmetry's generator does to the gradient, and what it keeps constant.

A *generator* is a plain function xi(params) that returns a direction, of the structure of the parameters, and is
affine: $\\xi(\\theta) = B\\theta + b$. It generates $\\theta \\to \\theta + \\epsilon\\,\\xi(\\theta)$, and belongs to
a symmetry if the loss does not change along it. How the laws break in discrete time is in `learndyn.drift` and
`learndyn.momentum`; how generators are found, in `learndyn.symmetries`.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


class Constraint(NamedTuple):
    """The gradient's component along a generator; both numbers are zero for a symmetry."""

    product: Float[Array, ""]  # <grad L, xi>
    cosine: Float[Array, ""]  # of the angle between them; zero where one of them vanishes


def constraint(loss: Callable[[PyTree], Float[Array, ""]], generator: Callable[[PyTree], PyTree]) -> Callable:
    r"""$\langle\nabla L(\theta), \xi(\theta)\rangle = 0$ if the loss is invariant along $\xi$.

    It holds at every point, on no trajectory in particular, and for every loss and batch of a network whose outputs
    are invariant.

    Args:
      loss: $L$, a scalar function of the parameters.
      generator: $\xi$, from parameters to a direction of the same structure and shapes. It need not be affine here.

    Returns:
      `measure(params) -> Constraint(product, cosine)`. A cosine of the size of the rounding unit is a zero.

    Raises:
      TypeError, ValueError: when loss or generator is no function; when measured, for parameters that are not finite,
        a loss that is not one number, or a direction that does not fit the parameters.

    Source: Kunin et al. (2021).
    """
    require.callable_("loss", loss)
    require.callable_("generator", generator)

    def measure(params: PyTree) -> Constraint:
        require.loss(loss, params)
        gradient = ravel_pytree(jax.grad(loss)(params))[0]
        direction = ravel_pytree(tangent(generator, params))[0]
        product = jnp.vdot(gradient, direction)
        norms = jnp.linalg.norm(gradient) * jnp.linalg.norm(direction)
        return Constraint(product, product / jnp.where(norms > 0, norms, 1.0))

    return measure


def quantity(generator: Callable[[PyTree], PyTree], params: PyTree) -> Callable[[PyTree], Float[Array, ""]]:
    r"""$Q(\theta) = \frac12\,\theta\cdot B\theta + b\cdot\theta$, so that $\nabla Q = \xi$ for $B = B^\top$.

    Under $\dot\theta = -\nabla L$ then $\dot Q = -\langle\xi, \nabla L\rangle = 0$ if $\xi$ generates a symmetry.
    With no matrix: $Q(\theta) = \frac12\,\theta\cdot(\xi(\theta) + \xi(0))$.

    Without $B = B^\top$ the direction $\xi$ is the gradient of no function. The symmetry still confines the velocity,
    $\langle\dot\theta, \xi\rangle = 0$, as a wheel is confined that rolls without slipping, and that keeps no number
    fixed in general. (In a plane it does: there $\xi/r^2$ of a rotation is the gradient of the angle.)

    Args:
      generator: $\xi$, affine in the parameters.
      params: any parameters of the structure and shapes that are meant; their values do not matter.

    Returns:
      `Q(params)`.

    Raises:
      TypeError, ValueError: if the generator is not affine, or its linear part is not symmetric, as seen on random
        parameters (the error names the departure), or its directions do not fit the parameters.

    Source: Kunin et al. (2021) for translation, scale and rescale; Tanaka & Kunin (2021).
    """
    require.callable_("generator", generator)
    require.finite("params", params)
    zero = jax.tree.map(jnp.zeros_like, params)
    offset = tangent(generator, zero)
    require.finite("generator(0)", offset)
    if not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(offset)):
        _check_affine_and_symmetric(generator, zero, offset)

    def Q(params: PyTree) -> Float[Array, ""]:
        flat = ravel_pytree(params)[0]
        return 0.5 * jnp.vdot(flat, ravel_pytree(tangent(generator, params))[0] + ravel_pytree(offset)[0])

    return Q


def balancedness(params: PyTree) -> tuple[Float[Array, "_ _"], ...]:
    r"""$Q_l = W_{l+1}^\top W_{l+1} - W_l W_l^\top - b_l b_l^\top$ for each hidden layer: conserved by linear networks.

    With k hidden neurons Q is k x k, one number for each symmetric matrix G that turns $W_l$ into $W_l + \epsilon G
    W_l$ and $W_{l+1}$ into $W_{l+1} - \epsilon W_{l+1} G$. Gains in the forward pass do not matter.

    Args:
      params: a tuple of layers `{"W": (out, in)}`, with or without `"b": (out,)`, as of `models.mlp`.

    Returns:
      A tuple of L - 1 matrices for L layers. A layer without a bias has no $b_l b_l^\top$.

    Raises:
      TypeError, ValueError: for other parameters, fewer than two layers, or widths that do not fit.

    Source: Du, Hu & Lee (2018); Arora, Cohen & Hazan (2018).
    """
    pairs = _consecutive(params)
    return tuple(above.T @ above - below @ below.T for below, above in pairs)


def neuron_balancedness(params: PyTree) -> tuple[Float[Array, " _"], ...]:
    r"""$\|W_{l+1}[:, j]\|^2 - \|W_l[j]\|^2 - b_{l,j}^2$ for each hidden neuron j: conserved by ReLU networks.

    The diagonal of `balancedness`: $\phi(gz) = g\,\phi(z)$ for $g > 0$ leaves of $GL_k$ the scale of each neuron.

    Args:
      params: a tuple of layers, as for `balancedness`.

    Returns:
      A tuple of L - 1 vectors.

    Raises:
      TypeError, ValueError: as `balancedness`.

    Source: Du, Hu & Lee (2018).
    """
    pairs = _consecutive(params)
    return tuple(jnp.sum(above**2, axis=0) - jnp.sum(below**2, axis=1) for below, above in pairs)


def tangent(generator: Callable[[PyTree], PyTree], params: PyTree) -> PyTree:
    r"""$\xi(\theta)$, after a check that it has the structure and the shapes of $\theta$.

    Raises:
      TypeError, ValueError: if generator is no function, or what it returns cannot be added to the parameters.
    """
    require.callable_("generator", generator)
    direction = generator(params)
    wanted, given = (jax.tree.map(jnp.shape, tree) for tree in (params, direction))
    if given != wanted:
        raise ValueError(f"generator must return a direction with the shapes {wanted} of params, but returns {given}")
    return direction


def _consecutive(params):
    """(W_l with its bias as one more column, W_{l+1}) for each hidden layer."""
    require.sequence("params", params)
    for level, layer in enumerate(layers := tuple(params)):
        if not isinstance(layer, dict) or "W" not in layer:
            raise TypeError(f'params[{level}] must be a layer {{"W": ..., "b": ...}}, but is {layer!r}')
        below = layers[level - 1]["W"].shape[0] if level else None
        require.matrix(f"params[{level}]['W']", layer["W"], columns=below)
        if "b" in layer:
            require.array(f"params[{level}]['b']", layer["b"], ndim=1)
            if layer["b"].shape != (rows := layer["W"].shape[:1]):
                raise ValueError(f"params[{level}]['b'] must have shape {rows}, but has shape {layer['b'].shape}")
    if len(layers) < 2:
        raise ValueError(f"params must hold at least two layers, for balance is between two, but holds {len(layers)}")
    columns = [
        jnp.concatenate([layer["W"], layer["b"][:, None]], axis=1) if "b" in layer else layer["W"] for layer in layers
    ]
    return [(below, layer["W"]) for below, layer in zip(columns[:-1], layers[1:])]


def _check_affine_and_symmetric(generator, zero, offset):
    """On random directions: xi(a u + c v) - a xi(u) - c xi(v) is (1 - a - c) xi(0), and B u is B^T u."""
    flat0, unravel = ravel_pytree(zero)
    allowed = 1e4 * float(jnp.finfo(flat0.dtype).eps)
    random = np.random.default_rng(0)  # NumPy's, which compiles nothing
    draw = lambda: unravel(jnp.asarray(random.normal(size=flat0.shape), flat0.dtype))
    linear = lambda u: jax.tree.map(jnp.subtract, tangent(generator, u), offset)
    flat = lambda tree: np.asarray(ravel_pytree(tree)[0], dtype=float)

    u, v = draw(), draw()
    mixed, parts = flat(linear(jax.tree.map(lambda x, y: 1.7 * x - 0.6 * y, u, v))), (flat(linear(u)), flat(linear(v)))
    size = np.linalg.norm(mixed) + np.linalg.norm(parts[0]) + np.linalg.norm(flat(offset))
    curved = np.linalg.norm(mixed - 1.7 * parts[0] + 0.6 * parts[1])
    if not curved <= allowed * size:
        raise ValueError(
            f"generator must be affine in the parameters, but xi(1.7 u - 0.6 v) and what an affine one gives differ by "
            f"{curved / size:.2g} of their size"
        )
    transpose = jax.linear_transpose(lambda p: jax.jvp(generator, (zero,), (p,))[1], zero)
    turned = [flat(linear(w)) - flat(transpose(w)[0]) for w in (u, v)]
    whole = np.linalg.norm(parts)
    if not (asymmetry := 0.5 * np.linalg.norm(turned)) <= allowed * whole:
        raise ValueError(
            f"generator must have a symmetric linear part B, but its antisymmetric part is {asymmetry / whole:.2g} of "
            "it: a rotation confines the velocity, and is the gradient of no function that could be conserved"
        )
