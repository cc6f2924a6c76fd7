"""Gradient flow against exact solutions, invariances, conserved quantities; and how it fails."""

import contextlib
import time

import diffrax
import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from learndyn import flows, models

TIMES = jnp.array([0.0, 0.3, 1.0, 2.5])


def quadratic(seed=0, size=5):
    """A loss 1/2 (p - c)^T H (p - c) with eigenvalues from 0.1 to 5, and its exact flow."""
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(size, size)))
    H = Q @ np.diag(np.geomspace(0.1, 5, size)) @ Q.T
    center, start = rng.normal(size=size), jnp.asarray(rng.normal(size=size))
    loss = lambda p: 0.5 * (p - center) @ jnp.asarray(H) @ (p - center)
    exact = lambda t: center + expm(-H * t) @ (np.asarray(start) - center)
    return loss, start, exact


LOSS, START, EXACT = quadratic()
ALL = lambda p: p
AWX = lambda p: 0.5 * jnp.sum((p["a"] * p["w"] * 1.5 - 2.0) ** 2)  # one linear neuron, x = 1.5, y = 2
BALANCE = lambda p: p["a"] ** 2 - p["w"] ** 2
AWX_START = {"a": jnp.array(1.3), "w": jnp.array(-0.4)}


def test_quadratic_loss_against_the_matrix_exponential():
    run = flows.gradient_flow(LOSS, START, TIMES, observe=ALL)
    np.testing.assert_allclose(run.observed, [EXACT(float(t)) for t in TIMES], atol=2e-8)
    np.testing.assert_array_equal(run.observed[0], START)
    np.testing.assert_array_equal(run.times, TIMES)


@pytest.mark.parametrize(
    "solver, factor, least", [(None, 3, 0.85), (diffrax.Kvaerno5(), 100, 0.5)]
)
def test_the_error_falls_with_the_tolerance(solver, factor, least):
    """Over four decades of rtol; with Tsit5 in proportion to it."""
    rtols = [1e-4, 1e-6, 1e-8]
    errors = []
    for rtol in rtols:
        run = flows.gradient_flow(LOSS, START, TIMES, observe=ALL, rtol=rtol, atol=rtol, solver=solver)
        errors.append(max(np.linalg.norm(p - EXACT(float(t))) for p, t in zip(run.observed, TIMES)))
        assert errors[-1] < factor * rtol
    slope = np.polyfit(np.log10(rtols), np.log10(errors), 1)[0]
    assert least < slope < 1.2


def test_network_against_scipy():
    """A tanh network on few samples: DOP853 of scipy, on the flattened parameters, shares no code."""
    X, y = jax.random.normal(jax.random.key(0), (6, 3)), jax.random.normal(jax.random.key(1), (6, 2))
    model = models.mlp((3, 5, 2), activation="tanh", bias_scale=0.1)
    loss = lambda p: 0.5 * jnp.sum((model.apply(p, X) - y) ** 2)
    params = model.init(key=jax.random.key(2))
    flat, unravel = ravel_pytree(params)
    velocity = jax.jit(lambda t, v: -jax.grad(lambda v: loss(unravel(v)))(v))
    theirs = solve_ivp(velocity, (0.0, 2.0), flat, method="DOP853", rtol=1e-11, atol=1e-12)
    ours = flows.gradient_flow(loss, params, jnp.array([0.5, 2.0]))
    assert jax.tree.structure(ours.params) == jax.tree.structure(params)
    np.testing.assert_allclose(ravel_pytree(ours.params)[0], theirs.y[:, -1], atol=3e-8)


def test_energy_identity():
    """L(0) - L(t) is the integral of |grad L|^2, here by quadrature on the observed gradients."""
    nodes, weights = np.polynomial.legendre.leggauss(20)
    times = jnp.asarray(np.append((nodes + 1) / 2, 1.0))
    look = lambda p: {"loss": AWX(p), "speed": sum(g**2 for g in jax.tree.leaves(jax.grad(AWX)(p)))}
    run = flows.gradient_flow(AWX, AWX_START, times, observe=look, rtol=1e-10, atol=1e-12)
    lost = AWX(AWX_START) - run.observed["loss"][-1]
    assert lost == pytest.approx(weights @ np.asarray(run.observed["speed"][:-1]) / 2, rel=1e-8)
    assert bool(jnp.all(jnp.diff(run.observed["loss"]) < 0))


