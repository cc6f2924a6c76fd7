"""The linear neuron in the browser: the closed form and what figures draw beside it, in V8 as in JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from engine import agree, evaluate

from learndyn import neuron
from learndyn.javascript import compile_to_js

SPECIAL = [  # a0, w0 and the angle of the target: balanced, at rest, on the stable manifold, far from zero, nearly zero
    (1.0, 0.6, 0.8, 0.3), (0.0, 0.0, 0.0, 0.3), (1.0, -1.0, 0.0, 0.0), (0.0, 3.0, 1.0, 2.0), (2.0, 0.0, 0.0, 1.0),
    (7.0, -0.1, 0.3, -1.0), (-0.1, 7.0, 0.3, -1.0), (1e-9, 1e-8, -1e-8, 0.5),
]  # fmt: skip


def starts(count):
    return [tuple(row) for row in np.random.default_rng(0).normal(size=(count, 4)).tolist()] + SPECIAL


@pytest.mark.parametrize("count", [1, 40])
def test_the_path(count):
    """At one time, which becomes variables, and at many, which become loops; small enough for a page."""
    times = jnp.linspace(0.0, 300.0, count) ** 2

    def path(a0, w1, w2, angle):
        target = jnp.stack([jnp.cos(angle), jnp.sin(angle)])
        run = neuron.solve(times + 0.5, a0, jnp.stack([w1, w2]), jnp.eye(2), target)
        return {"a": run.a, "w": run.w}

    text, arguments = compile_to_js(path, *SPECIAL[0]), starts(200)
    assert len(text) < 6_000
    for js, args in zip(evaluate(text, arguments), arguments):
        agree(js, jax.jit(path)(*args))


def test_the_geometry():
    def geometry(a, w1, w2, delta):
        w, X = jnp.stack([w1, w2]), jnp.array([[0.5, 1.0], [-1.0, 2.0]])
        beta, rates = a * w, (0.5, 2.0)
        return [
            neuron.imbalance(a, w, learning_rates=rates),
            neuron.ntk(a, w, X, learning_rates=rates),
            neuron.preconditioner(beta, delta, learning_rates=rates),
            neuron.from_function(beta, delta),
            neuron.potential(beta, delta),
            neuron.tilt(beta, delta),
        ]

    text, arguments = compile_to_js(geometry, *SPECIAL[0]), starts(200)
    arguments += [(a, w1, w2, sign * delta) for a, w1, w2, delta in arguments[:50] for sign in (0.0, 1e-9, -1e3)]
    for js, args in zip(evaluate(text, arguments), arguments):
        agree(js, jax.jit(geometry)(*args))
