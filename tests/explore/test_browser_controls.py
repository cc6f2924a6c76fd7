"""Sliders, choices, reset, and play, by keyboard and mouse."""

import browser
import demo
import numpy as np
import pytest
from reading import BROKEN, MODES, SPECTRA, SPIRAL, chromium, read  # noqa: F401


def test_a_slider_by_keyboard(read):
    reader = read(MODES)
    slider, step = reader.slider("modes", "λ2"), 0.005
    slider.press("ArrowRight")
    assert reader.values("modes")["slow"] == pytest.approx(0.2 + step)
    slider.press("PageUp")
    assert reader.values("modes")["slow"] == pytest.approx(0.3 + step)
    slider.press("End")
    assert reader.values("modes")["slow"] == 1
    slider.press("ArrowRight")
    assert reader.values("modes")["slow"] == 1
    slider.press("Home")
    assert reader.values("modes")["slow"] == 0
    assert slider.get_attribute("aria-valuetext") == "0.000"
    assert slider.evaluate("(e) => getComputedStyle(e).outlineStyle") != "none"


def test_keys_of_controls_do_not_reach_the_page_around(read):
    reader = read(MODES)
    reader.page.evaluate("() => { window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key)); }")
    for key in ("ArrowUp", "PageDown", "Home", "End", "Enter", "Tab", "Escape"):
        reader.slider("modes", "λ2").press(key)
    assert reader.page.evaluate("() => heard") == ["Tab", "Escape"]
    assert reader.ask("modes", "[...element.querySelectorAll('input, select, button, [tabindex]')].every(node => node.dataset.lmSuppressShortcuts)")


def test_a_logarithmic_slider(read):
    reader = read(MODES)
    slider = reader.slider("modes", "λ1")
    assert float(slider.get_attribute("min")) == -1 and float(slider.evaluate("(e) => e.value")) == 0
    slider.press("ArrowRight")
    assert reader.values("modes")["fast"] == pytest.approx(10**0.01)
    assert slider.get_attribute("aria-valuetext") == "1.02"
    assert "1.02" in reader.text("modes", "output")
    slider.press("End")
    assert reader.values("modes")["fast"] == 10


@pytest.mark.parametrize(("low", "high", "log"), [(0.1, 0.7, False), (-1 / 3, np.pi, False), (0.3, 3.0, True), (1e-5, 7e4, True)])
def test_both_ends_are_exact_and_all_steps_are_there(read, low, high, log):
    spec = demo.figure("ends", [demo.slider("a", low, high, high, log=log)], [demo.line("x", demo.series("y"))], alt="x")
    reader = read((spec, "(a) => ({ y: vector(2, () => a) })"))
    assert reader.values("ends")["a"] == high
    slider, seen = reader.slider("ends", "a"), []
    for _ in range(200):
        slider.press("ArrowLeft")
        seen.append(reader.values("ends")["a"])
    assert seen[-1] == low and len(set(seen)) == 200
    slider.press("End")
    assert reader.values("ends")["a"] == high


def test_a_slider_by_mouse_moves_the_drawing(read):
    reader = read(MODES)
    before = reader.paths("modes", ".explore-plot .explore-line")
    box = reader.slider("modes", "λ2").bounding_box()
    reader.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    reader.settle()
    assert 0.7 < reader.values("modes")["slow"] < 0.8
    after = reader.paths("modes", ".explore-plot .explore-line")
    assert len(after) == 3 and all(len(a) != len(b) or np.abs(a - b).max() > 1 for a, b in zip(before, after, strict=True))


def test_a_value_between_steps_is_kept_until_the_slider_moves(read):
    spec = demo.figure("between", [demo.slider("a", 0, 10, 2.5, step=1)], [demo.line("x", demo.series("y"))], alt="x")
    reader = read((spec, "(a) => ({ y: vector(2, () => a) })"))
    assert reader.values("between")["a"] == 2.5 and reader.text("between", "output") == ["2.5"]


