"""Work in a file: long work that is interrupted goes on where it was, and never with the wrong problem."""

import hashlib
import os
import re
import time
from pathlib import Path
from zipfile import BadZipFile

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
        another = ValueError(f"checkpoint must be a file that this function wrote, but {self.path} is another")
        with open(self.path, "rb") as stream:
            try:
                file = np.load(stream, allow_pickle=False)
                past = file["identity"].tolist()
            # no NumPy file, an empty one, half of one; an array; other arrays
            except (ValueError, EOFError, BadZipFile, IndexError, KeyError) as error:
                raise another from error
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


def require_path(checkpoint):
    """A file that can be written, found out before the work and not a minute into it."""
    if not isinstance(checkpoint, str | os.PathLike):
        raise TypeError(f"checkpoint must be a path, but is {checkpoint!r} of type {type(checkpoint).__name__}")
    path = Path(checkpoint).absolute()
    if not checkpoint or path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"checkpoint must be a file in a folder that exists, but is {os.fspath(checkpoint)!r}")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"checkpoint must be in a folder that can be written to, but is {os.fspath(checkpoint)!r}")


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
