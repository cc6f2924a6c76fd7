"""What goes in and comes out: arguments and results of each shape, order, and nesting."""

import jax.numpy as jnp
import numpy as np
from programs import program
from programs_elementwise import ramp

X = ramp(-1, 1)


@program((), ())
def nothing_in():
    """No argument: all is constant."""
    return {"number": 1.5, "array": jnp.arange(12.0), "truth": True, "count": 3, "empty": jnp.zeros((0, 3))}


@program((1.5, True, X, np.arange(3)), (-0.5, False, -X, np.arange(3) - 7))
def passed_through(a, flag, v, n):
    """Arguments returned as they are, and twice, and beside a change of them."""
    return a, flag, v, n, v, a, v * a, v, v[:3], v.reshape(3, 11), (v[0], n[1])


@program((1.5, X), (-0.5, -X))
def unused(a, v):
    """An argument that nothing depends on, and one whose use is dead."""
    jnp.sort(v) * a  # noqa: B018 (dead on purpose)
    return jnp.ones(3), 2


@program((1.5,), (-0.5,))
def one_leaf(a):
    """A result without a tree around it."""
    return jnp.linspace(0.0, a, 12)


@program((1.5,), (-0.5,))
def one_number(a):
    """A single scalar."""
    return a * a


@program((1.5,), (-0.5,))
def deep_tree(a):
    """Dicts, lists, tuples, in each other, empty ones, keys of every kind of text."""
    leaf = jnp.arange(9.0) * a
    odd = {
        "with space": a, 'quote"': a + 1, "back\\slash": a + 2, "ß–λ": a + 3, "10": a + 4, "2": a + 5, "class": a + 6,
        "a'b": a + 7,
    }
    return {
        "list": [leaf, (leaf[:2], {"x": a})], "tuple": (), "dict": {}, "keys": odd, "shape": a, "data": leaf,
        "length": leaf[1], "none": None,
    }


@program((1.5, X), (-0.5, -X))
def duplicates(a, v):
    """The same value under several names, and the same computation written twice."""
    y = jnp.sin(v * a)
    return {"a": y, "b": y, "c": jnp.sin(v * a), "d": y[0], "e": y[0], "f": [y, y], "g": y.reshape(11, 3)}


@program(
    (X[:1], X[:1].reshape(1, 1), X[:0], X[:24].reshape(2, 3, 4)),
    (X[1:2], X[2:3].reshape(1, 1), X[:0], X[9:].reshape(2, 3, 4)),
)
def array_arguments(one, square, none, cube):
    """Arrays of one number, of none, of three axes."""
    return one * square[0], square.T + one[0], none * 2, none.sum(), cube.sum((0, 2)), cube[1, :, 2] * one, cube.T


@program((1, 2.0), (-3, 0.5))
def int_and_float(n, x):
    """A Python int is an integer and stays one."""
    return n, n // 2, n % 3, n * x, n / 4, jnp.arange(10) * n, jnp.asarray(n, float) ** 2
