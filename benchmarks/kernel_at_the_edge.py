"""Alignment of the final kernel against the learning rate, at a size of your choice: all rates to the same loss.

    python benchmarks/kernel_at_the_edge.py                                   # the size of the chapter, half a minute
    python benchmarks/kernel_at_the_edge.py --network cnn --width 32 --samples 256 --seeds 10
    python benchmarks/kernel_at_the_edge.py --network transformer --width 32 --samples 512 --data photographs

For each network a slow run first finds the sharpness where nothing stops it, and so the rate eta* whose edge it meets;
then every rate, in units of it, is trained from the same starts to the same loss. A line of the table is a rate: its
steps (median), final lambda over 2/eta (median and largest), KTA with its standard error over the seeds, and the share
of the targets in the first eigenvector, the first 5 and the first 20. The last line is Page's test for a trend above eta*.
Runs that do not reach the loss are counted and left out. Uses a GPU where JAX finds one.
"""

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.stats import page_trend_test

jax.config.update("jax_enable_x64", True)
from learndyn import curvature, models, vision  # noqa: E402
from learndyn.datasets import digits, photographs  # noqa: E402
from learndyn.equal_loss import train_to_loss  # noqa: E402


def network(name, width):
    if name == "mlp":
        return models.mlp((64, width, width, 1), activation="tanh", weight_scale=0.7, parametrization="standard")
    if name == "cnn":
        return vision.cnn(8, channels=(width, width))
    return vision.vision_transformer(8, patch=4, width=width, hidden=3 * width // 2)


def data(name, samples):
    if name == "photographs":
        drawn = photographs(train=samples, key=jax.random.key(2))
        return drawn.X, drawn.y
    images = digits(train=samples, key=jax.random.key(0))
    return images.X, 2.0 * (jnp.argmax(images.y, axis=1) % 2)[:, None] - 1


def observer(model, X, y):
    """Eigenvalues, cumulative alignment, and KTA of the kernel, one network after the other to save memory."""
    slope = jax.grad(lambda p, x: model.apply(p, x[None])[0, 0])

    def kernel(p, X):
        J = jax.lax.map(lambda x: ravel_pytree(slope(p, x))[0], X, batch_size=64)
        return J @ J.T

    observe = curvature.kernel_observable(model.apply, X, y, min(20, len(y)), kernel=kernel)
    return jax.jit(lambda many: jax.lax.map(observe, many))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("mlp", "cnn", "transformer"), default="mlp")
    parser.add_argument("--data", choices=("digits", "photographs"), default="digits")
    parser.add_argument("--width", type=int, help="neurons, channels, or size of a token; 48, 8, and 16 if not given")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--target", type=float, default=0.002, help="the loss at which every run ends")
    parser.add_argument("--slow", type=float, default=0.015, help="the rate of the slow run, well below eta*")
    parser.add_argument("--max-steps", type=int, default=50_000)
    parser.add_argument("--factors", type=float, nargs="+", default=[0.6, 0.85, 1.3, 1.8, 2.5, 3.5])
    options = parser.parse_args()

    width = options.width or {"mlp": 48, "cnn": 8, "transformer": 16}[options.network]
    model, (X, y) = network(options.network, width), data(options.data, options.samples)
    starts = [model.init(key=key) for key in jax.random.split(jax.random.key(1), options.seeds)]
    start = jax.tree.map(lambda *p: jnp.stack(p), *starts)
    look, n = observer(model, X, y), len(y)
    print(f"{jax.devices()[0].device_kind}, {sum(p.size for p in jax.tree.leaves(starts[0]))} parameters, n = {n}")
    print("eta/eta*  arrived  steps  lambda/(2/eta)  (largest)     KTA    +-     C_1    C_5   C_20   seconds")

    def row(rates, edge):
        began = time.perf_counter()
        end = train_to_loss(
            model.apply, X, y, start, rates, target=options.target, max_steps=options.max_steps
        )
        seen, there = look(end.params), np.asarray(end.reached)
        edge = 2 * n / seen.eigenvalues[:, 0] if edge is None else edge
        level = np.asarray(seen.eigenvalues[:, 0] / n * rates / 2)[there]
        kta = np.asarray(seen.target_alignment)
        share = np.asarray(seen.cumulative_alignment).mean(axis=0, where=there[:, None])
        if there.any():
            error = kta[there].std(ddof=1) / there.sum() ** 0.5 if there.sum() > 1 else np.nan
            print(f"{float(np.mean(rates / edge)):8.2f} {there.sum():8d} {np.median(end.steps[there]):6.0f} "
                  f"{np.median(level):15.3f} {level.max():10.3f} {kta[there].mean():7.4f} {error:6.4f} {share[0]:6.3f} "
                  f"{share[4]:6.3f} {share[-1]:6.3f} {time.perf_counter() - began:9.1f}", flush=True)  # fmt: skip
        else:
            print(f"{float(np.mean(rates / edge)):8.2f} {0:8d}   no run reached the loss", flush=True)
        return edge, np.where(there, kta, np.nan)

    edge, _ = row(jnp.full(options.seeds, options.slow), None)
    table = np.array([row(factor * edge, edge)[1] for factor in options.factors]).T
    last_below = max([i for i, factor in enumerate(options.factors) if factor < 1], default=0)
    complete = table[np.isfinite(table).all(axis=1), last_below:]
    if min(complete.shape) > 1 and complete.shape[1] > 2:
        print(f"Page's trend test above eta*, {len(complete)} seeds: p = {page_trend_test(complete).pvalue:.1e}")


if __name__ == "__main__":
    main()
