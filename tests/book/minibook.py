"""A small book with the real tools around it: what the tests of the tooling break on purpose."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

HEADER = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
    format_version: 0.13
    jupytext_version: 1.19.6
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""
RESULTS = """\
parts:
  first: {title: First, written: false}
results:
  N1: {part: first, statement: one, sources: [jacot2018], provenance: [derived]}
"""
CLAIM = "from learndyn.claims import claim\nclaim('N1', 'it holds', measured=1, below=2, source='jacot2018', kind='derived')"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class MiniBook:
    """`names` are its chapters; each cell that runs leaves a line in the log."""

    def __init__(self, root, names=("one", "two")):
        self.root, self.names, self.log = root, list(names), root / "ran.log"
        (root / "book" / "_static").mkdir(parents=True)
        (root / "src").mkdir()
        for file in ("conftest.py", "_config.yml", "pyproject.toml", "package-lock.json"):
            shutil.copy(REPOSITORY / file, root)
        shutil.copytree(REPOSITORY / "book" / "_ext", root / "book" / "_ext", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPOSITORY / "book" / "_static" / "book.css", root / "book" / "_static")
        (root / "node_modules").symlink_to(REPOSITORY / "node_modules")
        self.write("requirements.lock", "numpy==1")
        self.write("src/library.py", "answer = 42")
        self.write("book/results.yml", RESULTS)
        self.write("book/references.bib", "@misc{jacot2018, author={Jacot, A.}, title={Kernel}, year={2018}}")
        self.write("book/index.md", "# Mini\n\n```{bibliography}\n```\n")
        self.write("book/claims.md", "# Claims\n\n```{claims-ledger}\n```\n")
        files = "".join(f"  - file: book/{name}\n" for name in [*self.names, "claims"])
        self.write("_toc.yml", f"format: jb-book\nroot: book/index\nchapters:\n{files}")
        for name in self.names:
            self.chapter(name)

    def write(self, path, text):
        (self.root / path).write_text(text, encoding="utf8")

    def chapter(self, name, code="", text="", options=""):
        cell = f"{options}open({str(self.log)!r}, 'a').write('{name}\\n');\n{code}"
        self.write(f"book/{name}.md", f"{HEADER}# Chapter {name}\n\n{text}\n\n```{{code-cell}} ipython3\n{cell}\n```\n")

    def ran(self):
        """The chapters that were executed since this was last asked."""
        names = sorted(self.log.read_text().split()) if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return names

    def start(self, *command):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        return subprocess.Popen([sys.executable, *map(str, command)], cwd=self.root, env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, *command):
        process = self.start(*command)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def execute(self, *options):
        return self.run("-m", "pytest", "book", "-p", "no:xdist", *options)

    def make(self, stage):
        return self.run("book/_ext/stages.py", stage)

    def sphinx_by_hand(self):
        """The page build by hand, as Jupyter Book's own documentation says it."""
        return self.run(Path(sys.executable).parent / "jupyter-book", "build", ".", "-W", "-n", "--keep-going", "-q")

    def interrupt_after(self, name):
        """Ctrl-C on an execution while the chapter after `name` runs."""
        process = self.start("-m", "pytest", "book", "-p", "no:xdist")
        deadline = time.monotonic() + 60
        while not (self.log.exists() and name in self.log.read_text()) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output
