"""An ensemble is its members, one by one: numbers, interruptions, divergence, devices."""

import functools
import os
import subprocess
import sys
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from learndyn import descent, ensembles, losses, models

MODEL = models.mlp((3, 4, 1), activation="tanh", bias_scale=0.5)
X = jax.random.normal(jax.random.key(0), (7, 3))
Y = jnp.sin(X[:, :1])
LOSS = losses.squared_loss(MODEL.apply, X, Y)
RATES = jnp.array([0.01, 0.05, 0.02, 0.08, 0.005])
START = jax.vmap(lambda key: MODEL.init(key=key))(jax.random.split(jax.random.key(1), 5))
TIMES = [0, 3, 10, 20]


def same(left, right):
    jax.tree.map(np.testing.assert_array_equal, left, right)


@pytest.mark.parametrize("chunk", [None, 2])
@pytest.mark.parametrize("make", [optax.sgd, lambda rate: optax.adamw(rate, weight_decay=0.3)], ids=["sgd", "adamw"])
def test_members_are_single_runs(make, chunk):
    run = ensembles.descend(LOSS, START, RATES, [0, 5, 10, 20], optimizer=make, chunk=chunk)
    assert run.observed.shape == (4, 5) and run.stats["diverged"] == 0
    for e, rate in enumerate(RATES):
        alone = descent.descend(LOSS, jax.tree.map(lambda a: a[e], START), make(float(rate)), 20, every=5)
        np.testing.assert_allclose(run.observed[:, e], alone.observed[jnp.array([0, 1, 2, 4])], rtol=1e-12)
        for mine, theirs in zip(jax.tree.leaves(run.params), jax.tree.leaves(alone.params)):
            np.testing.assert_allclose(mine[e], theirs, rtol=1e-11, atol=1e-14)


def test_what_is_observed_and_when():
    seen = ensembles.descend(LOSS, START, RATES, TIMES, observe=lambda p: {"loss": LOSS(p), "all": p}, chunk=2)
    np.testing.assert_array_equal(seen.times, TIMES)
    same(jax.tree.map(lambda leaf: leaf[0], seen.observed["all"]), START)
    same(jax.tree.map(lambda leaf: leaf[-1], seen.observed["all"]), seen.params)
    for k in range(4):
        wanted = jax.vmap(LOSS)(jax.tree.map(lambda leaf: leaf[k], seen.observed["all"]))
        np.testing.assert_allclose(seen.observed["loss"][k], wanted, rtol=1e-13)
    late = ensembles.descend(LOSS, START, RATES, [20])
    np.testing.assert_allclose(late.observed[0], seen.observed["loss"][-1], rtol=1e-13)


def test_members_may_differ_in_more_than_their_start():
    """Linear regression on targets of their own: the closed form of every member."""
    targets = jax.random.normal(jax.random.key(2), (5, 7))
    loss = lambda w, target: 0.5 * jnp.sum((X @ w - target) ** 2)
    run = ensembles.descend(loss, jnp.zeros((5, 3)), RATES, [30], members=targets, chunk=2, observe=lambda w, y: w @ w)
    H = np.asarray(X.T @ X)
    for e, rate in enumerate(np.asarray(RATES)):
        exact = np.linalg.solve(H, (np.eye(3) - np.linalg.matrix_power(np.eye(3) - rate * H, 30)) @ X.T @ targets[e])
        np.testing.assert_allclose(run.params[e], exact, rtol=1e-9)
        np.testing.assert_allclose(run.observed[0, e], exact @ exact, rtol=1e-9)


def test_a_member_that_diverges_spoils_itself_alone():
    rates = RATES.at[2].set(50.0)
    loss = lambda w: 0.25 * jnp.sum(w**4) + jnp.sum(w**2)
    start = jnp.ones((5, 2))
    with pytest.warns(RuntimeWarning, match="1 of 5 members diverged, the first of them member 2"):
        run = ensembles.descend(loss, start, rates, TIMES, chunk=3)
    np.testing.assert_array_equal(run.stats["finite"], [True, True, False, True, True])
    assert run.stats["diverged"] == 1 and not np.isfinite(run.observed[-1, 2])
    good = np.array([0, 1, 3, 4])
    same(run.observed[:, good], ensembles.descend(loss, start[good], rates[good], TIMES, chunk=2).observed)


def test_a_loss_that_is_infinite_for_a_moment_is_told():
    loss = lambda w: jnp.where(w > 0.75, jnp.inf, 0.5 * w**2)  # its gradient is finite everywhere
    with pytest.warns(RuntimeWarning, match="1 of 2"):
        run = ensembles.descend(loss, jnp.array([1.0, 0.5]), jnp.array([0.5, 0.5]), [9], optimizer=lambda _: optax.sgd(0.5))
    np.testing.assert_array_equal(run.stats["finite"], [False, True])


