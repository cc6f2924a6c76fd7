"""The study of thousands of networks: not one bit depends on interruptions, devices, or processes."""

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from learndyn import losses, lyapunov, models

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SMALL = dict(networks=601, steps=12, activations=("tanh",))  # more than a unit of one device; odd, for two processes
ARGUMENTS = ["--networks", "601", "--steps", "12", "--activations", "tanh"]


def script(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def driver():
    return script("lyapunov_study")


@pytest.fixture(scope="module")
def whole(driver):
    return driver.compute(driver.Study(**SMALL))


def same(one, other):
    assert sorted(one) == sorted(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def start(out, *more):
    """The command, in a process of its own that has one core and one device unless told otherwise."""
    command = [sys.executable, BENCHMARKS / "lyapunov_study.py", *ARGUMENTS, "--cores", "1", "--out", out, *more]
    return subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def end(processes):
    """Wait for all; what they said, where one failed."""
    try:
        said = [process.communicate(timeout=240)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, text in zip(processes, said):
        assert process.returncode == 0, text


def test_what_is_stored_is_what_each_network_does_alone(driver, whole):
    study = driver.Study(**SMALL)
    X, y = driver.problem(study)
    model = models.mlp((2, 2, 1), activation="tanh", parametrization="standard", bias_scale=1.0)
    loss = losses.squared_loss(model.apply, X, y)
    mean = lambda params: 2 / 64 * loss(params)
    params = jax.tree.map(lambda leaf: leaf[0], driver.starts(study, 600, 1)[0, 1])
    alone = lyapunov.spectrum(lyapunov.descent_map(mean, 0.01), params, 12, dt=0.01, keep=True, frame=jax.numpy.eye(9))
    assert whole["steps"].tolist() == [*range(1, 11), 12]
    by_time = lyapunov.finite_time_exponents(alone.growth, dt=0.01)
    np.testing.assert_allclose(whole["exponents"][0, 1, 600], by_time[whole["steps"] - 1], rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(whole["loss"][0, 1, 600, -1], mean(alone.state.point), rtol=1e-6)
    theta = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(alone.state.point)])
    np.testing.assert_allclose(whole["theta"][0, 1, 600], theta, rtol=1e-10)


def test_initializations_are_what_they_are_called(driver):
    drawn = driver.starts(driver.Study(), 0, 2000)
    weights = {j: np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(drawn[0, j])]) for j in (0, 1)}
    assert abs(weights[0].std() - 1) < 0.02 and np.abs(weights[0]).max() > 3.5
    assert abs(weights[1].std() - 3**-0.5) < 0.01 and np.abs(weights[1]).max() < 1
    assert not np.array_equal(*(jax.tree.leaves(drawn[i, 0])[0] for i in (0, 1)))
    later = driver.starts(driver.Study(), 7, 1)[1, 1]
    np.testing.assert_array_equal(jax.tree.leaves(later)[0][0], jax.tree.leaves(drawn[1, 1])[0][7])


class Cut(Exception):
    pass


@pytest.fixture
def interrupted(driver, tmp_path, monkeypatch):
    """Interrupts a study before the pieces of these numbers, and says how many were computed in all."""
    once, pieces = lyapunov.descend_networks, []

    def run(cuts):
        left = list(cuts)

        def piece(*given, **named):
            if left and len(pieces) == left[0]:
                left.pop(0)
                raise Cut
            pieces.append(named["every"])
            return once(*given, **named)

        monkeypatch.setattr(driver.checkpoints.Checkpoint, "due", lambda self: self.path is not None)
        monkeypatch.setattr(driver.lyapunov, "descend_networks", piece)
        for _ in cuts:
            with pytest.raises(Cut):
                driver.compute(driver.Study(**SMALL), checkpoint=tmp_path / "part")
        return pieces

    return run


# After so many pieces of 2 units by 2 initializations by 11 moments: within a run, between combinations, in the last unit.
@pytest.mark.parametrize("cuts", [(3, 11, 22), (25, 43)], ids=["early", "late"])
def test_an_interrupted_study_goes_on_to_the_same_bits(driver, whole, tmp_path, interrupted, cuts):
    pieces = interrupted(cuts)
    for _ in range(2):  # the second time there is nothing left to do
        same(driver.compute(driver.Study(**SMALL), checkpoint=tmp_path / "part"), whole)
        assert len(pieces) == 2 * 2 * 11  # nothing was computed twice


def test_a_checkpoint_of_another_study_is_refused(driver, tmp_path):
    small = driver.Study(networks=2, steps=1, activations=("tanh",))
    driver.compute(small, checkpoint=tmp_path / "part")
    with pytest.raises(ValueError, match=r"checkpoint must belong to this problem.* other study"):
        driver.compute(small._replace(steps=2), checkpoint=tmp_path / "part")
    with pytest.raises(ValueError, match="checkpoint must be a file in a folder that exists"):
        driver.compute(small, checkpoint=tmp_path / "nowhere" / "part")


def test_two_devices_give_the_bits_of_one_and_go_on_where_it_stopped(whole, tmp_path, interrupted):
    interrupted([3])  # the unit that was at work is begun again: it has another size
    out = tmp_path / "study.npz"
    process = start(out, "--cores", "2", "--checkpoint", tmp_path / "part")
    end([process])
    with np.load(out) as file:
        same(dict(file), whole)


def test_two_processes_give_the_bits_of_one(whole, tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    joined = ["--coordinator", f"localhost:{port}", "--processes", 2, "--checkpoint", tmp_path / "part", "--process"]
    end([start(tmp_path / f"{place}.npz", *joined, place) for place in range(2)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.npz", "part.0", "part.1"]
    with np.load(tmp_path / "0.npz") as file:
        same(dict(file), whole)


def test_tables_find_the_exponent_that_tells_and_say_what_they_leave_out(capsys):
    rng, steps = np.random.default_rng(0), np.array([1, 5, 10])
    exponents, loss = rng.normal(size=(1, 1, 400, 3, 9)), np.exp(rng.normal(size=(1, 1, 400, 3)))
    loss[..., -1] = np.where(exponents[..., 1, :].max(axis=-1) > 1.5, 3.0, 50.0)  # the largest tells, at step 5
    exponents[0, 0, 7, 1], loss[0, 0, 7, 2] = np.inf, np.nan
    results = dict(activations=["tanh"], initializations=["normal"], steps=steps, loss=loss, exponents=exponents)
    script("lyapunov_study_tables").show(results)
    lines = capsys.readouterr().out.splitlines()
    area = {line[2:16].strip(): [float(line[start:].split()[0]) for start in (16, 37)] for line in lines if "[" in line}
    low = np.sum(loss[0, 0, :, -1] < 4)
    assert "1 diverged" in lines[1] and lines[2] == f" low (< 4): {low} of 400" and " high (> 100): 1 of 400; not judged" in lines
    assert "1 runs left out: not finite before step 5" in lines[3]
    assert area["exponent 1"][1] == 1.0 and area["+ all: AUC"][1] > 0.3
    assert max(abs(area[name][t] - 0.5) for name, t in (("exponent 1", 0), ("loss", 0), ("loss", 1), ("exponent 9", 1))) < 0.12
