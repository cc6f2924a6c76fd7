"""A saved figure, opened by a double click: no server, no network, no kernel."""

import browser
import numpy as np
import pytest
from figures_to_test import every_panel, one_curve

from learndyn.explore import Grid

FIGURES = {"compiled": every_panel, "precomputed": lambda: one_curve(grid=Grid(points=33, error=0.01))}
FRAME = """async (values) => {
  const figure = document.querySelector("div.explore").explore;
  const spec = JSON.parse(window.spec), compute = learndynExplore.figures[spec.id];
  const result = await compute(...spec.controls.map((control) => values[control.name] ?? control.value));
  return Object.fromEntries(Object.entries(result).map(([key, { shape, data }]) => [key, [shape, [...data]]]));
}"""
DRAWN = "() => [...document.querySelectorAll('div.explore svg path')].map((path) => path.getAttribute('d')).join()"


@pytest.fixture(scope="module")
def chromium():
    if browser.executable() is None:
        pytest.skip(browser.NO_BROWSER)
    with browser.launched() as started:
        yield started


def opened(chromium, path):
    """The page from the file system; its spec is kept, for the figure takes the place of the element that holds it."""
    seen = browser.visit(browser.context(chromium), inside="file://")
    seen.page.add_init_script("""addEventListener("DOMContentLoaded", () => {
      window.spec = document.querySelector(".explore-spec").textContent;
    }, { capture: true });""")
    return seen.open(path.as_uri())


@pytest.mark.parametrize("name", FIGURES)
def test_it_opens_and_moves(chromium, tmp_path, name):
    figure = FIGURES[name]()
    seen = opened(chromium, figure.save(tmp_path / "figure.html", title="A figure"))
    seen.page.wait_for_function("() => document.querySelector('div.explore')?.explore?.updates > 0")
    before = seen.page.evaluate(DRAWN)
    control = figure.spec["controls"][0]
    slider = seen.page.locator("div.explore input[type=range]").first
    slider.focus()
    slider.press("End")
    seen.page.wait_for_function(f"(before) => ({DRAWN})() !== before", arg=before)
    assert seen.page.evaluate("() => document.querySelector('div.explore').explore.values")[control["name"]] == control["high"]
    assert not seen.errors and not seen.outside and not seen.failed


def test_the_browser_computes_what_jax_does(chromium, tmp_path):
    figure = every_panel()
    seen = opened(chromium, figure.save(tmp_path / "figure.html"))
    for values in ({}, {"fast": 3.0, "slow": 0.9, "r1": -1.5, "which": 0}):
        there = seen.page.evaluate(FRAME, values)
        for key, value in figure.frame(**values).items():
            shape, data = there[key]
            np.testing.assert_allclose(np.reshape(data, shape), value, rtol=1e-12, atol=1e-15, err_msg=key)
