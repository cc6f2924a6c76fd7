"""Programs like the course's figures: flows, gradient descent, kernels, power iteration, random numbers with a fixed key."""

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from equinox.internal import unvmap_all, unvmap_any, unvmap_max
from jax import lax
from programs import program

PAIRS = (0.7, 0.3), (-1.3, 0.45), (0.1, 2.0)


def rk4(field, state, dt):
    k1 = field(state)
    k2 = field(state + dt / 2 * k1)
    k3 = field(state + dt / 2 * k2)
    k4 = field(state + dt * k3)
    return state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


@program(*PAIRS)
def pendulum(a, b):
    """One orbit by RK4 in a scan, its field on a lattice, an ensemble under `vmap`, an event time."""
    field = lambda z: jnp.stack([z[1], -jnp.sin(z[0]) - 0.1 * z[1]])
    flow = lambda z: lax.scan(lambda z, _: (rk4(field, z, 0.05), z), z, None, length=60)[1]
    path, t = flow(jnp.stack([a, b])), jnp.arange(60) * 0.05
    corners = jnp.stack(jnp.meshgrid(jnp.linspace(-2, 2, 5), jnp.linspace(-1, 1, 4)), -1)
    below = jnp.argmax(path[:, 1] < 0)
    many = jax.vmap(flow)(jnp.stack([jnp.linspace(-2, 2, 9), jnp.full(9, b)], 1))
    return {
        "t": t, "path": path, "field": jax.vmap(jax.vmap(field))(corners), "many": many,
        "crossing": jnp.where(below > 0, t[below], jnp.nan),
    }


@program((0.05, 0), (0.2, 1), (0.01, 2))
def trained_network(rate, which):
    """Gradient descent of a network in a scan, the loss, the change of its tangent kernel, its eigenvalues."""
    k1, k2, k3 = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(k1, (6, 2))
    params0 = {"W": jax.random.normal(k2, (2, 8)), "a": jax.random.normal(k3, (8,)) / 3}
    y = jnp.stack([jnp.sin(x[:, 0]), x[:, 1], jnp.sign(x[:, 0])])[which]
    net = lambda p, x: jnp.tanh(x @ p["W"]) @ p["a"]
    loss = lambda p: jnp.mean((net(p, x) - y) ** 2) / 2

    def step(p, _):
        value, slope = jax.value_and_grad(loss)(p)
        return jax.tree.map(lambda w, g: w - rate * g, p, slope), value

    def ntk(p):
        jac = jnp.concatenate([j.reshape(6, -1) for j in jax.tree.leaves(jax.jacobian(net)(p, x))], 1)
        return jac @ jac.T

    params, losses = lax.scan(step, params0, None, length=40)
    drift = jnp.linalg.norm(ntk(params) - ntk(params0))
    return {
        "loss": losses, "kernel": ntk(params), "drift": drift, "spectrum": jnp.linalg.eigvalsh(ntk(params)),
        "params": params,
    }


@program(*PAIRS)
def adaptive_flow(a, b):
    """An adaptive solver of diffrax: a while loop with accepted and rejected steps, dense output, checks; three at once."""
    field = diffrax.ODETerm(lambda t, z, args: jnp.stack([z[1], -jnp.sin(z[0]) - args * z[1]]))
    control = diffrax.PIDController(rtol=1e-6, atol=1e-8)
    saved = diffrax.SaveAt(ts=jnp.linspace(0.0, 4.0, 12))
    solve = lambda z: diffrax.diffeqsolve(
        field, diffrax.Tsit5(), 0.0, 4.0, 0.1, z, args=b, stepsize_controller=control, saveat=saved,
    )
    solutions = jax.vmap(lambda w: solve(jnp.stack([a, w])))(jnp.linspace(-1, 1, 3))
    return solutions.ys, solutions.stats["num_accepted_steps"]


@program(*PAIRS)
def checked(a, b):
    """Checks of equinox that hold, alone and under `vmap`, and the reductions over all that is vectorized."""
    v = jnp.linspace(0.0, b, 12)
    held = eqx.error_if(a * v, a > 9, "too large"), jax.vmap(lambda x: eqx.error_if(x * a, x > 9, "too large"))(v)
    both = [f(v > 0.2) for f in (unvmap_any, unvmap_all)], jax.vmap(lambda x: (unvmap_any(x > 0.5), unvmap_all(x < 9), x))(v)
    return held, both, unvmap_max(jnp.arange(12) % 7 + (v > a))


