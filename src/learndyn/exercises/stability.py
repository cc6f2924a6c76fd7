"""Property checks for the exercises of *Stability of the residual*."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, Float

from learndyn import equilibria, models
from learndyn import _require as require

# The systems of the exercise "name the portrait", in its order.
SYSTEMS = (
    ((1.0, 2.0), (2.0, 1.0)),
    ((-1.0, -4.0), (1.0, -1.0)),
    ((-3.0, 1.0), (-1.0, -1.0)),
    ((-2.0, 1.0), (4.0, -2.0)),
    ((1.0, -2.0), (1.0, -1.0)),
)


def check_portraits(answer: Sequence[str]) -> None:
    """Each name is what the trajectories of the system do: they are run, and no eigenvalue is computed.

    Args:
      answer: five of `equilibria.KINDS`, for `SYSTEMS` in their order.

    Raises:
      AssertionError: a name that the trajectories contradict; it says what they do.
      ValueError: a name that is no kind, or not five names.
    """
    answer = list(answer)
    if len(answer) != len(SYSTEMS):
        raise ValueError(f"answer must hold {len(SYSTEMS)} names, but holds {len(answer)}")
    for name in answer:
        require.one_of("answer", name, equilibria.KINDS)
    A = jnp.asarray(SYSTEMS)
    seen, watched = equilibria.kinds_seen(A), equilibria.watch(A)
    for i, name in enumerate(answer):
        rate, angle = float(jnp.median(watched.forward[i])), float(jnp.max(jnp.abs(watched.turned[i])))
        assert name == seen[i], (
            f"system {i + 1} is not a {name}: over 100 of its time units its trajectories turn through up to "
            f"{angle:.1f} rad, and late in the run log|x| changes at the rate {rate:+.3f}. Hint: trace "
            f"{np.trace(A[i]):g}, determinant {np.linalg.det(A[i]):.3g}: where in the plane is that?"
        )
    print("Right: all five names agree with what the trajectories do.")


def check_jordan(answer: Callable[[float, float, float], Float[Array, "2 2"]]) -> None:
    r"""$\Phi(t)$ is the flow of $A = \begin{pmatrix} \mu & b \\ 0 & \mu \end{pmatrix}$: $\Phi(0) = I$, $\dot\Phi = A\Phi$.

    Args:
      answer: a function of (mu, b, t) that returns the 2 x 2 matrix exp(At).

    Raises:
      AssertionError: names the property that fails.
    """
    require.callable_("answer", answer)
    for mu, b in ((-1.0, 1.0), (-0.5, 3.0), (0.7, -2.0), (0.0, 1.5)):
        A = np.array([[mu, b], [0.0, mu]])
        value = lambda t: np.asarray(answer(mu, b, t), dtype=float)
        where = f"at mu = {mu}, b = {b}"
        assert value(0.0).shape == (2, 2), f"the answer must be 2 x 2, but has shape {value(0.0).shape}"
        assert np.allclose(value(0.0), np.eye(2), atol=1e-12), f"{where}: at t = 0 the flow must be the identity"
        for t in (0.3, 1.1, 2.0):
            h = 1e-4
            slope = (value(t + h) - value(t - h)) / (2 * h)
            error = float(np.max(np.abs(slope - A @ value(t))))
            assert error < 1e-5 * (1 + np.max(np.abs(slope))), (
                f"{where}, t = {t}: the derivative of the answer differs from A times the answer by {error:.2g}. "
                "Hint: A = mu I + bN with N^2 = 0, and mu I commutes with N; how does the off-diagonal term grow?"
            )
    print("Right: it starts at the identity and obeys its differential equation.")


def check_time_below(answer: Callable) -> None:
    r"""$t$ is the first time at which $\tfrac12 \|e^{-Kt} r_0\|^2 \le \varepsilon$; infinity under the floor.

    Args:
      answer: a function of (K, r0, epsilon), with K (n, n) positive semidefinite and r0 (n,), that returns a time.

    Raises:
      AssertionError: names the case and the property that fails.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(8)
    for n, rank in ((1, 1), (4, 4), (12, 12), (9, 5)):
        J = rng.normal(size=(n, rank)) * np.geomspace(1, 0.05, rank)
        K, r0 = J @ J.T, rng.normal(size=n)
        flow = lambda t: 0.5 * float(np.sum((scipy.linalg.expm(-K * t) @ r0) ** 2))
        start = 0.5 * float(r0 @ r0)
        floor = 0.5 * float(np.sum((r0 - J @ np.linalg.lstsq(J, r0)[0]) ** 2))
        case = f"n = {n}, rank of K = {rank}"
        assert float(answer(K, r0, 2 * start)) == 0.0, f"{case}: the loss starts below epsilon, so the time is 0"
        if rank < n:
            given = float(answer(K, r0, 0.5 * floor))
            assert given == np.inf, (
                f"{case}: the answer {given:.4g} is finite, but epsilon lies below the floor {floor:.4g}, which the "
                "null space of K keeps for ever: the time is infinite"
            )
        for share in (0.5, 1e-1, 1e-3):
            epsilon = floor + share * (start - floor)
            t = float(answer(K, r0, epsilon))
            assert np.isfinite(t) and t > 0, f"{case}, epsilon = {epsilon:.3g}: the answer {t} is no positive time"
            reached = flow(t)
            assert abs(reached - epsilon) < 1e-4 * epsilon, (
                f"{case}, epsilon = {epsilon:.4g}: at the answer t = {t:.4g} the loss is {reached:.4g}. Hint: the loss "
                "is a sum of exponentials of -2 lambda_i t; it decreases, so bisection finds the time"
            )
    print("Right: your times are when the loss is epsilon, floor or not.")


