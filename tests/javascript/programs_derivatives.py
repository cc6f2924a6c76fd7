"""JAX differentiates and vectorizes before the compiler sees anything; these are the jaxprs that come out."""

import jax
import jax.numpy as jnp
from jax import lax
from programs import program
from programs_elementwise import ramp

X = ramp(-1, 1)
PAIRS = (0.7, 0.3), (-1.3, 0.45), (0.1, 2.0)


@program(*PAIRS)
def of_elementwise(a, b):
    """Derivatives, first to third, of what a chapter may write, with the corners of relu, abs, max, clip."""
    functions = [
        *(
            jnp.tanh, jnp.exp, jnp.sin, jnp.cos, jnp.arctan, jax.nn.sigmoid, jax.nn.softplus, jax.nn.gelu, jax.nn.silu,
            jax.nn.elu,
        ),
        *(
            lax.erf, jnp.cosh, jnp.sinh, jnp.abs, jax.nn.relu, lax.logistic, jnp.expm1, jnp.square, jnp.cbrt, jnp.arcsinh,
            jnp.sinc,
        ),
        *(
            lambda x: jnp.log1p(x * x), lambda x: jnp.sqrt(1 + x * x), lambda x: lax.rsqrt(1 + x * x),
            lambda x: jnp.tan(x / 3),
        ),
        *(
            lambda x: x**3 / (1 + x**2), lambda x: jnp.maximum(x, 0.2) * x, lambda x: jnp.clip(x, -1, 0.5),
            lambda x: jnp.abs(x) ** b
        ),
        *(
            lambda x: jnp.arctan2(x, b), lambda x: jnp.power(1 + x * x, b), lambda x: jnp.logaddexp(x, b),
            lambda x: jnp.where(x > 0, x * x, jnp.sin(x)),
        ),
        *(
            lambda x: jnp.arcsin(x / 3), lambda x: jnp.arccos(x / 3), lambda x: jnp.arctanh(x / 3),
            lambda x: jnp.arccosh(2 + x * x),
        ),
    ]
    slopes = [[jax.grad(f), jax.grad(jax.grad(f)), jax.grad(jax.grad(jax.grad(f)))] for f in functions]
    corners = [jax.grad(f)(0.0 * a) for f in (jnp.abs, jax.nn.relu, lambda x: jnp.maximum(x, 0.0), lambda x: x**2.0)]
    return [[d(a) for d in row] for row in slopes], corners, jax.vmap(jax.grad(jnp.tanh))(jnp.linspace(-a, b, 12))


@program(*[(a, X[:12].reshape(3, 4)) for a, _ in PAIRS])
def of_structure(a, x):
    """Gradients of moves are moves back: slices become pads, gathers scatters, broadcasts sums, pads slices."""
    functions = {
        "slice": lambda x: jnp.sum(x[::2, 1:] ** 3) + jnp.sum(x[:, ::-1] ** 2 * x) + x[1, 2] ** 2,
        "gather": lambda x: (
            jnp.sum(jnp.sin(x[jnp.array([0, 2, 2, 1])]))
            + jnp.sum(jnp.take_along_axis(x, jnp.array([[1], [0], [3]]), 1) ** 2)
        ),
        "dynamic": lambda x: jnp.sum(lax.dynamic_slice(x, (jnp.int64(a), 1), (2, 2)) ** 2 * x[:2, :2]),
        "update": lambda x: jnp.sum(lax.dynamic_update_slice(x, x[:1] ** 2, (jnp.int64(a + 1), 0)) ** 2),
        "scatter": lambda x: (
            jnp.sum(jnp.zeros(5).at[jnp.array([0, 3, 3])].add(x[:, 0]) ** 2) + jnp.sum(x.at[1, 2].set(a) ** 2)
        ),
        "multiply": lambda x: jnp.sum(x.at[1].multiply(x[0]) ** 2) + jnp.sum(x.at[:, 0].mul(a) ** 2),
        "pad": lambda x: jnp.sum(lax.pad(x, a, ((1, 1, 1), (0, -1, 0))) ** 2),
        "join": lambda x: jnp.sum(jnp.concatenate([x, x * a], 1) ** 2) + jnp.sum(jnp.stack([x, x.mean() * x]) ** 3),
        "sort": lambda x: (
            jnp.sum(jnp.sort(x.ravel())[:5] ** 2) + jnp.median(x) + jnp.max(x) ** 2
            + jnp.sum(jnp.min(x, 1) ** 2)
        ),
        "shapes": lambda x: (
            jnp.sum(jnp.tile(x.T, (2, 2)) @ jnp.ones((6, 1)) * a) ** 2
            + jnp.sum(jnp.broadcast_to(x[:1], (5, 4)) ** 2)
        ),
        "running": lambda x: (
            jnp.sum(jnp.cumsum(x, 0) ** 2) + jnp.sum(jnp.cumprod(x[:, 0]) ** 2) + jnp.prod(x[1])
            + jnp.sum(lax.cummax(x) ** 2)
        ),
        "products": lambda x: (
            jnp.sum(jnp.tanh(x @ x.T) ** 2) + jnp.einsum("ij,kj->", x, x**2)
            + jnp.sum(jnp.outer(x[0], x[1]) ** 2)
        ),
    }
    return {name: (jax.grad(f)(x), jax.jvp(f, (x,), (jnp.cos(x),))) for name, f in functions.items()}


