"""Property checks for the exercises of *Implicit bias*."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.integrate import solve_ivp

from learndyn import _require as require
from learndyn import diagonal

# The sample of the exercise "one sample, three inputs".
SAMPLE, TARGET = np.array([[1.0, 2.0, 2.0]]), np.array([3.0])


def check_one_sample(large: Float[np.ndarray | Array, "_"], small: Float[np.ndarray | Array, "_"]) -> None:
    r"""Both fit $\beta_1 + 2\beta_2 + 2\beta_3 = 3$; one is the limit of $\alpha \to \infty$, the other that of $\alpha \to 0$.

    Args:
      large: the limit of a diagonal network of large scale.
      small: the limit of small scale.

    Raises:
      AssertionError: names the property that fails.
    """
    for name, beta in (("large", large), ("small", small)):
        require.array(name, beta, ndim=1)
        if beta.shape != (3,):
            raise ValueError(f"{name} must hold three coefficients, but has shape {tuple(beta.shape)}")
        reached = float(SAMPLE[0] @ np.asarray(beta))
        assert abs(reached - TARGET[0]) < 1e-6, f"{name} does not fit: the sample gives {reached:.4g} and not {TARGET[0]:g}"
    large, small = np.asarray(large), np.asarray(small)
    outside = large - SAMPLE[0] * (SAMPLE[0] @ large) / (SAMPLE[0] @ SAMPLE[0])
    assert np.linalg.norm(outside) < 1e-6, (
        f"large has the part {outside.round(4)} that the sample does not see; the shortest fit has none. Hint: it is a "
        "multiple of the sample"
    )
    least = TARGET[0] / np.max(np.abs(SAMPLE))
    norm = float(np.abs(small).sum())
    assert norm < least + 1e-6, (
        f"small has the l1 norm {norm:.4g}, but {least:.4g} is possible. Hint: which input yields the most for its size?"
    )
    reached = np.asarray(diagonal.minimizer(jnp.asarray(SAMPLE), jnp.asarray(TARGET), 1e-9).beta)
    assert np.max(np.abs(small - reached)) < 1e-6, (
        "small is one of many fits of least l1 norm, but not the one that the network finds. Hint: two inputs are the same "
        "in every respect, so sinh(x_i nu) is the same for both"
    )
    print("Right: the shortest fit, and of all fits of least l1 norm the one that shares fairly.")


def check_any_start(answer: Callable) -> None:
    r"""$X\beta = y$, and $\operatorname{arsinh}(\beta_i / 2 u_i v_i) - \log(u_i / v_i)$ is in the row space of X.

    Args:
      answer: a function of (X, y, u0, v0), with X (n, d), y (n,) and positive u0, v0 (d,), that returns the function
        (d,) at which a diagonal network from that start ends.

    Raises:
      AssertionError: names the case and the property that fails.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(21)
    for case, (n, d, spread) in {"equal": (2, 5, 0.0), "unequal": (2, 5, 0.4), "wider": (4, 9, 0.5)}.items():
        X, y = rng.normal(size=(n, d)), rng.normal(size=n)
        u0, v0 = 0.5 * np.exp(spread * rng.normal(size=(2, d)))
        beta = np.asarray(answer(X, y, u0, v0), dtype=float)
        where = f"the case of {case} starts, n = {n}, d = {d}"
        assert beta.shape == (d,), f"{where}: the answer must have shape ({d},), but has shape {beta.shape}"
        miss = np.max(np.abs(X @ beta - y))
        assert miss < 1e-6, f"{where}: the answer does not fit, X beta misses y by {miss:.3g}"
        image = np.arcsinh(beta / (2 * u0 * v0)) - np.log(u0 / v0)
        outside = image - X.T @ np.linalg.lstsq(X.T, image)[0]
        share = float(np.linalg.norm(outside) / np.linalg.norm(image))
        assert share < 1e-5, (
            f"{where}: arsinh(beta / 2 u v) - log(u/v) should have moved in the row space of X, but the share {share:.3g} of "
            "it is outside. Hint: which products stay what they were, and from where does log(u/v) start?"
        )
    print("Right: your function is where the network ends, from any start.")


def check_deep_image(answer: Callable) -> None:
    r"""$\beta = u^D - v^D$ along $u' = -D u^{D-1}$, $v' = D v^{D-1}$ from $u = v = \alpha$, in the time $G = \int g\,dt$.

    Args:
      answer: a function of (G, scale, depth) that returns $\beta$, a number; depth is 3, 4, or more.

    Raises:
      AssertionError: names the depth, scale and G at which it is wrong.
    """
    require.callable_("answer", answer)
    for depth in (3, 4, 6):
        for scale in (0.5, 1.3):
            assert abs(float(answer(0.0, scale, depth))) < 1e-12, (
                f"depth {depth}: at G = 0 the network is the zero function, but the answer is {float(answer(0.0, scale, depth)):.3g}"
            )
            end = 0.8 / (depth * (depth - 2) * scale ** (depth - 2))  # short of where one of them is infinite
            for G in (-end, 0.3 * end, end):
                moved = solve_ivp(
                    lambda _, s: [-depth * s[0] ** (depth - 1), depth * s[1] ** (depth - 1)],
                    (0.0, G), [scale, scale], method="DOP853", rtol=1e-11, atol=1e-13,
                ).y[:, -1]  # fmt: skip
                beta, given = moved[0] ** depth - moved[1] ** depth, float(answer(G, scale, depth))
                assert abs(given - beta) < 1e-7 * (1 + abs(beta)), (
                    f"depth {depth}, alpha = {scale}, G = {G:.4g}: integrating gives {beta:.8g}, the answer {given:.8g}. "
                    "Hint: how fast does u to the power 2 - D change?"
                )
    print("Right: your formula is what integration gives, for depths 3, 4 and 6.")
