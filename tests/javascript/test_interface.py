"""What a compiled function promises apart from its numbers: text, isolation, sizes; and what cannot be compiled."""

import ast
import io
import json
import os
import subprocess
import sys
import tokenize
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from engine import agree, evaluate, v8
from programs_control import nested
from programs_dynamics import trained_network
from programs_trees import deep_tree
from py_mini_racer import JSEvalException

import learndyn.javascript
from learndyn.javascript import Unsupported, compile_to_js

FOLDER = Path(__file__).parent


def test_the_text_is_one_expression():
    """It can stand in a classic script, in HTML, on one line, and names nothing outside of itself."""
    for f, args in ((nested, (0.7, 3)), (trained_network, (0.1, 0)), (deep_tree, (1.0,))):
        text = compile_to_js(f, *args)
        for place in ("{}", "[{}][0]", "null ?? {}", "(() => {{ const figure = {}; return figure; }})()"):
            assert v8().eval(f"typeof ({place.format(text)})") == "function"
        assert "\n" not in text
        foreign = ("import", "export", "require(", "</", "<!--", "console", "document", "window")
        assert not any(word in text for word in foreign)
        newer = ("??=", "||=", "&&=", ".at(", "replaceAll", "findLast", "hasOwn", "structuredClone", "#")  # than ES2020
        assert not any(word in text for word in newer)


def test_a_key_that_would_end_the_script():
    """Keys come out as they are, and the text stays harmless in HTML."""
    text = compile_to_js(lambda a: {"</script><!--": a}, 1.0)
    assert "</" not in text and "<!--" not in text
    agree(evaluate(text, [(3.0,)])[0], {"</script><!--": 3.0})


