"""Random lines of programs: an expression each, of operands that are in scope, with the shape that it has.

What would grow passes through tanh, and what is not continuous (comparisons, floors, positions of maxima) is asked at
odd places such as x > 0.4321, where rounding cannot decide it.
"""

import itertools
import math
import re

from hypothesis import strategies as st


def split(table):
    """The expressions of a table; {x}, {y} are operands."""
    return [" ".join(text.split()) for text in re.split(r"\s\|\s", table)]


UNARY = split("""
    jnp.tanh({x}) | jnp.sin(3 * {x}) | jnp.exp(-{x} ** 2) | jnp.log1p({x} ** 2) | jnp.sqrt(1 + {x} ** 2) |
    jax.nn.relu({x}) | jnp.abs({x}) | -{x} | {x} ** 3 / 9 | jnp.maximum({x}, 0.3) | jnp.clip({x}, -0.5, 0.7) |
    jnp.floor(3 * {x} + 0.4321) | jnp.where({x} > 0.4321, {x}, -0.5) | 1 / (1 + {x} ** 2) | lax.erf({x})
""")
BINARY = split("""
    jnp.tanh({x} + {y}) | {x} * {y} / 2 | jnp.sin({x} - {y}) | jnp.maximum({x}, {y}) |
    jnp.where({y} > 0.4321, {x}, {y}) | jnp.arctan2({x}, 2 + {y} ** 2) | {x} / (2 + {y} ** 2) |
    lax.select_n((3 * {x} + 99.4321).astype(jnp.int32) % 3, {x}, {x} * {y}, -{x})
""")
INTEGER = split("""
    ({x} * 7 + 3) % 5 | {x} // 2 - 1 | -{x} | jnp.abs({x} - 2) | jnp.where({x} % 2 == 0, {x}, 3 * {x} % 11) |
    {x} << 1 & 15 | jnp.minimum({x}, 2)
""")
REDUCTIONS = split("""
    jnp.tanh(jnp.sum({x}, {axes})) | jnp.max({x}, {axes}) | jnp.min({x}, {axes}) | jnp.mean({x}, {axes}) |
    jnp.prod(jnp.cos({x}), {axes})
""")
ALONG = split("""
    jnp.sort({x}, {k}) | jnp.tanh(jnp.cumsum({x}, {k})) | lax.cummax({x}, {k}, reverse=True) |
    jax.nn.softmax({x}, {k}) | jnp.flip({x}, {k}) | jnp.roll({x}, 1, {k})
""")


