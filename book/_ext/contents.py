"""The table of contents as it is read: parts with their titles, and the chapters in each."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from book._ext import execution


@dataclass(frozen=True)
class Part:
    """A part of the book; `pages` are document names, such as book/edge/kernel."""

    title: str
    pages: tuple[str, ...]


def parts(root: Path) -> list[Part]:
    """In the order of _toc.yml; a table of contents without parts is one part without a title."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf8"))
    named = toc.get("parts") or [toc]
    return [Part(part.get("caption", ""), tuple(entry["file"] for entry in part.get("chapters", ()))) for part in named]


def text(root: Path, page: str) -> str:
    return (root / page).with_suffix(".md").read_text(encoding="utf8")


def is_chapter(root: Path, page: str) -> bool:
    """Whether a page is executed and stands in the folder of a part; the reference of the library is no chapter."""
    path = (root / page).with_suffix(".md")
    return path.parent != root / "book" and path.exists() and execution.is_chapter(path)


def title(root: Path, page: str) -> str:
    return execution.title((root / page).with_suffix(".md"))
