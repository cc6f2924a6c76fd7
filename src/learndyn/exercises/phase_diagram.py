"""Checks for the exercises of *The phase diagram*."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import _require as require
from learndyn import gates, kernels, teacher_student

# sizes, not constants: an answer must hold for all of them
CASES = ((0.1, 1.0), (0.3, -0.5), (2.0, 0.7), (1.0, 0.0), (0.05, -3.0))


def check_knobs(knobs: Callable) -> None:
    r"""|w| and |a| from overall scale and imbalance: $|a|\,|w| = \tau^2$ and $a^2 - |w|^2 = \delta$, both positive.

    Args:
      knobs: a function of (tau, delta) that returns the pair (norm of w, absolute readout).

    Raises:
      AssertionError: it names the property that fails, with the numbers.
    """
    require.callable_("knobs", knobs)
    for tau, delta in CASES:
        w, a = (float(number) for number in knobs(tau, delta))
        assert w > 0 and a > 0, f"both must be positive: for tau = {tau}, delta = {delta} they are {w:.4g} and {a:.4g}"
        assert abs(a * w / tau**2 - 1) < 1e-6, (
            f"overall scale: |a| |w| must be tau^2 = {tau**2:.4g}, but is {a * w:.4g} for delta = {delta}; "
            "tau is the geometric mean of the two"
        )
        assert abs(a**2 - w**2 - delta) < 1e-6 * max(1.0, abs(delta)), (
            f"imbalance: a^2 - |w|^2 must be {delta}, but is {a**2 - w**2:.6g} for tau = {tau}; "
            "downstream, delta < 0, the hidden weights are the larger ones"
        )
    print("The knobs are right: every scale and imbalance has one pair of norms, and this is it.")


def check_turning(velocity: Callable) -> None:
    r"""How fast a neuron's direction turns: $\frac{d}{dt}\frac{w}{|w|}$ under $\dot w = -a g$.

    Args:
      velocity: a function of (a, w, g), a scalar and two vectors (d,), that returns a vector (d,).

    Raises:
      AssertionError: it names the property that fails, with the numbers.
    """
    require.callable_("velocity", velocity)
    for key in jax.random.split(jax.random.key(11), 4):
        w, g = jax.random.normal(key, (2, 5))
        a = 1.7
        given = np.asarray(velocity(a, w, g))
        assert given.shape == (5,), f"the velocity must have the shape of w, (5,), but has {given.shape}"
        unit = w / jnp.linalg.norm(w)
        along = float(unit @ given)
        assert abs(along) < 1e-6, f"a direction keeps its length: the velocity must be orthogonal to w, but has {along:.3g} along it"
        wanted = jax.jvp(lambda v: v / jnp.linalg.norm(v), (w,), (-a * g,))[1]
        ratio = float(given @ wanted / (wanted @ wanted))
        assert np.allclose(given, wanted, rtol=1e-5, atol=1e-7), (
            f"the velocity is {ratio:.4g} times the true one here, with |w| = {float(jnp.linalg.norm(w)):.4g} and a = {a}: "
            "differentiate w / |w| and insert the flow, signs included"
        )
    print("The velocity is right: orthogonal to w, and in proportion to a / |w|.")


def check_gate_part(gate_part: Callable) -> None:
    """The kernel distance that flipped gates alone make: new gates, old weights.

    Args:
      gate_part: a function of (params0, params, X), parameters of a two-layer ReLU network at two moments, that returns
        a kernel distance.

    Raises:
      AssertionError: it names the property that fails, with the numbers.
    """
    require.callable_("gate_part", gate_part)
    key0, key1, key_x = jax.random.split(jax.random.key(12), 3)
    X = teacher_student.inputs(30, 4, key=key_x)
    start, other = (teacher_student.student(4, 6, scale=1.0, ratio=0.8, key=key) for key in (key0, key1))
    stretched = ({"W": start[0]["W"] * jnp.arange(1.0, 7.0)[:, None]}, {"W": start[1]["W"] * jnp.arange(6.0, 0.0, -1.0)[None, :]})
    still = float(gate_part(start, stretched, X))
    assert abs(still) < 1e-6, (
        f"neurons that grow and do not turn flip no gate: the part must be 0, but is {still:.4g}; "
        "take the old weights with the new gates, not the new weights"
    )
    given = float(gate_part(start, other, X))
    K0, K = (gates.kernel(start, X, gates.pattern(params, X)) for params in (start, other))
    wanted = float(kernels.kernel_distance(K, K0))
    assert abs(given - wanted) < 1e-5, (
        f"for two unrelated networks the part must be {wanted:.6g}, but is {given:.6g}: the distance is taken from the "
        "kernel at the start, and only the gates are those of the later moment"
    )
    print("The gate part is right: blind to growing, and it sees every turn.")