class Lines:
    """Draws an operation for which operands exist: (lines before, expression, kind, shape)."""

    def __init__(self, draw):
        self.draw, self.names = draw, (f"x{i}" for i in itertools.count())

    def choose(self, items):
        return self.draw(st.sampled_from(list(items)))

    def number(self, low, high):
        return self.draw(st.integers(low, high))

    def operand(self, scope, kind="float", fits=lambda shape: True):
        """A variable in scope, late ones first, for programs in which one step uses another."""
        found = [(name, shape) for name, (k, shape) in reversed(scope.items()) if k == kind and fits(shape)]
        return self.choose(found) if found else (None, ())

    def elementwise(self, scope, depth, reverse):
        x, shape = self.operand(scope)
        y, _ = self.operand(scope, fits=lambda s: s in (shape, ()))
        return [], self.choose(UNARY if y is None or self.number(0, 1) else BINARY).format(x=x, y=y), "float", shape

    def integers(self, scope, depth, reverse):
        x, shape = self.operand(scope, "int", lambda s: True)
        if self.number(0, 1):
            return [], self.choose(INTEGER).format(x=x), "int", shape
        x, shape = self.operand(scope, fits=len)
        k = self.number(0, len(shape) - 1)
        spread = f"lax.broadcasted_iota(float, {shape}, {k})"
        return [], f"jnp.argmax({x} + 0.1234 * {spread}, {k})", "int", shape[:k] + shape[k + 1 :]

    def along(self, scope, depth, reverse):
        x, shape = self.operand(scope, fits=len)
        k = self.number(0, len(shape) - 1)
        if self.number(0, 1):
            return [], self.choose(ALONG).format(x=x, k=k), "float", shape
        axes = tuple(sorted({k, self.number(0, len(shape) - 1)}))
        return (
            [], self.choose(REDUCTIONS).format(x=x, axes=axes), "float",
            tuple(n for i, n in enumerate(shape) if i not in axes),
        )

    def move(self, scope, depth, reverse):
        x, shape = self.operand(scope, fits=len)
        k = self.number(0, len(shape) - 1)
        size = shape[k]
        resized = lambda n: (*shape[:k], n, *shape[k + 1 :])
        match self.number(0, 6):
            case 0:
                order = tuple(self.draw(st.permutations(range(len(shape)))))
                return [], f"jnp.transpose({x}, {order})", "float", tuple(shape[i] for i in order)
            case 1:
                total = math.prod(shape)
                rows = self.choose([d for d in range(1, total + 1) if total % d == 0])
                new = self.choose([(rows, total // rows), (rows, 1, total // rows), (total,)])
                return [], f"{x}.reshape({new})", "float", new
            case 2:
                low, step = self.number(0, size - 1), self.choose((1, 2, -1))
                cut = f"::{step}" if step < 0 else f"{low}::{step}"
                return [], f"{x}[{':, ' * k}{cut}]", "float", resized(size if step < 0 else -(-(size - low) // step))
            case 3:
                y, other = self.operand(
                    scope, fits=lambda s: len(s) == len(shape) and s[:k] + s[k + 1 :] == shape[:k] + shape[k + 1 :],
                )
                return [], f"jnp.concatenate([{x}, {y}], {k})", "float", resized(size + other[k])
            case 4:
                low, high, gap = self.number(-1, 2), self.number(0, 2), self.number(0, 2)
                pads = tuple((low, high, gap) if i == k else (0, 0, 0) for i in range(len(shape)))
                total = size + low + high + (size - 1) * gap
                return (
                    [], f"lax.pad({x}, 0.5, {pads})", "float", resized(total),
                ) if total > 0 else ([], f"jnp.cos({x})", "float", shape)
            case 5:
                y, _ = self.operand(scope, fits=lambda s: s == shape)
                return [], f"jnp.stack([{x}, {y}], {k})", "float", (*shape[:k], 2, *shape[k:])
            case _:
                wide = self.number(2, 3)
                return [], f"jnp.broadcast_to({x}, {(wide, *shape)})", "float", (wide, *shape)

    def index(self, scope, depth, reverse):
        x, shape = self.operand(scope, fits=len)
        i, where = self.operand(scope, "int", lambda s: len(s) <= 1)
        mode = self.choose(('mode="clip"', 'mode="fill", fill_value=0.25'))
        match self.number(0, 2):
            case 0:
                return [], f"{x}.at[{i}].get({mode})", "float", where + shape[1:]
            case 1:
                return [], f"{x}[{self.number(-shape[0], shape[0] - 1)}]", "float", shape[1:]
        size = self.number(1, shape[0])
        scalar, _ = self.operand(scope, "int", lambda s: s == ())
        return [], f"lax.dynamic_slice_in_dim({x}, {scalar}, {size})", "float", (size, *shape[1:])

    def write(self, scope, depth, reverse):
        x, shape = self.operand(scope, fits=len)
        i, where = self.operand(scope, "int", lambda s: len(s) <= 1)
        y, _ = self.operand(scope, fits=lambda s: s in ((), where + shape[1:]))
        scalar, _ = self.operand(scope, "int", lambda s: s == ())
        options = [
            f'{x}.at[{i}].add({y}, mode="drop")', f"{x}.at[{i}].multiply({y})", f"{x}.at[{scalar}].set(0.7)",
            f"{x}.at[..., ::2].add(-0.3)",
        ]
        options += [f"lax.dynamic_update_slice_in_dim({x}, {x}[:1] * 0.5, {scalar}, 0)"]
        return [], f"jnp.tanh({self.choose(options)})", "float", shape

    def contract(self, scope, depth, reverse):
        x, shape = self.operand(scope, fits=len)
        y, other = self.operand(scope, fits=lambda s: 0 < len(s) < 3 and s[0] == shape[-1])
        if y is not None and self.number(0, 1):
            return [], f"jnp.tanh(jnp.tensordot({x}, {y}, 1))", "float", shape[:-1] + other[1:]
        letters = "ijklmnop"[: len(shape)]
        out = self.choose((letters, letters[:1], letters[::-1], letters + "z", "z" + letters[1:]))
        both = f"{letters},{letters[:-1]}z->{out}" if "z" in out else f"{letters},{letters}->{out}"
        sizes = dict(zip(letters, shape, strict=True)) | {"z": shape[-1]}
        return [], f'jnp.tanh(jnp.einsum("{both}", {x}, jnp.cos({x})))', "float", tuple(sizes[c] for c in out)
