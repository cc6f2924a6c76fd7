"""explore.js and explore.css, as readers get them (minified), in Chromium from a file with the network refused.

The figures of `demo.py` compute in JavaScript written by hand, so these tests need neither JAX nor the built book.
"""

import os

import browser
import demo
import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("error")

NARROW = {"width": 320, "height": 700}
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
BARRIERS = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"], preload: false });
  return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
}"""
FRAMES = "(count) => new Promise((done) => { const next = () => (count-- ? requestAnimationFrame(next) : done()); next(); })"


@pytest.fixture(scope="session")
def chromium():
    if browser.executable() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(browser.NO_BROWSER)
    with browser.launched() as chromium:
        yield chromium


class Reader:
    """A page with figures, and what a reader does with them."""

    def __init__(self, visit, address):
        self.visit, self.page = visit.open(address), visit.page
        self.page.wait_for_function("() => [...document.querySelectorAll('.explore')].every((e) => e.explore?.updates > 0)")

    def figure(self, id):
        return self.page.locator(f"#explore-{id}")

    def values(self, id):
        return self.ask(id, "figure.values")

    def ask(self, id, expression):
        """A JavaScript expression over `element` and its `figure`."""
        return self.page.evaluate(f"(id) => {{ const element = document.getElementById(id), figure = element.explore; return {expression}; }}", f"explore-{id}")

    def settle(self, frames=3):
        self.page.evaluate(FRAMES, frames)

    def slider(self, id, label):
        return self.figure(id).get_by_role("slider", name=label, exact=True)

    def paths(self, id, selector):
        """The numbers of the paths that match, one list a path."""
        found = self.figure(id).locator(selector).evaluate_all("(paths) => paths.map((path) => (path.getAttribute('d').match(/-?[\\d.]+(e-?\\d+)?/g) ?? []).map(Number))")
        return [np.array(path) for path in found]

    def text(self, id, selector):
        return self.figure(id).locator(selector).all_text_contents()

    def clean(self):
        assert self.visit.outside == [] and self.visit.failed == [] and self.visit.errors == []


@pytest.fixture
def read(chromium, tmp_path):
    """Opens a page with these figures; at the end nothing may have gone wrong on it."""
    readers, contexts = [], []

    def opened(*figures, size=browser.DESK, mode="light", motion="reduce", touch=False, **page):
        context = chromium.new_context(viewport=size, color_scheme=mode, reduced_motion=motion, has_touch=touch, is_mobile=touch)
        contexts.append(context)
        file = tmp_path / "page.html"
        file.write_text(demo.page(*figures, **page), encoding="utf8")
        reader = Reader(browser.visit(context, tmp_path.as_uri()), file.as_uri())
        readers.append(reader)
        return reader

    yield opened
    for reader in readers:
        reader.clean()
    for context in contexts:
        context.close()


MODES, SPIRAL, SPECTRA = (demo.MODES, demo.MODES_JS), (demo.SPIRAL, demo.SPIRAL_JS), (demo.SPECTRA, demo.SPECTRA_JS)
BROKEN, TABLE, HEAVY = (demo.BROKEN, demo.BROKEN_JS), (demo.TABLE, None), (demo.HEAVY, demo.HEAVY_JS)


# --- The whole page.


def test_the_script_is_small():
    assert len(demo.SCRIPT.encode()) <= 25_000
    assert len(demo.STYLE.encode()) <= 8_000


@pytest.mark.parametrize("size", [browser.DESK, browser.PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_has_no_barriers(read, size, mode):
    reader = read(*demo.FIGURES, size=size, mode=mode)
    reader.page.evaluate(browser.AXE.read_text(encoding="utf8"))
    assert reader.page.evaluate(BARRIERS) == []


@pytest.mark.parametrize("size", [browser.DESK, browser.PHONE, NARROW], ids=lambda size: str(size["width"]))
def test_it_fits_and_its_letters_can_be_read(read, size):
    reader = read(*demo.FIGURES, size=size)
    assert reader.page.evaluate(WIDER) <= 0
    wide = reader.page.evaluate("""() => [...document.querySelectorAll(".explore-body *")].filter((e) => !e.closest(".explore-hidden, .explore-svg > svg, .explore-handle")
      && e.getBoundingClientRect().right > e.closest(".explore").getBoundingClientRect().right).map((e) => e.outerHTML.slice(0, 80))""")
    assert wide == [], "the figure cuts what is too wide, so that the page would not show it"
    letters = reader.page.evaluate("""() => [...document.querySelectorAll(".explore text, .explore span, .explore label")]
      .map((e) => parseFloat(getComputedStyle(e).fontSize) * (e.closest("svg")?.getBoundingClientRect().width / e.closest("svg")?.getAttribute("width") || 1))""")
    assert min(letters) >= 10.9
    # Words of the axes stay inside the drawing.
    cut = reader.page.evaluate("""() => [...document.querySelectorAll(".explore-svg > g > text")].filter((text) => {
      const inner = text.getBoundingClientRect(), outer = text.closest("svg").getBoundingClientRect();
      return text.textContent && (inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1 || inner.top < outer.top - 1);
    }).map((text) => text.textContent)""")
    assert cut == []


def test_panels_stand_side_by_side_or_below_each_other_and_follow_the_width(read):
    reader = read(MODES)
    tops = lambda: [round(box["y"]) for box in (p.bounding_box() for p in reader.figure("modes").locator(".explore-plot").all())]
    frames = reader.figure("modes").locator(".explore-svg > svg")
    assert len(set(tops())) == 1
    boxes = [frame.evaluate("(e) => [e.getAttribute('y'), e.getAttribute('height')]") for frame in frames.all()]
    assert boxes[0] == boxes[1], "the frames of a row are equally high"
    before = reader.ask("modes", "element.querySelector('.explore-svg').getAttribute('width')")
    reader.page.set_viewport_size(browser.PHONE)
    reader.settle()
    assert len(set(tops())) == 2
    after = reader.ask("modes", "element.querySelector('.explore-svg').getAttribute('width')")
    assert after != before and reader.page.evaluate(WIDER) <= 0


def test_a_figure_that_is_hidden_at_first_is_drawn_when_it_is_shown(read):
    reader = read(MODES)
    reader.page.evaluate("""(id) => {
      const element = document.getElementById(id), compute = learndynExplore.figures.modes, spec = %s;
      element.parentElement.insertAdjacentHTML("beforeend", "<section hidden><div id=late></div></section>");
      learndynExplore.mount(document.getElementById("late"), spec, compute);
    }""" % demo.json.dumps(demo.MODES), "explore-modes")  # fmt: skip
    late = "() => document.getElementById('late').explore.updates"
    reader.settle()
    assert reader.page.evaluate(late) == 0
    reader.page.evaluate("() => (document.querySelector('section').hidden = false)")
    reader.page.wait_for_function(late)
    reader.page.locator("#late .explore-line").first.wait_for()


def test_two_figures_do_not_share_anything_and_the_script_may_come_twice(read):
    twin = demo.MODES | {"id": "twin"}
    reader = read(MODES, (twin, demo.MODES_JS), scripts=2)
    reader.slider("modes", "r1").press("ArrowRight")
    reader.settle()
    assert reader.values("modes")["r1"] > 1 and reader.values("twin")["r1"] == 1
    assert reader.ask("modes", "element.querySelectorAll('.explore-body').length") == 1
    ids = reader.page.evaluate("() => [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


def test_it_leaves_one_global_name(read):
    reader = read(MODES)
    reader.page.evaluate("() => { const frame = document.createElement('iframe'); document.body.append(frame); }")
    names = reader.page.evaluate("() => { const bare = new Set(Object.getOwnPropertyNames(frames[0])); return Object.getOwnPropertyNames(window).filter((n) => !bare.has(n)); }")
    assert set(names) - {"0", "learndynExplore"} == set()


def test_a_figure_without_numbers_keeps_its_picture_and_the_others_work(read):
    orphan = demo.MODES | {"id": "orphan"}
    reader = read(MODES)
    reader.page.evaluate("(html) => document.querySelector('article').insertAdjacentHTML('afterbegin', html)", demo.fragment(orphan))
    reader.page.evaluate("() => learndynExplore.start()")
    assert reader.figure("orphan").locator("img").count() == 1
    assert reader.values("modes")["r1"] == 1
    (error,) = reader.visit.errors
    assert "orphan" in error
    reader.visit.errors.clear()


# --- Controls.


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
    assert slider.get_attribute("aria-valuetext") == "λ2 0.000"
    assert slider.evaluate("(e) => getComputedStyle(e).outlineStyle") != "none"


def test_keys_of_controls_do_not_reach_the_page_around(read):
    reader = read(MODES)
    reader.page.evaluate("() => { window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key)); }")
    for key in ("ArrowUp", "PageDown", "Home", "Tab", "Escape"):
        reader.slider("modes", "λ2").press(key)
    assert reader.page.evaluate("() => heard") == ["Tab", "Escape"]
    assert reader.ask("modes", "element.querySelector('[data-lm-suppress-shortcuts=true]') !== null")


def test_a_logarithmic_slider(read):
    reader = read(MODES)
    slider = reader.slider("modes", "λ1")
    assert float(slider.get_attribute("min")) == -1 and float(slider.evaluate("(e) => e.value")) == 0
    slider.press("ArrowRight")
    assert reader.values("modes")["fast"] == pytest.approx(10**0.01)
    assert slider.get_attribute("aria-valuetext") == "λ1 1.02"
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


def test_play_sweeps_until_it_is_paused_or_the_slider_is_touched(read):
    reader = read(MODES, motion="no-preference")
    button = reader.figure("modes").get_by_role("button", name="Play")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    seen = []
    for _ in range(4):
        reader.page.wait_for_timeout(120)
        seen.append(reader.values("modes")["fast"])
    assert seen == sorted(seen) and len(set(seen)) == 4
    pause = reader.figure("modes").get_by_role("button", name="Pause")
    assert pause.get_attribute("aria-pressed") == "true"
    reader.slider("modes", "r1").press("ArrowRight")
    assert pause.get_attribute("aria-pressed") == "true", "another slider may move meanwhile"
    reader.slider("modes", "λ1").press("ArrowRight")
    assert button.get_attribute("aria-pressed") == "false"
    at = reader.values("modes")["fast"]
    reader.page.wait_for_timeout(150)
    assert reader.values("modes")["fast"] == at


def test_play_stops_when_the_figure_is_out_of_sight_or_gone(read):
    reader = read(MODES, SPIRAL, SPECTRA, motion="no-preference")
    button = reader.figure("modes").get_by_role("button", name="Play")
    button.click()
    reader.page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    reader.page.wait_for_function("() => document.querySelector('#explore-modes button').getAttribute('aria-pressed') === 'false'")
    reader.page.evaluate("() => scrollTo(0, 0)")
    button.click()
    reader.page.evaluate("() => { window.kept = document.querySelector('#explore-modes').explore; document.querySelector('#explore-modes').remove(); }")
    reader.page.wait_for_timeout(200)
    at = reader.page.evaluate("() => kept.values.fast")
    reader.page.wait_for_timeout(200)
    assert reader.page.evaluate("() => kept.values.fast") == at


def test_where_motion_is_unwelcome_play_takes_few_slow_steps(read):
    reader = read(MODES)
    reader.figure("modes").get_by_role("button", name="Play").click()
    reader.page.wait_for_timeout(3000)
    updates, value = reader.ask("modes", "[figure.updates, figure.values.fast]")
    assert 2 <= updates <= 4 and value > 1


# --- The handle in the plane.


def knob(reader, id="modes"):
    return reader.figure(id).locator(".explore-handle")


def center(box):
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def frame_of(reader, id="modes"):
    """Of the first panel, in the window's pixels."""
    outer = reader.figure(id).locator(".explore-svg").first.bounding_box()
    x, y, w, h = (float(part) for part in reader.ask(id, "['x', 'y', 'width', 'height'].map((name) => element.querySelector('svg svg').getAttribute(name))"))
    return {"x": outer["x"] + x + 2, "y": outer["y"] + y + 2, "width": w - 4, "height": h - 4}


