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
from learndyn.javascript.compiler import CALLS, REWRITES, RULES, SAME

for path in sorted(Path(__file__).parent.glob("programs_*.py")):
    importlib.import_module(path.stem)


@functools.cache
def compiled(name):
    """The text of a program, and the names of the rules and rewrites that were called for it."""
    called = set()

    def noticed(table):
        def noticing(primitive, *args, **parameters):
            called.add(primitive)
            return originals[primitive](*args, **parameters)

        originals = dict(table)
        return mock.patch.dict(table, {primitive: functools.partial(noticing, primitive) for primitive in table})

    f, arguments, _, _ = PROGRAMS[name]
    with noticed(RULES), noticed(REWRITES):
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


def primitives(jaxpr):
    """The names of all primitives of a jaxpr and of those within."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda p: hasattr(p, "eqns")):
            if hasattr(inner, "eqns"):
                yield from primitives(inner)


def test_every_rule_is_called():
    """A rule that no program calls is not tested: what is constant never comes to a rule.

    To save time only those programs are compiled in which a rule still missing may be called. Primitives without a
    rule, because the compiler looks through them, need only occur.
    """
    missing, inlined = RULES.keys() | REWRITES.keys(), CALLS.keys() | SAME
    for name, (f, arguments, _, _) in PROGRAMS.items():
        occurring = set(primitives(jax.make_jaxpr(f)(*arguments[0]).jaxpr))
        inlined -= occurring
        if missing & occurring:
            missing -= compiled(name)[1]
    assert (sorted(missing), sorted(inlined)) == ([], [])
