"""A live figure in JupyterLab and in Notebook 7, driven by a real browser: a kernel computes, keys and Python move the slider."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import browser
import nbformat
import numpy as np
import pytest

CELLS = [
    "# a cell above",
    """import jax.numpy as jnp
from learndyn.explore import Slider, explore, line, phase

def simulate(rate, start):
    t = jnp.linspace(0.0, 5.0, 201)
    y = start * jnp.exp(-rate * t)
    return {"t": t, "y": y, "path": jnp.stack([y, -rate * y], axis=-1)}

def figure(alt):
    return explore(simulate, line("y", x="t"), phase("path", drag=("rate", "start"), xlim=(0, 2), ylim=(-4, 4)),
                   rate=Slider(0, 2, 1), start=Slider(-1, 1, 0.5), summary="Rate {rate:.2f}.", alt=alt)

first, second = figure("the first"), figure("the second")
first""",
    """from ipywidgets import jslink
link = jslink((first.widget, "rate"), (second.widget, "rate"))
seen = []
first.widget.observe(lambda change: seen.append(change.new), "rate")
second""",
    "first.widget.rate = 1.5",
    "# a cell below",
]
TALL = {"width": 1280, "height": 2000}  # JupyterLab takes from the page what is not in sight
# for each program the address of its notebooks and the name of its application
PROGRAMS = {"jupyterlab": ("lab/tree", "LabApp"), "notebook": ("notebooks", "JupyterNotebookApp")}


@contextlib.contextmanager
def server(program: str, folder: Path):
    """A server of its own for a notebook with `CELLS`; gives the notebook's address.  Nothing of the user's is read."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (folder / "root").mkdir()
    nbformat.write(notebook, folder / "root" / "figure.ipynb")
    own = {name: str(folder / name) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR",
                                                 "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")}  # fmt: skip
    env = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER") and name != "LEARNDYN_EXPLORE"} | own
    place, app = PROGRAMS[program]
    command = [sys.executable, "-m", program, "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0",
               f"--IdentityProvider.token={secrets.token_hex(16)}", f"--ServerApp.root_dir={folder / 'root'}",
               f"--{app}.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]  # fmt: skip
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            yield _address(process, folder, place)
        finally:  # the server ends its kernels
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _address(process, folder, place):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for found in (folder / "JUPYTER_RUNTIME_DIR").glob(f"jpserver-{process.pid}.json"):
            with contextlib.suppress(json.JSONDecodeError, OSError):  # written, but not yet to its end, or not yet listening
                about = json.loads(found.read_text())
                urllib.request.urlopen(f"{about['url']}api/status?token={about['token']}", timeout=5).close()
                return f"{about['url']}{place}/figure.ipynb?token={about['token']}"
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError("the server did not start:\n" + (folder / "log").read_text()[-3000:])


RUN_ALL = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const deadline = performance.now() + 20000;
  const session = () => app.shell.currentWidget?.context?.sessionContext;
  while (!session()?.session?.kernel && performance.now() < deadline) await new Promise((go) => setTimeout(go, 100));
  await app.commands.execute("notebook:run-all-cells");
}"""
# for each figure, whether it tells a text; what is drawn in the first figure; where the first slider of each stands
TOLD = "[...document.querySelectorAll('div.explore')].map((figure) => figure.textContent.includes(text))"
DRAWN = "() => [...document.querySelectorAll('div.explore')[0].querySelectorAll('svg path')].map((path) => path.getAttribute('d')).join()"
RATES = "() => [...document.querySelectorAll('div.explore')].map((figure) => figure.explore.values.rate)"
# 25 moves of the slider, as a reader makes them; each until a curve has changed.  After each, the fixed work.
MEASURE = f"""async () => {{
  const figure = document.querySelector("div.explore"), slider = figure.querySelector("input[type=range]"), work = {browser.WORK};
  const moved = (value) => new Promise((resolve, reject) => {{
    const began = performance.now(), late = setTimeout(() => reject(new Error("no curve changed")), 20000);
    const watch = new MutationObserver(() => {{
      watch.disconnect();
      clearTimeout(late);
      resolve(performance.now() - began);
    }});
    for (const path of figure.querySelectorAll("svg path")) watch.observe(path, {{ attributeFilter: ["d"] }});
    slider.value = value;
    slider.dispatchEvent(new Event("input", {{ bubbles: true }}));
  }});
  const low = Number(slider.min), high = Number(slider.max), times = [], paces = [];
  for (let k = 0; k < 25; k++) {{
    times.push(await moved(low + (high - low) * (0.2 + 0.02 * k)));
    paces.push(work());
  }}
  return [times, paces];
}}"""
PACE = 4.3  # milliseconds of the fixed work in this much larger page, on two idle cores
ACTIVE = "() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].findIndex((cell) => cell.classList.contains('jp-mod-active'))"


@pytest.fixture(scope="module", params=PROGRAMS)
def notebook(request, tmp_path_factory):
    """The page of the notebook after all its cells have run."""
    if browser.executable() is None:
        pytest.skip(browser.NO_BROWSER)
    with server(request.param, tmp_path_factory.mktemp(request.param)) as address, browser.launched() as chromium:
        page = browser.context(chromium, size=TALL).new_page()
        problems = []
        # Notebook 7 itself throws while it loads the settings of an extension that it does not have
        page.on("pageerror", lambda error: "notebook_core" in error.stack or problems.append(error.stack))
        page.goto(address)
        page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.content?.widgets?.length === 5", timeout=30000)
        page.evaluate(RUN_ALL)
        page.wait_for_function(f"(text) => {TOLD}.join() === 'true,true'", arg="Rate 1.50.", timeout=30000)
        yield page
        assert not problems


def slider_of(page):
    return page.locator("div.explore input[type=range]").first


def test_python_moves_the_sliders(notebook):
    assert notebook.evaluate(RATES) == [1.5, 1.5]  # the first is set by a cell, the second is linked to it


def test_arrow_keys_move_the_slider_and_not_the_cell(notebook):
    slider = slider_of(notebook)
    slider.click()  # somewhere on the track: JupyterLab makes this cell the active one
    cell, value, before = notebook.evaluate(ACTIVE), slider.input_value(), notebook.evaluate(DRAWN)
    assert cell == 1
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "ArrowLeft", "ArrowDown", "ArrowUp"):
        slider.press(key)
    assert float(slider.input_value()) > float(value)
    notebook.wait_for_function(f"(before) => ({DRAWN})() !== before", arg=before)
    assert notebook.evaluate(ACTIVE) == cell and slider.evaluate("(node) => node === document.activeElement")


def test_a_linked_figure_follows(notebook):
    slider_of(notebook).press("Home")
    notebook.wait_for_function(f"(text) => {TOLD}.join() === 'true,true'", arg="Rate 0.00.")
    assert notebook.evaluate(RATES) == [0, 0]


@pytest.mark.timed
def test_a_change_takes_less_than_100_ms(notebook, record_property):
    """On two idle cores; where others take the processor's time, as much longer as the fixed work takes there."""
    for _ in range(3):  # a busy machine may be slow once; a slow figure is so each time
        passes = [notebook.evaluate(MEASURE) for _ in range(5)]
        change, pace = np.median(np.min(passes, axis=0), axis=1)  # the least of five: what the change costs, not an interruption
        slower = max(1.0, pace / PACE)
        print(f"a change takes {change:.0f} ms ({np.median([times for times, _ in passes]):.0f} ms of all); {slower:.2f} times slower than idle")
        if change <= 100 * slower:
            break
    record_property("milliseconds", round(change, 1))
    assert change <= 100 * slower
