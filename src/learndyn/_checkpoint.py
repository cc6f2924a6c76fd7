"""Work in a file: long work that is interrupted goes on where it was, and never with the wrong problem."""

import hashlib
import os
import re
import time
from pathlib import Path

import jax
import numpy as np

SECONDS = 60.0  # between two writes


class Checkpoint:
    """A pytree of NumPy arrays, filled in place, and a copy of it on the disk; without a path there is no copy.

    Args:
      path: the file, or None.
      work: the arrays.
      identity: a function without arguments that returns `{name: digest}`, what makes the problem this one.
    """

    def __init__(self, path, work, identity):
        self.path, self.work, self.saved = path and Path(path), work, time.monotonic()
        self.identity = identity() if path else None

    def recall(self):
        """Fill the arrays from the file, if there is one."""
        if self.path is None or not self.path.exists():
            return
        with np.load(self.path, allow_pickle=False) as file:
            if "identity" not in file:
                raise ValueError(f"checkpoint must be a file that this function wrote, but {self.path} is another")
            past = file["identity"].tolist()
            other = [name for name, digest in self.identity.items() if f"{name}: {digest}" not in past]
            if other:
                raise ValueError(
                    f"checkpoint must belong to this problem, but {self.path} is of one with other {', '.join(other)}; "
                    "name another file, or remove this one"
                )
            for i, leaf in enumerate(jax.tree.leaves(self.work)):
                leaf[...] = file[f"leaf{i}"]

    def due(self):
        return self.path is not None and time.monotonic() - self.saved >= SECONDS

    def save(self):
        if self.path is None:
            return
        part = self.path.with_name(self.path.name + ".part")
        with open(part, "wb") as file:
            leaves = {f"leaf{i}": leaf for i, leaf in enumerate(jax.tree.leaves(self.work))}
            np.savez(file, identity=[f"{name}: {digest}" for name, digest in self.identity.items()], **leaves)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self.path)  # whole or not at all
        self.saved = time.monotonic()


def digest(tree):
    """A short name for the numbers of a pytree."""
    bits = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        leaf = np.asarray(leaf)
        bits.update(f"{leaf.shape}{leaf.dtype}".encode() + leaf.tobytes())
    return bits.hexdigest()


def program_digests(function, *example):
    """Two short names: for what a function computes, and for the numbers that it closes over."""
    traced = jax.make_jaxpr(function)(*example)
    text = re.sub(r"0x[0-9a-f]+", "", str(traced.jaxpr))  # where functions lie in memory is no part of a problem
    return hashlib.sha256(text.encode()).hexdigest(), digest(traced.consts)
