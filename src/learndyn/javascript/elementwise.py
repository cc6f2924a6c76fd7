"""Elementwise primitives: a template of JavaScript each, in which {0}, {1}, ... are the elements of the operands."""
import re

import numpy as np

from learndyn.javascript.compiler import rule, unsupported

NAMED = ("abs acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp expm1 floor log log1p sign sin sinh "
         "sqrt tan tanh").split()  # so in Math or algebra.js, too
COMPARISONS = {"eq": "{0}=={1}", "ne": "{0}!={1}", "lt": "{0}<{1}", "le": "{0}<={1}", "gt": "{0}>{1}", "ge": "{0}>={1}",
               "eq_to": "compare({0},{1})==0", "lt_to": "compare({0},{1})<0", "le_to": "compare({0},{1})<=0"}
FLOAT = {**COMPARISONS, **{name: f"{name}({{0}})" for name in NAMED}, "add": "{0}+{1}", "add_any": "{0}+{1}", "sub": "{0}-{1}",
         "mul": "{0}*{1}", "div": "{0}/{1}", "rem": "{0}%{1}", "neg": "-{0}", "max": "max({0},{1})", "min": "min({0},{1})",
         "clamp": "min(max({1},{0}),{2})", "square": "square({0})", "pow": "power({0},{1})", "atan2": "atan2({0},{1})",
         "exp2": "2**{0}", "rsqrt": "1/sqrt({0})", "logistic": "1/(1+exp(-{0}))", "is_finite": "isFinite({0})"}
BITS = {"and": "&", "or": "|", "xor": "^", "shift_left": "<<", "shift_right_arithmetic": ">>"}
INTEGER = {**{name: FLOAT[name] for name in (*COMPARISONS, "abs", "sign", "add", "add_any", "sub", "max", "min", "clamp")},
           **{name: f"{{0}}{operator}{{1}}" for name, operator in BITS.items()}, "not": "~{0}", "neg": "0-{0}",
           "div": "quotient({0},{1})", "rem": "remainder({0},{1})", "mul": "imul({0},{1})", "square": "square({0},imul)",
           "pow": "wholePower({0},{1},imul)", "shift_left": "shiftLeft({0},{1})",
           "shift_right_arithmetic": "{0}>>min({1}>>>0,31)", "shift_right_logical": "shiftRight({0},{1},{mask})"}
WIDE = {**INTEGER, **{name: f"wide({{0}},{{1}},(a,b)=>a{operator}b)" for name, operator in BITS.items()}, "not": "-1-{0}",
        "mul": "times({0},{1})", "square": "square({0},times)", "pow": "wholePower({0},{1},times)",
        "shift_right_logical": "wide({0},{1},(a,b)=>BigInt.asUintN(64,a)>>b)"}
BOOLEAN = {**COMPARISONS, "and": "{0}&&{1}", "or": "{0}||{1}", "xor": "{0}!={1}", "not": "!{0}", "max": "{0}||{1}",
           "min": "{0}&&{1}", "add": "{0}||{1}", "mul": "{0}&&{1}"}
RANGES = {"int8": "{0}<<24>>24", "int16": "{0}<<16>>16", "int32": "{0}|0", "uint8": "{0}&255", "uint16": "{0}&65535",
          "uint32": "{0}>>>0", "int64": "{0}+0"}  # back into the type; + 0 because no integer is -0


def templates(dtype):
    return {"f": FLOAT, "b": BOOLEAN}.get(dtype.kind) or (WIDE if dtype.itemsize == 8 else INTEGER)


def closed(expression):
    """The expression, in parentheses if it needs any."""
    return expression if re.fullmatch(r"\w+\([^()]*\)", expression) else f"({expression})"


def operation(name, dtype):
    """From the JavaScript of operands of a type to the JavaScript of the result."""
    wrap = RANGES.get(str(dtype)) if name not in COMPARISONS else None

    def apply(*operands):
        if name == "mul" and "1" in operands:  # so automatic differentiation begins
            return operands[operands.index("1") - 1]
        expression = closed(templates(dtype)[name].format(*operands, mask=2 ** (8 * dtype.itemsize) - 1))
        return closed(wrap.format(expression)) if wrap else expression

    return apply


def at_each(program, equation, expression, *operands):
    """The array of expression(elements of the operands); an operand is repeated along axes that it has not."""
    def at(position, *operands):
        return expression(*[v.at([0 if n == 1 else i for n, i in zip(v.shape, position)]) for v in operands])

    operands = [program.evaluated(v) if v.size < equation.outputs[0].size else v for v in operands]
    return program.lazy(equation.outputs[0], at, *operands, computed=True)


@rule(*(FLOAT.keys() | INTEGER.keys()))
def elementwise(program, equation, *operands):
    if equation.name not in templates(operands[0].dtype):
        raise unsupported(equation, f"on {operands[0].dtype} has no rule for JavaScript")
    return at_each(program, equation, operation(equation.name, operands[0].dtype), *operands)


@rule("integer_pow", "round")
def with_parameters(program, equation, x):
    y, times = equation.params.get("y"), "" if x.dtype.kind == "f" else ",times" if x.dtype.itemsize == 8 else ",imul"
    template = f"square({{}}{times})" if y == 2 else f"wholePower({{}},{y}{times})"
    if equation.name == "round":
        template = "roundEven({})" if equation.params["rounding_method"] else "roundAway({})"
    return at_each(program, equation, template.format, x)


@rule("select_n")
def select_n(program, equation, which, *cases):
    which, last = program.evaluated(which) if len(cases) > 2 else which, len(cases) - 1
    tests = "".join(f"{{0}}=={k}?{{{k + 1}}}:" for k in range(last)) if last > 1 else "!{0}?{1}:" if last else ""
    return at_each(program, equation, f"({tests}{{{last + 1}}})".format, which, *cases)


@rule("convert_element_type")
def convert_element_type(program, equation, x):
    source, target = x.dtype, equation.outputs[0].dtype
    if target == source or source.kind in "iu" and (target.kind == "f" or target.kind in "iu" and np.can_cast(source, target)):
        return x.like(dtype=target)
    template = "({}!=0)" if target.kind == "b" else "(+{})" if source.kind == "b" else f"({RANGES[str(target)]})"
    if source.kind == "f" and target.kind in "iu":
        template = f"whole({{}},{np.iinfo(target).min},{np.iinfo(target).max})"
    return at_each(program, equation, template.format, x)
