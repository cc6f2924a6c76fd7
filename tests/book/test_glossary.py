"""The glossary and its links: no entry that nobody reaches, none twice, and in every chapter the first use of a term is a link."""

import re

import pytest
from minibook import REPOSITORY
from skeleton import CITE

from book._ext import notation

BOOK = REPOSITORY / "book"
GLOSSARY = (BOOK / "glossary.md").read_text("utf8")
CHAPTERS = {name: text for name, text in notation.chapters(REPOSITORY).items() if "/" in name}
PAGES = {p.relative_to(BOOK).as_posix(): p.read_text("utf8") for p in BOOK.rglob("*.md")}

# Entries whose names are also words of every day, or of other things: the author of a chapter sees where one is meant.
EVERYDAY = {
    "bracket": "parentheses; the bracket of a root",
    "center": "of a cloud, of a picture",
    "downstream": "of a layer",
    "gate": "of other kinds of networks",
    "generator": "of random numbers",
    "leaf": "of a tree; of a pytree",
    "mode": "of a distribution",
    "order": "in order; of magnitude; of a polynomial",
    "potential": "possible",
    "sector": "of a circle",
    "source": "of a claim, of noise",
    "spectrum": "of light; a range",
    "width": "of a window, of a line",
}
# Places in which a word that means one thing elsewhere means another.
OTHERWISE = ["residual stream", "like a saddle", "which its symmetry allows", "linearization must hold", "symmetry is a momentum",
             "by symmetry"]
# Words that mean something else in a whole chapter.
OF_ITS_OWN = {"lyapunov/exponents": {"residual": "of a covariant vector"}}

TERM = re.compile(r"\{term\}`([^`]+)`")
OPENS = re.compile(r"^(`{3,}|:{3,})(\{[\w:-]+\}|\w+)?")
READ = re.compile(r"\{(?!code|math|literalinclude|bibliography|raw|figure|chapter-facts)")  # directives whose content is read
# What is no prose among the lines of prose: formulas, roles and code, targets of links, options, labels, headings.
SKIP = re.compile(r"\$\$[\s\S]*?\$\$|\$[^$\n]+\$|(?:\{[\w:.*+-]+\})?`[^`\n]+`|\]\([^)\n]*\)|^:[\w-]+:.*$|^\(.*\)=$|^#.*$", re.MULTILINE)


def entries(glossary):
    """`{every name: the names of its entry}`, in the order of the page."""
    body = re.search(r"^```\{glossary\}\n(?::[^\n]*\n)*\n?(.*?)^```", glossary, re.DOTALL | re.MULTILINE)[1]
    found = {}
    for names in re.findall(r"(?:^|(?<=\n))((?:\S.*\n)+)(?=  )", body):
        group = tuple(names.strip().splitlines())
        found.update(dict.fromkeys(group, group))
    return found


def target(link):
    """`{term}`shown<entry>`` and `{term}`entry``."""
    match = re.fullmatch(r"(?:.*<)?([^<>]+?)>?", " ".join(link.split()))
    return match[1].strip()


def prose(text):
    """The text with everything else blanked, places kept; from the first section to the references."""
    begin, end = text.find("\n## "), text.rfind("\n## References")
    kept, fences, place = [], [], 0
    for line in text.splitlines(keepends=True):
        fence = OPENS.match(line)
        if fence and not fence[2] and fences and fence[1].startswith(fences[-1][0]):
            fences.pop()
            shown = False
        elif fence and (not fences or fences[-1][1]):
            fences.append((fence[1], bool(READ.match(fence[2] or ""))))
            shown = False
        else:
            shown = all(read for _, read in fences) and begin < place < end
        kept.append(line if shown else re.sub(r"[^\n]", " ", line))
        place += len(line)
    blank = lambda match: match[0] if match[0].startswith("{term}") else re.sub(r"[^\n]", " ", match[0])
    shown = SKIP.sub(blank, "".join(kept))
    for phrase in OTHERWISE:
        shown = re.sub(r"\s+".join(phrase.split()), lambda match: re.sub(r"[^\n]", " ", match[0]), shown)
    return shown


def forms(name):
    """A pattern for a name and its plural, upper or lower case at its beginning, across the end of a line."""
    words = [re.escape(word) for word in name.split()]
    last = words[-1]
    plural = rf"{last[:-1]}(?:y|ies)" if last.endswith("y") else rf"{last[:-2]}(?:um|a)" if last.endswith("um") else rf"{last}(?:e?s)?"
    first = words[0] if len(words) > 1 else plural
    first = rf"[{first[0].upper()}{first[0].lower()}]{first[1:]}" if first[0].isalpha() else first
    return r"(?<![\w-])" + r"\s+".join([first, *words[1:-1], plural] if len(words) > 1 else [first]) + r"(?![\w-])"


