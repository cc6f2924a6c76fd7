"""A figure as HTML: what is in it, that nothing breaks out of it, that it is small and the same in every run."""

import base64
import html.parser
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
from figures_to_test import decay, every_panel, one_curve
from py_mini_racer import MiniRacer

from learndyn.explore import Slider, _page, explore, figure, line
from learndyn.javascript import Unsupported

EVIL = '</script><script>alert(1)</script>"\'<!-- <script> & $'


class Elements(html.parser.HTMLParser):
    """All elements in their order as [tag, attributes, text]; a browser's rules for the inside of a script element."""

    def __init__(self, markup: str):
        super().__init__()
        self.found: list[list] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append([tag, dict(attributes), ""])

    def handle_data(self, data):
        if self.found:
            self.found[-1][2] += data


def parts(figure, **settings):
    """The four elements of a fragment."""
    return Elements(figure.to_html(**settings)).found


def computed(figure, *values):
    """What the page's own script computes, in a V8 without a page."""
    script = parts(figure)[3][2]
    with MiniRacer() as engine:
        engine.eval("var self = globalThis;" + script)
        call = f"learndynExplore.figures[{json.dumps(figure.id)}](...{json.dumps(values)})"
        text = f"JSON.stringify({call}, (key, value) => value instanceof Float64Array ? Array.from(value) : value)"
        return {key: np.reshape(leaf["data"], leaf["shape"]) for key, leaf in json.loads(engine.eval(text)).items()}


def test_a_fragment_has_a_picture_a_spec_and_a_function():
    figure = every_panel()
    holder, picture, spec, function = parts(figure)
    assert holder[:2] == ["div", {"class": "explore", "id": f"explore-{figure.id}"}]
    assert picture[0] == "img" and picture[1]["class"] == "explore-picture" and picture[1]["alt"] == figure.spec["alt"]
    assert base64.b64decode(picture[1]["src"].removeprefix("data:image/png;base64,")) == figure.picture
    assert spec[:2] == ["script", {"type": "application/json", "class": "explore-spec"}]
    assert json.loads(spec[2]) == {"id": figure.id, **figure.spec, "grid": None}
    assert function[:2] == ["script", {}] and re.fullmatch(r"x[0-9a-f]{8}", figure.id)


def test_the_function_of_the_page_computes_what_jax_does():
    figure = every_panel()
    there, here = computed(figure, 2.5, 0.3, 1.5, -0.5, 0), figure.frame(fast=2.5, slow=0.3, r1=1.5, r2=-0.5, which=0)
    assert set(there) == set(here)
    for key, value in here.items():
        np.testing.assert_allclose(there[key], value, rtol=1e-12, atol=1e-15, err_msg=key)


def test_what_no_panel_draws_is_not_compiled():
    def wasteful(rate):
        return decay(rate) | {"unused": jnp.linalg.eigvals(jnp.ones((3, 3)) * rate).real}  # the compiler has no such rule

    figure = explore(wasteful, line("loss", x="t"), rate=Slider(0.1, 2, 1), alt="A curve.")
    assert set(computed(figure, 1.0)) == {"loss", "t"}


def test_nothing_breaks_out():
    def simulate(rate):
        return {EVIL: rate * jnp.ones(3)}

    figure = explore(simulate, line(EVIL, title=EVIL.replace("$", "")), rate=Slider(0, 1, 1), alt=EVIL)
    found = parts(figure)
    assert [tag for tag, *_ in found] == ["div", "img", "script", "script"]
    assert found[1][1]["alt"] == EVIL and json.loads(found[2][2])["alt"] == EVIL
    assert json.loads(found[2][2])["panels"][0]["series"][0]["key"] == EVIL
    for _, _, inside in found[2:]:
        assert "<!--" not in inside and "</" not in inside
    assert list(computed(figure, 0.5)) == [EVIL]


def test_sizes():
    sizes = every_panel().sizes
    assert set(sizes) == {"script", "spec", "picture", "html"}
    assert sizes["script"] + sizes["spec"] <= 25_000 and sizes["picture"] <= 30_000
    assert sizes["html"] == len(every_panel().to_html().encode())
    assert sizes["script"] + sizes["spec"] + sizes["picture"] * 4 / 3 < sizes["html"] < 70_000


