"""The symbols of a page's formulas, the rows of the notation page, and the index by letter that is made from the two.

A symbol is a letter with its accent: indices and exponents say which one is meant, they do not make another.  Words in
upright type (`\\mathrm{KTA}`, `\\operatorname{tr}`) are no symbols, and neither are what stands in code or in comments.
The line `{{ symbols }}` of a page becomes the index.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from book._ext import execution

ROOT = execution.ROOT
MARKER = "{{ symbols }}"
PAGE = "book/notation"

GREEK = """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau
upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell loss""".split()
ACCENTS = {"hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde", "bar": "bar", "overline": "bar"}
UPRIGHT = r"text|textbf|textit|mathrm|operatorname|label|tag|begin|end|ref|eqref|color|hspace"

CODE = re.compile(r"^(`{3,})(?:\{code-cell\}|python|bash|text).*?^\1\s*$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^(`{3,}|:{3,})\{math\}[^\n]*\n((?::[^\n]*\n)*)(.*?)^\1\s*$", re.DOTALL | re.MULTILINE)
WORDS = re.compile(rf"\\(?:{UPRIGHT})\*?\s*(?:\[[^\]]*\])?\{{[^{{}}]*\}}|\\mathbb\s*(?:[A-Z]|\{{[^{{}}]*\}})")
SCRIPT = re.compile(r"\\mathcal\s*(?:\{([A-Z])\}|([A-Z]))")
TRANSPOSE = re.compile(r"\^\s*(?:\{?\s*\\top\s*\}?|\{?T\}?)")
TOKEN = re.compile(r"\\([A-Za-z]+)|\\.|([A-Za-z])")

SCOPE = re.compile(r"\b(From|In)\b((?:[^.:]|\n)*?\{doc\}`(?:[^`<]*<)?([^`>]+)>?`[^.:]*)")
DOC = re.compile(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`")
TABLE = re.compile(r"^:{3,}\{list-table\}\n(?::[^\n]*\n)*\n(.*?)^:{3,}$", re.DOTALL | re.MULTILINE)


def formulas(text: str) -> list[str]:
    """What stands in math on a page: in the text, displayed, and in blocks."""
    text = CODE.sub(" ", text)
    found = [match[3] for match in BLOCK.finditer(text)]
    text = re.sub(r"(?<!\$)`[^`\n]*`", " ", BLOCK.sub(" ", text))
    found += re.findall(r"\$\$(.+?)\$\$", text, re.DOTALL)
    text = re.sub(r"\$\$.+?\$\$", " ", text, flags=re.DOTALL)
    return found + re.findall(r"(?<!\\)\$([^$]+?)\$", text)


def symbols(formula: str) -> list[str]:
    r"""`\hat w_i=w_i/\lVert w_i\rVert` has `\hat w`, `i`, `w`, ...; a dot is a derivative and no symbol of its own."""
    formula = SCRIPT.sub(lambda m: r"\loss " if "L" in m.groups() else rf"\mathcal{{{m[1] or m[2]}}} ", formula)
    formula = WORDS.sub(" ", re.sub(r"\\mathcal\{[A-Z]\}", " ", TRANSPOSE.sub(" ", formula)))
    accent, found = None, []
    for match in TOKEN.finditer(formula):
        command, letter = match.groups()
        if command in ACCENTS:
            accent = ACCENTS[command]
        elif letter or command in GREEK:
            found.append((rf"\{accent} " if accent else "") + (letter or rf"\{command}"))
            accent = None
    return found


def used(text: str) -> Counter:
    """How often each symbol stands in a page's formulas."""
    return Counter(symbol for formula in formulas(text) for symbol in symbols(formula))


@dataclass(frozen=True)
class Row:
    """One row of the notation page."""

    section: str
    scope: frozenset[str] | None  # the chapters for which it is meant; None: all
    symbols: tuple[str, ...]
    shown: str
    code: str
    meaning: str


def rows(text: str, order: list[str]) -> list[Row]:
    """The rows of the notation page; `order` are the chapters as they are read, so that "from here on" has a meaning."""
    found = []
    for part in re.split(r"^## +", text, flags=re.MULTILINE)[1:]:
        section, end = part.splitlines()[0].strip(), 0
        for table in TABLE.finditer(part):
            scope = scope_of(part[end : table.start()], order)
            end = table.end()
            for entry in re.split(r"^\* - ?", table[1], flags=re.MULTILINE)[2:]:
                shown, code, meaning, *_ = [" ".join(cell.split()) for cell in re.split(r"^  - ?", entry, flags=re.MULTILINE)]
                letters = dict.fromkeys(symbol for formula in formulas(shown) for symbol in symbols(formula))
                found.append(Row(section, scope, tuple(letters), shown, code, meaning))
    return found


def scope_of(text: str, order: list[str]) -> frozenset[str] | None:
    """ "From" a chapter "on": that one and all later ones; "In" chapters: those; no chapter named: all."""
    named = [name for name in DOC.findall(text) if name in order]
    if not named:
        return None
    begin = min(order.index(name) for name in named)
    return frozenset(order[begin:] if re.search(r"\bFrom\b|\bfrom\b", text) and re.search(r"\bon\b", text) else named)


@lru_cache(maxsize=1)
def _toc(content: str) -> list[str]:
    return [name.removeprefix("book/") for name in re.findall(r"^ *- file: (\S+)", content, re.MULTILINE)]


def chapters(root: Path = ROOT) -> dict[str, str]:
    """The text of every chapter in the order of the table of contents, by its name under book/; others come after."""
    known = {p.relative_to(root / "book").with_suffix("").as_posix(): p for p in execution.chapters(root)}
    first = [name for name in _toc((root / "_toc.yml").read_text("utf8")) if name in known]
    return {name: known[name].read_text("utf8") for name in [*first, *sorted(known.keys() - set(first))]}


def index(table: list[Row], pages: dict[str, str]) -> str:
    """Every letter that stands in several rows, with all of them, as MyST; and in how many chapters it is used."""
    lines, counts = [], [used(text) for text in pages.values()]
    for letter in sorted({letter for row in table for letter in row.symbols}, key=alphabetical):
        meanings = [row for row in table if letter in row.symbols]
        where = sum(letter in found for found in counts)
        if len(meanings) > 1:
            lines += [f"${letter}$, in {where} chapter{'s' if where != 1 else ''}"]
            lines += [f": {place(row)}: {row.shown}, {row.meaning}" for row in meanings] + [""]
    return "\n".join(lines)


def place(row: Row) -> str:
    """The one chapter for which a row is meant, or the heading above it."""
    return f"{{doc}}`{next(iter(row.scope))}`" if row.scope and len(row.scope) == 1 else f"*{row.section}*"


def alphabetical(symbol: str):
    """Latin letters first, then Greek ones; small before capital, bare before accented."""
    letter = symbol.split()[-1]
    return letter.startswith("\\"), letter.lower(), letter.swapcase(), symbol


def expand(app, docname, source):
    if MARKER in source[0]:
        pages = chapters(Path(app.srcdir))
        source[0] = source[0].replace(MARKER, index(rows(source[0], list(pages)), pages))


def outdated(app, env, added, changed, removed):
    """The index follows the chapters."""
    return [PAGE] if PAGE in env.found_docs and added | changed | removed else []


def setup(app):
    app.connect("source-read", expand)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