def test_the_text_is_the_same_every_time():
    """In this process, and in another, whose sets have another order."""
    texts = [compile_to_js(trained_network, 0.1, 0), compile_to_js(nested, 0.7, 3)]
    assert texts == [compile_to_js(trained_network, 0.1, 0), compile_to_js(nested, 0.7, 3)]
    script = (
        "import json, sys; sys.path.insert(0, sys.argv[1])\n"
        "from learndyn.javascript import compile_to_js; import programs_control, programs_dynamics\n"
        "print(json.dumps([compile_to_js(programs_dynamics.trained_network, 0.1, 0),"
        " compile_to_js(programs_control.nested, 0.7, 3)]))"
    )
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    run = subprocess.run(
        [sys.executable, "-c", script, str(FOLDER)], env=os.environ | {"PYTHONHASHSEED": seed, "JAX_ENABLE_X64": "1"},
        capture_output=True, text=True,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == texts


def test_results_are_fresh():
    """What the caller does with a result, an argument, or one entry of a tree changes nothing else."""
    text = compile_to_js(
        lambda a, v: {"v": v, "same": v, "scaled": v * a, "constant": jnp.arange(12.0), "part": v[2:]}, 1.0, np.ones(12),
    )
    changed = v8().eval(
        f"""(() => {{ const f = {text}, v = Array.from({{length: 12}}, (_, i) => i);
        const one = f(2, v), before = JSON.stringify(one);
        const two = f(3, v.map(x => -x)), kept = JSON.stringify(one) === before && v[5] === 5;
        for (const key in two) two[key].data.fill(NaN);
        one.v.data.fill(7); one.v.shape[0] = 99;
        return JSON.stringify([kept, one.same.data[3], one.part.data[0], JSON.stringify(f(2, v)) === before]); }})()"""
    )
    assert json.loads(changed) == [True, 3, 2, True]


def test_two_functions_do_not_share():
    """Each text has buffers of its own, and so has each evaluation of one text."""
    text = compile_to_js(lambda a: jnp.cumsum(a + jnp.arange(40.0)), 1.0)
    firsts = "JSON.stringify([one.data[0], two.data[0], f(3).data[0], one.data[0]])"
    pair = v8().eval(f"(() => {{ const f = {text}, g = {text}, one = f(1), two = g(2); return {firsts}; }})()")
    assert json.loads(pair) == [1, 2, 3, 1]


def test_the_world_is_left_alone():
    """No global appears, and nothing of Math or Array is changed."""
    names = "JSON.stringify([globalThis, Math, Array.prototype, Float64Array.prototype].map(Object.getOwnPropertyNames))"
    before = v8().eval(names)
    for f, args in ((nested, (0.7, 3)), (trained_network, (0.1, 0))):
        v8().eval(f"({compile_to_js(f, *args)})({','.join(map(str, args))}); 0")  # sloppy mode, as in a classic script
    assert v8().eval(names) == before


def test_plain_arrays_are_arguments_and_wrong_sizes_are_errors():
    """An Array serves as well as a Float64Array; one of another length cannot be meant."""
    text = compile_to_js(lambda m: m.T, np.ones((2, 3)))
    assert v8().eval(f"({text})([1, 2, 3, 4, 5, 6]).data.join()") == "1,4,2,5,3,6"
    for wrong in ("[1, 2, 3]", "[1, 2, 3, 4, 5, 6, 7]"):
        with pytest.raises(JSEvalException, match="6"):
            v8().eval(f"({text})({wrong})")


def test_traced_with_64_bits_whatever_the_flag():
    """With the global flag off, thirds are doubles and counters are 64-bit integers; the flag is as it was."""
    with jax.enable_x64(False):
        text = compile_to_js(lambda a, n: (a / 3, n * 2**33, jnp.arange(3.0) / 3 + a), 1.0, 1)
        assert not jax.config.jax_enable_x64
    assert jax.config.jax_enable_x64
    agree(evaluate(text, [(1.0, 3)])[0], (1 / 3, 3 * 2**33, np.arange(3) / 3 + 1), scale=0.0)


def test_shapes_are_enough():
    """The values of the examples play no role, and a shape with a type will do."""
    f = lambda a, v: v * a
    texts = {
        compile_to_js(f, 1.0, np.ones(5)), compile_to_js(f, np.float64(-7), jnp.zeros(5)),
        compile_to_js(f, jax.ShapeDtypeStruct((), float), jax.ShapeDtypeStruct((5,), float)),
    }
    assert len(texts) == 1


@pytest.mark.parametrize(
    "f, args, error, words",
    [
        (3, (), TypeError, ["f", "3"]),
        (lambda a: a, ("x",), TypeError, ["example_args[0]", "'x'"]),
        (lambda a, b: a, (1.0, None), TypeError, ["example_args[1]", "None"]),
        (lambda a: a[0], ([1.0],), TypeError, ["example_args[0]", "list"]),
        (lambda a: "text", (1.0,), TypeError, ["str"]),
        (lambda a: {"k": a, "s": "text"}, (1.0,), TypeError, ["str"]),
        (lambda a: a, (np.float32(1),), Unsupported, ["example_args[0]", "float32"]),
        (lambda a: a, (1j,), Unsupported, ["example_args[0]", "complex"]),
        (lambda a, b: a, (1.0,), TypeError, ["'b'"]),
        (lambda a: jax.tree_util.Partial(f=a), (1.0,), TypeError, ["Partial"]),
    ],
)
def test_bad_input(f, args, error, words):
    """The error names the argument, what it is, what is needed."""
    with pytest.raises(error) as caught:
        compile_to_js(f, *args)
    for word in words:
        assert word in str(caught.value)


def lines_of_code(path):
    """How many lines hold code: neither blank, nor a comment, nor a docstring."""
    text = path.read_text()
    if path.suffix == ".js":
        return sum(not line.strip().startswith("//") for line in text.splitlines() if line.strip())
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in layout]
    code = {line for t in tokens for line in range(t.start[0], t.end[0] + 1)}
    documented = (node.body[0] for node in ast.walk(ast.parse(text))
                  if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node))  # fmt: skip
    return len(code - {line for doc in documented for line in range(doc.lineno, doc.end_lineno + 1)})


def test_the_compiler_stays_small():
    """It is to be read in one sitting: 700 lines of code, Python and JavaScript together, without docstrings and comments."""
    files = [path for path in Path(learndyn.javascript.__file__).parent.rglob("*") if path.suffix in (".py", ".js")]
    assert len(files) > 5 and sum(map(lines_of_code, files)) <= 700
