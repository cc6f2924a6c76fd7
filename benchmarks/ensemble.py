"""Steps a second of a whole ensemble of networks, ours against loops and against the same training in PyTorch.

    python benchmarks/ensemble.py            # about a minute on two cores

The networks of the phase diagram: 100-50-1, ReLU, 1000 inputs that all members share, float32, plain gradient
descent with a learning rate for each member. "ours" is `ensembles.descend`, called as a chapter calls it, with its
observations, its copies to the host and its watch for numbers that are not finite. "loop" is `descent.descend` for one
member after another, compiled once, in the same process. PyTorch stays out of the library's environment; where it is
not found, the rest runs without it. To compare:

    python -m venv .torch && .torch/bin/pip install torch numpy   # the CPU build, where there is a choice
    python benchmarks/ensemble.py --torch .torch/bin/python

PyTorch trains one member after another with autograd, and all of them at once, batched by hand: with the batched
product, and with one product for all members, which is what XLA makes of ours. The same
formulas without autograd are there for the size of its cost. Every candidate runs in a process of its own with all
cores, is warmed up, counts with its best time, and ends with the loss of every member, which must agree. On a machine
with other work, --cores 1 is fairer: threads that must wait for each other suffer most.
"""

import argparse
import json
import os
import subprocess
import sys
import time

OURS = ["ours", "loop"]
THEIRS = ["torch loop", "torch batched", "torch one product", "torch no autograd"]


def problem(members: int, d: int, n: int, width: int) -> dict:
    """The same numbers for all, drawn by NumPy."""
    import numpy as np

    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    y = np.maximum(X @ rng.normal(size=(d, 3)), 0).sum(axis=1, keepdims=True)
    W, a = rng.normal(size=(members, width, d)) / d**0.5, rng.normal(size=(members, 1, width)) / width**0.5
    rates = np.geomspace(0.05, 0.5, members)
    return {name: array.astype("float32") for name, array in dict(X=X, y=y, W=W, a=a, rates=rates).items()}


def ours(candidate, members, data):
    """A function of a number of steps that trains all members and returns their losses."""
    import jax
    import jax.numpy as jnp
    import optax

    from learndyn import descent, ensembles, losses, models

    X, y = jnp.asarray(data["X"]), jnp.asarray(data["y"])
    model = models.mlp((X.shape[1], data["W"].shape[1], 1), parametrization="standard")
    squared = losses.squared_loss(model.apply, X, y)
    loss = lambda params: squared(params) / X.shape[0]
    params = ({"W": jnp.asarray(data["W"])}, {"W": jnp.asarray(data["a"])})
    if candidate == "ours":
        return lambda k: ensembles.descend(loss, params, data["rates"], [0, k]).observed[-1]
    # One optimizer for all members, so that one program serves them: the rate is part of what it remembers.
    sgd = optax.inject_hyperparams(optax.sgd)(learning_rate=1.0)

    def one(e, k):
        mine = jax.tree.map(lambda leaf: leaf[e], params)
        state = sgd.init(mine)
        state.hyperparams["learning_rate"] = jnp.asarray(data["rates"][e])
        return descent.descend(loss, mine, sgd, k, every=k, state=state).observed[-1]

    return lambda k: jax.block_until_ready(jnp.stack([one(e, k) for e in range(members)]))


