"""What an author writes: bad input is refused before anything runs, good input becomes the spec that the script reads."""

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from learndyn.explore import Choice, Figure, Grid, Slider, bars, explore, heat, lattice, line, phase, scatter
from figures_to_test import SQUARE, decay, every_panel, one_curve, saddle


@pytest.fixture(autouse=True)
def as_users_have_it(monkeypatch):
    """The tests' check of types, at every call, would speak before the library does; users do not have it."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


class Row(NamedTuple):
    call: Callable
    error: type[Exception]
    parts: tuple[str, ...]  # of the message: the argument, what was given, what is needed


RATE = Slider(0.1, 2.0, 1.0)
plane = functools.partial(phase, xlim=SQUARE, ylim=SQUARE)


def shown(*panels, simulate=decay, **settings):
    """A figure of `decay`, but for what is given."""
    settings = {"rate": RATE, "alt": "A curve."} | settings
    return lambda: explore(simulate, *(panels or (line("loss"),)), **settings)


def full(*panels, **settings):
    """A figure of `saddle`, whose result has all shapes."""
    controls = {"fast": Slider(0.1, 10, 1), "slow": Slider(0, 1, 0.2), "r1": Slider(-2, 2, 1), "r2": Slider(-2, 2, 0.5)}
    return lambda: explore(saddle, *panels, **controls, which=Choice(("a", "b")), alt="A plane.", **settings)


TABLE = {
    # sliders
    "low": Row(lambda: Slider("0", 1, 0), TypeError, ("low of Slider", "'0'", "number")),
    "NaN": Row(lambda: Slider(0, 1, float("nan")), ValueError, ("value of Slider", "nan", "finite")),
    "infinite": Row(lambda: Slider(0, float("inf"), 0), ValueError, ("high of Slider", "inf", "finite")),
    "bool": Row(lambda: Slider(0, 1, True), TypeError, ("value of Slider", "True", "number")),
    "empty range": Row(lambda: Slider(1, 1, 1), ValueError, ("high of Slider", "above low", "1")),
    "outside": Row(lambda: Slider(0, 1, 2), ValueError, ("value of Slider", "between 0 and 1", "2")),
    "log at zero": Row(lambda: Slider(0, 1, 0.5, log=True), ValueError, ("low of Slider", "positive", "0")),
    "log": Row(lambda: Slider(1, 2, 1, log="x"), TypeError, ("log of Slider", "True or False", "'x'")),
    "step": Row(lambda: Slider(0, 1, 0, step=0), ValueError, ("step of Slider", "positive", "0")),
    "long step": Row(lambda: Slider(1, 10, 1, log=True, step=2), ValueError, ("step of Slider", "1 in the decimal", "2")),
    "label": Row(lambda: Slider(0, 1, 0, label=""), ValueError, ("label of Slider", "empty", "''")),
    "label's TeX": Row(lambda: Slider(0, 1, 0, label=r"$\foo$"), ValueError, ("label of Slider", r"\foo", "TeX")),
    # choices
    "options": Row(lambda: Choice("ab"), TypeError, ("options of Choice", "sequence", "'ab'")),
    "one option": Row(lambda: Choice(("a",)), ValueError, ("options of Choice", "at least 2", "('a',)")),
    "twice": Row(lambda: Choice(("a", "a")), ValueError, ("options of Choice", "twice", "('a', 'a')")),
    "label of a choice": Row(lambda: Choice(("a", "b"), label="$x_$"), ValueError, ("label of Choice", "'$x_$'", "TeX")),
    "no option": Row(lambda: Choice(("red", "green"), "gren"), ValueError, ("value of Choice", "'gren'", "did you mean 'green'")),
    # panels by themselves
    "no key": Row(lambda: line(), ValueError, ("keys of line", "at least 1 text, but", "()")),
    "key twice": Row(lambda: bars("a", "a"), ValueError, ("keys of bars", "twice", "('a', 'a')")),
    "no text": Row(lambda: line(3), TypeError, ("keys of line[0]", "text", "3")),
    "log of line": Row(lambda: line("a", log="z"), ValueError, ("log of line", "'xy'", "'z'")),
    "log of bars": Row(lambda: bars("a", log="x"), ValueError, ("log of bars", "'y'", "'x'")),
    "log of scatter": Row(lambda: scatter("a", log="yx"), ValueError, ("log of scatter", "'xy'", "'yx'")),
    "unknown argument": Row(lambda: line("a", xlabl="t"), ValueError, ("argument of line", "'xlabl'", "did you mean 'xlabel'")),
    "line's argument": Row(lambda: line("a", logy=True), ValueError, ("argument of line", "'logy'", "did you mean 'log'", "'vertical', 'x', 'xlabel'")),
    "bars' argument": Row(lambda: bars("a", label="b"), ValueError, ("argument of bars", "'horizontal', 'labels', 'log', 'title'", "'label'")),
    "scatter's argument": Row(lambda: scatter("a", xs="b"), ValueError, ("argument of scatter", "'xs'", "'key', 'labels', 'log', 'title', 'vertical', 'x'")),
    "heat's argument": Row(lambda: heat("a", limit=(0, 1)), ValueError, ("argument of heat", "'center', 'key'", "did you mean 'limits'")),
    "phase's argument": Row(lambda: plane("a", level={}), ValueError, ("argument of phase", "'curves', 'drag', 'field'", "did you mean 'levels'")),
    "keys by name": Row(lambda: line(keys=("a", "b")), ValueError, ("keys of line", "without a name, line('a', 'b')", "keys=('a', 'b')")),
    "paths by name": Row(lambda: plane(paths="a"), ValueError, ("paths of phase", "without a name", "paths='a'")),
    "limits": Row(lambda: line("a", xlim=(1, 0)), ValueError, ("xlim of line", "increase", "(1, 0)")),
    "log limits": Row(lambda: line("a", ylim=(0, 1), log="y"), ValueError, ("ylim of line", "positive", "(0, 1)")),
    "three limits": Row(lambda: line("a", ylim=(0, 1, 2)), ValueError, ("ylim of line", "pair", "(0, 1, 2)")),
    "NaN limit": Row(lambda: line("a", ylim=(0, float("nan"))), ValueError, ("ylim of line[1]", "finite", "nan")),
    "bad TeX": Row(shown(line("loss", xlabel=r"$\foo$")), ValueError, ("xlabel of line", r"\foo", "unknown")),
    "marker": Row(lambda: line("a", vertical=3), TypeError, ("vertical of line", "dict", "3")),
    "marker at NaN": Row(lambda: line("a", vertical={float("nan"): ""}), ValueError, ("vertical of line", "finite", "nan")),
    "marker at 0": Row(lambda: bars("a", log="y", horizontal={0: ""}), ValueError, ("horizontal of bars", "positive", "0")),
    "marker's label": Row(lambda: line("a", vertical={1: 2}), TypeError, ("vertical of line[1]", "text", "2")),
    "empty label": Row(lambda: line("a", labels=("",)), ValueError, ("labels of line[0]", "not empty", "''")),
    "labels": Row(lambda: line("a", labels="ab"), TypeError, ("labels of line", "sequence", "'ab'")),
    "plane without limits": Row(lambda: phase("a"), ValueError, ("xlim of phase", "given", "None")),
    "empty plane": Row(lambda: plane(), ValueError, ("phase", "show something")),
    "nullclines": Row(lambda: plane("a", nullclines=True), ValueError, ("field of phase", "nullclines=True", "None")),
    "one drag": Row(lambda: plane(drag=("a",)), ValueError, ("drag of phase", "pair", "('a',)")),
    "drag twice": Row(lambda: plane(drag=("a", "a")), ValueError, ("drag of phase", "twice", "('a', 'a')")),
    "levels": Row(lambda: plane(levels={"a": 1}), TypeError, ("levels['a'] of phase", "sequence", "1")),
    "note outside": Row(lambda: plane(notes={"here": (3, 0)}), ValueError, ("notes['here'][0]", "between -2 and 2", "3")),
    "points": Row(lambda: plane(points="end"), TypeError, ("points of phase", "sequence", "'end'")),
    "heat's limits": Row(lambda: heat("a", limits=(1, 1)), ValueError, ("limits of heat", "increase", "(1, 1)")),
    "heat's center": Row(lambda: heat("a", limits=(0, 1), center=0), ValueError, ("center of heat", "halfway", "0")),
    "lattice": Row(lambda: lattice(SQUARE, SQUARE, 0), ValueError, ("cols", "at least 1", "0")),
    "lattice's rows": Row(lambda: lattice(SQUARE, SQUARE, 3, 1.5), TypeError, ("rows", "integer", "1.5")),
    # grids
    "points of a grid": Row(lambda: Grid(points=1, error=0.1), ValueError, ("points of Grid", "at least 2", "1")),
    "points by name": Row(lambda: Grid(points={"a": 1.5}, error=0.1), TypeError, ("points['a'] of Grid", "integer", "1.5")),
    "error": Row(lambda: Grid(points=5, error=0), ValueError, ("error of Grid", "positive", "0")),
    "limit": Row(lambda: Grid(points=5, error=0.1, limit=0), ValueError, ("limit of Grid", "at least 1", "0")),
    # figures
    "no function": Row(shown(simulate=3), TypeError, ("simulate", "function", "3")),
    "no panel": Row(lambda: explore(decay, rate=RATE, alt="A."), ValueError, ("panels", "at least one")),
    "not a panel": Row(shown("loss"), TypeError, ("panels[0]", "made by line", "'loss'")),
    "panel's function": Row(shown(line), TypeError, ("panels[0]", "made by line", "function")),
    "no alt": Row(shown(alt=" "), ValueError, ("alt", "not empty", "' '")),
    "no control": Row(lambda: explore(lambda: {}, line("a"), alt="A."), ValueError, ("at least one Slider",)),
    "a number as control": Row(shown(rate=3), TypeError, ("rate", "Slider or a Choice", "3")),
    "another parameter": Row(shown(speed=RATE), ValueError, ("simulate", "decay takes rate", "rate, speed")),
    "missing control": Row(lambda: explore(saddle, line("t"), alt="A.", fast=RATE), ValueError, ("fast, slow, r1, r2, which", "are fast")),
    "star": Row(shown(simulate=lambda *rate: {}), TypeError, ("simulate", "named parameters", "*rate")),
    "control named as a trait": Row(lambda: explore(lambda layout: {"a": layout}, line("a"), alt="A.", layout=RATE), ValueError,
                                    ("name of a control", "widgets", "'layout'")),
    "control with underscore": Row(lambda: explore(lambda _a: {"a": _a}, line("a"), alt="A.", _a=RATE), ValueError,
                                   ("name of a control", "ASCII identifier", "'_a'")),
    "control outside ASCII": Row(lambda: explore(lambda η: {"a": η}, line("a"), alt="A.", η=RATE), ValueError,
                                 ("name of a control", "ASCII identifier", "'η'")),
    "play": Row(shown(play="loss"), ValueError, ("play", "'rate'", "'loss'")),
    "play a choice": Row(full(line("loss"), play="which"), ValueError, ("play", "slider", "'which'")),
    "grid": Row(shown(grid=RATE), TypeError, ("grid", "Grid or None", "Slider")),
    "drag of a choice": Row(full(plane("path", drag=("r1", "which"))), ValueError, ("drag of phase", "two sliders", "'which'")),
    "handle outside": Row(full(phase("path", drag=("r1", "r2"), xlim=(-0.5, 0.5), ylim=SQUARE)), ValueError,
                          ("value of r1", "xlim", "but is 1")),
    # what simulate returns
    "no dict": Row(shown(simulate=lambda rate: rate), TypeError, ("simulate", "dict of arrays", "returns an array")),
    "nothing": Row(shown(simulate=lambda rate: None), TypeError, ("simulate", "dict of arrays", "returns None")),
    "nested": Row(shown(simulate=lambda rate: {"a": {"b": rate}}), TypeError, ("simulate", "flat", "'a'", "is a dict")),
    "number as key": Row(shown(simulate=lambda rate: {1: rate}), TypeError, ("simulate", "texts", "1")),
    "complex": Row(shown(simulate=lambda rate: {"loss": rate * 1j}), TypeError, ("simulate", "'loss'", "complex128")),
    "missing key": Row(shown(line("los")), ValueError, ("key of line", "does not return 'los'", "it returns 'loss', 't' (did you mean 'loss'?)")),
    "missing x": Row(shown(line("loss", x="time")), ValueError, ("x of line", "'loss', 't'", "'time'")),
    "missing marker": Row(shown(line("loss", vertical={"jump": ""})), ValueError, ("vertical of line", "'loss', 't'", "'jump'")),
    "missing result": Row(shown(simulate=lambda rate: {}), ValueError, ("key of line", "'loss'", "it returns nothing")),
    "scalar as curve": Row(full(line("half_life")), ValueError, ("key of line", "must have 1 or 2 axes, but", "()")),
    "matrix as marker": Row(full(line("loss", vertical={"modes": ""})), ValueError,
                            ("vertical of line", "must be a single number or have 1 axis, but", "(41, 2)")),
    "empty curve": Row(shown(simulate=lambda rate: {"loss": jnp.ones(0) * rate}), ValueError, ("key of line", "not be empty", "(0,)")),
    "number of labels of one": Row(full(line("loss", labels=("a", "b"))), ValueError, ("labels of line", "must be 1 text, one", "'b'")),
    "x too short": Row(full(line("loss", x="rates")), ValueError, ("x of line", "'rates' has shape (2,)", "(41,)")),
    "matrix as x": Row(full(line("modes", x="modes")), ValueError, ("x of line", "1 axis", "(41, 2)")),
    "number of labels": Row(full(line("modes", labels=("one",))), ValueError, ("labels of line", "2 texts", "('one',)")),
    "path": Row(full(plane("loss")), ValueError, ("paths of phase", "2 or 3 axes, the last of length 2, but", "(41,)")),
    "field": Row(full(plane(field="path")), ValueError, ("field of phase", "3 axes", "(41, 2)")),
    "height": Row(full(plane(levels={"flow": (1,)})), ValueError, ("levels of phase", "2 axes", "(7, 7, 2)")),
    "uneven bars": Row(full(bars("rates", "loss")), ValueError, ("keys of bars", "equally long", "(41,)")),
    "large heat map": Row(full(heat("modes")), ValueError, ("key of heat", "at most 40", "(41, 2)")),
}  # fmt: skip


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_the_error_names_argument_value_and_need(row):
    with pytest.raises(row.error) as caught:
        row.call()
    for part in row.parts:
        assert part in str(caught.value), f"{part!r} is not in: {caught.value}"


def test_bad_input_is_refused_before_simulate_runs():
    def never(rate):
        raise AssertionError("simulate ran")

    for settings in ({"alt": ""}, {"play": "x"}, {"rate": 3}, {"speed": RATE}, {"grid": 3}):
        with pytest.raises((TypeError, ValueError)):
            shown(simulate=never, **settings)()


NEED_A_NUMBER = {
    "a shape": lambda rate, count: {"loss": jnp.arange(count)},
    "if": lambda rate, count: {"loss": jnp.ones(3) if count > 1 else jnp.zeros(3)},
    "range": lambda rate, count: {"loss": jnp.stack([rate * i for i in range(count)])},
    "a slice": lambda rate, count: {"loss": jnp.ones(9)[:count]},
    "repetitions": lambda rate, count: {"loss": jnp.tile(jnp.ones(3), count)},
    "a mask as index": lambda rate, count: {"loss": jnp.ones(9)[jnp.arange(9) < count]},
    "NumPy": lambda rate, count: {"loss": np.sin(count) * jnp.ones(3)},
}


@pytest.mark.parametrize("simulate", NEED_A_NUMBER.values(), ids=NEED_A_NUMBER)
def test_what_cannot_depend_on_a_control_is_explained(simulate):
    with pytest.raises((TypeError, IndexError)) as caught:
        shown(simulate=simulate, count=Slider(1, 9, 3))()
    told = "\n".join(caught.value.__notes__)
    for part in ("<lambda> is compiled once", "its controls, rate, count", "jnp.where", "lax.cond", "mask"):
        assert part in told


def test_jax_names_the_function_and_the_parameter():
    def stepped(rate, count):
        return {"loss": jnp.arange(count) * rate}

    with pytest.raises(TypeError, match=r"function stepped at .*test_vocabulary.py(.|\n)*argument count\."):
        shown(simulate=stepped, count=Slider(1, 9, 3))()


def test_other_errors_of_simulate_have_no_such_note():
    with pytest.raises(TypeError, match="NoneType") as caught:
        shown(simulate=lambda rate: {"loss": rate + None})()
    assert "compiled once" not in "".join(getattr(caught.value, "__notes__", ()))


def test_simulate_is_traced_once_and_anew_for_each_figure():
    factors = []

    def simulate(rate):
        factors.append(2.0 + len(factors))
        return {"loss": jnp.ones(3) * rate * factors[-1]}

    for factor in (2, 3):
        figure = shown(simulate=simulate)()
        assert figure.compute(rate=1.0)["loss"][0] == figure.compute(rate=0.5)["loss"][0] * 2 == factor


def test_a_parameter_with_a_default_needs_no_control():
    explore(lambda rate, power=2: {"y": jnp.ones(3) * rate**power}, line("y"), rate=RATE, alt="A.")
    with pytest.raises(TypeError, match="power must be a Slider or a Choice"):
        explore(lambda rate, power=2: {"y": rate}, line("y"), rate=RATE, power=3, alt="A.")


def test_lattice_holds_the_centers_of_the_cells_from_the_low_end_up():
    points = lattice((0, 4), (10, 20), 4, 2)
    assert points.shape == (2, 4, 2)
    np.testing.assert_allclose(points[0, :, 0], [0.5, 1.5, 2.5, 3.5])
    np.testing.assert_allclose(points[:, 0, 1], [12.5, 17.5])
    assert lattice(SQUARE, SQUARE).shape == (13, 13, 2)


def test_the_spec_of_every_kind_of_panel():
    spec = every_panel().spec
    assert [panel["kind"] for panel in spec["panels"]] == ["phase", "line", "bars", "scatter", "heat"]
    plane, curves, ranks, dots, matrix = spec["panels"]
    assert plane["paths"] == [{"key": "path", "labels": []}] and plane["drag"] == ["r1", "r2"] and plane["nullclines"] is True
    assert plane["levels"] == [{"key": "height", "values": [0.5, 1.0]}] and plane["points"] == ["end"] and plane["curves"] == []
    assert plane["notes"] == [{"label": "here", "at": [1.0, 1.0]}] and plane["xlim"] == plane["ylim"] == [-2.0, 2.0]
    assert [(s["key"], s["count"]) for s in curves["series"]] == [("loss", 1), ("modes", 2)]
    assert curves["series"][1]["labels"] == [f"<math><msub><mi>m</mi><mn>{i}</mn></msub></math>" for i in (1, 2)]
    assert curves["vertical"] == [{"at": "half_life", "label": "half-life"}] and curves["horizontal"] == [{"at": 0.1, "label": ""}]
    assert curves["text"] == "loss L against time t" and plane["text"] == "r2 against r1"
    assert curves["log"] == "y" and curves["x"] == "t" and curves["xlim"] is None
    assert ranks["series"] == [{"key": "rates", "count": 1, "labels": []}] and ranks["horizontal"] == [{"at": "rates", "label": ""}]
    assert dots["x"] == "t" and dots["series"][0]["count"] == 2
    assert matrix["key"] == "kernel" and matrix["center"] == 0.0 and matrix["limits"] is None and matrix["text"] == "Kernel"
    common = {"kind", "title", "xlabel", "ylabel", "text", "xlim", "ylim"}
    assert all(common <= set(panel) for panel in spec["panels"])


def test_the_spec_of_the_controls():
    fast, slow, *_, which = every_panel().spec["controls"]
    assert fast == {"kind": "slider", "name": "fast", "label": "<math><msub><mi>λ</mi><mn>1</mn></msub></math>", "text": "λ1",
                    "low": 0.1, "high": 10.0, "value": 1.0, "step": pytest.approx(2 / 200), "log": True}  # fmt: skip
    assert slow["step"] == 1 / 200 and slow["label"] == slow["text"] == "slow"
    assert which == {"kind": "choice", "name": "which", "label": "which", "text": "which", "options": ["left", "right"], "value": 1}


def test_the_spec_is_json():
    spec = every_panel().spec
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec


def test_compute_takes_values_by_name_and_fills_in_the_others():
    figure = every_panel()
    result = figure.compute(slow=0.5, which="left")
    assert result["half_life"] == pytest.approx(2 * np.log(2)) and result["side"] == 0
    assert figure.compute()["half_life"] == pytest.approx(5 * np.log(2)) and figure.compute()["side"] == 1
    assert set(result) == set(figure.compute()) and all(isinstance(value, np.ndarray) for value in result.values())
    for values, message in (({"slo": 1}, "did you mean 'slow'"), ({"slow": 2}, "slow must lie between 0 and 1"),
                            ({"slow": float("nan")}, "slow must be finite"), ({"which": "lef"}, "did you mean 'left'"),
                            ({"which": 2}, "which must be below 2"), ({"which": 0.5}, "which must be an integer")):  # fmt: skip
        with pytest.raises((ValueError, TypeError), match=message):
            figure.compute(**values)


def test_a_value_that_rounding_puts_a_hair_outside_is_put_back():
    assert one_curve().compute(rate=2.0 + 4e-16)["loss"][-1] == one_curve().compute(rate=2.0)["loss"][-1]


def test_a_frame_has_the_keys_that_are_shown_and_no_others():
    assert set(one_curve().frame()) == {"loss", "t"}
    assert "rates" in every_panel().frame() and set(every_panel().frame()) < set(every_panel().compute())


def test_diverging_values_are_no_error():
    def blow_up(rate):
        return {"y": jnp.stack([jnp.inf, jnp.nan, 1.0]) * rate}

    assert np.isnan(explore(blow_up, line("y", log="y"), rate=RATE, alt="It diverges.").frame()["y"][1])


def test_double_precision_without_a_global_switch():
    code = """
