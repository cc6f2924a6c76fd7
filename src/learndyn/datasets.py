"""Data sets: real ones that ship inside scikit-learn, so that nothing is fetched at run time."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray
from sklearn.datasets import load_digits

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
