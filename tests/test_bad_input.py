"""Bad input to every public function: the error names the argument, what was given, and what is needed.

One row a mistake.  A public function without a row fails the last test.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import jaxtyping
import matplotlib.pyplot as plt
import numpy as np
import optax
import pytest

import learndyn
from learndyn import (
    agf,
    batch_norm,
    central_flow,
    claims,
    conserved,
    curvature,
    datasets,
    deep_linear,
    descent,
    drift,
    edge_flow,
    ensembles,
    equal_loss,
    diagnosis,
    diagonal,
    equilibria,
    explore,
    figures,
    flows,
    forecast,
    gates,
    gradient_noise,
    greedy_low_rank,
    handover,
    javascript,
    kernels,
    lenses,
    linear_attention,
    linearization,
    losses,
    lyapunov,
    models,
    modular_addition,
    momentum,
    neuron,
    pesme_flammarion,
    self_stabilization,
    restarts,
    spectral_filters,
    sectors,
    stagewise,
    symmetries,
    teacher_student,
    vanishing,
    vision,
)
from learndyn.exercises import alternating_flows as waits
from learndyn.exercises import exponents as two_forecasts
from learndyn.exercises import kernel_at_the_edge as turned
from learndyn.exercises import beyond as announced
from learndyn.exercises import broken_laws as broken
from learndyn.exercises import deciding_early as decided
from learndyn.exercises import dynamics, linear_neuron, stability
from learndyn.exercises import failures as wrong
from learndyn.exercises import generalization as gap
from learndyn.exercises import lenses as seen_by
from learndyn.exercises import forecast as told
from learndyn.exercises import deep_linear as ranks
from learndyn.exercises import implicit_bias as fits
from learndyn.exercises import learning_rate as rated
from learndyn.exercises import leaving_lazy as left_lazy
from learndyn.exercises import linear_attention as heads
from learndyn.exercises import linearization as linear
from learndyn.exercises import lyapunov_descent as downhill
from learndyn.exercises import mechanics, noether
from learndyn.exercises import modular_addition as clocks
from learndyn.exercises import phase_diagram as phases
from learndyn.exercises import relu as quantized
from learndyn.exercises import teacher_student as taught
from learndyn.exercises import sharpness as edges

KEY = jax.random.key(0)
NAN = jnp.array([[1.0, jnp.nan], [0.0, 1.0]])
COMPLEX = jnp.array([[1j, 0.0], [0.0, 1.0]])
I2, ONES = jnp.eye(2), jnp.ones((2, 1))
ENCODED = modular_addition.encoding(5, {1: 1.0, 2: 0.5})
MODEL = models.mlp((2, 3, 1))
PARAMS = MODEL.init(key=KEY)
QUADRATIC = lambda p: jnp.sum(p**2)
START = jnp.ones(2)
TIMES = jnp.array([0.0, 1.0])
SGD = optax.sgd(0.1)


def mlp(*widths, **settings):
    return lambda: models.mlp(widths, **settings)


def digits(**settings):
    return lambda: datasets.digits(**{"train": 5, "key": KEY} | settings)


def flow(loss=QUADRATIC, params0=START, times=TIMES, **settings):
    return lambda: flows.gradient_flow(loss, params0, times, **settings)


def descend(loss=QUADRATIC, params0=START, optimizer=SGD, steps=4, **settings):
    return lambda: descent.descend(loss, params0, optimizer, steps, **settings)


def center(loss=QUADRATIC, params0=START, learning_rate=0.1, steps=4, **settings):
    return lambda: central_flow.integrate(loss, params0, learning_rate, steps, **{"key": KEY} | settings)


def swing(loss=QUADRATIC, params0=START, learning_rate=0.1, steps=4, **settings):
    return lambda: edge_flow.integrate(loss, params0, learning_rate, steps, **{"magnitude": 0.1, "key": KEY} | settings)


def two_numbers(x=0.1, y=0.0, steps=4, **settings):
    defaults = {"progress": 1.0, "feedback": 1.0, "learning_rate": 0.1}
    return lambda: self_stabilization.orbit(x, y, steps, **defaults | settings)


def ensemble(loss=QUADRATIC, params0=I2, learning_rates=START, times=(0, 4), **settings):
    return lambda: ensembles.descend(loss, params0, learning_rates, times, **settings)


def to_loss(X=I2, y=ONES, params0=None, learning_rates=START, f=MODEL.apply, **settings):
    params0 = jax.tree.map(lambda p: jnp.stack([p, p]), PARAMS) if params0 is None else params0
    return lambda: equal_loss.train_to_loss(f, X, y, params0, learning_rates, **{"target": 0.1, "max_steps": 3} | settings)


def eigenpairs(operator=lambda v: 2 * v, like=START, k=1, **settings):
    return lambda: curvature.top_eigenpairs(operator, like, k, **{"key": KEY} | settings)


def following(operator=lambda v: 2 * v, pairs=None, **settings):
    still = lambda: curvature.top_eigenpairs(operator, START, 2, key=KEY)
    return lambda: curvature.follow(operator, still() if pairs is None and callable(operator) else pairs, **settings)


SQUARE = lambda x: 0.5 * x
SMALL = models.mlp((2, 2, 1), parametrization="standard", bias_scale=1.0).init(key=KEY)
SEVERAL = jax.tree.map(lambda p: jnp.stack([p, p]), SMALL)


def exponents(step=SQUARE, start=START, steps=4, k=None, **settings):
    return lambda: lyapunov.spectrum(step, start, steps, k, **settings)


def covariant(step=SQUARE, start=START, steps=4, k=None, **settings):
    return lambda: lyapunov.covariant_vectors(step, start, steps, k, **{"before": 2, "after": 2} | settings)


def networks(start=SEVERAL, X=I2, y=ONES, learning_rate=0.1, steps=4, **settings):
    return lambda: lyapunov.descend_networks(start, X, y, learning_rate, steps, **settings)


def tangent(params=SMALL, X=I2, y=ONES, learning_rate=0.1, **settings):
    return lambda: lyapunov.network_tangent(params, X, y, learning_rate, **settings)


def watched(loss=QUADRATIC, params0=START, optimizer=SGD, steps=4, **settings):
    return lambda: curvature.descend(loss, params0, optimizer, steps, **settings)


PAIRS = ({"W": I2}, {"W": ONES.T})


def claim(**settings):
    return lambda: claims.claim(
        settings.pop("id", "N1"), settings.pop("statement", "one is one"),
        **{"measured": 1.0, "source": "jacot2018", "kind": "derived"} | settings,
    )  # fmt: skip


def portrait(field=I2, **settings):
    return lambda: figures.phase_portrait(plt.figure().gca(), field, **settings)


def bars(values, **settings):
    return lambda: figures.spectrum(plt.figure().gca(), values, **settings)


def kernel_flow(K=I2, y=ONES, f0=ONES, times=TIMES, **settings):
    return lambda: linearization.kernel_flow(K, y, f0, times, **settings)


def student(**settings):
    return lambda: teacher_student.student(2, **{"width": 4, "scale": 1.0, "key": KEY} | settings)


def oscillation(function=momentum.oscillator, *args, **settings):
    return lambda: function(*args, **{"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.1} | settings)


def solve(times=TIMES, a0=1.0, w0=START, X=I2, y=START):
    return lambda: neuron.solve(times, a0, w0, X, y)


def climb(X=I2, residual=ONES, directions=I2 + 1, signs=START, **settings):
    return lambda: sectors.climb(X, residual, directions, signs, **settings)


def implicit_bias(X=I2[:1], y=START[:1], beta0=START, delta=1.0):
    return lambda: neuron.implicit_bias(X, y, beta0, delta)


def find(f=lambda p: p**2, params=START, **settings):
    return lambda: symmetries.find(f, params, **{"key": KEY} | settings)


def square_neuron(theta, X):
    return theta[0] * (X @ theta[1:])[:, None]


def train_in_stages(neuron=square_neuron, X=I2, y=ONES, neurons=jnp.ones((2, 3)), optimizer=SGD, **settings):
    return lambda: stagewise.train(neuron, X, y, neurons, optimizer, **{"steps": 1, "observe": jnp.sum} | settings)


def agf_staircase(neuron=square_neuron, X=I2, y=ONES, neurons=jnp.full((2, 3), 1e-3), **settings):
    return lambda: agf.staircase(neuron, X, y, neurons, **settings)


def vanish(neuron=lambda theta, X: theta[0] * theta[1] * X[:, :1], X=I2, y=ONES, neurons=I2 + 1, times=1.0, **settings):
    return lambda: vanishing.gradient_flow(neuron, X, y, neurons, times, **settings)


def flown(logs=((-9.0,), (0.0,))):
    logs = jnp.array(logs)
    times = jnp.arange(float(len(logs)))
    return vanishing.Path(times, times, logs, logs, logs[..., None], logs[..., None], {})


class Unhashable:
    __hash__ = None

    def __call__(self, params):
        return QUADRATIC(params)


class Row(NamedTuple):
    function: str  # whose argument is wrong
    call: Callable
    error: type[Exception]
    argument: str
    given: str
    need: str


SCORES, ENDED = np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, True, False, True])

LINES = np.ones(30)
LENS_ONE = ({"W": jnp.ones((3, 4))}, {"W": jnp.ones((2, 3))})
LENS_START = jax.tree.map(lambda leaf: leaf[None], LENS_ONE)
LENS_X, LENS_Y, LENS_RATES = jnp.ones((5, 4)), jnp.ones((5, 2)), jnp.array([0.1])
LENS_SEEN = lenses.Lenses(*(jnp.ones((3, 1)) for _ in range(8)))


TABLE = [
    Row("exercises.generalization.check_steps", lambda: gap.check_steps(3), TypeError, "answer", "3", "function"),
    Row("exercises.generalization.check_mean", lambda: gap.check_mean(3), TypeError, "answer", "3", "function"),
    Row("exercises.generalization.check_margin", lambda: gap.check_margin(3), TypeError, "answer", "3", "function"),
    # spectral_filters
    Row("spectral_filters.stopped_flow", lambda: spectral_filters.stopped_flow(-LINES, 1.0), ValueError, "eigenvalues", "-1.0", "zero or positive"),
    Row("spectral_filters.stopped_flow", lambda: spectral_filters.stopped_flow(LINES, -1.0), ValueError, "time", "-1.0", "zero or positive"),
    Row("spectral_filters.ridge", lambda: spectral_filters.ridge(LINES, 0.0), ValueError, "penalty", "0.0", "positive"),
    Row("spectral_filters.ridge", lambda: spectral_filters.ridge(NAN, 1.0), ValueError, "eigenvalues", "nan", "finite"),
    Row("spectral_filters.risk", lambda: spectral_filters.risk(LINES, 0 * LINES, LINES, 1.0), ValueError, "eigenvalues", "0.0", "positive"),
    Row("spectral_filters.risk", lambda: spectral_filters.risk(LINES, LINES, LINES, -2.0), ValueError, "noise", "-2.0", "zero or positive"),
    Row("spectral_filters.best_time", lambda: spectral_filters.best_time(LINES, 1.0, 0.0), ValueError, "noise", "0.0", "positive"),
    Row("spectral_filters.best_time", lambda: spectral_filters.best_time(LINES, -1.0, 1.0), ValueError, "signal", "-1.0", "zero or positive"),
    # diagnosis
    Row("diagnosis.diagnose", lambda: diagnosis.diagnose(3), TypeError, "run", "int", "dictionary"),
    Row("diagnosis.diagnose", lambda: diagnosis.diagnose({"loss": LINES}), ValueError, "run", "['loss']", "'train_loss'"),
    Row("diagnosis.diagnose", lambda: diagnosis.diagnose({"train_loss": LINES, "val_loss": LINES}), ValueError, "an entry of run",
        "'val_loss'", "validation_loss"),
    Row("diagnosis.diagnose", lambda: diagnosis.diagnose({"train_loss": LINES[:7]}), ValueError, "train_loss", "7", "at least 20"),
    Row("diagnosis.diagnose", lambda: diagnosis.diagnose({"train_loss": -LINES}), ValueError, "train_loss", "-1.0", "zero or positive"),
    Row("diagnosis.diagnose", lambda: diagnosis.diagnose({"train_loss": LINES, "update_ratio": LINES}), ValueError, "update_ratio",
        "(30,)", "(lines, layers)"),
    Row("diagnosis.generate", lambda: diagnosis.generate("loss spikes", 1, key=KEY), ValueError, "failure", "'loss spikes'",
        "did you mean 'loss spike'"),
    Row("diagnosis.generate", lambda: diagnosis.generate("healthy", 0, key=KEY), ValueError, "count", "0", "at least 1"),
    Row("diagnosis.generate", lambda: diagnosis.generate("healthy", 1, key=3), TypeError, "key", "3", "PRNG key"),
    Row("diagnosis.generate", lambda: diagnosis.generate("healthy", 1, key=KEY, severity=1.5), ValueError, "severity", "1.5", "between 0 and 1"),
    Row("diagnosis.generate", lambda: diagnosis.generate("healthy", 1, key=KEY, steps=101), ValueError, "steps", "101", "multiple of every"),
    Row("diagnosis.assess", lambda: diagnosis.assess(3), TypeError, "runs", "3", "sequence"),
    Row("diagnosis.assess", lambda: diagnosis.assess([{"train_loss": LINES}]), TypeError, "runs[0]", "dict", "a Run"),
    Row("diagnosis.fit", lambda: diagnosis.fit([], [1.0]), ValueError, "sick", "[]", "finite"),
    Row("diagnosis.fit", lambda: diagnosis.fit([1.0], [np.nan]), ValueError, "sound", "nan", "finite"),
    Row("diagnosis.read_csv", lambda: diagnosis.read_csv(3), TypeError, "path", "3", "path of a file"),
    Row("diagnosis.read_csv", lambda: diagnosis.read_csv("a.csv", columns={"loss": "los"}), ValueError, "columns['loss']", "'los'", "train_loss"),
    # gradient_noise
    Row("gradient_noise.per_sample_gradients", lambda: gradient_noise.per_sample_gradients(3, I2), TypeError, "losses", "3", "function"),
    Row("gradient_noise.per_sample_gradients", lambda: gradient_noise.per_sample_gradients(QUADRATIC, I2), ValueError, "losses", "()", "a vector"),
    Row("gradient_noise.per_sample_gradients", lambda: gradient_noise.per_sample_gradients(lambda p: p[0], NAN), ValueError, "params0", "nan", "finite"),
    Row("gradient_noise.covariance", lambda: gradient_noise.covariance(lambda p: p, I2), ValueError, "losses", "(2, 2)", "a vector"),
    Row("gradient_noise.noise_scale", lambda: gradient_noise.noise_scale(lambda p: p, I2), ValueError, "losses", "(2, 2)", "a vector"),
    Row("gradient_noise.two_batch_estimate", lambda: gradient_noise.two_batch_estimate(2.0, 1.0, small=8, big=8), ValueError, "big", "8", "larger"),
    Row("gradient_noise.two_batch_estimate", lambda: gradient_noise.two_batch_estimate(2.0, 1.0, small=0, big=8), ValueError, "small", "0", "at least 1"),
    Row("gradient_noise.two_batch_estimate", lambda: gradient_noise.two_batch_estimate(-2.0, 1.0, small=1, big=8), ValueError, "small_squared",
        "-2.0", "zero or positive"),
    Row("gradient_noise.two_batch_estimate", lambda: gradient_noise.two_batch_estimate(2.0, float("nan"), small=1, big=8), ValueError,
        "big_squared", "nan", "finite"),
    Row("gradient_noise.stationary", lambda: gradient_noise.stationary(I2, I2, 2.0), ValueError, "learning_rate", "2.0", "below"),
    Row("gradient_noise.stationary", lambda: gradient_noise.stationary(-I2, I2, 0.1), ValueError, "hessian", "-1", "positive definite"),
    Row("gradient_noise.stationary", lambda: gradient_noise.stationary(I2, -I2, 0.1), ValueError, "noise", "-1", "positive semidefinite"),
    Row("gradient_noise.stationary", lambda: gradient_noise.stationary(jnp.triu(jnp.ones((2, 2))), I2, 0.1), ValueError, "hessian", "1", "symmetric"),
    Row("gradient_noise.stationary", lambda: gradient_noise.stationary(jnp.ones((2, 3)), I2, 0.1), ValueError, "hessian", "(2, 3)", "square"),
    Row("gradient_noise.stationary", lambda: gradient_noise.stationary(I2, jnp.eye(3), 0.1), ValueError, "noise", "(3, 3)", "2 x 2"),
    Row("gradient_noise.mean_square_limit", lambda: gradient_noise.mean_square_limit(jnp.ones((3, 2)), 1), ValueError, "X", "rank 1",
        "full column rank"),
    Row("gradient_noise.mean_square_limit", lambda: gradient_noise.mean_square_limit(I2, 0), ValueError, "batch", "0", "at least 1"),
    Row("exercises.learning_rate.check_trade", lambda: rated.check_trade(3), TypeError, "answer", "3", "function"),
    Row("exercises.learning_rate.check_variance", lambda: rated.check_variance(3), TypeError, "answer", "3", "function"),
    # deep_linear
    Row("deep_linear.statistics", lambda: deep_linear.statistics(jnp.ones(3), ONES), ValueError, "X", "(3,)", "2 axes"),
    Row("deep_linear.statistics", lambda: deep_linear.statistics(I2, jnp.ones((3, 1))), ValueError, "y", "(3, 1)", "2 x any"),
    Row("deep_linear.cost", lambda: deep_linear.cost(I2), TypeError, "data", "Array", "Statistics"),
    Row("deep_linear.end_to_end", lambda: deep_linear.end_to_end(I2), TypeError, "params[0]", "Array", "a layer"),
    Row("deep_linear.end_to_end", lambda: deep_linear.end_to_end(()), ValueError, "params", "empty", "at least one layer"),
    Row("deep_linear.end_to_end", lambda: deep_linear.end_to_end(({"W": I2}, {"W": jnp.ones((1, 3))})), ValueError,
        "params[1]['W']", "(1, 3)", "any x 2"),
    Row("deep_linear.initialize", lambda: deep_linear.initialize((2,), scale=1.0, key=KEY), ValueError, "widths", "(2,)",
        "the inputs and the outputs"),
    Row("deep_linear.initialize", lambda: deep_linear.initialize((2, 0, 1), scale=1.0, key=KEY), ValueError, "widths[1]", "0",
        "at least 1"),
    Row("deep_linear.initialize", lambda: deep_linear.initialize((2, 1), scale=0.0, key=KEY), ValueError, "scale", "0.0",
        "positive"),
    Row("deep_linear.mode_time", lambda: deep_linear.mode_time(0.5, 0.1, 1.0, depth=1), ValueError, "depth", "1", "at least 2"),
    Row("deep_linear.mode_time", lambda: deep_linear.mode_time(2.0, 0.1, 1.0), ValueError, "strength", "2.0",
        "below the singular value"),
    Row("deep_linear.mode_time", lambda: deep_linear.mode_time(0.5, 0.0, 1.0), ValueError, "start", "0.0", "positive"),
    Row("deep_linear.modes", lambda: deep_linear.modes(TIMES, START, jnp.ones(3)), ValueError, "starts", "(3,)", "(2,)"),
    Row("deep_linear.modes", lambda: deep_linear.modes(TIMES, -START, START), ValueError, "singular_values", "-1", "positive"),
    Row("deep_linear.modes", lambda: deep_linear.modes(TIMES, START, 2 * START), ValueError, "starts", "2", "below"),
    Row("deep_linear.modes", lambda: deep_linear.modes(TIMES, START, START / 2, halvings=0), ValueError, "halvings", "0",
        "at least 1"),
    Row("deep_linear.effective_starts", lambda: deep_linear.effective_starts(({"W": I2},), I2), ValueError, "params", "1",
        "two layers"),
    Row("deep_linear.effective_starts", lambda: deep_linear.effective_starts(({"W": I2}, {"W": I2}), jnp.ones((3, 2))),
        ValueError, "target", "(3, 2)", "(2, 2)"),
    Row("deep_linear.effective_starts", lambda: deep_linear.effective_starts(({"W": jnp.ones((1, 2))}, {"W": ONES}), I2),
        ValueError, "params", "1", "2 hidden neurons"),
    Row("deep_linear.saddle", lambda: deep_linear.saddle(I2, [2], width=3), ValueError, "learned", "[2]", "from 0 to 1"),
    Row("deep_linear.saddle", lambda: deep_linear.saddle(I2, [0, 0], width=3), ValueError, "learned", "[0, 0]", "at most once"),
    Row("deep_linear.saddle", lambda: deep_linear.saddle(I2, [0, 1], width=1), ValueError, "width", "1", "at least"),
    Row("deep_linear.saddle_spectrum", lambda: deep_linear.saddle_spectrum(START, [], width=2, inputs=3, outputs=3), ValueError,
        "singular_values", "2", "= 3 numbers"),
    # equal_loss
    Row("equal_loss.train_to_loss", to_loss(f=None), TypeError, "f", "None", "function"),
    Row("equal_loss.train_to_loss", to_loss(X=NAN), ValueError, "X", "nan", "finite"),
    Row("equal_loss.train_to_loss", to_loss(y=START), ValueError, "y", "(2,)", "2 axes"),
    Row("equal_loss.train_to_loss", to_loss(y=I2), ValueError, "y", "(2, 2)", "(2, 1)"),
    Row("equal_loss.train_to_loss", to_loss(params0=PARAMS), ValueError, "params0", "(3, 2)", "leading axis of 2"),
    Row("equal_loss.train_to_loss", to_loss(learning_rates=-START), ValueError, "learning_rates", "-1.0", "positive"),
    Row("equal_loss.train_to_loss", to_loss(target=0.0), ValueError, "target", "0.0", "positive"),
    Row("equal_loss.train_to_loss", to_loss(max_steps=0), ValueError, "max_steps", "0", "at least 1"),
    Row("equal_loss.train_to_loss", to_loss(batch_size=3, key=KEY), ValueError, "batch_size", "3", "n = 2"),
    Row("equal_loss.train_to_loss", to_loss(batch_size=1), TypeError, "key", "None", "PRNG key"),
    Row("equal_loss.train_to_loss", to_loss(key=KEY), ValueError, "key", "random", "batch_size"),
    # linear_attention
    Row("linear_attention.contexts", lambda: linear_attention.contexts(START, 3, 2, key=KEY), ValueError, "covariance", "(2,)",
        "2 axes"),
    Row("linear_attention.contexts", lambda: linear_attention.contexts(-I2, 3, 2, key=KEY), ValueError, "covariance", "-1",
        "no negative eigenvalue"),
    Row("linear_attention.contexts", lambda: linear_attention.contexts(I2, 3, 0, key=KEY), ValueError, "count", "0",
        "at least 1"),
    Row("linear_attention.contexts", lambda: linear_attention.contexts(I2, 3, 2, key=0), TypeError, "key", "0",
        "jax.random.key"),
    Row("linear_attention.summary", lambda: linear_attention.summary(I2), TypeError, "contexts", "Array", "Contexts"),
    Row("linear_attention.head", lambda: linear_attention.head(START, I2), ValueError, "theta", "(2,)", "1 + 2d"),
    Row("linear_attention.head", lambda: linear_attention.head(jnp.ones(5), I2), ValueError, "X", "(2, 2)", "any x 4"),
    Row("linear_attention.matrix", lambda: linear_attention.matrix(I2), ValueError, "heads", "(2, 2)", "1 + 2d"),
    Row("linear_attention.population_loss", lambda: linear_attention.population_loss(I2, jnp.eye(3), 4), ValueError, "M",
        "(2, 2)", "3 x 3"),
    Row("linear_attention.population_loss", lambda: linear_attention.population_loss(I2, jnp.array([[1.0, 1.0], [0.0, 1.0]]), 4),
        ValueError, "covariance", "1.", "symmetric"),
    Row("linear_attention.population_loss", lambda: linear_attention.population_loss(I2, I2, 0), ValueError, "length", "0",
        "at least 1"),
    Row("linear_attention.exact_sample", lambda: linear_attention.exact_sample(jnp.ones((2, 2)), 4), ValueError, "covariance",
        "eigenvalue", "positive definite"),
    Row("linear_attention.exact_sample", lambda: linear_attention.exact_sample(jnp.ones((2, 1)), 4), ValueError, "covariance",
        "(2, 1)", "square"),
    Row("linear_attention.plateaus", lambda: linear_attention.plateaus(I2, 4), ValueError, "eigenvalues", "(2, 2)", "1 axes"),
    Row("linear_attention.plateaus", lambda: linear_attention.plateaus(START, 2.5), TypeError, "length", "2.5", "integer"),
    Row("linear_attention.jump_time", lambda: linear_attention.jump_time(0.0, 4, 0.1), ValueError, "eigenvalue", "0.0",
        "positive"),
    Row("linear_attention.jump_time", lambda: linear_attention.jump_time(1.0, 4, -0.1), ValueError, "norm", "-0.1", "positive"),
    Row("linear_attention.mode_time", lambda: linear_attention.mode_time(1.0, 0.1, 1.0, 4, 2.0), ValueError, "share", "1.0",
        "below 1"),
    Row("linear_attention.mode_time", lambda: linear_attention.mode_time(0.5, 2.0, 1.0, 4, 2.0), ValueError, "share", "0.5",
        "at least that of the start"),
    Row("linear_attention.mode_time", lambda: linear_attention.mode_time(0.5, 0.1, 1.0, 4, 0.0), ValueError, "trace", "0.0",
        "positive"),
    Row("linear_attention.escape_time", lambda: linear_attention.escape_time(START, START, 4), ValueError, "theta", "(2,)",
        "1 + 2d = 5"),
    Row("linear_attention.escape_time", lambda: linear_attention.escape_time(jnp.ones(5), START, 4), ValueError, "theta",
        "2.24", "below the radius 1"),
    Row("exercises.linear_attention.check_floor", lambda: heads.check_floor(3), TypeError, "answer", "3", "function"),
    Row("exercises.linear_attention.check_noisy_plateaus", lambda: heads.check_noisy_plateaus(3), TypeError, "answer", "3",
        "function"),
    Row("exercises.linear_attention.check_best_matrix", lambda: heads.check_best_matrix(3), TypeError, "answer", "3", "function"),
    # greedy_low_rank
    Row("greedy_low_rank.learn", lambda: greedy_low_rank.learn(3, (2, 2), steps=1), TypeError, "cost", "3", "function"),
    Row("greedy_low_rank.learn", lambda: greedy_low_rank.learn(QUADRATIC, 2, steps=1), TypeError, "shape", "2", "pair"),
    Row("greedy_low_rank.learn", lambda: greedy_low_rank.learn(QUADRATIC, (2, 2), steps=3), ValueError, "steps", "3",
        "at most min(2, 2)"),
    Row("greedy_low_rank.learn", lambda: greedy_low_rank.learn(QUADRATIC, (2, 2), steps=1), ValueError, "cost", "[[",
        "gradient at the origin"),
    Row("greedy_low_rank.learn", lambda: greedy_low_rank.learn(QUADRATIC, (2, 2), steps=1, tolerance=0.0), ValueError,
        "tolerance", "0.0", "positive"),
    # exercises.alternating_flows
    Row("exercises.exponents.check_linear", lambda: two_forecasts.check_linear(3), TypeError, "answer", "3", "function"),
    Row("exercises.exponents.check_dimension", lambda: two_forecasts.check_dimension(3), TypeError, "answer", "3", "function"),
    Row("exercises.exponents.check_benettin", lambda: two_forecasts.check_benettin(3), TypeError, "answer", "3", "function"),
    Row("exercises.exponents.check_covariant", lambda: two_forecasts.check_covariant(3), TypeError, "answer", "3", "function"),
    Row("exercises.kernel_at_the_edge.check_alignment", lambda: turned.check_alignment(3), TypeError, "answer", "3", "function"),
    Row("exercises.kernel_at_the_edge.check_final_alignment", lambda: turned.check_final_alignment(3), TypeError, "answer", "3", "function"),
    Row("exercises.kernel_at_the_edge.check_parts", lambda: turned.check_parts(3), TypeError, "answer", "3", "function"),
    Row("exercises.alternating_flows.check_best_utility", lambda: waits.check_best_utility(3), TypeError, "answer", "3",
        "function"),
    Row("exercises.alternating_flows.check_jump_time", lambda: waits.check_jump_time(3), TypeError, "answer", "3", "function"),
    Row("exercises.alternating_flows.check_returns", lambda: waits.check_returns(3), TypeError, "answer", "3", "function"),
    # exercises.deep_linear
    Row("exercises.deep_linear.check_index", lambda: ranks.check_index(3), TypeError, "answer", "3", "function"),
    Row("exercises.deep_linear.check_runner_up", lambda: ranks.check_runner_up(3), TypeError, "answer", "3", "function"),
    Row("exercises.deep_linear.check_best_of_rank", lambda: ranks.check_best_of_rank(3), TypeError, "answer", "3", "function"),
    # models
    Row("models.mlp", lambda: models.mlp(5), TypeError, "widths", "5 of type int", "sequence"),
    Row("models.mlp", mlp(5), ValueError, "widths", "(5,)", "the inputs and the outputs"),
    Row("models.mlp", mlp(2, -3, 1), ValueError, "widths[1]", "-3", "at least 1"),
    Row("models.mlp", mlp(2, 0, 1), ValueError, "widths[1]", "0", "at least 1"),
    Row("models.mlp", mlp(2, 3.0, 1), TypeError, "widths[1]", "3.0 of type float", "integer"),
    Row("models.mlp", mlp(2, True), TypeError, "widths[1]", "True", "integer"),
    Row("models.mlp", mlp(2, 1, activation="rleu"), ValueError, "activation", "'rleu'", "did you mean 'relu'"),
    Row("models.mlp", mlp(2, 1, activation=None), ValueError, "activation", "None", "one of 'erf'"),
    Row("models.mlp", mlp(2, 1, parametrization="mup"), ValueError, "parametrization", "'mup'", "'ntk', 'standard'"),
    Row("models.mlp", mlp(2, 1, weight_scale=0.0), ValueError, "weight_scale", "0.0", "positive"),
    Row("models.mlp", mlp(2, 1, weight_scale=np.inf), ValueError, "weight_scale", "inf", "finite"),
    Row("models.mlp", mlp(2, 1, weight_scale="1"), TypeError, "weight_scale", "'1' of type str", "number"),
    Row("models.mlp", mlp(2, 1, bias_scale=-0.1), ValueError, "bias_scale", "-0.1", "zero or positive"),
    Row("models.mlp", mlp(2, 1, bias_scale=np.nan), ValueError, "bias_scale", "nan", "finite"),
    Row("models.mlp init", lambda: MODEL.init(key=0), TypeError, "key", "0", "jax.random.key"),
    Row("models.mlp init", lambda: MODEL.init(key=jnp.ones(2)), TypeError, "key", "[1., 1.]", "PRNG key"),
    Row("models.mlp init", lambda: MODEL.init(key=jax.random.split(KEY)), ValueError, "key", "(2,)", "one PRNG key"),
    Row("models.mlp apply", lambda: MODEL.apply(PARAMS, START), ValueError, "X", "(2,)", "2 axes"),
    Row("models.mlp apply", lambda: MODEL.apply(PARAMS, ONES), ValueError, "X", "(2, 1)", "any x 2"),
    Row("models.mlp apply", lambda: MODEL.apply(PARAMS, [[1, 2]]), TypeError, "X", "[[1, 2]] of type list", "array"),
    Row("models.mlp apply", lambda: MODEL.apply(PARAMS, NAN), ValueError, "X", "nan", "finite"),
    Row("models.mlp apply", lambda: MODEL.apply(PARAMS, COMPLEX), TypeError, "X", "complex128", "real"),
    Row("models.mlp apply", lambda: MODEL.apply(PARAMS, I2 > 0), TypeError, "X", "bool", "real numbers"),
    Row("models.mlp apply", lambda: MODEL.apply(PARAMS, I2[:0]), ValueError, "X", "(0, 2)", "at least one row"),
    Row("models.mlp apply", lambda: MODEL.apply(PARAMS[:1], I2), ValueError, "params", "({'W': (3, 2)},)", "(1, 3)"),
    Row("models.mlp apply", lambda: MODEL.apply(jax.tree.map(jnp.transpose, PARAMS), I2), ValueError,
        "params", "(2, 3)", "(3, 2)"),
    Row("models.mlp apply", lambda: models.mlp((2, 1), bias_scale=1.0).apply(({"W": ONES.T},), I2), ValueError,
        "params", "({'W': (1, 2)},)", "'b': (1,)"),
    Row("models.centered", lambda: models.centered(3, PARAMS), TypeError, "f", "3 of type int", "function"),
    Row("models.centered", lambda: models.centered(MODEL.apply, NAN), ValueError, "params0", "nan", "finite"),
    Row("models.centered", lambda: models.centered(MODEL.apply, PARAMS, -1), ValueError, "output_scale", "-1", "positive"),
    # losses
    Row("losses.squared_loss", lambda: losses.squared_loss(3, I2, ONES), TypeError, "f", "3", "function"),
    Row("losses.squared_loss", lambda: losses.squared_loss(MODEL.apply, I2, START), ValueError,
        "y", "(2,)", "y[:, None]"),  # against outputs (2, 1) this would be a (2, 2) table
    Row("losses.squared_loss", lambda: losses.squared_loss(MODEL.apply, I2, jnp.ones((3, 1))), ValueError,
        "y", "(3, 1)", "2 x any"),
    Row("losses.squared_loss", lambda: losses.squared_loss(MODEL.apply, START, ONES), ValueError, "X", "(2,)", "2 axes"),
    Row("losses.squared_loss", lambda: losses.squared_loss(MODEL.apply, NAN, ONES), ValueError, "X", "nan", "finite"),
    Row("losses.squared_loss", lambda: losses.squared_loss(MODEL.apply, I2, NAN), ValueError, "y", "nan", "finite"),
    Row("losses.squared_loss", lambda: losses.squared_loss(MODEL.apply, I2, [1, 2]), TypeError, "y", "list", "array"),
    Row("losses.squared_loss", lambda: losses.squared_loss(MODEL.apply, I2[:0], ONES[:0]), ValueError,
        "X", "(0, 2)", "at least one row"),
    Row("losses.squared_loss", lambda: losses.squared_loss(MODEL.apply, I2, I2)(PARAMS), ValueError,
        "y", "(2, 2)", "the model's outputs, (2, 1)"),
    Row("losses.squared_loss", lambda: losses.squared_loss(lambda p, X: MODEL.apply(p, X)[:, 0], I2, ONES)(PARAMS),
        ValueError, "y", "(2, 1)", "the model's outputs, (2,)"),
    Row("losses.accuracy", lambda: losses.accuracy(I2, ONES), ValueError, "outputs", "(2, 2)", "2 x 1"),
    Row("losses.accuracy", lambda: losses.accuracy(ONES, ONES), ValueError, "y", "(2, 1)", "at least 2 columns"),
    Row("losses.accuracy", lambda: losses.accuracy(NAN, I2), ValueError, "outputs", "nan", "finite"),
    Row("losses.accuracy", lambda: losses.accuracy(I2, jnp.array([0, 1])), ValueError, "y", "(2,)", "2 axes"),
    Row("losses.accuracy", lambda: losses.accuracy(I2[:0], I2[:0]), ValueError, "y", "(0, 2)", "at least one row"),
    # datasets
    Row("datasets.digits", digits(train=0), ValueError, "train", "0", "at least 1"),
    Row("datasets.digits", digits(train=2.5), TypeError, "train", "2.5", "integer"),
    Row("datasets.digits", digits(test=-1), ValueError, "test", "-1", "at least 0"),
    Row("datasets.digits", digits(test=0.0), TypeError, "test", "0.0", "integer"),
    Row("datasets.digits", digits(train=1000, test=900), ValueError, "train + test", "1000 + 900", "at most 1797"),
    Row("datasets.digits", digits(classes=(3, 10)), ValueError, "classes", "(3, 10)", "from 0 to 9"),
    Row("datasets.digits", digits(classes=(3, 3)), ValueError, "classes", "(3, 3)", "different"),
    Row("datasets.digits", digits(classes=(3,)), ValueError, "classes", "(3,)", "at least two"),
    Row("datasets.digits", digits(classes=3), TypeError, "classes", "3 of type int", "sequence"),
    Row("datasets.digits", digits(classes={3, 4}), TypeError, "classes", "{3, 4}", "sequence"),
    Row("datasets.digits", digits(key=7), TypeError, "key", "7", "jax.random.key"),
    # diagonal
    Row("diagonal.start", lambda: diagonal.start(0, scale=1.0), ValueError, "d", "0", "at least 1"),
    Row("diagonal.start", lambda: diagonal.start(2, scale=0.0), ValueError, "scale", "0.0", "positive"),
    Row("diagonal.coefficients", lambda: diagonal.coefficients({"u": I2, "v": START}), ValueError,
        "params['u']", "(2, 2)", "1 axes"),
    Row("diagonal.apply", lambda: diagonal.apply({"u": START, "v": START}, ONES), ValueError, "X", "(2, 1)", "any x 2"),
    Row("diagonal.potential", lambda: diagonal.potential(I2, 1.0), ValueError, "beta", "(2, 2)", "1 axes"),
    Row("diagonal.potential", lambda: diagonal.potential(START, -1.0), ValueError, "scale", "-1.0", "positive"),
    Row("diagonal.minimizer", lambda: diagonal.minimizer(START, START, 1.0), ValueError, "X", "(2,)", "2 axes"),
    Row("diagonal.minimizer", lambda: diagonal.minimizer(I2, ONES, 1.0), ValueError, "y", "(2, 1)", "1 axes"),
    Row("diagonal.minimizer", lambda: diagonal.minimizer(I2, jnp.ones(3), 1.0), ValueError, "y", "(3,)", "n = 2"),
    Row("diagonal.minimizer", lambda: diagonal.minimizer(NAN, START, 1.0), ValueError, "X", "nan", "finite"),
    Row("diagonal.minimizer", lambda: diagonal.minimizer(jnp.ones((2, 2)), START, 1.0), ValueError,
        "X", "rank 1", "n = 2 independent rows"),
    Row("diagonal.minimizer", lambda: diagonal.minimizer(I2, START, START), ValueError, "scale", "(2,)", "one number"),
    Row("diagonal.minimizer", lambda: diagonal.minimizer(I2, START, 0.0), ValueError, "scale", "0.0", "positive"),
    Row("diagonal.minimizer", lambda: diagonal.minimizer(I2, START, 1.0, max_steps=0), ValueError, "max_steps", "0", "at least 1"),
    Row("diagonal.minimizer", lambda: diagonal.minimizer(I2, START, 1.0, tolerance=-1.0), ValueError,
        "tolerance", "-1.0", "positive"),
    # agf
    Row("modular_addition.encoding", lambda: modular_addition.encoding(2, {1: 1.0}), ValueError, "p", "2", "at least 3"),
    Row("modular_addition.encoding", lambda: modular_addition.encoding(8, {4: 1.0}), ValueError, "amplitudes", "4", "below p/2"),
    Row("modular_addition.encoding", lambda: modular_addition.encoding(8, {}), TypeError, "amplitudes", "{}", "at least one"),
    Row("modular_addition.data", lambda: modular_addition.data(jnp.arange(5.0)), ValueError, "x", "2", "mean zero"),
    Row("modular_addition.data", lambda: modular_addition.data(I2), ValueError, "x", "(2, 2)", "1 axes"),
    Row("modular_addition.neuron", lambda: modular_addition.neuron(jnp.ones(5), jnp.ones((2, 4))), ValueError, "theta", "(5,)", "6"),
    Row("modular_addition.start", lambda: modular_addition.start(5, 2, scale=0.0, key=jax.random.key(0)), ValueError, "scale", "0.0", "positive"),
    Row("modular_addition.spectra", lambda: modular_addition.spectra(jnp.ones((2, 10))), ValueError, "neurons", "(2, 10)", "3p columns"),
    Row("modular_addition.utilities", lambda: modular_addition.utilities(jnp.ones((2, 12)), ENCODED), ValueError, "neurons", "(2, 12)", "15"),
    Row("modular_addition.best_utilities", lambda: modular_addition.best_utilities(jnp.array([1.0, -1, 1, -1])), ValueError, "x", "4", "no power"),
    Row("modular_addition.plateaus", lambda: modular_addition.plateaus(jnp.zeros(5)), ValueError, "x", "zero", "not be zero"),
    Row("modular_addition.learned", lambda: modular_addition.learned(jnp.ones((2, 12)), ENCODED), ValueError, "neurons", "(2, 12)", "15"),
    Row("modular_addition.jumps", lambda: modular_addition.jumps(jnp.ones((2, 15)), ENCODED), ValueError, "neurons", "3.87", "smaller than one"),
    Row("modular_addition.jumps", lambda: modular_addition.jumps(jnp.ones((2, 12)), ENCODED), ValueError, "neurons", "(2, 12)", "15"),
    Row("modular_addition.unlearned", lambda: modular_addition.unlearned(np.ones(2), np.ones(3), p=7, frequency=1), ValueError, "alpha", "(3,)", "one length"),
    Row("modular_addition.unlearned", lambda: modular_addition.unlearned(np.ones(2), np.ones(2), p=8, frequency=4), ValueError, "frequency", "4", "below p/2"),
    Row("modular_addition.least_unlearned", lambda: modular_addition.least_unlearned(0, p=7, frequency=1), ValueError, "width", "0", "at least 1"),
    Row("modular_addition.least_unlearned", lambda: modular_addition.least_unlearned(1, p=7, frequency=1, constant=0), TypeError, "constant", "0", "True or False"),
    Row("exercises.modular_addition.check_separate_norms", lambda: clocks.check_separate_norms(1.0), TypeError, "answer", "1.0", "function"),
    Row("exercises.modular_addition.check_levels", lambda: clocks.check_levels(1.0), TypeError, "answer", "1.0", "function"),
    Row("exercises.modular_addition.check_team", lambda: clocks.check_team(6), TypeError, "phases", "6", "function"),
    Row("exercises.modular_addition.check_velocity", lambda: clocks.check_velocity(1.0), TypeError, "answer", "1.0", "function"),
    Row("agf.loss", lambda: agf.loss(3, I2, ONES), TypeError, "neuron", "3 of type int", "function"),
    Row("agf.loss", lambda: agf.loss(square_neuron, I2, START), ValueError, "y", "(2,)", "y[:, None]"),
    Row("agf.loss", lambda: agf.loss(square_neuron, START, ONES), ValueError, "X", "(2,)", "(H, n, d)"),
    Row("agf.outputs", lambda: agf.outputs(3, ONES, I2), TypeError, "neuron", "3 of type int", "function"),
    Row("agf.polar", lambda: agf.polar(jnp.zeros((1, 2))), ValueError, "neurons", "neurons[0]", "not be zero"),
    Row("agf.polar", lambda: agf.polar(START), ValueError, "neurons", "(2,)", "2 axes"),
    Row("agf.utilities", lambda: agf.utilities(square_neuron, jnp.ones((2, 3)), I2, START), ValueError, "residual", "(2,)", "(n, c)"),
    Row("agf.utilities", lambda: agf.utilities(square_neuron, NAN, I2, ONES), ValueError, "neurons", "nan", "finite"),
    Row("agf.staircase", agf_staircase(neuron=lambda theta, X: jnp.tanh(square_neuron(theta, X))), ValueError,
        "neuron", "to the power 1.", "homogeneous of degree 2"),
    Row("agf.staircase", agf_staircase(degree=3), ValueError, "neuron", "power 2 from 1/2 to 1 and 2 from 1 to 2", "degree 3"),
    Row("agf.staircase", agf_staircase(neuron=lambda theta, X: 0 * square_neuron(theta, X)), ValueError, "neuron", "zero everywhere", "must not"),
    Row("agf.staircase", agf_staircase(neuron=lambda theta, X: X @ theta[1:, None]), ValueError, "neuron", "power 1", "degree 2"),
    Row("agf.staircase", agf_staircase(degree=1), ValueError, "degree", "1", "at least 2"),
    Row("agf.staircase", agf_staircase(degree="2"), TypeError, "degree", "'2'", "number"),
    Row("agf.staircase", agf_staircase(y=I2), ValueError, "y", "(2, 2)", "outputs, (2, 1)"),
    Row("agf.staircase", agf_staircase(y=START), ValueError, "y", "(2,)", "y[:, None]"),
    Row("agf.staircase", agf_staircase(y=jnp.full((2, 1), jnp.inf)), ValueError, "y", "inf", "finite"),
    Row("agf.staircase", agf_staircase(X=jnp.ones((3, 2, 2))), ValueError, "X", "(3, 2, 2)", "2 neurons"),
    Row("agf.staircase", agf_staircase(neurons=jnp.full((2, 3), jnp.nan)), ValueError, "neurons", "nan", "finite"),
    Row("agf.staircase", agf_staircase(neurons=jnp.zeros((2, 3))), ValueError, "neurons", "neurons[0]", "not be zero"),
    Row("agf.staircase", agf_staircase(neurons=jnp.ones((2, 3))), ValueError, "neurons", "norm 1.73", "smaller than the radius 1"),
    Row("agf.staircase", agf_staircase(neuron=lambda theta, X: theta[0] ** 2 * square_neuron(theta, X), degree=4,
        neurons=jnp.full((2, 3), 1e-200)), ValueError, "neurons", "1.73e-200", "a time that a number can hold"),
    Row("agf.staircase", agf_staircase(radius=0.0), ValueError, "radius", "0.0", "positive"),
    Row("agf.staircase", agf_staircase(until=-1.0), ValueError, "until", "-1.0", "positive"),
    Row("agf.staircase", agf_staircase(max_jumps=0), ValueError, "max_jumps", "0", "at least 1"),
    Row("agf.staircase", agf_staircase(max_steps=2.5), TypeError, "max_steps", "2.5", "integer"),
    Row("agf.staircase", agf_staircase(rtol=1e-16), ValueError, "rtol", "1e-16", "between 1e-13 and 1e-3"),
    # pesme_flammarion
    Row("pesme_flammarion.saddles", lambda: pesme_flammarion.saddles(START, START), ValueError, "X", "(2,)", "2 axes"),
    Row("pesme_flammarion.saddles", lambda: pesme_flammarion.saddles(I2, ONES), ValueError, "y", "(2, 1)", "1 axes"),
    Row("pesme_flammarion.saddles", lambda: pesme_flammarion.saddles(I2, jnp.ones(3)), ValueError, "y", "(3,)", "n = 2"),
    Row("pesme_flammarion.saddles", lambda: pesme_flammarion.saddles(NAN, START), ValueError, "X", "nan", "finite"),
    Row("pesme_flammarion.saddles", lambda: pesme_flammarion.saddles(I2, START, max_jumps=0), ValueError, "max_jumps", "0", "at least 1"),
    # vision
    Row("vision.cnn", lambda: vision.cnn(6), ValueError, "side", "6", "multiple of 2"),
    Row("vision.cnn", lambda: vision.cnn(8, channels=()), ValueError, "channels", "()", "at least one"),
    Row("vision.cnn", lambda: vision.cnn(8, channels=(2, 0)), ValueError, "channels[1]", "0", "at least 1"),
    Row("vision.cnn", lambda: vision.cnn(8, activation="tan"), ValueError, "activation", "'tan'", "did you mean 'tanh'"),
    Row("vision.cnn", lambda: vision.cnn(8).apply(vision.cnn(8).init(key=KEY), I2), ValueError, "X", "(2, 2)", "any x 64"),
    Row("vision.vision_transformer", lambda: vision.vision_transformer(8, patch=3), ValueError, "patch", "3", "side = 8"),
    Row("vision.vision_transformer", lambda: vision.vision_transformer(8, patch=4, heads=3), ValueError, "heads", "3",
        "width = 16"),
    Row("vision.vision_transformer", lambda: vision.vision_transformer(8, patch=4, blocks=0), ValueError, "blocks", "0",
        "at least 1"),
    Row("datasets.photographs", lambda: datasets.photographs(train=5, key=KEY), ValueError, "train", "5", "even"),
    Row("datasets.photographs", lambda: datasets.photographs(train=4, test=-2, key=KEY), ValueError, "test", "-2", "at least 0"),
    Row("datasets.photographs", lambda: datasets.photographs(train=4, key=0), TypeError, "key", "0", "PRNG key"),
    # neuron
    Row("neuron.solve", solve(X=2 * I2), ValueError, "X", "X'X - I is 3", "flows.gradient_flow"),
    Row("neuron.solve", solve(X=I2 + 1e-9), ValueError, "X", "2e-09", "neuron.implicit_bias"),
    Row("neuron.solve", solve(X=I2[:1], y=START[:1]), ValueError, "X", "X'X - I is 1", "whitened"),
    Row("neuron.solve", solve(X=NAN), ValueError, "X", "nan", "finite"),
    Row("neuron.solve", solve(X=jnp.eye(3)), ValueError, "X", "(3, 3)", "any x 2"),
    Row("neuron.solve", solve(y=jnp.zeros(2)), ValueError, "y", "|X'y| is 0", "flows.gradient_flow"),
    Row("neuron.solve", solve(X=jnp.eye(3)[:, :2], y=jnp.eye(3)[2]), ValueError, "y", "is 0", "that X can express"),
    Row("neuron.solve", solve(X=jnp.array([[0.6, -0.8], [0.8, 0.6], [0, 0]]), y=jnp.array([1e-17, 0, 1])), ValueError,
        "y", "1e-17", "that X can express"),
    Row("neuron.solve", solve(y=NAN[0]), ValueError, "y", "nan", "finite"),
    Row("neuron.solve", solve(y=ONES), ValueError, "y", "(2, 1)", "(2,)"),
    Row("neuron.solve", solve(y=jnp.ones(3)), ValueError, "y", "(3,)", "(2,)"),
    Row("neuron.solve", solve(a0=jnp.nan), ValueError, "a0", "nan", "finite"),
    Row("neuron.solve", solve(a0=START), ValueError, "a0", "(2,)", "one number"),
    Row("neuron.solve", solve(a0="1"), TypeError, "a0", "'1' of type str", "number"),
    Row("neuron.solve", solve(w0=I2), ValueError, "w0", "(2, 2)", "1 axes"),
    Row("neuron.solve", solve(w0=NAN[0]), ValueError, "w0", "nan", "finite"),
    Row("neuron.solve", solve(w0=jnp.zeros(0)), ValueError, "w0", "(0,)", "at least one"),
    Row("neuron.solve", solve(w0=[1.0, 1.0]), TypeError, "w0", "[1.0, 1.0] of type list", "array"),
    Row("neuron.solve", solve(times=-TIMES), ValueError, "times", "-1.0", "zero or later"),
    Row("neuron.solve", solve(times=TIMES[0]), ValueError, "times", "()", "1 axes"),
    Row("neuron.solve", solve(times=jnp.array([0.0, jnp.inf])), ValueError, "times", "inf", "finite"),
    Row("neuron.imbalance", lambda: neuron.imbalance(START, START), ValueError, "a", "(2,)", "jax.vmap"),
    Row("neuron.imbalance", lambda: neuron.imbalance(1.0, I2), ValueError, "w", "(2, 2)", "1 axes"),
    Row("neuron.imbalance", lambda: neuron.imbalance(1.0, NAN[0]), ValueError, "w", "nan", "finite"),
    Row("neuron.imbalance", lambda: neuron.imbalance(1.0, START, learning_rates=(1.0, 0.0)), ValueError,
        "learning_rates[1]", "0.0", "positive"),
    Row("neuron.imbalance", lambda: neuron.imbalance(1.0, START, learning_rates=(1.0,)), ValueError,
        "learning_rates", "(1.0,)", "of a and of w"),
    Row("neuron.imbalance", lambda: neuron.imbalance(1.0, START, learning_rates=0.1), TypeError,
        "learning_rates", "0.1 of type float", "sequence"),
    Row("neuron.from_function", lambda: neuron.from_function(jnp.zeros(2), -1.0), ValueError, "beta", "[0. 0.]", "not be zero"),
    Row("neuron.from_function", lambda: neuron.from_function(2.0, 1.0), ValueError, "beta", "()", "1 axes"),
    Row("neuron.from_function", lambda: neuron.from_function(START, jnp.inf), ValueError, "delta", "inf", "finite"),
    Row("neuron.ntk", lambda: neuron.ntk(1.0, START, jnp.eye(3)), ValueError, "X", "(3, 3)", "any x 2"),
    Row("neuron.ntk", lambda: neuron.ntk(jnp.nan, START, I2), ValueError, "a", "nan", "finite"),
    Row("neuron.ntk", lambda: neuron.ntk(1.0, START, I2, learning_rates=(-1.0, 1.0)), ValueError,
        "learning_rates[0]", "-1.0", "positive"),
    Row("neuron.preconditioner", lambda: neuron.preconditioner(jnp.zeros(2), -1.0), ValueError,
        "beta", "[0. 0.]", "direction of w"),
    Row("neuron.preconditioner", lambda: neuron.preconditioner(START, START), ValueError, "delta", "(2,)", "one number"),
    Row("neuron.preconditioner", lambda: neuron.preconditioner(START, 1.0, learning_rates=(1.0, "1")), TypeError,
        "learning_rates[1]", "'1'", "number"),
    Row("neuron.potential", lambda: neuron.potential(NAN[0], 1.0), ValueError, "beta", "nan", "finite"),
    Row("neuron.potential", lambda: neuron.potential(START, None), TypeError, "delta", "None", "number"),
    Row("neuron.tilt", lambda: neuron.tilt(jnp.zeros(2), -1.0), ValueError, "beta0", "[0. 0.]", "any direction"),
    Row("neuron.tilt", lambda: neuron.tilt(I2, 1.0), ValueError, "beta0", "(2, 2)", "1 axes"),
    Row("neuron.implicit_bias", implicit_bias(X=jnp.ones((2, 2)), y=TIMES), ValueError, "y", "misses it by 0.707", "pinv(X)"),
    Row("neuron.implicit_bias", implicit_bias(X=0 * I2[:1]), ValueError, "X", "(1, 2)", "not be zero"),
    Row("neuron.implicit_bias", implicit_bias(X=START), ValueError, "X", "(2,)", "2 axes"),
    Row("neuron.implicit_bias", implicit_bias(y=ONES[:1]), ValueError, "y", "(1, 1)", "(1,)"),
    Row("neuron.implicit_bias", implicit_bias(beta0=jnp.ones(3)), ValueError, "beta0", "(3,)", "(2,)"),
    Row("neuron.implicit_bias", implicit_bias(beta0=0 * START, delta=-1), ValueError, "beta0", "[0. 0.]", "not be zero"),
    Row("neuron.implicit_bias", implicit_bias(delta=jnp.nan), ValueError, "delta", "nan", "finite"),
    # flows
    Row("flows.gradient_flow", flow(loss=3), TypeError, "loss", "3", "function"),
    Row("flows.gradient_flow", flow(loss=lambda p: p), ValueError, "loss", "(2,)", "one real number"),
    Row("flows.gradient_flow", flow(loss=lambda p: 1j * jnp.sum(p)), ValueError, "loss", "complex128", "real number"),
    Row("flows.gradient_flow", flow(loss=lambda p: jnp.argmax(p)), ValueError, "loss", "int64", "real number"),
    Row("flows.gradient_flow", flow(loss=lambda p: {"loss": 1.0}), ValueError, "loss", "'loss'", "one real number"),
    Row("flows.gradient_flow", flow(params0=()), ValueError, "params0", "()", "at least one array"),
    Row("flows.gradient_flow", flow(params0=jnp.array([1, 2])), TypeError, "params0", "int64", "floating point"),
    Row("flows.gradient_flow", flow(params0=COMPLEX), TypeError, "params0", "complex128", "real"),
    Row("flows.gradient_flow", flow(params0={"a": NAN}), ValueError, "params0['a']", "nan", "finite"),
    Row("flows.gradient_flow", flow(params0={"a": "b"}), TypeError, "params0['a']", "<U1", "real numbers"),
    Row("flows.gradient_flow", flow(times=jnp.array([1.0, 0.5])), ValueError, "times", "[1.  0.5]", "increase"),
    Row("flows.gradient_flow", flow(times=jnp.array([0.0, 0.0])), ValueError, "times", "[0. 0.]", "strictly"),
    Row("flows.gradient_flow", flow(times=jnp.array([-1.0, 1.0])), ValueError, "times", "[-1.  1.]", "from zero"),
    Row("flows.gradient_flow", flow(times=jnp.array([0.0, jnp.inf])), ValueError, "times", "inf", "finite"),
    Row("flows.gradient_flow", flow(times=jnp.array([])), ValueError, "times", "empty", "at least one"),
    Row("flows.gradient_flow", flow(times=1.0), ValueError, "times", "()", "1 axes"),
    Row("flows.gradient_flow", flow(times=["one"]), TypeError, "times", "<U3", "real numbers"),
    Row("flows.gradient_flow", flow(rtol=0.0), ValueError, "rtol", "0.0", "positive"),
    Row("flows.gradient_flow", flow(rtol=1e-16), ValueError, "rtol", "1e-16", "at least 2.2e-15"),
    Row("flows.gradient_flow", flow(params0=START.astype(jnp.float32)), ValueError, "rtol", "1e-08", "1.2e-06"),
    Row("flows.gradient_flow", flow(atol=-1.0), ValueError, "atol", "-1.0", "positive"),
    Row("flows.gradient_flow", flow(max_steps=0), ValueError, "max_steps", "0", "at least 1"),
    Row("flows.gradient_flow", flow(max_steps=1e5), TypeError, "max_steps", "100000.0", "integer"),
    Row("flows.gradient_flow", flow(observe="loss"), TypeError, "observe", "'loss'", "function"),
    Row("flows.gradient_flow", flow(solver="Tsit5"), TypeError, "solver", "'Tsit5'", "diffrax.Tsit5()"),
    Row("flows.gradient_flow", flow(solver=diffrax.Euler()), TypeError, "solver", "Euler()", "error estimate"),
    Row("flows.gradient_flow", flow(loss=Unhashable()), TypeError, "loss", "Unhashable", "hashable"),
    # vanishing
    Row("vanishing.gradient_flow", vanish(neuron=3), TypeError, "neuron", "3", "function"),
    Row("vanishing.gradient_flow", vanish(neuron=lambda theta, X: theta[0] * X[:, :1]), ValueError,
        "neuron", "power 1 from", "homogeneous of degree 2"),
    Row("vanishing.gradient_flow", vanish(degree=3), ValueError, "neuron", "power 2 from", "homogeneous of degree 3"),
    Row("vanishing.gradient_flow", vanish(degree=1.5), ValueError, "degree", "1.5", "at least 2"),
    Row("vanishing.gradient_flow", vanish(y=START), ValueError, "y", "(2,)", "y[:, None]"),
    Row("vanishing.gradient_flow", vanish(X=NAN), ValueError, "X", "nan", "finite"),
    Row("vanishing.gradient_flow", vanish(neurons=0 * I2), ValueError, "neurons", "neurons[0]", "not be zero"),
    Row("vanishing.gradient_flow", vanish(neurons=(I2 + 1).astype(jnp.float32), X=I2.astype(jnp.float32),
        y=ONES.astype(jnp.float32)), TypeError, "neurons", "float32", "double precision"),
    Row("vanishing.gradient_flow", vanish(neurons=1e-200 * (I2 + 1), neuron=lambda theta, X: theta[0] ** 3 * X[:, :1],
        degree=3), ValueError, "neurons", "e+19", "below 1e150"),
    Row("vanishing.gradient_flow", vanish(times=0.0), ValueError, "times", "0.0", "positive"),
    Row("vanishing.gradient_flow", vanish(times=TIMES[::-1]), ValueError, "times", "[1. 0.]", "increase"),
    Row("vanishing.gradient_flow", vanish(blocks=3), TypeError, "blocks", "3", "sequence"),
    Row("vanishing.gradient_flow", vanish(blocks=(1, 2)), ValueError, "blocks", "(1, 2)", "p = 2"),
    Row("vanishing.gradient_flow", vanish(blocks=(2, 0)), ValueError, "blocks[1]", "0", "at least 1"),
    Row("vanishing.gradient_flow", vanish(neurons=I2, blocks=(1, 1)), ValueError, "neurons", "blocks[1] of neurons[0]", "join"),
    Row("vanishing.gradient_flow", vanish(tolerance=0.0), ValueError, "tolerance", "0.0", "positive"),
    Row("vanishing.gradient_flow", vanish(tolerance=1e-15), ValueError, "tolerance", "1e-15", "at least 2.2e-14"),
    Row("vanishing.gradient_flow", vanish(max_steps=0), ValueError, "max_steps", "0", "at least 1"),
    Row("vanishing.jump_times", lambda: vanishing.jump_times(flown(), fraction=0), ValueError, "fraction", "0", "positive"),
    Row("vanishing.jump_times", lambda: vanishing.jump_times(flown(), fraction=2), ValueError, "fraction", "2", "below 1"),
    Row("vanishing.jump_times", lambda: vanishing.jump_times(flown(((0.0,),))), ValueError, "path", "holds 1", "two times"),
    # descent
    Row("descent.descend", descend(loss=lambda p: p), ValueError, "loss", "(2,)", "one real number"),
    Row("descent.descend", descend(params0=jnp.array([1, 2])), TypeError, "params0", "int64", "floating point"),
    Row("descent.descend", descend(params0=NAN), ValueError, "params0", "nan", "finite"),
    Row("descent.descend", descend(params0={}), ValueError, "params0", "{}", "at least one array"),
    Row("descent.descend", descend(optimizer=0.1), TypeError, "optimizer", "0.1", "optax gradient transformation"),
    Row("descent.descend", descend(steps=0), ValueError, "steps", "0", "at least 1"),
    Row("descent.descend", descend(steps=10.0), TypeError, "steps", "10.0", "integer"),
    Row("descent.descend", descend(every=-1), ValueError, "every", "-1", "at least 1"),
    Row("descent.descend", descend(every=3), ValueError, "every", "every = 3", "multiple"),
    Row("descent.descend", descend(observe=1), TypeError, "observe", "1", "function"),
    Row("descent.descend", descend(state=optax.adam(0.1).init(START)), ValueError, "state", "ScaleByAdamState", "EmptyState"),
    Row("descent.descend", descend(optimizer=optax.adam(0.1), state=optax.adam(0.1).init(I2)), ValueError,
        "state", "mu=(2, 2)", "mu=(2,)"),
    # kernels
    Row("kernels.empirical_ntk", lambda: kernels.empirical_ntk(3), TypeError, "f", "3", "function"),
    Row("kernels.empirical_ntk", lambda: kernels.empirical_ntk(MODEL.apply, outputs="some"), ValueError,
        "outputs", "'some'", "'all', 'mean'"),
    Row("kernels.empirical_ntk", lambda: kernels.empirical_ntk(MODEL.apply, implementation="fast"), ValueError,
        "implementation", "'fast'", "'structured'"),
    Row("kernels.empirical_ntk", lambda: kernels.empirical_ntk(MODEL.apply, implementation="jacobi"), ValueError,
        "implementation", "'jacobi'", "did you mean 'jacobian'"),
    Row("kernels.empirical_ntk", lambda: kernels.empirical_ntk(MODEL.apply)(PARAMS, START), ValueError,
        "X1", "(2,)", "2 axes"),
    Row("kernels.empirical_ntk", lambda: kernels.empirical_ntk(MODEL.apply)(PARAMS, I2, ONES), ValueError,
        "X2", "(2, 1)", "any x 2"),
    Row("kernels.empirical_ntk", lambda: kernels.empirical_ntk(MODEL.apply)({"W": NAN}, I2), ValueError,
        "params['W']", "nan", "finite"),
    Row("kernels.empirical_ntk", lambda: kernels.empirical_ntk(lambda p, X: X[:, 0])(PARAMS, I2), ValueError,
        "f(params, X)", "(2,)", "(n, c)"),
    Row("kernels.spectrum", lambda: kernels.spectrum(ONES), ValueError, "K", "(2, 1)", "2 x 2"),
    Row("kernels.spectrum", lambda: kernels.spectrum(START), ValueError, "K", "(2,)", "2 axes"),
    Row("kernels.spectrum", lambda: kernels.spectrum(NAN), ValueError, "K", "nan", "finite"),
    Row("kernels.spectrum", lambda: kernels.spectrum(jnp.triu(jnp.ones((2, 2)))), ValueError, "K", "1", "symmetric"),
    Row("kernels.kernel_alignment", lambda: kernels.kernel_alignment(I2, ONES), ValueError, "K2", "(2, 1)", "2 x 2"),
    Row("kernels.kernel_alignment", lambda: kernels.kernel_alignment(0 * I2, I2), ValueError, "K1", "0", "not be zero"),
    Row("kernels.kernel_alignment", lambda: kernels.kernel_alignment(I2, 0 * I2), ValueError, "K2", "0", "not be zero"),
    Row("kernels.kernel_distance", lambda: kernels.kernel_distance(NAN, I2), ValueError, "K1", "nan", "finite"),
    Row("kernels.kernel_distance", lambda: kernels.kernel_distance(I2, NAN), ValueError, "K2", "nan", "finite"),
    Row("kernels.kernel_drift", lambda: kernels.kernel_drift(ONES, I2), ValueError, "K", "(2, 1)", "2 x 2"),
    Row("kernels.kernel_drift", lambda: kernels.kernel_drift(I2, 0 * I2), ValueError, "K0", "0", "not be zero"),
    Row("kernels.target_alignment", lambda: kernels.target_alignment(I2, START), ValueError, "y", "(2,)", "2 axes"),
    Row("kernels.target_alignment", lambda: kernels.target_alignment(I2, jnp.ones((3, 1))), ValueError,
        "K", "has 2", "n = 3"),
    Row("kernels.target_alignment", lambda: kernels.target_alignment(I2, 0 * ONES), ValueError, "y", "0", "not be zero"),
    # linearization
    Row("linearization.linearize", lambda: linearization.linearize(3, PARAMS), TypeError, "f", "3", "function"),
    Row("linearization.linearize", lambda: linearization.linearize(MODEL.apply, NAN), ValueError, "params0", "nan", "finite"),
    Row("linearization.linearize", lambda: linearization.linearize(MODEL.apply, PARAMS)(PARAMS[:1], I2), ValueError,
        "params", "(3, 2)", "shapes"),
    Row("linearization.kernel_flow", kernel_flow(y=START), ValueError, "y", "(2,)", "2 axes"),
    Row("linearization.kernel_flow", kernel_flow(f0=NAN), ValueError, "f0", "nan", "finite"),
    Row("linearization.kernel_flow", kernel_flow(f0=I2), ValueError, "f0", "(2, 2)", "2 x 1"),
    Row("linearization.kernel_flow", kernel_flow(K=jnp.eye(3)), ValueError, "K", "3", "n = 2"),
    Row("linearization.kernel_flow", kernel_flow(K=jnp.ones((2, 3))), ValueError, "K", "(2, 3)", "2 x 2"),
    Row("linearization.kernel_flow", kernel_flow(K=jnp.inf * jnp.ones((2, 2))), ValueError, "K", "inf", "finite"),
    Row("linearization.kernel_flow", kernel_flow(K=I2.at[0, 1].set(0.1)), ValueError, "K", "0.1", "symmetric"),
    Row("linearization.kernel_flow", kernel_flow(K=-I2), ValueError, "K", "-1", "positive semidefinite"),
    Row("linearization.kernel_flow", kernel_flow(times=TIMES[::-1]), ValueError, "times", "[1. 0.]", "increase"),
    Row("linearization.kernel_flow", kernel_flow(times=TIMES * jnp.nan), ValueError, "times", "nan", "finite"),
    Row("linearization.kernel_flow", kernel_flow(times=1.0), TypeError, "times", "1.0 of type float", "array"),
    Row("linearization.kernel_flow", kernel_flow(K_test=I2), ValueError, "K_test", "f0_test", "both or neither"),
    Row("linearization.kernel_flow", kernel_flow(K_test=I2[:1], f0_test=ONES), ValueError, "K_test", "(1, 2)", "2 x 2"),
    Row("linearization.kernel_flow", kernel_flow(K_test=I2, f0_test=I2), ValueError, "f0_test", "(2, 2)", "any x 1"),
    Row("linearization.neural_tangents_time", lambda: linearization.neural_tangents_time(TIMES, START), ValueError,
        "y", "(2,)", "2 axes"),
    Row("linearization.symmetric_part", lambda: linearization.symmetric_part("K", ONES), ValueError, "K", "(2, 1)", "2 x 2"),
    # equilibria
    Row("equilibria.classify", lambda: equilibria.classify(ONES), ValueError, "A", "(2, 1)", "2 x 2"),
    Row("equilibria.classify", lambda: equilibria.classify(NAN), ValueError, "A", "nan", "finite"),
    Row("equilibria.classify", lambda: equilibria.classify(I2, tolerance=0), ValueError, "tolerance", "0", "positive"),
    Row("equilibria.stability", lambda: equilibria.stability(ONES), ValueError, "A", "(2, 1)", "2"),
    Row("equilibria.stability", lambda: equilibria.stability(I2, tolerance=-1), ValueError, "tolerance", "-1", "positive"),
    Row("portraits.random_systems", lambda: equilibria.random_systems("sadle", 3, key=KEY), ValueError,
        "kind", "'sadle'", "did you mean 'saddle'"),
    Row("portraits.random_systems", lambda: equilibria.random_systems("saddle", 0, key=KEY), ValueError,
        "count", "0", "at least 1"),
    Row("portraits.watch", lambda: equilibria.watch(I2), ValueError, "A", "(2, 2)", "3 axes"),
    Row("portraits.random_systems", lambda: equilibria.random_systems("saddle", 3, key=7), TypeError, "key", "7", "key"),
    Row("portraits.kinds_seen", lambda: equilibria.kinds_seen(NAN[None]), ValueError, "A", "nan", "finite"),
    # restarts
    Row("handover.jacobian", lambda: handover.jacobian(3, PARAMS, I2), TypeError, "f", "3", "function"),
    Row("handover.jacobian", lambda: handover.jacobian(MODEL.apply, PARAMS, jnp.ones(2)), ValueError, "X", "(2,)", "axes"),
    Row("handover.jacobian", lambda: handover.jacobian(MODEL.apply, PARAMS, NAN), ValueError, "X", "nan", "finite"),
    Row("handover.solve", lambda: handover.solve(MODEL.apply, PARAMS, I2, jnp.ones((3, 1)), I2, ridges=START), ValueError, "y", "(3, 1)", "2 x any"),
    Row("handover.solve", lambda: handover.solve(MODEL.apply, PARAMS, I2, jnp.ones((2, 1)), I2, ridges=0 * START), ValueError, "ridges", "0", "positive"),
    Row("handover.solve", lambda: handover.solve(MODEL.apply, PARAMS, I2, jnp.ones((2, 1)), NAN, ridges=START), ValueError, "X_other", "nan", "finite"),
    Row("handover.velocity", lambda: handover.velocity(I2, TIMES), ValueError, "kernels", "(2, 2)", "3 axes"),
    Row("handover.velocity", lambda: handover.velocity(jnp.ones((3, 2, 2)), TIMES), ValueError, "times", "2", "each of the 3"),
    Row("handover.velocity", lambda: handover.velocity(jnp.zeros((2, 2, 2)), TIMES), ValueError, "kernels", "0", "must not be zero"),
    Row("handover.first_calm", lambda: handover.first_calm(LINES, 0.0), ValueError, "threshold", "0.0", "positive"),
    Row("handover.first_calm", lambda: handover.first_calm(LINES, 0.1, patience=0), ValueError, "patience", "0", "at least 1"),
    Row("handover.first_calm", lambda: handover.first_calm(LINES[:0], 0.1), ValueError, "velocities", "[]", "at least one"),
    Row("handover.price", lambda: handover.price(-1.0, samples=10), ValueError, "epochs", "-1.0", "zero or positive"),
    Row("handover.price", lambda: handover.price(1.0, samples=0), ValueError, "samples", "0", "at least 1"),
    Row("handover.price", lambda: handover.price(1.0, samples=5, checks=-1), ValueError, "checks", "-1", "at least 0"),
    Row("restarts.chances", lambda: restarts.chances(np.ones((2, 2)), 3), ValueError, "scores", "(2, 2)", "vector"),
    Row("restarts.chances", lambda: restarts.chances(np.array([1.0, np.nan]), 3), ValueError, "scores", "nan", "finite"),
    Row("restarts.chances", lambda: restarts.chances(np.ones(2), 0), ValueError, "number", "0", "at least 1"),
    Row("restarts.affordable", lambda: restarts.affordable(900.0, steps=1000, cut=100, price=1.0), ValueError, "budget", "900", "at least 1000"),
    Row("restarts.affordable", lambda: restarts.affordable(9000.0, steps=100, cut=101, price=1.0), ValueError, "cut", "101", "at most"),
    Row("restarts.affordable", lambda: restarts.affordable(9000.0, steps=1000, cut=100, price=0.0), ValueError, "price", "0", "positive"),
    # stagewise
    Row("stagewise.train", train_in_stages(neuron=3), TypeError, "neuron", "3", "function"),
    Row("stagewise.train", train_in_stages(degree=3), ValueError, "neuron", "power 2 from", "degree 3"),
    Row("stagewise.train", train_in_stages(y=START), ValueError, "y", "(2,)", "y[:, None]"),
    Row("stagewise.train", train_in_stages(neurons=jnp.full((2, 3), jnp.nan)), ValueError, "neurons", "nan", "finite"),
    Row("stagewise.train", train_in_stages(optimizer=0.1), TypeError, "optimizer", "0.1", "optax"),
    Row("stagewise.train", train_in_stages(stages=3), ValueError, "stages", "3", "2 neurons"),
    Row("stagewise.train", train_in_stages(stages=1, climb=-1), ValueError, "climb", "-1", "at least 0"),
    Row("stagewise.train", train_in_stages(descent=1.5), TypeError, "descent", "1.5", "integer"),
    Row("stagewise.train", train_in_stages(steps=-1), ValueError, "steps", "-1", "at least 0"),
    Row("stagewise.train", train_in_stages(observe=3), TypeError, "observe", "3", "function"),
    Row("exercises.beyond.check_alignment_price", lambda: announced.check_alignment_price(1), TypeError, "answer", "1", "function"),
    Row("exercises.beyond.check_entry", lambda: announced.check_entry(1), TypeError, "answer", "1", "function"),
    Row("exercises.beyond.check_effective_degree", lambda: announced.check_effective_degree(1), TypeError, "answer", "1", "function"),
    # symmetries
    Row("symmetries.find", find(3), TypeError, "f", "3", "function"),
    Row("symmetries.find", find(params=NAN), ValueError, "params", "nan", "finite"),
    Row("symmetries.find", find(params=()), ValueError, "params", "()", "at least one number"),
    Row("symmetries.find", find(params={"W": np.ones(2, np.float32)}), TypeError, "params['W']", "float32", "double"),
    Row("symmetries.find", find(params=jnp.array([1, 2])), TypeError, "params", "int64", "double"),
    Row("symmetries.find", find(params=jnp.ones(70)), ValueError, "params", "70 give 4970", 'among="layers"'),
    Row("symmetries.find", find(params=jnp.ones((50, 50)), among="layers"), ValueError, "params", "7500", "at most 4000"),
    Row("symmetries.find", find(key=0), TypeError, "key", "0", "jax.random.key"),
    Row("symmetries.find", find(among="layer"), ValueError, "among", "'layer'", "did you mean 'layers'"),
    Row("symmetries.find", find(scale=0.0), ValueError, "scale", "0.0", "positive"),
    Row("symmetries.find", find(tolerance=-1.0), ValueError, "tolerance", "-1.0", "positive"),
    Row("symmetries.find", find(lambda p: jnp.sqrt(p)), ValueError, "f", "not finite", "finite derivatives"),
    Row("symmetries.find", find(lambda p: 0.0 * p), ValueError, "f", "all zero", "depend on params"),
    # conserved, drift, momentum
    Row("conserved.constraint", lambda: conserved.constraint(3, QUADRATIC), TypeError, "loss", "3", "function"),
    Row("conserved.constraint", lambda: conserved.constraint(QUADRATIC, 3), TypeError, "generator", "3", "function"),
    Row("conserved.constraint", lambda: conserved.constraint(QUADRATIC, lambda p: p[0])(START), ValueError,
        "generator", "()", "the shapes (2,) of params"),
    Row("conserved.constraint", lambda: conserved.constraint(lambda p: p, lambda p: p)(START), ValueError,
        "loss", "float", "one real number"),
    Row("conserved.quantity", lambda: conserved.quantity(3, START), TypeError, "generator", "3", "function"),
    Row("conserved.quantity", lambda: conserved.quantity(lambda p: p, NAN), ValueError, "params", "nan", "finite"),
    Row("conserved.quantity", lambda: conserved.quantity(lambda p: {"W": p}, START), ValueError,
        "generator", "'W'", "the shapes (2,) of params"),
    Row("conserved.quantity", lambda: conserved.quantity(jnp.square, START), ValueError, "generator", "0.", "affine"),
    Row("conserved.quantity", lambda: conserved.quantity(lambda p: p @ jnp.array([[0.0, 1.0], [-1.0, 0.0]]), START),
        ValueError, "generator", "antisymmetric part is 1 of it", "symmetric linear part"),
    Row("conserved.quantity", lambda: conserved.quantity(lambda p: jnp.nan * p, START), ValueError,
        "generator", "nan", "finite"),
    Row("conserved.balancedness", lambda: conserved.balancedness(I2), TypeError, "params[0]", "1.", "layer"),
    Row("conserved.balancedness", lambda: conserved.balancedness(({"W": I2},)), ValueError, "params", "1", "two layers"),
    Row("conserved.balancedness", lambda: conserved.balancedness(({"W": ONES}, {"W": ONES})), ValueError,
        "params[1]['W']", "(2, 1)", "any x 2"),
    Row("conserved.balancedness", lambda: conserved.balancedness(({"W": I2, "b": ONES}, {"W": I2})), ValueError,
        "params[0]['b']", "(2, 1)", "1 axes"),
    Row("conserved.balancedness", lambda: conserved.balancedness(({"W": I2, "b": jnp.ones(3)}, {"W": I2})), ValueError,
        "params[0]['b']", "(3,)", "(2,)"),
    Row("conserved.neuron_balancedness", lambda: conserved.neuron_balancedness(3), TypeError, "params", "3", "sequence"),
    Row("conserved.neuron_balancedness", lambda: conserved.neuron_balancedness(({"W": NAN}, {"W": I2})), ValueError,
        "params[0]['W']", "nan", "finite"),
    Row("conserved.tangent", lambda: conserved.tangent("scale", START), TypeError, "generator", "'scale'", "function"),
    Row("conserved.tangent", lambda: conserved.tangent(lambda p: p[:1], START), ValueError, "generator", "(1,)", "(2,)"),
    Row("drift.rate", lambda: drift.rate(3, QUADRATIC), TypeError, "loss", "3", "function"),
    Row("drift.rate", lambda: drift.rate(QUADRATIC, 3), TypeError, "generator", "3", "function"),
    Row("drift.rate", lambda: drift.rate(QUADRATIC, lambda p: p[:1])(START), ValueError, "generator", "(1,)", "(2,)"),
    Row("drift.after_step", lambda: drift.after_step(3, QUADRATIC, learning_rate=0.1), TypeError, "loss", "3", "function"),
    Row("drift.after_step", lambda: drift.after_step(QUADRATIC, QUADRATIC, learning_rate=0.0), ValueError,
        "learning_rate", "0.0", "positive"),
    Row("drift.after_step", lambda: drift.after_step(QUADRATIC, QUADRATIC, learning_rate=0.1, weight_decay=-1.0),
        ValueError, "weight_decay", "-1.0", "zero or positive"),
    # batch_norm and the exercises on mechanics
    Row("batch_norm.normalize", lambda: batch_norm.normalize(I2, epsilon=-1.0), ValueError, "epsilon", "-1.0", "zero or positive"),
    Row("batch_norm.normalize", lambda: batch_norm.normalize(I2[:1]), ValueError, "z", "1", "at least 2 samples"),
    Row("batch_norm.mlp", lambda: batch_norm.mlp((3,)), ValueError, "widths", "(3,)", "inputs and the outputs"),
    Row("batch_norm.mlp", lambda: batch_norm.mlp((3, 4, 2), normalized=(True, True)), ValueError,
        "normalized", "(True, True)", "1 booleans"),
    Row("batch_norm.mlp", lambda: batch_norm.mlp((3, 4, 2), activation="sigmoid"), ValueError, "activation", "sigmoid", "relu"),
    Row("batch_norm.mlp", lambda: batch_norm.mlp((2, 4, 1)).apply(PARAMS, I2), ValueError, "params", "(3, 2)", "(4, 2)"),
    Row("exercises.mechanics.check_critical_momentum", lambda: mechanics.check_critical_momentum(0.9), TypeError,
        "answer", "0.9", "function"),
    Row("exercises.mechanics.check_nesterov", lambda: mechanics.check_nesterov(3), TypeError, "answer", "3", "function"),
    Row("exercises.mechanics.check_decoupled", lambda: mechanics.check_decoupled(3), TypeError, "answer", "3", "function"),
    Row("exercises.mechanics.check_expected_drift", lambda: mechanics.check_expected_drift(3), TypeError,
        "answer", "3", "function"),
    Row("exercises.noether.check_power", lambda: noether.check_power(3), TypeError, "answer", "3", "function"),
    Row("exercises.noether.check_attention", lambda: noether.check_attention(3), TypeError, "answer", "3", "function"),
    Row("exercises.noether.check_one_output", lambda: noether.check_one_output(3), TypeError, "answer", "3", "function"),
    Row("exercises.noether.check_angle", lambda: noether.check_angle(3), TypeError, "answer", "3", "function"),
    Row("exercises.noether.check_mirror", lambda: noether.check_mirror(3), TypeError, "answer", "3", "function"),
    Row("momentum.law", oscillation(momentum.law, 1.0, START), TypeError, "start", "1.0", "array"),
    Row("momentum.law", oscillation(momentum.law, jnp.array(1.0), I2), ValueError, "drive", "(2, 2)", "1 axes"),
    Row("momentum.law", oscillation(momentum.law, jnp.array(1.0), NAN[0]), ValueError, "drive", "nan", "finite"),
    Row("momentum.law", oscillation(momentum.law, jnp.array(1.0), START, degree=3), ValueError, "degree", "3", "1 (trans"),
    Row("momentum.oscillator", oscillation(momentum=1.0), ValueError, "momentum", "1.0", "below 1"),
    Row("momentum.oscillator", oscillation(momentum=-0.1), ValueError, "momentum", "-0.1", "zero or positive"),
    Row("momentum.oscillator", oscillation(learning_rate="1"), TypeError, "learning_rate", "'1'", "number"),
    Row("momentum.oscillator", oscillation(weight_decay=np.nan), ValueError, "weight_decay", "nan", "finite"),
    Row("momentum.oscillation", oscillation(momentum.oscillation, -TIMES), ValueError, "times", "-1", "increase"),
    Row("momentum.oscillation", oscillation(momentum.oscillation, TIMES, degree=True), ValueError, "degree", "True", "2 (sc"),
    # ensembles
    Row("ensembles.descend", ensemble(loss=3), TypeError, "loss", "3", "function"),
    Row("ensembles.descend", ensemble(loss=lambda p: p), ValueError, "loss", "(2,)", "one real number"),
    Row("ensembles.descend", ensemble(params0=NAN), ValueError, "params0", "nan", "finite"),
    Row("ensembles.descend", ensemble(params0={}), ValueError, "params0", "{}", "at least one array"),
    Row("ensembles.descend", ensemble(params0=jnp.ones((3, 2))), ValueError, "params0", "(3, 2)", "leading axis of 2"),
    Row("ensembles.descend", ensemble(params0=jnp.array([[1], [2]])), TypeError, "params0", "int64", "floating point"),
    Row("ensembles.descend", ensemble(learning_rates=0.1), TypeError, "learning_rates", "0.1", "array"),
    Row("ensembles.descend", ensemble(learning_rates=jnp.ones(0)), ValueError, "learning_rates", "empty", "each member"),
    Row("ensembles.descend", ensemble(learning_rates=-START), ValueError, "learning_rates", "-1.0", "positive"),
    Row("ensembles.descend", ensemble(learning_rates=NAN[0]), ValueError, "learning_rates", "nan", "finite"),
    Row("ensembles.descend", lambda: jax.jit(lambda r: ensembles.descend(QUADRATIC, I2, r, [1]).observed)(START), TypeError,
        "learning_rates", "traced", "outside jit"),
    Row("ensembles.descend", ensemble(times=3), TypeError, "times", "3", "sequence"),
    Row("ensembles.descend", ensemble(times=[]), ValueError, "times", "[]", "increase"),
    Row("ensembles.descend", ensemble(times=[0]), ValueError, "times", "[0]", "end at 1 or later"),
    Row("ensembles.descend", ensemble(times=[3, 3]), ValueError, "times", "[3, 3]", "increase"),
    Row("ensembles.descend", ensemble(times=[-1, 3]), ValueError, "times[0]", "-1", "at least 0"),
    Row("ensembles.descend", ensemble(times=[0.5, 3]), TypeError, "times[0]", "0.5", "integer"),
    Row("ensembles.descend", ensemble(members=jnp.ones(3)), ValueError, "members", "(3,)", "leading axis of 2"),
    Row("ensembles.descend", ensemble(members=jnp.array([1.0, jnp.inf])), ValueError, "members", "inf", "finite"),
    Row("ensembles.descend", ensemble(observe=1), TypeError, "observe", "1", "function"),
    Row("ensembles.descend", ensemble(optimizer=SGD), TypeError, "optimizer", "GradientTransformation", "function"),
    Row("ensembles.descend", ensemble(optimizer=lambda rate: rate), TypeError, "optimizer", "rate", "optax gradient"),
    Row("ensembles.descend", ensemble(chunk=0), ValueError, "chunk", "0", "at least 1"),
    Row("ensembles.descend", ensemble(checkpoint="no-such-folder/a.npz"), ValueError, "checkpoint", "no-such-folder", "folder"),
    # sectors
    Row("sectors.climb", climb(X=NAN), ValueError, "X", "nan", "finite"),
    Row("sectors.climb", climb(residual=START), ValueError, "residual", "(2,)", "2 axes"),
    Row("sectors.climb", climb(residual=jnp.ones((3, 1))), ValueError, "residual", "(3, 1)", "2 x 1"),
    Row("sectors.climb", climb(directions=ONES), ValueError, "directions", "(2, 1)", "any x 2"),
    Row("sectors.climb", climb(directions=0 * I2), ValueError, "directions", "directions[0]", "not be zero"),
    Row("sectors.climb", climb(directions=I2), ValueError, "directions", "directions[0] is at right angles to X[1]", "no wall"),
    Row("sectors.climb", climb(signs=jnp.ones(3)), ValueError, "signs", "(3,)", "one entry a direction, 2"),
    Row("sectors.climb", climb(signs=0.5 * START), ValueError, "signs", "signs[0] is 0.5", "1 or -1"),
    Row("sectors.climb", climb(max_arcs=0), ValueError, "max_arcs", "0", "at least 1"),
    Row("sectors.maximizers", lambda: sectors.maximizers(I2, ONES, START), ValueError, "starts", "(2,)", "2 axes"),
    Row("sectors.maximizers", lambda: sectors.maximizers(I2, START, I2 + 1), ValueError, "residual", "(2,)", "2 axes"),
    Row("exercises.relu.check_angle_at", lambda: quantized.check_angle_at(1), TypeError, "answer", "1", "function"),
    Row("exercises.relu.check_dead_share", lambda: quantized.check_dead_share(1), TypeError, "answer", "1", "function"),
    Row("exercises.relu.check_resting", lambda: quantized.check_resting(1), TypeError, "answer", "1", "function"),
    # gates
    Row("gates.pattern", lambda: gates.pattern(models.mlp((2, 3, 1), bias_scale=1.0).init(key=KEY), I2), ValueError,
        "params", "(3, 2)", "without biases"),
    Row("gates.pattern", lambda: gates.pattern(PAIRS, ONES), ValueError, "params", "(2, 2)", "(m, 1)"),
    Row("gates.pattern", lambda: gates.pattern(PAIRS, START), ValueError, "X", "(2,)", "2 axes"),
    Row("gates.outputs", lambda: gates.outputs(PAIRS, I2, ONES), ValueError, "G", "(2, 1)", "2 x 2"),
    Row("gates.outputs", lambda: gates.outputs(PAIRS, I2, NAN), ValueError, "G", "nan", "finite"),
    Row("gates.kernel", lambda: gates.kernel(PAIRS, I2, ONES), ValueError, "G", "(2, 1)", "2 x 2"),
    Row("gates.kernel", lambda: gates.kernel(PAIRS[:1], I2, I2), ValueError, "params", "(2, 2)", "two layers"),
    # teacher_student
    Row("teacher_student.teacher", lambda: teacher_student.teacher(0, key=KEY), ValueError, "d", "0", "at least 1"),
    Row("teacher_student.teacher", lambda: teacher_student.teacher(2, width=1.5, key=KEY), TypeError, "width", "1.5", "integer"),
    Row("teacher_student.teacher", lambda: teacher_student.teacher(2, key=0), TypeError, "key", "0", "jax.random.key"),
    Row("teacher_student.student", student(width=3), ValueError, "width", "3", "even"),
    Row("teacher_student.student", student(width=0), ValueError, "width", "0", "at least 1"),
    Row("teacher_student.student", student(scale=0.0), ValueError, "scale", "0.0", "positive"),
    Row("teacher_student.student", student(scale="1"), TypeError, "scale", "'1' of type str", "number"),
    Row("teacher_student.student", student(scale=START), ValueError, "scale", "(2,)", "0 axes"),
    Row("teacher_student.student", student(ratio=-1.0), ValueError, "ratio", "-1.0", "positive"),
    Row("teacher_student.student", student(ratio=jnp.array(jnp.nan)), ValueError, "ratio", "nan", "finite"),
    Row("teacher_student.student", student(key=None), TypeError, "key", "None", "jax.random.key"),
    Row("teacher_student.inputs", lambda: teacher_student.inputs(-1, 2, key=KEY), ValueError, "n", "-1", "at least 1"),
    Row("teacher_student.inputs", lambda: teacher_student.inputs(2, 0, key=KEY), ValueError, "d", "0", "at least 1"),
    Row("teacher_student.inputs", lambda: teacher_student.inputs(2, 2, key=1), TypeError, "key", "1", "jax.random.key"),
    # claims
    Row("claims.claim", claim(id="n1", below=2), ValueError, "id", "'n1'", "'N1'"),
    Row("claims.claim", claim(statement=" ", below=2), ValueError, "statement", "' '", "not empty"),
    Row("claims.claim", claim(source="", below=2), ValueError, "source", "''", "not empty"),
    Row("claims.claim", claim(kind="deriv", below=2), ValueError, "kind", "'deriv'", "did you mean 'derived'"),
    Row("claims.claim", claim(), ValueError, "below, above, equals, between", "none", "exactly one"),
    Row("claims.claim", claim(below=2, above=0), ValueError, "below, above, equals, between", "below and above", "exactly one"),
    Row("claims.claim", claim(equals=1.0), ValueError, "within", "None", "given with equals"),
    Row("claims.claim", claim(below=2, within=1.0), ValueError, "within", "equals is None", "given with equals"),
    Row("claims.claim", claim(equals=1.0, within=-1.0), ValueError, "within", "-1.0", "zero or positive"),
    Row("claims.claim", claim(below=jnp.nan), ValueError, "below", "nan", "finite"),
    Row("claims.claim", claim(below="1e-8"), TypeError, "below", "'1e-8' of type str", "real number"),
    Row("claims.claim", claim(between=(2, 1)), ValueError, "between", "(2, 1)", "increase"),
    Row("claims.claim", claim(between=3), TypeError, "between", "3", "pair (low, high)"),
    Row("claims.claim", claim(measured=START, below=2), TypeError, "measured", "(2,)", "scalar"),
    Row("claims.claim", claim(measured=START[:1], below=2), TypeError, "measured", "(1,)", "scalar"),
    Row("claims.claim", claim(measured=1j, below=2), TypeError, "measured", "1j of type complex", "real number"),
    Row("claims.claim", claim(measured=True, below=2), TypeError, "measured", "True of type bool", "real number"),
    Row("claims.claim", claim(measured=jnp.nan, below=2), claims.ClaimFailed, "measured", "nan", "finite"),
    Row("claims.claim", claim(below=2, reproduced=False), ValueError, "because", "None", "when reproduced=False"),
    Row("claims.claim", claim(below=2, because="it is small"), ValueError, "because", "'it is small'", "and only then"),
    Row("claims.claim", claim(below=2, reproduced=0, because="x"), TypeError, "reproduced", "0", "True or False"),
    # figures
    Row("figures.phase_portrait", portrait(field=ONES), ValueError, "field", "(2, 1)", "2 x 2"),
    Row("figures.phase_portrait", portrait(field=jnp.eye(3)), ValueError, "field", "(3, 3)", "2 x 2"),
    Row("figures.phase_portrait", portrait(field="A"), TypeError, "field", "'A' of type str", "array"),
    Row("figures.phase_portrait", portrait(field=lambda x: x[:, 0]), ValueError, "field(points)", "(1681,)", "2 axes"),
    Row("figures.phase_portrait", portrait(field=NAN), ValueError, "field", "nan", "finite"),
    Row("figures.phase_portrait", portrait(limits=(1, 0)), ValueError, "limits", "(1, 0)", "increase"),
    Row("figures.phase_portrait", portrait(limits=(0, np.inf)), ValueError, "limits[1]", "inf", "finite"),
    Row("figures.phase_portrait", portrait(density=0), ValueError, "density", "0", "positive"),
    Row("figures.phase_portrait", portrait(trajectories=[ONES]), ValueError, "trajectories[0]", "(2, 1)", "any x 2"),
    Row("figures.phase_portrait", portrait(trajectories=[I2[:1]]), ValueError, "trajectories[0]", "1", "at least 2 rows"),
    Row("figures.spectrum", bars(jnp.array([1.0, 2.0])), ValueError, "values", "2", "descending"),
    Row("figures.spectrum", bars(jnp.array([1.0, -2.0])), ValueError, "values", "-2", "positive"),
    Row("figures.spectrum", bars(jnp.array([1.0, 0.0])), ValueError, "values", "0", "floor="),
    Row("figures.spectrum", bars(jnp.array([1.0, jnp.nan])), ValueError, "values", "nan", "finite"),
    Row("figures.spectrum", bars(jnp.array([])), ValueError, "values", "[]", "at least one"),
    Row("figures.spectrum", bars(START, floor=-1.0), ValueError, "floor", "-1.0", "positive"),
    Row("figures.spectrum", bars(I2), ValueError, "values", "(2, 2)", "1 axes"),
    # exercises
    Row("exercises.broken_laws.check_rest", lambda: broken.check_rest(3), TypeError, "answer", "3", "function"),
    Row("exercises.broken_laws.check_length", lambda: broken.check_length(3), TypeError, "answer", "3", "function"),
    Row("exercises.broken_laws.check_trapezoid", lambda: broken.check_trapezoid(3), TypeError, "answer", "3", "function"),
    Row("exercises.broken_laws.check_tableau", lambda: broken.check_tableau(3), TypeError, "answer", "3", "function"),
    Row("exercises.dynamics.check_clock", lambda: dynamics.check_clock(3), TypeError, "answer", "3", "function"),
    Row("exercises.dynamics.check_shrink", lambda: dynamics.check_shrink(3), TypeError, "answer", "3", "function"),
    Row("exercises.dynamics.check_momentum_energy", lambda: dynamics.check_momentum_energy(3), TypeError,
        "answer", "3", "function"),
    Row("exercises.dynamics.check_heavy_ball_limit", lambda: dynamics.check_heavy_ball_limit(3), TypeError,
        "answer", "3", "function"),
    Row("exercises.dynamics.check_integrator", lambda: dynamics.check_integrator(3, order=1), TypeError,
        "answer", "3", "function"),
    Row("exercises.dynamics.check_integrator", lambda: dynamics.check_integrator(lambda f, p, h: p, order=0), ValueError,
        "order", "0", "at least 1"),
    Row("exercises.linearization.check_two_layer_linear_ntk", lambda: linear.check_two_layer_linear_ntk(3), TypeError,
        "answer", "3", "function"),
    Row("exercises.linearization.check_kernel_vector_product", lambda: linear.check_kernel_vector_product(3), TypeError,
        "answer", "3", "function"),
    Row("exercises.linearization.check_descent_prediction", lambda: linear.check_descent_prediction(3), TypeError,
        "answer", "3", "function"),
    Row("exercises.linear_neuron.check_ending", lambda: linear_neuron.check_ending(3), TypeError, "answer", "3", "function"),
    Row("exercises.linear_neuron.check_kernel_distance", lambda: linear_neuron.check_kernel_distance(3), TypeError, "answer", "3", "function"),
    Row("exercises.linear_neuron.check_unequal_rates", lambda: linear_neuron.check_unequal_rates(3), TypeError, "answer", "3", "function"),
    Row("exercises.linear_neuron.check_hidden_balance", lambda: linear_neuron.check_hidden_balance(3), TypeError, "answer", "3", "function"),
    Row("exercises.phase_diagram.check_knobs", lambda: phases.check_knobs((1, 2)), TypeError, "knobs", "(1, 2)", "function"),
    Row("exercises.phase_diagram.check_turning", lambda: phases.check_turning(1.0), TypeError, "velocity", "1.0", "function"),
    Row("exercises.phase_diagram.check_gate_part", lambda: phases.check_gate_part(0.5), TypeError, "gate_part", "0.5", "function"),
    Row("exercises.stability.check_portraits", lambda: stability.check_portraits(["saddle"]), ValueError,
        "answer", "1", "5 names"),
    Row("exercises.stability.check_portraits", lambda: stability.check_portraits(["sadle"] * 5), ValueError,
        "answer", "'sadle'", "did you mean 'saddle'"),
    Row("exercises.stability.check_jordan", lambda: stability.check_jordan(3), TypeError, "answer", "3", "function"),
    Row("exercises.stability.check_time_below", lambda: stability.check_time_below(3), TypeError,
        "answer", "3", "function"),
    Row("exercises.stability.check_plateau", lambda: stability.check_plateau(I2, START), ValueError,
        "y", "(2,)", "2 axes"),
    Row("exercises.teacher_student.check_relative_change", lambda: taught.check_relative_change(3), TypeError,
        "answer", "3", "function"),
    Row("exercises.teacher_student.check_two_dials", lambda: taught.check_two_dials(3), TypeError, "answer", "3", "function"),
    Row("exercises.teacher_student.check_alignment", lambda: taught.check_alignment(3), TypeError, "answer", "3", "function"),
    Row("exercises.implicit_bias.check_one_sample", lambda: fits.check_one_sample(START, START), ValueError,
        "large", "(2,)", "three coefficients"),
    Row("exercises.implicit_bias.check_any_start", lambda: fits.check_any_start(3), TypeError,
        "answer", "3", "function"),
    Row("exercises.implicit_bias.check_deep_image", lambda: fits.check_deep_image(3), TypeError,
        "answer", "3", "function"),
    # what a chapter's author writes; tests/explore/test_vocabulary.py has every mistake
    Row("explore.line", lambda: explore.line("loss", log="z"), ValueError, "log", "'z'", "one of"),
    Row("explore.bars", lambda: explore.bars(), ValueError, "keys", "()", "at least 1"),
    Row("explore.scatter", lambda: explore.scatter(1), TypeError, "key", "1", "text"),
    Row("explore.heat", lambda: explore.heat("K", limits=(1, 0)), ValueError, "limits", "(1, 0)", "increas"),
    Row("explore.phase", lambda: explore.phase("path", xlim=(0, 0), ylim=(0, 1)), ValueError, "xlim", "(0, 0)", "increas"),
    Row("explore.lattice", lambda: explore.lattice((0, 1), (0, 1), 0), ValueError, "cols", "0", "at least"),
    Row("explore.explore", lambda: explore.explore(jnp.sin, alt="A curve."), ValueError, "panels", "none", "at least one"),
    Row("javascript.compile_to_js", lambda: javascript.compile_to_js(3), TypeError, "f", "3", "function"),
    Row("javascript.compile_to_js", lambda: javascript.compile_to_js(jnp.sin, "x"), TypeError, "example_args[0]", "'x'", "number"),
    Row("curvature.hvp", lambda: curvature.hvp(3, START), TypeError, "loss", "3", "function"),
    Row("curvature.hvp", lambda: curvature.hvp(QUADRATIC, NAN), ValueError, "params0", "nan", "finite"),
    Row("curvature.hvp", lambda: curvature.hvp(QUADRATIC, START)(I2), ValueError, "vector", "(2, 2)", "(2,)"),
    Row("curvature.gauss_newton", lambda: curvature.gauss_newton(3, START, I2), TypeError, "f", "3", "function"),
    Row("curvature.gauss_newton", lambda: curvature.gauss_newton(MODEL.apply, PARAMS, NAN), ValueError, "X", "nan", "finite"),
    Row("curvature.ntk", lambda: curvature.ntk(MODEL.apply, PARAMS, [1]), TypeError, "X", "[1]", "array"),
    Row("curvature.ntk", lambda: curvature.ntk(MODEL.apply, PARAMS, I2)(I2), ValueError, "vector", "(2, 2)", "(2, 1)"),
    Row("curvature.top_eigenpairs", eigenpairs(operator=3), TypeError, "operator", "3", "function"),
    Row("curvature.top_eigenpairs", eigenpairs(operator=lambda v: v[:1]), ValueError, "operator", "(1,)", "what it takes"),
    Row("curvature.top_eigenpairs", eigenpairs(like=NAN), ValueError, "like", "nan", "finite"),
    Row("curvature.top_eigenpairs", eigenpairs(like=jnp.array([1, 2])), TypeError, "like", "int64", "floating point"),
    Row("curvature.top_eigenpairs", eigenpairs(k=0), ValueError, "k", "0", "at least 1"),
    Row("curvature.top_eigenpairs", eigenpairs(k=3), ValueError, "k", "3", "at most the dimension 2"),
    Row("curvature.top_eigenpairs", eigenpairs(key=0), TypeError, "key", "0", "PRNG key"),
    Row("curvature.top_eigenpairs", eigenpairs(tolerance=0.0), ValueError, "tolerance", "0.0", "positive"),
    Row("curvature.top_eigenpairs", eigenpairs(subspace=1), ValueError, "subspace", "1", "at least"),
    Row("curvature.top_eigenpairs", eigenpairs(max_products=0), ValueError, "max_products", "0", "at least 1"),
    Row("curvature.top_eigenpairs", eigenpairs(start=I2), ValueError, "start", "(2, 2)", "(2,)"),
    Row("curvature.sharpness", lambda: curvature.sharpness(lambda p: p, START), ValueError, "loss", "(2,)", "one real number"),
    Row("curvature.sharpness", lambda: curvature.sharpness(QUADRATIC, {}), ValueError, "params0", "{}", "at least one array"),
    Row("curvature.sharpness", lambda: curvature.sharpness(QUADRATIC, START, tolerance=-1.0), ValueError, "tolerance", "-1.0", "positive"),
    Row("curvature.follow", following(operator=3), TypeError, "operator", "3", "function"),
    Row("curvature.follow", following(pairs=START), TypeError, "pairs", "Array", "Eigenpairs"),
    Row("curvature.follow", following(also=2), ValueError, "also", "2", "less than the 2 pairs"),
    Row("curvature.follow", following(tolerance=0.0), ValueError, "tolerance", "0.0", "positive"),
    Row("curvature.follow", following(max_products=0), ValueError, "max_products", "0", "at least 1"),
    Row("curvature.descend", watched(loss=3), TypeError, "loss", "3", "function"),
    Row("curvature.descend", watched(optimizer=3), TypeError, "optimizer", "3", "optax"),
    Row("curvature.descend", watched(steps=0), ValueError, "steps", "0", "at least 1"),
    Row("curvature.descend", watched(every=3), ValueError, "steps", "4", "multiple of every"),
    Row("curvature.descend", watched(observe=3), TypeError, "observe", "3", "function"),
    Row("curvature.descend", watched(k=0), ValueError, "k", "0", "at least 1"),
    Row("curvature.descend", watched(state=(1,)), ValueError, "state", "((),)", "this optimizer"),
    Row("curvature.descend", watched(pairs=3), TypeError, "pairs", "3", "Eigenpairs"),
    # forecast
    Row("exercises.lenses.check_balance", lambda: seen_by.check_balance(3), TypeError, "answer", "3", "function"),
    Row("exercises.lenses.check_drift", lambda: seen_by.check_drift(3), TypeError, "answer", "3", "function"),
    Row("lenses.watch", lambda: lenses.watch(LENS_START, LENS_X, LENS_Y[:2], LENS_RATES, steps=2, key=jax.random.key(0)), ValueError, "X and y", "(2, 2)", "(n, c)"),
    Row("lenses.watch", lambda: lenses.watch(LENS_START, LENS_X, LENS_Y, -LENS_RATES, steps=2, key=jax.random.key(0)), ValueError, "learning_rates[0]", "-0.1", "positive"),
    Row("lenses.saddle_rate", lambda: lenses.saddle_rate(LENS_START, LENS_X[:, :2], LENS_Y), ValueError, "start", "(1, 3, 4)", "shapes"),
    Row("lenses.kernel", lambda: lenses.kernel(LENS_ONE, LENS_X[:, :2]), ValueError, "X", "(5, 2)", "4"),
    Row("lenses.tangent_end", lambda: lenses.tangent_end(LENS_ONE, LENS_X, LENS_Y, LENS_RATES, steps=0), ValueError, "steps", "0", "at least 1"),
    Row("lenses.departures", lambda: lenses.departures(LENS_SEEN, rate=jnp.ones(2)), ValueError, "rate", "(2,)", "(1,)"),
    Row("lenses.finite_time", lambda: lenses.finite_time(jnp.ones((3, 1)), 0), ValueError, "window", "0", "at least 1"),
    Row("forecast.auc", lambda: forecast.auc(SCORES[:3], ENDED), ValueError, "scores", "(3,)", "one row for each of the 4 runs"),
    Row("forecast.auc", lambda: forecast.auc(SCORES, SCORES), TypeError, "outcome", "1.", "True and False"),
    Row("forecast.auc", lambda: forecast.auc(SCORES, ENDED | True), ValueError, "outcome", "4 of 4", "runs in the class and others"),
    Row("forecast.auc", lambda: forecast.auc(np.full(4, np.nan), ENDED), ValueError, "scores", "nan", "finite"),
    Row("forecast.roc", lambda: forecast.roc(SCORES[:, None], ENDED), ValueError, "scores", "(4, 1)", "1 axes"),
    Row("forecast.auc_interval", lambda: forecast.auc_interval(SCORES, ENDED, key=3), TypeError, "key", "3", "PRNG key"),
    Row("forecast.auc_interval", lambda: forecast.auc_interval(SCORES, ENDED, key=KEY, resamples=0), ValueError, "resamples", "0", "at least 1"),
    Row("forecast.auc_interval", lambda: forecast.auc_interval(SCORES, ENDED, key=KEY, level=1.0), ValueError, "level", "1.0", "below 1"),
    Row("forecast.auc_gain", lambda: forecast.auc_gain(SCORES, SCORES[:2], ENDED, key=KEY), ValueError, "baseline", "(2,)", "one row"),
    Row("forecast.split", lambda: forecast.split(ENDED, 1.0, key=KEY), ValueError, "share", "1.0", "below 1"),
    Row("forecast.split", lambda: forecast.split(ENDED[:3], 0.5, key=KEY), ValueError, "outcome", "1 of 3", "two runs of each"),
    Row("forecast.compare", lambda: forecast.compare([SCORES], ENDED, baseline="loss", key=KEY), TypeError, "features", "[array", "dictionary"),
    Row("forecast.compare", lambda: forecast.compare({"loss": SCORES}, ENDED, baseline="lost", key=KEY), ValueError, "baseline", "'lost'", "'loss'"),
    Row("forecast.compare", lambda: forecast.compare({"loss": SCORES[:2]}, ENDED, baseline="loss", key=KEY), ValueError, "features['loss']",
        "(2,)", "one row"),
    Row("forecast.compare", lambda: forecast.compare({"loss": SCORES}, ENDED, baseline="loss", key=KEY, classifier=3), TypeError, "classifier",
        "3", "scikit-learn"),
    Row("forecast.nested", lambda: forecast.nested(SCORES, SCORES[:2], ENDED, key=KEY), ValueError, "extra", "(2,)", "one row"),
    Row("exercises.leaving_lazy.check_saved", lambda: left_lazy.check_saved(3), TypeError, "answer", "3", "function"),
    Row("exercises.leaving_lazy.check_path_length", lambda: left_lazy.check_path_length(3), TypeError, "answer", "3", "function"),
    Row("exercises.leaving_lazy.check_damped", lambda: left_lazy.check_damped(3), TypeError, "answer", "3", "function"),
    Row("exercises.deciding_early.check_order_chance", lambda: decided.check_order_chance(3), TypeError, "answer", "3", "function"),
    Row("exercises.deciding_early.check_halving", lambda: decided.check_halving(3), TypeError, "answer", "3", "function"),
    Row("exercises.deciding_early.check_break_even", lambda: decided.check_break_even(3), TypeError, "answer", "3", "function"),
    Row("exercises.failures.check_gain", lambda: wrong.check_gain(3), TypeError, "answer", "3", "function"),
    Row("exercises.failures.check_wait", lambda: wrong.check_wait(3), TypeError, "answer", "3", "function"),
    Row("exercises.failures.check_precision", lambda: wrong.check_precision(3), TypeError, "answer", "3", "function"),
    Row("exercises.failures.check_lead", lambda: wrong.check_lead(3), TypeError, "answer", "3", "function"),
    Row("exercises.forecast.check_area", lambda: told.check_area(3), TypeError, "answer", "3", "function"),
    Row("exercises.forecast.check_standard_error", lambda: told.check_standard_error(3), TypeError, "answer", "3", "function"),
    Row("exercises.forecast.check_frame", lambda: told.check_frame(3), TypeError, "answer", "3", "function"),
    Row("exercises.forecast.check_restart", lambda: told.check_restart(3), TypeError, "answer", "3", "function"),
    Row("lyapunov.spectrum", exponents(step=3), TypeError, "step", "3", "function"),
    Row("lyapunov.spectrum", exponents(step=lambda x: x[:1]), ValueError, "step", "(1,)", "derivative must be square"),
    Row("lyapunov.spectrum", exponents(start=NAN), ValueError, "start", "nan", "finite"),
    Row("lyapunov.spectrum", exponents(start=jnp.array([1, 2])), TypeError, "start", "int64", "floating point"),
    Row("lyapunov.spectrum", exponents(start={}), ValueError, "start", "{}", "at least one number"),
    Row("lyapunov.spectrum", exponents(steps=0), ValueError, "steps", "0", "at least 1"),
    Row("lyapunov.spectrum", exponents(transient=4), ValueError, "steps", "4", "more than the transient"),
    Row("lyapunov.spectrum", exponents(transient=-1), ValueError, "transient", "-1", "at least 0"),
    Row("lyapunov.spectrum", exponents(k=3), ValueError, "k", "3", "at most the dimension 2"),
    Row("lyapunov.spectrum", exponents(dt=0.0), ValueError, "dt", "0.0", "positive"),
    Row("lyapunov.spectrum", exponents(block=0), ValueError, "block", "0", "at least 1"),
    Row("lyapunov.spectrum", exponents(frame=2 * I2), ValueError, "frame", "3", "orthonormal"),
    Row("lyapunov.spectrum", exponents(frame=I2, k=1), ValueError, "frame", "(2, 2)", "1 x 2"),
    Row("lyapunov.spectrum", lambda: exponents(start=exponents(k=1)().state, k=2)(), ValueError, "start", "(1, 2)", "k = 2"),
    Row("lyapunov.spectrum", lambda: exponents(start=exponents()().state, frame=I2)(), ValueError, "frame", "given", "left out"),
    Row("lyapunov.spectrum", exponents(step=lambda x: x / 0), FloatingPointError, "orbit", "step 1 of 4", "finite"),
    Row("lyapunov.covariant_vectors", covariant(step=lambda x: x[:1]), ValueError, "step", "(1,)", "derivative must be square"),
    Row("lyapunov.covariant_vectors", covariant(steps=0), ValueError, "steps", "0", "at least 1"),
    Row("lyapunov.covariant_vectors", covariant(before=-1), ValueError, "before", "-1", "at least 0"),
    Row("lyapunov.covariant_vectors", covariant(after=1.5), TypeError, "after", "1.5", "integer"),
    Row("lyapunov.covariant_vectors", covariant(future="far"), ValueError, "future", "'far'", "one of"),
    Row("lyapunov.covariant_vectors", covariant(k=0), ValueError, "k", "0", "at least 1"),
    Row("lyapunov.covariant_vectors", covariant(dt=-1.0), ValueError, "dt", "-1.0", "positive"),
    Row("lyapunov.covariant_vectors", covariant(chunk=0), ValueError, "chunk", "0", "at least 1"),
    Row("lyapunov.covariant_vectors", covariant(observe=3), TypeError, "observe", "3", "function"),
    Row("lyapunov.covariant_vectors", lambda: covariant(start=exponents(k=1)().state, k=2)(), ValueError, "start", "(1, 2)", "k = 2"),
    Row("lyapunov.flow_map", lambda: lyapunov.flow_map(3, 0.1), TypeError, "velocity", "3", "function"),
    Row("lyapunov.flow_map", lambda: lyapunov.flow_map(SQUARE, 0.0), ValueError, "time_step", "0.0", "positive"),
    Row("lyapunov.flow_map", lambda: lyapunov.flow_map(SQUARE, 0.1, substeps=0), ValueError, "substeps", "0", "at least 1"),
    Row("lyapunov.flow_map", lambda: lyapunov.flow_map(SQUARE, 0.1, solver=3), TypeError, "solver", "3", "diffrax"),
    Row("lyapunov.descent_map", lambda: lyapunov.descent_map(3, 0.1), TypeError, "loss", "3", "function"),
    Row("lyapunov.descent_map", lambda: lyapunov.descent_map(QUADRATIC, -0.1), ValueError, "learning_rate", "-0.1", "positive"),
    Row("lyapunov.finite_time_exponents", lambda: lyapunov.finite_time_exponents(START), ValueError, "growth", "(2,)", "(t, ..., k)"),
    Row("lyapunov.finite_time_exponents", lambda: lyapunov.finite_time_exponents(NAN), ValueError, "growth", "nan", "finite"),
    Row("lyapunov.finite_time_exponents", lambda: lyapunov.finite_time_exponents(I2, window=3), ValueError, "window", "3", "at most the 2"),
    Row("lyapunov.kaplan_yorke", lambda: lyapunov.kaplan_yorke(NAN), ValueError, "exponents", "nan", "finite"),
    Row("lyapunov.kaplan_yorke", lambda: lyapunov.kaplan_yorke(jnp.zeros(0)), ValueError, "exponents", "(0,)", "at least 1"),
    Row("lyapunov.angles", lambda: lyapunov.angles(I2[:1]), ValueError, "vectors", "(1, 2)", "at least 2"),
    Row("lyapunov.tangencies", lambda: lyapunov.tangencies(I2, 3), ValueError, "below", "3", "at most pi / 2"),
    Row("lyapunov.tangencies", lambda: lyapunov.tangencies(START, 0.1), ValueError, "angles", "(2,)", "(t, ..., pairs)"),
    Row("lyapunov.network_tangent", tangent(params=PARAMS), ValueError, "params", "(3, 2)", "two layers"),
    Row("lyapunov.network_tangent", tangent(y=START), ValueError, "y", "(2,)", "2 axes"),
    Row("lyapunov.network_tangent", tangent(X=jnp.ones((2, 3))), ValueError, "params", "(2, 2)", "d = 3"),
    Row("lyapunov.network_tangent", tangent(activation="tan"), ValueError, "activation", "'tan'", "one of"),
    Row("lyapunov.network_tangent", tangent(learning_rate=0.0), ValueError, "learning_rate", "0.0", "positive"),
    Row("lyapunov.descend_networks", networks(start=SMALL), ValueError, "params", "(2, 2)", "leading axis"),
    Row("lyapunov.descend_networks", networks(X=NAN), ValueError, "X", "nan", "finite"),
    Row("lyapunov.descend_networks", networks(learning_rate=0.0), ValueError, "learning_rate", "0.0", "positive"),
    Row("lyapunov.descend_networks", networks(steps=0), ValueError, "steps", "0", "at least 1"),
    Row("lyapunov.descend_networks", networks(every=3), ValueError, "steps", "4", "multiple of every"),
    Row("lyapunov.descend_networks", networks(devices=[]), ValueError, "devices", "()", "at least one device"),
    Row("lyapunov.descend_networks", networks(chunk=0), ValueError, "chunk", "0", "at least 1"),
    Row("lyapunov.spread", lambda: lyapunov.spread(3), TypeError, "function", "3", "function"),
    Row("lyapunov.spread", lambda: lyapunov.spread(SQUARE, chunk=0), ValueError, "chunk", "0", "at least 1"),
    Row("lyapunov.spread", lambda: lyapunov.spread(SQUARE, devices=[1]), ValueError, "devices", "(1,)", "jax.devices"),
    Row("lyapunov.spread", lambda: lyapunov.spread(SQUARE)((I2, jnp.ones(3))), ValueError, "systems", "(3,)", "one leading axis"),
    Row("curvature.cumulative_alignment", lambda: curvature.cumulative_alignment(COMPLEX, ONES), TypeError, "K", "complex", "real"),
    Row("curvature.cumulative_alignment", lambda: curvature.cumulative_alignment(I2, jnp.ones((3, 1))), ValueError, "K", "2", "n = 3"),
    Row("curvature.cumulative_alignment", lambda: curvature.cumulative_alignment(I2, ONES, 3), ValueError, "k", "3", "at most the 2 rows"),
    Row("curvature.kernel_observable", lambda: curvature.kernel_observable(3, I2, ONES, 1), TypeError, "f", "3", "function"),
    Row("curvature.kernel_observable", lambda: curvature.kernel_observable(MODEL.apply, I2, ONES), ValueError, "k", "20", "at most the 2 rows"),
    Row("curvature.kernel_observable", lambda: curvature.kernel_observable(MODEL.apply, I2, jnp.ones((3, 1)), 1), ValueError, "y", "(3, 1)", "2 x any"),
    Row("central_flow.integrate", center(loss=3), TypeError, "loss", "3", "function"),
    Row("central_flow.integrate", center(params0=jnp.array([1.0, jnp.nan])), ValueError, "params0", "nan", "finite"),
    Row("central_flow.integrate", center(learning_rate=-0.1), ValueError, "learning_rate", "-0.1", "positive"),
    Row("central_flow.integrate", center(steps=0), ValueError, "steps", "0", "at least 1"),
    Row("central_flow.integrate", center(directions=2), ValueError, "directions", "2", "less than the number of parameters, 2"),
    Row("central_flow.integrate", center(substeps=1), ValueError, "substeps", "1", "at least 2"),
    Row("central_flow.integrate", center(key=3), TypeError, "key", "3", "PRNG key"),
    Row("central_flow.complementarity", lambda: central_flow.complementarity(ONES, jnp.ones((2, 2, 2, 2))), ValueError,
        "room", "(2, 1)", "square"),
    Row("central_flow.complementarity", lambda: central_flow.complementarity(I2, jnp.ones((1, 1, 1, 1))), ValueError,
        "brake", "(1, 1, 1, 1)", "(2, 2, 2, 2)"),
    Row("central_flow.complementarity", lambda: central_flow.complementarity(-I2, jnp.zeros((2, 2, 2, 2))), ValueError,
        "room", "no solution", "positive"),
    Row("edge_flow.integrate", swing(loss=3), TypeError, "loss", "3", "function"),
    Row("edge_flow.integrate", swing(learning_rate=0.0), ValueError, "learning_rate", "0.0", "positive"),
    Row("edge_flow.integrate", swing(steps=1.5), TypeError, "steps", "1.5", "integer"),
    Row("edge_flow.integrate", swing(magnitude=0.0), ValueError, "magnitude", "0.0", "positive"),
    Row("edge_flow.integrate", swing(substeps=1), ValueError, "substeps", "1", "at least 2"),
    Row("edge_flow.integrate", swing(key=3), TypeError, "key", "3", "PRNG key"),
    Row("self_stabilization.coefficients", lambda: self_stabilization.coefficients(3, START, key=KEY), TypeError, "loss", "3", "function"),
    Row("self_stabilization.coefficients", lambda: self_stabilization.coefficients(QUADRATIC, START, key=3), TypeError, "key", "3",
        "PRNG key"),
    Row("self_stabilization.orbit", two_numbers(x=0.0), ValueError, "x", "0", "not be zero"),
    Row("self_stabilization.orbit", two_numbers(y=jnp.nan), ValueError, "y", "nan", "finite"),
    Row("self_stabilization.orbit", two_numbers(steps=0), ValueError, "steps", "0", "at least 1"),
    Row("self_stabilization.orbit", two_numbers(progress=-1.0), ValueError, "progress", "-1.0", "positive"),
    Row("self_stabilization.orbit", two_numbers(feedback=0.0), ValueError, "feedback", "0.0", "positive"),
    Row("self_stabilization.orbit", two_numbers(learning_rate=0.0), ValueError, "learning_rate", "0.0", "positive"),
    Row("self_stabilization.energy", lambda: self_stabilization.energy(START, jnp.ones(3), progress=1.0, feedback=1.0), ValueError,
        "y", "(3,)", "(2,)"),
    Row("exercises.sharpness.check_limit", lambda: edges.check_limit(3), TypeError, "answer", "3", "function"),
    Row("exercises.sharpness.check_overshoot", lambda: edges.check_overshoot(3), TypeError, "answer", "3", "function"),
    Row("exercises.sharpness.check_gain", lambda: edges.check_gain(3), TypeError, "answer", "3", "function"),
    Row("exercises.sharpness.check_variance", lambda: edges.check_variance(3), TypeError, "answer", "3", "function"),
    Row("exercises.lyapunov_descent.check_tangent", lambda: downhill.check_tangent(3), TypeError, "answer", "3", "function"),
    Row("exercises.lyapunov_descent.check_pair", lambda: downhill.check_pair(3), TypeError, "answer", "3", "function"),
    Row("exercises.lyapunov_descent.check_orbit", lambda: downhill.check_orbit(3), TypeError, "answer", "3", "function"),
    Row("exercises.lyapunov_descent.check_volume", lambda: downhill.check_volume(3), TypeError, "answer", "3", "function"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def as_users_have_it(monkeypatch):
    """The tests' check of shapes, at every call, would speak before the library does; users do not have it."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    yield
    plt.close("all")


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.function}-{row.argument}-{row.given}")
def test_the_error_names_argument_value_and_need(row):
    with pytest.raises(row.error) as caught:
        row.call()
    message = str(caught.value)
    for part in (row.argument, row.given, row.need):
        assert part in message, f"{part!r} is not in: {message}"
    drawn = [artist for k in plt.get_fignums() for ax in plt.figure(k).axes for artist in (*ax.lines, *ax.collections)]
    assert not drawn, "a figure is judged before anything is drawn"