def test_the_last_step_is_watched_too():
    with pytest.warns(RuntimeWarning, match="1 of 2"):
        run = ensembles.descend(lambda w: 0.5 * w**2, jnp.array([10.0, 10.0]), jnp.array([0.1, 1e308]), [1])
    np.testing.assert_array_equal(run.stats["finite"], [True, False])


# --- going on after an interruption


class Stop(Exception):
    pass


def interrupted(monkeypatch, path, *, after, **settings):
    """Run until so many checkpoints are on the disk, then break off."""
    calls = []
    save = ensembles.checkpoints.Checkpoint.save

    def breaking(self):
        save(self)
        calls.append(tuple(map(int, self.work["place"])))
        if len(calls) == after:
            raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(ensembles.checkpoints, "SECONDS", 0.0)
        patch.setattr(ensembles.checkpoints.Checkpoint, "save", breaking)
        with pytest.raises(Stop):
            ensembles.descend(LOSS, START, RATES, TIMES, checkpoint=path, **settings)
    return calls[-1]


ADAM = lambda rate: optax.adam(rate)


@pytest.mark.parametrize("after", [1, 4, 9, 12])
def test_going_on_is_one_run_bit_for_bit(monkeypatch, tmp_path, after):
    path, settings = tmp_path / "run.npz", {"chunk": 2, "optimizer": ADAM}
    whole = ensembles.descend(LOSS, START, RATES, TIMES, **settings)
    first, steps, *_ = interrupted(monkeypatch, path, after=after, **settings)
    assert (first, steps) != (0, 0) and first < 5
    calls = []
    monkeypatch.setattr(ensembles, "_compiled", counting(ensembles._compiled, calls))
    same(ensembles.descend(LOSS, START, RATES, TIMES, checkpoint=path, **settings), whole)
    assert 0 < sum(calls) <= 60 - first * 20 / 2 - steps  # three chunks of 20 steps: what was done is not done again
    calls.clear()
    same(ensembles.descend(LOSS, START, RATES, TIMES, checkpoint=path, **settings), whole)
    assert not calls  # the work was done
    assert os.listdir(tmp_path) == ["run.npz"]


def test_going_on_with_chunks_of_another_size(monkeypatch, tmp_path):
    whole = ensembles.descend(LOSS, START, RATES, TIMES)
    first, steps, *_ = interrupted(monkeypatch, tmp_path / "run.npz", after=9, chunk=2)
    assert first == 2 and steps > 0
    run = ensembles.descend(LOSS, START, RATES, TIMES, checkpoint=tmp_path / "run.npz", chunk=3)
    np.testing.assert_allclose(run.observed, whole.observed, rtol=1e-12)


def counting(compiled, calls):
    @functools.wraps(compiled)
    def with_count(*functions):
        begin, advance, look = compiled(*functions)
        return begin, lambda c, r, m, steps: calls.append(steps) or advance(c, r, m, steps), look

    return with_count


