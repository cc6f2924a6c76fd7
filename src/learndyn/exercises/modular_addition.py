"""Property checks for the exercises of *Modular addition: one frequency at a time*."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from learndyn import _require as require
from learndyn import agf
from learndyn import modular_addition as ma


def check_separate_norms(answer: Callable) -> None:
    r"""The answer is the utility of a cosine neuron with $|u| = |v| = |w| = 1$ and the right phases, which no other one exceeds.

    Args:
      answer: a function of (p, amplitude), for an encoding of one frequency, and the mean over all pairs.

    Raises:
      AssertionError: names the case, the answer, and what a cosine has.
    """
    require.callable_("answer", answer)
    for p, k, amplitude in ((7, 2, 3.0), (11, 1, 10.0), (20, 3, 5.0)):
        x = ma.encoding(p, {k: amplitude})
        X, y = ma.data(x)
        waves = [np.cos(2 * np.pi * k * np.arange(p) / p + s) for s in (0.3, 1.1, 1.4)]
        theta = jnp.asarray(np.concatenate([wave / np.linalg.norm(wave) for wave in waves]))
        found = float(jnp.mean(jnp.sum(ma.neuron(theta, X) * y, axis=1)))
        given = float(answer(p, amplitude))
        assert abs(given / found - 1) < 1e-9, (
            f"p = {p}, amplitude {amplitude:g}: a cosine with phases 0.3 + 1.1 = 1.4 and three norms of one has the utility "
            f"{found:.6g}, the answer is {given:.6g}. Hint: in the joint norm each of the three parts has the norm 1/sqrt(3)"
        )
    print("Right: a cosine with three norms of one has the utility that you say.")


def check_levels(answer: Callable) -> None:
    r"""The squared error, as a mean over pairs and outputs, of a network that knows the frequencies above each level.

    Args:
      answer: a function of (p, amplitudes), amplitudes in any order, that returns the levels from the first to zero.

    Raises:
      AssertionError: names the case, and the levels of an explicit projection.
    """
    require.callable_("answer", answer)
    for p, amplitudes in ((11, {1: 10.0, 2: 5.0, 4: 2.5}), (9, {2: 1.0, 3: 3.0}), (20, {1: 10.0, 3: 5.0, 5: 2.5})):
        left, wanted = dict(amplitudes), []
        while left:
            wanted.append(float(jnp.mean(ma.data(ma.encoding(p, left))[1] ** 2)))
            del left[max(left, key=left.get)]
        wanted.append(0.0)
        given = np.asarray(answer(p, np.array(list(amplitudes.values()))), float)
        assert given.shape == (len(wanted),), f"{len(amplitudes)} frequencies make {len(wanted)} levels, the answer has shape {given.shape}"
        worst = np.max(np.abs(given - wanted))
        assert worst < 1e-9 * wanted[0], (
            f"p = {p}, amplitudes {list(amplitudes.values())}: the levels are {np.round(wanted, 6)}, the answer is {np.round(given, 6)}. "
            "Hint: Parseval's sum runs over k and p - k, and the loudest frequency goes first"
        )
    print("Right: these are the mean squared errors of what is left.")


def check_team(phases: Callable) -> None:
    r"""A team of neurons of equal norms whose squares leave only $\zeta^{a+b}$, when weighted by $e^{-i(\varphi + \psi)}$.

    Args:
      phases: a function of the number of neurons H that returns the angles ($\varphi$, $\psi$), each of shape (H,).

    Raises:
      AssertionError: names H and what is left over.
    """
    require.callable_("phases", phases)
    p, k = 13, 3
    a, b = np.divmod(np.arange(p * p), p)
    angles = 2 * np.pi * k / p
    for width in (6, 7, 9):
        given = np.asarray(phases(width), float)
        assert given.shape == (2, width), f"H = {width}: two lists of {width} angles are needed, the answer has shape {given.shape}"
        phi, psi = given
        squares = (np.cos(angles * a[:, None] + phi) + np.cos(angles * b[:, None] + psi)) ** 2
        made = squares @ np.exp(-1j * (phi + psi)) * 2 / width
        off = float(np.max(np.abs(made - np.exp(1j * angles * (a + b)))))
        assert off < 1e-9, (
            f"H = {width}: the team makes the target up to {off:.3g} at the worst pair. "
            "Hint: equally spaced turns; each of the eight unwanted waves must turn on from neuron to neuron, relative to the target"
        )
    print("Right: the eight unwanted waves cancel, and the sum of the two numbers stays.")


def check_velocity(answer: Callable) -> None:
    r"""How a neuron of several frequencies is driven: $\dot{\hat w}_k$ against the gradient by autodiff.

    Args:
      answer: a function of (u_hat, v_hat, x_hat, p), complex arrays over the frequencies below p/2, that returns
        $\frac{d}{dt}\hat w$ of a dormant neuron before anything is learned.

    Raises:
      AssertionError: names the largest difference.
    """
    require.callable_("answer", answer)
    x = jnp.roll(ma.encoding(11, {1: 2.0, 2: 3.0, 4: 1.5}), 2)
    X, y = ma.data(x)
    theta = ma.start(11, 1, scale=1.0, key=jax.random.key(8))
    gain = lambda theta: jnp.mean(jnp.sum(agf.outputs(ma.neuron, theta, X)[0] * y, axis=1))
    wanted = np.asarray(ma.spectra(jax.grad(gain)(theta)))[0, 2]
    u, v, _ = np.asarray(ma.spectra(theta))[0]
    given = np.asarray(answer(u, v, np.fft.fft(np.asarray(x))[1:6], 11))
    off = np.max(np.abs(given - wanted)) / np.max(np.abs(wanted))
    assert off < 1e-9, (
        f"the largest difference from autodiff is {off:.3g} of the largest entry. "
        "Hint: a real vector has each frequency twice, at k and at p - k; and mind the conjugates"
    )
    print("Right: autodiff has the same velocity.")
