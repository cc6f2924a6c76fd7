"""The line under a figure: "Half-life {half_life:.2f}; a {verdict}.", filled in anew whenever something moves."""

import math
import re
import string
from collections.abc import Mapping

import numpy as np

from learndyn.explore import _check as check
from learndyn.explore.controls import Choice

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_FORMAT = re.compile(r"d|\.\d{1,2}[feg]")


def parse(template: str | None, words: Mapping, results: Mapping, controls: Mapping) -> list[str | dict] | None:
    """The template in pieces: texts, and what is filled in between them.

    Args:
      template: plain text with {key}, {key:.2f} or {control:.3g}.
      words: {key: texts}; the key's value, an index, is shown as the text.
      results: what `simulate` returns: key -> shape and dtype.
      controls: the sliders and choices, by name.

    Raises:
      ValueError, TypeError: a field that is unknown, not a scalar, or whose format the script does not know.
    """
    words = {key: check.texts(f"words[{key!r}]", entry) for key, entry in check.mapping("words", words).items()}
    for key, entry in words.items():
        shape = check.returned("words", key, results, ranks=(0,))
        kind = results[key].dtype.kind
        if kind not in "iub":
            raise TypeError(f"words: {key!r} must be an index, but simulate returns {results[key].dtype} of shape {shape}")
        if kind == "b" and len(entry) != 2:
            raise ValueError(f"words[{key!r}] must be two texts, for False and True, but is {entry!r}")
    if template is None:
        pieces = []
    else:
        check.text("summary", template)
        if "$" in template:
            raise ValueError(f"summary must be plain text (write λ₁, not TeX: it is read aloud), but is {template!r}")
        pieces = _pieces(template, words, results, controls)
    unused = set(words) - {piece.get("key") for piece in pieces if isinstance(piece, dict)}
    if unused:
        raise ValueError(f"words must name keys that the summary mentions, but it does not mention {sorted(unused)}")
    return pieces or None


def _pieces(template, words, results, controls):
    pieces = []
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"summary must be a text with {{key}} or {{key:.2f}}, but is {template!r}: {error}") from error
    for before, name, form, conversion in fields:
        if before:
            pieces.append(before)
        if name is None:
            continue
        if conversion:
            raise ValueError(f"summary must have no conversions, but {{{name}!{conversion}}} is one")
        if name in results and name in controls:
            raise ValueError(f"summary: {name!r} is both a control and a key of the result; rename the key")
        if name in controls:
            options = controls[name].options if isinstance(controls[name], Choice) else None
            pieces.append({"control": name} | _shown(name, form, options, integer=False))
        elif name in results:
            check.returned("summary", name, results, ranks=(0,))
            integer = results[name].dtype.kind in "iub"
            pieces.append({"key": name} | _shown(name, form, words.get(name), integer=integer))
        else:
            raise ValueError(f"summary: {{{name}}} must be a control, {', '.join(map(repr, controls))}, or a key of what "
                             f"simulate returns, {', '.join(map(repr, results))}"
                             f"{check.nearest(name, [*controls, *results])}")  # fmt: skip
    return pieces


def _shown(name, form, words, *, integer):
    if words is not None:
        if form:
            raise ValueError(f"summary: {name!r} is shown as a word and must have no format, but has {form!r}")
        return {"words": list(words)}
    form = form or ("d" if integer else ".3g")
    if not _FORMAT.fullmatch(form):
        raise ValueError(f"summary: the format of {name!r} must be d or like .2f, .2e, .2g, but is {form!r}")
    if form == ".0g" or (form == "d" and not integer):
        raise ValueError(f"summary: the format of {name!r}, {form!r}, does not fit a real number; take .0f or .3g")
    return {"format": form}


def text(pieces: list | None, values: Mapping, settings: Mapping) -> str:
    """The line for these results and settings of the controls."""
    return "".join(piece if isinstance(piece, str) else _filled(piece, values, settings) for piece in pieces or ())


def _filled(piece, values, settings):
    name = piece.get("key", piece.get("control"))
    value = np.asarray(values[name] if "key" in piece else settings[name]).item()
    if "words" in piece:
        if not 0 <= value < len(piece["words"]):
            has = check.counted(len(piece["words"]), "text")
            raise ValueError(f"words[{name!r}] has {has}, but simulate returns the index {value}")
        return piece["words"][int(value)]
    if math.isnan(value):
        return "undefined"
    return "infinite" if math.isinf(value) else _pretty(format(value, piece["format"]))


def _pretty(number):
    """1.2e-05 becomes 1.2×10⁻⁵, as the script writes it; minus signs are true ones."""
    mantissa, _, power = number.partition("e")
    return (mantissa + (f"×10{str(int(power)).translate(_RAISED)}" if power else "")).replace("-", "−")
