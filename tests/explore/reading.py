"""A reader of the demo's figures: opens pages in Chromium from a file, with the network refused, and asks and acts there."""

import os

import browser
import demo
import numpy as np
import pytest

WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"  # than the window
FRAMES = "(count) => new Promise((done) => { const next = () => (count-- ? requestAnimationFrame(next) : done()); next(); })"


@pytest.fixture(scope="module")
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
