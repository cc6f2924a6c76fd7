"""Every program of the table, in V8 against JAX; and every rule of the compiler is called by some program."""

import functools
import importlib
from pathlib import Path
from unittest import mock

import jax
import pytest
from engine import agree, evaluate
from programs import PROGRAMS

from learndyn.javascript import compile_to_js
from learndyn.javascript.compiler import CALLS, RULES, SAME

for path in sorted(Path(__file__).parent.glob("programs_*.py")):
    importlib.import_module(path.stem)


@functools.cache
def compiled(name):
    """The text of a program, and the names of the rules that were called for it."""
    called = set()

    def noticed(primitive, rule):
        def noticing(*args):
            called.add(primitive)
            return rule(*args)

        return noticing

    f, arguments, _, _ = PROGRAMS[name]
    with mock.patch.dict(RULES, {primitive: noticed(primitive, rule) for primitive, rule in RULES.items()}):
        return compile_to_js(f, *arguments[0]), called


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    """One text for all arguments; what it returns is what the jitted function returns, the first time and again."""
    _, arguments, scale, reference = PROGRAMS[name]
    text, _ = compiled(name)
    *results, again = evaluate(text, [*arguments, arguments[0]])
    for args, js in zip(arguments, results, strict=True):
        agree(js, reference(*args), scale=scale, where=f"{name}{args}: result")
    agree(again, results[0], scale=0.0, where=f"{name}, called again: result")


def test_every_rule_is_called():
    """A rule that no program calls is not tested: what is constant never comes to a rule."""
    called = set().union(*(compiled(name)[1] for name in PROGRAMS))
    assert sorted(RULES.keys() - called) == []


def primitives(jaxpr):
    """The names of all primitives of a jaxpr and of those within."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda p: hasattr(p, "eqns")):
            if hasattr(inner, "eqns"):
                yield from primitives(inner)


def test_every_call_is_inlined():
    """The primitives that have no rule because the compiler looks through them occur, too."""
    traced = (jax.make_jaxpr(f)(*arguments[0]) for f, arguments, _, _ in PROGRAMS.values())
    assert (CALLS.keys() | SAME) - {name for closed in traced for name in primitives(closed.jaxpr)} == set()
