r"""Neurons as logarithms of norms, and directions: the coordinates in which a vanishing flow is not small.

Each block of a neuron's parameters, $\theta_b = e^{\ell_b} \hat\theta_b$, moves by

$$\dot\ell_b = \frac{\hat\theta_b \cdot \nabla_b U}{|\theta_b|}, \qquad
  \frac{d}{dt}\hat\theta_b = \frac{P_\perp \nabla_b U}{|\theta_b|}, \qquad U = \mathbb E \langle f_i(x; \theta), y - f \rangle.$$

U is homogeneous: evaluated at the neuron's direction, where nothing is small, and multiplied by
$|\theta|^{\kappa - 2}$. For $\kappa > 2$ the unknown is $e^{-(\kappa-2)\ell_b}$ instead of $\ell_b$: the one falls in a
straight line while the other blows up.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from learndyn.agf import neurons as sums

_LEAST = -230.0  # a block a hundred orders of magnitude below its neuron feels the same force as one still smaller


class State(NamedTuple):
    radial: Array  # (H, B): the logarithm of each block's norm; for degree > 2 the norm to the power 2 - degree
    direction: Array  # (H, p): unit vectors block by block, up to the solver's error, which nothing feels


class View(NamedTuple):
    log_blocks: Array  # (H, B)
    log_norms: Array  # (H,)
    share: Array  # (H, B): norms of the blocks, as parts of the neuron's
    units: Array  # (H, p): unit vectors block by block
    directions: Array  # (H, p): unit vectors


class Chart(NamedTuple):
    degree: float
    blocks: tuple[int, ...]

    @property
    def owner(self):
        """The block of each of the p parameters."""
        return np.repeat(np.arange(len(self.blocks)), self.blocks)

    @property
    def member(self):
        """The same as a matrix of zeros and ones, (p, B)."""
        return np.eye(len(self.blocks))[self.owner]

    def start(self, neurons) -> State:
        largest = jnp.max(jnp.where(self.member.T == 1, jnp.abs(neurons)[:, None], 0), axis=-1)
        scaled = neurons / largest[:, self.owner]  # its squares do not underflow
        norm = jnp.sqrt(scaled**2 @ self.member)
        log = jnp.log(largest) + jnp.log(norm)
        return State(log if self.degree == 2 else jnp.exp((2 - self.degree) * log), scaled / norm[:, self.owner])

    def view(self, state: State) -> View:
        log_blocks = state.radial if self.degree == 2 else jnp.log(state.radial) / (2 - self.degree)
        log_norms = 0.5 * jax.nn.logsumexp(2 * log_blocks, axis=1)
        share = jnp.exp(jnp.maximum(log_blocks - log_norms[:, None], _LEAST))
        units = state.direction / jnp.sqrt(state.direction**2 @ self.member)[:, self.owner]
        return View(log_blocks, log_norms, share, units, share[:, self.owner] * units)

    def velocity(self, neuron, X, y, state: State):
        """The state's velocity, the loss, and the growth rates (H,) of the norms."""
        now = self.view(state)
        out, pull = jax.vjp(lambda theta: sums.outputs(neuron, theta, X), now.directions)
        residual = y - jnp.einsum("h,hnc->nc", jnp.exp(self.degree * now.log_norms), out)
        (force,) = pull(jnp.broadcast_to(residual / len(y), out.shape))  # the gradient of U at the direction, (H, p)
        along = (now.units * force) @ self.member
        speed = jnp.exp((self.degree - 2) * now.log_norms)[:, None] / now.share
        rate = speed * along
        radial = rate if self.degree == 2 else (2 - self.degree) * state.radial * rate
        turn = speed[:, self.owner] * (force - along[:, self.owner] * now.units)
        loss = 0.5 * jnp.mean(jnp.sum(residual**2, axis=-1))
        return State(radial, turn), loss, jnp.sum(now.share**2 * rate, axis=1)
