"""Curves, axes, markers, level sets, arrows, cells, and bars lie where the numbers are."""

import browser
import demo
import numpy as np
import pytest
from reading import HEAVY, MODES, SPIRAL, chromium, read  # noqa: F401


def test_curves_lie_where_the_numbers_are(read):
    spec = demo.figure("exact", [demo.slider("a", 1, 2, 1)], [demo.line("x", demo.series("y"), x="t", log="y", xlim=[0, 3], ylim=[0.01, 100])], alt="x")
    reader = read((spec, "(a) => ({ t: vector(4, (i) => i), y: vector(4, (i) => [0.01, 1, 10, 100][i]) })"))
    w, h = (float(v) - 4 for v in reader.ask("exact", "['width', 'height'].map((n) => element.querySelector('svg svg').getAttribute(n))"))
    (line,) = reader.paths("exact", ".explore-line")
    assert line.reshape(-1, 2) == pytest.approx(np.array([[0, h], [w / 3, h / 2], [w * 2 / 3, h / 4], [w, 0]]), abs=0.06)


def test_logarithmic_ticks_are_powers_of_ten_with_raised_exponents(read):
    reader = read(MODES)
    labels = reader.figure("modes").locator(".explore-panel").nth(1).locator("text.explore-before")
    assert labels.all_text_contents() == ["10−3", "10−2", "10−1", "100"]
    assert labels.first.locator("tspan").text_content() == "−3"


@pytest.mark.parametrize(
    ("low", "high", "ends", "count"), [(0, 1, ["0", "1.0"], 6), (0.3, 0.31, ["0.300", "0.310"], 6), (-3e6, 2e6, ["−3·106", "2·106"], 6), (5, 5, ["4.4", "5.6"], 7),
                                       (0, 0, ["−1.0", "1.0"], 5), (0, 2.3e-5, ["0", "2.5·10−5"], 6)],
)  # fmt: skip
def test_fitted_limits_are_round(read, low, high, ends, count):
    spec = demo.figure("round", [demo.slider("a", 0, 1, 0)], [demo.line("x", demo.series("y"))], alt="x")
    reader = read((spec, f"(a) => ({{ y: vector(9, (i) => {low} + i / 8 * ({high} - {low})) }})"))
    labels = reader.text("round", "text.explore-before")
    assert [labels[0], labels[-1]] == ends and count - 2 <= len(labels) <= count + 2, labels


def test_markers_and_notes_stay_inside_the_drawing(read):
    reader = read(MODES, SPIRAL, size=browser.PHONE)
    for id in ("modes", "spiral"):
        for key in ("Home", "End"):
            reader.figure(id).locator("input").nth(1).press(key)
            reader.settle()
            cut = reader.ask(id, """[...element.querySelectorAll(".explore-notes span")].filter((note) => {
              const inner = note.getBoundingClientRect(), outer = note.closest(".explore-plot").getBoundingClientRect();
              return inner.left < outer.left || inner.right > outer.right || inner.top < outer.top || inner.bottom > outer.bottom; }).map((note) => note.textContent)""")
            assert cut == []


def test_a_marker_that_is_not_finite_is_not_drawn(read):
    reader = read(MODES)
    marks = lambda: [bool(len(path)) for path in reader.paths("modes", ".explore-mark")]
    assert marks() == [True, True] and "half-life" in reader.text("modes", ".explore-notes span")
    reader.slider("modes", "λ2").press("Home")
    reader.settle()
    assert marks() == [False, True] and "half-life" not in reader.text("modes", ".explore-notes span")


def test_nullclines_are_where_the_field_turns(read):
    reader = read(HEAVY)
    across, up = reader.paths("heavy", ".explore-plot .explore-nullcline")
    w = float(reader.ask("heavy", "element.querySelector('svg svg').getAttribute('width')")) - 4
    x, y = across.reshape(-1, 2)[:, 0] / w * 4 - 2, 2 - across.reshape(-1, 2)[:, 1] / w * 4
    inner = np.abs(x) < 1.8
    assert np.abs(y - x / 4 + np.sin(x))[inner].max() < 0.02 and x.min() < -1.95 and x.max() > 1.95
    x, y = up.reshape(-1, 2)[:, 0] / w * 4 - 2, 2 - up.reshape(-1, 2)[:, 1] / w * 4
    assert np.abs(x + y / 4).max() < 0.01, "a straight line is met exactly, to the frame"
    assert reader.ask("heavy", "element.querySelector('.explore-plot .n1').getAttribute('d').match(/M/g).length") == 1, "in one piece, for the dashes"


