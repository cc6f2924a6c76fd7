"""Random programs, as text that can be read: shapes are tracked, so that each one runs.

Every variable stays within a few units, and nothing depends on the last bit: then 1e-9 is far from what rounding can
do, and near enough to be broken by anything else.
"""

import math
import textwrap

from generator_lines import Lines
from hypothesis import strategies as st

ARGUMENTS = {"a": ("float", ()), "n": ("int", ()), "v": ("float", (5,)), "m": ("float", (3, 4)), "w": ("float", (2, 3, 2))}


class Writer(Lines):
    """Writes one function: line after line, and nested functions for loops, branches, derivatives."""

    def block(self, scope, steps, depth, reverse):
        """Lines that compute up to `steps` new variables, which enter `scope`."""
        lines = []
        for _ in range(self.number(1, steps)):
            kinds = [
                self.elementwise, self.elementwise, self.move, self.move, self.along, self.index, self.contract,
                self.write, self.integers,
            ]
            if depth:
                kinds += [self.scan, self.branch, self.vectorize, self.gradient] + [self.loop] * (not reverse)
            before, text, kind, shape = self.choose(kinds)(scope, depth - 1, reverse)
            if math.prod(shape) <= 150:
                name = next(self.names)
                lines += [*before, f"{name} = {text}"]
                scope[name] = (kind, shape)
        return lines

    def function(self, header, scope, result, depth, reverse, steps=3):
        """A nested `def`; `result` gets the scope at its end and says what to return."""
        lines = self.block(scope, steps, depth, reverse)
        return [header, *(f"    {line}" for line in [*lines, f"return {result(scope)}"])]

    def last(self, scope):
        """What was computed last: name, kind, shape."""
        name, (kind, shape) = list(scope.items())[-1]
        return name, kind, shape

    def like(self, scope, shape):
        """An expression of this shape that depends on the last variable, be it of another shape."""
        name, kind, last = self.last(scope)
        if kind == "float" and last == shape:
            return name
        base, _ = self.operand(scope, fits=lambda s: s == shape)
        return f"{base or f'jnp.zeros({shape})'} * 0.5 + jnp.tanh(jnp.sum({name}))"

    def scan(self, scope, depth, reverse):
        (c, cs), (d, ds), (xs, rows) = self.operand(scope), self.operand(scope), self.operand(scope, fits=len)
        inner = scope | {"p": ("float", cs), "q": ("float", ds), "r": ("float", rows[1:])}
        swap = cs == ds and self.number(0, 1)
        first, second = ("q", "p") if swap else ("p", "q")
        kept = {}

        def result(end):
            y, *kept["y"] = self.last(end)
            new = f"jnp.tanh(p + {self.like(end, cs)})"
            return f"({first}, {new}), {y}" if swap else f"({new}, {second}), {y}"

        name = f"step_{next(self.names)}"
        lines = self.function(f"def {name}(carry, r):", inner, result, depth, reverse)
        lines.insert(1, "    p, q = carry")
        call = f"lax.scan({name}, ({c}, {d}), {xs}, reverse={bool(self.number(0, 1))})"
        kind, shape = kept["y"]
        part, kind, shape = self.choose([("[1]", kind, (rows[0], *shape)), ("[0][0]", "float", cs), ("[0][1]", "float", ds)])
        return lines, call + part, kind, shape

    def branch(self, scope, depth, reverse):
        (x, shape), (i, _), (a, _) = (
            self.operand(scope), self.operand(scope, "int", lambda s: s == ()),
            self.operand(scope, fits=lambda s: s == ()),
        )
        names, lines = [], []
        for _ in range(self.number(2, 3)):
            names.append(f"case_{next(self.names)}")
            lines += self.function(f"def {names[-1]}():", dict(scope), lambda end: self.like(end, shape), depth, reverse, 2)
        call = f"lax.switch({i}, [{', '.join(names)}])" if len(names) > 2 else f"lax.cond({a} > 0.4321, {', '.join(names)})"
        return lines, call, "float", shape

    def loop(self, scope, depth, reverse):
        (x, shape), (i, _) = self.operand(scope), self.operand(scope, "int", lambda s: s == ())
        name = f"body_{next(self.names)}"
        lines = self.function(
            f"def {name}(k, p):", scope | {"k": ("int", ()), "p": ("float", shape)},
            lambda end: f"jnp.sin(p + {self.like(end, shape)})", depth, reverse,
        )
        return lines, f"lax.fori_loop(0, {i} % 4, {name}, {x})", "float", shape

    def vectorize(self, scope, depth, reverse):
        x, shape = self.operand(scope, fits=len)
        name, k, kept = f"each_{next(self.names)}", self.number(0, len(shape) - 1), {}

        def result(end):
            y, *kept["y"] = self.last(end)
            return y

        lines = self.function(
            f"def {name}(r):", scope | {"r": ("float", shape[:k] + shape[k + 1 :])}, result, depth, reverse,
        )
        kind, each = kept["y"]
        return lines, f"jax.vmap({name}, {k})({x})", kind, (shape[k], *each)

    def gradient(self, scope, depth, reverse):
        x, shape = self.operand(scope)
        name = f"loss_{next(self.names)}"
        lines = self.function(
            f"def {name}(z):", scope | {"z": ("float", shape)}, lambda end: f"jnp.sum({self.like(end, shape)})", depth,
            True,
        )
        return lines, f"jnp.tanh(jax.grad({name})({x}))", "float", shape


class Source(str):
    """A text that shows itself as it is, where hypothesis prints the program that fails."""

    __repr__ = str.__str__


@st.composite
def sources(draw):
    """The text of `f(a, n, v, m, w)`, which returns all that it computes."""
    writer, scope = Writer(draw), dict(ARGUMENTS)
    lines = writer.block(scope, 6, 2, False)
    results = [name for name in scope if name not in ARGUMENTS] or ["a"]
    lines.append(f"return {{{', '.join(f'{name!r}: {name}' for name in results)}}}")
    return Source(f"\ndef f({', '.join(ARGUMENTS)}):\n" + textwrap.indent("\n".join(lines), "    ") + "\n")
