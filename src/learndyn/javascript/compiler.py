"""From a function to its JavaScript: trace, flatten, drop what is dead, and let one rule a primitive write the rest."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend.core import Jaxpr, Literal
from jax.extend.source_info_util import summarize
from jax.interpreters.partial_eval import dce_jaxpr

from learndyn.javascript import algebra
from learndyn.javascript.program import Program
from learndyn.javascript.values import Buffer, Constant, Scalars

RULES = {}  # primitive -> rule(program, equation, *values) -> a value, or a list of them
# A call is replaced by what it calls: primitive -> the parameter that holds it.
CALLS = {"jit": "jaxpr", "remat2": "jaxpr",
         "custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr", "custom_linear_solve": "jaxprs"}
SAME = {"copy", "stop_gradient", "optimization_barrier"}
TYPES = {"float64", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"}


class Unsupported(NotImplementedError):
    """The function uses what cannot be compiled; the message names it and the line of the source."""


def rule(*names):
    """Register the rule of these primitives."""
    return lambda function: RULES.update(dict.fromkeys(names, function)) or function


def rules():
    """The names of all primitives that can be compiled."""
    return sorted(RULES.keys() | CALLS.keys() | SAME)


@dataclass(eq=False)
class Symbol:
    """A variable of the flat program."""

    shape: Any
    dtype: Any


@dataclass
class Equation:
    """outputs = primitive(inputs), once more, with the inputs known or symbols."""

    name: str
    params: dict
    inputs: list
    outputs: list
    effects: Any
    source: str

    def unsupported(self, what):
        return Unsupported(f"{what}, at {self.source}")


@dataclass
class Block:
    """A jaxpr without calls, known values, and dead equations."""

    equations: list
    outputs: list

    def __post_init__(self):
        needed, live = {id(v) for v in self.outputs}, []
        for equation in reversed(self.equations):
            if equation.effects or any(id(v) in needed for v in equation.outputs):
                needed |= {id(v) for v in equation.inputs}
                live.append(equation)
        self.equations = live[::-1]
        self.uses = Counter(id(v) for equation in live for v in equation.inputs)
        self.uses.update(id(v) for v in self.outputs)


def flatten(program, closed, inputs):
    """The block of a jaxpr for inputs that are symbols or constants: calls are inlined, what is known is computed."""
    equations = []

    def walk(jaxpr, consts, inputs):
        values = dict(zip(jaxpr.constvars, map(known, consts))) | dict(zip(jaxpr.invars, inputs))

        def read(atom):
            return known(np.asarray(atom.val, atom.aval.dtype)) if isinstance(atom, Literal) else values[atom]

        for equation in jaxpr.eqns:
            outputs = walk_one(equation, [read(atom) for atom in equation.invars])
            values.update(zip(equation.outvars, outputs))
        return [read(atom) for atom in jaxpr.outvars]

    def known(array):
        return program.constant(array)

    def walk_one(equation, inputs):
        name, params = equation.primitive.name, equation.params
        if name in SAME:
            return inputs
        if name == "platform_index":
            return [known(np.int32(_platform(params["platforms"])))]
        if not equation.effects and all(isinstance(v, Constant) for v in inputs):
            return [known(array) for array in _evaluate(equation, [v.array for v in inputs])]
        if name == "cond" and isinstance(inputs[0], Constant):
            branches = params["branches"]
            called, inputs = branches[np.clip(inputs[0].array, 0, len(branches) - 1)], inputs[1:]
        elif name == "custom_linear_solve":
            lengths, called = params["const_lengths"], params["jaxprs"].solve
            start = lengths.matvec + lengths.vecmat
            inputs = inputs[start : start + lengths.solve] + inputs[sum(lengths) :]
        elif name in CALLS:
            called = params[CALLS[name]]
        else:
            outputs = [Symbol(v.aval.shape, v.aval.dtype) for v in equation.outvars]
            source = summarize(equation.source_info)
            equations.append(Equation(name, params, inputs, outputs, equation.effects, source))
            return outputs
        return walk(called, (), inputs) if isinstance(called, Jaxpr) else walk(called.jaxpr, called.consts, inputs)

    return Block(outputs=walk(closed.jaxpr, closed.consts, inputs), equations=equations)


def _platform(platforms):
    """Of the variants of a computation for several platforms, the one for the CPU, or the one for all others."""
    return next(i for wanted in ("cpu", None) for i, p in enumerate(platforms) if p is None or wanted in p)


def _evaluate(equation, arrays):
    """The outputs of an equation whose inputs are known."""
    outputs = equation.primitive.bind(*arrays, **equation.primitive.get_bind_params(equation.params))
    return outputs if equation.primitive.multiple_results else [outputs]


def run(program, block, environment, uses=0):
    """Write every equation of a block whose inputs are there and whose outputs are not yet.

    Before a loop, when only its constants are there, this writes what does not change in the loop.
    """
    def there(v):
        return isinstance(v, Constant) or v in environment

    for equation in block.equations:
        if environment.keys() >= set(equation.outputs) and equation.outputs or not all(map(there, equation.inputs)):
            continue
        outputs = compile_equation(program, equation, [v if isinstance(v, Constant) else environment[v] for v in equation.inputs])
        for symbol, value in zip(equation.outputs, outputs):
            environment[symbol] = program.settle(value, uses or block.uses[id(symbol)])


def results(block, environment):
    return [v if isinstance(v, Constant) else environment[v] for v in block.outputs]


def call(program, closed, values):
    """Write a jaxpr for these values, here."""
    inputs = [v if isinstance(v, Constant) else Symbol(v.shape, v.dtype) for v in values]
    block, environment = flatten(program, closed, inputs), dict(zip(inputs, values))
    run(program, block, environment)
    return results(block, environment)


def compile_equation(program, equation, values):
    """The values of an equation by the rule of its primitive."""
    name = equation.name
    if name.startswith(("random_", "threefry")):
        raise equation.unsupported(f"the primitive {name!r} with a key that depends on a parameter has no JavaScript: "
                                   "draw everything from constant keys, then index what was drawn")
    if name not in RULES:
        raise equation.unsupported(f"the primitive {name!r} has no rule for JavaScript")
    for v in [*values, *equation.outputs]:
        if str(v.dtype) not in TYPES:
            raise equation.unsupported(f"the primitive {name!r} works on {v.dtype}, and JavaScript has 64 bit floats only")
    outputs = RULES[name](program, equation, *values)
    return outputs if isinstance(outputs, list) else [outputs]


def compile_to_js(f: Callable, *example_args) -> str:
    """The JavaScript expression for the function f, with the arguments of `f`, that any engine evaluates without JAX.

    `f` is traced with 64 bits, whatever the global setting. JavaScript has no other numbers than 64 bit floats:
    integers of 64 bits are exact up to 2^53, and float32 or complex numbers are not compiled (constants may be).

    Args:
      f: a function of scalars and arrays that JAX can trace. Its result is an array or dicts, lists, tuples of arrays.
      example_args: one scalar or array an argument of `f`, for the shapes and types; the values play no role.

    Returns:
      The text of an expression whose value is a function. It takes a number for a scalar and a flat array, row after
      row, for an array. It returns objects for dicts, arrays for lists and tuples, and for each array a new
      {shape: [...], data: Float64Array}.

    Raises:
      Unsupported: when there is no rule for a primitive, with its name and the line of the source.
      TypeError: when `f` is no function, an argument is no array, or the result is no dict, list, or tuple of arrays.
    """
    if not callable(f):
        raise TypeError(f"f must be a function, but is {f!r}")
    with jax.enable_x64(True):
        examples = [_example(f"example_args[{k}]", arg) for k, arg in enumerate(example_args)]
        closed, tree = jax.make_jaxpr(f, return_shape=True)(*examples)
        jaxpr, _ = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), instantiate=True)
        program = Program()
        arguments = [Symbol(v.aval.shape, v.aval.dtype) for v in jaxpr.invars]
        block = flatten(program, closed.replace(jaxpr=jaxpr), arguments)
        environment = {}
        for k, symbol in enumerate(arguments):
            environment[symbol] = _argument(program, f"a{k}", symbol)
        run(program, block, environment)
        data = iter([_result(program, value) for value in results(block, environment)])
    returned = _literal(tree, data)
    names = ",".join(f"a{k}" for k in range(len(arguments)))
    body = f"return({names})=>{{{''.join(program.statements)}return{returned if returned[0] in '[{' else ' ' + returned}}}"
    declared = f"const {','.join(program.declarations)};" if program.declarations else ""
    return f"(()=>{{{algebra.helpers(body + declared)}{declared}{body}}})()"


def _example(name, arg):
    if isinstance(arg, jax.ShapeDtypeStruct):
        return arg
    if not isinstance(arg, (bool, int, float, np.generic, np.ndarray, jax.Array)) or np.asarray(arg).dtype.kind not in "biufc":
        raise TypeError(f"{name} must be a number or an array of numbers, but is {arg!r} of type {type(arg).__name__}")
    if str(np.asarray(arg).dtype) not in TYPES:
        raise Unsupported(f"{name} must be of 64 bit floats, integers, or Booleans, but is of {np.asarray(arg).dtype}")
    return arg


def _argument(program, name, symbol):
    if not symbol.shape:
        return Scalars(shape=(), dtype=symbol.dtype, elements=[name])
    buffer = program.allocate(symbol.shape, symbol.dtype)
    program.write(f"load({buffer.name},{name},{json.dumps(name)});")
    return program.settle(buffer, 1)


def _result(program, value):
    """JavaScript for the record of an array that is returned: always a copy, for the buffers are used again."""
    shape = json.dumps(value.shape, separators=(",", ":"))
    if isinstance(value, Scalars):
        data = f"Float64Array.of({','.join(value.elements)})"
    else:
        buffer = program.contiguous(value)
        data = f"{buffer.name}.slice({buffer.offset},{buffer.offset + value.size})" if buffer.offset else f"{buffer.name}.slice()"
    return f"{{shape:{shape},data:{data}}}"


def _literal(tree, data):
    """JavaScript for the containers of the result."""
    if isinstance(tree, jax.ShapeDtypeStruct):
        return next(data)
    if isinstance(tree, dict):
        return "{" + ",".join(f"{json.dumps(str(key))}:{_literal(tree[key], data)}" for key in sorted(tree)) + "}"
    if isinstance(tree, (list, tuple)):
        return "[" + ",".join(_literal(item, data) for item in tree) + "]"
    if tree is None:
        return "null"
    raise TypeError(f"f must return arrays in dicts, lists, and tuples, but returns a {type(tree).__name__}")