@program(*PAIRS)
def power_iteration(a, b):
    """The largest eigenvalue with its vector, and the whole QR-free deflation by one."""
    m = jnp.cos(jnp.arange(25.0).reshape(5, 5) * a)
    m = m @ m.T + 3 * b * jnp.diag(jnp.arange(5.0))
    v, sizes = lax.scan(lambda v, _: ((w := m @ v) / jnp.linalg.norm(w), v @ w), jnp.ones(5) / 5**0.5, None, length=150)
    fixed = lax.fori_loop(0, 100, lambda i, v: (lambda w: w / jnp.linalg.norm(w))(m @ v), jnp.ones(5))
    return v, sizes, fixed, jnp.allclose(m @ v, sizes[-1] * v, rtol=1e-3)


@program(*PAIRS)
def chance(a, b):
    """Random numbers with constant keys are constants, even in loops over constant keys; they are the right ones."""
    key = jax.random.key(7)
    drawn = (
        jax.random.normal(key, (5,)), jax.random.uniform(key, (12,)), jax.random.randint(key, (4,), 0, 100),
        jax.random.permutation(key, 9),
    )
    old = (
        jax.random.normal(jax.random.PRNGKey(3), (3, 3)), jax.random.bernoulli(key, 0.3, (11,)),
        jax.random.choice(key, 5, (3,)),
    )
    noise = jax.vmap(lambda k: jax.random.normal(k, (2,)))(jax.random.split(key, 6))
    walk = lax.scan(lambda x, n: (x * a + b * n, x), jnp.zeros(2), noise)
    return jax.tree.map(lambda r: r * a, (drawn, old, noise)), walk, jax.random.orthogonal(key, 3) * b


@program(*PAIRS, scale=1.0)
def rounding_alone(a, b):
    """What is zero up to rounding: conserved quantities, residuals."""
    turn = jnp.array([[jnp.cos(a), -jnp.sin(a)], [jnp.sin(a), jnp.cos(a)]])
    path = lax.scan(lambda z, _: (turn @ z, z), jnp.stack([a, b]), None, length=50)[1]
    m = jnp.cos(jnp.arange(9.0).reshape(3, 3) * a) + 3 * jnp.eye(3)
    return jnp.sum(path**2, 1) - a**2 - b**2, m @ jnp.linalg.inv(m) - jnp.eye(3)


TABLE = np.cos(np.arange(200.0)).reshape(20, 10)


ODD = np.where(np.arange(12) == 7, 1 + 1e-6, 1.0)


@program(*PAIRS, scale=0.0)
def nearly_regular(a, b):
    """Tables that are almost constant, almost evenly spaced, almost all zero: they must not be taken for it."""
    even, signs = np.linspace(-1.0, 2.0, 12), np.where(np.arange(12) % 5, 0.0, -0.0)
    tables = (
        ODD, 1 - ODD, even * ODD, np.arange(12.0) * ODD, even, np.arange(12.0) / 7, np.full(12, 0.1), signs,
        np.geomspace(1, 2, 12),
    )
    whole = (
        np.array([3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 26]), np.arange(12) * 2 - 3, np.full(12, 4),
        np.array([0, 1] * 6),
    )
    return (
        [b / (a * jnp.asarray(t)) for t in tables], [a * jnp.asarray(t) for t in whole],
        [jnp.asarray(t)[:3] + a for t in tables + whole],
    )


@program(*PAIRS)
def constants(a, b):
    """Constants small, large, of each type, not finite, repeated, and used by several rules; arrays of one value."""
    table, v = (
        jnp.asarray(TABLE),
        jnp.array([1e-310 * 0, 1e300, -1e-300, jnp.nan, jnp.inf, -jnp.inf, -0.0, 1 / 3, 123456789.123, 5e-324 * 0]),
    )
    truths, counts = jnp.array([True, False] * 6), jnp.array([3, -1, 2**31 - 1, -(2**31)], jnp.int32)
    edges = (
        jnp.array([2**31 - 1, -(2**31)] * 6, jnp.int32) + jnp.int32(a > 0),
        jnp.arange(12, 0, -1, dtype=jnp.uint32) * jnp.uint32(b > 0),
    )
    folded = (
        jnp.linalg.eigvalsh(table.T @ table) * a, jnp.sort(table[:, 0]) + b, jnp.fft.fft(TABLE[0]).real * a,
        jnp.float32(0.1).astype(float) * a,
    )
    return (
        v * a, v + b, table * a, table @ table.T * b, jnp.where(truths, a, b), counts * a, edges, table, truths, counts,
        jnp.full(30, 7.0) * a, folded, table[3] * b,
    )
