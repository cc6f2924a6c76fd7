"""Compiled functions run in V8 and compared with JAX.

    text = compile_to_js(f, 0.5, 1.0)
    arguments = [(0.5, 1.0), (0.1, 2.0)]
    for js, args in zip(evaluate(text, arguments), arguments):
        agree(js, jitted(*args))

Numbers cross the border as the eight bytes that they are, in memory that both sides see: nothing is printed and
parsed, NaN and infinities come through, and a thousand small calls take some milliseconds.
"""

import functools
import io
import json
import math
from collections.abc import Sequence

import numpy as np
from py_mini_racer import MiniRacer

TOLERANCE = 1e-9
LIMIT = 60  # seconds: a loop without end is an error
TINY = np.finfo(np.float64).tiny  # below it JAX may flush to zero

# One harness a compiled function: the function lives in this scope alone, in strict mode, where an assignment to
# a name that nobody declared is an error and not a new global.
# Between two calls it overwrites what went in and came out: whoever kept one of these arrays computes NaN next time.
HARNESS = """(() => { "use strict";
  const compute = (TEXT), kinds = KINDS, width = kinds.reduce((sum, [, size]) => sum + size, 0);
  let numbers, layout, output;  // kept here: Python sees their memory, but does not hold it
  const leaves = (value, found) => {
    if (value === null) return null;
    if (typeof value !== "object") throw Error(`${value} is no array`);
    if (value.data instanceof Float64Array) {
      if (value.data.length !== value.shape.reduce((size, n) => size * n, 1))
        throw Error(`shape ${value.shape} with ${value.data.length} numbers`);
      found.push(value.data);
      return value.shape;
    }
    if (Array.isArray(value)) return { list: value.map(item => leaves(item, found)) };
    return { dict: Object.fromEntries(Object.entries(value).map(([key, item]) => [key, leaves(item, found)])) };
  };
  return {
    input: calls => (numbers = new Float64Array(calls * width)).buffer,
    run: calls => {
      const results = [], layouts = new Set();
      for (let call = 0, at = 0; call < calls; call++) {
        const given = kinds.map(([, size]) => numbers.slice(at, at += size)), found = [];
        const values = given.map((part, i) =>
          kinds[i][0] === "array" ? part : kinds[i][0] === "boolean" ? part[0] !== 0 : part[0]);
        layouts.add(JSON.stringify(leaves(compute(...values), found)));
        results.push(...found.map(data => data.slice()));
        for (const data of [...given, ...found]) data.fill(NaN);
      }
      if (layouts.size !== 1) throw Error(`results of different shapes: ${[...layouts]}`);
      [layout] = layouts;
      output = new Float64Array(results.reduce((sum, data) => sum + data.length, 0));
      let at = 0;
      for (const data of results) { output.set(data, at); at += data.length; }
      return output.buffer;
    },
    layout: () => layout,
  };
})()"""


@functools.cache
def v8() -> MiniRacer:
    """The session's one V8: bare, with no window, no document, no console."""
    return MiniRacer()


def evaluate(text: str, arguments: Sequence[tuple]) -> list:
    """Results of a compiled function, one a tuple of arguments, called in this order in one instance of it.

    Args:
        text: what `compile_to_js` returned.
        arguments: tuples of scalars and arrays, of the same shapes in each.

    Returns:
        For each tuple the tree of numpy arrays (float64 all): dicts, and lists for lists and tuples.

    Raises:
        py_mini_racer.JSEvalException: the text does not parse, or throws.
    """
    rows = [[np.asarray(value) for value in row] for row in arguments]
    kinds = [("array" if a.shape else "boolean" if a.dtype == bool else "number", a.size) for a in rows[0]]
    harness = v8().eval(HARNESS.replace("KINDS", json.dumps(kinds)).replace("TEXT", text))
    flat = np.concatenate([np.ravel(a).astype(np.float64) for row in rows for a in row] or [np.empty(0)])
    memory = harness["input"](len(rows))
    if flat.size:
        np.frombuffer(memory)[:] = flat
    output = harness["run"](len(rows), timeout_sec=LIMIT)
    layout = json.loads(harness["layout"]())
    numbers = io.BytesIO(output)
    return [_tree(layout, numbers) for _ in rows]


def _tree(layout, numbers):
    """The next result: a list is a leaf's shape, whose numbers come next."""
    match layout:
        case None:
            return None
        case {"dict": items}:
            return {key: _tree(item, numbers) for key, item in items.items()}
        case {"list": items}:
            return [_tree(item, numbers) for item in items]
    return np.frombuffer(numbers.read(8 * math.prod(layout))).reshape(layout)


def agree(js, reference, *, scale: float | None = None, where: str = "result") -> None:
    """Asserts |js − jax| ≤ 1e-9 · max(|jax|, scale) in every entry; the same NaN and infinities; the same shapes.

    Integers and booleans must be equal.

    Args:
        js: tree of arrays, from `evaluate`.
        reference: what JAX computed: dicts, lists, tuples of arrays.
        scale: size below which an entry is judged as if it had this size. By default, the largest finite entry of
            the array that the entry is in: the numbers of one array are one quantity, sums over the large ones
            round the small ones (a trajectory that passes through zero, a small entry of an eigenvector). 0 asks
            for 1e-9 in every entry by itself; 1 is the choice where a whole array is a rounding error.
        where: path of the array in the messages.

    Raises:
        AssertionError: path, index, both values.
    """
    if isinstance(reference, dict):
        assert isinstance(js, dict) and set(js) == set(reference), f"{where}: {js} for keys {list(reference)}"
        for key, item in reference.items():
            agree(js[key], item, scale=scale, where=f"{where}[{key!r}]")
        return
    if isinstance(reference, list | tuple):
        assert isinstance(js, list) and len(js) == len(reference), f"{where}: {js} for {len(reference)} items"
        for i, item in enumerate(reference):
            agree(js[i], item, scale=scale, where=f"{where}[{i}]")
        return
    if reference is None:
        assert js is None, f"{where}: {js} for None"
        return
    jax = np.asarray(reference)
    assert isinstance(js, np.ndarray) and js.shape == jax.shape, f"{where}: JavaScript {np.shape(js)}, JAX {jax.shape}"
    if jax.dtype.kind in "biu":
        right = js == jax
    else:
        finite = np.abs(jax[np.isfinite(jax)])
        least = max(finite, default=0.0) if scale is None else scale
        with np.errstate(invalid="ignore"):
            right = np.abs(js - jax) <= TOLERANCE * np.maximum(np.abs(jax), least) + TINY
        right = np.where(np.isfinite(js) & np.isfinite(jax), right, (js == jax) | (np.isnan(js) & np.isnan(jax)))
    if not right.all():
        i = tuple(int(k) for k in np.argwhere(~right)[0])
        raise AssertionError(
            f"{where}: {np.sum(~right)} of {jax.size} entries differ ({jax.dtype.name}{list(jax.shape)}); "
            f"at {list(i)} JavaScript {float(js[i])!r}, JAX {jax[i].item()!r}"
        )
