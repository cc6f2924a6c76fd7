"""neural-tangents on the pinned jax: every function that the book calls, against references written here."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import eigvalsh, expm

from learndyn.neural_tangents import nt, stax

X1 = jax.random.normal(jax.random.key(0), (6, 5))
X2 = jax.random.normal(jax.random.key(1), (4, 5))
Y = jax.random.normal(jax.random.key(2), (6, 2))
WEIGHT_SCALE, BIAS_SCALE = 1.5, 0.1


def stax_mlp(activation, *, width=32, depth=2, outputs=1, weight_scale=WEIGHT_SCALE, bias_scale=BIAS_SCALE):
    def dense(size):
        return stax.Dense(size, W_std=weight_scale, b_std=bias_scale)

    hidden = [layer for _ in range(depth) for layer in (dense(width), activation())]
    return stax.serial(*hidden, dense(outputs))


def dual_relu(K, q1, q2):
    """E phi(u) phi(v), E phi'(u) phi'(v) for ReLU and Gaussian (u, v): arc-cosine kernels of degree 1 and 0."""
    scale = np.sqrt(np.multiply.outer(q1, q2))
    angle = np.arccos(np.clip(K / scale, -1, 1))
    return scale * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi), (np.pi - angle) / (2 * np.pi)


def dual_erf(K, q1, q2):
    """The same for erf: arc-sine kernel (Williams 1997) and its derivative in K."""
    scale = np.multiply.outer(1 + 2 * q1, 1 + 2 * q2)
    return 2 / np.pi * np.arcsin(2 * K / np.sqrt(scale)), 4 / np.pi / np.sqrt(scale - 4 * K**2)


def recursion(A, B, dual, *, depth=2, weight_scale=WEIGHT_SCALE, bias_scale=BIAS_SCALE):
    """NNGP and NTK of a multilayer perceptron, layer by layer in NumPy."""
    A, B = np.asarray(A, np.float64), np.asarray(B, np.float64)
    w, b = weight_scale**2, bias_scale**2
    K, q1, q2 = (w * product / A.shape[1] + b for product in (A @ B.T, (A**2).sum(1), (B**2).sum(1)))
    theta = K
    for _ in range(depth):
        value, slope = dual(K, q1, q2)
        K = w * value + b
        theta = K + w * slope * theta
        q1, q2 = (w * np.diagonal(dual(np.diag(q), q, q)[0]) + b for q in (q1, q2))
    return K, theta


@pytest.mark.parametrize("activation, dual", [(stax.Relu, dual_relu), (stax.Erf, dual_erf)])
def test_infinite_mlp_is_the_closed_form_recursion(activation, dual):
    kernel = stax_mlp(activation)[2](X1, X2, ("nngp", "ntk"))
    nngp, ntk = recursion(X1, X2, dual)
    assert kernel.nngp.dtype == kernel.ntk.dtype == jnp.float64
    np.testing.assert_allclose(kernel.nngp, nngp, rtol=1e-10)
    np.testing.assert_allclose(kernel.ntk, ntk, rtol=1e-10)


@pytest.mark.parametrize("depth, golden", [(1, (0.183407871098, 0.11862709057)), (2, (0.12870135839, 0.127774260291))])
def test_infinite_relu_mlp_has_the_golden_values(depth, golden):
    X = jnp.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 1.0, 2.0]])
    ntk = stax_mlp(stax.Relu, depth=depth, weight_scale=1.0, bias_scale=None)[2](X, None, "ntk")
    np.testing.assert_allclose((ntk[0, 1], ntk[0, 2]), golden, rtol=1e-11)


def conv_net(hidden_layers, *, width, outputs=1):
    hidden = [layer for _ in range(hidden_layers) for layer in (stax.Conv(width, (3, 3), W_std=1.4), stax.Relu())]
    return stax.serial(*hidden, stax.GlobalAvgPool(), stax.Dense(outputs, W_std=1.4))


def test_infinite_cnn_of_one_hidden_layer_averages_a_perceptron_over_pairs_of_patches():
    images = jax.random.normal(jax.random.key(3), (3, 6, 6, 2))
    patches = np.stack([images[:, i : i + 3, j : j + 3].reshape(3, -1) for i in range(4) for j in range(4)], axis=1)
    one_layer = recursion(*2 * (patches.reshape(3 * 16, -1),), dual_relu, depth=1, weight_scale=1.4, bias_scale=0.0)
    kernel = conv_net(1, width=1)[2](images, None, ("nngp", "ntk"))
    for got, patchwise in zip((kernel.nngp, kernel.ntk), one_layer):
        np.testing.assert_allclose(got, patchwise.reshape(3, 16, 3, 16).mean((1, 3)), rtol=1e-6)


@pytest.mark.parametrize("get", ["nngp", "ntk"])
def test_monte_carlo_over_wide_cnns_with_pooling_agrees_with_the_infinite_one(get):
    images = jax.random.normal(jax.random.key(4), (2, 6, 6, 2))
    width, samples = 64, 40
    # NNGP of one net is an average over its outputs, so many of them; its NTK concentrates by itself.
    init, apply, kernel = conv_net(2, width=width, outputs=1 if get == "ntk" else width)
    monte_carlo = nt.monte_carlo_kernel_fn(
        init, apply, jax.random.PRNGKey(5), list(range(1, samples + 1)), vmap_axes=0, implementation=3
    )
    running = np.stack(list(monte_carlo(images, None, get)))  # means of the first 1, 2, ... nets
    draws = np.diff(np.arange(1, samples + 1)[:, None, None] * running, axis=0, prepend=0)
    exact = np.asarray(kernel(images, None, get))
    standard_error = draws.std(axis=0, ddof=1) / samples**0.5
    # 4 standard errors, and 2/width for the finite width, whose mean kernel is off by O(1/width)
    assert (np.abs(running[-1] - exact) < 4 * standard_error + 2 / width * exact).all()
    assert (standard_error < 0.05 * exact).all()  # else the line above would say little


def plain_network(params, X):
    h = jnp.tanh(X @ params["first"].T / X.shape[1] ** 0.5 + params["offset"][None])
    h = jax.nn.relu(jnp.einsum("ni,oi->no", h, params["second"]))
    return 0.3 * h @ params["last"]


def plain_params(key):
    shapes = {"first": (8, 5), "offset": (8,), "second": (7, 8), "last": (7, 2)}
    return {n: jax.random.normal(k, s) for (n, s), k in zip(shapes.items(), jax.random.split(key, len(shapes)))}


def network_and_params(name):
    if name == "plain jax":
        return plain_network, plain_params(jax.random.key(6))
    init, apply, _ = stax_mlp(getattr(stax, name), width=8, outputs=2)
    return apply, init(jax.random.PRNGKey(7), (-1, 5))[1]


def flat_jacobian(f, params, X):
    leaves = jax.tree.leaves(jax.jacobian(f)(params, X))
    outputs = f(params, X).shape
    return np.concatenate([np.asarray(leaf).reshape(*outputs, -1) for leaf in leaves], axis=-1)


@pytest.mark.parametrize("implementation", [1, 2, 3])
@pytest.mark.parametrize("name, vmap_axes", [("Relu", 0), ("Erf", 0), ("plain jax", 0), ("plain jax", None)])
def test_empirical_ntk_is_the_product_of_jacobians(name, implementation, vmap_axes):
    f, params = network_and_params(name)
    expected = np.einsum("acp,bdp->abcd", flat_jacobian(f, params, X1), flat_jacobian(f, params, X2))
    options = {"implementation": implementation, "vmap_axes": vmap_axes}
    kernels = [nt.empirical_ntk_fn(f, trace_axes=axes, **options) for axes in ((), (-1,))]
    full, mean = jax.jit(lambda p: [kernel(X1, X2, p) for kernel in kernels])(params)
    assert full.dtype == jnp.float64
    np.testing.assert_allclose(full, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(mean, np.einsum("abcc->ab", expected) / 2, rtol=1e-10, atol=1e-12)


def test_the_implementation_chosen_by_flops_agrees(capfd):
    f, params = network_and_params("plain jax")
    kernel = nt.empirical_ntk_fn(f, trace_axes=(), vmap_axes=0, implementation=0)(X1, None, params)
    assert "flops" in capfd.readouterr().out  # it prints what it compares
    J = flat_jacobian(f, params, X1)
    np.testing.assert_allclose(kernel, np.einsum("acp,bdp->abcd", J, J), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("implementation", [1, 2, 3])
def test_empirical_ntk_of_a_cnn_is_the_product_of_jacobians(implementation):
    images = jax.random.normal(jax.random.key(8), (3, 6, 6, 2))
    init, f, _ = conv_net(2, width=4)
    params = init(jax.random.PRNGKey(9), (-1, 6, 6, 2))[1]
    J = flat_jacobian(f, params, images)[:, 0]
    K = jax.jit(nt.empirical_ntk_fn(f, vmap_axes=0, implementation=implementation))(images, None, params)
    np.testing.assert_allclose(K, J @ J.T, rtol=1e-10)


def test_every_equation_may_be_differentiated_in_reverse_without_its_rule():
    f, params = network_and_params("plain jax")
    J = flat_jacobian(f, params, X1)
    options = {"_j_rules": False, "_s_rules": False, "_fwd": False}
    K = nt.empirical_ntk_fn(f, trace_axes=(), implementation=3, **options)(X1, None, params)
    np.testing.assert_allclose(K, np.einsum("acp,bdp->abcd", J, J), rtol=1e-10, atol=1e-12)


def test_ntk_vector_product():
    f, params = network_and_params("Erf")
    J = flat_jacobian(f, params, X1).reshape(12, -1)
    product = nt.empirical_ntk_vp_fn(f, X1, None, params)(Y)
    np.testing.assert_allclose(product.reshape(-1), J @ (J.T @ np.asarray(Y).reshape(-1)), rtol=1e-10)


def test_linearize_is_the_tangent():
    f, params0 = network_and_params("Erf")
    step = jax.tree.map(lambda leaf: 0.1 * jnp.cos(jnp.arange(leaf.size, dtype=float)).reshape(leaf.shape), params0)
    params = jax.tree.map(jnp.add, params0, step)
    moved = flat_jacobian(f, params0, X1) @ np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(step)])
    np.testing.assert_allclose(nt.linearize(f, params0)(params, X1), f(params0, X1) + moved, rtol=1e-12)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_taylor_expansion_of_a_cubic(degree):
    def cubic(params, X):
        return (X @ params) ** 3

    params0, step = jnp.arange(1.0, 6.0)[:, None], 0.3 * jnp.ones((5, 1))
    a, b = X1 @ params0, X1 @ step
    terms = (a**3, 3 * a**2 * b, 3 * a * b**2, b**3)
    got = nt.taylor_expand(cubic, params0, degree)(params0 + step, X1)
    np.testing.assert_allclose(got, sum(terms[: degree + 1]), rtol=1e-12)


def exact_mse_flow(theta, theta_test, t, f0, f0_test):
    """Flow of the mean (f - y)^2 / 2 over all entries: time runs n c times slower than for the sum."""
    decay = expm(-np.asarray(theta) * t / Y.size)
    f, learned = Y + decay @ (f0 - Y), np.linalg.solve(theta, (np.eye(6) - decay) @ (Y - f0))
    return f, f0_test + theta_test @ learned


@pytest.mark.parametrize("t", [0.0, 3.0, jnp.array([0.0, 1.0, 20.0])], ids=["zero", "3", "three times"])
def test_gradient_descent_mse_is_the_matrix_exponential(t):
    theta, theta_test = (recursion(A, X1, dual_erf)[1] for A in (X1, X2))
    f0, f0_test = jnp.sin(Y), jnp.cos(Y[:4])
    expected = [exact_mse_flow(theta, theta_test, time, f0, f0_test) for time in np.atleast_1d(t)]
    predict = nt.predict.gradient_descent_mse(jnp.asarray(theta), Y)
    train, test = predict(t, f0, f0_test, jnp.asarray(theta_test))
    np.testing.assert_allclose(train, np.reshape([e[0] for e in expected], train.shape), rtol=1e-8)
    np.testing.assert_allclose(test, np.reshape([e[1] for e in expected], test.shape), rtol=1e-8)


@pytest.mark.parametrize("t", [2.0, None])
def test_gradient_descent_mse_under_jit(t):
    theta, theta_test = (jnp.asarray(recursion(A, X1, dual_erf)[1]) for A in (X1, X2))
    f0, f0_test = jnp.sin(Y), jnp.cos(Y[:4])

    def flow(K):
        return nt.predict.gradient_descent_mse(K, Y)(t, f0, f0_test, theta_test)

    eager = flow(theta)
    for got, expected in zip(jax.jit(flow)(theta), eager):  # the kernel is traced
        np.testing.assert_allclose(got, expected, rtol=1e-9)
    predict = nt.predict.gradient_descent_mse(theta, Y)  # concrete: its factor must not leak out of the first trace
    for _ in range(2):
        scaled = jax.jit(lambda scale: predict(t, scale * f0, f0_test, theta_test))(1.0)
        for got, expected in zip(scaled, eager):
            np.testing.assert_allclose(got, expected, rtol=1e-9)


@pytest.mark.parametrize("t", [2.0, 50.0])
def test_ensemble_mean_and_covariance_in_time(t):
    (K, theta), (K_test, theta_test) = (recursion(A, X1, dual_erf) for A in (X1, X2))
    K_test_test = recursion(X2, X2, dual_erf)[0]
    learned = theta_test @ np.linalg.solve(theta, np.eye(6) - expm(-theta * t / Y.size))
    predict = nt.predict.gradient_descent_mse_ensemble(stax_mlp(stax.Erf)[2], X1, Y)
    mean, covariance = predict(t=t, x_test=X2, get="ntk", compute_cov=True)
    cross = learned @ K_test.T
    np.testing.assert_allclose(mean, learned @ Y, rtol=1e-8)
    expected = K_test_test + learned @ K @ learned.T - cross - cross.T
    np.testing.assert_allclose(covariance, expected, rtol=1e-8, atol=1e-9)


def test_trained_to_the_end_the_nngp_ensemble_is_gaussian_process_regression():
    (K, _), (K_test, _) = (recursion(A, X1, dual_erf) for A in (X1, X2))
    predict = nt.predict.gradient_descent_mse_ensemble(stax_mlp(stax.Erf)[2], X1, Y)
    mean, covariance = predict(x_test=X2, get="nngp", compute_cov=True)
    np.testing.assert_allclose(mean, K_test @ np.linalg.solve(K, Y), rtol=1e-7)
    posterior = recursion(X2, X2, dual_erf)[0] - K_test @ np.linalg.solve(K, K_test.T)
    np.testing.assert_allclose(covariance, posterior, rtol=1e-7, atol=1e-9)


def test_max_learning_rate_is_two_over_the_sharpness():
    theta = recursion(X1, X1, dual_erf)[1]
    rate = nt.predict.max_learning_rate(jnp.asarray(theta), y_train_size=Y.size)
    np.testing.assert_allclose(rate, 2 * Y.size / eigvalsh(theta)[-1], rtol=1e-10)


@pytest.mark.parametrize("device_count", [0, -1])
def test_batches_change_nothing(device_count):
    kernel = stax_mlp(stax.Relu)[2]
    f, params = network_and_params("Relu")
    empirical = nt.empirical_ntk_fn(f, vmap_axes=0, implementation=3)
    options = {"batch_size": 2, "device_count": device_count}
    np.testing.assert_allclose(nt.batch(kernel, **options)(X1, X2, "ntk"), kernel(X1, X2, "ntk"), rtol=1e-12)
    np.testing.assert_allclose(nt.batch(empirical, **options)(X1, X2, params), empirical(X1, X2, params), rtol=1e-12)


def in_fresh_python(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)


def test_import_leaves_jax_as_it_was_and_needs_no_tensorflow():
    result = in_fresh_python(
        """
