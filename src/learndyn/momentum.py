r"""Momentum: the conserved quantities of gradient flow become damped oscillators.

The *degree* of a `conserved.quantity`, $Q = \frac12\,\theta\cdot B\theta + b\cdot\theta$, is 2 if $b = 0$ (scale,
rescale) and 1 if $B = 0$ (translation).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from learndyn import _require as require


class Oscillator(NamedTuple):
    r"""$\ddot Q + 2\gamma\dot Q + \omega^2 Q = 0$."""

    damping: float  # gamma; overdamped above the frequency, critical at it
    frequency: float  # omega


def law(
    start: Float[Array, ""],
    drive: Float[Array, " steps"],
    *,
    learning_rate: float,
    momentum: float,
    weight_decay: float = 0.0,
    degree: int = 2,
) -> Float[Array, " steps+1"]:
    r"""$Q_{k+1} = Q_k - \eta D_k + \eta^2 V_k$, $C_{k+1} = D_k - 2\eta V_k$ with $D_k = \beta C_k + p\lambda Q_k$.

    Q along heavy-ball descent $v_{k+1} = \beta v_k + g_k + \lambda\theta_k$, $\theta_{k+1} = \theta_k - \eta v_{k+1}$
    from $v_0 = 0$, exactly. $C = \xi(\theta)\cdot v$ obeys its own law because $\xi\cdot g = 0$; the only thing that
    the training puts in is the drive $V_k = \frac12\,v_{k+1}\cdot Bv_{k+1}$, positive for a scale and zero for a
    translation. Without drive Q is a linear oscillator with eigenvalues of modulus $\sqrt\beta$, or two real ones.

    Args:
      start: $Q_0$.
      drive: $V_k$ for each step, from the velocities $(\theta_k - \theta_{k+1})/\eta$; zeros for a translation.
      learning_rate: $\eta > 0$.
      momentum: $0 \le \beta < 1$; at 0 this is gradient descent.
      weight_decay: $\lambda \ge 0$, added to the gradient (not decoupled from it).
      degree: $p$, 2 for scale and rescale, 1 for translation.

    Returns:
      $Q_0, Q_1, \dots$, one more than there are steps.

    Raises:
      TypeError, ValueError: for numbers out of range or a drive that is no finite vector.

    Source: by expansion of these two lines; Kunin et al. (2021) have the flow that interpolates the steps.
    """
    _check(learning_rate, momentum, weight_decay, degree)
    require.array("start", start, ndim=0)
    require.array("drive", drive, ndim=1)

    def step(carry, V):
        Q, C = carry
        C = momentum * C + degree * weight_decay * Q
        Q, C = Q - learning_rate * C + learning_rate**2 * V, C - 2 * learning_rate * V
        return (Q, C), Q

    start = jnp.asarray(start, dtype=jnp.result_type(start, drive, float))
    _, Q = jax.lax.scan(step, (start, jnp.zeros_like(start)), drive.astype(start.dtype))
    return jnp.concatenate([start[None], Q])


def oscillator(*, learning_rate: float, momentum: float, weight_decay: float, degree: int = 2) -> Oscillator:
    r"""$\gamma = \frac{1-\beta}{\eta(1+\beta)}$ and $\omega^2 = \frac{2p\lambda}{\eta(1+\beta)}$.

    Heavy-ball descent is $\theta_{k+1} - \theta_k - \beta(\theta_k - \theta_{k-1}) = -\eta(g_k + \lambda\theta_k)$.
    With $\theta_{k\pm1} = \theta \pm \eta\dot\theta + \frac12\eta^2\ddot\theta$ that is
    $\frac12\eta(1+\beta)\ddot\theta + (1-\beta)\dot\theta = -\nabla L - \lambda\theta$; multiplied by
    $\xi(\theta)$, the loss drops out. Q oscillates if $2p\lambda\eta(1+\beta) > (1-\beta)^2$.

    Args:
      learning_rate, momentum, weight_decay, degree: $\eta$, $\beta$, $\lambda$, $p$, as for `law`.

    Raises:
      TypeError, ValueError: for numbers out of range.

    Source: Kunin et al. (2021).
    """
    _check(learning_rate, momentum, weight_decay, degree)
    inertia = learning_rate * (1.0 + momentum)
    return Oscillator((1.0 - momentum) / inertia, (2.0 * degree * weight_decay / inertia) ** 0.5)


def oscillation(
    times: Float[Array, " t"], *, learning_rate: float, momentum: float, weight_decay: float, degree: int = 2
) -> Float[Array, " t"]:
    r"""$Q(t)/Q(0) = e^{-\gamma t}\,(\cos\nu t + \nu^{-1}(\gamma - \frac12 p\lambda)\sin\nu t)$.

    Here $\nu^2 = \omega^2 - \gamma^2$. This is the `oscillator` without drive, released as heavy-ball descent releases
    it: $v_0 = 0$ says $\theta_{-1} = \theta_0$, hence $\dot Q(0) = -\frac12 p\lambda Q(0)$. It is hyperbolic where
    $\gamma > \omega$, and the limit of both where they are equal. At fixed $\gamma/\omega$ its error is of order
    $\eta$.

    It is the whole motion of a translation's Q. A scale or rescale is driven besides, and by no small force: where the
    loss is flat the parameters swing, and the drive is as large as the rest. Then this is the part that forgets the
    start, and `law` is the whole.

    Args:
      times: $t = \eta k$ after k steps, increasing from zero or later.
      learning_rate, momentum, weight_decay, degree: $\eta$, $\beta$, $\lambda$, $p$, as for `law`.

    Returns:
      Q relative to its start, one number a time.

    Raises:
      TypeError, ValueError: for numbers out of range or times that do not increase.

    Source: Kunin et al. (2021) for the oscillator; the slope at the start as above.
    """
    require.times("times", times)
    gamma, omega = oscillator(learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay, degree=degree)
    slope = gamma - 0.5 * degree * weight_decay
    if omega > gamma:
        nu = (omega**2 - gamma**2) ** 0.5
        return jnp.exp(-gamma * times) * (jnp.cos(nu * times) + slope * times * jnp.sinc(nu * times / jnp.pi))
    # e^(-gamma t) cosh and sinh as two decaying exponentials: neither overflows, and nothing cancels.
    nu = (gamma**2 - omega**2) ** 0.5
    slow, fast = jnp.exp(-omega**2 / (gamma + nu) * times), jnp.exp(-(gamma + nu) * times)
    integral = times * slow if nu == 0 else slow * -jnp.expm1(-2 * nu * times) / (2 * nu)
    return 0.5 * (slow + fast) + slope * integral


def _check(learning_rate, momentum, weight_decay, degree):
    require.positive("learning_rate", learning_rate)
    require.non_negative("momentum", momentum)
    if not momentum < 1:
        raise ValueError(f"momentum must be below 1, but is {momentum!r}")
    require.non_negative("weight_decay", weight_decay)
    if isinstance(degree, bool) or degree not in (1, 2):
        raise ValueError(f"degree must be 1 (translation) or 2 (scale, rescale), but is {degree!r}")
