"""Small repairs to what docutils and the theme write, so that no page has a barrier for assistive technology."""

import re

REPAIRS = [
    # docutils gives bibliography entries a role that ARIA has withdrawn, and their list one that then has no items.
    (re.compile(r' role="doc-biblioentry"|(?<=<div) role="list"(?= class="citation-list")'), ""),
    # The words on a folded cell, "Show code cell source", are a better name for its switch than the one it is given.
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
]


def repaired(app, pagename, templatename, context, doctree):
    for pattern, replacement in REPAIRS:
        if "body" in context:
            context["body"] = pattern.sub(replacement, context["body"])


def start_as_the_system_prefers(app, config):
    # Without it the theme starts in a mode named "" and says so on the console.
    config.html_context.setdefault("default_mode", "auto")


def setup(app):
    app.connect("config-inited", start_as_the_system_prefers)
    app.connect("html-page-context", repaired)
    app.add_js_file("frame.js")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
