"""Figures as HTML: a fragment for a page of the book, or a page of its own."""

import base64
import html
import json
from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).parent
_STYLE = "body { max-width: 50rem; margin: 1rem auto; padding: 0 1rem; font-family: system-ui, sans-serif; }"


def asset(name: str) -> str:
    """The text of explore.js or explore.css."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def as_json(spec: Mapping) -> str:
    """Compact JSON that can stand inside a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(spec, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--")


def inline(code: str) -> str:
    """JavaScript that can stand inside a script element; < before / or !-- is in strings only, where \\ is allowed."""
    return code.replace("</", "<\\/").replace("<!--", "\\x3c!--")


def fragment(spec: Mapping, function: str | None, picture: bytes) -> str:
    """A picture that stays until the script has drawn the figure, what to draw, and the function.

    Args:
      spec: with its id.
      function: a JavaScript expression; None when the spec has a grid.
      picture: a PNG.
    """
    name = spec["id"]
    image = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    register = "" if function is None else (
        f'<script>((self.learndynExplore??={{}}).figures??={{}})["{name}"]={inline(function)};</script>')  # fmt: skip
    return (
        f'<div class="explore" id="explore-{name}"><img class="explore-picture" alt="{html.escape(spec["alt"])}" src="{image}">'
        f'<script type="application/json" class="explore-spec">{as_json(spec)}</script>{register}</div>'
    )


def whole(fragment: str, title: str) -> str:
    """A page with the figure, its script and its style."""
    style = f"{_STYLE}\n{asset('explore.css')}"
    if "</" in style:
        raise ValueError("explore.css must not hold </, which would end its element")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(title)}</title>
<style>
{style}
</style>
</head>
<body>
<main>
<h1>{html.escape(title)}</h1>
{fragment}
</main>
<script>
{inline(asset("explore.js"))}
</script>
</body>
</html>
"""
