"""From a function to its JavaScript: trace, flatten, drop what is dead, and let one rule a primitive write the rest."""
import json
from collections import Counter, namedtuple
from collections.abc import Callable
from functools import partial

import jax
import numpy as np
from jax.extend.core import Literal
from jax.extend.source_info_util import summarize
from jax.interpreters.partial_eval import dce_jaxpr

from learndyn.javascript.library import helpers
from learndyn.javascript.program import Program
from learndyn.javascript.values import Constant, Scalars, Value

RULES = {}  # primitive -> rule(program, equation, *values), which writes JavaScript and returns one value or a list
REWRITES = {}  # primitive -> a function of JAX that says it in simpler primitives, and takes its place
CALLS = {"jit": "jaxpr", "remat2": "jaxpr", "custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr",
         "custom_linear_solve": "jaxprs"}  # primitive -> the parameter that holds what it calls, which takes its place
SAME = {"copy", "device_put", "stop_gradient", "optimization_barrier"}  # the results are the operands
TYPES = {"float64", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"}
Equation = namedtuple("Equation", "name params inputs outputs effects source")  # inputs and outputs are values


class Unsupported(NotImplementedError):
    """The function uses what cannot be compiled; the message names it and the line of the source."""


def unsupported(equation, why="has no rule for JavaScript"):
    return Unsupported(f"the primitive {equation.name!r} {why}, at {equation.source}")


def rule(*names):
    """Register the rule of these primitives."""
    return lambda function: RULES.update(dict.fromkeys(names, function)) or function


class Block:
    """A jaxpr for inputs that are constants or symbols, flat: calls inlined, what is known computed, nothing dead."""

    def __init__(self, program, jaxpr, consts, inputs):
        self.program, self.equations, live = program, [], []
        self.outputs = self.walk(jaxpr, consts, inputs, program.source)
        needed = set(self.outputs)
        for equation in reversed(self.equations):
            if equation.effects or not needed.isdisjoint(equation.outputs):
                needed.update(equation.inputs)
                live.append(equation)
        self.equations = live[::-1]
        self.uses = Counter(v for values in [*(e.inputs for e in live), self.outputs] for v in values)
        for equation in self.equations:
            self.check(equation)

    def check(self, equation):
        """Raise if an equation cannot be compiled."""
        if "key<" in str([v.dtype for v in equation.outputs]) or equation.name.startswith(("random_", "threefry")):
            raise unsupported(equation, "has a key that depends on a parameter: draw from constant keys, index the draws")
        for v in equation.inputs + equation.outputs:
            if str(v.dtype) not in TYPES:
                users = "".join(f", for {e.name!r}" for e in self.equations if v in e.inputs and e is not equation)
                kind = "complex numbers" if str(v.dtype).startswith("complex") else f"numbers of type {v.dtype}"
                raise unsupported(equation, f"makes {kind}{users}, which have no translation to JavaScript")
        if equation.name not in RULES:
            raise unsupported(equation)

    def walk(self, jaxpr, consts, inputs, source, inside=False):
        """The outputs of a jaxpr, called at a line of the source; `inside` of a rewrite that line is meant."""
        known = self.program.constant
        values = dict(zip(jaxpr.constvars, map(known, consts))) | dict(zip(jaxpr.invars, inputs))

        def read(atom):
            return known(np.asarray(atom.val, atom.aval.dtype)) if isinstance(atom, Literal) else values[atom]

        for equation in jaxpr.eqns:
            here = source if inside else summarize(equation.source_info) or source
            values.update(zip(equation.outvars, self.step(equation, [read(atom) for atom in equation.invars], here, inside)))
        return [read(atom) for atom in jaxpr.outvars]

    def step(self, equation, inputs, source, inside):
        """The outputs of an equation; if they are new symbols, it becomes one of the block."""
        name, params, known = equation.primitive.name, equation.params, self.program.constant
        rewrite = REWRITES.get(name)
        if "equinox" in str(getattr(equation.primitive.impl, "__module__", "")):  # its own primitives are written in JAX
            rewrite = equation.primitive.impl
        if name in SAME or name == "reduce_precision" and params["exponent_bits"] >= 11 and params["mantissa_bits"] >= 52:
            return inputs
        if name == "platform_index":  # of the variants of a computation that for the CPU, or for all others
            return [known(np.int32([p is None or "cpu" in p for p in params["platforms"]].index(True)))]
        if name == "pure_callback" and "equinox" in str(getattr(params["callback"].callback_func, "__module__", "")):
            return [known(np.full(v.aval.shape, np.nan)) for v in equation.outvars]  # a check that failed: NaN shows it
        if all(isinstance(v, Constant) for v in inputs) and not equation.effects and name != "pure_callback":
            arrays = equation.primitive.bind(*[v.array for v in inputs], **equation.primitive.get_bind_params(params))
            return list(map(known, arrays if equation.primitive.multiple_results else [arrays]))
        if name == "cond" and isinstance(inputs[0], Constant):
            which, *inputs = inputs
            called = params["branches"][np.clip(which.array, 0, len(params["branches"]) - 1)]
        elif name == "custom_linear_solve":
            lengths, called = params["const_lengths"], params["jaxprs"].solve
            inputs = inputs[lengths.matvec + lengths.vecmat :][: lengths.solve] + inputs[sum(lengths) :]
        elif name in CALLS:
            called = params[CALLS[name]]
        elif rewrite and all(str(v.dtype) in TYPES for v in inputs):
            called = jax.make_jaxpr(partial(rewrite, **params))(*[jax.ShapeDtypeStruct(v.shape, v.dtype) for v in inputs])
        else:
            outputs = [Value(v.aval.shape, v.aval.dtype) for v in equation.outvars]
            self.equations.append(Equation(name, params, inputs, outputs, equation.effects, source))
            return outputs
        called, consts = getattr(called, "jaxpr", called), getattr(called, "consts", ())
        return self.walk(called, consts, inputs, source, inside or bool(rewrite))

    def write(self, environment, uses=0):
        """Compile every equation whose inputs are there and whose outputs are not yet; return the outputs of the block.

        Before a loop, when only its constants are there, this writes what does not change in the loop.
        """
        def read(v):
            return v if isinstance(v, Constant) else environment.get(v)

        for equation in self.equations:
            inputs = [read(v) for v in equation.inputs]
            if all(inputs) and not any(v in environment for v in equation.outputs):
                self.program.source = equation.source
                outputs = RULES[equation.name](self.program, equation, *inputs)
                for symbol, value in zip(equation.outputs, outputs if isinstance(outputs, list) else [outputs]):
                    environment[symbol] = self.program.settle(value, uses or self.uses[symbol])
        return [read(v) for v in self.outputs]


def prepared(program, jaxpr, consts, given, uses=2):
    """A jaxpr, of which the first inputs are given, as a function of the others that writes it and returns its outputs.

    What needs the given ones only is written at once, for use again and again: before the loop, if this is its body.
    """
    inputs = [v if isinstance(v, Constant) else Value(v.shape, v.dtype) for v in given]
    others = [Value(v.aval.shape, v.aval.dtype) for v in jaxpr.invars[len(given) :]]
    block, environment = Block(program, jaxpr, consts, inputs + others), dict(zip(inputs, given))
    block.write(environment, uses)
    return lambda values: block.write(environment | dict(zip(others, values)))


def compile_to_js(f: Callable, *example_args) -> str:
    """f, a function of JAX, as a JavaScript expression whose value is the same function, for engines without JAX.

    `f` is traced with 64 bits, whatever the global setting. All numbers of JavaScript are floats of 64 bits: integers
    are exact up to 2^53; float32 and complex numbers are not compiled, unless they are constants. The sign of an
    eigenvector is chosen here (its largest entry is positive); where a check of equinox fails, the result is NaN.

    Args:
      f: a function of scalars and arrays. Its result is an array, or dicts, lists, tuples of arrays.
      example_args: a scalar or an array for each argument of `f`, for shapes and types; the values play no role.

    Returns:
      The text of the expression. Its function takes a number for a scalar and for an array a flat one, row after row.
      It returns an object for a dict, an array for a list or tuple, {shape: [...], data: Float64Array} for an array.

    Raises:
      Unsupported: when a primitive cannot be compiled; the message names it and the line of the source.
      TypeError: when `f` is no function, an argument is no array, or the result is no dict, list, or tuple of arrays.
    """
    if not callable(f):
        raise TypeError(f"f must be a function, but is {f!r}")
    for k, arg in enumerate(example_args):
        if not isinstance(arg, (bool, int, float, complex, np.generic, np.ndarray, jax.Array, jax.ShapeDtypeStruct)):
            raise TypeError(f"example_args[{k}] must be a number or an array, but is {arg!r} of type {type(arg).__name__}")
        if str(dtype := arg.dtype if hasattr(arg, "dtype") else np.result_type(arg)) not in TYPES:
            error = Unsupported if getattr(dtype, "kind", "O") in "iufc" else TypeError
            raise error(f"example_args[{k}] must be of 64 bit floats, integers or Booleans, but is of dtype {dtype}")
    with jax.enable_x64(True):
        closed, tree = jax.make_jaxpr(f, return_shape=True)(*example_args)
        jaxpr, _ = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), instantiate=True)
        program, names, values = Program(), [f"a{k}" for k in range(len(example_args))], []
        for name, aval in zip(names, closed.in_avals):
            values.append(Scalars((), aval.dtype, elements=[name]) if not aval.shape else program.allocate(aval))
            if aval.shape:
                program.write(f'load({values[-1].name},{name},"{name}");')
        outputs = prepared(program, jaxpr, closed.consts, list(map(program.settle, values)), uses=0)([])
        records = [_record(program, value) for value in outputs]
    body = f"return({','.join(names)})=>{{{''.join(program.statements)}return{_literal(tree, iter(records))}}}"
    body = (f"const {','.join(program.declarations)};" if program.declarations else "") + body
    return f"(()=>{{{helpers(body)}{body}}})()"


def _record(program, value):
    """JavaScript for an array of the result: a copy, because the next call uses the buffers again."""
    of = isinstance(value, Scalars)
    data = f"Float64Array.of({','.join(value.elements)})" if of else f"{program.contiguous(value).name}.slice()"
    return f"{{shape:{json.dumps(value.shape, separators=(',', ':'))},data:{data}}}"


def _literal(tree, records):
    """JavaScript for the containers of the result."""
    if isinstance(tree, jax.ShapeDtypeStruct):
        return next(records)
    if tree is None:
        return " null"
    if isinstance(tree, dict):
        keys = [json.dumps(str(key)).replace("<", "\\u003c") for key in sorted(tree)]
        return "{" + ",".join(f"{key}:{_literal(tree[k], records)}" for key, k in zip(keys, sorted(tree))) + "}"
    if isinstance(tree, (list, tuple)):
        return "[" + ",".join(_literal(item, records) for item in tree) + "]"
    raise TypeError(f"f must return arrays in dicts, lists, and tuples, but returns a {type(tree).__name__}")