# Shapes are judged under jit, too: a traced array has a shape, and no values.
TRACED = {
    "outputs": lambda X: MODEL.apply(PARAMS, X[:, :1]),
    "parameters": lambda X: MODEL.apply((PARAMS[0], {"W": X}), X),
    "vector against column": lambda X: losses.squared_loss(MODEL.apply, X, X[:, 0]),
    "mismatched n": lambda X: losses.squared_loss(MODEL.apply, X, X[:1]),
    "mismatched outputs": lambda X: losses.squared_loss(MODEL.apply, X, X)(PARAMS),
    "accuracy": lambda X: losses.accuracy(X, X[:1]),
    "loss": lambda X: flows.gradient_flow(lambda p: p, X, TIMES),
    "times": lambda X: flows.gradient_flow(QUADRATIC, X, X),
    "times that are known": lambda X: flows.gradient_flow(QUADRATIC, X, np.array([2.0, 1.0])),
    "steps": lambda X: descent.descend(QUADRATIC, X, SGD, -1),
    "inputs of the neuron": lambda X: neuron.solve(TIMES, 1.0, X[0], X[:, :1], X[0]),
    "targets of the neuron": lambda X: neuron.ntk(1.0, X[0], X[0]),
    "state": lambda X: descent.descend(QUADRATIC, X, SGD, 1, state=X),
}