@pytest.mark.parametrize("rtol", [1e-5, 1e-8, 1e-11])
def test_balancedness_is_conserved_to_the_tolerance(rtol):
    """a^2 - w^2 of f = a w x: constant along the exact flow, so that its drift measures the integrator."""
    run = flows.gradient_flow(AWX, AWX_START, jnp.linspace(0.0, 3.0, 13), observe=BALANCE, rtol=rtol, atol=rtol / 100)
    drift = float(jnp.max(jnp.abs(run.observed - BALANCE(AWX_START))))
    assert drift < 30 * rtol
    if rtol == 1e-5:
        assert drift > 1e-9  # the gauge reads something


def test_a_multiple_of_the_loss_is_the_same_flow_on_another_clock():
    factor = 1e-12  # far below any time that a solver could take for a constant
    slow = flows.gradient_flow(LOSS, START, TIMES, observe=ALL)
    fast = flows.gradient_flow(lambda p: LOSS(p) / factor, START, TIMES * factor, observe=ALL)
    np.testing.assert_allclose(fast.observed, slow.observed, atol=2e-7)


def test_the_flow_has_no_memory():
    """Flowing to s + t is flowing to s and from there for t; and the path does not depend on who looks when."""
    end = lambda start, *times: flows.gradient_flow(LOSS, start, jnp.array(times), observe=ALL).params
    whole = end(START, 0.1, 0.2, 0.3, 1.7)
    rest = end(end(START, 0.1, 0.2, 0.3, 0.6), 0.2, 0.4, 0.6, 1.1)
    np.testing.assert_allclose(rest, whole, atol=1e-8)
    np.testing.assert_array_equal(end(START, 0.5, 1.0, 1.5, 1.7), whole)


def test_times_need_not_start_at_zero():
    late = jnp.array([0.3, 1.0, 2.0, 2.5])
    run = flows.gradient_flow(LOSS, START, late, observe=ALL)
    full = flows.gradient_flow(LOSS, START, TIMES, observe=ALL)
    np.testing.assert_allclose(run.observed[jnp.array([0, 1, 3])], full.observed[1:], rtol=1e-14)


def test_time_zero_alone():
    run = flows.gradient_flow(LOSS, START, jnp.array([0.0]), observe=ALL)
    np.testing.assert_array_equal(run.observed, START[None])
    np.testing.assert_array_equal(run.params, START)
    assert run.stats["num_steps"] == 0


def test_params_are_those_of_the_last_time():
    run = flows.gradient_flow(LOSS, START, TIMES, observe=ALL)
    np.testing.assert_allclose(run.params, run.observed[-1], rtol=1e-13)


def test_times_may_be_integers_a_list_or_numpy():
    wanted = flows.gradient_flow(LOSS, START, jnp.array([1.0, 2.0, 3.0, 4.0]), observe=ALL)
    with jaxtyping_off():
        for times in (jnp.array([1, 2, 3, 4]), [1, 2, 3, 4], np.array([1.0, 2.0, 3.0, 4.0])):
            run = flows.gradient_flow(LOSS, START, times, observe=ALL)
            np.testing.assert_array_equal(wanted.observed, run.observed)
            assert run.times.dtype == float


def test_observables_are_any_pytree():
    look = lambda p: {"both": (p["a"], p["w"]), "one": 1.0, "nothing": None}
    seen = flows.gradient_flow(AWX, AWX_START, TIMES, observe=look).observed
    assert seen["both"][0].shape == (4,) and seen["nothing"] is None
    np.testing.assert_array_equal(seen["one"], np.ones(4))


def test_the_default_observable_is_the_loss():
    default = flows.gradient_flow(LOSS, START, TIMES).observed
    seen = flows.gradient_flow(LOSS, START, TIMES, observe=ALL).observed
    np.testing.assert_allclose(default, jax.vmap(LOSS)(seen), rtol=1e-12)


def test_stats_count_steps():
    stats = flows.gradient_flow(LOSS, START, TIMES, observe=ALL).stats
    assert stats["num_steps"] == stats["num_accepted_steps"] + stats["num_rejected_steps"] > 5


