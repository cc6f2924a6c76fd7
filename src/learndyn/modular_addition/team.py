r"""How much of one frequency a team of H neurons can learn.

With $\zeta = e^{2\pi ik/p}$ a neuron at the frequency k makes the square
$g = (\mathrm{Re}\,\alpha\zeta^a + \mathrm{Re}\,\beta\zeta^b)^2$ and gives it with a complex coefficient c to the plane of
outputs at k, where the target is $\zeta^{a+b}$. A square has nine characters of (a, b), and eight of them must cancel.
"""

import numpy as np
from jaxtyping import Array, Complex, Float
from scipy.optimize import least_squares

from learndyn import _require as require

_CHARACTERS = np.array([(1, 1), (0, 0), (2, 0), (-2, 0), (0, 2), (0, -2), (-1, -1), (1, -1), (-1, 1)])


def unlearned(alpha: Complex[np.ndarray, "H"], beta: Complex[np.ndarray, "H"], *, p: int, frequency: int, constant: bool = True) -> float:
    r"""$\min_c \mathbb E|\zeta^{a+b} - \sum_h c_h g_h|^2$, the share of the target at one frequency that is left.

    Args:
      alpha, beta: of the squares $g_h$, one for each neuron.
      p: the modulus.
      frequency: between 0 and p/2. At p/4, and only there, some of the nine characters are the same.
      constant: whether the squares' constant must cancel too. False if neurons of another frequency are at hand to
        supply it: a team of sixth roots with equal weights has a constant output.

    Raises:
      ValueError, TypeError: for a frequency out of range, or shapes that do not fit.
    """
    alpha, beta = np.atleast_1d(np.asarray(alpha, complex)), np.atleast_1d(np.asarray(beta, complex))
    if alpha.ndim != 1 or alpha.shape != beta.shape:
        raise ValueError(f"alpha and beta must be two vectors of one length, but have shapes {alpha.shape} and {beta.shape}")
    if not (np.isfinite(alpha).all() and np.isfinite(beta).all()):
        raise ValueError("alpha and beta must be finite")
    return float(np.sum(np.abs(_left(alpha, beta, _merge(p, frequency, constant))) ** 2))


def least_unlearned(
    width: int, *, p: int, frequency: int, constant: bool = True, restarts: int = 40, seed: int = 0
) -> float:
    r"""$\inf_{\alpha, \beta}$ of `unlearned` over teams of H neurons, from random restarts: an upper bound.

    Args:
      width: H.
      p, frequency, constant: as in `unlearned`.
      restarts: of Levenberg and Marquardt's method. Where the infimum is not attained, what is returned is above it.
      seed: of the restarts.

    Raises:
      ValueError, TypeError: for arguments out of range.
    """
    for name, value in (("width", width), ("restarts", restarts)):
        require.positive_integer(name, value)
    merge, rng, best = _merge(p, frequency, constant), np.random.default_rng(seed), np.inf

    def residuals(flat):
        return _left(*flat.view(complex).reshape(2, width), merge).view(float)

    for _ in range(restarts):
        found = least_squares(residuals, rng.normal(size=4 * width), xtol=1e-12, ftol=1e-12, gtol=1e-12, max_nfev=200)
        best = min(best, 2 * found.cost)
        if best < 1e-20:
            break
    return float(best)


def _merge(p, frequency, constant):
    """(distinct, 9): characters that are the same modulo p, joined."""
    for name, value in (("p", p), ("frequency", frequency)):
        require.positive_integer(name, value)
    if not frequency < p / 2:
        raise ValueError(f"frequency must be below p/2 = {p / 2:g}, but is {frequency}")
    _, place = np.unique(frequency * _CHARACTERS % p, axis=0, return_inverse=True)
    if not isinstance(constant, bool):
        raise TypeError(f"constant must be True or False, but is {constant!r}")
    rows = np.arange(place.max() + 1)
    rows = rows if constant else rows[rows != place.ravel()[1]]
    return (place.ravel() == rows[:, None]).astype(float)


def _left(alpha, beta, merge):
    across, beside = alpha * beta / 2, alpha * beta.conj() / 2
    squares = np.stack([
        across, (np.abs(alpha) ** 2 + np.abs(beta) ** 2) / 2, alpha**2 / 4, alpha.conj() ** 2 / 4,
        beta**2 / 4, beta.conj() ** 2 / 4, across.conj(), beside, beside.conj(),
    ])  # fmt: skip
    features, target = merge @ squares, merge[:, 0].astype(complex)
    features = features / np.linalg.norm(features, axis=0)
    return target - features @ np.linalg.lstsq(features, target, rcond=1e-13)[0]
