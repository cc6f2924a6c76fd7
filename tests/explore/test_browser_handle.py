"""The point in the plane that is dragged: by mouse, by keys, by a finger."""

import browser
import demo
import pytest
from reading import MODES, SPECTRA, SPIRAL, WIDER, chromium, read  # noqa: F401


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


def test_home_end_and_the_page_keys_move_the_handle_and_not_the_page(read):
    reader = read(MODES, SPIRAL, SPECTRA)
    knob(reader, "spiral").scroll_into_view_if_needed()
    knob(reader, "spiral").focus()
    before = reader.page.evaluate("() => scrollY")
    assert before > 100
    for key, name, value in [("Home", "a", -2), ("PageUp", "b", 1.8), ("End", "a", 2), ("PageDown", "b", 1.5), ("PageDown", "b", 1.2)]:
        reader.page.keyboard.press(key)
        assert reader.values("spiral")[name] == pytest.approx(value), key
    reader.page.wait_for_timeout(300)
    assert reader.page.evaluate("() => scrollY") == before


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


def test_what_has_the_focus_is_not_hidden_by_the_controls_of_a_phone(read):
    reader = read(MODES, SPIRAL, size=browser.PHONE, touch=True)
    for id in ("spiral", "modes"):
        reader.page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
        knob(reader, id).focus()
        reader.settle()
        handle = knob(reader, id).bounding_box()
        controls = reader.figure(id).locator(".explore-controls").bounding_box()
        assert handle["y"] >= controls["y"] + controls["height"] and handle["y"] + handle["height"] <= browser.PHONE["height"]
        scrolled = reader.page.evaluate("() => scrollY")
        for _ in range(4):
            reader.page.keyboard.press("Shift+Tab")
            assert reader.page.evaluate("() => document.activeElement.closest('.explore-controls') && scrollY") == scrolled, "they are in sight already"


def test_on_a_touch_screen_targets_are_large(read):
    reader = read(*demo.FIGURES, size=browser.PHONE, touch=True)
    small = reader.page.evaluate("""() => [...document.querySelectorAll(".explore :is(input, select, button, [role=slider])")]
      .filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML.slice(0, 80))""")
    assert small == [] and reader.page.evaluate(WIDER) <= 0
