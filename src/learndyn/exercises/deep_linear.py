"""Property checks for the exercises of *Deep linear networks: one rank after another*."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from learndyn import _require as require
from learndyn import deep_linear


def check_index(answer: Callable) -> None:
    r"""The index of a balanced saddle is the number of negative eigenvalues of the Hessian there, by autodiff.

    Args:
      answer: a function of (singular_values, learned, width) that returns an integer: how many independent directions
        of negative curvature the saddle has at which the modes `learned`, numbered from 0, are in place.

    Raises:
      AssertionError: names the saddle and the two numbers.
    """
    require.callable_("answer", answer)
    target = jax.random.normal(jax.random.key(11), (3, 4))
    s = np.linalg.svd(target, compute_uv=False)
    cost = deep_linear.cost(deep_linear.Statistics(target, jnp.eye(4), jnp.sum(target**2)))
    hessians = {}
    for width in (3, 5):
        unravel = ravel_pytree(deep_linear.saddle(target, [], width=width))[1]
        loss = lambda z, unravel=unravel: cost(deep_linear.end_to_end(unravel(z)))
        hessians[width] = jax.jit(jax.hessian(loss))
    for learned, width in (([], 3), ([0], 3), ([0, 1], 5), ([0, 1, 2], 5), ([1], 3), ([2], 5), ([1, 2], 3)):
        flat = ravel_pytree(deep_linear.saddle(target, learned, width=width))[0]
        values = np.linalg.eigvalsh(hessians[width](flat))
        wanted, given = int(np.sum(values < -1e-9)), int(answer(s, learned, width))
        assert given == wanted, (
            f"with {width} neurons and the modes {learned} of {len(s)} in place: the Hessian has {wanted} negative "
            f"eigenvalues, the answer is {given}. Hint: every missing mode can enter through each silent neuron"
            + (" and push out each mode that is smaller than itself" if learned not in ([], [0], [0, 1], [0, 1, 2]) else "")
        )
    print("Right: your index counts the negative eigenvalues of the Hessian.")


def check_runner_up(answer: Callable) -> None:
    r"""$u_2$ at the time when $u_1 = s_1/2$: the ratio to the answer tends to one as $\alpha\to0$.

    The exact strength is computed from the exact solution at two small scales.

    Args:
      answer: a function of (scale, s1, s2, depth) that returns a positive number: the strength of the second mode, to
        leading order in the scale, where both start at scale**depth.

    Raises:
      AssertionError: names the depth and the two numbers.
    """
    require.callable_("answer", answer)
    for depth, scales in ((2, (1e-6, 1e-9)), (3, (1e-4, 1e-6)), (5, (1e-2, 3e-3))):
        for s1, s2 in ((2.0, 1.0), (1.5, 0.4)):
            ratios = []
            for scale in scales:
                start = scale**depth
                time = deep_linear.mode_time(s1 / 2, start, s1, depth=depth)
                exact = deep_linear.modes(time[None], jnp.array([s2]), jnp.array([start]), depth=depth)[0, 0]
                given = float(answer(scale, s1, s2, depth))
                ratios.append(given / float(exact))
            assert abs(ratios[1] - 1) < 0.01 and abs(ratios[1] - 1) < abs(ratios[0] - 1) + 1e-6, (
                f"{depth} layers, s = {s1}, {s2}: the answer is {ratios[0]:.4g} times the exact strength at the scale "
                f"{scales[0]:g} and {ratios[1]:.4g} times at {scales[1]:g}; this must tend to one. Hint: "
                + ("write the time as ln(s1/start)/(2 s1)" if depth == 2 else "as long as u is small, u^(2/L - 1) is linear in t")
            )
    print("Right: your runner-up is that of the exact solution as the scale goes to zero.")


def check_best_of_rank(answer: Callable) -> None:
    r"""Of all matrices of the rank, the answer's has the least cost, on inputs that are not whitened.

    The rank is counted, the gradient within the matrices of that rank must vanish, and no alternating least squares
    from several starts may find less.

    Args:
      answer: a function of (X, y, rank) that returns the end-to-end matrix (c, d) of least squared loss.

    Raises:
      AssertionError: names the rank and the property that fails.
    """
    require.callable_("answer", answer)
    rng = np.random.default_rng(7)
    X = rng.normal(size=(40, 5)) * np.array([3.0, 0.3, 1.0, 2.0, 0.5])
    y = X @ rng.normal(size=(5, 4)) + rng.normal(size=(40, 4))
    cost = lambda P: 0.5 * np.sum((X @ P.T - y) ** 2)
    for rank in (1, 2, 4):
        P = np.asarray(answer(X, y, rank), dtype=float)
        assert P.shape == (4, 5), f"rank {rank}: the answer must have shape (4, 5), but has {P.shape}"
        sigma = np.linalg.svd(P, compute_uv=False)
        counted = int(np.sum(sigma > 1e-8 * sigma[0]))
        assert counted <= rank, f"rank {rank}: the answer has rank {counted}"
        least = min(cost(_alternate(X, y, rank, rng)) for _ in range(4))
        assert cost(P) < least * (1 + 1e-6), (
            f"rank {rank}: the answer costs {cost(P):.6g}, and alternating least squares finds {least:.6g}. Hint: truncate "
            "in coordinates in which the inputs are white, and come back; truncating y'X or the regression itself is not it"
        )
    print("Right: no matrix of that rank fits better.")


def _alternate(X, y, rank, rng):
    above = rng.normal(size=(y.shape[1], rank))
    for _ in range(500):
        above = np.linalg.qr(above)[0]
        below = np.linalg.lstsq(X, y @ above, rcond=None)[0].T
        above = np.linalg.lstsq(X @ below.T, y, rcond=None)[0].T
    return above @ below