def unlinked(text, names, but=frozenset()):
    """`(place, word, name)` of every entry that a chapter uses before it links to it, the first time."""
    shown, linked = prose(text), {}
    for match in TERM.finditer(shown):
        for name in names.get(target(match[1]), ()):
            linked.setdefault(name, match.start())
    shown = TERM.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), shown)
    for name in sorted(names, key=len, reverse=True):  # so that a "kernel drift" is no "kernel"
        uses = list(re.finditer(forms(name), shown))
        shown = re.sub(forms(name), lambda match: re.sub(r"[^\n]", "\0", match[0]), shown)
        if uses and name not in EVERYDAY and name not in but and linked.get(name, len(text)) > uses[0].start():
            if not any(linked.get(other, len(text)) < uses[0].start() for other in names[name]):
                yield uses[0].start(), uses[0][0], name


NAMES = entries(GLOSSARY)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_first_use_of_a_term_is_a_link(chapter):
    text = CHAPTERS[chapter]
    found = [f"line {text.count(chr(10), 0, place) + 1}: {{term}}`{word}`" + (f" ({name})" if word != name else "")
             for place, word, name in sorted(unlinked(text, NAMES, OF_ITS_OWN.get(chapter, ())))]  # fmt: skip
    assert found == []


def test_every_link_has_an_entry():
    links = {(page, target(link)) for page, text in PAGES.items() for link in TERM.findall(text)}
    known = {name.lower() for name in NAMES}
    assert {(page, link) for page, link in links if link.lower() not in known} == set()


def test_every_entry_is_linked():
    linked = {target(link).lower() for text in PAGES.values() for link in TERM.findall(text)}
    assert [name for name, group in NAMES.items() if not any(other.lower() in linked for other in group)] == []


def test_every_entry_stands_once_and_says_something():
    assert len(NAMES) == sum(len(group) for group in dict.fromkeys(NAMES.values()))
    assert len({name.lower() for name in NAMES}) == len(NAMES)
    assert not {name for name in EVERYDAY if name not in NAMES}
    assert set(OF_ITS_OWN) <= set(CHAPTERS) and {name for names in OF_ITS_OWN.values() for name in names} <= set(NAMES)
    assert not [phrase for phrase in OTHERWISE if not any(re.search(r"\s+".join(phrase.split()), text) for text in CHAPTERS.values())]
    assert not CITE.findall(" ".join(NAMES)), "a name is no sentence"


def test_the_glossary_is_in_order():
    assert "```{glossary}\n:sorted:\n" in GLOSSARY, "a reader looks a word up by its letters"


TEXT = """# A title with a plateau

## The question

The *sharp* thing is a $plateau$ and `plateau`.

```{code-cell} ipython3
plateau = 1
```

:::{prf:proof}
Here are two PLACE. And a {term}`plateau` later, and a kernel drift.
:::

## References

A kernel.
"""
SOME = {"plateau": ("plateau",), "kernel": ("kernel",), "kernel drift": ("kernel drift", "drift"), "drift": ("kernel drift", "drift")}


def test_a_use_before_the_link_is_seen():
    found = lambda text: [(word, name) for _, word, name in unlinked(text, SOME)]
    assert found(TEXT) == [("kernel drift", "kernel drift")]
    assert found(TEXT.replace("PLACE", "plateaus")) == [("kernel drift", "kernel drift"), ("plateaus", "plateau")]
    assert found(TEXT.replace("a kernel drift", "{term}`a drift<drift>`, a drift")) == []
    assert found(TEXT.replace("a kernel drift", "a kernel")) == [("kernel", "kernel")]


def test_names_of_an_entry_and_its_forms():
    assert entries("```{glossary}\none\ntwo words\n  Text\n  more.\n\nthree\n  Text.\n```\n") == {
        "one": ("one", "two words"), "two words": ("one", "two words"), "three": ("three",)}  # fmt: skip
    for name, word in {"trajectory": "Trajectories", "equilibrium": "equilibria", "kernel flow": "kernel\nflows", "loss": "losses"}.items():
        assert re.fullmatch(forms(name), word), name
    assert not re.search(forms("rich"), "richer, en-rich, enrich")