@pytest.mark.parametrize(("low", "step", "shown"), [(4, np.log10(2), "8"), (4, 0.25, "7.11"), (0.5, np.log10(2), "1.00")])
def test_a_slider_of_doublings_shows_whole_numbers(read, low, step, shown):
    spec = demo.figure("widths", [demo.slider("a", low, 32 * low, low, log=True, step=step)], [demo.line("x", demo.series("y"))], alt="x")
    reader = read((spec, "(a) => ({ y: vector(2, () => a) })"))
    reader.slider("widths", "a").press("ArrowRight")
    reader.settle()
    assert reader.text("widths", "output") == [shown]


def test_choice_reset_and_set(read):
    reader = read(SPIRAL)
    reader.figure("spiral").get_by_label("Start").select_option("one start")
    reader.slider("spiral", "trace").press("Home")
    reader.settle()
    assert reader.values("spiral") == {"a": -2, "b": 1.5, "start": 0}
    assert len([p for p in reader.paths("spiral", ".explore-phase .explore-line, .explore-plot .explore-solid") if len(p)]) == 1
    reader.ask("spiral", "figure.set({ b: 99, start: 1 })")
    assert reader.values("spiral") == {"a": -2, "b": 3, "start": 1}
    reader.figure("spiral").get_by_role("button", name="Reset").click()
    reader.settle()
    assert reader.values("spiral") == {"a": -0.3, "b": 1.5, "start": 1}
    for bad in ("{ nobody: 1 }", "{ a: NaN }", "{ a: 'x' }"):
        assert "cannot set" in reader.page.evaluate("(bad) => { try { document.querySelector('.explore').explore.set(eval('(' + bad + ')')); } catch (e) { return e.message; } }", bad)


def test_after_a_reset_the_drawing_is_the_first_one_again(read):
    reader = read(BROKEN)
    drawn = "[...element.querySelectorAll('svg path')].map((path) => path.getAttribute('d')).join()"
    first = reader.ask("broken", drawn)
    reader.slider("broken", "learning rate").press("Home")
    reader.settle()
    assert reader.ask("broken", drawn) != first
    reader.figure("broken").get_by_role("button", name="Reset").click()
    reader.settle()
    assert reader.ask("broken", drawn) == first


PERIODS = "() => { window.periods = []; const real = setInterval; self.setInterval = (f, period) => (periods.push(period), real(f, period)); }"


def test_play_sweeps_until_it_is_paused_or_the_slider_is_touched(read):
    reader = read(MODES, motion="no-preference")
    button = reader.figure("modes").get_by_role("button").first
    assert button.inner_text() == "Play"
    reader.page.evaluate(PERIODS)
    button.click()
    assert reader.page.evaluate("() => periods") == [16]
    at = reader.values("modes")["fast"]
    for _ in range(4):  # four looks, each at a larger value than the one before
        reader.page.wait_for_function("(at) => document.querySelector('#explore-modes').explore.values.fast > at", arg=at)
        at = reader.values("modes")["fast"]
    assert button.inner_text() == "Pause" and button.get_attribute("aria-pressed") is None, "one of both: not 'Pause, pressed'"
    reader.slider("modes", "r1").press("ArrowRight")
    assert button.inner_text() == "Pause", "another slider may move meanwhile"
    reader.slider("modes", "λ1").press("ArrowRight")
    assert button.inner_text() == "Play"
    button.click()
    reader.slider("modes", "r1").press("Escape")
    assert button.inner_text() == "Play", "Escape stops it from everywhere in the figure"
    at = reader.values("modes")["fast"]
    reader.page.wait_for_timeout(150)
    assert reader.values("modes")["fast"] == at


