"""The comparison that the checks of several chapters share."""

import numpy as np

TOLERANCE = 1e-4  # relative; a wrong formula is off by far more, and float32 passes


def same(name: str, given, wanted, hint: str) -> None:
    """Raise an AssertionError that says what departs, unless shapes agree and all numbers do to a relative `TOLERANCE`."""
    given, wanted = np.asarray(given), np.asarray(wanted)
    assert given.shape == wanted.shape, f"{name}: the shape must be {wanted.shape}, but is {given.shape}"
    assert np.all(np.isfinite(given)), f"{name}: every entry must be finite, but {np.sum(~np.isfinite(given))} are not"
    error = np.max(np.abs(given - wanted)) / np.max(np.abs(wanted))
    few = f"{given} where {wanted} is needed, " if given.size <= 3 else ""
    assert error < TOLERANCE, f"{name}: {few}a relative error of {error:.2g}, above {TOLERANCE:g}. Hint: {hint}"
