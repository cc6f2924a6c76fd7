"""Every image says in words what it shows; one that does not is a warning, so the build fails."""

import re

from docutils import nodes
from sphinx.util import logging

FILE_NAME = re.compile(r"\S+\.(png|svg|jpe?g|gif|webp)", re.IGNORECASE)
IMG_TAG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
ALT = re.compile(r"""\balt\s*=\s*(["'])\s*(?P<alt>.*?)\s*\1""", re.DOTALL)
logger = logging.getLogger(__name__)


def says_something(alt):
    return bool(alt and alt.strip()) and not FILE_NAME.fullmatch(alt.strip())


def alts(node):
    """The alternative texts of the images that a node holds."""
    if isinstance(node, nodes.image):
        return [node.get("alt")]
    found = (ALT.search(tag) for tag in IMG_TAG.findall(node.astext()))
    return [match and match["alt"] for match in found]


def check(app, doctree, docname):
    for node in doctree.findall(lambda node: isinstance(node, (nodes.image, nodes.raw))):
        for alt in alts(node):
            if not says_something(alt):
                where = node if node.source and node.line else docname
                logger.warning(f"{docname}: an image needs alternative text that says what it shows, but has {alt!r}; "
                               "in a cell: mystnb: image: {alt: ...}", location=where, type="figures_alt")


def setup(app):
    app.connect("doctree-resolved", check)  # after myst-nb has put the outputs and glued figures in
    return {"parallel_read_safe": True, "parallel_write_safe": True}