def test_another_process_makes_the_same_bytes():
    code = "import sys; sys.path.insert(0, sys.argv[1]); from figures_to_test import every_panel; print(every_panel().to_html(), end='')"
    made = subprocess.run([sys.executable, "-c", code, str(Path(__file__).parent)], check=True, capture_output=True, text=True)
    assert made.stdout == every_panel().to_html()


def test_the_id_follows_what_is_drawn_and_what_is_computed():
    def faster(rate):
        return decay(2 * rate)

    slider = Slider(0.1, 2.0, 1.0)
    other = explore(faster, line("loss", x="t"), rate=slider, alt="A curve decays.")
    assert len({one_curve().id, one_curve(alt="Another.").id, other.id}) == 3
    assert one_curve().id == one_curve().id


def test_equal_figures_on_one_page_have_ids_of_their_own(monkeypatch):
    monkeypatch.setenv("LEARNDYN_EXPLORE", "page")
    monkeypatch.setattr(figure, "_shown", figure.Counter())
    first, second = one_curve(), one_curve()
    bundles = [shown._repr_mimebundle_()["text/html"] for shown in (first, second, second)]
    ids = [Elements(bundle).found[0][1]["id"] for bundle in bundles]
    assert ids == [f"explore-{first.id}", f"explore-{first.id}-2", f"explore-{first.id}-3"]
    for bundle, name in zip(bundles, ids, strict=True):
        _, _, spec, function = Elements(bundle).found
        assert "explore-" + json.loads(spec[2])["id"] == name and f'["{name.removeprefix("explore-")}"]=' in function[2]


def test_a_page_gets_html_a_picture_and_text_and_no_widget(monkeypatch):
    monkeypatch.setenv("LEARNDYN_EXPLORE", "page")
    shown = every_panel()
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain", figure.MIME} and "widget" not in vars(shown)
    assert base64.b64decode(bundle["image/png"]) == shown.picture and bundle["text/plain"] == repr(shown)


def test_beside_a_figure_on_a_page_is_its_jax_function(monkeypatch):
    monkeypatch.setenv("LEARNDYN_EXPLORE", "page")
    shown = one_curve()
    stored = base64.b64decode(shown._repr_mimebundle_()[figure.MIME]["function"])
    function = jax.export.deserialize(zlib.decompress(stored)).call
    np.testing.assert_array_equal(function(np.float64(0.5))["loss"], shown.frame(rate=0.5)["loss"])


def test_what_cannot_be_compiled_stops_the_cell_and_not_its_display(monkeypatch):
    def spectral(rate):
        return {"y": jnp.linalg.eigvals(jnp.ones((3, 3)) * rate).real}

    settings = {"rate": Slider(0.1, 2, 1), "alt": "A curve."}
    explore(spectral, line("y"), **settings)  # in a notebook JAX computes
    monkeypatch.setenv("LEARNDYN_EXPLORE", "page")
    with pytest.raises(Unsupported, match="eig") as caught:
        explore(spectral, line("y"), **settings)
    assert any("grid=Grid" in note for note in caught.value.__notes__)


def test_double_precision_on_the_page_whatever_the_global_setting():
    with jax.enable_x64(False):
        script = one_curve().script
    assert script == one_curve().script


def test_save_writes_one_page_that_needs_nothing_else(tmp_path):
    path = every_panel().save(tmp_path / "figure.html", title="Saddle & sink <1>")
    text = path.read_text(encoding="utf-8")
    assert path == tmp_path / "figure.html" and text.startswith('<!doctype html>\n<html lang="en">')
    found = Elements(text).found
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in [a for tag, a, _ in found if tag == "meta"]
    assert next(words for tag, _, words in found if tag == "title").strip() == "Saddle & sink <1>"
    assert not [a for _, a, _ in found if "href" in a or a.get("src", "data:").partition(":")[0] != "data"]
    scripts = [words for tag, _, words in found if tag == "script"]
    assert len(scripts) == 3 and "learndynExplore" in scripts[2] and scripts[2].strip() == _page.asset("explore.js").strip()
    assert next(words for tag, _, words in found if tag == "style").strip().endswith(_page.asset("explore.css").strip())


def test_save_says_what_it_needs(tmp_path):
    with pytest.raises(ValueError, match="path must lie in a folder that exists, but .*nowhere"):
        one_curve().save(tmp_path / "nowhere" / "figure.html")
    with pytest.raises(ValueError, match="title must be a text that is not empty"):
        one_curve().save(tmp_path / "figure.html", title="")
    assert "<title>loss against t</title>" in one_curve().save(str(tmp_path / "figure.html")).read_text()