def test_the_handle_by_mouse(read):
    reader = read(MODES)
    x, y = center(knob(reader).bounding_box())
    frame = frame_of(reader)
    unit = frame["width"] / 4  # pixels a unit
    reader.page.mouse.move(x + 8, y - 5)  # beside its middle: it must not jump
    reader.page.mouse.down()
    reader.page.mouse.move(x + 8 - unit, y - 5 + unit / 2, steps=5)
    reader.settle()
    assert reader.values("modes")["r1"] == pytest.approx(0, abs=0.02) and reader.values("modes")["r2"] == pytest.approx(0, abs=0.02)
    reader.page.mouse.move(-50, -50)
    reader.settle()
    assert (reader.values("modes")["r1"], reader.values("modes")["r2"]) == (-2, 2), "it stays in the frame"
    reader.page.mouse.up()
    reader.page.mouse.move(x, y)
    reader.settle()
    assert reader.values("modes")["r1"] == -2, "let go"
    line = reader.paths("modes", ".explore-line")[0]
    assert line[:2] == pytest.approx([0, 0], abs=0.2), "the path starts at the handle"
    handle = center(knob(reader).bounding_box())
    assert handle == pytest.approx((frame["x"], frame["y"]), abs=1)


def test_a_click_in_the_plane_brings_the_handle_there(read):
    reader = read(MODES)
    frame = frame_of(reader)
    reader.page.mouse.click(frame["x"] + 0.25 * frame["width"], frame["y"] + 0.75 * frame["height"])
    reader.settle()
    assert reader.values("modes")["r1"] == pytest.approx(-1, abs=0.03) and reader.values("modes")["r2"] == pytest.approx(-1, abs=0.03)
    reader.page.mouse.click(frame["x"] - 20, frame["y"] + 50)
    reader.settle()
    assert reader.values("modes")["r1"] == pytest.approx(-1, abs=0.03), "outside the frame nothing happens"


