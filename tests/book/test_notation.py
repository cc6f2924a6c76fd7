"""The notation page against the chapters: no letter that they share is missing, no row is idle, no name in the code is invented."""

import ast
import re
from collections import Counter
from functools import cache

import pytest
from minibook import REPOSITORY

from book._ext import notation

PAGE = REPOSITORY / "book" / "notation.md"
TEXTS = notation.chapters(REPOSITORY)
USED = {name: notation.used(text) for name, text in TEXTS.items()}
ROWS = notation.rows(PAGE.read_text("utf8"), list(TEXTS))

# So often a letter stands in the formulas of a chapter that leans on it; a meaning of its own is then in the tables.
LEANS = 10

# Names in the column "In code" that belong to none of ours.
FOREIGN = {"jax", "jnp", "grad", "eye", "linalg", "pinv"}
NAME = re.compile(r"[A-Za-z_]\w*")
WORD = re.compile(r'"(\w+)"')


def meant_for(row, chapter):
    return row.scope is None or chapter in row.scope


def missing(rows, counts):
    """`(symbol, chapter or None)`: shared by chapters and in no table; or leaned on by a chapter and in no table meant for it."""
    shared = {s for s, chapters in Counter(s for count in counts.values() for s in count).items() if chapters > 1}
    yield from sorted((symbol, None) for symbol in shared - {s for row in rows for s in row.symbols})
    for chapter, count in counts.items():
        covered = {symbol for row in rows if meant_for(row, chapter) for symbol in row.symbols}
        yield from ((s, chapter) for s, n in count.items() if s in shared and n >= LEANS and s not in covered)


def idle(rows, counts):
    """`(row, symbol)`: no chapter for which the row is meant has the symbol in a formula."""
    for row in rows:
        for symbol in row.symbols:
            if not any(symbol in count for chapter, count in counts.items() if meant_for(row, chapter)):
                yield row.shown, symbol


@cache
def library():
    """Every name that our modules define or take: modules, functions, classes, their arguments and fields, keys of mappings."""
    return {name for path in (REPOSITORY / "src" / "learndyn").rglob("*.py")
            for name in [path.stem, path.parent.name, *names(ast.parse(path.read_text("utf8")))]}  # fmt: skip


