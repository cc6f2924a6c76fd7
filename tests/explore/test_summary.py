"""The line under a figure: its template, its words, and the numbers in it."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from learndyn.explore import Choice, Slider, _summary

RESULTS = jax.eval_shape(lambda: {"loss": jnp.array(0.5), "kind": jnp.array(1), "flat": jnp.array(True), "path": jnp.ones(3), "both": 1.0})
CONTROLS = {"rate": Slider(0, 1, 0.25), "which": Choice(("left", "right")), "both": Slider(0, 1, 0)}


@pytest.fixture(autouse=True)
def as_users_have_it(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def parsed(template, words={}):
    return _summary.parse(template, words, RESULTS, CONTROLS)


def test_a_template_becomes_pieces():
    assert parsed("Loss {loss:.2f}, {{so}} {rate:.1g}: a {kind} to the {which}", {"kind": ("sink", "saddle")}) == [
        "Loss ", {"key": "loss", "format": ".2f"}, ", {", "so}", " ", {"control": "rate", "format": ".1g"}, ": a ",
        {"key": "kind", "words": ["sink", "saddle"]}, " to the ", {"control": "which", "words": ["left", "right"]},
    ]  # fmt: skip
    assert parsed(None) is None


def test_formats_that_are_not_given():
    assert parsed("{loss}{kind}{rate}") == [
        {"key": "loss", "format": ".3g"}, {"key": "kind", "format": "d"}, {"control": "rate", "format": ".3g"}]  # fmt: skip


@pytest.mark.parametrize(("template", "words", "error", "message"), [
    (3, {}, TypeError, "summary must be a text"),
    (" ", {}, ValueError, "summary must be a text that is not empty"),
    ("{los}", {}, ValueError, r"summary: \{los\} must be a control, 'rate', 'which', 'both', or a key .* 'loss'.* \(did you mean 'loss'\?\)"),
    ("{rat}", {}, ValueError, r"did you mean 'rate'"),
    ("{loss", {}, ValueError, r"summary must be a text with \{key\}"),
    ("{}", {}, ValueError, r"summary: \{\} must be"),
    ("{loss.real}", {}, ValueError, r"summary: \{loss.real\} must be"),
    ("{loss!r}", {}, ValueError, "no conversions"),
    ("{loss:5.2f}", {}, ValueError, "format of 'loss' must be d or like .2f"),
    ("{loss:.2%}", {}, ValueError, "format of 'loss' must be d or like .2f"),
    ("{loss:d}", {}, ValueError, "does not fit a real number"),
    ("{path}", {}, ValueError, r"summary: 'path' must be a single number, .* \(3,\)"),
    ("{both}", {}, ValueError, "'both' is both a control and a key"),
    (r"$\lambda$", {}, ValueError, "summary must be plain text"),
    ("{which:.2f}", {}, ValueError, "'which' is shown as a word"),
    ("{kind}", {"kind": "ab"}, TypeError, r"words\['kind'\] must be a sequence"),
    ("{kind}", {"kind": ()}, ValueError, r"words\['kind'\] must hold at least 1 text, but is \(\)"),
    ("{kind}", {"knd": ("a",)}, ValueError, r"words: simulate does not return 'knd'; it returns 'both', .* \(did you mean 'kind'\?\)"),
    ("{loss}", {"loss": ("a",)}, TypeError, "'loss' must be an index, but simulate returns float64"),
    ("{path}", {"path": ("a",)}, ValueError, "words: 'path' must be a single number, but"),
    ("{flat}", {"flat": ("a",)}, ValueError, r"words\['flat'\] must be two texts"),
    ("{loss}", {"kind": ("a",)}, ValueError, r"words must name keys that the summary mentions, .* \['kind'\]"),
    (None, {"kind": ("a",)}, ValueError, "words must name keys that the summary mentions"),
])  # fmt: skip
def test_what_cannot_be_told(template, words, error, message):
    with pytest.raises(error, match=message):
        parsed(template, words)


def told(template, words={}, **values):
    values = {"loss": 0.5, "kind": 1, "flat": True, "both": 0.0} | values
    return _summary.text(parsed(template, words), {key: np.asarray(value) for key, value in values.items()}, {"rate": 0.25, "which": 1})


def test_text_of_a_setting():
    assert told("{loss:.2f}; {rate:.1g}; {which}; {flat}; {kind}", {"flat": ("no", "yes")}) == "0.50; 0.2; right; yes; 1"
    assert told("{loss:.1e} {loss:.3g}", loss=-1.25e-7) == "−1.2×10⁻⁷ −1.25×10⁻⁷"
    assert told("{loss} {loss:.0f}", loss=np.nan) == "undefined undefined" and told("{loss}", loss=-np.inf) == "infinite"
    assert _summary.text(None, {}, {}) == ""


def test_an_index_of_one_word():
    with pytest.raises(ValueError, match=r"words\['kind'\] has 1 text, but"):
        told("{kind}", {"kind": ("a",)}, kind=1)


@pytest.mark.parametrize("index", [-1, 2])
def test_an_index_without_a_word(index):
    with pytest.raises(ValueError, match=rf"words\['kind'\] has 2 texts, but simulate returns the index {index}"):
        told("{kind}", {"kind": ("a", "b")}, kind=index)