def test_the_handle_by_keyboard(read):
    reader = read(MODES)
    handle = knob(reader)
    handle.focus()
    for key, name, change in [("ArrowRight", "r1", 0.02), ("ArrowUp", "r2", 0.02), ("Shift+ArrowLeft", "r1", -0.2), ("Shift+ArrowDown", "r2", -0.2)]:
        before = reader.values("modes")[name]
        handle.press(key)
        assert reader.values("modes")[name] == pytest.approx(before + change), key
    reader.settle()
    assert handle.get_attribute("aria-valuetext") == "r1 0.82, r2 0.32"
    assert float(handle.get_attribute("aria-valuenow")) == pytest.approx(0.82)
    assert handle.evaluate("(e) => getComputedStyle(e, '::before').outlineStyle") == "solid", "visible focus"
    reader.page.keyboard.press("Shift+Tab")
    reader.page.keyboard.press("Tab")
    assert handle.evaluate("(e) => e === document.activeElement")


def test_a_finger_drags_the_handle_and_scrolls_beside_it(read):
    reader = read(MODES, SPIRAL, size=browser.PHONE, touch=True)
    handle = knob(reader)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box["width"] >= 44 and box["height"] >= 44
    assert handle.evaluate("(e) => getComputedStyle(e).touchAction") == "none"
    touch = reader.page.context.new_cdp_session(reader.page)

    def swipe(x, y, dx, dy):
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for part in range(1, 11):
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + dx * part / 10, "y": y + dy * part / 10}]})
            reader.settle(1)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        reader.settle()

    x, y = center(box)
    scrolled = "() => scrollY"
    before, top = reader.values("modes"), reader.page.evaluate(scrolled)
    swipe(x + 12, y - 9, -80, 60)
    after = reader.values("modes")
    assert after["r1"] < before["r1"] - 0.5 and after["r2"] < before["r2"] - 0.3
    assert reader.page.evaluate(scrolled) == top, "the page stays while the handle moves"
    swipe(*(part + 60 for part in center(handle.bounding_box())), 0, -120)
    assert reader.page.evaluate(scrolled) > top + 50, "a swipe over the plane scrolls the page"
    assert reader.values("modes") == after
    frame = frame_of(reader)
    reader.page.touchscreen.tap(frame["x"] + 0.75 * frame["width"], frame["y"] + 0.75 * frame["height"])
    reader.settle()
    assert reader.values("modes")["r1"] == pytest.approx(1, abs=0.03) and reader.values("modes")["r2"] == pytest.approx(-1, abs=0.03)


