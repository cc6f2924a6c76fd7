"""The executed chapters: one cache that the test run fills and the page build reads.

jupyter-cache recognizes a notebook by the text of its cells alone.  An output also depends on the library and on
the versions of everything below it, so the cache lives in a folder named by a hash of both:
`.cache/executed/<key>/`.  A new key is a new, empty folder, and Sphinx reads every page again when it sees one.
"""

import fcntl
import hashlib
import shutil
import sys
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

# An optional part of jsonschema, which nbformat imports, compiles a grammar of URIs for a whole second.
sys.modules.setdefault("rfc3987_syntax", None)

import jupytext
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.execute import cache as myst_nb_cache
from myst_nb.core.read import is_myst_markdown_notebook, myst_nb_reader_plugin
from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parents[2]
KEPT = 3  # folders of earlier keys that stay, so that going back to a former state of src/ costs nothing


DISAGREE = ("a chapter's code cells are not the same to jupytext and to Sphinx: keep every {code-cell} at the top level, "
            "outside ::: blocks and lists")


class ReadersDisagree(ValueError):
    """What would be executed is not what would be shown."""


class NotExecuted(LookupError):
    """The cache has no outputs for this chapter as it stands."""


def is_chapter(path):
    """Whether a page has a jupytext header, that is, has cells to execute."""
    return path.suffix == ".md" and is_myst_markdown_notebook(path.read_text(encoding="utf8"))


def chapters(root=ROOT):
    """Every chapter under book/, sorted by path."""
    hidden = lambda path: any(part[0] in "._" for part in path.relative_to(root).parts)
    return sorted(p for p in (root / "book").rglob("*.md") if not hidden(p) and is_chapter(p))


def title(path):
    """The first heading of a page."""
    lines = path.read_text(encoding="utf8").splitlines()
    return next((line[2:].strip() for line in lines if line.startswith("# ")), path.stem)


def key(root=ROOT):
    """Hash of what outputs depend on besides the cells: the library, the lock, the Python minor version."""
    digest = hashlib.sha256(f"python {sys.version_info[0]}.{sys.version_info[1]}\n".encode())
    ours = lambda path: path.is_file() and "__pycache__" not in path.parts and not path.parent.name.endswith(".egg-info")
    for path in [*sorted(filter(ours, (root / "src").rglob("*"))), root / "requirements.lock"]:
        content = path.read_bytes()
        # the length keeps "ab"+"c" and "a"+"bc" apart
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


class Executed:
    """The executed chapters of one key.  Safe between processes: every access holds a file lock."""

    def __init__(self, root=ROOT):
        self.root = root
        self.folder = root / ".cache" / "executed" / key(root)

    @contextmanager
    def _locked(self):
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with open(self.folder.parent / f"{self.folder.name}.lock", "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)  # released when the file closes, also if the process dies
            yield self._cache

    @cached_property
    def _cache(self):
        return get_cache(self.folder)

    def record(self, path):
        """The cache's record of a chapter as it stands: `.data` has execution_seconds and cell_seconds."""
        with self._locked() as cache:
            try:
                return cache.match_cache_notebook(myst_nb_reader_plugin(str(path)))
            except KeyError:
                raise NotExecuted(f"{path.relative_to(self.root)} was not executed as it stands: run make chapters") from None

    def __contains__(self, path):
        try:
            self.record(path)
        except NotExecuted:
            return False
        return True

    def notebook(self, path):
        """The chapter with its outputs."""
        self.record(path)
        with self._locked() as cache:
            return cache.merge_match_into_notebook(myst_nb_reader_plugin(str(path)))[1]

    def store(self, path, blank, executed, seconds):
        """Keep the outputs of a successful run of `blank`, under the form in which myst-nb will look the chapter up."""
        cells, done = code_cells(blank), code_cells(executed)
        for cell, ran in zip(cells, done, strict=True):
            # not the metadata: the cell's own is part of what jupyter-cache looks up, timings would change it
            cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
        if "language_info" in executed.metadata:  # but no widget state: pages are to work without
            blank.metadata["language_info"] = executed.metadata["language_info"]
        data = {"execution_seconds": seconds, "cell_seconds": [cell_seconds(cell) for cell in done]}
        uri = path.relative_to(self.root).as_posix()
        with self._locked() as cache:
            cache.cache_notebook_bundle(CacheBundleIn(blank, uri, data=data), check_validity=False, overwrite=True)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def read(path):
    """A chapter as jupytext reads it, to be run, and as myst-nb does, to be stored: both now, whatever is edited meanwhile."""
    runs, blank = jupytext.read(path), myst_nb_reader_plugin(str(path))
    if [c.source.strip() for c in code_cells(runs)] != [c.source.strip() for c in code_cells(blank)]:
        raise ReadersDisagree(f"{path}: {DISAGREE}")
    return runs, blank


def cell_seconds(cell):
    """Seconds that a cell ran, by the kernel's clock (nbclient's record_timing)."""
    from dateutil.parser import isoparse

    times = cell.metadata.get("execution", {})
    begin, end = times.get("iopub.status.busy"), times.get("iopub.status.idle")
    return (isoparse(end) - isoparse(begin)).total_seconds() if begin and end else None


def prune(root=ROOT):
    """Drop all but the newest few folders of other keys."""
    current = Executed(root).folder
    others = [f for f in current.parent.glob("*/") if f != current]
    for folder in sorted(others, key=lambda f: f.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)  # another build may be at the same work
        folder.with_suffix(".lock").unlink(missing_ok=True)


def _read_the_cache(app, config):
    config.nb_execution_mode = "cache"
    config.nb_execution_cache_path = str(Executed(Path(app.srcdir)).folder)


def _all_executed(app, env, docnames):
    executed = Executed(Path(app.srcdir))
    pages = [Path(env.doc2path(name)) for name in sorted(env.found_docs)]
    missing = [str(p.relative_to(app.srcdir)) for p in pages if is_chapter(p) and p not in executed]
    if missing:
        raise ExtensionError(f"not executed as they stand: {', '.join(missing)}. Run: make chapters")


def _refuse(*args, **kwargs):
    raise ExtensionError(DISAGREE)


def setup(app):
    # Execution belongs to one place, pytest; a second way would hide what the first one missed.
    myst_nb_cache.single_nb_execution = _refuse
    app.connect("config-inited", _read_the_cache)
    app.connect("env-before-read-docs", _all_executed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
