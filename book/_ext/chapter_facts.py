"""What a chapter needs and costs: prerequisites as written, reading minutes counted, run seconds measured."""

import re
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from book._ext import execution

WORDS_PER_MINUTE = 180
MINUTES_PER_FORMULA = 0.25  # of a displayed one; those in the text count as a word

FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
SOLUTION = re.compile(r"^(`{3,}|:{3,})\{solution-start\}.*?^\1\{solution-end\}", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"^(`{3,})(?:\{code-cell\}|python|bash|text).*?^\1\s*$", re.DOTALL | re.MULTILINE)
FORMULA = re.compile(r"\$\$.*?\$\$|^(`{3,}|:{3,})\{math\}.*?^\1\s*$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"\$[^$\n]+\$")
MARKUP = re.compile(r"^(?:`{3,}|:{3,}).*$|^:[\w-]+:.*$|^\(.*\)=$|\{[\w:-]+\}", re.MULTILINE)


def reading_minutes(text):
    """From the prose, with a pause for every displayed formula; code and folded solutions are not counted."""
    for pattern in (FRONT_MATTER, SOLUTION, CODE):
        text = pattern.sub("", text)
    text, formulas = FORMULA.subn(" ", text)
    words = re.findall(r"\w[\w'-]*", MARKUP.sub(" ", INLINE.sub(" formula ", text)))
    return len(words) / WORDS_PER_MINUTE + formulas * MINUTES_PER_FORMULA


def rounded(seconds):
    return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"


class ChapterFacts(SphinxDirective):
    """The content says what a reader should know before."""

    has_content = True

    def run(self):
        self.assert_has_content()
        path = Path(self.env.doc2path(self.env.docname))
        needs = nodes.definition()
        self.state.nested_parse(self.content, self.content_offset, needs)
        minutes = max(1, round(reading_minutes(path.read_text(encoding="utf8"))))
        facts = [("Prerequisites", needs), ("Reading", definition(f"about {minutes} min, exercises not counted"))]
        if execution.is_chapter(path):
            seconds = execution.Executed(Path(self.env.srcdir)).record(path).data["execution_seconds"]
            facts.append(("Running", definition(f"{rounded(seconds)}, measured when these pages were built")))
        items = [nodes.definition_list_item("", nodes.term("", name), value) for name, value in facts]
        return [nodes.definition_list("", *items, classes=["chapter-facts"])]


def definition(text):
    return nodes.definition("", nodes.paragraph("", text))


def setup(app):
    app.add_directive("chapter-facts", ChapterFacts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
