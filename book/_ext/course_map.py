"""The map of the course as a figure: a box a part with links to its chapters, an arrow where one part builds on another.

Nothing in it is typed but one question for each part.  Parts and chapters are those of the table of contents; parts of
the registry of results that have no chapter yet are drawn as planned; what builds on what is read from the prerequisites
that the chapters state.  So the map cannot show what is not there.

It is a list in HTML, laid out in rows by style: on a narrow screen, in print without style, or read aloud, it is that list
in an order in which it can be studied, and each box names the parts that it builds on.
"""

import html
import re
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from posixpath import dirname, join, normpath

import yaml
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from book._ext import chapter_facts, contents, ledger

NAME = "course-map"
FACTS = re.compile(r"^[`:]{3,}\{chapter-facts\}\n+(.*?)^[`:]{3,} *$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\{(doc|ref)\}`(?:[^`<]*<)?([^`>]+)>?`")
LABEL = re.compile(r"^\((.+)\)=\n# ", re.MULTILINE)  # of a whole page
GRID = 12  # columns, so that one, two, three, or four boxes fill a row
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Graph:
    """Parts of the course in the order of the registry, their chapters, and what they build on."""

    chapters: dict[str, tuple[str, ...]]
    needs: dict[str, frozenset[str]]

    @cached_property
    def rows(self) -> list[list[str]]:
        """Every part below all that it builds on, as high as that allows; planned ones, of which nobody knows yet, last."""
        depth = {}
        for _ in self.chapters:  # as many rounds as the longest chain can have links
            depth = {part: 1 + max((depth.get(need, 0) for need in self.needs[part]), default=-1) for part in self.chapters}
        last = max((depth[part] for part, pages in self.chapters.items() if pages), default=-1) + 1
        level = {part: depth[part] if pages else last for part, pages in self.chapters.items()}
        return [[part for part in self.chapters if level[part] == k] for k in sorted(set(level.values()))]

    def nearest(self, part: str) -> list[str]:
        """What a part builds on, without what these build on themselves."""
        beyond = set().union(*(self.behind(need) for need in self.needs[part]))
        return [need for need in self.chapters if need in self.needs[part] - beyond]

    def behind(self, part: str) -> set[str]:
        return set(self.needs[part]).union(*(self.behind(need) for need in self.needs[part]))


def read(root: Path) -> Graph:
    registry = yaml.safe_load((root / ledger.REGISTRY).read_text(encoding="utf8"))["parts"]
    toc = {part.title: part.pages for part in contents.parts(root)}
    chapters = {facts["title"]: tuple(page for page in toc.get(facts["title"], ()) if contents.is_chapter(root, page))
                for facts in registry.values()}  # fmt: skip
    home = {page: part for part, pages in chapters.items() for page in pages}
    home |= {label: part for page, part in home.items() for label in LABEL.findall(contents.text(root, page))}
    needs = {part: frozenset(home[n] for page in pages for n in prerequisites(root, page) if n in home) - {part}
             for part, pages in chapters.items()}  # fmt: skip
    TopologicalSorter(needs).prepare()  # raises CycleError where parts build on each other in a circle
    return Graph(chapters, needs)


def prerequisites(root: Path, page: str) -> list[str]:
    """The pages, by name or label, to which the facts of a chapter link."""
    facts = FACTS.search(contents.text(root, page))
    links = LINK.findall(facts[1] if facts else "")
    return [target if role == "ref" else normpath(join(dirname(page), target)) for role, target in links]


def duration(minutes: float) -> str:
    return f"{round(minutes / 5) * 5} min" if minutes < 90 else f"{round(minutes / 30) / 2:g} h"


def edges(rows: list[list[str]], part: str, needs: list[str]) -> str:
    """The curves from the boxes of the row above to the middle of this box's upper edge, in percents of its width."""
    level = next(k for k, row in enumerate(rows) if part in row)
    above, row = rows[level - 1] if level else [], rows[level]
    middles = [((above.index(need) + 0.5) / len(above) * len(row) - row.index(part)) * 100 for need in needs if need in above]
    paths = "".join(f'<path d="M{x:.1f} 0C{x:.1f} 60 50 40 50 100"/>' for x in middles)
    return f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true" focusable="false">{paths}</svg>' if paths else ""


class CourseMap(SphinxDirective):
    """The content is one line a part: `Title: the question that it answers`."""

    has_content = True

    def run(self):
        root = Path(self.env.srcdir)
        graph = read(root)
        questions = dict(re.split(r": +", line, maxsplit=1) for line in self.content if line.strip())
        for part in graph.chapters.keys() ^ questions.keys():
            what = "has no line" if part in graph.chapters else "is none of the registry"
            logger.warning(f"{NAME}: the part {part!r} {what}", location=self.get_location(), type=NAME)
        for dependency in ("_toc.yml", ledger.REGISTRY):
            self.env.note_dependency(str(root / dependency))
        boxes = [node for row in graph.rows for part in row for node in self.box(root, graph, row, part, questions.get(part, ""))]
        caption = nodes.paragraph("", "Read downwards. Every box names the part that it builds on, and where there is room an arrow "
                                      "comes from there; parts side by side can be read in either order.")  # fmt: skip
        return [raw('<figure class="course-map" aria-label="Map of the course: its parts and chapters, and what builds on what"><ol>'),
                *boxes, raw("</ol><figcaption>"), caption, raw("</figcaption></figure>")]  # fmt: skip

    def box(self, root, graph, row, part, question):
        pages, needs = graph.chapters[part], graph.nearest(part)
        curves = edges(graph.rows, part, needs)
        classes = " ".join(["part"] + ["first"] * (part in graph.rows[0]) + ["planned"] * (not pages) + ["reached"] * bool(curves))
        minutes = sum(chapter_facts.reading_minutes(contents.text(root, page)) for page in pages)
        facts = [f"{len(pages)} chapter{'s' if len(pages) > 1 else ''}, {duration(minutes)} of reading" if pages else "planned"]
        facts += ["builds on " + " and ".join(needs)] if needs else []
        items = [nodes.list_item("", nodes.paragraph("", "", self.link(page, contents.title(root, page)))) for page in pages]
        title = self.link(pages[0], part) if pages else nodes.Text(part)
        return [raw(f'<li class="{html.escape(classes)}" style="grid-column: span {GRID // len(row)}">{curves}'),
                nodes.paragraph("", "", nodes.strong("", "", title), classes=["part-title"]),
                nodes.paragraph("", question, classes=["part-question"]),
                *([nodes.bullet_list("", *items)] if items else []),
                nodes.paragraph("", "; ".join(facts), classes=["part-facts"]), raw("</li>")]  # fmt: skip

    def link(self, page, text):
        """A chapter goes by what stands before the colon of its title."""
        return pending_xref("", nodes.inline("", text.split(":")[0]), refdomain="std", reftype="doc", reftarget=f"/{page}",
                            refexplicit=True, refdoc=self.env.docname)  # fmt: skip


def raw(text):
    return nodes.raw("", text, format="html")


def outdated(app, env, added, changed, removed):
    """The map follows the chapters."""
    if not (added or changed or removed):
        return []
    return [name for name in env.found_docs if f"{{{NAME}}}" in Path(env.doc2path(name)).read_text(encoding="utf8")]


def setup(app):
    app.add_directive(NAME, CourseMap)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
