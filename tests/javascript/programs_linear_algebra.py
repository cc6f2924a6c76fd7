"""Reductions, running reductions, contractions, factorizations."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from programs import program
from programs_elementwise import ramp

WIDE = ramp(-9, 9)
CUBE = WIDE[:24].reshape(2, 3, 4)


@program((CUBE,), (WIDE[9:].reshape(2, 3, 4),), (np.where(CUBE > 7, np.nan, CUBE),), (np.where(CUBE > 7, np.inf, CUBE),))
def reductions(x):
    """Sum, product, maximum, minimum over each set of axes; of one number; of nothing."""
    sets = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
    every = [[f(x, axis) for axis in sets] for f in (jnp.sum, jnp.prod, jnp.max, jnp.min)]
    empty = jnp.sum(x[:0], 0), jnp.prod(x[:0]), jnp.sum(x[:, :0], 1), jnp.max(x, initial=3.0), jnp.max(x[:0], initial=-2.0)
    small = (
        x[0, 0].sum(), x[0, 0, :2].prod(), x[:, :1].sum(1), x[0, :, :2].max(0), jnp.sum(x[0, 0, :1]),
        jnp.max(x[1, 1, :2]),
    )
    return every, empty, small, x.mean(0), x.var(), x.std(1), jnp.linalg.norm(x[0]), jnp.ptp(x, 2), jnp.average(x, 1)


@program((np.outer(WIDE[:6], WIDE[:9]) / 9,), (np.outer(WIDE[9:15], WIDE[5:14]) / 9,))
def long_reductions(x):
    """Few results of many numbers: loops although the result is small."""
    few = [f(x, axis) for f in (jnp.sum, jnp.prod, jnp.max, jnp.min) for axis in (0, 1, (0, 1))]
    return (
        few, jnp.any(x > 9, 1), jnp.all(x > -9, 0), x @ x[0], x[0] @ x.T, x[:, :8].reshape(6, 2, 4).sum((0, 2)),
        x.sum(1, keepdims=True), jnp.vdot(x, x),
    )


@program((WIDE[:24].reshape(6, 4) / 9,), (WIDE[9:].reshape(6, 4) / 9,))
def running(x):
    """Cumulative sum, product, maximum, minimum, logsumexp along each axis, in both directions; differences."""
    kinds = (lax.cumsum, lax.cumprod, lax.cummax, lax.cummin, lax.cumlogsumexp)
    every = [[f(x, axis=axis, reverse=back) for axis in (0, 1) for back in (False, True)] for f in kinds]
    v = x[0, :3]
    return (
        every, jnp.cumsum(v), lax.cumprod(v, reverse=True), jnp.cumsum(x), jnp.cumsum(x[:1], 0), jnp.diff(x, axis=0),
        jnp.cumsum(x[:0], 0),
    )


@program((WIDE[:12].reshape(3, 4), WIDE[5:25].reshape(4, 5)), (WIDE[9:21].reshape(3, 4), WIDE[:20].reshape(4, 5)))
def products(x, y):
    """Matrix and dot products: tall, flat, of vectors, of size one, empty, transposed, over both axes."""
    v, w = x[0], y[:, 1]
    matrices = (
        x @ y, y.T @ x.T, x @ x.T, x.T @ x, x[:, :1] @ y[:1], x[:1] @ y, x[:, :0] @ y[:0], x[:2, :2] @ y[:2, :2],
        x[:1, :2] @ y[:2, :1],
    )
    vectors = x @ v, v @ y, v @ w, jnp.vdot(x, x), jnp.outer(v, w), jnp.tensordot(x, x), v[:1] @ w[:1], v[:2] @ w[:2]
    pick = lax.dot_general(x, y, (((1,), (0,)), ((), ()))), lax.dot_general(x, y, (((), ()), ((), ()))), jnp.inner(x, x[:2])
    return (
        matrices, vectors, pick, jnp.linalg.multi_dot([x, y, y.T]), jnp.linalg.matrix_power(x @ x.T / 99, 3),
        jnp.trace(x @ x.T),
    )


@program((CUBE, WIDE[9:].reshape(2, 4, 3)), (WIDE[9:].reshape(2, 3, 4), CUBE.reshape(2, 4, 3)))
def contractions(x, y):
    """`dot_general` with batch axes first, last, in the middle, several contracted axes, and einsum."""
    two = lax.dot_general(x, y, (((2, 1), (1, 2)), ((0,), (0,)))), lax.dot_general(x, y, (((0,), (0,)), ((2,), (1,))))
    three = lax.dot_general(x, y, (((2,), (1,)), ((0,), (0,)))), lax.dot_general(x, x, (((), ()), ((0, 1), (0, 1))))
    every = (
        lax.dot_general(x, x, (((0, 1, 2), (0, 1, 2)), ((), ()))),
        lax.dot_general(x, x, (((1,), (1,)), ((2, 0), (2, 0)))),
    )
    names = (
        "bij,bjk->bik", "bij,bjk->bki", "bij,bjk->ik", "bij,cjk->bcik", "bij,bji->b", "bij,bij->ij", "bij,bjk->",
        "bij,ckj->ibk",
    )
    return (
        two, three, every, [jnp.einsum(name, x, y if "jk" in name or "ji" in name else x) for name in names[:-2]],
        jnp.matmul(x, y),
    )


SQUARE = [(np.cos(np.arange(16) ** 2 * k).reshape(4, 4), k) for k in (0.9, 2.3)]


@program(*SQUARE)
def solves(a, b):
    """Solve, inverse, determinant, least squares by normal equations: through a pivoted LU factorization."""
    a, v = a + 0.1 * b * jnp.eye(4), jnp.arange(4.0) + b
    swap = a[jnp.array([2, 0, 3, 1])] * jnp.array([1e-3, 1.0, 1.0, 1.0])[:, None]
    return (
        jnp.linalg.solve(a, v), jnp.linalg.solve(swap, a), jnp.linalg.inv(a[:3, :3]), jnp.linalg.det(a),
        jnp.linalg.slogdet(swap),
    )


@program(*SQUARE)
def factorizations(a, b):
    """LU with its pivots, Cholesky, both of one number and of batches."""
    positive = a @ a.T + b * jnp.eye(4)
    batch = jnp.stack([positive, positive + jnp.eye(4)])
    lu = lax.linalg.lu(a), lax.linalg.lu(a[:1, :1]), lax.linalg.lu(a[:3, :2]), lax.linalg.lu(a[:2, :3]), lax.linalg.lu(batch)
    return (
        lu, jnp.linalg.cholesky(positive), jnp.linalg.cholesky(positive[:1, :1]), jnp.linalg.cholesky(batch),
        jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(positive), True), a),
    )


@program(*SQUARE)
def triangular_solves(a, b):
    """Every flag of the triangular solve; of a matrix, a vector, a batch."""
    a = a + 3 * jnp.eye(4)
    y = jnp.cos(jnp.arange(8.0) + b).reshape(4, 2)
    flags = [(left, lower, flip, unit) for left in (0, 1) for lower in (0, 1) for flip in (0, 1) for unit in (0, 1)]
    solve = lambda a, y, f: lax.linalg.triangular_solve(
        a, y if f[0] else y.swapaxes(
            -1, -2,
        ), left_side=bool(f[0]), lower=bool(f[1]), transpose_a=bool(f[2]), unit_diagonal=bool(f[3])
    )
    batch = solve(jnp.stack([a, a.T]), jnp.stack([y, -y]), (1, 1, 0, 0))
    return (
        [solve(a, y, f) for f in flags], batch, jax.scipy.linalg.solve_triangular(a, y[:, 0], lower=True),
        solve(a[:1, :1], y[:1], (1, 0, 0, 0)),
    )


@program(*SQUARE)
def factors_used_again(a, b):
    """LU with its pivots kept and used for several right sides, and for the transpose."""
    factors = jax.scipy.linalg.lu_factor(a)
    y = jnp.arange(8.0).reshape(4, 2) * b
    permutation, lower, upper = jax.scipy.linalg.lu(a)
    solutions = [jax.scipy.linalg.lu_solve(factors, y, trans=trans) for trans in (0, 1)]
    return (
        solutions, jax.scipy.linalg.lu_solve(factors, y[:, 0]), permutation @ lower @ upper, lower,
        jnp.linalg.inv(jnp.stack([a, a.T])),
    )


@program((SQUARE[0][0], 1.0), (SQUARE[0][0], np.nan), (SQUARE[0][0], np.inf), (SQUARE[0][0], 0.0), (SQUARE[0][0], -1.0))
def without_solution(a, b):
    """Singular, indefinite, infinite, or no numbers at all: what is NaN or infinite in JAX is so here."""
    solved = (
        jnp.linalg.solve(jnp.diag(jnp.array([1.0, b, 2.0])), jnp.ones(3)),
        jnp.linalg.cholesky(jnp.diag(jnp.array([1.0, jnp.where(b < 9, b, -1.0), 2.0]))),
        jnp.isnan(jnp.linalg.cholesky(jnp.diag(jnp.array([1.0, b, 2.0])))).any(),
    )
    values = jnp.isfinite(jnp.linalg.eigvalsh(a + a.T + b)), jnp.isfinite(jnp.linalg.eigh(jnp.array([[b]]))[1])
    return (
        solved, values, jnp.linalg.det(jnp.diag(jnp.array([1.0, b]))),
        jnp.isfinite(jnp.linalg.inv(jnp.array([[b, 1.0], [1.0, 1.0]]))).all(),
    )


def oriented(vectors):
    """Eigenvectors are known up to sign: the entry of largest size becomes positive."""
    largest = jnp.take_along_axis(vectors, jnp.argmax(jnp.abs(vectors), -2)[..., None, :], -2)
    return vectors * jnp.sign(largest)


@program(*SQUARE)
def eigenvalues(a, b):
    """Symmetric matrices of sizes 1 to 4, their eigenvectors, diagonal ones, singular values through them, gradients."""
    s, big = (a + a.T) / 2, jnp.cos(jnp.arange(144.0).reshape(12, 12) * b)
    several = [(w, oriented(v)) for w, v in (jnp.linalg.eigh(s[:n, :n]) for n in (1, 2, 3, 4))]
    diagonal = jnp.linalg.eigvalsh(jnp.diag(jnp.array([3.0, -1.0, 2.0]) * b)), jnp.linalg.eigvalsh(jnp.zeros((3, 3)) * b)
    batch = (
        jnp.linalg.eigvalsh(jnp.stack([s, s @ s])), jnp.linalg.eigvalsh(big + big.T), jnp.linalg.eigvalsh(1e-9 * s),
        jnp.linalg.eigvalsh(1e9 * s),
    )
    upper = [lax.linalg.eigh(a, lower=flag, symmetrize_input=False)[1] for flag in (True, False)]
    slope = jax.grad(lambda k: jnp.linalg.eigvalsh(s * k + jnp.diag(jnp.arange(4.0)))[-1])(b)
    return (
        several, diagonal, batch, upper, slope, jnp.linalg.eigvalsh(jnp.eye(5) * b),
        jnp.linalg.eigvalsh(jnp.outer(a[0], a[0])),
    )


@program(*SQUARE)
def matrix_functions(a, b):
    """The exponential (Padé, scaling and squaring, a loop and a switch on the norm), at three sizes of its argument."""
    return [jax.scipy.linalg.expm(a[:3, :3] * s) for s in (0.01, 1.0, 6.0)], jax.scipy.linalg.expm(a[:2, :2] * b)


@program((0.7, 0.3), (1.3, -0.45), (0.1, 2.0))
def interpolation(a, b):
    """Interpolation, polynomials, quadrature, convolution by hand, histograms' edges, meshes."""
    t = jnp.linspace(0.0, 1.0, 10)
    x, y = jnp.meshgrid(t[:4] * a, t[:3] + b)
    bend = jnp.interp(jnp.linspace(-0.1, 1.2, 30), t, jnp.sin(9 * a * t)), jnp.interp(b, t, t * t, left=-1.0, right=5.0)
    return (
        bend, jnp.polyval(jnp.array([a, b, 1.0]), t), jnp.trapezoid(jnp.exp(a * t), t), x * y,
        jnp.cov(jnp.stack([t, jnp.sin(a * t)])), jnp.gradient(jnp.exp(b * t)),
    )
