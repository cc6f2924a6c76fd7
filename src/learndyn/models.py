"""Networks as pure functions ``f(params, X)`` of a pytree of parameters and a batch of inputs."""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from learndyn import _require as require


class Model(NamedTuple):
    """A network: ``init(key=key)`` draws its parameters, ``apply(params, X)`` maps (n, d) to (n, c)."""

    init: Callable[..., PyTree]
    apply: Callable[[PyTree, Float[Array, "n d"]], Float[Array, "n c"]]


# jax.numpy has no erf; jax.nn.gelu is by default an approximation, wrong by 5e-4; the two polynomial entries give
# exactly solvable networks.
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "erf": jax.scipy.special.erf,
    "tanh": jnp.tanh,
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "softplus": jax.nn.softplus,
    "linear": lambda z: z,
    "quadratic": jnp.square,
}


def mlp(
    widths: Sequence[int],
    *,
    activation: str | Callable[[Array], Array] = "relu",
    parametrization: str = "ntk",
    weight_scale: float = 1.0,
    bias_scale: float = 0.0,
) -> Model:
    r"""$h^{\ell} = \frac{\sigma_w}{\sqrt{m_{\ell-1}}} W^{\ell} \phi(h^{\ell-1}) + \sigma_b b^{\ell}$, with $f = h^L$.

    In the *ntk* parametrization every stored parameter is standard normal and the gains stand in the forward pass,
    as above, so that gradient flow has a limit when the hidden widths grow. In the *standard* one the gains are in
    the initialization, $W^{\ell}_{ij} \sim N(0, \sigma_w^2 / m_{\ell-1})$, $b^{\ell}_i \sim N(0, \sigma_b^2)$, and
    the forward pass is bare. Both give the same distribution of functions at initialization and different flows.

    Args:
      widths: $(m_0, \dots, m_L)$: inputs $d$, hidden widths, outputs $c$; at least two numbers.
      activation: $\phi$, a name of `ACTIVATIONS` or a function; never applied to the input or the output.
      parametrization: `"ntk"` or `"standard"`.
      weight_scale: $\sigma_w > 0$ ($\sqrt 2$ keeps the variance of a deep ReLU network).
      bias_scale: $\sigma_b \ge 0$; at zero there are no biases.

    Returns:
      `Model`; its parameters are a tuple of L layers `{"W": (m_l, m_{l-1}), "b": (m_l,)}`.

    Raises:
      ValueError, TypeError: for a width below one, an unknown name, a scale out of range; when applied, for inputs
        that are not (n, d) or parameters of another network.

    Source: Jacot et al. (2018) for ntk; the standard one is that of He et al. (2015) at $\sigma_w=\sqrt2$.
    """
    require.widths(widths)
    widths = tuple(widths)
    if not callable(activation):
        require.one_of("activation", activation, ACTIVATIONS)
        activation = ACTIVATIONS[activation]
    require.one_of("parametrization", parametrization, ("ntk", "standard"))
    require.positive("weight_scale", weight_scale)
    require.non_negative("bias_scale", bias_scale)
    in_forward_pass = parametrization == "ntk"
    shapes = tuple(
        {"W": (fan_out, fan_in)} | ({"b": (fan_out,)} if bias_scale else {})
        for fan_in, fan_out in zip(widths[:-1], widths[1:])
    )

    def init(*, key: PRNGKeyArray) -> PyTree:
        require.key("key", key)
        layers = []
        for layer_key, fan_in, fan_out in zip(jax.random.split(key, len(widths) - 1), widths[:-1], widths[1:]):
            weight_key, bias_key = jax.random.split(layer_key)
            gain = 1.0 if in_forward_pass else weight_scale / fan_in**0.5
            layer = {"W": gain * jax.random.normal(weight_key, (fan_out, fan_in))}
            if bias_scale:
                offset = 1.0 if in_forward_pass else bias_scale
                layer["b"] = offset * jax.random.normal(bias_key, (fan_out,))
            layers.append(layer)
        return tuple(layers)

    def apply(params: PyTree, X: Float[Array, "n d"]) -> Float[Array, "n c"]:
        require.matrix("X", X, columns=widths[0])
        if (given := jax.tree.map(jnp.shape, params)) != shapes:
            raise ValueError(f"params must have the shapes {shapes}, but have {given}")
        h = X
        for level, layer in enumerate(params):
            z = h if level == 0 else activation(h)
            gain = weight_scale / widths[level] ** 0.5 if in_forward_pass else 1.0
            h = gain * z @ layer["W"].T
            if bias_scale:
                h = h + (bias_scale if in_forward_pass else 1.0) * layer["b"][None, :]
        return h

    return Model(init, apply)


def centered(f: Callable, params0: PyTree, output_scale: float = 1.0) -> Callable:
    r"""$\alpha\,(f(\theta, x) - f(\theta_0, x))$: zero at initialization, and lazy as $\alpha \to \infty$.

    Args:
      f: a model `f(params, X)` of shape (n, c).
      params0: the parameters $\theta_0$ that are to give zero.
      output_scale: $\alpha > 0$.

    Returns:
      A function with the signature of `f`.

    Source: Chizat, Oyallon & Bach (2019).
    """
    require.callable_("f", f)
    require.finite("params0", params0)
    require.positive("output_scale", output_scale)
    return lambda params, X: output_scale * (f(params, X) - f(params0, X))
