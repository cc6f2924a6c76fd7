"""The palette in numbers, figures that are the same in every run, and errors that name the argument."""

import io
import itertools

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from learndyn import figures

matplotlib.use("agg")

WHITE = np.ones(3)
DARK_PAGES = {"page": "#121212", "raised box": "#1a1d23"}  # sphinx-book-theme's dark background, and its cells

# How much red, green, and blue light an eye without the L, M, or S cones still tells apart:
# Machado, Oliveira, and Fernandes (2009), severity 1.
EYES = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def rgb(color: str) -> np.ndarray:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def linear(color: np.ndarray) -> np.ndarray:
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """(L₁ + 0.05) / (L₂ + 0.05), the contrast ratio of WCAG 2."""
    light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def turned_over(color: np.ndarray) -> np.ndarray:
    """What the style sheet's ``invert(1) hue-rotate(180deg)`` makes of a color (Filter Effects, section 10)."""
    gray = np.array([0.213, 0.715, 0.072])
    rotate = 2 * gray - np.eye(3)  # the matrix of the specification at cos = -1, sin = 0
    return np.clip(rotate @ (1 - color), 0, 1)


def lab(light: np.ndarray) -> np.ndarray:
    xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]] @ light
    x, y, z = np.where((t := xyz / [0.9505, 1, 1.089]) > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("color", [*figures.COLORS, figures.GRAY])
def test_each_color_stands_out_on_white_and_turned_over_on_dark(color):
    assert contrast(rgb(color), WHITE) >= 3
    for where, page in DARK_PAGES.items():
        assert contrast(turned_over(rgb(color)), rgb(page)) >= 3, where


def test_the_contrast_ratio_knows_its_extremes_and_the_original_yellow():
    assert contrast(np.zeros(3), WHITE) == pytest.approx(21)
    assert contrast(rgb("#F0E442"), WHITE) < 3, "why yellow is not in the cycle"
    np.testing.assert_allclose(turned_over(WHITE), 0, atol=1e-12)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("page", [np.copy, turned_over], ids=["light", "dark"])
def test_any_two_colors_differ_for_every_eye(eye, page):
    seen = {c: lab(np.clip(np.array(EYES[eye]) @ linear(page(rgb(c))), 0, 1)) for c in figures.COLORS}
    for one, other in itertools.combinations(figures.COLORS, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 12, (one, other)


def test_color_is_never_alone():
    figures.use_style()
    cycle = list(matplotlib.rcParams["axes.prop_cycle"])
    assert len({str(entry["linestyle"]) for entry in cycle}) == len(cycle) == len(set(figures.MARKERS))


def drawn(draw, size=(figures.WIDTH, 3.4)) -> bytes:
    figures.use_style()
    figure, ax = plt.subplots(figsize=size)
    draw(ax)
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return file.getvalue()


def portrait(ax):
    figures.phase_portrait(ax, np.array([[-1.0, 0.5], [0.0, -0.2]]), trajectories=[np.array([[0.9, 0.9], [0.1, 0.3]])])


@pytest.mark.parametrize(
    "draw",
    [
        portrait,
        lambda ax: figures.phase_portrait(ax, np.sin),
        lambda ax: figures.phase_portrait(ax, np.zeros((2, 2)), trajectories=[np.ones((3, 2))]),
        lambda ax: figures.spectrum(ax, 10.0 ** -np.arange(200.0), label="K", floor=1e-16),
        lambda ax: ax.scatter(*np.random.default_rng(0).normal(size=(2, 5000)), rasterized=True),
    ],
    ids=["matrix", "function", "at rest", "spectrum", "points"],
)
def test_a_figure_is_small_transparent_and_the_same_in_every_run(draw):
    svg = drawn(draw)
    assert svg == drawn(draw)
    assert len(svg) < 150_000
    assert b"<text" not in svg and b"#ffffff" not in svg and b"dc:date" not in svg


def test_a_portrait_follows_the_field():
    figure, ax = plt.subplots()
    figures.phase_portrait(ax, np.array([[0.0, 1.0], [-1.0, 0.0]]), limits=(-2, 2))
    stream = max(ax.collections[0].get_segments(), key=len)
    radius = np.hypot(*np.asarray(stream).T)
    assert np.ptp(radius) < 0.05 * radius.mean(), "the streams of a center are circles"
    assert not ax.lines, "a center has no real eigenvector"
    figures.phase_portrait(ax, np.diag([-1.0, 2.0]))
    assert len(ax.lines) == 2 and ax.get_xlim() == (-1, 1)
    plt.close(figure)


def test_dashed_lines_are_eigenvectors_of_a_matrix_that_is_not_symmetric():
    A = np.array([[1.0, 3.0], [0.5, -1.0]])
    figure, ax = plt.subplots()
    figures.phase_portrait(ax, A)
    assert len(ax.lines) == 2
    for line in ax.lines:
        direction = np.diff(line.get_xydata(), axis=0)[0]
        image = A @ direction
        assert abs(direction[0] * image[1] - direction[1] * image[0]) < 1e-12 * (direction @ direction)
    plt.close(figure)
