"""Chapters run once, and nothing that fails or warns is published: the tools, on a small book that is broken on purpose."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from queue import Empty

import nbformat
import pytest
from minibook import CLAIM, PIXEL, RESULTS, MiniBook

from book._ext import chapter_facts, execution, figures_alt, wakeup


@pytest.fixture
def mini(tmp_path):
    return MiniBook(tmp_path)


def test_each_chapter_runs_once_and_again_only_when_it_must(mini):
    code, output = mini.execute()
    assert code == 0 and mini.ran() == ["one", "two"]
    assert "chapter 1 of 2, Chapter one: begins" in output

    mini.chapter("one", text="Only the prose is new.")
    code, output = mini.execute()
    assert code == 0 and mini.ran() == []
    assert "chapter 2 of 2, Chapter two: unchanged, not run again" in output
    mini.chapter("one", "print(1)")
    assert mini.execute()[0] == 0 and mini.ran() == ["one"]
    mini.write("src/library.py", "answer = 43")
    assert mini.execute()[0] == 0 and mini.ran() == ["one", "two"]


def test_a_failing_chapter_fails_the_run_and_the_book_and_alone_runs_again(mini):
    mini.chapter("two", "assert 1 + 1 == 3")
    code, output = mini.make("book")
    assert code == 1 and "AssertionError" in output and "FAILED" in output and mini.ran() == ["one", "two"]
    assert not (mini.root / "_build" / "html" / "index.html").exists()
    code, output = mini.sphinx_by_hand()
    assert code != 0 and "not executed as they stand: book/two.md. Run: make chapters" in output
    mini.chapter("two")
    assert mini.execute()[0] == 0 and mini.ran() == ["two"]


def test_a_failed_claim_fails_its_chapter(mini):
    mini.chapter("two", CLAIM.replace("measured=1", "measured=3"))
    code, output = mini.execute()
    assert code == 1 and "ClaimFailed" in output and "does not hold: N1 it holds" in output


def test_an_interrupted_run_resumes(mini):
    mini.chapter("two", "import time; time.sleep(60)")
    code, _ = mini.interrupt_after("two")
    assert code != 0 and mini.ran() == ["one", "two"]
    mini.chapter("two")
    assert mini.execute()[0] == 0 and mini.ran() == ["two"]


def test_a_library_that_changes_while_a_chapter_runs_leaves_no_outputs(mini):
    mini.chapter("two", f"open({str(mini.root / 'src' / 'library.py')!r}, 'w').write('answer = 44');")
    code, output = mini.execute()
    assert code == 0 and "the library changed meanwhile" in output and mini.ran() == ["one", "two"]
    assert mini.root / "book" / "two.md" not in execution.Executed(mini.root)


def test_overwrite_is_refused(mini):
    before = (mini.root / "book" / "one.md").read_text()
    code, output = mini.execute("--overwrite")
    assert code == pytest.ExitCode.USAGE_ERROR and "--overwrite would replace" in output
    assert (mini.root / "book" / "one.md").read_text() == before and mini.ran() == []


def test_a_cell_that_takes_too_long_fails(mini):
    text = (mini.root / "book" / "two.md").read_text().replace("kernelspec:", "execution: {timeout: 1}\nkernelspec:")
    mini.write("book/two.md", text.replace("{code-cell} ipython3", "{code-cell} ipython3\nimport time; time.sleep(30)"))
    begin = time.monotonic()
    code, output = mini.execute()
    assert code == 1 and "imed out" in output and time.monotonic() - begin < 25


WRONG = {
    "a word that leads nowhere": (dict(text="See {ref}`nowhere`."), "undefined label: 'nowhere'"),
    "a figure without words": (dict(code=f"import base64, IPython.display as d\nd.Image(base64.b64decode('{PIXEL}'))"),
                               "an image needs alternative text"),
    "a claim about nothing": (dict(code=CLAIM.replace("'N1'", "'N9'")), "claim 'N9' is not a result"),
    "a chapter that complains": (dict(code="import sys; print('oh', file=sys.stderr)"), "stderr"),
}


def test_a_warning_fails_the_book_every_time(tmp_path):
    mini = MiniBook(tmp_path, names=[f"wrong{i}" for i in range(len(WRONG))])
    code, output = mini.make("book")
    assert code == 0 and (mini.root / "_build" / "html" / "book" / "claims.html").exists(), output
    assert "unchanged since it was last built" in mini.make("book")[1]

    for name, (change, _) in zip(mini.names, WRONG.values()):
        mini.chapter(name, **change)
    assert mini.execute()[0] == 0
    assert mini.sphinx_by_hand()[0] != 0  # leaves an environment that has swallowed the warnings
    for attempt in ("first", "second"):
        code, output = mini.make("book")
        assert code != 0, attempt
        for what, (_, message) in WRONG.items():
            assert message in output, f"{attempt} build: {what}"


def test_a_written_part_owes_a_claim(tmp_path):
    mini = MiniBook(tmp_path, names=["one"])
    mini.write("book/results.yml", RESULTS.replace("false", "true"))
    code, output = mini.make("book")
    assert code != 0 and "no chapter makes a claim about N1" in output


# What needs no kernel

@pytest.fixture
def executed(tmp_path):
    mini = MiniBook(tmp_path)
    return mini, execution.Executed(mini.root)


def run(path):
    """What the cache is handed: the blank chapter, and the run one with outputs and timings."""
    notebook, blank = execution.read(path)
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        cell.execution_count, cell.outputs = count, [nbformat.v4.new_output("stream", text=path.stem)]
        cell.metadata["execution"] = {"iopub.status.busy": "2026-01-01T00:00:00.000Z", "iopub.status.idle": "2026-01-01T00:00:01.500Z"}
    return blank, notebook


def test_what_pytest_stores_myst_nb_finds(executed):
    mini, cache = executed
    path = mini.root / "book" / "one.md"
    mini.chapter("one", "x = 1\n\n\nx", options="---\nmystnb:\n  image: {alt: words}\ntags: [hide-input]\n---\n")
    assert path not in cache
    cache.store(path, *run(path), 2.0)
    assert path in cache
    notebook = cache.notebook(path)
    assert [c.outputs[0].text for c in notebook.cells if c.cell_type == "code"] == ["one"]
    assert cache.record(path).data == {"execution_seconds": 2.0, "cell_seconds": [1.5]}


def test_a_cell_that_only_one_reader_sees_is_refused(executed, monkeypatch):
    mini, cache = executed
    path = mini.root / "book" / "one.md"
    monkeypatch.setattr(execution, "myst_nb_reader_plugin", lambda path: nbformat.v4.new_notebook())
    with pytest.raises(execution.ReadersDisagree, match="keep every {code-cell} at the top level"):
        execution.read(path)


def test_a_chapter_edited_while_it_runs_is_stored_as_it_was_run(executed):
    mini, cache = executed
    path = mini.root / "book" / "one.md"
    ran = run(path)
    before = path.read_text()
    mini.chapter("one", "edited = True")
    cache.store(path, *ran, 1.0)
    assert path not in cache
    path.write_text(before)
    assert path in cache


def test_one_writes_at_a_time(executed):
    mini, cache = executed
    paths = [mini.root / "book" / f"{name}.md" for name in mini.names]
    with ThreadPoolExecutor() as pool:
        with cache._locked():
            # each with a connection of its own, as two processes have
            writers = [pool.submit(execution.Executed(mini.root).store, path, *run(path), 1.0) for path in paths]
            time.sleep(0.5)
            assert not any(writer.done() for writer in writers)
        for writer in writers:
            writer.result(timeout=30)
    assert all(path in cache for path in paths)


@pytest.mark.parametrize("file", ["src/library.py", "src/data.csv", "requirements.lock"])
def test_key_follows_the_library_and_the_lock(tmp_path, file):
    mini = MiniBook(tmp_path)
    before = execution.key(mini.root)
    mini.write(file, "something else")
    assert execution.key(mini.root) != before


def test_key_follows_nothing_else(tmp_path):
    mini = MiniBook(tmp_path)
    before = execution.key(mini.root)
    (mini.root / "src" / "__pycache__").mkdir()
    mini.write("src/__pycache__/library.pyc", "x")
    mini.write("book/index.md", "# Other")
    assert execution.key(mini.root) == before


def test_the_newest_folders_of_outputs_stay(tmp_path):
    mini = MiniBook(tmp_path)
    current = execution.Executed(mini.root).folder
    for age in range(execution.KEPT + 2):
        folder = current.parent / f"{age:016x}"
        folder.mkdir(parents=True)
        os.utime(folder, (1e9 - age, 1e9 - age))
    current.mkdir()
    execution.prune(mini.root)
    assert sorted(f.name for f in current.parent.iterdir()) == sorted([current.name, *(f"{a:016x}" for a in range(execution.KEPT))])


def test_a_lost_wakeup_costs_a_slice(monkeypatch):
    asked = []

    async def get_msg(self, timeout=None):
        asked.append(timeout)
        if len(asked) < 3:
            raise Empty
        return "reply"

    monkeypatch.setattr(wakeup, "SLICE", 0.01)
    patient = wakeup.in_short_slices(get_msg)
    assert asyncio.run(patient(None, timeout=60)) == "reply" and max(asked) <= 0.01
    asked.clear()
    with pytest.raises(Empty):
        asyncio.run(wakeup.in_short_slices(lambda self, timeout=None: fail())(None, timeout=0.03))


async def fail():
    raise Empty


def test_reading_minutes_count_prose_and_formulas_alone():
    words = "word " * 180
    text = f"---\ntitle: x\n---\n{words}\n\n```{{code-cell}} ipython3\n{words}\n```\n\n$$\nx\n$$\n"
    assert chapter_facts.reading_minutes(text) == pytest.approx(1.25)
    solution = f"```{{solution-start}} label\n:class: dropdown\n```\n{words}\n```{{solution-end}}\n```\n"
    assert chapter_facts.reading_minutes(text + solution) == pytest.approx(1.25)


@pytest.mark.parametrize("alt, good", [("a falling line", True), ("", False), (" ", False), (None, False), ("plot.png", False)])
def test_alternative_text_says_something(alt, good):
    assert figures_alt.says_something(alt) == good
