r"""Utility maximization of quadratic neurons, exactly: a linear equation, in the logarithms of its modes.

Where every $f_i(x; \theta)$ is a quadratic form in $\theta$ (linear networks, diagonal ones, squares), so is the
utility under a residual that stands still, $U(\theta) = \tfrac12 \theta^\top M \theta$ with a symmetric M, and the flow
is linear:

$$\dot\theta = M\theta, \qquad \theta(t) = \sum_k s_k\, e^{\ell_k + \mu_k t}\, q_k, \qquad
  \log|\theta(t)| = \tfrac12 \log \sum_k e^{2(\ell_k + \mu_k t)}.$$

The log-norm is convex in t, as a logarithm of a sum of exponentials is. From below log R it may first fall, and it rises
through log R at most once: Newton's method, started to the right of that, finds the jump time to rounding. No solver.

A neuron is held as its amplitudes' signs and logarithms in the frame of the modes $q_k$. All are needed. A linear
neuron that has turned to the first singular mode, found learned by another, leaves by its part along the second,
$e^{(\sigma_2 - \sigma_1)\tau}$ of the whole, and then along the third; at $|\theta(0)| = 10^{-200}$ no unit vector
holds any of these. When the residual changes, the frame is turned only as far as the new M couples its columns: the
modes of a linear network never mix.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import logsumexp

from learndyn.agf.neurons import outputs

_COUPLED = 1e-12  # an entry of M, in units of the largest possible, below which it is rounding
_FLOOR = 1e-9  # a rate, in the same units, that counts as none


class State(NamedTuple):
    r"""Neurons $\theta_i = \sum_k s_{ik} e^{\ell_{ik}} q_{ik}$ of any size.

    Attributes:
      frame: (H, p, p); q, one a column, orthonormal.
      log_amplitude: (H, p); $\ell$, minus infinity where there is nothing.
      sign: (H, p).
      rate: (H, p); $\mu$, the growth of each amplitude under the residual of the last wait.
    """

    frame: np.ndarray
    log_amplitude: np.ndarray
    sign: np.ndarray
    rate: np.ndarray


def applies(neuron, X, neurons) -> bool:
    """Whether the neuron is a quadratic form: the parallelogram law, at random vectors."""
    rng = np.random.default_rng(1)
    a, b = (jnp.asarray(rng.normal(size=neurons.shape)) for _ in range(2))
    plus, minus, one, two = (outputs(neuron, theta, X) for theta in (a + b, a - b, a, b))
    return float(jnp.max(jnp.abs(plus + minus - 2 * one - 2 * two))) <= 1e-11 * float(jnp.max(jnp.abs(plus)))


def start(log_norm, direction) -> State:
    """Neurons in the coordinates that they come in."""
    log_norm, direction = np.asarray(log_norm), np.asarray(direction)
    H, p = direction.shape
    with np.errstate(divide="ignore"):
        log_amplitude = np.log(np.abs(direction)) + log_norm[:, None]
    return State(np.tile(np.eye(p), (H, 1, 1)), log_amplitude, np.sign(direction), np.zeros((H, p)))


def log_norms(state: State):
    """The logarithm of the whole norm."""
    return 0.5 * logsumexp(2 * state.log_amplitude, axis=1)


def directions(state: State):
    """Unit vectors."""
    return np.einsum("hpk,hk->hp", state.frame, state.sign * np.exp(state.log_amplitude - log_norms(state)[:, None]))


@functools.partial(jax.jit, static_argnums=0)
def _curvature(neuron, X, residual, neurons):
    """M, neuron by neuron."""
    inputs = None if X.ndim == 2 else 0
    U = lambda theta, x: jnp.sum(neuron(theta, x) * residual) / residual.shape[0]
    M = jax.vmap(jax.hessian(U), (0, inputs))(neurons, X)
    return 0.5 * (M + M.mT)


def _turn(state: State, M) -> State:
    """The amplitudes in the modes of M, mixing only what M couples."""
    for i in range(len(M)):
        Q, log_amplitude, sign = (part[i].copy() for part in state[:3])
        coupling = Q.T @ M[i] @ Q
        coupling[np.abs(coupling) < _COUPLED] = 0
        state.rate[i] = np.diag(coupling)
        blocks, block = connected_components(coupling != 0, directed=False)
        for members in (np.flatnonzero(block == k) for k in range(blocks)):
            if members.size == 1:
                continue
            rate, V = np.linalg.eigh(coupling[np.ix_(members, members)])
            V[np.abs(V) < _COUPLED] = 0
            parts = sign[members] * V.T, log_amplitude[members]
            with np.errstate(divide="ignore"):
                state.log_amplitude[i, members], state.sign[i, members] = logsumexp(
                    np.where(parts[0] == 0, -np.inf, parts[1]), b=parts[0], axis=1, return_sign=True
                )
            state.frame[i][:, members], state.rate[i, members] = Q[:, members] @ V, rate
    return state


def wait(neuron, X, residual, degree, state: State, active, log_radius, tie, remaining, rtol, max_steps):
    """The time until the first dormant neuron has the radius, the state then, who has grown; or None, and nobody."""
    state = State(*(part.copy() for part in state))
    state = _turn(state, np.asarray(_curvature(neuron, X, residual, jnp.asarray(directions(state)))))
    present, active = np.isfinite(state.log_amplitude), np.asarray(active)
    rate, size = np.where(present, state.rate, 0.0), np.where(present, state.log_amplitude, -np.inf)
    grows = present & (rate > _FLOOR)
    times = np.min(np.where(grows, (log_radius - size) / np.where(grows, rate, 1), np.inf), axis=1)
    candidates = ~active & np.isfinite(times)
    if not candidates.any():
        return None, state, None, 0
    t, size, rate = times[candidates], size[candidates], rate[candidates]
    for _ in range(200):  # from the right down a convex function: never past its root
        exponents = 2 * (size + rate * t[:, None])
        log_norm = 0.5 * logsumexp(exponents, axis=1)
        slope = np.sum(rate * np.exp(exponents - 2 * log_norm[:, None]), axis=1)
        step = (log_norm - log_radius) / slope
        t = t - step
        if np.all(np.abs(step) <= 1e-15 * np.abs(t)):
            break
    if (dt := t.min()) > remaining:
        return None, state, None, 0
    state = state._replace(log_amplitude=state.log_amplitude + np.where(present & ~active[:, None], state.rate, 0) * dt)
    return dt, state, ~active & (log_norms(state) >= log_radius - tie), 0


def leave(neuron, X, residual, state: State, jumped):
    """The directions in which neurons jump: the mode that dominates, freed of what decays beside it."""
    top = np.argmax(state.log_amplitude, axis=1)[:, None]
    mode = np.take_along_axis(state.sign, top, 1) * np.take_along_axis(state.frame, top[:, None], 2)[..., 0]
    alone = np.take_along_axis(state.log_amplitude, top, 1)[:, 0] - log_norms(state) > np.log(0.95)
    grows = np.take_along_axis(state.rate, top, 1)[:, 0] > _FLOOR
    return state, np.where((alone & grows)[:, None], mode, directions(state))


def arrive(state: State, moved, before, after) -> State:
    """Neurons `moved` have turned from the directions `before` to `after`, and their frames with them.

    Their amplitudes are those with which they left: a neuron that comes back has again the radius for its norm.
    """
    frame = state.frame.copy()
    for i in np.flatnonzero(moved):
        a, b = np.asarray(before[i]), np.asarray(after[i])
        if np.linalg.norm(a - b) > 1e-12:
            s = a + b  # the turn from a to b is a reflection that sends a to -b, and one that sends -b to b
            if 1 + a @ b > 1e-12:  # else a is -b already
                frame[i] -= np.outer(s, s @ frame[i]) / (1 + a @ b)
            frame[i] -= 2 * np.outer(b, b @ frame[i])
    return state._replace(frame=frame)
