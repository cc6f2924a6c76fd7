"""Maps to study: a flow over one step of fixed length, and a step of gradient descent."""

import dataclasses
from collections.abc import Callable

import diffrax
import jax
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require


# Equal to another of the same fields, so that a map made twice is compiled once.
@dataclasses.dataclass(frozen=True)
class _Flow:
    velocity: Callable
    time_step: float
    substeps: int
    solver: diffrax.AbstractSolver | None

    def __call__(self, x):
        h = self.time_step / self.substeps
        once = (lambda x: _runge_kutta(self.velocity, x, h)) if self.solver is None else (lambda x: self._solve(x, h))
        if self.substeps == 1:
            return once(x)
        return jax.lax.fori_loop(0, self.substeps, lambda _, x: once(x), x)

    def _solve(self, x, h):
        term = diffrax.ODETerm(lambda t, x, args: self.velocity(x))
        state = self.solver.init(term, 0.0, h, x, None)
        return self.solver.step(term, 0.0, h, x, None, state, made_jump=False)[0]


@dataclasses.dataclass(frozen=True)
class _Descent:
    loss: Callable
    learning_rate: float

    def __call__(self, params):
        return jax.tree.map(lambda p, g: p - self.learning_rate * g, params, jax.grad(self.loss)(params))


def flow_map(
    velocity: Callable[[PyTree], PyTree],
    time_step: float,
    *,
    substeps: int = 1,
    solver: diffrax.AbstractSolver | None = None,
) -> Callable[[PyTree], PyTree]:
    r"""$x \mapsto x(h)$ with $\dot x = f(x)$, $x(0) = x$, by the classical Runge-Kutta method or a step of any other.

    Its derivative is the exact derivative of the discrete step, not a step of the variational equation with an error of
    its own. So the sum of all exponents is the volume contraction of the map that is iterated, to rounding, and exponents
    and covariant vectors are those of this map. They are those of the flow up to $O(h^p)$, p the order: halve h to see.

    Args:
      velocity: f, from a pytree to one of the same structure; the system must be autonomous.
      time_step: h, the time of one application (`dt` of `spectrum`).
      substeps: how many steps of the method make up one application: fewer QR decompositions for the same h / substeps.
      solver: a diffrax solver, which makes steps of fixed length (its error estimate is not used); by default the
        classical Runge-Kutta method of order 4.

    Raises:
      ValueError, TypeError: for bad arguments.
    """
    require.callable_("velocity", velocity)
    require.static("velocity", velocity)
    require.positive("time_step", time_step)
    require.positive_integer("substeps", substeps)
    if solver is not None and not isinstance(solver, diffrax.AbstractSolver):
        raise TypeError(f"solver must be a diffrax solver, as diffrax.Tsit5(), but is {solver!r}")
    if getattr(solver, "scan_kind", "") is None:  # diffrax's own loop over stages has no derivative along a vector
        solver = dataclasses.replace(solver, scan_kind="lax")
    return _Flow(velocity, float(time_step), int(substeps), solver)


def descent_map(loss: Callable[[PyTree], Float[Array, ""]], learning_rate: float) -> Callable[[PyTree], PyTree]:
    r"""$\theta \mapsto \theta - \eta \nabla L(\theta)$, with the derivative $J = I - \eta H$, $H = \nabla^2 L(\theta)$.

    Nothing else is needed for k of n exponents: the derivative along v is $v - \eta H v$, one product with the Hessian,
    which is never formed. J is symmetric, so where H stays positive definite with $\eta\lambda_{\max} < 2$ all exponents
    are negative; a positive one tells of negative curvature or of $|1 - \eta\lambda| > 1$.

    Args:
      loss: $L$, a scalar function of the parameters.
      learning_rate: $\eta > 0$.

    Raises:
      ValueError, TypeError: for bad arguments.

    Source: Sharafi, Martin and Hallerberg (2025).
    """
    require.callable_("loss", loss)
    require.static("loss", loss)
    require.positive("learning_rate", learning_rate)
    return _Descent(loss, float(learning_rate))


def _runge_kutta(velocity, x, h):
    along = lambda c, k: jax.tree.map(lambda x, k: x + c * h * k, x, k)
    k1 = velocity(x)
    k2 = velocity(along(0.5, k1))
    k3 = velocity(along(0.5, k2))
    k4 = velocity(along(1.0, k3))
    return jax.tree.map(lambda x, a, b, c, d: x + h / 6 * (a + 2 * b + 2 * c + d), x, k1, k2, k3, k4)