def test_vmap_over_seeds_is_the_loop():
    starts = jax.random.normal(jax.random.key(3), (3, 5))
    batch = jax.vmap(lambda p: flows.gradient_flow(LOSS, p, TIMES, observe=ALL))(starts)
    for k, start in enumerate(starts):
        alone = flows.gradient_flow(LOSS, start, TIMES, observe=ALL)
        np.testing.assert_allclose(batch.observed[k], alone.observed, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(batch.params[k], alone.params, rtol=1e-12, atol=1e-13)


def test_compiled_once_for_new_numbers():
    traces = []

    def look(p):
        traces.append(1)
        return p

    for k, kind in enumerate((float, float, np.float64)):
        tolerances = {"rtol": kind(10.0 ** (-6 - k)), "atol": kind(1e-9)}
        flows.gradient_flow(LOSS, START + k, TIMES * (k + 1), observe=look, **tolerances)
        if k == 0:
            first = len(traces)
    assert len(traces) == first


# How it fails


@contextlib.contextmanager
def jaxtyping_off():
    """Users do not have the shape checks of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jaxtyping.config, "jaxtyping_disable", True)
        yield


def stiff(p):
    return 0.5e9 * p[0] ** 2 + p[1] ** 2


def running_away(p):
    return -jnp.sum(p**4)


def test_stiff_flows_say_so_and_the_advice_helps():
    start = jnp.ones(2)
    with pytest.raises(RuntimeError, match=r"t = \S+ of 1 after 300 .* max_steps = 300 .*stiff.*Kvaerno5"):
        flows.gradient_flow(stiff, start, jnp.array([1.0]), max_steps=300)
    run = flows.gradient_flow(stiff, start, jnp.array([1.0]), max_steps=300, solver=diffrax.Kvaerno5())
    np.testing.assert_allclose(run.params, [0.0, np.exp(-2.0)], atol=1e-7)


def test_diverging_parameters_say_where():
    """p' = 4 p^3 from 1 blows up at t = 1/8."""
    begin = time.monotonic()
    with pytest.raises(RuntimeError, match=r"stopped at t = 0\.125 of 1 .*not finite there, or the parameters diverge"):
        flows.gradient_flow(running_away, jnp.ones(1), jnp.array([1.0]), max_steps=10**8)
    assert time.monotonic() - begin < 60  # it does not try a hundred million times


@pytest.mark.parametrize(
    "loss",
    [
        lambda p: jnp.sum(p**2) + jnp.where(p[0] < 9, jnp.nan, 0.0),
        lambda p: jnp.sum(jnp.sqrt(p - 1)),
        lambda p: jnp.nan * p[0],
    ],
    ids=["value", "gradient", "both"],
)
def test_a_loss_that_is_not_finite_is_not_returned(loss):
    with pytest.raises(RuntimeError, match="not finite"):
        flows.gradient_flow(loss, jnp.ones(2), TIMES)


@pytest.mark.parametrize("transform", [jax.jit, lambda f: jax.jit(jax.vmap(f))], ids=["jit", "vmap"])
def test_failures_are_raised_inside_transformations(transform):
    run = transform(lambda p: flows.gradient_flow(running_away, p, jnp.array([1.0])).params)
    with pytest.raises(RuntimeError, match="gradient_flow failed: the loss is not finite there, or the parameters"):
        jax.block_until_ready(run(jnp.ones((2, 1))))


def test_a_single_failure_in_a_batch_is_raised():
    run = jax.vmap(lambda p: flows.gradient_flow(running_away, p, jnp.array([0.2])).params)
    np.testing.assert_allclose(run(jnp.array([[0.5], [0.6]]))[:, 0], (np.array([4, 1 / 0.36]) - 1.6) ** -0.5, rtol=1e-6)
    with pytest.raises(RuntimeError):
        jax.block_until_ready(run(jnp.array([[0.5], [1.0]])))


def test_thirty_two_bits():
    loss, start, exact = quadratic()  # its own: jax would meet the 32-bit trace of LOSS again in 64 bits
    with jax.enable_x64(False):
        start = jnp.asarray(np.asarray(start), jnp.float32)
        with pytest.raises(ValueError, match=r"rtol must be at least 1\.2e-06 .* float32.*1e-08"):
            flows.gradient_flow(loss, start, jnp.array([1.0]))
        run = flows.gradient_flow(loss, start, jnp.array([1.0]), rtol=2e-6, atol=2e-6)
        assert run.params.dtype == jnp.float32
    np.testing.assert_allclose(run.params, exact(1.0), atol=3e-5)


def test_progress_is_said_on_standard_error_and_changes_nothing(capfd, monkeypatch):
    clock = iter(np.arange(0.0, 1e4, 0.4))
    monkeypatch.setattr(flows._report, "begin", lambda: vars(flows._report).update(began=0.0, spoke=0.0))
    monkeypatch.setattr("learndyn._progress.time.monotonic", lambda: next(clock))
    silent = flows.gradient_flow(LOSS, START, TIMES, observe=ALL)
    jax.effects_barrier()
    assert capfd.readouterr() == ("", "")
    talking = flows.gradient_flow(LOSS, START, TIMES, observe=ALL, progress=True)
    jax.effects_barrier()
    out, err = capfd.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) >= 5 and lines[0].startswith("gradient_flow: ") and "of 100 % of the time" in lines[0]
    shares = [int(line.split()[1]) for line in lines]
    assert shares == sorted(shares) and shares[-1] <= 100 and shares[0] < 50
    np.testing.assert_array_equal(silent.observed, talking.observed)
    np.testing.assert_array_equal(silent.params, talking.params)
