"""Generated programs: whatever is put together from the rules must agree with JAX, too."""

import jax
import jax.numpy as jnp
import numpy as np
from engine import agree, evaluate
from generator import sources
from hypothesis import HealthCheck, given, settings
from jax import lax
from programs import jit

from learndyn.javascript import compile_to_js

RANDOM = np.random.default_rng(0)
ARGUMENTS = [
    (
        a, n, *(np.tanh(RANDOM.normal(size=shape)) for shape in ((5,), (3, 4), (2, 3, 2))),
    ) for a, n in ((0.7, 2), (-0.45, 0), (0.2, 7))
]


@settings(derandomize=True, deadline=None, max_examples=140, suppress_health_check=list(HealthCheck))
@given(source=sources())
def test_generated(source):
    """At three arguments, by which branches and the lengths of loops differ."""
    scope = {"jax": jax, "jnp": jnp, "lax": lax}
    exec(source, scope)
    f, jitted = scope["f"], jit(scope["f"])
    for args, js in zip(ARGUMENTS, evaluate(compile_to_js(f, *ARGUMENTS[0]), ARGUMENTS), strict=True):
        agree(js, jitted(*args), scale=1e-3)  # a derivative may be zero up to rounding
