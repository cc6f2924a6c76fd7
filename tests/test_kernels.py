"""Kernels against Jacobians, matrix exponentials, an ODE solver, and the identities that define them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from learndyn import kernels
from learndyn.neural_tangents import nt

N, D, C = 6, 4, 3
X = jax.random.normal(jax.random.key(0), (N, D))
X_TEST = jax.random.normal(jax.random.key(1), (5, D))
Y = jax.random.normal(jax.random.key(2), (N, C))
TIMES = jnp.array([0.0, 0.1, 1.0, 7.0])


def network(params, X):
    h = jnp.tanh(X @ params["first"].T + params["offset"][None])
    return jax.nn.relu(h @ params["second"].T) @ params["last"]


def draw(key):
    shapes = {"first": (8, D), "offset": (8,), "second": (7, 8), "last": (7, C)}
    return {n: jax.random.normal(k, s) / 2 for (n, s), k in zip(shapes.items(), jax.random.split(key, len(shapes)))}


PARAMS = draw(jax.random.key(3))


def jacobian(X, f=network, params=PARAMS):
    leaves, rows = jax.tree.leaves(jax.jacobian(f)(params, X)), f(params, X).size
    return np.concatenate([np.asarray(leaf).reshape(rows, -1) for leaf in leaves], axis=1)


def positive_kernel(size, rank, seed=4):
    A = jax.random.normal(jax.random.key(seed), (size, rank))
    return A @ A.T


# --- empirical_ntk


@pytest.mark.parametrize("implementation", ["auto", "structured", "jacobian", "products"])
@pytest.mark.parametrize("other", [None, X_TEST], ids=["train", "test"])
def test_empirical_ntk_is_the_product_of_jacobians(implementation, other):
    J1, J2 = jacobian(X), jacobian(X if other is None else other)
    full = kernels.empirical_ntk(network, implementation=implementation)(PARAMS, X, other)
    mean = kernels.empirical_ntk(network, outputs="mean", implementation=implementation)(PARAMS, X, other)
    np.testing.assert_allclose(full, J1 @ J2.T, rtol=1e-10, atol=1e-12)
    blocks = (J1 @ J2.T).reshape(N, C, -1, C)
    np.testing.assert_allclose(mean, np.einsum("icjc->ij", blocks) / C, rtol=1e-10, atol=1e-12)


def test_empirical_ntk_is_symmetric_positive_semidefinite_and_follows_permutations():
    kernel = kernels.empirical_ntk(network, outputs="mean")
    K, order = kernel(PARAMS, X), jnp.array([3, 0, 5, 1, 4, 2])
    np.testing.assert_allclose(K, K.T, atol=1e-13)
    assert np.linalg.eigvalsh(K).min() > 0
    np.testing.assert_allclose(kernel(PARAMS, X[order]), K[order][:, order], rtol=1e-12)


def test_empirical_ntk_of_a_single_linear_layer_is_the_gram_matrix():
    K = kernels.empirical_ntk(lambda W, X: X @ W.T)(jnp.ones((C, D)), X)
    np.testing.assert_allclose(K, np.kron(X @ X.T, np.eye(C)), rtol=1e-12, atol=1e-15)


def test_empirical_ntk_runs_under_jit_scan_and_vmap_and_compiles_once():
    traces = []

    def counted(params, X):
        traces.append(X.shape)
        return network(params, X)

    kernel = kernels.empirical_ntk(counted, outputs="mean")
    scales = jnp.array([1.0, 0.5, 2.0])
    expected = [kernel(jax.tree.map(lambda leaf: s * leaf, PARAMS), X) for s in scales]
    once = len(traces)
    kernel(PARAMS, X)
    assert len(traces) == once

    def at(scale):
        return kernel(jax.tree.map(lambda leaf: scale * leaf, PARAMS), X)

    np.testing.assert_allclose(jax.jit(jax.vmap(at))(scales), expected, rtol=1e-10)
    np.testing.assert_allclose(jax.lax.scan(lambda _, s: (None, at(s)), None, scales)[1], expected, rtol=1e-10)


def scanned(stack, X):
    return jax.lax.scan(lambda h, W: (jnp.tanh(h @ W.T), None), X, stack)[0]


def attention(params, X):
    tokens = X.reshape(-1, 2, 2)
    query, key, value = (tokens @ W.T for W in params)
    weights = jax.nn.softmax(jnp.einsum("nid,njd->nij", query, key))
    return jnp.einsum("nij,njd->nid", weights, value).reshape(-1, 4)


NETWORKS = {
    "product of layers": (lambda p, X: X @ (p[1] @ p[0]).T, [(5, D), (C, 5)]),
    "diagonal": (lambda p, X: X @ (p[0] ** 2 - p[1] ** 2), [(D, 1), (D, 1)]),
    "shared weights": (lambda p, X: jnp.tanh(jnp.tanh(X @ p[0].T) @ p[0].T), [(D, D)]),
    "unused parameter": (lambda p, X: p[0] * X[:, :2], [(), (3,)]),
    "attention": (attention, [(2, 2)] * 3),
    "scan over layers": (lambda p, X: scanned(p[0], X), [(3, D, D)]),
    "checkpoint": (lambda p, X: jax.checkpoint(scanned)(p[0], X), [(2, D, D)]),
}


@pytest.mark.filterwarnings("ignore:No Jacobian rule found")
@pytest.mark.parametrize("name", NETWORKS)
def test_empirical_ntk_of_networks_of_other_kinds(name):
    f, shapes = NETWORKS[name]
    params = [jax.random.normal(k, s) for k, s in zip(jax.random.split(jax.random.key(10), len(shapes)), shapes)]
    J = jacobian(X, f, params)
    np.testing.assert_allclose(kernels.empirical_ntk(f)(params, X), J @ J.T, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    "shape, permutation",
    [((C, D), (1, 0)), ((C, D, 2), (1, 0, 2)), ((2, C, D), (2, 1, 0))],
    ids=["matrix", "order kept", "order changed"],
)
def test_transposes_are_folded_into_products_without_changing_the_kernel(shape, permutation):
    """Where the free axes would come out in another order, the transpose must stay."""
    W = jax.random.normal(jax.random.key(5), shape)

    def f(W, X):
        out = jnp.tanh(jnp.tensordot(X, W.transpose(permutation), ((1,), (0,))))
        return out if out.ndim == 2 else out @ jnp.array([1.0, 2.0])

    J = jacobian(X, f, W)
    np.testing.assert_allclose(kernels.empirical_ntk(f)(W, X), J @ J.T, rtol=1e-10, atol=1e-13)


def test_structured_derivatives_never_form_the_jacobian_of_a_weight_matrix():
    """Neither through `h @ W.T` nor within `jit`: all arrays are far smaller than n c times a weight matrix."""
    width, n = 64, 4
    params = {k: jnp.ones(s) for k, s in {"first": (width, D), "second": (width, width), "last": (C, width)}.items()}

    @jax.jit
    def dense(W, h):
        return jnp.tanh(h @ W.T)

    def f(params, X):
        return dense(params["second"], dense(params["first"], X)) @ params["last"].T

    traced = jax.make_jaxpr(kernels.empirical_ntk(f))(params, X[:n])
    assert max(largest_arrays(traced.jaxpr)) == max(width * width, n * n * C * C, n * C * width)


def largest_arrays(jaxpr):
    for equation in jaxpr.eqns:
        yield from (np.prod(v.aval.shape) for v in equation.outvars)
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda p: hasattr(p, "eqns")):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                yield from largest_arrays(inner)


# --- linearize


def test_linearize_is_exact_on_its_tangent_and_of_second_order_beside_it():
    step = draw(jax.random.key(6))
    f_lin = kernels.linearize(network, PARAMS)
    np.testing.assert_array_equal(f_lin(PARAMS, X), network(PARAMS, X))

    def moved(size):
        return jax.tree.map(lambda p, s: p + size * s, PARAMS, step)

    flat_step = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(step)])
    tangent = f_lin(moved(2.0), X) - f_lin(PARAMS, X)
    np.testing.assert_allclose(tangent.reshape(-1), 2.0 * jacobian(X) @ flat_step, rtol=1e-11, atol=1e-12)
    sizes = np.array([1e-3, 1e-4])  # small enough that no ReLU switches
    errors = [float(jnp.abs(network(moved(s), X) - f_lin(moved(s), X)).max()) for s in sizes]
    assert np.log10(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.01)
    np.testing.assert_allclose(f_lin(moved(0.3), X), nt.linearize(network, PARAMS)(moved(0.3), X), rtol=1e-12)


def test_the_kernel_of_the_linearized_network_is_constant():
    kernel = kernels.empirical_ntk(kernels.linearize(network, PARAMS))
    K0 = kernel(PARAMS, X)
    np.testing.assert_allclose(kernel(draw(jax.random.key(7)), X), K0, rtol=1e-12)
    np.testing.assert_allclose(K0, kernels.empirical_ntk(network)(PARAMS, X), rtol=1e-10)


# --- kernel_flow


@pytest.mark.parametrize("rows, rank", [(N, N), (N, 2), (N * C, N * C), (N * C, 4)])
def test_kernel_flow_is_the_matrix_exponential(rows, rank):
    K, f0 = positive_kernel(rows, rank), jnp.sin(Y)
    flow = kernels.kernel_flow(K, Y, f0, TIMES)
    for t, f in zip(TIMES, flow.train):
        expected = expm(-np.asarray(K) * t) @ np.asarray(f0 - Y).reshape(rows, -1)
        np.testing.assert_allclose(f, Y + expected.reshape(N, C), atol=1e-12)
    np.testing.assert_allclose(flow.eigenvalues, np.linalg.eigvalsh(K)[::-1], atol=1e-12)
    assert (flow.eigenvalues >= 0).all()


@pytest.mark.parametrize("rank", [N, 3], ids=["full rank", "zero eigenvalues"])
@pytest.mark.parametrize("all_outputs", [False, True])
def test_kernel_flow_solves_its_differential_equation_on_train_and_test_points(rank, all_outputs):
    points = N + 5
    features = jax.random.normal(jax.random.key(8), (points * (C if all_outputs else 1), rank))
    split = features.shape[0] * N // points
    K, K_test = features[:split] @ features[:split].T, features[split:] @ features[:split].T
    f0, f0_test = jnp.sin(Y), jnp.ones((5, C))
    flow = kernels.kernel_flow(K, Y, f0, TIMES, K_test=K_test, f0_test=f0_test)
    both, targets, width = np.concatenate([K, K_test]), np.asarray(Y), 1 if all_outputs else C

    def velocity(_, f):
        residual = f[: N * C] - targets.reshape(-1)
        return -(both @ residual.reshape(-1, width)).reshape(-1)

    start = np.concatenate([np.ravel(f0), np.ravel(f0_test)])
    tolerances = {"rtol": 1e-10, "atol": 1e-12, "method": "LSODA"}
    solution = solve_ivp(velocity, (0, TIMES[-1]), start, t_eval=np.asarray(TIMES), **tolerances)
    np.testing.assert_allclose(flow.train, solution.y[: N * C].T.reshape(-1, N, C), atol=1e-7)
    np.testing.assert_allclose(flow.test, solution.y[N * C :].T.reshape(-1, 5, C), atol=1e-7)


def test_kernel_flow_forgets_its_past():
    K, f0 = positive_kernel(N, N), jnp.zeros((N, C))
    early = kernels.kernel_flow(K, Y, f0, jnp.array([0.3])).train[0]
    late = kernels.kernel_flow(K, Y, f0, jnp.array([0.3 + 0.9])).train[0]
    np.testing.assert_allclose(kernels.kernel_flow(K, Y, early, jnp.array([0.9])).train[0], late, atol=1e-13)


def test_a_test_point_that_is_a_training_point_learns_the_same():
    K, f0 = positive_kernel(N, 4), jnp.sin(Y)
    flow = kernels.kernel_flow(K, Y, f0, TIMES, K_test=K, f0_test=f0)
    np.testing.assert_allclose(flow.test, flow.train, atol=1e-12)


def test_along_a_zero_eigenvalue_the_integral_of_the_residual_grows_like_t():
    K, f0 = jnp.diag(jnp.array([2.0, 0.0])), jnp.zeros((2, 1))
    y = jnp.array([[1.0], [1.0]])
    # not the kernel of one network (that would be zero there too), so that the factor t itself is seen
    test = {"K_test": jnp.array([[0.0, 1.0]]), "f0_test": jnp.zeros((1, 1))}
    flow = kernels.kernel_flow(K, y, f0, jnp.array([0.0, 3.0, 1e6]), **test)
    np.testing.assert_array_equal(flow.train[:, 1, 0], 0.0)
    np.testing.assert_allclose(flow.test[:, 0, 0], [0.0, 3.0, 1e6], rtol=1e-14)


def test_kernel_flow_differentiates_and_compiles_even_at_zero_eigenvalues():
    K, f0 = jnp.diag(jnp.array([2.0, 1.0, 0.0])), jnp.zeros((3, 1))

    def final(scale):
        flow = kernels.kernel_flow(scale * K, jnp.ones((3, 1)), f0, jnp.array([0.5]), K_test=K, f0_test=f0)
        return flow.test[0, :, 0]

    scale, h = 1.3, 1e-6
    slope = jax.jit(jax.jacrev(final))(scale)
    np.testing.assert_allclose(slope, (final(scale + h) - final(scale - h)) / (2 * h), atol=1e-8)


@pytest.mark.parametrize("outputs", ["all", "mean"])
def test_kernel_flow_agrees_with_neural_tangents_at_the_converted_time(outputs):
    kernel = kernels.empirical_ntk(network, outputs=outputs)
    K, K_test = kernel(PARAMS, X), kernel(PARAMS, X_TEST, X)
    f0, f0_test = network(PARAMS, X), network(PARAMS, X_TEST)
    flow = kernels.kernel_flow(K, Y, f0, TIMES, K_test=K_test, f0_test=f0_test)
    axes = (-1,) if outputs == "mean" else ()
    theirs = K, K_test
    if outputs == "all":  # theirs has both samples before both outputs
        theirs = [k.reshape(-1, C, N, C).transpose(0, 2, 1, 3) for k in theirs]
    predict = nt.predict.gradient_descent_mse(theirs[0], Y, trace_axes=axes)
    train, test = predict(kernels.neural_tangents_time(TIMES, Y), f0, f0_test, theirs[1])
    np.testing.assert_allclose(flow.train, train, atol=1e-10)
    np.testing.assert_allclose(flow.test, test, atol=1e-10)


def test_kernel_flow_in_single_precision_is_as_good_as_its_precision():
    K, f0 = positive_kernel(N, 3), jnp.sin(Y)
    args = [a.astype(jnp.float32) for a in (K, Y, f0, TIMES)]
    flow = kernels.kernel_flow(*args)
    assert flow.train.dtype == jnp.float32
    np.testing.assert_allclose(flow.train, kernels.kernel_flow(K, Y, f0, TIMES).train, atol=1e-4)


# --- spectrum, alignments


def test_spectrum_descends_and_its_residuals_are_small():
    K = positive_kernel(N, 4) - 2.0 * jnp.eye(N)  # with negative eigenvalues, too
    values, vectors, residuals = kernels.spectrum(K)
    assert (np.diff(values) <= 0).all()
    np.testing.assert_allclose(vectors @ jnp.diag(values) @ vectors.T, K, atol=1e-12)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(N), atol=1e-13)
    assert (residuals < 1e-13 * values[0]).all()


def test_alignment_is_the_cosine_of_two_kernels():
    K1, K2 = positive_kernel(N, 3), positive_kernel(N, 3, seed=9)
    cosine = float(jnp.trace(K1 @ K2.T) / jnp.sqrt(jnp.trace(K1 @ K1.T) * jnp.trace(K2 @ K2.T)))
    assert float(kernels.kernel_alignment(K1, K2)) == pytest.approx(cosine, rel=1e-13)
    assert float(kernels.kernel_alignment(3.0 * K1, K1)) == pytest.approx(1.0, rel=1e-14)
    assert float(kernels.kernel_distance(K1, K2)) == pytest.approx(1 - cosine, rel=1e-12)
    assert float(kernels.kernel_distance(K2, 0.1 * K1)) == pytest.approx(1 - cosine, rel=1e-12)


def test_the_distance_of_close_kernels_keeps_its_digits():
    K, h = jnp.diag(jnp.array([1.0, 0.0])), 1e-9  # angle h: 1 - cos h = h^2 / 2 is below the spacing of doubles at 1
    near = jnp.array([[1.0, 0.0], [0.0, h]])
    assert float(kernels.kernel_distance(K, near)) == pytest.approx(h**2 / 2, rel=1e-6, abs=0.0)


def test_drift_sees_scale_and_distance_does_not():
    K = positive_kernel(N, 3)
    assert float(kernels.kernel_drift(1.5 * K, K)) == pytest.approx(0.5, rel=1e-13)
    assert float(kernels.kernel_drift(K, K)) == 0.0
    assert float(kernels.kernel_distance(1.5 * K, K)) == pytest.approx(0.0, abs=1e-15)


def test_target_alignment_is_the_alignment_with_the_kernel_of_the_targets():
    K, y = positive_kernel(N, 3), Y[:, :1]
    quotient = float((y.T @ K @ y)[0, 0]) / (np.linalg.norm(K) * np.linalg.norm(y) ** 2)
    assert float(kernels.target_alignment(K, y)) == pytest.approx(quotient, rel=1e-12)
    np.testing.assert_allclose(kernels.target_alignment(K, Y), kernels.kernel_alignment(K, Y @ Y.T), rtol=1e-12)
    assert float(kernels.target_alignment(7.0 * Y @ Y.T, Y)) == pytest.approx(1.0, rel=1e-12)
    full, column = positive_kernel(N * C, 5), Y.reshape(-1, 1)
    np.testing.assert_allclose(kernels.target_alignment(full, Y), kernels.target_alignment(full, column), rtol=1e-12)