def test_level_sets_are_closed_and_round(read):
    spec = demo.figure("levels", [demo.slider("a", 0.2, 1.5, 1)], [demo.phase("circle", levels=[{"key": "square", "values": [1]}])], alt="x")
    reader = read((spec, "(a) => ({ square: matrix(40, 40, (i, j) => (((i - 19.5) / 10) ** 2 + ((j - 19.5) / 10) ** 2) / a ** 2) })"))
    (circle,) = reader.paths("levels", ".explore-curve")
    w = float(reader.ask("levels", "element.querySelector('svg svg').getAttribute('width')")) - 4
    points = circle.reshape(-1, 2) / w * 4 - 2
    assert np.hypot(*points.T) == pytest.approx(1, abs=0.01) and points[0] == pytest.approx(points[-1])


@pytest.mark.parametrize("level", [-0.004, 0.004])
def test_at_a_saddle_its_middle_says_which_branches_belong_together(read, level):
    spec = demo.figure("saddle", [demo.slider("a", 0, 1, 0)], [demo.phase("saddle", levels=[{"key": "saddle", "values": [level]}])], alt="x")
    reader = read((spec, "(a) => ({ saddle: matrix(20, 20, (i, j) => ((j - 9.5) / 5) * ((i - 9.5) / 5)) })"))
    d = reader.ask("saddle", "element.querySelector('.explore-curve').getAttribute('d')")
    w = float(reader.ask("saddle", "element.querySelector('svg svg').getAttribute('width')")) - 4
    assert d.count("M") == 2
    for branch in d.split("M")[1:]:
        x, y = (np.array(branch.replace("L", " ").split(), float).reshape(-1, 2) / w * 4 - 2).T
        assert max(x) < 0.01 or min(x) > -0.01, "a branch stays on its side"
        assert np.sign(-x[abs(x) > 0.2] * y[abs(x) > 0.2]).mean() == np.sign(level)


@pytest.mark.parametrize(("theme", "paper"), [("dark", "rgb(18, 18, 18)"), ("light", "rgb(255, 255, 255)")])
def test_letters_and_ground_belong_together_where_a_page_names_only_its_mode(read, theme, paper):
    reader = read(MODES, theme=theme)
    reader.page.add_style_tag(content="html[data-theme=dark] { --pst-color-text-base: initial !important; --pst-color-background: initial !important; }")
    ink, ground = reader.ask("modes", "[getComputedStyle(element).color, getComputedStyle(element).backgroundColor]")
    assert ground == paper and (int(ink[4:7].strip(",")) > 128) == (theme == "dark")


def test_arrows_point_along_the_field(read):
    reader = read(HEAVY)
    (field,) = reader.paths("heavy", ".explore-field")
    arrows = field.reshape(-1, 10)
    assert len(arrows) == 168, "none in the middle, where nothing moves"
    x, y = arrows[:, 0:4:2].mean(axis=1), arrows[:, 1:4:2].mean(axis=1)
    w = float(reader.ask("heavy", "element.querySelector('svg svg').getAttribute('width')")) - 4
    px, py = x / w * 4 - 2, 2 - y / w * 4
    u, v = py - px / 4 + np.sin(px), -px - py / 4
    du, dv = arrows[:, 2] - arrows[:, 0], arrows[:, 1] - arrows[:, 3]
    length, speed = np.hypot(du, dv), np.hypot(u, v)
    fast = speed > 0.2
    assert ((du * u + dv * v) / (length * speed))[fast].min() > 0.999
    assert length.max() <= w / 13 and np.all(np.diff(length[np.argsort(speed)]) > -0.5), "longer where it is faster, never across its cell"


def test_a_heat_map_follows_the_numbers(read):
    spec = demo.figure("cells", [demo.slider("a", 1, 2, 1)], [demo.heat("cells", "m", limits=[0, 40])], alt="x")
    reader = read((spec, "(a) => ({ m: matrix(2, 3, (i, j) => [1, 21, 39, 0, NaN, 50][3 * i + j]) })"))
    tones = [path.count("M") - 1 for path in reader.ask("cells", "[...element.querySelectorAll('.explore-cell')].map((p) => p.getAttribute('d'))")]
    assert {tone: n for tone, n in enumerate(tones) if n} == {0: 1, 1: 1, 21: 1, 39: 2}
    fills = reader.ask("cells", "[...element.querySelectorAll('.explore-cell')].map((p) => getComputedStyle(p).fill)")
    assert len(set(fills)) == 40


def test_bars_grow_from_zero_and_on_a_logarithmic_axis_from_below(read):
    panels = [demo.bars("linear", demo.series("y")), demo.bars("log", demo.series("y"), log="y")]
    reader = read((demo.figure("bars", [demo.slider("a", 1, 2, 1)], panels, alt="x"), "(a) => ({ y: vector(3, (i) => [1, 0.1, -0.5][i]) })"))
    linear, log = reader.paths("bars", ".explore-plot .explore-bars")
    heights = lambda path: [bar[1] - bar[2] for bar in path.reshape(-1, 5)]
    assert np.array(heights(linear)) / heights(linear)[0] == pytest.approx([1, 0.1, -0.5], abs=0.01)
    assert len(heights(log)) == 2 and min(heights(log)) > 5