def theirs(candidate, members, data, chunk):
    import torch

    X, y, W, a, rates = (torch.from_numpy(data[name]) for name in ("X", "y", "W", "a", "rates"))
    n, width, d = X.shape[0], W.shape[1], W.shape[2]

    def alone(W, a):
        return 0.5 * ((torch.relu(X @ W.T) @ a.T - y) ** 2).sum() / n

    def batched(W, a):  # (E, n, m): one product for each member
        h = torch.relu(X.expand(len(W), n, d) @ W.transpose(1, 2))
        return 0.5 * (((h @ a.transpose(1, 2))[..., 0] - y.T) ** 2).sum(dim=1) / n

    def one_product(W, a):  # (n, E * m): one product for all
        h = torch.relu(X @ W.reshape(-1, d).T).view(n, len(W), width)
        return 0.5 * (((h * a[:, 0]).sum(dim=-1) - y) ** 2).sum(dim=0) / n

    def train(loss, W, a, rate, k):
        W, a = W.clone().requires_grad_(), a.clone().requires_grad_()
        for _ in range(k):
            gradients = torch.autograd.grad(loss(W, a).sum(), (W, a))
            with torch.no_grad():
                W -= rate * gradients[0]
                a -= rate * gradients[1]
        with torch.no_grad():
            return loss(W, a)

    def by_hand(W, a, rate, k):
        W, a = W.clone(), a.clone()
        for _ in range(k):
            h = torch.relu(X @ W.reshape(-1, d).T).view(n, len(W), width)
            r = ((h * a[:, 0]).sum(dim=-1) - y) / n
            back = (h > 0) * (r[..., None] * a[:, 0])
            a -= rate * torch.einsum("nem,ne->em", h, r)[:, None]
            W -= rate * (back.view(n, -1).T @ X).view(W.shape)
        return one_product(W, a)

    if candidate == "torch loop":
        return lambda k: torch.stack([train(alone, W[e], a[e], rates[e], k) for e in range(members)])
    loss = {"torch batched": batched, "torch one product": one_product}.get(candidate)
    parts = [slice(i, min(i + chunk, members)) for i in range(0, members, chunk)]

    def whole(k):
        if loss is None:
            with torch.no_grad():
                return torch.cat([by_hand(W[p], a[p], rates[p, None, None], k) for p in parts])
        return torch.cat([train(loss, W[p], a[p], rates[p, None, None], k) for p in parts])

    return whole


def measure(candidates: list, members: int, steps: int, repeats: int, chunk: int, cores: int, **shape) -> dict:
    """Seconds and final losses of candidates that share a process, in turns."""
    if cores:  # before any library starts its threads
        os.sched_setaffinity(0, range(cores))
    data = problem(members, **shape)
    runs = {
        name: ours(name, members, data) if name in OURS else theirs(name, members, data, chunk) for name in candidates
    }
    results = {name: {"seconds": float("inf"), "losses": None} for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            losses = [float(loss) for loss in run(steps)]
            if turn:  # the first is for compilation, buffers, threads
                seconds = min(time.perf_counter() - start, results[name]["seconds"])
                results[name] = {"seconds": seconds, "losses": losses}
    return results


def in_own_process(python: str, **options) -> dict:
    command = [python, "-W", "ignore", __file__, "--one", json.dumps(options)]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{options['candidates']} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main(python: str, members: int, steps: int, repeats: int, cores: int) -> int:
    shape = {"members": members, "steps": steps, "repeats": repeats, "cores": cores, "d": 100, "n": 1000, "width": 50}
    with_torch = subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0
    if not with_torch:
        print("no PyTorch here: python -m venv .torch && .torch/bin/pip install torch numpy, "
              "then --torch .torch/bin/python; without it, compared with our own loop only")  # fmt: skip
    print(f"{members} members, {steps} steps, 1000 x 100 inputs, width 50, float32, {cores or os.cpu_count()} cores")
    print(f"  {'':20} {'member-steps/s':>15} {'ours is faster by':>18}", flush=True)
    reference, missed = None, []
    for group in [OURS] + [[name] for name in THEIRS] * with_torch:
        batched, where = group[0] in THEIRS[1:], sys.executable if group is OURS else python
        tried = [in_own_process(where, candidates=group, chunk=c, **shape) for c in ((8, 32) if batched else (1,))]
        for name in group:
            best = min((results[name] for results in tried), key=lambda result: result["seconds"])
            reference = reference or best
            ratio = best["seconds"] / reference["seconds"]
            print(f"  {name:20} {members * steps / best['seconds']:15.0f} {ratio:18.2f}", flush=True)
            if best is not reference and ratio <= 1:
                missed.append(f"{name} is faster")
            off = max(abs(x - y) / y for x, y in zip(best["losses"], reference["losses"]))
            if off > 1e-3:
                missed.append(f"{name} ends elsewhere: losses differ by {off:.1e}")
    print("\n" + ("\n".join(missed) or "ahead of all; all end at the same losses"))
    return 1 if missed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--members", type=int, default=96)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cores", type=int, default=0, help="use only so many, where the system can (default: all)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(**json.loads(arguments.one))))
    else:
        given = arguments
        sys.exit(main(given.torch, given.members, given.steps, given.repeats, given.cores))
