"""Descent against closed forms and hand-written loops; resuming, failing, reporting."""

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from learndyn import descent, flows, models

H = np.diag([0.2, 1.0, 3.0]) + 0.1
START = jnp.array([1.0, -2.0, 0.5])
LOSS = lambda p: 0.5 * p @ jnp.asarray(H) @ p
ALL = lambda p: p
SGD, ADAM = optax.sgd(0.3), optax.adam(0.05)


def test_gradient_descent_is_a_matrix_power():
    run = descent.descend(LOSS, START, SGD, 12, observe=ALL)
    wanted = [np.linalg.matrix_power(np.eye(3) - 0.3 * H, k) @ START for k in range(13)]
    np.testing.assert_allclose(run.observed, wanted, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(run.times, np.arange(13))
    np.testing.assert_array_equal(run.params, run.observed[-1])


def test_the_default_observable_is_the_loss():
    run = descent.descend(LOSS, START, SGD, 6, every=3)
    seen = descent.descend(LOSS, START, SGD, 6, every=3, observe=ALL).observed
    np.testing.assert_allclose(run.observed, [LOSS(p) for p in seen], rtol=1e-14)


def test_adam_against_its_formulas():
    p, m, v = np.asarray(START), np.zeros(3), np.zeros(3)
    path = [p]
    for k in range(1, 8):
        g = H @ p
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        p = p - 0.05 * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
        path.append(p)
    np.testing.assert_allclose(descent.descend(LOSS, START, ADAM, 7, observe=ALL).observed, path, rtol=1e-10)


def test_schedules_count_from_the_first_step():
    rates = [0.1, 0.2, 0.3, 0.05]
    optimizer = optax.sgd(lambda k: jnp.asarray(rates)[k])
    wanted = START
    for rate in rates:
        wanted = wanted - rate * H @ wanted
    np.testing.assert_allclose(descent.descend(LOSS, START, optimizer, 4).params, wanted, rtol=1e-13)


@pytest.mark.parametrize("optimizer", [SGD, ADAM, optax.sgd(0.1, momentum=0.9)], ids=["sgd", "adam", "momentum"])
def test_going_on_is_one_run_bit_for_bit(optimizer):
    model = models.mlp((2, 6, 1), activation="tanh")
    X = jax.random.normal(jax.random.key(0), (5, 2))
    loss = lambda p: 0.5 * jnp.sum((model.apply(p, X) - 1.0) ** 2)
    params = model.init(key=jax.random.key(1))
    whole = descent.descend(loss, params, optimizer, 8)
    half = descent.descend(loss, params, optimizer, 4)
    rest = descent.descend(loss, half.params, optimizer, 4, state=half.stats["state"])
    jax.tree.map(np.testing.assert_array_equal, whole.params, rest.params)
    jax.tree.map(np.testing.assert_array_equal, whole.stats, rest.stats)
    np.testing.assert_array_equal(whole.observed[4:], rest.observed)


@pytest.mark.parametrize("every", [2, 3, 12])
def test_every(every):
    full = descent.descend(LOSS, START, ADAM, 12, observe=ALL)
    some = descent.descend(LOSS, START, ADAM, 12, observe=ALL, every=every)
    np.testing.assert_array_equal(some.times, full.times[::every])
    np.testing.assert_allclose(some.observed, full.observed[::every], rtol=1e-14)
    np.testing.assert_allclose(some.params, full.params, rtol=1e-14)


def test_observables_are_any_pytree():
    look = lambda p: {"pair": (p, p[0]), "one": 1.0, "nothing": None, "largest": jnp.argmax(p)}
    seen = descent.descend(LOSS, START, SGD, 4, observe=look, every=2).observed
    assert seen["pair"][0].shape == (3, 3) and seen["pair"][1].shape == (3,) and seen["nothing"] is None
    np.testing.assert_array_equal(seen["one"], np.ones(3))
    assert seen["largest"].dtype == int


def test_small_steps_follow_the_flow():
    """At fixed time the distance from the gradient flow is of first order in the learning rate."""
    flow = flows.gradient_flow(LOSS, START, jnp.array([1.0])).params
    errors = [
        float(jnp.linalg.norm(descent.descend(LOSS, START, optax.sgd(1 / steps), steps).params - flow))
        for steps in (100, 200)
    ]
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.05)


def test_line_searches_get_what_they_ask_for():
    loss = lambda p: jnp.sum(100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2)  # Rosenbrock; minimum at ones
    run = descent.descend(loss, jnp.array([-1.2, 1.0]), optax.lbfgs(), 60, every=60)
    np.testing.assert_allclose(run.params, 1.0, atol=1e-6)


