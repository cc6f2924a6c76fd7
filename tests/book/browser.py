"""The built book in a real browser, cut off from every network: what `test_browser` and `screenshots` share."""

import contextlib
import functools
import http.server
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
NOT_BUILT = f"there is no built book in {HTML.relative_to(ROOT)}; run: make book"
NO_BROWSER = "no Chromium or Chrome found, so the pages are not tested; install one, e.g.: apt install chromium"

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ON_MACOS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # containers have no user namespaces; the pages are our own
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)


# A fixed piece of work of the kind that a figure's update is (numbers, paths, words, layout), to be done between the moves that
# are timed.  `PACE` is how many milliseconds it takes on two idle cores: a machine with neighbors takes longer, for both.
WORK = """(() => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const [paths, texts] = ["path", "text"].map((kind) => Array.from({ length: 20 }, () => svg.appendChild(document.createElementNS(svg.namespaceURI, kind))));
  let turn = 0;
  return () => {
    const began = performance.now();
    document.body.append(svg);
    let sum = ++turn;
    for (let i = 1; i <= 100000; i++) sum += Math.exp(-i / turn) / i;
    for (const path of paths) path.setAttribute("d", "M" + Array.from({ length: 200 }, (_, i) => `${i},${(sum * i).toFixed(2)}`).join("L"));
    for (const text of texts) text.textContent = sum.toFixed(3);
    for (const drawn of [...paths, ...texts]) drawn.getBoundingClientRect();
    svg.remove();
    return performance.now() - began;
  };
})()"""
PACE = 3.2


def executable() -> str | None:
    """The browser that this machine has, or None."""
    found = filter(None, map(shutil.which, _NAMES))
    return next(found, None) or next(filter(lambda path: Path(path).exists(), _ON_MACOS), None)


def pages() -> list[str]:
    """Paths of all pages of the built book, relative to its folder; without index.html, which only leads to the first."""
    found = (path.relative_to(HTML) for path in HTML.rglob("*.html"))
    return sorted(str(path) for path in found if not path.parts[0].startswith("_") and str(path) != "index.html")


@contextlib.contextmanager
def launched():
    """One browser for a whole run."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")  # and not longer: playwright runs once in a process at a time
def chromium():
    if executable() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(NO_BROWSER)
    with launched() as chromium:
        yield chromium


@contextlib.contextmanager
def served(folder: Path = HTML):
    """The folder on localhost; gives the address, with a slash at its end."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@dataclass
class Visit:
    """A page, and everything that went wrong on it."""

    page: object
    outside: list[str] = field(default_factory=list)  # requests that left the book; they are refused
    failed: list[str] = field(default_factory=list)  # requests inside the book that were not answered
    errors: list[str] = field(default_factory=list)  # console errors and uncaught exceptions

    def open(self, address: str) -> "Visit":
        for record in (self.outside, self.failed, self.errors):
            record.clear()
        self.page.goto(address, wait_until="load")
        # MathJax starts after the page has loaded; its promise says when all formulas stand.
        self.page.evaluate("() => window.MathJax?.startup?.promise")
        return self


def visit(context, inside: str) -> Visit:
    """A new page of the context that may load what lies under the address `inside` and nothing else."""
    record = Visit(context.new_page())

    def answer(route):
        url = route.request.url
        if url.startswith((inside, "data:", "blob:")):
            route.continue_()
        else:
            record.outside.append(url)
            route.abort()

    def response(reply):
        if reply.status >= 400:
            record.failed.append(f"{reply.status} {reply.url}")

    record.page.route("**/*", answer)
    record.page.on("response", response)
    record.page.on("requestfailed", lambda request: record.failed.append(f"{request.failure} {request.url}"))
    record.page.on("pageerror", lambda error: record.errors.append(str(error)))
    record.page.on("console", lambda line: record.errors.append(line.text) if line.type == "error" else None)
    return record


def context(browser, *, size: dict = DESK, mode: str = "light"):
    """A fresh profile; `mode` is what the reader's system prefers.  Nothing moves, so that nothing is judged midway."""
    return browser.new_context(viewport=size, color_scheme=mode, reduced_motion="reduce")
