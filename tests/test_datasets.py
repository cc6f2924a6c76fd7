"""The digits: what scikit-learn ships, normalized, split, labeled."""

import jax
import numpy as np
import pytest
from sklearn.datasets import load_digits, load_sample_images

from learndyn import datasets

KEY = jax.random.key(300)
IMAGES, LABELS = load_digits(return_X_y=True)


def normalized(images):
    centered = images - images.mean(axis=1)[:, None]
    return 8 * centered / np.sqrt((centered**2).sum(axis=1))[:, None]


def where_from(X):
    """Index of each row in scikit-learn's data."""
    similarity = np.asarray(X) @ normalized(IMAGES).T / 64
    np.testing.assert_allclose(similarity.max(axis=1), 1, atol=1e-12)
    return similarity.argmax(axis=1)


@pytest.mark.parametrize("classes", [tuple(range(10)), (3, 8), (8, 3), (7, 1, 4)])
def test_images_and_targets_are_those_of_scikit_learn(classes):
    data = datasets.digits(train=60, test=40, classes=classes, key=KEY)
    for X, y, n in ((data.X, data.y, 60), (data.X_test, data.y_test, 40)):
        assert X.shape == (n, 64)
        labels = LABELS[where_from(X)]
        assert set(labels) == set(classes)  # true of these draws, and of almost all
        if len(classes) == 2:
            np.testing.assert_array_equal(np.asarray(y), np.where(labels == classes[1], 1.0, -1.0)[:, None])
        else:
            wanted = [[(label == c) - 1 / len(classes) for c in classes] for label in labels]
            np.testing.assert_allclose(y, wanted, rtol=1e-14)


def test_norms_and_centering():
    data = datasets.digits(train=1797, key=KEY)
    np.testing.assert_allclose(np.linalg.norm(data.X, axis=1), 8.0, rtol=1e-13)
    np.testing.assert_allclose(np.mean(data.X, axis=1), 0.0, atol=1e-14)
    np.testing.assert_allclose(np.sum(data.y, axis=1), 0.0, atol=1e-14)
    assert data.X_test.shape == (0, 64) and data.y_test.shape == (0, 10)
    assert sorted(where_from(data.X)) == list(range(1797))  # every image once


def test_no_image_is_in_both_parts():
    data = datasets.digits(train=900, test=897, key=KEY)
    assert not set(where_from(data.X)) & set(where_from(data.X_test))


def test_the_key_decides_and_nothing_else():
    one, again = (datasets.digits(train=50, test=10, key=KEY) for _ in range(2))
    for a, b in zip(one, again):
        np.testing.assert_array_equal(a, b)
    other = datasets.digits(train=50, test=10, key=jax.random.key(301))
    assert set(where_from(one.X)) != set(where_from(other.X))


def test_the_training_set_does_not_depend_on_the_size_of_the_test_set():
    few, many = (datasets.digits(train=50, test=test, key=KEY).X for test in (0, 500))
    np.testing.assert_array_equal(few, many)


def test_the_same_images_in_32_bits():
    long = datasets.digits(train=80, key=KEY)
    with jax.enable_x64(False):
        short = datasets.digits(train=80, key=KEY)
    assert short.X.dtype == np.float32
    np.testing.assert_allclose(short.X, long.X, rtol=1e-5, atol=1e-5)


def test_the_draw_is_uniform():
    """Over many keys every class is drawn in proportion: chi squared with 9 degrees of freedom below 40."""
    drawn = [np.argmax(datasets.digits(train=200, key=jax.random.key(k)).y, axis=1) for k in range(5)]
    seen, share = np.bincount(np.concatenate(drawn), minlength=10), np.bincount(LABELS) / 1797
    assert ((seen - 1000 * share) ** 2 / (1000 * share)).sum() < 40


def test_photographs_are_balanced_normalized_and_distinct():
    data = datasets.photographs(train=40, test=10, key=KEY)
    assert data.X.shape == (40, 64) and data.y_test.shape == (10, 1)
    assert data.y.sum() == 0 == data.y_test.sum()
    both = np.concatenate([data.X, data.X_test])
    np.testing.assert_allclose(both.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), 8)
    assert len(np.unique(both.round(9), axis=0)) == 50


def test_patches_are_windows_of_their_photograph_on_their_side_of_the_border():
    """Every patch is found again at one place: training left of 70 % of the width, test right of it."""
    data = datasets.photographs(train=6, test=6, key=KEY)
    temple, flower = (photo.mean(axis=2) for photo in load_sample_images().images)
    for X, y, sides in ((data.X, data.y, (0, 448)), (data.X_test, data.y_test, (448, 640))):
        for patch, target in zip(np.asarray(X), np.asarray(y)[:, 0]):
            photo = (temple if target < 0 else flower)[:, sides[0] : sides[1]]
            windows = np.lib.stride_tricks.sliding_window_view(block_means(photo), (29, 29))[..., ::4, ::4]
            similarity = np.einsum("ijkl,kl->ij", windows, patch.reshape(8, 8))
            spread = np.sqrt(64 * (windows**2).sum(axis=(2, 3)) - windows.sum(axis=(2, 3)) ** 2)
            assert np.max(similarity / np.maximum(spread, 1e-9)) > 1 - 1e-9


def block_means(photo):
    """Means over the 4 x 4 pixels that begin at each pixel."""
    return np.lib.stride_tricks.sliding_window_view(photo, (4, 4)).mean(axis=(2, 3))
