"""The judge is judged: numbers cross the border unchanged, and what differs is called different."""

import json
import types

import engine
import numpy as np
import py_mini_racer
import pytest
from engine import agree, evaluate, v8

IDENTITY = """(a, v) => ({
  a: { shape: [], data: Float64Array.of(a) },
  rest: [{ shape: [2, 4], data: Float64Array.from(v) }, null],
})"""
NUMBERS = np.array([[np.nan, np.inf, -np.inf, -0.0], [5e-324, 1.7976931348623157e308, 0.1, -1 / 3]])


def test_every_number_crosses_the_border():
    """Bit by bit, in both directions, in every call."""
    for k, result in enumerate(evaluate(IDENTITY, [(0.1 * k, NUMBERS * 2.0**-k) for k in range(3)])):
        assert result["a"] == 0.1 * k and result["rest"][1] is None
        assert result["rest"][0].tobytes() == (NUMBERS * 2.0**-k).tobytes()


@pytest.mark.parametrize(
    "text, error",
    [
        ("() => { forgotten = 1; }", "forgotten"),
        ("() => ({ shape: [3], data: new Float64Array(2) })", "shape 3 with 2 numbers"),
        ("(n => () => ({ shape: [++n], data: new Float64Array(n) }))(0)", "different shapes"),
        ("() => ({ shape: [], data: [1] })", "1 is no array"),
        ("() => {", "SyntaxError"),
    ],
)
def test_bad_programs_are_errors(text, error):
    with pytest.raises(py_mini_racer.JSEvalException, match=error):
        evaluate(text, [(), ()])


def test_a_loop_without_end_is_an_error(monkeypatch):
    monkeypatch.setattr(engine, "LIMIT", 0.2)
    with pytest.raises(py_mini_racer.JSTimeoutException):
        evaluate("() => { for (;;); }", [()])


def test_memory_is_held_until_it_is_read(monkeypatch):
    """V8 collects its garbage whenever it likes: Python's view of an array does not keep it alive."""

    def loads(text):
        for _ in range(2):
            v8().low_memory_notification()
            v8().eval("Array.from({ length: 3000 }, () => new Float64Array(40).fill(7)).length")
        return json.loads(text)

    monkeypatch.setattr(engine, "json", types.SimpleNamespace(loads=loads, dumps=json.dumps))
    for result in evaluate("a => ({ shape: [30], data: new Float64Array(30).fill(a) })", [(0.5,)] * 8):
        assert (result == 0.5).all()


def test_who_keeps_an_array_is_found_out():
    """A buffer that is returned, or an argument that is kept, is NaN in the next call."""
    shared = "(b => v => { b[0]++; return { shape: [1], data: b }; })(new Float64Array(1))"
    kept = "(old => v => { const now = old ?? v; old = v; return { shape: [1], data: now.slice() }; })(null)"
    for text in (shared, kept):
        first, second = evaluate(text, [(np.ones(1),), (np.ones(1),)])
        assert first == 1 and np.isnan(second)


@pytest.mark.parametrize(
    "js, reference, scale",
    [
        (1.0, 1.0 + 2e-9, None),
        ([1e-12, 1.0], [2e-12, 1.0], 0.0),
        ([1.0, 2.0], [1.0, 2.0 + 5e-9], None),
        (2e-9, 0.0, None),
        (2e-9, 0.0, 1.0),
        (np.nan, 1.0, None),
        (1.0, np.nan, None),
        (np.inf, -np.inf, None),
        (np.inf, 1.7e308, None),
        (1.7e308, np.inf, None),
        ([1.0, np.inf], [2.0, np.inf], None),
        (3.0, np.int32(4), None),
        (3.0000000001, np.int64(3), None),
        (0.0, np.bool_(True), None),
        ([1.0], 1.0, None),
        ([[1.0, 2.0]], [[1.0], [2.0]], None),
    ],
)
def test_disagreement(js, reference, scale):
    agree(np.asarray(reference, float), np.asarray(reference), scale=scale)
    with pytest.raises(AssertionError):
        agree(np.asarray(js, float), np.asarray(reference), scale=scale)


@pytest.mark.parametrize(
    "js", [{}, {"a": np.ones(1), "b": np.ones(1)}, [np.ones(1)], np.ones(1), None, {"a": None}, {"a": [np.ones(1)]}],
)
def test_other_trees(js):
    with pytest.raises(AssertionError):
        agree(js, {"a": np.ones(1)})


def test_scales():
    """By default the largest entry counts, where it is finite; or what the caller says."""
    agree(np.array([1e-12, 1.0, np.inf]), np.array([2e-12, 1.0, np.inf]))
    agree(np.asarray(5e-10), np.asarray(0.0), scale=1.0)
    agree([np.ones(1)], (np.ones(1),))
