"""MathJax travels with the pages, so that formulas read offline.

Copied from node_modules into the built `_static/mathjax` (never into book/_static: not committed, and not on pages
without formulas).  Only what a page can ask for: the combined component, its fonts, the TeX extensions that it loads on
demand, and the accessibility tools behind its menu, in English.
"""

import shutil
from pathlib import Path

from sphinx.errors import ExtensionError

SHIPPED = ["tex-mml-chtml.js", "output/chtml/fonts/woff-v2/*", "input/tex/extensions/*", "a11y/*", "sre/mathmaps/base.json",
           "sre/mathmaps/en.json", "sre/mathmaps/nemeth.json"]


def ship(app):
    if app.builder.format != "html":
        return
    source = Path(app.srcdir) / "node_modules" / "mathjax" / "es5"
    if not source.is_dir():
        raise ExtensionError("MathJax is not installed under node_modules. Run: make env")
    target = Path(app.outdir) / "_static" / "mathjax"
    for pattern in SHIPPED:
        for file in source.glob(pattern):
            copy = target / file.relative_to(source)
            if not copy.exists() or copy.stat().st_mtime < file.stat().st_mtime:
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)


def setup(app):
    app.connect("builder-inited", ship)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