def check_plateau(X: Float[Array, "n d"], y: Float[Array, "n 1"]) -> None:
    r"""There is a $u$ with $K_\theta u = 0$ for networks of any parameters, and $u \cdot y \ne 0$.

    The kernels of three wide networks with biases, of different activations and random parameters, are added. A
    direction in the null space of the sum is in the null space of each, because each is positive semidefinite.

    Args:
      X: at most 50 inputs.
      y: their targets.

    Raises:
      AssertionError: no such direction, or none that the targets use.
      ValueError: shapes that do not fit.
    """
    require.matrix("X", X)
    require.matrix("y", y, rows=X.shape[0], columns=1)
    if not 2 <= X.shape[0] <= 50:
        raise ValueError(f"X must hold 2 to 50 inputs, but holds {X.shape[0]}")
    K = sum(_kernel(X, activation, seed) for seed, activation in enumerate(("erf", "relu", "softplus")))
    eigenvalues, vectors = np.linalg.eigh(K)
    null = vectors[:, eigenvalues < 1e-10 * eigenvalues[-1]]
    assert null.shape[1] > 0, (
        f"every direction is learnable: the smallest eigenvalue is {eigenvalues[0] / eigenvalues[-1]:.2g} of the "
        "largest. A wide network tells any two different inputs apart. Hint: what can no function do?"
    )
    share = float(np.linalg.norm(null.T @ np.asarray(y)) / max(np.linalg.norm(y), 1e-300))
    assert share > 1e-3, (
        f"there is an unlearnable direction, but the targets do not use it (their share in it is {share:.2g}): "
        "the network fits them all. Hint: choose the targets so that they disagree"
    )
    print(f"Right: {share:.0%} of the norm of y can be moved by no network.")


def _kernel(X, activation, seed):
    model = models.mlp((X.shape[1], 100, 1), activation=activation, bias_scale=1.0)
    params = model.init(key=jax.random.key(seed))
    leaves = jax.tree.leaves(jax.jacobian(lambda p: model.apply(p, X)[:, 0])(params))
    J = np.concatenate([np.asarray(leaf).reshape(X.shape[0], -1) for leaf in leaves], axis=1)
    return J @ J.T / np.sum(J**2)
