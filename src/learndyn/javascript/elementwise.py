"""Elementwise primitives: a template of JavaScript each, in which {0}, {1}, ... are the elements of the operands."""

import re
from dataclasses import replace

import numpy as np

from learndyn.javascript.compiler import rule

COMPARISONS = {"eq": "{0}=={1}", "ne": "{0}!={1}", "lt": "{0}<{1}", "le": "{0}<={1}", "gt": "{0}>{1}", "ge": "{0}>={1}",
               "eq_to": "compare({0},{1})==0", "lt_to": "compare({0},{1})<0", "le_to": "compare({0},{1})<=0"}
SAME_IN_MATH = ("sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp log log1p expm1 sqrt cbrt "
                "erf erfc lgamma digamma").split()  # by the name in JAX: of Math, or of algebra.js
EVERYWHERE = {"add": "{0}+{1}", "add_any": "{0}+{1}", "sub": "{0}-{1}", "mul": "{0}*{1}", "max": "max({0},{1})",
              "min": "min({0},{1})", "abs": "abs({0})", "sign": "sign({0})", "square": "square({0})", **COMPARISONS,
              "clamp": "min(max({1},{0}),{2})"}
FLOAT = {**EVERYWHERE, **{name: f"{name}({{0}})" for name in SAME_IN_MATH}, "neg": "-{0}", "div": "{0}/{1}",
         "rem": "{0}%{1}", "pow": "power({0},{1})", "atan2": "atan2({0},{1})", "exp2": "2**{0}", "rsqrt": "1/sqrt({0})",
         "logistic": "1/(1+exp(-{0}))", "floor": "floor({0})", "ceil": "ceil({0})", "erf_inv": "erfInverse({0})",
         "is_finite": "isFinite({0})"}
# -0 is no integer: + 0 makes it 0. `range_` then brings the result back into the range of the type.
INTEGER = {**EVERYWHERE, "neg": "0-{0}", "div": "quotient({0},{1})", "rem": "remainder({0},{1})", "not": "~{0}",
           "and": "{0}&{1}", "or": "{0}|{1}", "xor": "{0}^{1}", "shift_left": "shiftLeft({0},{1})",
           "shift_right_arithmetic": "{0}>>min({1}>>>0,31)", "shift_right_logical": "shiftRight({0},{1},{mask})",
           "pow": "wholePower({0},{1},imul)", "mul": "imul({0},{1})", "square": "square({0},imul)"}
WIDE = {**INTEGER, **{name: "wide({0},{1},(a,b)=>a" + op + "b)" for name, op in [
    ("and", "&"), ("or", "|"), ("xor", "^"), ("shift_left", "<<"), ("shift_right_arithmetic", ">>")]},
    "not": "-1-{0}", "shift_right_logical": "wide({0},{1},(a,b)=>BigInt.asUintN(64,a)>>b)", "mul": "{0}*{1}",
    "pow": "wholePower({0},{1})", "square": "square({0})"}
BOOLEAN = {**COMPARISONS, "and": "{0}&&{1}", "or": "{0}||{1}", "xor": "{0}!={1}", "not": "!{0}", "max": "{0}||{1}",
           "min": "{0}&&{1}", "add": "{0}||{1}", "add_any": "{0}||{1}", "mul": "{0}&&{1}"}
RANGES = {"int8": "{}<<24>>24", "int16": "{}<<16>>16", "int32": "{}|0", "uint8": "{}&255", "uint16": "{}&65535",
          "uint32": "{}>>>0", "int64": "{}+0"}


def templates(dtype):
    """The templates for operands of a type."""
    return {"f": FLOAT, "b": BOOLEAN}.get(dtype.kind) or (WIDE if dtype.itemsize == 8 else INTEGER)


def parenthesized(expression):
    return expression if re.fullmatch(r"\w+\([^()]*\)", expression) else f"({expression})"


def operation(name, dtype):
    """The function from the JavaScript of the operands, of a type, to the JavaScript of the result."""
    template = templates(dtype)[name]
    wrap = RANGES.get(str(dtype), "{}") if name not in COMPARISONS else "{}"

    def apply(*operands):
        if name == "mul" and "1" in operands:  # the seeds of automatic differentiation
            return operands[operands.index("1") - 1]
        expression = parenthesized(template.format(*operands, mask=2 ** (8 * dtype.itemsize) - 1))
        return expression if wrap == "{}" else parenthesized(wrap.format(expression))

    return apply


def at_each(program, out, expression, *operands):
    """The array of expression(elements of the operands); operands of rank 0 are the same everywhere."""
    def at(position, *operands):
        return expression(*[v.at(position if v.shape else ()) for v in operands])

    return program.lazy(out.shape, out.dtype, at, *operands, computed=True)


@rule(*FLOAT, *(INTEGER.keys() - FLOAT.keys()))
def elementwise(program, equation, *operands):
    dtype = operands[0].dtype
    if equation.name not in templates(dtype):
        raise equation.unsupported(f"the primitive {equation.name!r} has no rule for {dtype} in JavaScript")
    return at_each(program, equation.outputs[0], operation(equation.name, dtype), *operands)


@rule("integer_pow")
def integer_pow(program, equation, x):
    y, multiply = equation.params["y"], "" if x.dtype.kind == "f" or x.dtype.itemsize == 8 else ",imul"
    power = f"square({{}}{multiply})" if y == 2 else f"wholePower({{}},{y}{multiply})"
    return at_each(program, equation.outputs[0], power.format, x)


@rule("round")
def round_(program, equation, x):
    name = "roundEven" if equation.params["rounding_method"] else "roundAway"
    return at_each(program, equation.outputs[0], f"{name}({{}})".format, x)


@rule("select_n")
def select_n(program, equation, which, *cases):
    which = program.stored(which) if len(cases) > 2 else which
    template = "{0}?{2}:{1}" if len(cases) == 2 else (
        "".join(f"{{0}}=={k}?{{{k + 1}}}:" for k in range(len(cases) - 1)) + f"{{{len(cases)}}}")
    return at_each(program, equation.outputs[0], f"({template})".format, which, *cases)


@rule("convert_element_type")
def convert_element_type(program, equation, x):
    source, target = x.dtype, equation.outputs[0].dtype
    if target.kind == "b" != source.kind:
        template = "({}!=0)"
    elif source.kind == "b" != target.kind:
        template = "+{}"
    elif source.kind == "f" and target.kind in "iu":
        limits = np.iinfo(target)
        template = f"whole({{}},{limits.min},{limits.max})"
    elif target.kind in "iu" and not np.can_cast(source, target):
        template = RANGES[str(target)]
    else:
        return replace(x, dtype=target)
    return at_each(program, equation.outputs[0], f"({template})".format, x)


@rule("reduce_precision")
def reduce_precision(program, equation, x):
    if equation.params["exponent_bits"] < 11 or equation.params["mantissa_bits"] < 52:
        raise equation.unsupported("the primitive 'reduce_precision' to less than 64 bits has no rule for JavaScript")
    return x


@rule("pure_callback")
def failed_check(program, equation, *operands):
    """What `equinox.error_if` calls when the check fails: an error cannot stop a figure, and NaN says so in it."""
    if "equinox" not in getattr(equation.params["callback"].callback_func, "__module__", ""):
        raise equation.unsupported("the primitive 'pure_callback' has no rule for JavaScript")
    return [program.constant(np.full(v.shape, np.nan), v.dtype) for v in equation.outputs]
