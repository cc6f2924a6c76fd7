"""Frames computed beforehand: what is encoded, and that the stated error is the true one."""

import base64
import itertools
import json
import zlib

import jax.numpy as jnp
import numpy as np
import pytest
from figures_to_test import decay, one_curve

from learndyn.explore import Choice, Grid, Slider, explore, grid, line

RATE = Slider(0.1, 2.0, 1.0)


def decoded(spec):
    """key -> array over (axes, shape), as the script reads it."""
    counts = [axis.get("options") or axis["points"] for axis in spec["axes"]]
    numbers = np.frombuffer(zlib.decompress(base64.b64decode(spec["data"])), "<u2")
    fields = {}
    for field in spec["fields"]:
        size = int(np.prod(field["shape"])) * int(np.prod(counts))
        coded, numbers = numbers[:size].reshape(int(np.prod(counts)), -1), numbers[size:]
        levels = np.cumsum(coded, axis=1, dtype=np.uint16)
        values = field["low"] + levels * (field["high"] - field["low"]) / 65535
        fields[field["key"]] = values.reshape(*counts, *field["shape"])
    assert numbers.size == 0
    return fields


def two(rate, shift, which):
    """A field over a logarithmic, a linear and a discrete axis."""
    t = jnp.linspace(0.0, 1.0, 5)
    return {"curve": jnp.stack([jnp.log(rate) * t + shift, jnp.cos(rate * t)], axis=-1) * (which + 1), "scalar": shift, "flag": which > 5}


def made(points=9, error=0.2, **settings):
    controls = {"rate": Slider(0.1, 10, 1, log=True), "shift": Slider(-1, 1, 0), "which": Choice(("one", "two", "three"))}
    return explore(two, line("curve", vertical={"scalar": "", "flag": ""}), alt="Lines.", grid=Grid(points=points, error=error, **settings),
                   **controls)  # fmt: skip


def test_at_the_nodes_the_frames_are_exact_but_for_rounding_to_16_bits():
    figure = made(points={"rate": 9, "shift": 3})
    spec = json.loads(figure.to_html().partition('class="explore-spec">')[2].partition("</script>")[0])["grid"]
    assert spec["axes"] == [{"low": 0.1, "high": 10.0, "log": True, "points": 9}, {"low": -1.0, "high": 1.0, "log": False, "points": 3},
                            {"options": 3}]  # fmt: skip
    assert [field["key"] for field in spec["fields"]] == ["curve", "flag", "scalar"]
    frames = decoded(spec)
    ranges = {field["key"]: field["high"] - field["low"] for field in spec["fields"]}
    for i, j, k in itertools.product(range(9), range(3), range(3)):
        exact = figure.frame(rate=10 ** (-1 + i / 4), shift=-1 + j, which=k)
        for key, values in frames.items():
            assert np.abs(values[i, j, k] - exact[key]).max() <= 0.5001 * ranges[key] / 65535 + 1e-15, key


def test_the_report_is_the_error_at_the_midpoints():
    figure = explore(lambda a: {"y": jnp.stack([a**2, a])}, line("y"), a=Slider(0, 1, 0), alt="A line.", grid=Grid(points=5, error=0.02))
    report = figure.report
    assert report.errors["y"] == pytest.approx(1 / 8**2, abs=1 / 65535)  # of a parabola: (h / 2)^2, at h = 1/4
    assert report.measured == report.cells == 4 and report.size == len(figure._frames.spec["data"])
    assert "all 4 cells" in str(report) and "'y' at a=" in str(report)
    assert figure.script is None and "grid" in figure.to_html()


def test_an_error_above_the_stated_one_stops_the_build(monkeypatch):
    monkeypatch.setenv("LEARNDYN_EXPLORE", "page")
    with pytest.raises(ValueError, match=r"it is 0.01 and 'y' is off by 0.016 of its range at a=0.\d+; take more points"):
        explore(lambda a: {"y": jnp.stack([a**2, a])}, line("y"), a=Slider(0, 1, 0), alt="A line.", grid=Grid(points=5, error=0.01))


def test_the_logarithmic_axis_is_interpolated_in_the_logarithm():
    settings = {"rate": Slider(0.01, 100, 1, log=True), "alt": "A line.", "grid": Grid(points=2, error=1e-4)}
    assert explore(lambda rate: {"y": jnp.log(rate) * jnp.ones(2)}, line("y"), **settings).report.errors["y"] < 1e-4


def test_a_jump_is_refused():
    with pytest.raises(ValueError, match="'y' is off by 0.5 of its range"):
        explore(lambda a: {"y": jnp.where(a > 0.3, 1.0, 0.0) * jnp.ones(2)}, line("y"), a=Slider(0, 1, 0), alt="A.",
                grid=Grid(points=40, error=0.4)).to_html()  # fmt: skip


@pytest.mark.parametrize("level", [0.0, 3.0])
def test_a_bump_between_constant_nodes_is_refused(level):
    with pytest.raises(ValueError, match="'y' is off by inf .* at a=0.25"):
        explore(lambda a: {"y": jnp.where(a == 0.25, 1.0, level) * jnp.ones(2)}, line("y"), a=Slider(0, 1, 0), alt="A.",
                grid=Grid(points=3, error=0.4)).to_html()  # fmt: skip


def test_a_constant_but_for_rounding_errors_is_no_error():
    figure = explore(lambda a: {"y": jnp.cos(a) ** 2 + jnp.sin(a) ** 2 + jnp.zeros(2)}, line("y"), a=Slider(0, 3, 0), alt="A.",
                     grid=Grid(points=7, error=0.01))  # fmt: skip
    assert figure.report.errors == {"y": 0.0}


@pytest.mark.parametrize(("bad", "where"), [(0.25, "a=0.25"), (0.125, "a=0.125")], ids=["at a node", "at a midpoint"])
def test_what_is_not_finite_is_refused(bad, where):
    def pole(a):
        return {"y": jnp.where(a == bad, jnp.nan, a) * jnp.ones(2)}

    with pytest.raises(ValueError, match=f"'y' is not at 1 of . settings; the first is {where}"):
        explore(pole, line("y"), a=Slider(0, 1, 0), alt="A.", grid=Grid(points=5, error=0.5)).to_html()


def test_many_cells_are_sampled_and_this_is_said(monkeypatch):
    monkeypatch.setattr(grid, "MEASURED", 7)
    report = made(points=9, error=0.2).report
    assert report.measured == 7 and report.cells == 8 * 8 * 3 and "7 (drawn at random) of 192 cells" in str(report)
    assert made(points=9, error=0.2).report == report


def test_limits_of_size():
    with pytest.raises(ValueError, match="at most limit of Grid, 100 bytes, but take [0-9]+; take fewer points"):
        made(points=5, error=0.5, limit=100).to_html()
    with pytest.raises(ValueError, match="points of Grid must make at most 50000000 numbers, but .* frames"):
        made(points=2000, error=0.5).to_html()


def test_points_must_name_the_sliders():
    with pytest.raises(ValueError, match="points of Grid must name the sliders, rate, shift, but names rate, which"):
        made(points={"rate": 3, "which": 3}).to_html()


def test_without_a_grid_there_is_no_report():
    assert one_curve().report is None and one_curve(grid=Grid(points=9, error=0.1)).report.errors.keys() == {"loss", "t"}


def test_batches_do_not_show(monkeypatch):
    whole = made()._frames.spec
    monkeypatch.setattr(grid, "BATCH", 7)
    assert made()._frames.spec == whole


def test_no_grid_unless_asked_for():
    assert explore(decay, line("loss"), rate=RATE, alt="A.").script is not None
