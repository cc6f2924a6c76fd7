"""Numbers from a table and from a kernel, which is played by a fake of the widget model."""

import demo
import numpy as np
import pytest
from reading import MODES, TABLE, chromium, read  # noqa: F401


def test_a_table_is_interpolated(read):
    reader = read(TABLE)
    spread = {"y": 3.0, "end": 4.0}
    points = np.array([reader.values("table")["a"], reader.values("table")["b"]])
    assert points == pytest.approx([0.7, 20])
    rng = np.random.default_rng(0)
    for a, b, option in [(0.7, 20, 0), (0, 100, 0), (2, 1, 1), (2, 100, 1), *zip(rng.uniform(0, 2, 5), 10 ** rng.uniform(0, 2, 5), rng.integers(0, 2, 5), strict=True)]:
        a, b, option = float(a), float(b), int(option)
        reader.ask("table", f"figure.set({{ a: {a}, b: {b}, option: {option} }})")
        reader.settle()
        exact = demo.table_of(a, b, option)  # linear in a and log10(b), so interpolation is exact but for 16 bits
        assert float(reader.text("table", ".explore-summary > span")[0].removeprefix("End ").replace("−", "-")) == pytest.approx(exact["end"], abs=spread["end"] / 65535 + 5e-4)
        lines = [path.reshape(-1, 2) for path in reader.paths("table", ".explore-plot .explore-line")]
        pixels = np.stack([line[:, 1] for line in lines], axis=1)
        slope = np.polyfit(exact["y"].ravel(), pixels.ravel(), 1)
        assert pixels == pytest.approx(np.polyval(slope, exact["y"]), abs=0.2)


MODEL = """
class Model {  // what anywidget hands over, with a kernel that answers after a while
  constructor(traits, answer) { this.traits = traits; this.answer = answer; this.heard = {}; this.asked = []; this.delay = 30; }
  get(name) { return this.traits[name]; }
  set(name, value) { if (this.traits[name] === value) return; this.traits[name] = value; (this.heard["change:" + name] ?? []).slice().forEach((f) => f()); }
  on(event, f) { (this.heard[event] ??= []).push(f); }
  off(event, f) { this.heard[event] = this.heard[event].filter((g) => g !== f); }
  save_changes() { const now = { ...this.traits }; this.asked.push(now.a); setTimeout(() => this.reply(now), this.delay); }
  reply({ a }) {
    if (a > 0.9) return this.set("_error", "ValueError: a must be at most 0.9, but is " + a);
    this.traits._error = "";
    const bytes = new ArrayBuffer(28), numbers = Float64Array.of(a, 2 * a, a);  // at an odd offset, as messages have it
    new Uint8Array(bytes, 4).set(new Uint8Array(numbers.buffer));
    this.traits._layout = [["y", [2]], ["end", []]];
    this.set("_frame", new DataView(bytes, 4, 24));
  }
}
"""


@pytest.fixture
def kernel(read):
    spec = demo.figure("live", [demo.slider("a", 0, 1, 0.5, step=0.01)], [demo.line("x", demo.series("y"))], alt="x", summary=[{"key": "end", "format": ".2f"}])
    reader = read(MODES)
    reader.page.evaluate("""([code, spec]) => {
      (0, eval)(code + "; self.Model = Model");
      self.model = new Model({ _spec: spec, a: 0.5, _error: "" });
      model.reply({ a: 0.5 });
      const el = document.createElement("div");
      document.querySelector("article").prepend(el);
      self.cleanup = learndynExplore.live({ model, el });
    }""", [MODEL, spec])  # fmt: skip
    reader.live = lambda expression: reader.page.evaluate(f"() => {{ const element = document.querySelector('article > div > .explore'); return {expression}; }}")
    reader.end = "element.querySelector('.explore-summary > span').textContent"
    reader.page.wait_for_function("() => document.querySelector('article > div > .explore').explore.updates")
    return reader


