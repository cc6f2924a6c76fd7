"""explore.js and explore.css, as readers get them: the whole page, its width, its modes, its speed."""

import browser
import demo
import numpy as np
import pytest
from reading import HEAVY, MODES, SPIRAL, WIDER, chromium, read  # noqa: F401

NARROW = {"width": 320, "height": 700}
BARRIERS = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"], preload: false });
  return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
}"""


def test_the_script_is_small():
    assert len(demo.SCRIPT.encode()) <= 25_000
    assert len(demo.STYLE.encode()) <= 8_000


@pytest.mark.parametrize("size", [browser.DESK, browser.PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_has_no_barriers(read, size, mode):
    reader = read(*demo.FIGURES, size=size, mode=mode)
    reader.page.evaluate(browser.AXE.read_text(encoding="utf8"))
    assert reader.page.evaluate(BARRIERS) == []


@pytest.mark.parametrize("wide", [False, True], ids=["arial", "dejavu"])
@pytest.mark.parametrize("size", [browser.DESK, browser.PHONE, NARROW], ids=lambda size: str(size["width"]))
def test_it_fits_and_its_letters_can_be_read(read, size, wide):
    reader = read(*demo.FIGURES, size=size, wide=wide)
    assert not wide or reader.page.evaluate("() => document.fonts.ready.then((fonts) => [...fonts].map((font) => font.status))") == ["loaded"]
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


# --- Taking it away.


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
