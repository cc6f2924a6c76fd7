"""Batch normalization: a network whose outputs on a batch do not change when a neuron's weights change in length."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from learndyn import _require as require
from learndyn.models import ACTIVATIONS, Model


def normalize(z: Float[Array, "n m"], *, epsilon: float = 1e-5) -> Float[Array, "n m"]:
    r"""$\hat z_{ij} = (z_{ij} - \mu_j) / \sqrt{\sigma_j^2 + \epsilon}$, with mean and variance over the batch.

    At $\epsilon = 0$ each column of $\hat z$ is unchanged by $z_j \to c z_j$ with $c > 0$, and by $z_j \to z_j + c$.
    Otherwise a change of the length reaches it, damped: $\partial_c \hat z_j = \hat z_j\,\epsilon / (\sigma_j^2 +
    \epsilon)$ at $c = 1$.

    Args:
      z: what neuron j says for sample i; at least two samples.
      epsilon: added to the variance (the n-denominator one). At zero a column that does not vary gives NaN.

    Raises:
      TypeError, ValueError: for a negative epsilon, or fewer than two samples.

    Source: Ioffe & Szegedy (2015); they add epsilon to keep from dividing by zero.
    """
    require.array("z", z, ndim=2)
    require.non_negative("epsilon", epsilon)
    if z.shape[0] < 2:
        raise ValueError(f"z must hold at least 2 samples, for one alone does not vary, but holds {z.shape[0]}")
    centered = z - jnp.mean(z, axis=0, keepdims=True)
    return centered / jnp.sqrt(jnp.mean(centered**2, axis=0, keepdims=True) + epsilon)


def mlp(
    widths: Sequence[int],
    *,
    normalized: Sequence[bool] | None = None,
    activation: str | Callable[[Array], Array] = "relu",
    weight_scale: float = 2.0**0.5,
    epsilon: float = 1e-5,
) -> Model:
    r"""$h^\ell = c^\ell \odot \widehat{W^\ell z} + s^\ell$ or $h^\ell = W^\ell z + b^\ell$ with $z = \phi(h^{\ell-1})$.

    The hat is `normalize` over the batch at hand, in training and after it: there are no running averages, and the
    output for one sample depends on the others. Weights are drawn as in the *standard* parametrization, $W^\ell_{ij}
    \sim N(0, \sigma_w^2/m_{\ell-1})$; gains begin at one, shifts and biases at zero.

    Its continuous symmetries at $\epsilon = 0$, for ReLU: the length of each row of a normalized $W^\ell$ (scale);
    gain and shift, or row and bias, against the weights that leave the same neuron (rescale). A softmax behind it adds
    one shift for each column of $W^L$ and one for $b^L$ (translation).

    Args:
      widths: $(m_0, \dots, m_L)$, at least two numbers.
      normalized: for each of the L - 1 hidden layers, whether it is normalized; by default all. The last never is.
      activation: $\phi$, a name of `models.ACTIVATIONS` or a function.
      weight_scale: $\sigma_w > 0$, by default $\sqrt 2$.
      epsilon: as in `normalize`.

    Returns:
      `Model`; its parameters are a tuple of L layers, `{"W": (m_l, m_{l-1}), "gain": (m_l,), "shift": (m_l,)}` where
      normalized and `{"W": (m_l, m_{l-1}), "b": (m_l,)}` elsewhere.

    Raises:
      ValueError, TypeError: for a width below one, a `normalized` of another length, an unknown activation, a scale out
        of range; when applied, for inputs that are not (n, d), a single sample, or parameters of another network.

    Source: Ioffe & Szegedy (2015).
    """
    require.widths(widths)
    widths = tuple(widths)
    hidden = len(widths) - 2
    if normalized is not None:
        require.sequence("normalized", normalized)
    normalized = (True,) * hidden if normalized is None else tuple(normalized)
    if len(normalized) != hidden or not all(isinstance(flag, bool) for flag in normalized):
        raise ValueError(f"normalized must hold {hidden} booleans, one a hidden layer, but is {normalized}")
    if not callable(activation):
        require.one_of("activation", activation, ACTIVATIONS)
        activation = ACTIVATIONS[activation]
    require.positive("weight_scale", weight_scale)
    require.non_negative("epsilon", epsilon)
    shapes = tuple(
        {"W": (m, fan_in)} | ({"gain": (m,), "shift": (m,)} if flag else {"b": (m,)})
        for fan_in, m, flag in zip(widths[:-1], widths[1:], normalized + (False,))
    )

    def init(*, key: PRNGKeyArray) -> PyTree:
        require.key("key", key)
        layers = []
        for layer_key, shape in zip(jax.random.split(key, len(shapes)), shapes):
            layer = {name: jnp.ones(of) if name == "gain" else jnp.zeros(of) for name, of in shape.items()}
            gain = weight_scale / shape["W"][1] ** 0.5
            layers.append(layer | {"W": gain * jax.random.normal(layer_key, shape["W"])})
        return tuple(layers)

    def apply(params: PyTree, X: Float[Array, "n d"]) -> Float[Array, "n c"]:
        require.matrix("X", X, columns=widths[0])
        if (given := jax.tree.map(jnp.shape, params)) != shapes:
            raise ValueError(f"params must have the shapes {shapes}, but have {given}")
        h = X
        for level, layer in enumerate(params):
            h = (activation(h) if level else h) @ layer["W"].T
            if "gain" in layer:
                h = layer["gain"][None, :] * normalize(h, epsilon=epsilon) + layer["shift"][None, :]
            else:
                h = h + layer["b"][None, :]
        return h

    return Model(init, apply)