def test_on_a_touch_screen_targets_are_large(read):
    reader = read(*demo.FIGURES, size=browser.PHONE, touch=True)
    small = reader.page.evaluate("""() => [...document.querySelectorAll(".explore :is(input, select, button, [role=slider])")]
      .filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML.slice(0, 80))""")
    assert small == [] and reader.page.evaluate(WIDER) <= 0


# --- Words.


def test_the_summary_follows_at_once_and_is_spoken_when_it_rests(read):
    reader = read(MODES)
    shown = reader.figure("modes").locator(".explore-summary > span").first
    status = reader.figure("modes").locator("p[role=status]")
    assert shown.inner_text() == "Half-life 1.73 at 1.00; the motion is a sink."
    reader.page.wait_for_timeout(900)
    reader.page.evaluate("""() => { window.said = []; const status = document.querySelector("p[role=status]");
      new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true, characterData: true, subtree: true }); }""")
    slider = reader.slider("modes", "λ2")
    for _ in range(6):
        slider.press("ArrowLeft")
    slider.press("Home")
    reader.settle()
    assert shown.inner_text() == "Half-life infinite at 1.00; the motion is a plateau that takes long."
    assert reader.page.evaluate("() => said") == []
    reader.page.wait_for_timeout(1000)
    assert reader.page.evaluate("() => said") == ["Half-life infinite at 1.00; the motion is a plateau that takes long."]
    assert status.count() == 1
    assert set(reader.ask("modes", "[...element.querySelectorAll('output')].map((output) => output.ariaLive)")) == {"off"}, "outputs would chatter"


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [("1.005", ".1f", "1.0"), ("-0.5", ".2f", "−0.50"), ("1234567", ".3g", "1.23×10⁶"), ("0.00001234", ".2g", "1.2×10⁻⁵"), ("100", ".3g", "100"),
     ("0.5", ".3g", "0.5"), ("12345", ".2e", "1.23×10⁴"), ("7.6", "d", "8"), ("Infinity", ".2f", "infinite"), ("NaN", ".2f", "undefined"), ("0", ".2g", "0")],
)  # fmt: skip
def test_numbers_in_the_summary_are_pythons(read, value, code, text):
    spec = demo.figure("numbers", [demo.slider("a", 0, 1, 0)], [demo.line("x", demo.series("y"))], alt="x", summary=[{"key": "v", "format": code}])
    reader = read((spec, f"(a) => ({{ y: vector(2, () => 1), v: scalar({value}) }})"))
    assert reader.text("numbers", ".explore-summary > span")[0] == text
    if text not in ("infinite", "undefined"):
        plain = text.replace("−", "-").replace("×10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
        assert float(plain) == float(format(round(float(value)) if code == "d" else float(value), code))


def test_nothing_jumps_while_a_slider_moves(read):
    reader = read(MODES, size=browser.PHONE)
    heights = set()
    slider = reader.slider("modes", "λ2")
    for key in ["Home"] + ["PageUp"] * 4 + ["End"]:
        slider.press(key)
        reader.settle()
        heights.add(reader.ask("modes", "element.offsetHeight"))
    assert len(heights) == 1


def test_names_for_those_who_do_not_see_it(read):
    reader = read(MODES, SPECTRA)
    group = reader.figure("modes").get_by_role("group", name="Interactive figure")
    described = group.get_attribute("aria-describedby")
    assert reader.page.locator(f"#{described}").inner_text() == demo.MODES["alt"]
    for spec in (demo.MODES, demo.SPECTRA):
        for panel in spec["panels"]:
            assert reader.figure(spec["id"]).get_by_role("img", name=panel["text"], exact=True).count() == 1
    assert knob(reader).get_attribute("aria-label") == "Point r1, r2: arrow keys move it"


# --- What is drawn.


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


# --- Numbers that are not there.


def test_infinite_undefined_and_absent_numbers_are_said_quietly(read):
    reader = read(BROKEN)
    said = lambda: reader.text("broken", "text.explore-quiet")
    choose = lambda option: (reader.figure("broken").get_by_label("Case").select_option(option), reader.settle())
    assert said()[:3] == ["diverges"] * 3
    assert reader.text("broken", ".explore-summary > span")[0] == "Last value infinite."
    choose("undefined")
    assert said() == ["undefined"] * 6 and reader.text("broken", ".explore-summary > span")[0] == "Last value undefined."
    choose("empty")
    assert said() == ["no data"] * 6
    choose("constant")
    assert said() == [""] * 6
    paths = reader.ask("broken", "[...element.querySelectorAll('path')].map((path) => path.getAttribute('d')).join()")
    assert "NaN" not in paths and "Infinity" not in paths and "e+" not in paths


def test_gaps_stay_gaps_and_a_lonely_point_is_a_dot(read):
    spec = demo.figure("gaps", [demo.slider("a", 1, 2, 1)], [demo.line("x", demo.series("y"))], alt="x")
    reader = read((spec, "(a) => ({ y: vector(7, (i) => [1, 2, NaN, 1, Infinity, 0, 1][i]) })"))
    d = reader.ask("gaps", "element.querySelector('.explore-line').getAttribute('d')")
    assert d.count("M") == 3 and d.count("h0") == 1


def test_what_cannot_be_computed_is_said_and_the_next_value_mends_it(read):
    spec = demo.figure("fails", [demo.slider("a", 0, 1, 0)], [demo.line("x", demo.series("y"))], alt="x")
    reader = read((spec, "(a) => { if (a > 0.5) throw new Error('too large'); return { y: vector(2, (i) => i) }; }"))
    error = reader.figure("fails").get_by_role("alert")
    assert error.inner_text() == ""
    reader.slider("fails", "a").press("End")
    reader.settle()
    assert error.inner_text() == "This could not be computed: too large"
    reader.slider("fails", "a").press("Home")
    reader.settle()
    assert error.inner_text() == ""
    assert len(reader.visit.errors) == 1
    reader.visit.errors.clear()


# --- Colors.

COLOR = "getComputedStyle(element.querySelector('.explore-line')).stroke"
LIGHT, DARK = "rgb(0, 114, 178)", "rgb(66, 180, 244)"


@pytest.mark.parametrize(
    ("system", "page", "lab", "color"),
    [("light", None, None, LIGHT), ("dark", None, None, DARK), ("dark", "light", None, LIGHT), ("light", "dark", None, DARK),
     ("light", None, "false", DARK), ("dark", None, "true", LIGHT)],
)  # fmt: skip
def test_light_and_dark(read, system, page, lab, color):
    reader = read(MODES, mode=system, theme=page)
    if lab:
        reader.page.evaluate("(lab) => document.body.setAttribute('data-jp-theme-light', lab)", lab)
    assert reader.ask("modes", COLOR) == color


def test_on_paper_it_is_black_on_white_without_controls(read):
    reader = read(MODES, SPIRAL, theme="dark")
    reader.slider("modes", "λ2").press("End")
    reader.page.emulate_media(media="print")
    reader.settle()
    for control in ("input", "button"):
        assert reader.figure("modes").locator(control).first.is_hidden()
    assert reader.text("modes", "output")[1] == "1.000" and reader.figure("modes").locator("output").first.is_visible(), "the values are printed"
    assert reader.ask("modes", COLOR) == LIGHT
    assert reader.ask("modes", "getComputedStyle(element).color + getComputedStyle(element).backgroundColor") == "rgb(0, 0, 0)rgb(255, 255, 255)"


def test_without_colors_of_its_own_it_takes_the_systems(read):
    reader = read(MODES)
    reader.page.emulate_media(forced_colors="active")
    stroke, ground = reader.ask("modes", f"[{COLOR}, getComputedStyle(element).backgroundColor]")
    assert stroke != ground and stroke not in (LIGHT, DARK)


# --- Other sources of numbers.


def test_a_table_is_interpolated(read):
    reader = read(TABLE)
    spread = {"y": 3.0, "end": 4.0}
    points = np.array([reader.values("table")["a"], reader.values("table")["b"]])
    assert points == pytest.approx([0.7, 20])
    rng = np.random.default_rng(0)
    for a, b, option in [(0.7, 20, 0), (0, 100, 0), (2, 1, 1), (2, 100, 1), *zip(rng.uniform(0, 2, 5), 10 ** rng.uniform(0, 2, 5), rng.integers(0, 2, 5), strict=True)]:
        a, b, option = float(a), float(b), int(option)
        reader.ask("table", f"figure.set({{ a: {a}, b: {b}, option: {option} }})")
        reader.settle()
        exact = demo.table_of(a, b, option)  # linear in a and log10(b), so interpolation is exact but for 16 bits
        assert float(reader.text("table", ".explore-summary > span")[0].removeprefix("End ").replace("−", "-")) == pytest.approx(exact["end"], abs=spread["end"] / 65535 + 5e-4)
        lines = [path.reshape(-1, 2) for path in reader.paths("table", ".explore-plot .explore-line")]
        pixels = np.stack([line[:, 1] for line in lines], axis=1)
        slope = np.polyfit(exact["y"].ravel(), pixels.ravel(), 1)
        assert pixels == pytest.approx(np.polyval(slope, exact["y"]), abs=0.2)


MODEL = """
class Model {  // what anywidget hands over, with a kernel that answers after a while
  constructor(traits, answer) { this.traits = traits; this.answer = answer; this.heard = {}; this.asked = []; this.delay = 30; }
  get(name) { return this.traits[name]; }
  set(name, value) { if (this.traits[name] === value) return; this.traits[name] = value; (this.heard["change:" + name] ?? []).slice().forEach((f) => f()); }
  on(event, f) { (this.heard[event] ??= []).push(f); }
  off(event, f) { this.heard[event] = this.heard[event].filter((g) => g !== f); }
  save_changes() { const now = { ...this.traits }; this.asked.push(now.a); setTimeout(() => this.reply(now), this.delay); }
  reply({ a }) {
    if (a > 0.9) return this.set("_error", "ValueError: a must be at most 0.9, but is " + a);
    this.traits._error = "";
    const bytes = new ArrayBuffer(28), numbers = Float64Array.of(a, 2 * a, a);  // at an odd offset, as messages have it
    new Uint8Array(bytes, 4).set(new Uint8Array(numbers.buffer));
    this.traits._layout = [["y", [2]], ["end", []]];
    this.set("_frame", new DataView(bytes, 4, 24));
  }
}
"""


@pytest.fixture
def kernel(read):
    spec = demo.figure("live", [demo.slider("a", 0, 1, 0.5, step=0.01)], [demo.line("x", demo.series("y"))], alt="x", summary=[{"key": "end", "format": ".2f"}])
    reader = read(MODES)
    reader.page.evaluate("""([code, spec]) => {
      (0, eval)(code + "; self.Model = Model");
      self.model = new Model({ _spec: spec, a: 0.5, _error: "" });
      model.reply({ a: 0.5 });
      const el = document.createElement("div");
      document.querySelector("article").prepend(el);
      self.cleanup = learndynExplore.live({ model, el });
    }""", [MODEL, spec])  # fmt: skip
    reader.live = lambda expression: reader.page.evaluate(f"() => {{ const element = document.querySelector('article > div > .explore'); return {expression}; }}")
    reader.end = "element.querySelector('.explore-summary > span').textContent"
    reader.page.wait_for_function("() => document.querySelector('article > div > .explore').explore.updates")
    return reader


def test_live_shows_the_first_frame_without_asking(kernel):
    assert kernel.live(kernel.end) == "0.50" and kernel.live("model.asked") == []


def test_live_the_reader_moves_a_slider(kernel):
    slider = kernel.page.locator("article > div > .explore input")
    for _ in range(3):
        slider.press("ArrowRight")
    kernel.page.wait_for_function("() => document.querySelector('article > div > .explore-summary, article > div .explore-summary span').textContent === '0.53'")
    assert kernel.live("model.get('a')") == pytest.approx(0.53)


def test_live_one_request_at_a_time_and_the_latest_wins(kernel):
    kernel.live("(model.delay = 200, element.explore.set({ a: 0.1 }))")
    for a in (0.2, 0.3, 0.4):
        kernel.page.wait_for_timeout(30)
        kernel.live(f"element.explore.set({{ a: {a} }})")
    assert kernel.live("model.asked") == [0.1]
    kernel.page.wait_for_function("() => model.asked.length === 2")
    kernel.page.wait_for_timeout(300)
    assert kernel.live("model.asked") == [0.1, 0.4] and kernel.live(kernel.end) == "0.40"


def test_live_python_moves_a_slider(kernel):
    kernel.live("(model.set('a', 0.25), model.reply({ a: 0.25 }))")
    kernel.settle()
    assert kernel.live("element.explore.values.a") == 0.25 and kernel.live("element.querySelector('output').textContent") == "0.25"
    assert kernel.live(kernel.end) == "0.25" and kernel.live("model.asked") == [], "no echo"


def test_live_an_error_is_shown_and_goes_away(kernel):
    kernel.live("element.explore.set({ a: 0.95 })")
    kernel.page.wait_for_function("() => document.querySelector('[role=alert]').textContent.includes('must be at most 0.9')")
    kernel.live("element.explore.set({ a: 0.5 })")
    kernel.page.wait_for_function("() => document.querySelector('[role=alert]').textContent === ''")
    assert kernel.live(kernel.end) == "0.50"
    kernel.visit.errors.clear()


def test_live_a_kernel_that_does_not_answer_blocks_nothing(kernel):
    kernel.live("(model.save_changes = function () { this.asked.push(this.traits.a); }, element.explore.set({ a: 0.1 }))")
    kernel.settle()
    kernel.live("element.explore.set({ a: 0.2 })")
    kernel.page.wait_for_function("() => model.asked.length === 2", timeout=2000)


def test_live_a_second_view_shows_what_the_first_has_set(kernel):
    kernel.live("element.explore.set({ a: 0.7 })")
    kernel.page.wait_for_function("() => model.asked.length === 1")
    kernel.page.wait_for_timeout(100)
    kernel.page.evaluate("() => { const el = document.createElement('div'); document.querySelector('article').append(el); self.second = learndynExplore.live({ model, el }); }")
    kernel.settle()
    second = "[...document.querySelectorAll('.explore')].pop()"
    assert kernel.live(f"{second}.explore.values.a") == pytest.approx(0.7) and kernel.live("model.asked.length") == 1
    kernel.live(f"{second}.explore.reset()")
    kernel.page.wait_for_function("() => model.get('a') === 0.5")
    assert kernel.live("element.explore.values.a") == 0.5


def test_live_cleans_up(kernel):
    kernel.page.evaluate("() => cleanup()")
    assert kernel.page.evaluate("() => Object.values(model.heard).flat().length") == 0
    assert kernel.page.locator(".explore").count() == 1


def test_destroy_gives_the_element_back(read):
    reader = read(MODES)
    reader.ask("modes", "(figure.set({ r1: 0 }), figure.destroy())")
    reader.settle()
    assert reader.page.evaluate("() => [document.getElementById('explore-modes').innerHTML, document.getElementById('explore-modes').explore]") == ["", None]


# --- Speed.


def test_an_update_is_fast_and_at_most_one_a_frame(read):
    reader = read(HEAVY)
    runs = [reader.page.evaluate("""async () => {
      const figure = document.querySelector(".explore").explore, draw = [], next = () => new Promise(requestAnimationFrame);
      for (let i = 0; i < 80; i++) {
        const before = figure.updates;
        for (let k = 0; k < 3; k++) figure.set({ w: 0.5 + (i * 3 + k) / 60, x0: Math.cos(i), y0: Math.sin(i) });
        await next(); await next();
        if (figure.updates !== before + 1) return `${figure.updates - before} draws of one change`;
        draw.push(1000 * figure.seconds.draw);
      }
      draw.sort((a, b) => a - b);
      return [draw[40], draw[76]];
    }""") for _ in range(3)]  # fmt: skip
    median, p95 = np.median(runs, axis=0)
    print(f"draw: median {median:.1f} ms, p95 {p95:.1f} ms")
    assert median <= 4 and p95 <= 16
