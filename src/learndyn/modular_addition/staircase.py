r"""When each frequency is learned: utility maximization by Fourier, with the time for turning."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Int
from scipy.integrate import solve_ivp

from learndyn import _require as require
from learndyn.modular_addition.fourier import fits, spectra, transform


class Jumps(NamedTuple):
    """Who leaves the origin, when, and with what.

    Attributes:
      times: of the jumps, in the time of the gradient flow of half the mean squared distance.
      frequencies: that are learned.
      neurons: which one is the first at its frequency.
    """

    times: Float[np.ndarray, "J"]
    frequencies: Int[np.ndarray, "J"]
    neurons: Int[np.ndarray, "J"]


def jumps(neurons: Float[Array, "H q"], x: Float[Array, "p"], *, rtol: float = 1e-9) -> Jumps:
    r"""$\tau$ where $|\theta| = 1$ along $\dot\theta = \nabla U(\theta; r)$: alternating gradient flows, one frequency at a time.

    Dormant neurons climb their utility from their own random start, so that the time for turning is part of the times.
    When the first one has norm one, its frequency is taken to be learned by all of the network at once, and the utility
    of the others loses this term; the first one has left. That is coarser than alternating flows, which learn with
    the one neuron what it can learn and go on with the next: this calculation gives the stairs, not the steps on them.

    Args:
      neurons: at the start, smaller than one.
      x: the encoding.
      rtol: of the solver.

    Raises:
      ValueError, TypeError: for shapes that do not fit, or neurons that are not small.
      RuntimeError: when the solver fails, or no neuron can come to anything.

    Source: after Kunin et al. (2025), algorithm 1 and their section on modular addition.
    """
    p, x_hat = transform(x)
    fits(neurons, p)
    require.positive("rtol", rtol)
    x_hat, z = np.asarray(x_hat), np.array(spectra(neurons))
    norms = np.sum(np.asarray(neurons) ** 2, axis=1)
    if not norms.max() < 1:
        raise ValueError(f"neurons must be smaller than one, but neurons[{norms.argmax()}] has norm {norms.max() ** 0.5:.3g}")
    live = np.flatnonzero(np.abs(x_hat) > 1e-9 * np.abs(x_hat).max())
    z, prices = z[:, :, live], 2 / p**2 * x_hat[live] * np.abs(x_hat[live]) ** 2
    idle = norms - 2 / p * np.sum(np.abs(z) ** 2, axis=(1, 2))  # at frequencies that x does not have nothing moves
    dormant, left, now, found = np.ones(len(z), bool), np.ones(len(live)), 0.0, []

    def velocity(t, flat):
        u, v, w = np.moveaxis(flat.view(complex).reshape(z.shape), 1, 0)
        gain = left * prices
        moves = np.stack([gain * w * np.conj(v), gain * w * np.conj(u), np.conj(gain) * u * v], axis=1)
        return (dormant[:, None, None] * moves).ravel().view(float)

    def squares(flat):
        return np.where(dormant, idle + 2 / p * np.sum(np.abs(flat.view(complex).reshape(z.shape)) ** 2, axis=(1, 2)), 0)

    def grown(t, flat):
        return squares(flat).max() - 1

    grown.terminal = True
    for _ in range(min(len(live), len(z))):
        horizon = 1e4 / norms.min() ** 0.5 / np.abs(left * prices).max()
        run = solve_ivp(velocity, (0, horizon), z.ravel().view(float), "DOP853", events=grown, rtol=rtol, atol=1e-3 * rtol)
        if run.status != 1:
            raise RuntimeError(f"jumps: no neuron has grown {run.t[-1]:.3g} after the time {now:.3g}: {run.message}")
        now, z = now + run.t[-1], run.y[:, -1].copy().view(complex).reshape(z.shape)
        first = int(squares(run.y[:, -1].copy()).argmax())
        which = int((left * np.abs(z[first]).prod(axis=0)).argmax())
        found.append((now, live[which] + 1, first))
        dormant[first], left[which] = False, 0.0
    times, frequencies, who = map(np.array, zip(*found))
    return Jumps(times, frequencies, who)