@pytest.mark.parametrize("call", TRACED.values(), ids=TRACED)
@pytest.mark.parametrize("transform", [jax.jit, lambda f: lambda X: jax.vmap(f)(X[None])], ids=["jit", "vmap"])
def test_shapes_are_judged_under_transformations(call, transform):
    with pytest.raises(ValueError, match=r"^(X|params|y|outputs|loss|times|steps|state) must "):
        transform(call)(I2)


def test_integers_are_refused_under_jit():
    with pytest.raises(TypeError, match=r"^params0 must be floating point .* int64"):
        jax.jit(lambda p: flows.gradient_flow(QUADRATIC, p, TIMES))(jnp.array([1, 2]))


def public_functions():
    """Functions without underscore, defined in a module without underscore, of the whole package."""
    for info in pkgutil.walk_packages(learndyn.__path__, "learndyn."):
        short = info.name.removeprefix("learndyn.")
        if any(part.startswith("_") for part in short.split(".")):
            continue
        module = importlib.import_module(info.name)
        if hasattr(importlib.import_module(info.name.rpartition(".")[0]), "__all__"):
            continue  # the package says what it exports
        exported = getattr(module, "__all__", ()) if info.ispkg else ()
        for name, function in vars(module).items():
            if name.startswith("_") or not callable(function) or inspect.isclass(function):
                continue
            if name in exported or getattr(function, "__module__", None) == info.name and hasattr(function, "__name__"):
                if inspect.signature(function).parameters:  # without arguments there is no bad input
                    yield f"{short}.{name}"


def test_every_public_function_has_a_row():
    assert set(public_functions()) - {row.function.split()[0] for row in TABLE} == set()


def test_every_row_is_of_a_public_function():
    assert {row.function.split()[0] for row in TABLE} - set(public_functions()) == set()