import sys
import jax, jax.core, jax.interpreters.ad, jax.extend.core
owners = jax, jax.core, jax.interpreters.ad, jax.extend.core.Primitive
before = [set(vars(owner)) for owner in owners]
from learndyn.neural_tangents import nt, stax
added = [set(vars(owner)) - names for owner, names in zip(owners, before)]
assert not any(added[1:]) and "util" not in added[0], added
gone = {"tensorflow", "tf2jax", "jax.util", "neural_tangents.experimental"} & set(sys.modules)
assert not gone and not hasattr(nt, "experimental"), gone
x = jax.numpy.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 1.0, 2.0]])
init, apply, kernel = stax.serial(stax.Dense(4), stax.Relu(), stax.Dense(1))
ntk = kernel(x, None, "ntk")
assert ntk.dtype == "float32" and abs(ntk[0, 1] - 0.183407871098) < 1e-6, ntk
params = init(jax.random.PRNGKey(0), x.shape)[1]
K = [nt.empirical_ntk_fn(apply, implementation=i)(x, None, params) for i in (1, 2, 3)]
assert all(k.dtype == "float32" and abs(k - K[0]).max() < 1e-5 for k in K), K
"""
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "before, message",
    [
        ("sys.modules['neural_tangents'] = sys", "was imported before learndyn.neural_tangents"),
        ("metadata.version = lambda name: '0.10.2'", "written for jax 0.10.1, but 0.10.2 is installed"),
        ("import jax.core; jax.core.Var = object", "would overwrite ['Var']"),
    ],
    ids=["order", "version", "overwrite"],
)
def test_import_that_cannot_work_says_why(before, message):
    result = in_fresh_python(f"import sys\nfrom importlib import metadata\n{before}\nimport learndyn.neural_tangents")
    assert result.returncode == 1
    assert message in result.stderr
