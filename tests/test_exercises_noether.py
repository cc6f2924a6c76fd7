"""The property checks accept right answers and name what is wrong in typical wrong ones."""

import itertools

import jax.numpy as jnp
import pytest

from learndyn.exercises import noether


def test_power():
    noether.check_power(lambda W, a, power: jnp.sum(W**2, axis=1) - power * jnp.sum(a**2, axis=0))
    with pytest.raises(AssertionError, match=r"power 2: entry \d of the answer moves"):  # as if the power were one
        noether.check_power(lambda W, a, power: jnp.sum(W**2, axis=1) - jnp.sum(a**2, axis=0))
    with pytest.raises(AssertionError, match="power 1: entry"):  # the sign of a pair that grows together
        noether.check_power(lambda W, a, power: jnp.sum(W**2, axis=1) + power * jnp.sum(a**2, axis=0))
    with pytest.raises(AssertionError, match="must have shape"):  # summed over the neurons
        noether.check_power(lambda W, a, power: jnp.sum(W**2) - power * jnp.sum(a**2))
    with pytest.raises(AssertionError, match="holds 1 independent numbers, but 4"):  # the same law four times
        noether.check_power(lambda W, a, power: jnp.ones(4) * (jnp.sum(W**2) - power * jnp.sum(a**2)))
    with pytest.raises(AssertionError, match="holds 0 independent"):
        noether.check_power(lambda W, a, power: jnp.ones(4))


def test_attention():
    noether.check_attention(lambda Q, K: Q @ Q.T - K @ K.T)
    with pytest.raises(AssertionError, match="with k = 2 rows: entry . of the answer moves"):
        noether.check_attention(lambda Q, K: Q @ Q.T + K @ K.T)
    with pytest.raises(AssertionError, match=r"must have shape \(2, 2\), but has \(3, 3\)"):  # the inputs' side
        noether.check_attention(lambda Q, K: Q.T @ Q - K.T @ K)
    with pytest.raises(AssertionError, match="holds 2 independent numbers, but 3"):  # neurons alone, as for ReLU
        noether.check_attention(lambda Q, K: jnp.diag(jnp.diag(Q @ Q.T - K @ K.T)))


def hidden(k, d, sign=-1.0, inputs=None):
    def generator(i, j, u):
        def direction(p):
            J = jnp.zeros((k, k)).at[i, j].set(1.0).at[j, i].set(sign)
            return {"W": jnp.outer(J @ p["a"], jnp.eye(d)[u]), "a": jnp.zeros(k)}

        return direction

    return [generator(i, j, u) for i, j in itertools.combinations(range(k), 2) for u in range(inputs or d)]


def test_one_output():
    noether.check_one_output(hidden)
    with pytest.raises(AssertionError, match="generator 0 is no symmetry"):
        noether.check_one_output(lambda k, d: hidden(k, d, sign=1.0))
    with pytest.raises(AssertionError, match="the 1 generators add 1 dimensions"):  # one input
        noether.check_one_output(lambda k, d: hidden(k, d, inputs=1))
    with pytest.raises(AssertionError, match="the 0 generators add 0 dimensions"):
        noether.check_one_output(lambda k, d: [])
    with pytest.raises(AssertionError, match="the 3 generators add 0 dimensions"):  # a part of GL(k)
        known = lambda p: {"W": p["W"], "a": -p["a"]}
        noether.check_one_output(lambda k, d: [known] * (d * k * (k - 1) // 2))


def test_angle():
    noether.check_angle(lambda v: jnp.arctan2(v[1], v[0]))
    noether.check_angle(lambda v: v[1] / v[0])  # a function of the angle
    with pytest.raises(AssertionError, match="along which the flow moves"):
        noether.check_angle(lambda v: v[0] * v[1])
    with pytest.raises(AssertionError, match="a constant is conserved by everything"):
        noether.check_angle(lambda v: 0.0 * v[0])


def paired(params, inputs=True, biases=True, outputs=True, others=1.0):
    mean = jnp.eye(4).at[:2, :2].set(0.5) * jnp.array([1.0, 1.0, others, others])[None]
    one, two = params
    return (
        {"W": mean @ one["W"] if inputs else one["W"], "b": mean @ one["b"] if biases else one["b"]},
        {"W": two["W"] @ mean if outputs else two["W"], "b": two["b"]},
    )


def test_mirror():
    noether.check_mirror(paired)
    for part in ("inputs", "biases", "outputs"):
        with pytest.raises(AssertionError, match="the flow leaves it"):
            noether.check_mirror(lambda p, part=part: paired(p, **{part: False}))
    with pytest.raises(AssertionError, match="the second time moves"):
        noether.check_mirror(lambda p: paired(p, others=0.5))
    with pytest.raises(AssertionError, match="the subspace has dimension 2"):  # all hidden neurons gone
        zero = lambda p: ({"W": 0 * p[0]["W"], "b": 0 * p[0]["b"]}, {"W": 0 * p[1]["W"], "b": p[1]["b"]})
        noether.check_mirror(zero)
