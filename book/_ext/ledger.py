"""The claims ledger: every result of the registry with the claims that the chapters made about it, or *not yet*.

Read from the outputs of the executed chapters, so the page cannot say what no cell has shown.
"""

from collections import Counter
from functools import wraps
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from myst_nb.core.render import NbElementRenderer
from sphinx.addnodes import pending_xref
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from book._ext import execution
from learndyn.claims import KINDS, MIME

REGISTRY = "book/results.yml"
NOT_YET = "not yet"
IN_PART = "reproduced in part"
STATUSES = ["reproduced", "in kind", IN_PART, "not reproduced", NOT_YET]
PROVENANCE = {"stated": "stated in the source", "code": "in the authors' published code", "derived": "derived here",
              "known": "known in the field, derived again here"}
logger = logging.getLogger(__name__)


def records(notebook):
    """The claims in a notebook's outputs, in order."""
    return [dict(output["data"][MIME]) for cell in notebook.cells if cell.cell_type == "code"
            for output in cell.outputs if MIME in output.get("data", {})]


def status(claims):
    """Of a result from those of its claims: the weakest one counts, and where some hold and others do not, it is in part."""
    found = {claim["status"] for claim in claims}
    return IN_PART if "not reproduced" in found and len(found) > 1 else max(found, key=STATUSES.index, default=NOT_YET)


def faults(registry, claims, sources):
    """What is wrong with the claims of the whole book: `(chapter or None, message)`."""
    results, made = registry["results"], {claim["id"] for claim in claims}
    for claim in claims:
        if claim["id"] not in results:
            yield claim["chapter"], f"claim {claim['id']!r} is not a result of {REGISTRY}"
        if claim["source"] not in sources:
            yield claim["chapter"], f"claim {claim['id']!r} names the source {claim['source']!r}, which book/references.bib has not"
    for name, result in results.items():
        if registry["parts"][result["part"]]["written"] and name not in made:
            yield None, f"no chapter makes a claim about {name}, though part {result['part']!r} is said to be written"


def gather(env):
    """Every claim of the chapters in the table of contents, with the chapter it stands in."""
    executed = execution.Executed(Path(env.srcdir))
    found = []
    for docname in sorted(env.found_docs):
        path = Path(env.doc2path(docname))
        if execution.is_chapter(path):
            found += [{**record, "chapter": docname} for record in records(executed.notebook(path))]
    return found


class ClaimsLedger(SphinxDirective):
    """```{claims-ledger}``` writes the ledger; it takes no content."""

    def run(self):
        registry = yaml.safe_load((Path(self.env.srcdir) / REGISTRY).read_text(encoding="utf8"))
        self.env.note_dependency(str(Path(self.env.srcdir) / REGISTRY))
        claims = gather(self.env)
        sources = self.env.get_domain("cite").bibdata.data.entries
        for chapter, message in faults(registry, claims, sources):
            logger.warning(message, location=chapter or self.get_location(), type="claims")
        about = {name: [c for c in claims if c["id"] == name] for name in registry["results"]}
        counts = Counter(status(made) for made in about.values())
        summary = ", ".join(f"{counts[s]} {s}" for s in STATUSES if counts[s])
        written = [nodes.paragraph("", f"{len(about)} results: {summary}. {len(claims)} claims are checked in every build.")]
        for part, facts in registry["parts"].items():
            section = nodes.section("", nodes.title("", facts["title"]), ids=[f"ledger-{part}"])
            for name, result in registry["results"].items():
                if result["part"] == part:
                    section += self.entry(name, result, about[name])
            written.append(section)
        return written

    def entry(self, name, result, claims):
        anchor = f"result-{name.lower()}"
        domain = self.env.get_domain("std")  # so that {ref}`result-n1` reads N1
        domain.labels[anchor] = (self.env.docname, anchor, name)
        domain.anonlabels[anchor] = (self.env.docname, anchor)
        head = nodes.paragraph("", "", nodes.strong("", name), nodes.Text(f" {result['statement']}. "),
                               nodes.strong("", status(claims)), ids=[anchor])
        for because in dict.fromkeys(c["because"] for c in claims if c["because"]):
            head += nodes.Text(f", because {because}")
        head += nodes.Text(". ")
        source = nodes.paragraph("", "Expected values: " + ", ".join(PROVENANCE[p] for p in result["provenance"]) + ". ")
        source += self.citations(result["sources"])
        entry = nodes.container("", head, source, classes=["result"])
        if claims:
            entry += self.table(claims)
        return entry

    def citations(self, keys):
        known = self.env.get_domain("cite").bibdata.data.entries
        parsed = nodes.Element()
        cited = [key for key in keys if key in known]
        if cited:
            self.state.nested_parse(StringList([f"{{cite:t}}`{','.join(cited)}`."]), 0, parsed)
        return [child for paragraph in parsed for child in paragraph]

    def table(self, claims):
        columns = ["Claim", "Expected", "Measured", "Verdict", "Chapter"]
        widths = [nodes.colspec(colwidth=width) for width in (40, 15, 15, 15, 15)]
        head = nodes.thead("", row(nodes.Text(column) for column in columns))
        body = nodes.tbody()
        for claim in claims:
            link = pending_xref("", nodes.inline("", self.chapter(claim)), refdomain="std", reftype="doc",
                                reftarget=f"/{claim['chapter']}", refexplicit=True, refdoc=self.env.docname)
            verdict = f"{claim['status']} ({KINDS[claim['kind']]})"
            body += row([nodes.Text(claim["statement"]), nodes.Text(claim["expected"]),
                         nodes.Text(claim["shown"]), nodes.Text(verdict), link])
        return nodes.table("", nodes.tgroup("", *widths, head, body, cols=len(columns)))

    def chapter(self, claim):
        return execution.title(Path(self.env.doc2path(claim["chapter"])))


def row(contents):
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", content)) for content in contents))


OUR_RECORDS = "application/vnd.learndyn."


def _read_again_with_any_chapter(app, env, added, changed, removed):
    if not (added or changed or removed):
        return []
    return [name for name in env.found_docs if "{claims-ledger}" in Path(env.doc2path(name)).read_text(encoding="utf8")]


def _without_a_picture(render):
    """myst-nb warns of a MIME type that it cannot show; our records, of claims and of figures, have what is shown beside them."""
    if hasattr(render, "__wrapped__"):
        return render
    return wraps(render)(lambda self, data: [] if data.mime_type.startswith(OUR_RECORDS) else render(self, data))


def setup(app):
    NbElementRenderer.render_unhandled = _without_a_picture(NbElementRenderer.render_unhandled)
    app.add_directive("claims-ledger", ClaimsLedger)
    app.connect("env-get-outdated", _read_again_with_any_chapter)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
