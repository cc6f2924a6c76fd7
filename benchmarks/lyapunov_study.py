"""Can the first steps tell how training will end? The study: 32 000 networks, 5000 steps, 9 exponents at every step.

    python benchmarks/lyapunov_study.py                         # ten minutes of processor time
    python benchmarks/lyapunov_study.py --smoke                 # the same path in seconds, with few networks and steps
    python benchmarks/lyapunov_study.py --checkpoint part       # interrupted, it goes on with the same command

At the end it prints the tables of `lyapunov_study_tables.py`, which prints them again from the file.

Networks of 2 inputs, 2 hidden neurons and 1 output, 9 parameters: tanh and ReLU, started from normal and from uniform
random numbers, 8000 of each. Full-batch gradient descent at rate 0.01 on the mean squared residual over 64 points of
14 tanh(3 x1 - 1.5 x2 + 0.5) - 12 tanh(2 x1 + 2 x2), so that time is 0.01 per step. The QR decomposition is made at every
step; what is stored is seen at steps that are dense early. The file holds, numbers along the runs in single precision,

    activations, initializations, steps, X, y, rate, start_seed
    loss        (activation, initialization, network, time)     the mean squared residual; the last time is the end
    exponents   (activation, initialization, network, time, 9)  finite-time exponents since the start
    theta       (activation, initialization, network, 9)        the parameters at the end

Networks are shared out to all devices; the cores of a processor count as devices. Several processes, on one machine or on
several, are joined by JAX: start the same command in each with the address of the first, the number, and its own place,

    python benchmarks/lyapunov_study.py --coordinator host:1234 --processes 2 --process 0      # and 1 on the other

or, under Slurm, Open MPI, or on a cloud's own machines, with --join alone: JAX finds the three by itself. Each process has
its share of the networks and a checkpoint of its own; the first one gathers the shares and writes the file. Not one bit
of it depends on the numbers of devices and of processes, or on interruptions.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils

from learndyn import _checkpoint as checkpoints
from learndyn import lyapunov
from learndyn._progress import Countdown

ACTIVATIONS = ("tanh", "relu")
INITIALIZATIONS = ("normal", "uniform")
RATE = 0.01  # for the mean of the squared residuals
CHUNK = 128  # networks that a device works on at once: fixed, because it is part of the compiled code
BLOCKS = 4  # of them for each device between two looks at the clock
SEED = 8


class Study(NamedTuple):
    """What is computed: everything that its numbers depend on."""

    networks: int = 8000
    steps: int = 5000
    samples: int = 64
    precision: str = "float64"
    activations: tuple[str, ...] = ACTIVATIONS

    @property
    def combinations(self):
        return [(i, j) for i in range(len(self.activations)) for j in range(len(INITIALIZATIONS))]


SMOKE = Study(networks=300, steps=100)


def observed_steps(steps: int) -> list[int]:
    """1, 2, ..., 10, 15, ..., 100, 150, ..., 500, 1000, ... and the last."""
    dense = [*range(1, 10), *range(10, 100, 5), *range(100, 500, 50), *range(500, steps, 500)]
    return [step for step in dense if step < steps] + [steps]


def problem(study: Study):
    """X (s, 2) and y (s, 1)."""
    X = jnp.asarray(np.random.default_rng(0).uniform(-1.0, 1.0, (study.samples, 2)), study.precision)
    y = 14 * jnp.tanh(3 * X[:, 0] - 1.5 * X[:, 1] + 0.5) - 12 * jnp.tanh(2 * X[:, 0] + 2 * X[:, 1])
    return X, y[:, None]


def starts(study: Study, first: int, count: int):
    """Parameters of networks first, first + 1, ... by combination; each network has a key, whoever computes it."""
    draws = {"normal": jax.random.normal, "uniform": lambda *given: jax.random.uniform(*given, minval=-1.0)}

    def one(key, draw):
        theta = draw(key, (9,), study.precision)
        return {"W": theta[:4].reshape(2, 2), "b": theta[4:6]}, {"W": theta[6:8][None], "b": theta[8:]}

    def some(place, name):
        base = jax.random.fold_in(jax.random.key(SEED), place)
        keys = jax.vmap(lambda i: jax.random.fold_in(base, i))(jnp.arange(first, first + count))
        return jax.vmap(lambda key: one(key, draws[name]))(keys)

    places = enumerate(study.combinations)
    return {(i, j): some(place, INITIALIZATIONS[j]) for place, (i, j) in places}


class Share:
    """The networks of one process: all combinations of networks first, ..., first + count - 1, in units, step by step.

    A unit goes through all combinations and steps before the next begins, so that what is stored early is whole runs.
    """

    def __init__(self, study, index, processes, devices, checkpoint):
        self.study, self.devices = study, devices
        self.count = -(-study.networks // processes)  # the same for all, so that shares can be gathered
        self.first = index * self.count
        self.unit = min(BLOCKS * CHUNK * len(devices), self.count)
        self.times = observed_steps(study.steps)
        self.X, self.y = problem(study)
        shape = (len(study.activations), len(INITIALIZATIONS), self.count)
        self.work = {
            "loss": np.zeros((*shape, len(self.times)), np.float32),
            "exponents": np.zeros((*shape, len(self.times), 9), np.float32),
            "theta": np.zeros((*shape, 9), study.precision),
            # of the unit at work, with room for a unit of any size, as another machine may have chosen it
            "carry": [np.zeros((self.count, *rest), study.precision) for rest in ((9,), (9, 9), (9,))],
            "place": np.array([0, 0, 0, self.unit]),  # networks done, combination, moment, size of a unit
        }
        identity = {"study": repr(study), "share": f"{index} of {processes}", "jax": jax.__version__}
        identity = {name: checkpoints.digest(np.array(value)) for name, value in identity.items()}
        identity["data"] = checkpoints.digest((self.X, self.y, starts(study, self.first, 1)))
        path = None if checkpoint is None else f"{checkpoint}.{index}"
        if path is not None:
            checkpoints.require_path(path)
        self.file = checkpoints.Checkpoint(path, self.work, lambda: identity)

    def run(self, report=None):
        """All of it, or what an earlier run left to do."""
        self.file.recall()
        done, combination, moment, unit = map(int, self.work["place"])
        if unit != self.unit:  # another number of devices, perhaps: the unit that was at work begins again
            combination, moment = 0, 0
        whole = len(self.study.combinations) * self.study.steps
        steps_done = lambda: self.study.steps * combination + ([0] + self.times)[moment]
        total = self.count * whole
        if report is not None:
            report.begin(done * whole + self.size(done) * steps_done())
        while done < self.count:
            params = starts(self.study, self.first + done, self.size(done))
            while combination < len(self.study.combinations):
                state = self.resumed(done) if moment else params[self.study.combinations[combination]]
                while moment < len(self.times):
                    state = self.advance(state, done, combination, moment)
                    moment += 1
                    if report is not None:
                        report(done * whole + self.size(done) * steps_done(), total)
                    if self.file.due():
                        self.save(done, combination, moment, state)
                self.work["theta"][self.study.combinations[combination]][done : done + self.size(done)] = state.theta
                combination, moment = combination + 1, 0
            done, combination = done + self.size(done), 0
        if self.work["place"][0] < done:
            self.save(done, 0, 0, None)
        return self.work

    def size(self, done):
        return min(self.unit, self.count - done)

    def advance(self, state, done, combination, moment):
        """From one observation to the next."""
        place, end = self.study.combinations[combination], self.times[moment]
        stride = end - ([0] + self.times)[moment]
        rate = 2 * RATE / self.study.samples
        run = lyapunov.descend_networks(
            state, self.X, self.y, rate, stride, every=stride, activation=self.study.activations[place[0]],
            devices=self.devices, chunk=CHUNK,
        )  # fmt: skip
        part = slice(done, done + self.size(done))
        self.work["loss"][place][part, moment] = 2 / self.study.samples * np.asarray(run.loss[:, 0])
        self.work["exponents"][place][part, moment] = np.asarray(run.total[:, 0]) / (RATE * end)
        return run.state

    def save(self, done, combination, moment, state):
        if moment:  # else a combination begins, which needs nothing of the last
            for kept, now in zip(self.work["carry"], state):
                kept[: self.size(done)] = now
        self.work["place"][:] = done, combination, moment, self.unit
        self.file.save()

    def resumed(self, done):
        moved = [jnp.asarray(kept[: self.size(done)]) for kept in self.work["carry"]]
        moment = int(self.work["place"][2])
        return lyapunov.NetworksState(*moved, jnp.full(self.size(done), self.times[moment - 1], int))


def compute(study: Study, *, devices=None, checkpoint=None, report=None) -> dict[str, np.ndarray] | None:
    """The whole study: the arrays of the file in the first process, None in the others."""
    index, processes = jax.process_index(), jax.process_count()
    devices = jax.local_devices() if devices is None else devices
    share = Share(study, index, processes, devices, checkpoint)
    work = share.run(report if index == 0 else None)
    parts = {name: work[name] for name in ("loss", "exponents", "theta")}
    if processes > 1:
        # over the network, so that the processes need no common folder; their shares follow each other
        gathered = multihost_utils.process_allgather(parts, tiled=False)
        parts = {name: np.concatenate(list(np.asarray(part)), axis=2) for name, part in gathered.items()}
        if index:
            return None
    parts = {name: part[:, :, : study.networks] for name, part in parts.items()}
    facts = dict(activations=study.activations, initializations=INITIALIZATIONS, steps=share.times)
    facts |= dict(rate=RATE, start_seed=SEED)
    return {name: np.asarray(value) for name, value in (facts | {"X": share.X, "y": share.y} | parts).items()}


def store(path, results):
    """Whole or not at all."""
    part = Path(path).with_name(Path(path).name + ".part")
    with open(part, "wb") as file:
        np.savez(file, **results)
    os.replace(part, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="lyapunov_study.npz", help="the file of results")
    parser.add_argument("--checkpoint", help="where each process keeps what it has, under this name and its place")
    parser.add_argument("--smoke", action="store_true", help="few networks and steps")
    parser.add_argument("--networks", type=int, help="of each combination")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--activations", nargs="+", choices=ACTIVATIONS)
    parser.add_argument("--single", action="store_true", help="single precision: twice as fast, sums wrong by 1e-6 and more")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="processor cores that count as devices")
    parser.add_argument("--coordinator", help="host:port of the first process")
    parser.add_argument("--processes", type=int)
    parser.add_argument("--process", type=int)
    parser.add_argument("--join", action="store_true", help="find the other processes in the environment")
    given = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_num_cpu_devices", given.cores)
    if given.coordinator or given.join:
        jax.distributed.initialize(given.coordinator, given.processes, given.process)
    study = SMOKE if given.smoke else Study()
    changes = {name: getattr(given, name) for name in ("networks", "steps", "activations")}
    changes |= {"precision": "float32" if given.single else None}
    changes["activations"] = given.activations and tuple(given.activations)
    study = study._replace(**{name: value for name, value in changes.items() if value is not None})
    began, processor = time.perf_counter(), time.process_time()
    results = compute(study, checkpoint=given.checkpoint, report=Countdown("lyapunov_study", "network-steps"))
    if results is not None:
        store(given.out, results)
        wall, spent = time.perf_counter() - began, time.process_time() - processor
        number = len(study.combinations) * study.networks * study.steps
        print(f"{number:.3g} network-steps in {wall:.0f} s, of processor time {spent:.0f} s, on {jax.device_count()} devices"
              f" of {jax.process_count()} processes: {given.out}", file=sys.stderr)  # fmt: skip
        import lyapunov_study_tables  # its libraries are slow to load, and of no use to the other processes

        lyapunov_study_tables.show(results)


if __name__ == "__main__":
    main()
