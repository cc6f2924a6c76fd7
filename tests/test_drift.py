"""How laws break under descent: identities to rounding, drift in proportion to the step size, decay by weight decay."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from learndyn import conserved, descent, drift, flows, models

X, Y = jax.random.normal(jax.random.key(0), (8, 3)), jax.random.normal(jax.random.key(1), (8, 2))
NETWORK = models.mlp((3, 4, 2), activation="linear", parametrization="standard")
PARAMS = NETWORK.init(key=jax.random.key(2))
LOSS = lambda p: 0.5 * jnp.mean(jnp.sum((NETWORK.apply(p, X) - Y) ** 2, axis=1))
S = jax.random.normal(jax.random.key(3), (4, 4))
S = S + S.T


def rescale(p):
    return {"W": -S @ p[0]["W"]}, {"W": p[1]["W"] @ S}


Q = conserved.quantity(rescale, PARAMS)


def after(loss, params, learning_rate, weight_decay=0.0):
    gradient = jax.grad(loss)(params)
    return jax.tree.map(lambda p, g: (1 - learning_rate * weight_decay) * p - learning_rate * g, params, gradient)


# A softmax over logits that are scaled and shifted: invariant along c + s z, affine with both parts, B and b.
def shifted(z):
    z = z + jnp.array([0.3, -1.0, 0.2])
    z = z / jnp.linalg.norm(z)
    return -jnp.vdot(jnp.array([0.2, 0.5, 0.3]), jax.nn.log_softmax(3 * z))


MIXED = lambda z: z + jnp.array([0.3, -1.0, 0.2])


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("learning_rate", [1e-3, 0.1, 1.0])
def test_one_step_exactly(learning_rate, weight_decay):
    settings = {"learning_rate": learning_rate, "weight_decay": weight_decay}
    predicted = drift.after_step(LOSS, rescale, **settings)(PARAMS)
    assert predicted == pytest.approx(float(Q(after(LOSS, PARAMS, *settings.values()))), rel=1e-12)
    z = jnp.array([0.7, 0.4, -1.1])
    predicted = drift.after_step(shifted, MIXED, **settings)(z)
    assert predicted == pytest.approx(float(conserved.quantity(MIXED, z)(after(shifted, z, *settings.values()))), rel=1e-12)  # fmt: skip


def test_the_identity_is_that_of_the_matrix():
    """Q' = (1 - eta lambda)^2 Q + eta^2 (g_A' g_A - g_W g_W'), of which <S, .>/2 is the law of the generator."""
    learning_rate, weight_decay = 0.2, 0.1
    matrix = conserved.balancedness(after(LOSS, PARAMS, learning_rate, weight_decay))[0]
    before, kick = conserved.balancedness(PARAMS)[0], conserved.balancedness(jax.grad(LOSS)(PARAMS))[0]
    np.testing.assert_allclose(matrix, (1 - learning_rate * weight_decay) ** 2 * before + learning_rate**2 * kick, atol=1e-14)  # fmt: skip
    predicted = drift.after_step(LOSS, rescale, learning_rate=learning_rate, weight_decay=weight_decay)(PARAMS)
    assert predicted == pytest.approx(float(0.5 * jnp.sum(S * matrix)), rel=1e-12)


def test_the_identity_needs_the_symmetry():
    wrong = lambda p: ({"W": S @ p[0]["W"]}, {"W": p[1]["W"] @ S})
    predicted = drift.after_step(LOSS, wrong, learning_rate=0.1)(PARAMS)
    assert abs(predicted - conserved.quantity(wrong, PARAMS)(after(LOSS, PARAMS, 0.1))) > 1e-3


def test_batches_obey_the_identity_one_by_one():
    for rows in (slice(0, 3), slice(3, 8)):
        loss = lambda p: jnp.sum((NETWORK.apply(p, X[rows]) - Y[rows]) ** 2)
        predicted = drift.after_step(loss, rescale, learning_rate=0.05)(PARAMS)
        assert predicted == pytest.approx(float(Q(after(loss, PARAMS, 0.05))), rel=1e-12)


ETAS = np.array([0.02, 0.01, 0.005, 0.0025])


def drifts():
    out = []
    for eta in ETAS:
        run = descent.descend(LOSS, PARAMS, optax.sgd(eta), round(2.0 / eta), observe=Q, every=round(2.0 / eta))
        out.append(float(run.observed[-1] - run.observed[0]))
    return np.array(out)


def test_drift_at_a_fixed_time_is_in_proportion_to_the_step_size():
    """Slope of log drift in log eta; and the factor in front is the integral of the rate along the flow."""
    measured = drifts()
    slope = np.polyfit(np.log(ETAS), np.log(np.abs(measured)), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.03)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    times = jnp.asarray(np.append(nodes + 1.0, 2.0))
    rates = flows.gradient_flow(LOSS, PARAMS, times, observe=drift.rate(LOSS, rescale)).observed[:-1]
    integral = weights @ np.asarray(rates)
    ratio = measured / (ETAS * integral)
    assert abs(ratio[-1] - 1) < 0.01
    np.testing.assert_allclose((ratio - 1)[:-1] / (ratio - 1)[1:], 2.0, atol=0.1)  # what is left is of second order


def test_weight_decay_in_the_flow():
    """Degree 2 decays as exp(-2 lambda t), degree 1 as exp(-lambda t), whatever the loss does."""
    decay, times = 0.4, jnp.linspace(0.0, 2.0, 5)
    decayed = lambda p: LOSS(p) + 0.5 * decay * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(p))
    run = flows.gradient_flow(decayed, PARAMS, times, observe=Q)
    np.testing.assert_allclose(run.observed, Q(PARAMS) * jnp.exp(-2 * decay * times), rtol=1e-6)
    softmax = lambda z: -jax.nn.log_softmax(z)[0]
    total = conserved.quantity(jnp.ones_like, jnp.ones(3))
    run = flows.gradient_flow(lambda z: softmax(z) + 0.5 * decay * z @ z, jnp.array([1.0, 2.0, 0.5]), times, observe=total)
    np.testing.assert_allclose(run.observed, 3.5 * jnp.exp(-decay * times), rtol=1e-6)


def test_adam_keeps_no_law():
    """Its step is not along the gradient: Q changes already to first order in the step, at no smaller rate for small steps."""
    changes = []
    for eta in (1e-3, 1e-4):
        run = descent.descend(LOSS, PARAMS, optax.adam(eta), round(0.5 / eta), observe=Q, every=round(0.5 / eta))
        changes.append(float(run.observed[-1] - run.observed[0]))
    assert abs(changes[1]) > 0.1 and changes[0] == pytest.approx(changes[1], rel=0.05)
