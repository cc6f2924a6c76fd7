"""A page with figures of every kind, whose numbers are written down in JavaScript: the renderer alone, without JAX.

    python tests/explore/demo.py [demo.html]
"""

import base64
import json
import sys
import zlib
from pathlib import Path

import numpy as np
import rcssmin
import rjsmin
from matplotlib import get_data_path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "learndyn" / "explore"
# As readers get them: the minifiers know less of the languages than browsers do, so what they make is what is tested.
SCRIPT = rjsmin.jsmin((SOURCE / "explore.js").read_text(encoding="utf8"))
STYLE = rcssmin.cssmin((SOURCE / "explore.css").read_text(encoding="utf8"))
# The letters that many a Linux shows where a page asks for sans-serif: a tenth wider than Arial's.
LETTERS = base64.b64encode(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf").read_bytes()).decode()
WIDE = f"@font-face {{ font-family: Wide; src: url(data:font/ttf;base64,{LETTERS}); }}"


def math(body: str) -> str:
    return f"<math>{body}</math>"


LAMBDA1, LAMBDA2 = (math(f"<msub><mi>λ</mi><mn>{k}</mn></msub>") for k in (1, 2))
R1, R2 = (math(f"<msub><mi>r</mi><mn>{k}</mn></msub>") for k in (1, 2))
TIME = "time " + math("<mi>t</mi>")
LOSS = "loss " + math("<mi>L</mi>")


def slider(name, low, high, value, *, label=None, text=None, log=False, step=None):
    span = np.log10(high / low) if log else high - low
    return {"kind": "slider", "name": name, "label": label or name, "text": text or name, "low": low, "high": high,
            "value": value, "step": step or span / 200, "log": log}  # fmt: skip


def choice(name, options, value=0):
    return {"kind": "choice", "name": name, "label": name.capitalize(), "text": name, "options": options, "value": value}


def panel(kind, text, **given):
    return {"kind": kind, "title": "", "xlabel": "", "ylabel": "", "text": text, "xlim": None, "ylim": None} | given


def line(text, *series, x=None, log="", vertical=(), horizontal=(), **given):
    return panel("line", text, x=x, log=log, series=list(series), vertical=list(vertical), horizontal=list(horizontal), **given)


def scatter(text, *series, x=None, log="", vertical=(), horizontal=(), **given):
    return panel("scatter", text, x=x, log=log, series=list(series), vertical=list(vertical), horizontal=list(horizontal), **given)


def bars(text, *series, log="", horizontal=(), **given):
    return panel("bars", text, log=log, series=list(series), horizontal=list(horizontal), **given)


def heat(text, key, limits=None, center=None, **given):
    return panel("heat", text, key=key, limits=limits, center=center, **given)


def phase(text, *paths, **given):
    empty = {"field": None, "drag": None, "nullclines": False, "levels": [], "curves": [], "points": [], "notes": []}
    return panel("phase", text, **(empty | {"paths": list(paths), "xlim": [-2, 2], "ylim": [-2, 2]} | given))


def series(key, *labels, count=None):
    return {"key": key, "count": count or max(1, len(labels)), "labels": list(labels)}


def figure(id, controls, panels, *, alt, summary=None, play=None, grid=None):
    return {"id": id, "alt": alt, "play": play, "controls": controls, "summary": summary, "panels": panels, "grid": grid}


# JavaScript that the compute functions share.
TOOLS = """
const scalar = (v) => ({ shape: [], data: Float64Array.of(v) });
const vector = (n, f) => ({ shape: [n], data: Float64Array.from({ length: n }, (_, i) => f(i)) });
const matrix = (n, m, f) => ({ shape: [n, m], data: Float64Array.from({ length: n * m }, (_, k) => f(Math.floor(k / m), k % m)) });
const plane = (n, low, high, f) => ({ shape: [n, n, 2], data: Float64Array.from({ length: 2 * n * n }, (_, k) => {
  const at = (i) => low + (i + 0.5) * (high - low) / n, j = (k >> 1) % n, i = Math.floor((k >> 1) / n);
  return f(at(j), at(i))[k & 1];
}) });
"""

MODES = figure(
    "modes",
    [slider("fast", 0.1, 10, 1, label=LAMBDA1, text="λ1", log=True), slider("slow", 0, 1, 0.2, label=LAMBDA2, text="λ2"),
     slider("r1", -2, 2, 1, label=R1, text="r1"), slider("r2", -2, 2, 0.5, label=R2, text="r2")],
    [phase("residual in the plane of its two modes", series("path"), field="flow", drag=["r1", "r2"],
           xlabel=R1, ylabel=R2, title="Residual"),
     line("loss against time", series("loss", "loss", "slow mode", count=2), x="t", log="y", xlabel=TIME, ylabel=LOSS, title="Loss",
          vertical=[{"at": "half_life", "label": "half-life"}], horizontal=[{"at": 0.001, "label": "target"}])],
    alt="Two modes of a residual decay at their own rates; the loss falls steeply, then along a plateau.",
    summary=["Half-life ", {"key": "half_life", "format": ".2f"}, " at ", {"control": "fast"}, "; the motion is a ",
             {"key": "verdict", "words": ["sink", "plateau that takes long"]}, "."],
    play="fast",
)  # fmt: skip
MODES_JS = """(fast, slow, r1, r2) => ({
  t: vector(200, (i) => i / 20),
  path: matrix(200, 2, (i, j) => (j ? r2 * Math.exp(-slow * i / 20) : r1 * Math.exp(-fast * i / 20))),
  loss: matrix(200, 2, (i, j) => (j ? 0 : r1 * r1 / 2 * Math.exp(-2 * fast * i / 20)) + r2 * r2 / 2 * Math.exp(-2 * slow * i / 20)),
  flow: plane(13, -2, 2, (x, y) => [-fast * x, -slow * y]),
  half_life: scalar(Math.LN2 / slow / 2), verdict: scalar(slow < 0.1 ? 1 : 0),
})"""

SPIRAL = figure(
    "spiral",
    [slider("a", -2, 2, -0.3, label="trace", text="trace"), slider("b", -3, 3, 1.5, label="determinant", text="determinant"),
     choice("start", ["one start", "eight starts"], 1)],
    [phase("phase portrait with nullclines", series("paths"), field="flow", nullclines=True, points=["origin"],
           xlabel=math("<mi>x</mi>"), ylabel=math("<mover><mi>x</mi><mo>˙</mo></mover>"), title="Motion"),
     phase("trace and determinant", drag=["a", "b"], curves=["parabola"], levels=[{"key": "height", "values": [1, 4]}],
           xlim=[-2, 2], ylim=[-3, 3], xlabel="trace", ylabel="determinant", title="Where the matrix is",
           notes=[{"label": "saddles", "at": [0, -2]}, {"label": "spiral sinks", "at": [-1.2, 2]}, {"label": "spiral sources", "at": [1.2, 2]}]),
     line("coordinate against time", series("x", math("<mi>x</mi>"), math("<mover><mi>x</mi><mo>˙</mo></mover>"), "energy", "|x|", "half", "third", count=6),
          x="t", xlabel=TIME, title="Six curves", vertical=[{"at": 4, "label": "four"}, {"at": "late", "label": "a label that is rather long"}])],
    alt="A linear system: its phase portrait, its place in the plane of trace and determinant, and its coordinates in time.",
    summary=["The origin is a ", {"key": "kind", "words": ["saddle", "node", "spiral"]}, "."],
)  # fmt: skip
SPIRAL_JS = """(a, b, start) => {
  const n = start ? 8 : 1, steps = 160, h = 0.05, data = new Float64Array(n * steps * 2);
  for (let k = 0; k < n; k++) {
    let x = 1.6 * Math.cos(k * Math.PI / 4 + 0.4), y = 1.6 * Math.sin(k * Math.PI / 4 + 0.4);
    for (let i = 0; i < steps; i++) {
      data[2 * (k * steps + i)] = x; data[2 * (k * steps + i) + 1] = y;
      for (let s = 0; s < 5; s++) { const v = a * y - b * x; x += h / 5 * y; y += h / 5 * v; }
    }
  }
  const disc = a * a - 4 * b;
  return { paths: { shape: [n, steps, 2], data }, flow: plane(13, -2, 2, (x, y) => [y, a * y - b * x]), origin: vector(2, () => 0),
    parabola: matrix(81, 2, (i, j) => (j ? ((i - 40) / 20) ** 2 / 4 : (i - 40) / 20)),
    height: matrix(30, 30, (i, j) => ((j - 14.5) / 7.5) ** 2 + ((i - 14.5) / 5) ** 2),
    t: vector(steps, (i) => i * h), late: scalar(6.5 + a / 2),
    x: matrix(steps, 6, (i, j) => { const [x, y] = [data[2 * i], data[2 * i + 1]]; return [x, y, x * x + y * y, Math.abs(x), x / 2, y / 3][j]; }),
    kind: scalar(b < 0 ? 0 : disc > 0 ? 1 : 2) };
}"""

SPECTRA = figure(
    "spectra",
    [slider("decay", 0.2, 3, 1, label="decay " + math("<mi>α</mi>"), text="decay"), slider("width", 0.05, 1, 0.3, log=True, label="width", text="width")],
    [bars("eigenvalues as bars", series("one", "kernel"), series("two", "its limit"), series("three", "difference"), log="", xlabel="rank", ylabel="eigenvalue",
          horizontal=[{"at": 0.5, "label": "half"}]),
     scatter("eigenvalues on logarithmic axes", series("cloud", "width 8", "width 64", "width 512", count=3), log="xy", xlabel="rank", ylabel="eigenvalue"),
     heat("kernel matrix", "kernel", xlabel="sample", ylabel="sample"),
     heat("difference of two kernels", "difference", center=0, xlabel="sample", ylabel="sample")],
    alt="Spectra of a kernel as bars and as points, the kernel, and its difference from the limit.",
)  # fmt: skip
SPECTRA_JS = """(decay, width) => ({
  one: vector(8, (i) => (i + 1) ** -decay), two: vector(8, (i) => Math.exp(-i * decay / 3)), three: vector(8, (i) => (i + 1) ** -decay - Math.exp(-i * decay / 3)),
  cloud: matrix(40, 3, (i, j) => (i + 1) ** (-decay * (1 + j / 2)) * (1 + 0.3 * Math.sin(7 * i + j))),
  kernel: matrix(24, 24, (i, j) => Math.exp(-(((i - j) / 24 / width) ** 2))),
  difference: matrix(12, 12, (i, j) => Math.sin(i * decay) * Math.cos(j) * width + (i === j ? 0.2 : 0)),
})"""

# Numbers that are not there: each panel must say so and none may break.
BROKEN = figure(
    "broken",
    [slider("rate", 0.5, 3, 2.5, label="learning rate", text="learning rate", step=0.01), choice("case", ["diverges", "undefined", "empty", "constant"])],
    [line("a run that diverges", series("run"), ylabel="run"), line("its logarithm", series("run"), log="y", ylabel="run"),
     phase("a path that diverges", series("path"), field="flow", nullclines=True),
     bars("bars", series("few"), log="y"), scatter("points", series("few"), log="x"), heat("cells", "cells")],
    alt="Figures of numbers that are infinite, undefined, or absent.",
    summary=["Last value ", {"key": "last", "format": ".3g"}, "."],
)  # fmt: skip
BROKEN_JS = """(rate, which) => {
  const at = (i) => [(-1) ** i * rate ** (i * i / 6), NaN, 0, 0.25][which], n = which === 2 ? 0 : 80;
  return { run: vector(n, at), path: matrix(n, 2, (i, j) => at(i + j)), flow: plane(5, -2, 2, (x) => [[x / 0, NaN, 0, 0][which], x]),
    few: vector(n && 4, at), cells: matrix(n && 3, 3, (i) => at(8 * i)), last: scalar(at(79)) };
}"""


# A table in place of a function: f(a, b, option) on a grid of 5 × 4 × 2 cells.
def table_of(a, b, option):
    t = np.linspace(0, 1, 50)
    return {"y": np.stack([a * t + option, np.log10(b) * t**2], axis=1), "end": np.array(a + np.log10(b) - 3.0 * option)}


def grid(axes, cells):
    """As the front end packs it: per field all cells in C order, 16 bits, differences along each frame, deflated, base64."""
    fields, codes = [], []
    for key in cells[0]:
        values = np.stack([cell[key] for cell in cells])
        low, high = float(values.min()), float(values.max())
        level = np.round((values.reshape(len(cells), -1) - low) / (high - low) * 65535).astype(np.int64)
        codes.append(np.diff(level, axis=1, prepend=0).astype(np.uint16))
        fields.append({"key": key, "shape": list(values.shape[1:]), "low": low, "high": high})
    data = zlib.compress(b"".join(code.astype("<u2").tobytes() for code in codes), 9)
    return {"axes": axes, "fields": fields, "data": base64.b64encode(data).decode()}


TABLE = figure(
    "table",
    [slider("a", 0, 2, 0.7), slider("b", 1, 100, 20, log=True), choice("option", ["low", "high"])],
    [line("two curves from a table", series("y", "line", "parabola", count=2))],
    alt="A figure whose numbers come from a table.",
    summary=["End ", {"key": "end", "format": ".3f"}],
    grid=grid([{"low": 0, "high": 2, "log": False, "points": 5}, {"low": 1, "high": 100, "log": True, "points": 4}, {"options": 2}],
              [table_of(a, b, o) for a in np.linspace(0, 2, 5) for b in np.geomspace(1, 100, 4) for o in (0, 1)]),
)  # fmt: skip

# What the budget of an update is measured with: three panels, four series of 200 points, a field of 13 × 13.
HEAVY = figure(
    "heavy",
    [slider("w", 0.5, 5, 1), slider("x0", -2, 2, 1), slider("y0", -2, 2, 1)],
    [phase("phase", series("path"), field="flow", nullclines=True, drag=["x0", "y0"]),
     line("four curves", series("y", "a", "b", "c", "d", count=4), x="t"),
     line("four curves, logarithmic", series("z", "a", "b", "c", "d", count=4), x="t", log="y")],
    alt="Many curves.",
    summary=["Frequency ", {"control": "w", "format": ".2f"}],
)  # fmt: skip
HEAVY_JS = """(w, x0, y0) => ({
  t: vector(200, (i) => i / 20),
  path: matrix(200, 2, (i, j) => Math.exp(-i / 80) * (j ? y0 * Math.cos(w * i / 20) - x0 * Math.sin(w * i / 20) : x0 * Math.cos(w * i / 20) + y0 * Math.sin(w * i / 20))),
  y: matrix(200, 4, (i, j) => Math.sin(w * i / 20 + j)), z: matrix(200, 4, (i, j) => Math.exp(-i / 20 * (j + w)) + 1e-6),
  flow: plane(13, -2, 2, (x, y) => [y - x / 4 + Math.sin(w * x), -x - y / 4]),
})"""

FIGURES = [(MODES, MODES_JS), (SPIRAL, SPIRAL_JS), (SPECTRA, SPECTRA_JS), (BROKEN, BROKEN_JS), (TABLE, None), (HEAVY, HEAVY_JS)]
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


def fragment(spec, function=None) -> str:
    """A figure in a page, as the front end writes it."""
    known = f'<script>((self.learndynExplore??={{}}).figures??={{}})["{spec["id"]}"]={function};</script>' if function else ""
    return (f'<div class="explore" id="explore-{spec["id"]}"><img class="explore-picture" alt="{spec["alt"]}" src="{PIXEL}">'
            f'<script type="application/json" class="explore-spec">{json.dumps(spec)}</script>{known}</div>')  # fmt: skip


def page(*figures, theme: str | None = None, scripts: int = 1, width: str = "46rem", wide: bool = False) -> str:
    """A page of its own; `theme` is what it says itself, None leaves it to the system. `wide` letters are DejaVu's."""
    attribute = f' data-theme="{theme}"' if theme else ""
    dark = "background: #121212; color: #ced6dd;"
    return f"""<!doctype html><html lang="en"{attribute}><head><meta charset="utf-8"><title>Figures</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style><style>
{WIDE if wide else ""}
body {{ font-family: {"Wide, " if wide else ""}"Liberation Sans", sans-serif; line-height: 1.6; margin: 0; }} main {{ margin: auto; max-width: {width}; padding: 1rem; }}
h2 {{ font-size: 1.2rem; }} html[data-theme=dark] {{ {dark} --pst-color-text-base: #ced6dd; --pst-color-background: #121212; }}
@media screen and (prefers-color-scheme: dark) {{ html:not([data-theme]) {{ {dark} }} }}
</style></head><body><main><article><h1>Figures</h1><script>{TOOLS}</script>
{"".join(f"<h2>{spec['id'].capitalize()}</h2><p>Text before a figure, as wide as the column, so that its edges can be compared with it.</p>" + fragment(spec, function) for spec, function in figures)}
<p>Text after the last figure.</p></article></main>{f"<script>{SCRIPT}</script>" * scripts}</body></html>"""


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "demo.html").write_text(page(*FIGURES), encoding="utf8")