def test_live_shows_the_first_frame_without_asking(kernel):
    assert kernel.live(kernel.end) == "0.50" and kernel.live("model.asked") == []


def test_live_the_reader_moves_a_slider(kernel):
    slider = kernel.page.locator("article > div > .explore input")
    for _ in range(3):
        slider.press("ArrowRight")
    kernel.page.wait_for_function("() => document.querySelector('article > div > .explore-summary, article > div .explore-summary span').textContent === '0.53'")
    assert kernel.live("model.get('a')") == pytest.approx(0.53)


def test_live_one_request_at_a_time_and_the_latest_wins(kernel):
    # The kernel answers when the test says so, and the script does not tire of waiting: a busy machine must change nothing.
    kernel.live("(self.setTimeout = () => 0, model.save_changes = function () { this.asked.push(this.traits.a); }, element.explore.set({ a: 0.1 }))")
    kernel.page.wait_for_function("() => model.asked.length === 1")
    for a in (0.2, 0.3, 0.4):
        kernel.settle()
        kernel.live(f"element.explore.set({{ a: {a} }})")
    kernel.settle()
    assert kernel.live("model.asked") == [0.1], "asked again before the kernel had answered"
    kernel.live("model.reply({ a: 0.1 })")
    kernel.page.wait_for_function("() => model.asked.length === 2")
    kernel.live("model.reply({ a: 0.4 })")
    kernel.settle()
    assert kernel.live("model.asked") == [0.1, 0.4] and kernel.live(kernel.end) == "0.40"


def test_live_python_moves_a_slider(kernel):
    kernel.live("(model.set('a', 0.25), model.reply({ a: 0.25 }))")
    kernel.settle()
    assert kernel.live("element.explore.values.a") == 0.25 and kernel.live("element.querySelector('output').textContent") == "0.25"
    assert kernel.live(kernel.end) == "0.25" and kernel.live("model.asked") == [], "no echo"


def test_live_an_error_is_shown_and_goes_away(kernel):
    kernel.live("element.explore.set({ a: 0.95 })")
    kernel.page.wait_for_function("() => document.querySelector('[role=alert]').textContent.includes('must be at most 0.9')")
    kernel.live("element.explore.set({ a: 0.5 })")
    kernel.page.wait_for_function("() => document.querySelector('[role=alert]').textContent === ''")
    assert kernel.live(kernel.end) == "0.50"
    kernel.visit.errors.clear()


def test_live_a_kernel_that_does_not_answer_blocks_nothing(kernel):
    kernel.live("(model.save_changes = function () { this.asked.push(this.traits.a); }, element.explore.set({ a: 0.1 }))")
    kernel.settle()
    kernel.live("element.explore.set({ a: 0.2 })")
    kernel.page.wait_for_function("() => model.asked.length === 2")


def test_live_a_second_view_shows_what_the_first_has_set(kernel):
    kernel.live("element.explore.set({ a: 0.7 })")
    kernel.page.wait_for_function(f"() => {{ const element = document.querySelector('article > div > .explore'); return {kernel.end} === '0.70'; }}")
    kernel.page.evaluate("() => { const el = document.createElement('div'); document.querySelector('article').append(el); self.second = learndynExplore.live({ model, el }); }")
    kernel.settle()
    second = "[...document.querySelectorAll('.explore')].pop()"
    assert kernel.live(f"{second}.explore.values.a") == pytest.approx(0.7) and kernel.live("model.asked.length") == 1
    kernel.live(f"{second}.explore.reset()")
    kernel.page.wait_for_function("() => model.get('a') === 0.5")
    assert kernel.live("element.explore.values.a") == 0.5


def test_live_cleans_up(kernel):
    kernel.page.evaluate("() => cleanup()")
    assert kernel.page.evaluate("() => Object.values(model.heard).flat().length") == 0
    assert kernel.page.locator(".explore").count() == 1
