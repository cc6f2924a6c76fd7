r"""The derivative of a descent step of a network with one hidden layer, written out."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require
from learndyn.models import ACTIVATIONS


def network_tangent(
    params: PyTree,
    X: Float[Array, "s d"],
    y: Float[Array, "s 1"],
    learning_rate: float,
    *,
    activation: str | Callable[[Array], Array] = "tanh",
) -> Float[Array, "n n *batch"]:
    r"""$J = I - \eta H$, H the Hessian of $\frac12\sum_s r_s^2$, $r = f - y$, $f(x) = \sum_j a_j\,\phi(w_j \cdot x + b_j) + c$.

    With $\tilde x = (x, 1)$, $\tilde w = (w, b)$, and $\phi_j, \phi'_j, \phi''_j$ at $z_j = \tilde w_j \cdot \tilde x$:

    $$\begin{aligned}
    \frac{\partial^2 L}{\partial \tilde w_{j\alpha} \partial \tilde w_{k\beta}} &= \sum_s
    (a_j a_k \phi'_j \phi'_k + \delta_{jk}\, r\, a_j \phi''_j)\, \tilde x_\alpha \tilde x_\beta, &
    \frac{\partial^2 L}{\partial a_j \partial a_k} &= \sum_s \phi_j \phi_k, \\
    \frac{\partial^2 L}{\partial \tilde w_{j\alpha} \partial a_k} &= \sum_s
    (a_j \phi'_j \phi_k + \delta_{jk}\, r\, \phi'_j)\, \tilde x_\alpha, &
    \frac{\partial^2 L}{\partial a_j \partial c} &= \sum_s \phi_j, \\
    \frac{\partial^2 L}{\partial \tilde w_{j\alpha} \partial c} &= \sum_s a_j \phi'_j \tilde x_\alpha, &
    \frac{\partial^2 L}{\partial c^2} &= \sum_s 1.
    \end{aligned}$$

    Each is a product rule: the terms with $\delta_{jk}$ are what the residual weighs, the others are $\nabla f \nabla f^\top$.

    Args:
      params: as of `learndyn.models.mlp((d, m, 1), parametrization="standard", bias_scale=...)`, biases included; every
        leaf may have further axes at its end, one and the same batch. Rows and columns of J are in the order of
        `jax.flatten_util.ravel_pytree`: w (by neuron), b, a, c.
      X: inputs.
      y: targets.
      learning_rate: $\eta$. For the mean of the squared residuals over s samples, give $2\eta/s$.
      activation: $\phi$, a name of `learndyn.models.ACTIVATIONS` or a function; its derivatives are taken by autodiff.

    Raises:
      ValueError, TypeError: for bad arguments.

    Source: Sharafi, Martin and Hallerberg (2025), for three layers.
    """
    activation = require_network(params, X, y, activation)
    require.positive("learning_rate", learning_rate)
    theta = flatten(params)
    H = derivatives(theta, X, y[:, 0], activation)[2]
    one = jnp.eye(theta.shape[0], dtype=theta.dtype).reshape(H.shape[:2] + (1,) * (H.ndim - 2))
    return one - learning_rate * H


def flatten(params: PyTree) -> Float[Array, "n *batch"]:
    """The parameters along one axis, in the order of `ravel_pytree`; batch axes stay last."""
    (W, b), (a, c) = ((layer["W"], layer["b"]) for layer in params)
    return jnp.concatenate([W.reshape(-1, *W.shape[2:]), b, a[0], c])


def derivatives(theta: Float[Array, "n *batch"], X: Float[Array, "s d"], y: Float[Array, " s"], activation: Callable):
    r"""Loss $\frac12\sum r^2$, gradient (n, ...) and Hessian (n, n, ...), of many networks at once.

    The batch comes last and every line is elementwise in it, so that processor vectors run over networks. Each sum over
    samples is one reduction; where n is large, products with the Hessian are cheaper.
    """
    d, batch = X.shape[1], theta.shape[1:]
    m = (theta.shape[0] - 1) // (d + 2)
    column = lambda v: v.reshape(-1, *[1] * len(batch))
    x = [column(X[:, i]) for i in range(d)] + [1.0]
    weights = theta[:, None]  # an axis for the samples
    w = [[weights[j * d + i] for i in range(d)] + [weights[m * d + j]] for j in range(m)]
    a, c = [weights[m * d + m + j] for j in range(m)], weights[-1]

    z = [sum(w_i * x_i for w_i, x_i in zip(w_j, x)) for w_j in w]
    slope = lambda z: jax.jvp(activation, (z,), (jnp.ones_like(z),))[1]
    p, q = [activation(z_j) for z_j in z], [slope(z_j) for z_j in z]
    curve = [jax.jvp(slope, (z_j,), (jnp.ones_like(z_j),))[1] for z_j in z]
    r = sum(a_j * p_j for a_j, p_j in zip(a, p)) + c - column(y)
    e = [a_j * q_j for a_j, q_j in zip(a, q)]  # df / dz_j

    total = lambda terms: jnp.sum(terms, axis=0)
    place = lambda j, i: j * d + i if i < d else m * d + j  # of the weight i of neuron j, and of its bias
    second, last = m * d + m, theta.shape[0] - 1
    gradient, H = [None] * theta.shape[0], [[None] * theta.shape[0] for _ in theta]
    gradient[last], H[last][last] = total(r), jnp.full(batch, X.shape[0], theta.dtype)

    def put(i, k, value):
        H[i][k] = H[k][i] = value

    for j in range(m):
        gradient[second + j] = total(r * p[j])
        put(second + j, last, total(p[j]))
        for i in range(d + 1):
            gradient[place(j, i)] = total(r * e[j] * x[i])
            put(place(j, i), last, total(e[j] * x[i]))
        for k in range(m):
            if k >= j:
                put(second + j, second + k, total(p[j] * p[k]))
            mixed = e[j] * p[k] + (r * q[j] if j == k else 0.0)
            both = e[j] * e[k] + (r * a[j] * curve[j] if j == k else 0.0)
            for i in range(d + 1):
                put(place(j, i), second + k, total(mixed * x[i]))
                for l in range(d + 1):
                    if place(j, i) <= place(k, l):
                        put(place(j, i), place(k, l), total(both * (x[i] * x[l])))
    return 0.5 * total(r * r), jnp.stack(gradient), jnp.stack([jnp.stack(row) for row in H])


def require_network(params, X, y, activation, leading: int = 0) -> Callable:
    """Parameters of d-m-1 networks with biases, and data that fit them; returns the activation."""
    require.matrix("X", X)
    require.matrix("y", y, rows=X.shape[0], columns=1)
    if isinstance(activation, str):
        require.one_of("activation", activation, ACTIVATIONS)
        activation = ACTIVATIONS[activation]
    require.callable_("activation", activation)
    require.static("activation", activation)
    require.finite("params", params)
    d, wanted = X.shape[1], 'two layers {"W": (m, d), "b": (m,)}, {"W": (1, m), "b": (1,)}'
    try:
        leaves = {name: params[layer][key].shape for layer, key, name in
                  ((0, "W", "w"), (0, "b", "b"), (1, "W", "a"), (1, "b", "c"))}  # fmt: skip
        complete = len(params) == 2 and sum(len(layer) for layer in params) == 4
    except (TypeError, KeyError, IndexError, AttributeError):
        complete = False
    if complete:
        own = {name: len(shape) for name, shape in zip(leaves, ((0, 0), (0,), (0, 0), (0,)))}
        front = leaves["b"][:leading]
        inner = {name: shape[leading:] for name, shape in leaves.items()}
        m, back = inner["b"][0] if inner["b"] else 0, inner["b"][1:]
        expected = {"w": (m, d), "b": (m,), "a": (1, m), "c": (1,)}
        complete = m > 0 and all(leaves[name] == front + expected[name] + back for name in own)
        complete &= not (leading and back)
    if not complete:
        shapes = jax.tree.map(jnp.shape, params)
        front = "a leading axis of networks before each of " if leading else ""
        raise ValueError(f"params must be {front}{wanted} with d = {d}, but has shapes {shapes}")
    return activation