@program(*PAIRS)
def of_networks(a, b):
    """Gradient, Hessian, Jacobian forward and backward, products with both, of one small network."""
    x = jnp.sin(jnp.arange(10.0) * a).reshape(5, 2)
    net = lambda w: jnp.tanh(x @ w[:6].reshape(2, 3)) @ w[6:9]
    loss = lambda w: jnp.mean((net(w) - b) ** 2)
    w = jnp.cos(jnp.arange(9.0) * b)
    jacobian = jax.jacobian(net)(w)
    products = jax.jvp(jax.grad(loss), (w,), (w**2,))[1], jax.vjp(net, w)[1](x[:, 0])[0], jax.linearize(net, w)[1](w)
    return jax.value_and_grad(loss)(w), jax.hessian(loss)(w), jacobian, jax.jacfwd(net)(w), jacobian @ jacobian.T, products


@program(*PAIRS)
def softmax_family(a, b):
    """`custom_jvp` functions and their derivatives: softmax, logsumexp, relu, cross-entropy, norms."""
    z = jnp.sin(jnp.arange(21.0) * a).reshape(3, 7) * 10 * b
    entropy = lambda z: -jnp.mean(jax.nn.log_softmax(z)[jnp.arange(3), jnp.array([0, 6, 2])])
    whole = (
        jax.nn.softmax(z), jax.nn.softmax(z[:, :3], 0), jax.nn.logsumexp(z), jax.nn.logsumexp(z, axis=1),
        jax.nn.log_softmax(z, 0),
    )
    slopes = (
        jax.grad(entropy)(z), jax.jacobian(jax.nn.softmax)(z[0]), jax.hessian(jax.nn.logsumexp)(z[0, :3]),
        jax.grad(lambda z: jnp.linalg.norm(z))(z),
    )
    others = (
        jax.nn.one_hot(jnp.argmax(z, 1), 7), jax.nn.leaky_relu(z), jax.nn.relu6(z), jax.nn.hard_tanh(z),
        jax.nn.standardize(z), jax.nn.selu(z[0]),
    )
    return whole, slopes, others, jax.vmap(jax.grad(lambda r: jax.nn.relu(r).sum() ** 2))(z)


@jax.custom_vjp
def straight(x):
    return jnp.round(x)


straight.defvjp(lambda x: (jnp.round(x), x), lambda x, g: (g * x,))


@program(*PAIRS)
def custom_rules(a, b):
    """`custom_vjp` and `custom_jvp` called, differentiated, and under `vmap`; `jit` within; a remat."""
    saturate = jax.custom_jvp(lambda x: jnp.clip(x, -1, 1))
    saturate.defjvp(lambda p, t: (saturate(p[0]), t[0] * 0.1))
    v = jnp.linspace(-3 * a, 3 * b, 12)
    inner = jax.jit(lambda x, y: {"s": x + y, "p": (x * y, x)})(v, b)
    return (
        straight(v * 1.37), jax.grad(lambda x: jnp.sum(straight(x) * x))(v), saturate(v), jax.grad(saturate)(a),
        jax.vmap(jax.grad(saturate))(v), inner,
    )


@program(*PAIRS)
def solved_derivatives(a, b):
    """Derivatives through solve, Cholesky, eigenvalues, the matrix exponential, an implicit root."""
    m = jnp.cos(jnp.arange(9.0).reshape(3, 3)) + jnp.eye(3)
    through = lambda k: jnp.sum(jnp.linalg.solve(m + k * jnp.eye(3), jnp.ones(3)))
    chol = lambda k: jnp.sum(jnp.linalg.cholesky(m @ m.T + (1 + k * k) * jnp.eye(3)))
    root = lambda k: lax.custom_root(
        lambda x: x**3 + x - k, k, lambda f, x: lax.fori_loop(0, 40, lambda _, x: x - f(x) / jax.grad(f)(x), x), lambda g,
        y: y / g(1.0)
    )
    exponential = lambda k: jax.scipy.linalg.expm(k * m[:2, :2])[0, 1]
    return [(f(a), jax.grad(f)(b)) for f in (through, chol, root, exponential)], jax.grad(lambda k: jnp.linalg.det(m * k))(a)
