"""Labels: words with TeX between dollar signs, as HTML with MathML, and as plain text for those who listen."""

import html as escapes
import re
import unicodedata
import xml.etree.ElementTree as xml

from learndyn.explore import _check as check

# What stands over a letter, as a combining character.
_ACCENTS = {"˙": "\u0307", "¨": "\u0308", "^": "\u0302", "¯": "\u0304", "‾": "\u0304", "~": "\u0303", "→": "\u20d7"}


def html(label: str, name: str) -> str:
    """Words escaped, each formula as MathML; `name` is what an error calls the label."""
    return "".join(_markup(_formula(piece, label, name)) if tex else escapes.escape(piece) for tex, piece in _pieces(label, name))


def text(label: str, name: str) -> str:
    """The same in plain characters: $\\lambda_1$ is λ1, $x^2$ is x^2."""
    spoken = (_linear(_formula(piece, label, name)) if tex else piece for tex, piece in _pieces(label, name))
    return " ".join("".join(spoken).split())


def _pieces(label, name):
    """Words and formulas in turn, as (is it a formula, its text)."""
    check.text(name, label, empty=True)
    pieces = re.split(r"(?<!\\)\$", label)
    if len(pieces) % 2 == 0:
        raise ValueError(rf"{name} must have an even number of dollar signs (\$ is one that is printed), but is {label!r}")
    return [(bool(i % 2), piece if i % 2 else piece.replace(r"\$", "$")) for i, piece in enumerate(pieces)]


def _formula(tex, label, name):
    """The MathML tree of a formula."""
    from latex2mathml.converter import convert_to_element

    def refuse(why, cause=None):
        raise ValueError(f"{name} must be TeX that can be read, but is {label!r}: {why}") from cause

    bare = re.sub(r"\\.", "", tex)  # without \{ and \}
    if bare.count("{") != bare.count("}"):
        refuse("its braces do not match")
    try:
        tree = convert_to_element(tex)
    except Exception as error:  # whatever the reader of TeX stumbles over
        refuse(type(error).__name__, error)
    for element in tree.iter():
        words = element.text or ""
        if "\\" in words:  # the reader of TeX passes on what it does not know
            refuse(f"{words.strip()} is unknown")
        element.text = escapes.unescape(words) or None
    return tree


def _markup(tree):
    """As small as it goes: inside HTML, <math> needs no namespace and implies its row."""
    inside = tree[0] if len(tree) == 1 and tree[0].tag == "mrow" and not tree[0].attrib else tree
    return f"<math>{''.join(xml.tostring(part, encoding='unicode') for part in inside)}</math>"


def _linear(element):
    parts = [_linear(child) for child in element]
    match element.tag, parts:
        case "mspace", _:
            return " "
        case "msub", [base, below]:
            return base + below
        case "msup", [base, above]:
            return _raised(base, above)
        case "msubsup", [base, below, above]:
            return _raised(base + below, above)
        case "mfrac", [top, bottom]:
            return f"{_grouped(top)}/{_grouped(bottom)}"
        case "msqrt", _:
            return f"√{_grouped(''.join(parts))}"
        case "mover", [base, above] if len(base) == 1 and above in _ACCENTS:
            return unicodedata.normalize("NFC", base + _ACCENTS[above])
    # bold, script and other alphabets are read aloud as what they are, or not at all: plain letters
    own = element.text or ""
    return (own if element.tag == "mo" else unicodedata.normalize("NFKC", own)) + "".join(parts)


def _raised(base, above):
    return base + above if set(above) <= set("′″‴*†") else f"{base}^{_grouped(above)}"


def _grouped(words):
    return words if len(words) == 1 or words.isalnum() else f"({words})"
