"""Teacher and student: a task whose answer is a few directions, and networks that start at a chosen scale.

All are parameters of `models.mlp((d, width, 1), activation="relu", parametrization="standard")`, the bare network
$f(x) = \\sum_j a_j \\max(0, w_j \\cdot x)$.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from learndyn import _require as require

Number = float | Float[Array, ""]


def teacher(d: int, *, width: int = 3, key: PRNGKeyArray) -> PyTree:
    r"""$f^*(x) = \sum_{k=1}^{m_0} \pm \max(0, u_k \cdot x)$ with $\|u_k\| = 1$: the function that is to be learned.

    Args:
      d: inputs.
      width: neurons of the teacher, $m_0$; their directions are uniform on the sphere, their signs fair coins.
      key: a PRNG key.

    Returns:
      `({"W": (width, d)}, {"W": (1, width)})`.

    Raises:
      ValueError, TypeError: for a size below one, or no key.

    Source: Chizat, Oyallon & Bach (2019), section 3.1.
    """
    require.positive_integer("width", width)
    key_directions, key_signs = _two_keys(key)
    return {"W": inputs(width, d, key=key_directions)}, {"W": jax.random.rademacher(key_signs, (1, width), float)}


def student(d: int, width: int, *, scale: Number, ratio: Number = 1.0, key: PRNGKeyArray) -> PyTree:
    r"""$\|w_j\| = \tau\rho$ and $a_j = \pm\tau/\rho$, in pairs $(a, w), (-a, w)$, so that $f = 0$ at the start.

    Under gradient flow each neuron of a ReLU network conserves $a_j^2 - \|w_j\|^2$, which is
    $\tau^2(\rho^{-2} - \rho^2)$ here: zero for ratio one, positive (*upstream*) below it, negative (*downstream*)
    above.

    Args:
      d: inputs.
      width: neurons of the student, an even number; neuron `width // 2 + j` is the twin of neuron j.
      scale: $\tau > 0$, the geometric mean of $\|w_j\|$ and $|a_j|$. It and `ratio` may be traced numbers, so that
        `jax.vmap` draws one student for each scale, all with the same directions.
      ratio: $\rho > 0$; $\|w_j\| / |a_j| = \rho^2$.
      key: a PRNG key.

    Returns:
      `({"W": (width, d)}, {"W": (1, width)})`.

    Raises:
      ValueError, TypeError: for a size that is odd or below one, a scale or ratio that is not positive, or no key.

    Source: Chizat, Oyallon & Bach (2019) for the pairs; Kunin et al. (2024) for scale and ratio.
    """
    require.positive_integer("width", width)
    if width % 2:
        raise ValueError(f"width must be even, for neurons come in pairs of opposite sign, but is {width}")
    scale, ratio = _positive("scale", scale), _positive("ratio", ratio)
    key_directions, key_signs = _two_keys(key)
    directions = inputs(width // 2, d, key=key_directions)
    signs = jax.random.rademacher(key_signs, (1, width // 2), float)
    return (
        {"W": scale * ratio * jnp.concatenate([directions, directions])},
        {"W": scale / ratio * jnp.concatenate([signs, -signs], axis=1)},
    )


def inputs(n: int, d: int, *, key: PRNGKeyArray) -> Float[Array, "n d"]:
    r"""$x_i$ uniform on the unit sphere $\|x\| = 1$ of $\mathbf{R}^d$, independent.

    Raises:
      ValueError, TypeError: for a size below one, or no key.
    """
    require.positive_integer("n", n)
    require.positive_integer("d", d)
    require.key("key", key)
    X = jax.random.normal(key, (n, d))
    return X / jnp.linalg.norm(X, axis=1, keepdims=True)


def _two_keys(key):
    require.key("key", key)
    return jax.random.split(key)


def _positive(name, value):
    """A positive number; an array without axes is one, and of a traced one only the shape can be judged."""
    if hasattr(value, "ndim"):
        require.array(name, value, ndim=0)
        if isinstance(value, jax.core.Tracer):
            return value
        value = float(value)
    require.positive(name, value)
    return value
