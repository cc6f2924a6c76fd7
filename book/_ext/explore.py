"""The script and the style sheet of the interactive figures: minified, and only on pages that have one."""

from pathlib import Path

import rcssmin
import rjsmin

import learndyn

SOURCE = Path(learndyn.__file__).parent / "explore"
MARK = 'class="explore-spec"'  # what `learndyn.explore` writes into each figure
MINIFY = {"explore.js": rjsmin.jsmin, "explore.css": rcssmin.cssmin}


def ship(app):
    # into the output and not into book/_static, whose files Jupyter Book puts on every page
    if app.builder.format == "html":
        folder = Path(app.outdir) / "_static" / "explore"
        folder.mkdir(parents=True, exist_ok=True)
        for name, minify in MINIFY.items():
            (folder / name).write_text(minify((SOURCE / name).read_text(encoding="utf8")), encoding="utf8")


def load(app, pagename, templatename, context, doctree):
    if MARK in context.get("body", ""):
        app.add_js_file("explore/explore.js")
        app.add_css_file("explore/explore.css")


def setup(app):
    app.connect("builder-inited", ship)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
