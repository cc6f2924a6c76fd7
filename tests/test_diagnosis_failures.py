"""The failures made on purpose: the training against an independent one, and every failure found."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from learndyn import diagnosis
from learndyn.diagnosis import failures, training

COUNT = 6  # the same everywhere: one compilation


def generate(failure, seed=0, severity=None, count=COUNT):
    return diagnosis.generate(failure, count, key=jax.random.key(seed), severity=severity)


def test_the_log_is_that_of_an_independent_training():
    """Optax's loss and steps, one run at a time, in double precision, from the same start and the same batches."""
    rng = np.random.default_rng(3)
    steps, every, several = 100, 4, []
    for activation in (0, 1):
        setting = failures._healthy(rng, steps) | {"activation": activation, "seed": np.uint32([1, 2]), "bad_step": 9, "damage": 3.0}
        several.append(training.Setting(**setting))
    logged = training.train(failures._stack(several), every=every)
    X, y = training.images()
    for i, setting in enumerate(several):
        seed = jnp.asarray(setting.seed)
        single = jax.tree.map(lambda leaf: leaf[i], failures._stack(several))
        params = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), training._start(single))
        activation = (jax.nn.relu, jnp.tanh)[setting.activation]

        def apply(params, x):
            for layer in params[:-1]:
                x = activation(jnp.einsum("oi,ni->no", layer["W"], x) + layer["b"][None])
            return jnp.einsum("oi,ni->no", params[-1]["W"], x) + params[-1]["b"][None]

        mean = lambda p, x, labels: optax.softmax_cross_entropy_with_integer_labels(apply(p, x), labels).mean()
        slope = jax.jit(jax.value_and_grad(mean))
        for line in range(4):
            held = mean(params, X[setting.validation], y[setting.validation])
            assert logged["validation_loss"][i, line] == pytest.approx(float(held), rel=1e-3)
            losses, norms = [], []
            for k in range(every * line, every * line + every):
                uniform = jax.random.uniform(jax.random.fold_in(jax.random.fold_in(seed, 99), k), (32,), jnp.float32)
                drawn = np.floor(uniform * np.float32(setting.count)).astype(int)[: setting.batch]
                x, labels = X[setting.train[drawn]], setting.labels[drawn]
                if k == 9:
                    x, labels = 3.0 * x, (labels + 1) % 10
                loss, g = slope(params, x, labels)
                losses.append(loss)
                norms.append(optax.tree.norm(g))
                params = jax.tree.map(lambda p, g: p - setting.rates[k] * g, params, g)
            count = 1 if line == 0 else every
            assert logged["train_loss"][i, line] == pytest.approx(np.mean(losses[:count]), rel=1e-3)
            assert logged["gradient_norm"][i, line] == pytest.approx(np.mean(norms[:count]), rel=1e-3)


def test_what_is_logged_hangs_together():
    record = generate("healthy")[0].record
    assert record["step"].tolist() == list(range(0, 400, 4)) and record["chance_loss"] == np.log(10)
    layers = np.linalg.norm(record["layer_gradient_norm"][0])
    np.testing.assert_allclose(record["gradient_norm"][0], layers, rtol=1e-5)
    sizes = record["learning_rate"][0] * record["layer_gradient_norm"][0] / record["update_ratio"][0]
    np.testing.assert_allclose(record["parameter_norm"][0], np.linalg.norm(sizes), rtol=1e-5)
    assert ("dead_fraction" in record) != ("saturated_fraction" in record)


def test_a_key_says_it_all():
    first, again, other = generate("loss spike"), generate("loss spike"), generate("loss spike", seed=1)
    for a, b, c in zip(first, again, other):
        assert (a.cause, a.severity) == (b.cause, b.severity)
        assert all(np.array_equal(a.record[name], b.record[name], equal_nan=True) for name in a.record)
        assert not np.array_equal(a.record["train_loss"], c.record["train_loss"])


def test_many_runs_go_in_pieces_of_one_shape(monkeypatch):
    whole = generate("healthy")
    monkeypatch.setattr(failures, "CHUNK", 4)
    for a, b in zip(whole, generate("healthy"), strict=True):
        assert a.cause == b.cause
        np.testing.assert_allclose(a.record["train_loss"][:10], b.record["train_loss"][:10], rtol=1e-3)


@pytest.mark.parametrize("failure", diagnosis.RECIPES)
def test_a_failure_is_found_on_seeds_of_its_own(failure):
    runs = generate(failure, seed=11, severity=0.6)
    assert {run.severity for run in runs} == {0.6} and {run.failure for run in runs} == {failure}
    found = [failure in diagnosis.diagnose(run.record).names for run in runs]
    assert sum(found) >= COUNT - 1, found


def test_healthy_runs_are_mostly_left_alone():
    accused = [diagnosis.diagnose(run.record).names for run in generate("healthy", seed=12)]
    assert sum(map(bool, accused)) <= 1, accused


def test_severity_is_felt():
    """The more severe, the further beyond the threshold."""
    score = lambda s: np.median([diagnosis.diagnose(r.record).scores[name] for r in generate(name, seed=13, severity=s)])
    for name in ("exploding gradients", "vanishing gradients"):
        assert score(1.0) > score(0.0) + 0.3
