"""Data sets: real ones that ship inside scikit-learn, so that nothing is fetched at run time."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray
from sklearn.datasets import load_digits, load_sample_images

from learndyn import _require as require


class Dataset(NamedTuple):
    """Inputs (n, d) and targets (n, c), for training and, kept apart, for testing."""

    X: Float[Array, "n d"]
    y: Float[Array, "n c"]
    X_test: Float[Array, "m d"]
    y_test: Float[Array, "m c"]


def digits(*, train: int, test: int = 0, classes: Sequence[int] = tuple(range(10)), key: PRNGKeyArray) -> Dataset:
    r"""Handwritten digits, 8 x 8 pixels: $\|x\| = \sqrt{64}$ after centering each image.

    Every image is centered (its mean gray removed) and scaled to the norm $\sqrt d$, so that the first layer of a
    network in the NTK parametrization sees entries of order one. Two classes give one column of targets, -1 for the
    first and +1 for the second; c > 2 classes give c columns, one-hot with the mean 1/c removed.

    Args:
      train, test: how many images to draw, without repetition; their sum is at most the number of images there are
        (1797 for all ten classes).
      classes: which digits, in the order of the target columns; at least two.
      key: chooses the images and their order.

    Returns:
      `Dataset` with d = 64.

    Raises:
      ValueError, TypeError: for a count out of range, or classes that are repeated, too few, or not digits.

    Source: scikit-learn's copy of the UCI optical recognition of handwritten digits (Alpaydin & Kaynak, 1998).
    """
    require.positive_integer("train", train)
    require.count("test", test)
    require.sequence("classes", classes)
    classes = tuple(classes)
    require.key("key", key)
    known = all(label in range(10) for label in classes)
    if not known or len(classes) < 2 or len(set(classes)) < len(classes):
        raise ValueError(f"classes must be at least two different digits from 0 to 9, but is {classes}")
    images, labels = load_digits(return_X_y=True)
    chosen = np.flatnonzero(np.isin(labels, classes))
    if train + test > len(chosen):
        raise ValueError(
            f"train + test must be at most {len(chosen)}, the images of classes {classes}, but is {train} + {test}"
        )
    order = np.asarray(jax.random.permutation(key, chosen))[: train + test]
    images = images[order] - images[order].mean(axis=1, keepdims=True)
    images *= images.shape[1] ** 0.5 / np.linalg.norm(images, axis=1, keepdims=True)
    one_hot = (labels[order, None] == np.asarray(classes)).astype(float)
    targets = 2.0 * one_hot[:, 1:] - 1.0 if len(classes) == 2 else one_hot - 1.0 / len(classes)
    X, y = jnp.asarray(images), jnp.asarray(targets)
    return Dataset(X[:train], y[:train], X[train:], y[train:])


def photographs(*, train: int, test: int = 0, key: PRNGKeyArray) -> Dataset:
    r"""Patches of two photographs, a temple and a flower, as 8 x 8 gray images of norm 8: which is it from?

    A window of 32 x 32 pixels is cut out at a random place and reduced to 8 x 8 by means over 4 x 4 pixels; then its
    mean is removed and its norm set to 8, as `digits` does. Harder than digits: a patch is texture,
    and nothing in it says by itself where it is from. Training patches lie in the left 70 % of a photograph and
    test patches in the rest, so that they share no pixel.

    Args:
      train, test: how many patches, half of each photograph; even numbers.
      key: chooses the places.

    Returns:
      `Dataset` with d = 64; the target is -1 for the temple and +1 for the flower.

    Raises:
      ValueError, TypeError: for a count that is odd or out of range.

    Source: the two sample images that ship with scikit-learn.
    """
    require.positive_integer("train", train)
    require.count("test", test)
    for name, number in (("train", train), ("test", test)):
        if number % 2:
            raise ValueError(f"{name} must be even, one half for each photograph, but is {number}")
    require.key("key", key)
    window, share = 32, 0.7
    photos = [np.asarray(image).mean(axis=2) for image in load_sample_images().images]
    parts = []
    for part, number in enumerate((train, test)):
        patches, targets = [], []
        for index, photo in enumerate(photos):
            border = math.floor(share * photo.shape[1])
            low, high = (0, border - window) if part == 0 else (border, photo.shape[1] - window)
            keys = jax.random.split(jax.random.fold_in(key, 2 * part + index))
            tops = np.asarray(jax.random.randint(keys[0], (number // 2,), 0, photo.shape[0] - window + 1))
            lefts = np.asarray(jax.random.randint(keys[1], (number // 2,), low, high + 1))
            for top, left in zip(tops, lefts):
                cut = photo[top : top + window, left : left + window]
                patches.append(cut.reshape(8, 4, 8, 4).mean(axis=(1, 3)).ravel())
                targets.append(2.0 * index - 1.0)
        X = np.array(patches).reshape(-1, 64)
        X = X - X.mean(axis=1, keepdims=True)
        X *= 8.0 / np.linalg.norm(X, axis=1, keepdims=True)
        parts += [jnp.asarray(X), jnp.asarray(targets).reshape(-1, 1)]
    return Dataset(*parts)
