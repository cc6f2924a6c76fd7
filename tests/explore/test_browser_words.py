"""What a figure says: the summary, the names for those who do not see it, the errors, the numbers that are not there."""

import browser
import demo
import pytest
from reading import BROKEN, MODES, SPECTRA, chromium, read  # noqa: F401


def test_the_summary_follows_at_once_and_is_spoken_when_it_rests(read):
    reader = read(MODES)
    shown = reader.figure("modes").locator(".explore-summary > span").first
    status = reader.figure("modes").locator("p[role=status]")
    assert shown.inner_text() == "Half-life 1.73 at 1.00; the motion is a sink."
    reader.page.wait_for_function("() => document.querySelector('p[role=status]').textContent")
    reader.page.evaluate("""() => { window.said = []; const status = document.querySelector("p[role=status]");
      new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true, characterData: true, subtree: true });
      window.later = new Map();  // what is to come, which a busy machine must not bring on
      let timers = 0;
      self.setTimeout = (f, after) => (later.set(++timers, [f, after]), timers);
      self.clearTimeout = (timer) => later.delete(timer); }""")
    slider = reader.slider("modes", "λ2")
    for _ in range(6):
        slider.press("ArrowLeft")
    slider.press("Home")
    reader.settle()
    assert shown.inner_text() == "Half-life infinite at 1.00; the motion is a plateau that takes long."
    assert reader.page.evaluate("() => said") == []
    assert reader.page.evaluate("() => [...later.values()].map(([f, after]) => after)") == [800], "once, after a rest"
    reader.page.evaluate("() => later.forEach(([f]) => f())")
    assert reader.page.evaluate("() => said") == ["Half-life infinite at 1.00; the motion is a plateau that takes long."]
    assert status.count() == 1
    assert set(reader.ask("modes", "[...element.querySelectorAll('output')].map((output) => output.ariaHidden)")) == {"true"}, "outputs would chatter"


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
    group = reader.figure("modes").get_by_role("group", name="Interactive figure: residual in the plane of its two modes", exact=True)
    described = group.get_attribute("aria-describedby")
    assert reader.page.locator(f"#{described}").inner_text() == demo.MODES["alt"]
    for spec in (demo.MODES, demo.SPECTRA):
        for panel in spec["panels"]:
            assert reader.figure(spec["id"]).get_by_role("img", name=panel["text"], exact=True).count() == 1
    assert reader.figure("modes").locator(".explore-handle").get_attribute("aria-label") == "Point r1, r2: arrow keys move it"


def test_a_slider_is_one_stop_for_a_screen_reader(read):
    reader = read(MODES)
    tree = reader.page.context.new_cdp_session(reader.page).send("Accessibility.getFullAXTree")["nodes"]
    said = lambda node: [node["role"]["value"], node.get("name", {}).get("value")]  # noqa: E731
    spoken = [said(node) for node in tree if not node["ignored"]]
    at = spoken.index(["slider", "λ1"])
    roles = [part for part in spoken[at:] if part[0] not in ("StaticText", "InlineTextBox")]
    assert roles[:5] == [["slider", "λ1"], ["slider", "λ2"], ["slider", "r1"], ["slider", "r2"], ["button", "Play"]]
    assert [name for role, name in spoken if role == "image"] == [panel["text"] for panel in demo.MODES["panels"]], "and legends are text"


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


@pytest.mark.parametrize(("value", "said"), [("0", "nothing above zero"), ("-2", "nothing above zero"), ("NaN", "undefined"), ("[0, NaN, 3][i]", "")])
@pytest.mark.parametrize("kind", [demo.line, demo.scatter, demo.bars])
def test_zeros_are_defined_though_no_logarithmic_axis_has_them(read, kind, value, said):
    spec = demo.figure("zeros", [demo.slider("a", 1, 2, 1)], [kind("x", demo.series("y"), log="y"), kind("x", demo.series("y"))], alt="x")
    reader = read((spec, f"(a) => ({{ y: vector(3, (i) => {value}) }})"))
    assert reader.text("zeros", "text.explore-quiet") == [said, said if value == "NaN" else ""]


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
    assert error.inner_text() == "Failed: too large"
    reader.slider("fails", "a").press("Home")
    reader.settle()
    assert error.inner_text() == ""
    assert len(reader.visit.errors) == 1
    reader.visit.errors.clear()
