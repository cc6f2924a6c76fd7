"""Training to equal loss: the steps are those of descent, each run by itself, and it stops where it says."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from learndyn import descent, models
from learndyn.equal_loss import train_to_loss

NET = models.mlp((3, 5, 1), activation="tanh")
X = jax.random.normal(jax.random.key(0), (12, 3))
Y = jnp.sign(X[:, :1] * X[:, 1:2])
STARTS = jax.vmap(lambda key: NET.init(key=key))(jax.random.split(jax.random.key(1), 3))
RATES = jnp.array([0.05, 0.4, 0.2])


def loss(params):
    return 0.5 * jnp.mean((NET.apply(params, X) - Y) ** 2)


def test_every_run_is_gradient_descent_until_the_target():
    done = train_to_loss(NET.apply, X, Y, STARTS, RATES, target=0.3, max_steps=5000)
    assert done.reached.all() and len(set(np.asarray(done.steps))) == 3
    for run in range(3):
        start = jax.tree.map(lambda p, run=run: p[run], STARTS)
        alone = descent.descend(loss, start, optax.sgd(float(RATES[run])), int(done.steps[run]))
        for a, b in zip(jax.tree.leaves(alone.params), jax.tree.leaves(done.params)):
            np.testing.assert_allclose(a, b[run], rtol=1e-9, atol=1e-12)
        assert alone.observed[-1] <= 0.3 < alone.observed[-2]
        np.testing.assert_allclose(done.losses[run], alone.observed[-1])


def test_it_says_what_did_not_arrive():
    free = train_to_loss(NET.apply, X, Y, STARTS, RATES, target=0.3, max_steps=5000)
    least, most = int(jnp.min(free.steps)), int(jnp.max(free.steps))
    done = train_to_loss(NET.apply, X, Y, STARTS, RATES, target=0.3, max_steps=most - 1)
    assert least < most and list(done.reached) == list(free.steps < most)
    assert list(done.steps) == list(jnp.minimum(free.steps, most - 1))


def test_one_that_blows_up_leaves_the_others_alone():
    linear = models.mlp((3, 2, 1), activation="linear")
    starts = jax.vmap(lambda key: linear.init(key=key))(jax.random.split(jax.random.key(2), 2))
    y = X @ jnp.ones((3, 1))
    done = train_to_loss(linear.apply, X, y, starts, jnp.array([0.1, 50.0]), target=1e-3, max_steps=5000)
    assert list(done.reached) == [True, False] and not jnp.isfinite(done.losses[1])


def test_batches():
    full = train_to_loss(NET.apply, X, Y, STARTS, RATES, target=0.3, max_steps=5000)
    key = jax.random.key(3)
    whole = train_to_loss(NET.apply, X, Y, STARTS, RATES, target=0.3, max_steps=5000, batch_size=12, key=key)
    assert list(whole.steps) == list(full.steps)  # a batch of all samples, in another order
    noisy = train_to_loss(NET.apply, X, Y, STARTS, RATES, target=0.3, max_steps=5000, batch_size=2, key=key)
    again = train_to_loss(NET.apply, X, Y, STARTS, RATES, target=0.3, max_steps=5000, batch_size=2, key=key)
    assert noisy.reached.all() and list(noisy.steps) != list(full.steps)
    assert list(noisy.steps) == list(again.steps)


def test_batches_are_unbiased():
    """One small step from the same start by many batches is on average the step of all samples."""
    one = jax.tree.map(lambda p: p[0], STARTS)
    many = jax.tree.map(lambda p: jnp.broadcast_to(p, (4000, *p.shape)), one)
    args = dict(target=1e-9, max_steps=1, batch_size=3, key=jax.random.key(4))
    after = train_to_loss(NET.apply, X, Y, many, jnp.full(4000, 0.1), **args).params
    moved = jax.tree.map(lambda a, b: a - b[None], after, one)
    exact = jax.tree.map(lambda g: -0.1 * g, jax.grad(loss)(one))
    for sample, mean in zip(jax.tree.leaves(moved), jax.tree.leaves(exact)):
        error = jnp.std(sample, axis=0) / 4000**0.5
        assert jnp.max(jnp.abs(jnp.mean(sample, axis=0) - mean) / error) < 5


@pytest.mark.parametrize("size", [1, 5])
def test_runs_of_a_batch_see_different_samples(size):
    one = jax.tree.map(lambda p: jnp.broadcast_to(p[0], (4, *p.shape[1:])), STARTS)
    after = train_to_loss(
        NET.apply, X, Y, one, jnp.full(4, 0.1), target=1e-9, max_steps=3, batch_size=size, key=jax.random.key(5)
    )
    assert len(np.unique(np.asarray(after.losses).round(12))) == 4
