"""What the book leaves open, collected from the chapters as they are: their open exercises, and their claims that did not hold."""

import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from book._ext import contents, ledger

NAME = "open-problems"
EXERCISE = re.compile(
    r"^(?P<fence>[`:]{3,})\{exercise-start\} *(?P<title>[^\n]*?) *\n(?P<options>(?::[^\n]*\n)*)(?P=fence)\n(?P<body>.*?)^(?P=fence)\{exercise-end\}",
    re.DOTALL | re.MULTILINE)  # fmt: skip
LABEL = re.compile(r":label: *(\S+)")
# Two ways to say it: a title that begins so, or a mark after the bold name at the beginning of the text.
TITLED = re.compile(r"Open problem: *(.+)")
MARKED = re.compile(r"\s*\*\*(?P<name>[^*]+?)\.?\*\* *\*\(Open\b[^)]*\)\* *")


def exercises(text: str):
    """`(label, name, what is asked)` of the exercises of a chapter that are marked as open."""
    for match in EXERCISE.finditer(text):
        label, titled, marked = LABEL.search(match["options"]), TITLED.match(match["title"]), MARKED.match(match["body"])
        if label and (titled or marked):
            name = titled[1] if titled else marked["name"]
            body = match["body"][marked.end() if marked else 0 :].strip()
            yield label[1], name[0].upper() + name[1:], body


class OpenProblems(SphinxDirective):
    """```{open-problems}``` writes the page's sections, one a part; it takes no content."""

    def run(self):
        root = Path(self.env.srcdir)
        failed = [claim for claim in ledger.gather(self.env) if claim["status"] == "not reproduced"]
        written = []
        for part in contents.parts(root):
            sections = [section(contents.title(root, page), *found) for page in part.pages if contents.is_chapter(root, page)
                        for found in [self.left_open(root, page, [c for c in failed if c["chapter"] == page])] if found]  # fmt: skip
            if sections:
                written.append(section(part.title, *sections))
        return written

    def left_open(self, root, page, failed):
        """A chapter's questions, with links to where they stand, then what was tried there and did not hold."""
        lines = []
        for label, name, body in exercises(contents.text(root, page)):
            lines += [f"**{name}{'' if name[-1] in '?!' else '.'}** {body} ({{ref}}`{label}` of {{doc}}`/{page}`)", ""]
        parsed = nodes.Element()
        if lines:
            self.state.nested_parse(StringList(lines, source=page), 0, parsed)
        if failed:
            items = [nodes.list_item("", nodes.paragraph("", "", *said(claim))) for claim in failed]
            parsed += [nodes.paragraph("", "Tried here, and it did not hold:"), nodes.bullet_list("", *items)]
        return parsed.children


def section(title, *content):
    return nodes.section("", nodes.title("", title), *content, ids=[nodes.make_id(f"open-{title}")])


def said(claim):
    yield nodes.Text(f"{claim['statement'][0].upper()}{claim['statement'][1:]}. Expected {claim['expected']}, measured {claim['shown']}; ")
    yield nodes.Text(f"because {claim['because']} (")
    yield nodes.literal("", claim["id"])
    yield nodes.Text(").")


def outdated(app, env, added, changed, removed):
    """The page follows the chapters."""
    if not (added or changed or removed):
        return []
    return [name for name in env.found_docs if f"{{{NAME}}}" in Path(env.doc2path(name)).read_text(encoding="utf8")]


def setup(app):
    app.add_directive(NAME, OpenProblems)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
