"""Small networks that see: a convolutional one and a transformer."""

import itertools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from learndyn import _require as require
from learndyn.models import ACTIVATIONS, Model


def cnn(side: int, *, channels: Sequence[int] = (8, 8), activation: str | Callable = "tanh", outputs: int = 1) -> Model:
    r"""$h^{\ell} = \phi(W^{\ell} * h^{\ell-1} + b^{\ell})$ with 3 x 3 filters of stride two, then one linear layer.

    Every layer halves the side of the image. Weights are normal with the variance 1/(inputs of a neuron), offsets
    start at zero. The convolution is written as a matrix product over the 3 x 3 neighborhoods: a batch of networks,
    under `jax.vmap`, is then a batch of products, which is many times faster on a processor than a grouped convolution.

    Args:
      side: images are side x side, given as rows (n, side * side); a multiple of two to the number of layers.
      channels: the number of filters of each layer.
      activation: $\phi$, a name of `learndyn.models.ACTIVATIONS` or a function.
      outputs: c.

    Returns:
      `Model`; its parameters are a tuple of layers `{"W": (9 channels before, channels), "b": (channels,)}` and of
      the last one, `{"W": (inputs, c), "b": (c,)}`.

    Raises:
      ValueError, TypeError: for bad arguments; when applied, for inputs of another size.

    Source: LeCun et al. (1989).
    """
    require.positive_integer("side", side)
    require.sequence("channels", channels)
    channels = tuple(channels)
    for level, width in enumerate(channels):
        require.positive_integer(f"channels[{level}]", width)
    if not channels or side % 2 ** len(channels):
        raise ValueError(
            f"side must be a multiple of 2 to the number of layers, at least one, but side = {side} and "
            f"channels = {channels}"
        )
    activation = _activation(activation)
    require.positive_integer("outputs", outputs)
    last = (side // 2 ** len(channels)) ** 2 * channels[-1]
    shapes = [(9 * before, after) for before, after in zip((1, *channels[:-1]), channels)] + [(last, outputs)]

    def init(*, key: PRNGKeyArray) -> PyTree:
        require.key("key", key)
        return tuple({"W": W, "b": jnp.zeros(W.shape[1])} for W in _normal(key, shapes))

    def apply(params: PyTree, X: Float[Array, "n d"]) -> Float[Array, "n c"]:
        require.matrix("X", X, columns=side * side)
        h = X.reshape(-1, side, side, 1)
        for layer in params[:-1]:
            h = activation(_neighborhoods(h) @ layer["W"] + _row(layer["b"], h))
        return h.reshape(X.shape[0], -1) @ params[-1]["W"] + params[-1]["b"][None, :]

    return Model(init, apply)


def vision_transformer(
    side: int,
    *,
    patch: int,
    width: int = 16,
    heads: int = 2,
    hidden: int = 24,
    blocks: int = 1,
    activation: str | Callable = "tanh",
    outputs: int = 1,
) -> Model:
    r"""$h \leftarrow h + \mathrm{Attention}(N h)$, $h \leftarrow h + \mathrm{MLP}(N h)$ on the patches of an image.

    An image is cut into patches, each patch becomes a token by one linear map, and a learned position is added. In a
    block every token first attends to all, $\mathrm{softmax}(QK^\top/\sqrt{\cdot})\,V$ in each head, and then goes
    through a network of one hidden layer. N normalizes each token to mean zero and variance one, with a gain and an
    offset. The output is linear in the mean of the tokens.

    Args:
      side: images are side x side, given as rows (n, side * side).
      patch: patches are patch x patch; a divisor of side.
      width: the size of a token; a multiple of heads.
      heads, hidden, blocks: heads of a block, neurons of its hidden layer, and how many blocks.
      activation: of the hidden layer.
      outputs: c.

    Returns:
      `Model`; its parameters are a dictionary with `"embed"`, `"position"`, `"blocks"` and `"read"`.

    Raises:
      ValueError, TypeError: for bad arguments; when applied, for inputs of another size.

    Source: Dosovitskiy et al. (2021), with the normalization before each part.
    """
    sizes = {"side": side, "patch": patch, "width": width, "heads": heads, "hidden": hidden, "blocks": blocks}
    for name, value in (sizes | {"outputs": outputs}).items():
        require.positive_integer(name, value)
    if side % patch:
        raise ValueError(f"patch must divide side, but patch = {patch} and side = {side}")
    if width % heads:
        raise ValueError(f"heads must divide width, but heads = {heads} and width = {width}")
    activation = _activation(activation)
    across, tokens = side // patch, (side // patch) ** 2

    inside = [(width, 3 * width), (width, width), (width, hidden), (hidden, width)]
    shapes = [(patch * patch, width), (tokens, width), (width, outputs)] + blocks * inside

    def block(qkv, mix, up, down):
        norm = {"gain": jnp.ones(width), "offset": jnp.zeros(width)}
        return {
            "norms": (norm, norm),
            "qkv": qkv,
            "mix": mix,
            "up": {"W": up, "b": jnp.zeros(hidden)},
            "down": {"W": down, "b": jnp.zeros(width)},
        }

    def init(*, key: PRNGKeyArray) -> PyTree:
        require.key("key", key)
        embed, position, read, *layers = _normal(key, shapes)
        return {
            "embed": embed,
            "position": 0.5 * tokens**0.5 * position,
            "blocks": tuple(block(*layers[4 * i : 4 * i + 4]) for i in range(blocks)),
            "read": {"W": read, "b": jnp.zeros(outputs)},
        }

    def attention(layer, h):  # h: (n, tokens, width)
        q, k, v = jnp.split(h @ layer["qkv"], 3, axis=-1)
        q, k, v = (part.reshape(*h.shape[:2], heads, width // heads) for part in (q, k, v))
        weights = jax.nn.softmax(jnp.einsum("nthe,nshe->nhts", q, k) / (width // heads) ** 0.5)
        return jnp.einsum("nhts,nshe->nthe", weights, v).reshape(h.shape) @ layer["mix"]

    def apply(params: PyTree, X: Float[Array, "n d"]) -> Float[Array, "n c"]:
        require.matrix("X", X, columns=side * side)
        cut = X.reshape(-1, across, patch, across, patch).transpose(0, 1, 3, 2, 4)
        h = cut.reshape(-1, tokens, patch * patch) @ params["embed"] + params["position"][None]
        for layer in params["blocks"]:
            h = h + attention(layer, _normalized(layer["norms"][0], h))
            inner = activation(_normalized(layer["norms"][1], h) @ layer["up"]["W"] + _row(layer["up"]["b"], h))
            h = h + inner @ layer["down"]["W"] + _row(layer["down"]["b"], h)
        return h.mean(axis=1) @ params["read"]["W"] + params["read"]["b"][None, :]

    return Model(init, apply)


def _activation(activation):
    if callable(activation):
        return activation
    require.one_of("activation", activation, ACTIVATIONS)
    return ACTIVATIONS[activation]


def _normal(key, shapes):
    """Matrices with the variance 1/rows: one long draw, cut to pieces, for every draw of another size is compiled."""
    ends = list(itertools.accumulate(rows * columns for rows, columns in shapes))
    draws = jax.random.normal(key, (ends[-1],))
    cut = zip([0, *ends], ends, shapes)
    return [draws[low:high].reshape(shape) / shape[0] ** 0.5 for low, high, shape in cut]


def _row(vector, like):
    """A vector with as many axes as `like`, along its last."""
    return vector.reshape((1,) * (like.ndim - 1) + (-1,))


def _neighborhoods(h):
    """(n, s, s, c) to (n, s/2, s/2, 9 c): the 3 x 3 pixels around every second pixel, zeros outside."""
    side = h.shape[1]
    padded = jnp.pad(h, ((0, 0), (1, 1), (1, 1), (0, 0)))
    shifted = [padded[:, i : i + side : 2, j : j + side : 2] for i in range(3) for j in range(3)]
    return jnp.concatenate(shifted, axis=-1)


def _normalized(norm, h):
    h = h - h.mean(axis=-1, keepdims=True)
    # the small number keeps the derivative finite for a token that is constant
    unit = h / jnp.sqrt(jnp.mean(h**2, axis=-1, keepdims=True) + 1e-6)
    return _row(norm["gain"], h) * unit + _row(norm["offset"], h)
