"""The live figure without a browser: traits in, frames out."""

import ipywidgets
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import traitlets
from figures_to_test import every_panel, one_curve
from ipywidgets.widgets.widget import _instances  # all open widgets of the process

from learndyn.explore import Choice, Slider, explore, figure, line


def received(widget):
    """The arrays as the browser reads them, after the layout."""
    numbers, start, arrays = np.frombuffer(widget._frame, "<f8"), 0, {}
    for key, shape in widget._layout:
        size = int(np.prod(shape))
        arrays[key] = numbers[start : start + size].reshape(shape)
        start += size
    return arrays


@pytest.fixture
def sent(monkeypatch):
    """What goes to the browser: one set of trait names for each message."""
    messages = []
    send = ipywidgets.Widget.send_state

    def spy(self, key=None):
        messages.append({key} if isinstance(key, str) else set(key or self.keys))
        return send(self, key)

    monkeypatch.setattr(ipywidgets.Widget, "send_state", spy)
    return messages


def test_a_trait_for_each_control():
    widget = every_panel().widget
    assert {name: getattr(widget, name) for name in ("fast", "slow", "r1", "r2", "which")} == {
        "fast": 1.0, "slow": 0.2, "r1": 1.0, "r2": 0.5, "which": 1}  # fmt: skip
    assert isinstance(widget.which, int) and all(widget.trait_metadata(name, "sync") for name in ("fast", "which", "_frame", "_layout", "_spec"))
    assert widget._spec["controls"][0]["name"] == "fast" and widget._spec["grid"] is None and widget._error == ""
    assert widget._esm.endswith("export default { render: (context) => learndynExplore.live(context) };\n") and widget._css


def test_a_change_changes_the_frame():
    figure = every_panel()
    widget = figure.widget
    widget.slow = 0.5
    widget.which = 0
    for key, value in figure.frame(slow=0.5, which="left").items():
        np.testing.assert_array_equal(received(widget)[key], value)
    assert [key for key, _ in widget._layout] == list(figure.frame())


def test_a_message_from_the_browser_is_answered_once_with_the_latest_values(sent):
    widget = every_panel().widget
    sent.clear()
    calls = []
    compute, widget._compute = widget._compute, lambda **values: calls.append(values) or compute(**values)
    widget.set_state({"r1": 0.25, "r2": -1.0})  # as a handle is dragged
    assert len(calls) == 1 and calls[0]["r1"] == 0.25 and calls[0]["r2"] == -1.0
    assert [names for names in sent if "_frame" in names] == [{"_frame"}]
    np.testing.assert_array_equal(received(widget)["path"][0], [0.25, -1.0])


def test_values_beyond_the_slider_are_refused_but_for_rounding():
    widget = every_panel().widget
    widget.fast = 10.000000000000002
    assert widget.fast == 10
    for name, value in (("fast", 11), ("fast", float("nan")), ("fast", "2"), ("which", 2), ("which", -1), ("which", 0.5)):
        with pytest.raises(traitlets.TraitError):
            setattr(widget, name, value)
    assert widget.fast == 10 and widget.which == 1


def test_every_answer_is_a_change_even_when_the_numbers_are_the_same():
    widget = explore(lambda a: {"y": jnp.ones(3)}, line("y"), a=Slider(0, 1, 0), alt="A line.").widget
    first = widget._frame
    widget.a = 0.5
    assert widget._frame != first and widget._frame[:24] == first[:24]
    np.testing.assert_array_equal(received(widget)["y"], np.ones(3))


def refusing(a, which):
    """A word for the indices 0 and 1 only."""
    return {"y": jnp.ones(3) * a, "kind": jnp.floor(a).astype(int) + which}


def refused():
    return explore(refusing, line("y"), a=Slider(0, 3, 0), which=Choice(("x", "y")), summary="{kind}", words={"kind": ("no", "yes")},
                   alt="A line.").widget  # fmt: skip


def test_an_error_is_shown_and_raised_and_passes():
    widget = refused()
    with pytest.raises(ValueError, match="index 2"):
        widget.a = 2
    frame = widget._frame
    assert widget._error == "ValueError: words['kind'] has 2 texts, but simulate returns the index 2"
    np.testing.assert_array_equal(received(widget)["y"], np.zeros(3))  # the last good one
    with pytest.raises(ValueError, match="index 2"):
        widget.a = 2.5
    assert widget._frame != frame  # the same error once more is an answer, too
    widget.a = 1
    assert widget._error == "" and received(widget)["y"][0] == 1


def test_an_interrupt_is_an_answer(monkeypatch):
    widget = one_curve().widget

    def interrupted(**values):
        raise KeyboardInterrupt

    compute, widget._compute = widget._compute, interrupted
    with pytest.raises(KeyboardInterrupt):
        widget.rate = 0.5
    assert widget._error.startswith("KeyboardInterrupt")
    widget._compute = compute
    widget.rate = 0.75
    assert widget._error == ""


def test_a_first_frame_that_fails_leaves_no_widget_behind():
    before = len(_instances)
    figure = explore(refusing, line("y"), a=Slider(0, 3, 3), which=Choice(("x", "y")), summary="{kind}", words={"kind": ("no", "yes")},
                     alt="A line.")  # fmt: skip
    with pytest.raises(ValueError, match="index 3"):
        figure.widget
    assert len(_instances) == before


def test_observe_link_and_interactive_output():
    widget, other, seen = every_panel().widget, every_panel().widget, []
    widget.observe(lambda change: seen.append(change.new), "slow")
    traitlets.link((widget, "slow"), (other, "slow"))
    widget.slow = 0.75
    assert seen == [0.75] and other.slow == 0.75 and received(other)["half_life"] == pytest.approx(np.log(2) / 0.75)
    ipywidgets.jslink((ipywidgets.FloatSlider(min=0, max=1), "value"), (widget, "slow"))  # needs a synced trait
    number = ipywidgets.FloatSlider(value=0.25, min=0, max=1)
    ipywidgets.interactive_output(lambda slow: setattr(widget, "slow", slow), {"slow": number})
    number.value = 0.5
    assert widget.slow == 0.5


def test_the_same_figure_shown_twice_is_one_widget(monkeypatch):
    monkeypatch.setattr(figure, "_in_a_kernel", lambda: True)
    shown = one_curve()
    before = len(_instances)
    bundles = [shown._repr_mimebundle_() for _ in range(2)]
    assert bundles[0] == bundles[1] and len(_instances) == before + 2  # the widget and its layout
    data, _ = bundles[0]
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == shown.widget.model_id
    assert data["text/plain"] == repr(shown) and "text/html" not in data


def test_computing_in_double_precision_without_a_global_switch():
    with jax.enable_x64(False):
        widget = explore(lambda a: {"y": jnp.stack([a / 3, a])}, line("y"), a=Slider(0, 3, 1), alt="A line.").widget
        widget.a = 2
    assert received(widget)["y"][0] == 2 / 3


@pytest.fixture(autouse=True)
def close_all():
    yield
    ipywidgets.Widget.close_all()
