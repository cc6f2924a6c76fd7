"""How long a head of attention waits before anything can be seen of it."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float
from scipy.integrate import quad
from scipy.optimize import bisect, brentq

from learndyn import _require as require
from learndyn.linear_attention import _arguments as arguments

Number = float | Float[Array, "..."]


def jump_time(eigenvalue: Number, length: int, norm: Number) -> Number:
    r"""$\tau = \frac{\sqrt3}{N\lambda^2}\big(\tfrac1{\|\theta_0\|} - 1\big)$: a head in its best direction reaches norm one.

    The best direction has k and q along the eigenvector and $v^2 = |k|^2 = |q|^2$; its utility is
    $N\lambda^2/(3\sqrt3)$. From any other direction it takes longer.

    Args:
      eigenvalue: $\lambda$ of the component that the head learns.
      length: N; it may be a traced number.
      norm: $\|\theta_0\|$.

    Raises:
      ValueError, TypeError: for numbers that are not positive, or a length below one.

    Source: Kunin et al. (2025).
    """
    arguments.length(length)
    eigenvalue, norm = arguments.positive("eigenvalue", eigenvalue), arguments.positive("norm", norm)
    return 3**0.5 / (length * eigenvalue**2) * (1 / norm - 1)


def mode_time(
    share: Number, norm: Number, eigenvalue: Number, length: int, trace: Number
) -> Float[Array, "..."]:
    r"""$t = \frac{c^{1/3}}{N\lambda^2}\big[\Phi(u)\big]_{u_0}^{u}$, $\Phi' = \frac1{u^2(1-u^3)}$: when a head has learned a share $u^3$.

    Gradient flow of a head that starts in its best direction, with no other on its component: $v = |k| = |q| = s$
    obeys $\dot s = N\lambda^2 s^2(1 - c s^3)$ with $c = (N+1)\lambda + \operatorname{tr}\Sigma$, and $u = c^{1/3}s$.

    Args:
      share: $u^3 = s^3 c$ of the component's final strength, between the share at the start and 1.
      norm: $\|\theta_0\| = \sqrt3\, s_0$.
      eigenvalue: $\lambda$ of the component.
      length: N; it may be a traced number.
      trace: $\operatorname{tr}\Sigma$.

    Raises:
      ValueError, TypeError: for numbers out of range.
    """
    arguments.length(length)
    norm, trace = arguments.positive("norm", norm), arguments.positive("trace", trace)
    eigenvalue = arguments.positive("eigenvalue", eigenvalue)
    if not isinstance(share, jax.core.Tracer) and not np.all(np.asarray(share) < 1):
        raise ValueError(f"share must be below 1, which is never reached, but is {share}")
    share = arguments.positive("share", share)
    c = (length + 1) * eigenvalue + trace
    first = c * (norm / 3**0.5) ** 3
    if not isinstance(share - first, jax.core.Tracer) and not np.all(np.asarray(share >= first)):
        raise ValueError(f"share must be at least that of the start, {first}, but is {share}")
    grown = lambda u: (
        -1 / u - jnp.log1p(-u) / 3 + jnp.log1p(u + u**2) / 6 - jnp.arctan((2 * u + 1) / 3**0.5) / 3**0.5
    )
    return jnp.cbrt(c) / (length * eigenvalue**2) * (grown(jnp.cbrt(share)) - grown(jnp.cbrt(first)))


def escape_time(
    theta: Float[ArrayLike, "p"], eigenvalues: Float[ArrayLike, "d"], length: int, *, radius: float = 1.0
) -> float:
    r"""$t = \int ds/v$ with $v^2 = v_0^2 + |k(s)|^2 - |k_0|^2$: a dormant head from any direction reaches the norm R.

    While the residual stands still, $\dot v = N k^\top\Sigma^2 q$, $\dot k = N v \Sigma^2 q$ and
    $\dot q = N v \Sigma^2 k$. On the clock $ds = v\,dt$ keys and queries move linearly,
    $k \pm q = e^{\pm N\Sigma^2 s}(k_0 \pm q_0)$, and s is the position of a particle with the velocity v, that runs down
    the potential $-\tfrac12|k(s)|^2$. It may turn once.

    Args:
      theta: the head (v, k, q) at the start, in the eigenbasis of the covariance.
      eigenvalues: of the components that are not learned yet; zero for those that are.
      length: N.
      radius: R, above the norm of the head.

    Returns:
      The time, infinite for a head that never leaves because nothing pushes it.

    Raises:
      ValueError, TypeError: for sizes that do not fit, or a head that has the norm R already.
    """
    require.array("eigenvalues", eigenvalues, ndim=1)
    require.array("theta", theta, ndim=1)
    require.positive_integer("length", length)
    require.positive("radius", radius)
    theta, rates = np.asarray(theta, float), length * np.asarray(eigenvalues, float) ** 2
    d = len(rates)
    if len(theta) != 1 + 2 * d:
        raise ValueError(f"theta must hold 1 + 2d = {1 + 2 * d} numbers (v, k, q), but has shape {theta.shape}")
    if not (norm := np.linalg.norm(theta)) < radius:
        raise ValueError(f"theta must have a norm below the radius {radius:g}, but has {norm:.3g}")
    # a head of another norm runs through the same curve on another clock
    fall = _Fall(*np.split(theta / norm, [1, 1 + d]), rates)
    sign, target = fall.direction(), ((radius / norm) ** 2 - 1) / 3
    if sign == 0:
        return np.inf
    turn = fall.turn(sign)
    if turn is None:
        end = fall.reach(sign, 0.0, target)
        return np.inf if end is None else fall.duration(0.0, fall.v**2, end) / norm
    end = fall.reach(-sign, turn, target + fall.v**2)
    return (fall.duration(turn, 0.0, 0.0) + fall.duration(turn, 0.0, end)) / norm


class _Fall:
    """The particle: v^2 is a convex function of s, so that it turns at most once."""

    def __init__(self, v, k, q, rates):
        self.v, self.push, self.rates = float(v[0]), k @ (rates * q), rates
        self.up, self.down = ((k + q) / 2) ** 2, ((k - q) / 2) ** 2  # |k|^2 = sum of up e^(2as) + down e^(-2as) + a constant
        moving = (rates > 0) & (self.up + self.down > 0)
        self.far = 300 / rates[moving].min() if moving.any() else 0.0

    def direction(self):
        return np.sign(self.v or self.push) if self.far else 0.0

    def gain(self, s, start):
        """What |k|^2, and v^2 and |q|^2 with it, gain from `start` to s; no digits are lost on a short way."""
        return self._total(np.expm1, s - start, start, 1)

    def slope(self, s):
        """The derivative of the gain, over two."""
        return self._total(lambda x: self.rates * np.exp(x), s, 0.0, -1)

    def _total(self, function, way, start, sign):
        a = 2 * self.rates
        with np.errstate(over="ignore"):
            up = np.where(self.up > 0, function(np.clip(a * way, -600, 600)), 0) * self.up * np.exp(a * start)
            down = np.where(self.down > 0, function(np.clip(-a * way, -600, 600)), 0) * self.down * np.exp(-a * start)
        return float(np.clip(np.sum(up + sign * down), -1e300, 1e300))

    def turn(self, sign):
        """Where the velocity is zero on the way uphill, or None."""
        if self.v == 0 or sign * self.push >= 0:
            return None
        uphill = lambda r: sign * self.slope(sign * r)
        least = bisect(uphill, 0.0, self.far) if uphill(self.far) > 0 else self.far
        square = lambda r: self.v**2 + self.gain(sign * r, 0.0)
        return None if square(least) >= 0 else sign * brentq(square, 0.0, least, xtol=1e-15)

    def reach(self, sign, start, target):
        """Where the gain since `start` has come to the target, or None if it never does."""
        missing = lambda r: self.gain(start + sign * r, start) - target
        return start + sign * bisect(missing, 0.0, self.far, xtol=1e-14, maxiter=500) if missing(self.far) > 0 else None

    def duration(self, start, square, end):
        """The integral of ds/|v| from `start`, where v^2 is `square`; over w, s = start + w^2, for it may be zero."""
        sign = np.sign(end - start)
        slowness = lambda w: 2 * w / np.sqrt(square + self.gain(start + sign * w**2, start))
        return float(quad(slowness, 0.0, np.sqrt(abs(end - start)), limit=500, epsabs=0.0, epsrel=1e-10)[0])