def test_a_torn_write_leaves_the_old_file(monkeypatch, tmp_path):
    path = tmp_path / "run.npz"
    interrupted(monkeypatch, path, after=2, chunk=2)
    before = path.read_bytes()
    monkeypatch.setattr(np, "savez", lambda file, **leaves: file.write(b"half") and (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        ensembles.descend(LOSS, START, RATES, TIMES, checkpoint=path, chunk=2)
    assert path.read_bytes() == before
    monkeypatch.undo()
    same(ensembles.descend(LOSS, START, RATES, TIMES, checkpoint=path, chunk=2),
         ensembles.descend(LOSS, START, RATES, TIMES, chunk=2))  # fmt: skip


OTHER = {
    "learning_rates": {"learning_rates": 2 * RATES},
    "params0": {"params0": jax.tree.map(lambda leaf: leaf + 1e-9, START)},
    "times": {"times": [0, 3, 10, 21]},
    "data": {"loss": losses.squared_loss(MODEL.apply, X, Y + 1e-9)},
    "optimizer": {"optimizer": lambda rate: optax.sgd(rate, momentum=0.9)},
    "observe": {"observe": lambda p: 2 * LOSS(p)},
}


@pytest.mark.parametrize("what", OTHER)
def test_a_checkpoint_of_another_problem_is_refused(tmp_path, what):
    usual = {"loss": LOSS, "params0": START, "learning_rates": RATES, "times": TIMES, "checkpoint": tmp_path / "a.npz"}
    ensembles.descend(**usual)
    with pytest.raises(ValueError, match=f"checkpoint must belong to this problem, .*other .*{what}"):
        ensembles.descend(**usual | OTHER[what])
    # the same problem, with every function made anew, is the same problem
    same(ensembles.descend(**usual | {"loss": losses.squared_loss(MODEL.apply, X, Y), "chunk": 2}).observed.shape, (4, 5))


def test_another_file_is_not_overwritten(tmp_path):
    path = tmp_path / "table.npz"
    np.savez(path, a=np.ones(3))
    with pytest.raises(ValueError, match="table.npz is another"):
        ensembles.descend(LOSS, START, RATES, TIMES, checkpoint=path)
    assert np.load(path)["a"].sum() == 3


@pytest.mark.parametrize("content", [b"", b"notes", b"PK\x03\x04 half of one", "array"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path, content):
    path = tmp_path / "a.npz"
    if content == "array":
        with open(path, "wb") as file:
            np.save(file, np.ones(3))
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="a.npz is another"):
        ensembles.descend(LOSS, START, RATES, TIMES, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("checkpoint", ["", "."])
def test_what_is_no_file_is_refused(checkpoint):
    with pytest.raises(ValueError, match=f"checkpoint must be a file .*{checkpoint!r}"):
        ensembles.descend(LOSS, START, RATES, TIMES, checkpoint=checkpoint)


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(monkeypatch, tmp_path):
    monkeypatch.setattr(ensembles.checkpoints.os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(ValueError, match="checkpoint must be in a folder that can be written"):
        ensembles.descend(LOSS, START, RATES, TIMES, checkpoint=tmp_path / "a.npz")


# --- speed: what makes it fast is in the program


def test_shared_inputs_make_one_product_for_the_whole_chunk():
    model = models.mlp((20, 8, 1), parametrization="standard")
    inputs = jax.random.normal(jax.random.key(0), (64, 20))
    loss = losses.squared_loss(model.apply, inputs, inputs[:, :1])
    params = jax.vmap(lambda key: model.init(key=key))(jax.random.split(jax.random.key(1), 6))
    begin, advance, _ = ensembles._compiled(loss, loss, optax.sgd)
    rates = jnp.full(6, 0.1)
    text = advance.lower(begin(params, rates), rates, None, 1).compile().as_text()
    assert "f64[64,48]" in text  # (n, d) times (d, 6 * m), and not six products


def test_the_chunk_is_as_large_as_fits():
    model = models.mlp((20, 8, 1), parametrization="standard")

    def fitting(n, count):
        loss = losses.squared_loss(model.apply, jnp.ones((n, 20)), jnp.ones((n, 1)))
        params = jax.vmap(lambda key: model.init(key=key))(jax.random.split(jax.random.key(1), 3))
        return ensembles._fitting(loss, params, None, count)

    assert fitting(10, 5) == 5
    few, many = fitting(1000, 10**6), fitting(4000, 10**6)
    assert 60 < few < 190 and 3.8 < few / many < 4.2  # an (n, 8) of doubles and its signs: 64 to 200 kB of 12 MB


# --- several devices


def test_two_devices_by_the_same_path():
    script = textwrap.dedent("""
        import jax, numpy as np, sys
        jax.config.update("jax_enable_x64", True)
        sys.path.insert(0, "tests")
        import test_ensembles as t
        assert len(jax.devices()) == 2
        shards = []
        look = t.ensembles._compiled
        def watching(*functions):
            begin, advance, observe = look(*functions)
            def watched(carry, *rest):
                shards.append(len(jax.tree.leaves(carry[0])[0].addressable_shards))
                text = advance.lower(carry, *rest).compile().as_text()
                assert "all-reduce" not in text and "all-gather" not in text and "collective" not in text
                out = advance(carry, *rest)
                assert all(len(leaf.addressable_shards) == 2 and leaf.addressable_shards[0].data.shape[0] == leaf.shape[0] // 2
                           for leaf in jax.tree.leaves(out))
                return out
            return begin, watched, observe
        t.ensembles._compiled = watching
        for chunk in (None, 3):
            run = t.ensembles.descend(t.LOSS, t.START, t.RATES, t.TIMES, chunk=chunk)
        print(shards[0], *run.observed.ravel())
    """)
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    shards, *observed = done.stdout.split()
    assert shards == "2"
    one = ensembles.descend(LOSS, START, RATES, TIMES)
    np.testing.assert_allclose(np.array(observed, dtype=float).reshape(4, 5), one.observed, rtol=1e-12)


def test_progress_tells_the_share_and_the_rest(capfd, monkeypatch):
    monkeypatch.setattr("learndyn._progress.SECONDS", 0.0)
    ensembles.descend(LOSS, START, RATES, [20], progress=True, chunk=3)
    lines = capfd.readouterr().err.splitlines()
    assert lines and all("of 100 member-steps" in line and "to go" in line for line in lines)
    shares = [float(line.split()[1].rstrip("%")) for line in lines]
    assert shares == sorted(shares) and shares[-1] == 100.0
    ensembles.descend(LOSS, START, RATES, [20])
    assert not capfd.readouterr().err