def test_vmap_is_the_loop():
    starts = jnp.stack([START, 2 * START])
    batch = jax.vmap(lambda p: descent.descend(LOSS, p, ADAM, 5))(starts)
    for k, start in enumerate(starts):
        np.testing.assert_allclose(batch.observed[k], descent.descend(LOSS, start, ADAM, 5).observed, rtol=1e-13)


def test_compiled_once_for_new_numbers():
    traces = []

    def look(p):
        traces.append(1)
        return p

    for k in range(3):
        descent.descend(LOSS, START + k, SGD, 4, observe=look)
        if k == 0:
            first = len(traces)
    assert len(traces) == first


def test_a_loss_is_forgotten_in_the_end():
    """The data that a loss holds must not stay in memory for ever."""
    loss = (lambda scale: lambda p: jnp.sum(p**2) * scale)(jnp.ones(()))
    alive = weakref.ref(loss)
    descent.descend(loss, START, SGD, 1)
    del loss
    kept = descent._compiled.cache_parameters()["maxsize"]
    assert kept <= 32
    for k in range(kept):
        descent._compiled(k, None, None, 1, 1, False)
    gc.collect()
    assert alive() is None


# How it fails


@pytest.mark.parametrize("every", [1, 10, 100])
def test_divergence_names_the_last_finite_observation(every):
    """p -> -29 p overflows in p^2, the loss, first."""
    loss = lambda p: 0.5 * jnp.sum(p**2)
    first = next(k for k in range(400) if 29 ** (2 * k) > 2**1024)
    after = -(-first // every) * every
    match = rf"finite at step {after - every} and no longer at step {after} of 400; the learning rate is too high"
    with pytest.raises(FloatingPointError, match=match):
        descent.descend(loss, jnp.ones(1), optax.sgd(30.0), 400, every=every)


@pytest.mark.parametrize(
    "loss",
    [lambda p: p[0] + jnp.where(p[0] < 9, jnp.nan, 0.0), lambda p: jnp.sum(jnp.sqrt(p - 1))],
    ids=["value", "gradient"],
)
def test_a_loss_that_is_not_finite_is_not_returned(loss):
    with pytest.raises(FloatingPointError, match="descend: the loss"):
        descent.descend(loss, jnp.ones(2), SGD, 3)


def test_parameters_that_are_not_finite_are_not_returned():
    """The loss stays finite, at -10, where the parameter is infinite."""
    with pytest.raises(FloatingPointError, match="finite at step 0 and no longer at step 1 of 3"):
        descent.descend(lambda p: 10 * jnp.tanh(p), jnp.array(0.0), optax.sgd(1e308), 3)


def test_a_loss_that_is_nan_between_two_observations_is_seen():
    """Steps 0, 1, 2, ... go down; the loss is NaN at step 3 alone, while parameters stay finite."""
    loss = lambda p: p + jnp.where(jnp.abs(p + 3) < 0.1, jnp.nan, 0.0)
    with pytest.raises(FloatingPointError, match="finite at step 0 and no longer at step 10 of 20"):
        descent.descend(loss, jnp.array(0.0), optax.sgd(1.0), 20, every=10)


def test_sweeps_may_cross_the_edge_of_stability():
    """Inside a vmap the numbers come back as they are, as documented."""
    rates = jnp.array([0.1, 1e6])
    run = jax.vmap(lambda rate: descent.descend(LOSS, START, optax.sgd(rate), 60).params)(rates)
    assert bool(jnp.isfinite(run[0]).all()) and not bool(jnp.isfinite(run[1]).any())


def test_progress_is_said_on_standard_error_and_changes_nothing(capfd, monkeypatch):
    clock = iter(np.arange(0.0, 1e5, 0.3))
    monkeypatch.setattr(descent._report, "begin", lambda: vars(descent._report).update(began=0.0, spoke=0.0))
    monkeypatch.setattr("learndyn._progress.time.monotonic", lambda: next(clock))
    silent = descent.descend(LOSS, START, ADAM, 200, every=2)
    jax.effects_barrier()
    assert capfd.readouterr() == ("", "")
    talking = descent.descend(LOSS, START, ADAM, 200, every=2, progress=True)
    jax.effects_barrier()
    out, err = capfd.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert 10 <= len(lines) <= 50  # 100 blocks, 0.3 s each by this clock, at most a line a second
    steps = [int(line.split()[1]) for line in lines]
    assert steps == sorted(steps) and all(line.startswith("descend: ") and "of 200 steps" in line for line in lines)
    np.testing.assert_array_equal(silent.observed, talking.observed)
    jax.tree.map(np.testing.assert_array_equal, silent.stats, talking.stats)