def test_play_stops_when_the_figure_is_out_of_sight_or_gone(read):
    reader = read(MODES, SPIRAL, SPECTRA, motion="no-preference")
    button = reader.figure("modes").get_by_role("button", name="Play")
    button.click()
    assert reader.figure("modes").get_by_role("button", name="Pause").count() == 1
    reader.page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    reader.page.wait_for_function("() => document.querySelector('#explore-modes button').textContent === 'Play'")
    reader.page.evaluate("() => scrollTo(0, 0)")
    button.click()
    reader.page.evaluate("() => { window.kept = document.querySelector('#explore-modes').explore; document.querySelector('#explore-modes').remove(); }")
    reader.page.wait_for_timeout(200)
    at = reader.page.evaluate("() => kept.values.fast")
    reader.page.wait_for_timeout(200)
    assert reader.page.evaluate("() => kept.values.fast") == at


STUCK = """(id) => { const box = (e) => e.getBoundingClientRect(), element = document.getElementById(id);
  const last = [...element.querySelectorAll(".explore-plot")].pop();
  scrollBy(0, box(last).top - 300);
  const after = box(element.querySelector(".explore-controls")), { left, right, top, bottom } = after;
  const over = [left + 1, (left + right) / 2, right - 1].flatMap((x) => [top + 1, bottom - 1].map((y) => document.elementFromPoint(x, y)));
  return { top, height: after.height, covers: over.every((e) => e?.closest(".explore-controls")), paper: getComputedStyle(element.querySelector(".explore-controls")).backgroundColor }; }"""


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_on_a_phone_the_controls_stay_in_sight(read, mode):
    reader = read(MODES, SPIRAL, size=browser.PHONE, touch=True, mode=mode, theme=mode)
    for id in ("modes", "spiral"):
        seen = reader.page.evaluate(STUCK, f"explore-{id}")
        assert seen["top"] == 0 and seen["height"] <= browser.PHONE["height"] / 4, "and leave three quarters to the panels"
        assert seen["covers"] and seen["paper"] == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 18, 18)"}[mode]
    reader.page.set_viewport_size({"width": 390, "height": 500})
    reader.settle()
    assert reader.page.evaluate(STUCK, "explore-modes")["top"] < 0, "not where the window is low"


def test_below_the_bar_of_a_theme_and_not_on_paper_nor_when_many(read):
    many = demo.figure("many", [demo.slider(name, 0, 1, 0) for name in "abcdef"], [demo.line("x", demo.series("y"))] * 3, alt="x")
    reader = read(MODES, (many, "() => ({ y: vector(9, (i) => i) })"), size=browser.PHONE, touch=True)
    assert reader.page.evaluate(STUCK, "explore-many")["top"] < 0
    reader.page.evaluate("() => document.documentElement.style.setProperty('--pst-header-article-height', '40px')")
    assert reader.page.evaluate(STUCK, "explore-modes")["top"] == 40
    reader.page.emulate_media(media="print")
    assert reader.ask("modes", "getComputedStyle(element.querySelector('.explore-controls')).position") == "static"


def test_where_motion_is_unwelcome_play_takes_few_slow_steps(read):
    reader = read(MODES)
    first = reader.values("modes")["fast"]
    reader.page.evaluate(PERIODS)
    reader.page.evaluate("""() => {
      const figure = document.querySelector("#explore-modes").explore, begin = performance.now();
      document.querySelector("#explore-modes button").click();
      window.steps = [];  // when, and to what
      setInterval(() => figure.values.fast !== (steps.at(-1)?.[1] ?? %s) && steps.push([performance.now() - begin, figure.values.fast]), 5);
    }""" % first)
    reader.page.wait_for_function("() => steps.length > 2")
    times, values = zip(*reader.page.evaluate("() => steps.slice(0, 3)"), strict=True)
    assert reader.page.evaluate("() => periods[0]") == 1200
    assert times[0] > 1000 and times[2] > 3000, "a step in more than a second"
    assert values == pytest.approx([first * 10 ** (k / 4) for k in (1, 2, 3)]), "an eighth of the way from .1 to 10"
