"""Many trainings at once on the real digits, each with its own data, start, rates, and mishaps, and what a loop would log."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int32, UInt32
from sklearn.datasets import load_digits

WIDTHS = (64, 32, 32, 32, 32, 10)
HIDDEN = len(WIDTHS) - 2
TRAIN, VALIDATION = 1000, 128  # images at most, and exactly
BATCH = 32
ACTIVATIONS = ("relu", "tanh")


class Setting(NamedTuple):
    """One training, as numbers: so that healthy and sick runs are one compiled program."""

    seed: UInt32[Array, "2"]  # of the start and of the batches
    activation: Int32[Array, ""]  # index into ACTIVATIONS
    gains: Float32[Array, "layers"]  # standard deviations of the weights, in units of fan_in ** -1/2
    bias_means: Float32[Array, "hidden"]
    bias_scales: Float32[Array, "hidden"]
    rates: Float32[Array, "steps"]
    batch: Int32[Array, ""]  # images in a batch, 1 to BATCH
    train: Int32[Array, "1000"]  # which images to learn from
    labels: Int32[Array, "1000"]  # what is said about them
    count: Int32[Array, ""]  # how many of them there are
    validation: Int32[Array, "128"]
    pixels: Int32[Array, "64"]  # where the pixels of a validation image come from
    blur: Float32[Array, ""]  # noise on the validation images, in units of their standard deviation
    bad_step: Int32[Array, ""]  # the step whose batch is damaged, or -1
    damage: Float32[Array, ""]  # by which its inputs are multiplied


@functools.cache
def images():
    """All 1797 digits (centered, norm 8) and their labels."""
    pixels, labels = load_digits(return_X_y=True)
    pixels = pixels - pixels.mean(axis=1, keepdims=True)
    return (pixels * 8.0 / np.linalg.norm(pixels, axis=1, keepdims=True)).astype(np.float32), labels.astype(np.int32)


def train(settings, *, every):
    """What a loop would log, each entry (R, T, ...), of R settings stacked: means over windows of `every` steps.

    The first line is of the first step alone, as a start is not to be averaged with what follows.
    """
    X, _ = images()
    return _together(settings, jnp.asarray(X), jnp.asarray(images()[1]), every)


@functools.partial(jax.jit, static_argnames="every")
def _together(settings, X, y, every):
    return jax.vmap(lambda s: _one(s, X, y, every))(settings)


def _start(setting):
    layers = []
    for level, (fan_in, fan_out) in enumerate(zip(WIDTHS[:-1], WIDTHS[1:])):
        keys = jax.random.split(jax.random.fold_in(setting.seed, level))
        W = jax.random.normal(keys[0], (fan_out, fan_in), jnp.float32) * setting.gains[level] * fan_in**-0.5
        b = jnp.zeros(fan_out, jnp.float32)
        if level < HIDDEN:
            noise = jax.random.normal(keys[1], (fan_out,), jnp.float32)
            b = setting.bias_means[level] + setting.bias_scales[level] * noise
        layers.append({"W": W, "b": b})
    return tuple(layers)


def _forward(params, x, activation):
    h, hidden = x, []
    for level, layer in enumerate(params):
        z = h @ layer["W"].T + layer["b"][None, :]
        if level < HIDDEN:
            z = jnp.where(activation == 0, jax.nn.relu(z), jnp.tanh(z))
            hidden.append(z)
        h = z
    return h, hidden


def _loss(params, x, labels, weights, activation):
    logits, hidden = _forward(params, x, activation)
    each = jax.nn.logsumexp(logits, axis=1) - jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    return jnp.sum(weights * each), hidden


def _norms(tree):
    """One norm a layer."""
    return jnp.sqrt(jnp.stack([sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(layer)) for layer in tree]))


def _one(s, X, y, every):
    x_val = X[s.validation][:, s.pixels]
    x_val = x_val + s.blur * jax.random.normal(jax.random.fold_in(s.seed, 98), x_val.shape, jnp.float32)
    flat = jnp.full(VALIDATION, 1.0 / VALIDATION, jnp.float32)
    batch_key = jax.random.fold_in(s.seed, 99)
    weights = jnp.where(jnp.arange(BATCH) < s.batch, 1.0, 0.0).astype(jnp.float32) / s.batch

    def step(params, k):
        key = jax.random.fold_in(batch_key, k)
        drawn = jnp.floor(jax.random.uniform(key, (BATCH,), jnp.float32) * s.count).astype(jnp.int32)
        bad = k == s.bad_step
        x = X[s.train[drawn]] * jnp.where(bad, s.damage, 1.0)
        labels = (s.labels[drawn] + jnp.where(bad, 1, 0)) % 10
        (loss, _), gradient = jax.value_and_grad(_loss, has_aux=True)(params, x, labels, weights, s.activation)
        norms, rate = _norms(gradient), s.rates[k]
        seen = {"train_loss": loss, "layer_gradient_norm": norms, "gradient_norm": jnp.sqrt(jnp.sum(norms**2)),
                "parameter_norm": jnp.sqrt(jnp.sum(_norms(params) ** 2)), "learning_rate": rate,
                "update_ratio": rate * norms / jnp.maximum(_norms(params), 1e-30)}  # fmt: skip
        return jax.tree.map(lambda p, g: p - rate * g, params, gradient), seen

    def window(params, ks):
        validation, hidden = _loss(params, x_val, y[s.validation], flat, s.activation)
        params, seen = jax.lax.scan(step, params, ks)
        seen = jax.tree.map(lambda leaf: jnp.where(ks[0] == 0, leaf[0], jnp.mean(leaf, axis=0)), seen)
        seen["validation_loss"] = validation
        seen["dead_fraction"] = jnp.stack([jnp.mean(jnp.all(h == 0, axis=0)) for h in hidden])
        seen["saturated_fraction"] = jnp.stack([jnp.mean(jnp.abs(h) > 0.97) for h in hidden])  # tanh' < 0.06
        return params, seen

    steps = jnp.arange(s.rates.shape[0]).reshape(-1, every)
    return jax.lax.scan(window, _start(s), steps)[1]
