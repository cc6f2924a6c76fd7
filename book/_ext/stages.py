"""What make calls: `chapters` executes them, `book` builds the pages, `test` runs every check, with seconds a stage."""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from book._ext import execution  # noqa: E402

BUILD = ROOT / "_build"
ENVIRONMENT = BUILD / ".doctrees" / "environment.pickle"
STAMP = BUILD / "stamp"
PYTEST = [sys.executable, "-m", "pytest"]
PARALLEL = ["-n", os.cpu_count() or 1, "--dist", "worksteal"]


def call(*command):
    return subprocess.run([str(part) for part in command], cwd=ROOT).returncode == 0


def chapters():
    """Execute what the cache lacks, in parallel on the cores there are."""
    executed = execution.Executed(ROOT)
    there = execution.chapters(ROOT)
    if not there:
        print("chapters: none")  # pytest calls a run without tests a failure
        return True
    missing = [path for path in there if path not in executed]
    if not missing:
        for count, path in enumerate(there, 1):
            print(f"chapter {count} of {len(there)}, {execution.title(path)}: unchanged, not run again")
        return True
    workers = min(len(missing), os.cpu_count() or 1)
    parallel = ["-n", workers, "--dist", "worksteal"] if workers > 1 else ["-p", "no:xdist"]
    held = call(*PYTEST, "book", "-q", "--no-header", *parallel)
    execution.prune(ROOT)
    return held


def inputs():
    """Hash of everything that the pages are made from."""
    digest = hashlib.sha256(execution.key(ROOT).encode())
    files = [p for p in (ROOT / "book").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    for path in [ROOT / "_config.yml", ROOT / "_toc.yml", ROOT / "package-lock.json", *sorted(files)]:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    executed = execution.Executed(ROOT)
    for path in execution.chapters(ROOT):
        record = executed.record(path)
        digest.update(f"{record.hashkey} {record.created}\n".encode())
    return digest.hexdigest()


def stamp():
    """What a build is made from; then the Sphinx environment that it left, and which pages it had."""
    environment = ENVIRONMENT.stat().st_mtime_ns if ENVIRONMENT.exists() else None
    toc = hashlib.sha256((ROOT / "_toc.yml").read_bytes()).hexdigest()
    return f"{inputs()} {environment} {toc}"


def pages():
    """Build the pages; nothing is done where nothing changed."""
    index = BUILD / "html" / "index.html"
    known = STAMP.read_text().split() if STAMP.exists() else []
    now = stamp().split()
    if known == now and index.exists():
        print("book: unchanged since it was last built")
        return True
    if known[1:] != now[1:]:
        # Sphinx keeps what it has read even where it warned, and says nothing about it the next time.  So what is not
        # known to come from a build without a warning (failed, interrupted, made by hand) is read again from nothing.
        # So is a book with other pages than before, or those that were taken out would stay among the built ones.
        for folder in (".doctrees", "jupyter_execute", "html"):
            if (BUILD / folder).exists():
                shutil.rmtree(BUILD / folder)
    STAMP.unlink(missing_ok=True)
    print("book: making the pages", flush=True)
    if not call(Path(sys.executable).parent / "jupyter-book", "build", ".", "-W", "-n", "--keep-going", "-q"):
        return False
    STAMP.write_text(stamp())
    return True


def book():
    begin = time.monotonic()
    held = chapters() and pages()
    if held:
        print(f"book: {BUILD / 'html' / 'index.html'} ({time.monotonic() - begin:.0f} s)")
    return held


def test():
    """Every check, each stage under a heading; later stages that need a failed one are left out."""
    tests = ROOT / "tests"
    browser = lambda *options: call(*PYTEST, "-q", "--no-header", "-rs", *options, *sorted(tests.rglob("test_browser*.py")))
    stages = [
        ("library and tooling", lambda: call(*PYTEST, tests, "-q", "--no-header", *PARALLEL, "--ignore-glob=*/test_browser*.py"), ()),
        ("chapters", chapters, ()),
        ("book", pages, ("chapters",)),
        ("browser", lambda: browser("-m", "not timed", *PARALLEL), ("book",)),
        ("browser, against the clock", lambda: browser("-m", "timed"), ("book",)),  # alone, or they would time each other
    ]
    results = {}
    for name, run, needs in stages:
        print(f"\n== {name} ==", flush=True)
        begin = time.monotonic()
        verdict = ("ok" if run() else "FAILED") if all(results[need][0] == "ok" for need in needs) else "left out"
        results[name] = verdict, time.monotonic() - begin
    print(f"\n{'stage':<28}{'seconds':>8}")
    for name, (verdict, seconds) in results.items():
        print(f"{name:<28}{seconds:>8.0f}  {verdict}")
    print(f"{'all':<28}{sum(seconds for _, seconds in results.values()):>8.0f}")
    failed = [name for name, (verdict, _) in results.items() if verdict != "ok"]
    if failed:
        print(f"make test: failed in: {', '.join(failed)}")
    return not failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=["chapters", "book", "test"])
    sys.exit(not {"chapters": chapters, "book": book, "test": test}[parser.parse_args().stage]())
