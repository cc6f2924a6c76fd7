"""Every program of the table, in V8 against JAX; and every rule of the compiler is called by some program."""

import importlib
from pathlib import Path

import pytest
from engine import agree, evaluate
from programs import PROGRAMS

from learndyn.javascript import compile_to_js

for path in sorted(Path(__file__).parent.glob("programs_*.py")):
    importlib.import_module(path.stem)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    """One text for all arguments; what it returns is what the jitted function returns."""
    f, arguments, scale, reference = PROGRAMS[name]
    results = evaluate(compile_to_js(f, *arguments[0]), arguments)
    for args, js in zip(arguments, results, strict=True):
        agree(js, reference(*args), scale=scale, where=f"{name}{args}: result")
