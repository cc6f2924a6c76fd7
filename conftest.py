"""The chapters as tests: `pytest book` executes each one as it stands, once.

nbmake runs notebooks; this file lets it read chapters (MyST text, through jupytext), puts the cache of executed
chapters around it, and reports progress.
"""

import os
import time
import types
from pathlib import Path
from unittest import mock

import pytest
from nbmake import nb_run
from nbmake.pytest_items import NbMakeFailureRepr, NotebookFailedException, NotebookFile, NotebookItem

from book._ext import execution, wakeup

wakeup.poll_in_short_slices()


# Figures for a page, not for a live kernel.  One thread for LAPACK: chapters run side by side, and the threads of
# OpenBLAS spin while they wait, which a small matrix never repays.  And XLA's older way of writing a fused loop: a chapter
# compiles hundreds of small programs, and the newer way costs it an eighth to a quarter of its processor time.
# (XLA takes the last word where a flag is given twice: a reader's own stands behind ours.)
XLA_FLAGS = f"--xla_cpu_use_fusion_emitters=false {os.environ.get('XLA_FLAGS', '')}".strip()
KERNEL = {"LEARNDYN_EXPLORE": "page", "OPENBLAS_NUM_THREADS": "1", "XLA_FLAGS": XLA_FLAGS}


class Chapter(NotebookItem):
    def runtest(self):
        path, executed = Path(self.filename), execution.Executed(self.config.rootpath)
        if path in executed:
            self.user_properties.append(("unchanged", True))
            return
        runs, blank = execution.read(path)
        # nbmake knows .ipynb alone; `read` is the only name that its module takes from nbformat
        nb_run.nbformat = types.SimpleNamespace(read=lambda path, version: runs)
        begin = time.monotonic()
        with mock.patch.dict(os.environ, KERNEL):
            result = nb_run.NotebookRun(path, self.config.option.nbmake_timeout).execute()
        if result.error is not None:
            raise NotebookFailedException(result)
        if execution.key(self.config.rootpath) == executed.folder.name:
            executed.store(path, blank, result.nb, time.monotonic() - begin)
        else:
            self.user_properties.append(("outdated", True))

    def repr_failure(self, excinfo, style=None):
        if excinfo.errisinstance(execution.ReadersDisagree):
            return NbMakeFailureRepr(str(excinfo.value), str(excinfo.value))
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, 0, execution.title(self.path)


class ChapterFile(NotebookFile):
    def collect(self):
        yield Chapter.from_parent(self, filename=str(self.path))


def pytest_collect_file(file_path, parent):
    root = parent.config.rootpath
    if file_path.is_relative_to(root / "book") and file_path in parent.config.stash[chapters]:
        return ChapterFile.from_parent(parent, path=file_path)


chapters = pytest.StashKey()


def pytest_configure(config):
    if config.option.overwrite:
        raise pytest.UsageError("--overwrite would replace the chapters' text by notebooks: leave it out")
    config.stash[chapters] = execution.chapters(config.rootpath)
    # A reader's own IPython start-up files and matplotlibrc do not belong in the book.
    for name in ("ipython", "matplotlib"):
        folder = config.rootpath / ".cache" / name
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[{"ipython": "IPYTHONDIR", "matplotlib": "MPLCONFIGDIR"}[name]] = str(folder)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress(config), "chapter-progress")


class Progress:
    """`chapter k of n, title, seconds`, as chapters start and finish; under xdist only the controller speaks."""

    def __init__(self, config):
        self.config, self.order = config, []

    def pytest_collection_finish(self, session):
        self.order = self.order or [item.nodeid for item in session.items if isinstance(item, Chapter)]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        known = {os.path.relpath(p, self.config.rootpath) for p in self.config.stash[chapters]}
        self.order = [i for i in ids if i.split("::")[0] in known]

    def say(self, nodeid, text):
        if nodeid in self.order:
            name = execution.title(self.config.rootpath / nodeid.split("::")[0])
            line = f"chapter {self.order.index(nodeid) + 1} of {len(self.order)}, {name}: {text}"
            reporter = self.config.pluginmanager.get_plugin("terminalreporter")
            reporter.ensure_newline()
            reporter.write_line(line)

    def pytest_runtest_logstart(self, nodeid, location):
        if self.config.rootpath / nodeid.split("::")[0] not in execution.Executed(self.config.rootpath):
            self.say(nodeid, "begins")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report):
        if report.when != "call":
            return
        facts = dict(report.user_properties)
        if facts.get("unchanged"):
            self.say(report.nodeid, "unchanged, not run again")
        else:
            outdated = ", the library changed meanwhile: outputs not kept" if facts.get("outdated") else ""
            self.say(report.nodeid, f"{report.duration:.1f} s{', FAILED' if report.failed else outdated}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report, config):
        if report.nodeid in self.order and report.when == "call":
            return report.outcome, "", ""  # the line above says more than a dot
