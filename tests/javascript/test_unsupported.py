"""What has no JavaScript raises `Unsupported` while compiling, with the primitive and the line of the author's code."""

import inspect

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from learndyn.javascript import Unsupported, compile_to_js

X = np.linspace(-1, 1, 12)
UNSUPPORTED = {
    "complex numbers": lambda a: jnp.abs(lax.complex(a, a)),
    "convert_element_type complex numbers": lambda a: (a * 1j).imag,
    "fft complex numbers translation": lambda a: jnp.abs(jnp.fft.fft(a * X)),
    "eig": lambda a: jnp.abs(jnp.linalg.eigvals(a * X[:9].reshape(3, 3))),
    "conv_general_dilated": lambda a: jnp.convolve(a * X, X[:3]),
    "convert_element_type type float32": lambda a: a.astype(jnp.float32) * 2,
    "convert_element_type float32": lambda a: a.astype(jnp.int32) / 3,  # in JAX a quotient of 32-bit integers
    "qr": lambda a: jnp.linalg.qr(a * X[:9].reshape(3, 3)),
    "svd": lambda a: jnp.linalg.svd(a * X[:9].reshape(3, 3)),
    "population_count": lambda a: lax.population_count(a.astype(jnp.int64)),
    "clz": lambda a: lax.clz(a.astype(jnp.int64)),
    "nextafter": lambda a: lax.nextafter(a, a + 1),
    "bitcast_convert_type": lambda a: lax.bitcast_convert_type(a, jnp.int64),
    "pure_callback": lambda a: jax.pure_callback(np.sin, jax.ShapeDtypeStruct((), float), a),
    "io_callback": lambda a: jax.experimental.io_callback(np.sin, jax.ShapeDtypeStruct((), float), a),
    "debug_print": lambda a: jax.debug.print("{}", a),
    "random_seed": lambda a: jax.random.normal(jax.random.key(jnp.int32(a))),
    "dynamic_slice key": lambda a: jax.random.normal(jax.random.split(jax.random.key(0), 4)[a.astype(int)]),
    "random_fold_in": lambda a: jax.random.uniform(jax.random.fold_in(jax.random.key(0), jnp.int32(a))),
    "lgamma": lambda a: jax.scipy.special.gammaln(a),
    "top_k": lambda a: lax.top_k(a * X, 3)[0],
    "igamma": lambda a: jax.scipy.special.gammainc(a, 1.0),
    "reduce_precision": lambda a: lax.reduce_precision(a, 8, 23),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_unsupported(name):
    """Named as in JAX; the line is the one in this file where the author wrote it."""
    f = UNSUPPORTED[name]
    with pytest.raises(Unsupported) as caught:
        compile_to_js(lambda a: {"result": f(a)}, 1.0)
    line = inspect.getsourcelines(f)[1]
    assert f"test_unsupported.py:{line}" in str(caught.value)
    for word in name.split():
        assert word in str(caught.value)
    assert "draw from constant keys" in str(caught.value) or "random" not in name


def test_named_inside_of_loops():
    """In the middle of a scan in a conditional, the line is still the author's; the name of his function is there."""

    def author(c, _):
        return c + jnp.linalg.svd(c * X[:9].reshape(3, 3))[1][0], None

    with pytest.raises(Unsupported, match=r"'svd'.*test_unsupported\.py:\d+.*author") as caught:
        compile_to_js(lambda a: lax.cond(a > 0, lambda x: lax.scan(author, x, None, length=3)[0], lambda x: x, a), 1.0)
    assert f"py:{inspect.getsourcelines(author)[1] + 1}" in str(caught.value)


def test_no_trace_of_what_nobody_needs():
    """Dead code is not compiled: not even what could not be."""
    assert "cos" not in compile_to_js(lambda a: (jnp.fft.fft(a * X), jnp.cos(a), a * 2)[2], 1.0)


def test_constants_may_be_anything():
    """What does not depend on an argument is computed by JAX: complex numbers, single precision, keys."""
    f = lambda a: a * jnp.abs(jnp.fft.fft(X)) + jnp.float32(0.1) + jax.random.normal(
        jax.random.key(0), (12,),
    ) * jnp.linalg.eigvals(jnp.eye(2))[0].real
    assert "Math" not in compile_to_js(f, 1.0)


def test_a_check_that_fails_shows():
    """An error of equinox cannot stop a figure: its results become NaN, and only then."""
    from engine import agree, evaluate

    text = compile_to_js(lambda a: eqx.error_if(a * 2, a > 1, "too large"), 0.5)
    agree(evaluate(text, [(0.5,), (2.0,)]), [1.0, np.nan])