def names(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value  # the keys of `params`


@cache
def cells(chapter):
    """The names that the cells of a chapter bind."""
    blocks = re.findall(r"^```\{code-cell\}[^\n]*\n(?:---\n.*?\n---\n)?(.*?)^```", TEXTS[chapter], re.DOTALL | re.MULTILINE)
    trees = [ast.parse("\n".join(line for line in block.splitlines() if not line.startswith(("%", "!", ":")))) for block in blocks]
    bound = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return bound | {name for tree in trees for name in names(tree)}


def unknown(row):
    """The names of a row's code that neither the library nor a chapter for which it is meant has."""
    code = " ".join(re.findall(r"`([^`]+)`", row.code))
    found = set(NAME.findall(WORD.sub(" ", code))) | set(WORD.findall(code))
    for name in sorted(found - FOREIGN - library()):
        if not any(name in cells(chapter) for chapter in TEXTS if meant_for(row, chapter)):
            yield name


def test_every_shared_symbol_has_its_row():
    found = [f"{symbol} of {chapter or 'two chapters'}" for symbol, chapter in missing(ROWS, USED)]
    assert found == [], "write a row into book/notation.md, into a table for that chapter if it means something else there"


def test_every_row_is_used():
    assert list(idle(ROWS, USED)) == []


def test_every_name_in_the_code_exists():
    assert {row.shown: list(unknown(row)) for row in ROWS if any(unknown(row))} == {}


def test_the_page_is_read_whole():
    tables = PAGE.read_text("utf8").count("{list-table}")
    assert tables == len({(row.section, row.scope) for row in ROWS}), "every table has a sentence before it that says for which chapters"
    assert len(ROWS) == PAGE.read_text("utf8").count("\n* - ") - tables


def test_the_index_has_every_letter_of_several_rows_with_all_its_meanings():
    blocks = dict(re.findall(r"^\$(.+)\$, in \d+ chapters?\n((?:: .*\n)+)", notation.index(ROWS, TEXTS) + "\n", re.MULTILINE))
    for letter, count in Counter(symbol for row in ROWS for symbol in row.symbols).items():
        assert (count > 1) == (letter in blocks)
        assert all(row.meaning in blocks[letter] for row in ROWS if letter in row.symbols and count > 1)
    assert len(blocks) > 30


FORMULAS = {
    r"\hat w_i=w_i/\lVert w_i\rVert": [r"\hat w", "i", "w", "i", "w", "i"],
    r"\dot r_t=-K_t\,r_t": ["r", "t", "K", "t", "r", "t"],
    r"X^\top X + A^T": ["X", "X", "A"],
    r"\mathcal L(\theta)=\tilde{\mathcal{L}}": [r"\loss", r"\theta", r"\tilde \loss"],
    r"\operatorname{tr}(\mathrm{KTA})\in\mathbb R^n\sim\mathcal N": ["n"],
    r"\begin{aligned}\overline{y}&\le\log a\end{aligned}\label{eq-x}": [r"\bar y", "a"],
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_symbols_of_a_formula(formula):
    assert notation.symbols(formula) == FORMULAS[formula]


def test_formulas_are_found_and_code_is_not():
    text = ("a $x$ and `$y$` and\n\n$$\nz\n$$ (eq-z)\n\n```{math}\n:label: eq-u\n\nu\n```\n\n"
            '```{code-cell} ipython3\nplt.plot(x, label="$q$")\n```\n\n:::{math}\nv\n:::\n')  # fmt: skip
    assert notation.used(text) == {"x": 1, "z": 1, "u": 1, "v": 1}


SMALL = """# Notation

## Everywhere

:::{list-table}
:header-rows: 1

* - Symbol
  - In code
  - Meaning
  - Shape
* - $x$
  - `X`
  - an input
  - $(d)$
:::

## Later

From {doc}`one/b` on.

:::{list-table}
:header-rows: 1

* - Symbol
  - In code
  - Meaning
  - Shape
* - $\\alpha$, $y$
  -
  - a factor; a target
  -
:::

In {doc}`the first <one/a>`:

:::{list-table}
:header-rows: 1

* - Symbol
  - In code
  - Meaning
  - Shape
* - $y$
  - `invented(y)`
  - a color
  -
:::
"""
PAGES = {"one/a": "$x$, $y$", "one/b": "$y$, $\\alpha$", "one/c": "$x$"}


def small(text=SMALL, pages=PAGES):
    counts = {name: notation.used(page) for name, page in pages.items()}
    rows = notation.rows(text, list(pages))
    return list(missing(rows, counts)), list(idle(rows, counts)), rows


def test_a_table_is_meant_for_the_chapters_it_names():
    *faults, rows = small()
    assert faults == [[], []]
    assert [row.scope for row in rows] == [None, {"one/b", "one/c"}, {"one/a"}]
    assert notation.index(rows, PAGES) == "$y$, in 2 chapters\n: *Later*: $\\alpha$, $y$, a factor; a target\n: {doc}`one/a`: $y$, a color\n"


def test_each_fault_is_seen():
    assert small(pages={**PAGES, "one/c": "$q$, $x$", "one/b": PAGES["one/b"] + "$q$"})[0] == [("q", None)]
    assert small(pages={**PAGES, "one/a": "$x$" + "$\\alpha$" * LEANS})[0] == [("\\alpha", "one/a")]
    assert small(pages={**PAGES, "one/b": "$y$"})[1] == [("$\\alpha$, $y$", "\\alpha")]
    assert list(unknown(small()[2][2])) == ["invented"]
