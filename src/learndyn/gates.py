r"""Gates: which neurons of a ReLU network are open for which input, held fast or free to flip.

A two-layer ReLU network is $f(x) = \sum_k a_k\, g_k(x)\, w_k \cdot x$ with the gates $g_k(x) = 1[w_k \cdot x > 0]$. Here
the gates are an argument of their own. With the network's own gates one gets the network; with gates of another moment,
a network whose pattern is frozen; with gates that are all one, a linear network of the same parameters. Parameters are
those of `models.mlp((d, width, 1), activation="relu", parametrization="standard")`.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


def pattern(params: PyTree, X: Float[Array, "n d"]) -> Float[Array, "n m"]:
    r"""$G_{ik} = 1[w_k \cdot x_i > 0]$: the gates of a ReLU network.

    Raises:
      ValueError: when the parameters are not those of two layers with one output and without biases.
    """
    W, _ = _weights(params, X)
    return (X @ W.T > 0).astype(X.dtype)


def outputs(params: PyTree, X: Float[Array, "n d"], G: Float[Array, "n m"]) -> Float[Array, "n 1"]:
    r"""$f(x_i) = \sum_k a_k\, G_{ik}\, w_k \cdot x_i$: the network with given gates.

    Args:
      params: `({"W": (m, d)}, {"W": (1, m)})`.
      X: inputs (n, d).
      G: gates (n, m): `pattern(params, X)` for the ReLU network itself, ones for the linear one.

    Raises:
      ValueError: when the shapes do not fit.
    """
    W, a = _weights(params, X, G)
    return (G * (X @ W.T)) @ a[:, None]


def kernel(params: PyTree, X: Float[Array, "n d"], G: Float[Array, "n m"]) -> Float[Array, "n n"]:
    r"""$K_{ij} = \sum_k G_{ik} G_{jk} \left( a_k^2\, x_i \cdot x_j + (w_k \cdot x_i)(w_k \cdot x_j) \right)$.

    The neural tangent kernel of `outputs`: the first term is what the hidden weights can do, the second what the
    readout can. With G the network's own pattern it is the kernel of the ReLU network, whose gates have no derivative.
    Its change from one moment to another has two parts, and calling it with gates and parameters of different moments
    tells one from the other.

    Args, Raises: as in `outputs`.
    """
    W, a = _weights(params, X, G)
    hidden, h = G * a[None, :], G * (X @ W.T)
    return (X @ X.T) * (hidden @ hidden.T) + h @ h.T


def _weights(params, X, G=None):
    require.matrix("X", X)
    shapes = [jnp.shape(layer["W"]) for layer in params]
    d = X.shape[1]
    m = shapes[0][0]
    if shapes != [(m, d), (1, m)] or any(set(layer) != {"W"} for layer in params):
        raise ValueError(f"params must be two layers W of shapes (m, {d}) and (1, m) without biases, but have {shapes}")
    if G is not None:
        require.matrix("G", G, rows=X.shape[0], columns=m)
    return params[0]["W"], params[1]["W"][0]  # (m, d), (m,)
