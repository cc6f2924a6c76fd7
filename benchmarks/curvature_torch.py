"""The PyTorch side of benchmarks/curvature.py: hessian-eigenthings on the same network, the same data, the same spectra.

Runs by itself in an environment with torch and hessian-eigenthings (and without JAX); reads and writes .npz files.
"""

import sys
import time

import numpy as np
import torch
from hessian_eigenthings import HessianOperator, LambdaOperator, lanczos


def network(weights):
    layers = []
    for W in weights:
        layer = torch.nn.Linear(W.shape[1], W.shape[0], bias=False, dtype=torch.float64)
        layer.weight.data = torch.tensor(W)
        layers += [layer, torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


def main(source, target):
    given = np.load(source)
    found = {}
    X, y = torch.tensor(given["X"]), torch.tensor(given["y"])
    loss = lambda model, batch: 0.5 * torch.sum((model(batch[0]) - batch[1]) ** 2) / len(X)
    for place in ("start", "edge"):
        weights = [given[f"{place}{i}"] for i in range(int(given["arrays"]))]
        operator = HessianOperator(network(weights), [(X, y)], loss)
        for k in (1, 5):
            for steps in (2 * k, int(given["steps"])):
                seconds = []
                for _ in range(3):
                    begin = time.process_time()
                    pairs = lanczos(operator, k=k, which="LA", seed=0, max_iter=steps)
                    seconds.append(time.process_time() - begin)
                found[f"{place} {k} {steps}"] = np.r_[pairs.iterations, sorted(seconds)[1], pairs.eigenvalues.numpy()]
    for name in given["spectra"]:
        diagonal = torch.tensor(given[f"spectrum {name}"])
        operator = LambdaOperator(lambda v: diagonal * v, size=len(diagonal), dtype=torch.float64, device="cpu")
        for steps in (40, 100):
            pairs = lanczos(operator, k=3, which="LA", seed=0, max_iter=steps)
            found[f"spectrum {name} {steps}"] = pairs.eigenvalues.numpy()
    np.savez(target, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