import sys, jax, jax.numpy as jnp
from learndyn.explore import Slider, explore, line
assert "matplotlib" not in sys.modules and "anywidget" not in sys.modules and "latex2mathml" not in sys.modules
figure = explore(lambda a: {"y": jnp.linspace(0, 1, 3) * a, "third": a / 3}, line("y"), a=Slider(0, 1, 1), alt="A line.")
assert figure.compute()["y"].dtype == "float64" and figure.compute()["third"] == 1 / 3
assert not jax.config.jax_enable_x64 and jnp.ones(1).dtype == "float32"
assert "matplotlib" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_repr_says_what_it_shows():
    assert repr(one_curve()) == "<explore decay(rate=1): loss against t>"
    assert isinstance(one_curve(), Figure) and one_curve()._repr_mimebundle_() == {"text/plain": repr(one_curve())}


def test_the_simulation_may_be_jitted_or_partial():
    jitted = explore(jax.jit(decay), line("loss"), rate=RATE, alt="A.")
    partial = explore(functools.partial(lambda rate, n: {"loss": jnp.ones(n) * rate}, n=4), line("loss"), rate=RATE, alt="A.")
    assert jitted.compute()["loss"].shape == (21,) and partial.compute()["loss"].shape == (4,)


def test_points_may_have_an_x_each():
    spec = full(scatter("modes", x="modes"))().spec["panels"][0]
    assert spec["x"] == "modes" and spec["log"] == ""
