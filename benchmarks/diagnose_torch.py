"""A PyTorch loop that logs what `learndyn.diagnose` reads, and the failures that it makes on purpose.

    python -m venv .torch && .torch/bin/pip install torch numpy
    python benchmarks/diagnose.py --torch .torch/bin/python

Runs by itself in an environment with torch and numpy (and without JAX): reads digits from an .npz file, writes one .csv
file a run. `Log` is what a loop of one's own needs. Another architecture (convolutions) and another optimizer (Adam) than
those that the thresholds were fitted on.
"""

import csv
import sys

import numpy as np

try:
    import torch
except ImportError:
    sys.exit("this needs torch: python -m venv .torch && .torch/bin/pip install torch numpy")
from torch import nn

STEPS, EVERY = 400, 4


class Log:
    """One line every few steps: losses, and the norms of gradients, parameters, and steps, layer by layer."""

    def __init__(self, model):
        self.layers = [m for m in model.modules() if getattr(m, "weight", None) is not None]
        self.lines, self.outputs = [], []
        for module in model.modules():
            if isinstance(module, (nn.ReLU, nn.Tanh, nn.Sigmoid)):
                module.register_forward_hook(lambda module, _, output: self.outputs.append((module, output.detach())))

    def norms(self, what):
        return [float(sum((what(p).detach() ** 2).sum() for p in layer.parameters()) ** 0.5) for layer in self.layers]

    def before(self, step, loss, model, loss_function, X, y, rate):
        """After backward(), before the optimizer's step."""
        self.outputs.clear()
        with torch.no_grad():
            validation = float(loss_function(model(X), y))
        gradients, sizes = self.norms(lambda p: p.grad), self.norms(lambda p: p)
        line = {"step": step, "train_loss": loss, "validation_loss": validation, "learning_rate": rate,
                "gradient_norm": np.linalg.norm(gradients), "parameter_norm": np.linalg.norm(sizes),
                "chance_loss": np.log(10)}  # fmt: skip
        line |= {f"layer_gradient_norm/{i}": norm for i, norm in enumerate(gradients)}
        for i, (module, h) in enumerate(self.outputs):
            if isinstance(module, nn.ReLU):  # a channel of a convolution is one unit
                line[f"dead_fraction/{i}"] = float((h.transpose(0, 1).flatten(1) == 0).all(dim=1).double().mean())
            else:
                flat = h.abs() > 0.97 if isinstance(module, nn.Tanh) else (h - 0.5).abs() > 0.485
                line[f"saturated_fraction/{i}"] = float(flat.double().mean())
        self.lines.append(line)
        self.outputs.clear()
        self.old = [[p.detach().clone() for p in layer.parameters()] for layer in self.layers]
        self.sizes = sizes

    def after(self):
        """After the optimizer's step."""
        for i, (layer, old) in enumerate(zip(self.layers, self.old)):
            moved = float(sum(((p.detach() - q) ** 2).sum() for p, q in zip(layer.parameters(), old)) ** 0.5)
            self.lines[-1][f"update_ratio/{i}"] = moved / max(self.sizes[i], 1e-30)

    def write(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, self.lines[0])
            writer.writeheader()
            writer.writerows(self.lines)


def convolutional(activation):
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 16, 3, padding=1), activation(), nn.Conv2d(16, 32, 3, stride=2), activation(),
        nn.Flatten(), nn.Linear(288, 64), activation(), nn.Linear(64, 10),
    )  # fmt: skip


def deep(activation, layers=8):
    return nn.Sequential(
        *(part for i in range(layers) for part in (nn.Linear(64, 64), activation())), nn.Linear(64, 10)
    )


def one(failure, seed, data, path):
    """Train once with a failure, and write the log."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(data["X"]))
    X, y = torch.tensor(data["X"])[order], torch.tensor(data["y"])[order]
    X, y, X_val, y_val = X[:1000], y[:1000], X[1300:1556], y[1300:1556]
    model = deep(nn.Sigmoid) if failure == "vanishing gradients" else convolutional(nn.ReLU)
    linear = [m for m in model.modules() if getattr(m, "weight", None) is not None]
    rate, batch, bad = 2e-3, 32, -1
    with torch.no_grad():
        if failure == "early plateau":
            rate = 3e-6
        elif failure == "divergence":
            rate = 3.0
        elif failure == "too much noise":
            rate, batch = 2e-2, 2
        elif failure == "loss spike":
            bad = int(rng.integers(150, 350))
        elif failure == "overfitting":
            X, y = X[:80], y[:80].clone()
            y[:24] = torch.tensor(rng.integers(10, size=24))
        elif failure == "distribution mismatch":
            X_val = X_val.reshape(-1, 8, 8).transpose(1, 2).reshape(-1, 64)
        elif failure == "exploding gradients":
            for layer in linear:
                layer.weight *= 8.0
        elif failure == "dead units":
            linear[2].bias -= 8.0
    log, loss_function = Log(model), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    recent = []
    for step in range(STEPS):
        drawn = torch.tensor(rng.integers(len(X), size=batch))
        inputs, labels = X[drawn], y[drawn]
        if step == bad:
            inputs, labels = 30.0 * inputs, (labels + 1) % 10
        optimizer.zero_grad()
        loss = loss_function(model(inputs), labels)
        loss.backward()
        recent.append(float(loss.detach()))
        if step % EVERY == 0:
            log.before(step, float(np.mean(recent)), model, loss_function, X_val, y_val, rate)
            recent.clear()
        optimizer.step()
        if step % EVERY == 0:
            log.after()
    log.write(path)


def main(source, folder, seeds):
    torch.set_num_threads(1)
    data = np.load(source)
    for failure in data["failures"]:
        for seed in range(int(seeds)):
            one(str(failure), seed, data, f"{folder}/{failure}.{seed}.csv")


if __name__ == "__main__":
    main(*sys.argv[1:])
