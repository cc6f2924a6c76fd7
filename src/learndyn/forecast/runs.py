"""What is judged: scores, and outcomes, with a row for each run."""

import jax
import numpy as np
from jaxtyping import Array

from learndyn import _require as require

AnyArray = Array | np.ndarray


def checked_outcome(outcome):
    if not hasattr(outcome, "dtype") or outcome.dtype != bool or outcome.ndim != 1:
        raise TypeError(f"outcome must be one array of True and False, such as final_loss < 4, but is {outcome!r}")
    outcome = np.asarray(outcome)
    if not 0 < outcome.sum() < len(outcome):
        raise ValueError(f"outcome must have runs in the class and others, but has {outcome.sum()} of {len(outcome)} in it")
    return outcome


def checked(name, scores, outcome, ndim=None):
    outcome = checked_outcome(outcome)
    require.array(name, scores, ndim=ndim)
    if scores.ndim < 1 or scores.shape[0] != len(outcome):
        raise ValueError(f"{name} must have one row for each of the {len(outcome)} runs of outcome, but has shape {tuple(scores.shape)}")
    return np.asarray(scores, float), outcome


def generator(key):
    require.key("key", key)
    words = key if key.dtype == np.uint32 else jax.random.key_data(key)
    return np.random.default_rng(np.asarray(words))
