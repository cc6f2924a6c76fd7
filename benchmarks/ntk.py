"""Seconds and memory for the full kernel of a wide network on real images, ours against neural-tangents' own.

    python benchmarks/ntk.py            # about a minute on two cores

The kernel of all outputs, 2560 x 2560, of a 64-1024-1024-10 ReLU network on 256 of scikit-learn's digits. Each
candidate runs in a process of its own, for its peak memory. "theirs" is `nt.empirical_ntk_fn` on a network written in
the form that suits it, one product on the weights as they are stored; "ours" is `empirical_ntk` on a network written
`h @ W.T`, as in `learndyn.models`, and includes what the other leaves to its caller: the checks of the arguments and
the copy from (256, 256, 10, 10) to a matrix. Jacobians of this size do not fit (12 GB in float32), nor do vector
products: both are measured on a network that fits, at width 128 and 64 images, where the ratios are already clear.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

LIMITS = {"seconds": 5.0, "gigabytes": 4.0}
CASES = {
    "full": {"width": 1024, "images": 256, "candidates": ["ours auto", "theirs structured"]},
    "small": {
        "width": 128,
        "images": 64,
        "candidates": ["ours auto", "theirs structured", "theirs products", "theirs jacobian", "plain jacobian"],
    },
}


def measure(candidate: str, width: int, images: int, dtype: str, repeats: int) -> dict:
    """Time to a first result (compilation included), median time of the next ones, and peak memory of the process."""
    import jax
    import jax.numpy as jnp
    from sklearn.datasets import load_digits

    jax.config.update("jax_enable_x64", dtype == "float64")
    from learndyn.kernels import empirical_ntk
    from learndyn.neural_tangents import nt

    X = jnp.asarray(load_digits().data[:images] / 16, dtype)
    sizes = (64, width, width, 10)
    keys = jax.random.split(jax.random.key(0), 3)
    params = [jax.random.normal(k, (m, n), dtype) for k, m, n in zip(keys, sizes[1:], sizes[:-1])]

    def transposed(params, X):
        for layer, W in enumerate(params):
            X = (jax.nn.relu(X) if layer else X) @ W.T / W.shape[1] ** 0.5
        return X

    def direct(params, X):
        for layer, W in enumerate(params):
            X = jnp.einsum("ni,oi->no", jax.nn.relu(X) if layer else X, W) / W.shape[1] ** 0.5
        return X

    def plain(params, X):
        per_sample = jax.vmap(jax.jacrev(lambda p, x: transposed(p, x[None])[0]), (None, 0))(params, X)
        flat = [leaf.reshape(images * 10, -1) for leaf in per_sample]
        return sum(leaf @ leaf.T for leaf in flat)

    who, how = candidate.split()
    if who == "ours":
        kernel = empirical_ntk(transposed, implementation=how)
    elif who == "plain":
        kernel = jax.jit(plain)
    else:
        number = {"jacobian": 1, "products": 2, "structured": 3}[how]  # nt.NtkImplementation
        theirs = nt.empirical_ntk_fn(direct, trace_axes=(), vmap_axes=0, implementation=number)
        kernel = jax.jit(lambda params, X: theirs(X, None, params))

    def seconds() -> float:
        start = time.perf_counter()
        jax.block_until_ready(kernel(params, X))
        return time.perf_counter() - start

    first = seconds()
    later = [seconds() for _ in range(repeats)]
    trace = kernel(params, X)
    trace = jnp.trace(trace) if trace.ndim == 2 else jnp.einsum("nncc->", trace)
    unit = 1e9 if sys.platform == "darwin" else 1e6  # ru_maxrss: bytes on macOS, kilobytes on Linux
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return {"first": first, "median": statistics.median(later), "gigabytes": peak, "trace": float(trace)}


def in_own_process(**options) -> dict:
    command = [sys.executable, "-W", "ignore", __file__, "--one", json.dumps(options)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def main(repeats: int) -> int:
    missed = []
    for name, case in CASES.items():
        for dtype in ("float32", "float64"):
            print(f"\n{name}: width {case['width']}, {case['images']} images, {dtype}")
            print(f"  {'':20} {'first s':>8} {'median s':>9} {'peak GB':>8} {'of their best':>14}", flush=True)
            shape = {"width": case["width"], "images": case["images"], "dtype": dtype, "repeats": repeats}
            results = {candidate: in_own_process(candidate=candidate, **shape) for candidate in case["candidates"]}
            best = min(result["median"] for candidate, result in results.items() if candidate.startswith("theirs"))
            for candidate, r in results.items():
                ratio = r["median"] / best
                print(f"  {candidate:20} {r['first']:8.2f} {r['median']:9.4f} {r['gigabytes']:8.2f} {ratio:14.2f}")
            traces = [result["trace"] for result in results.values()]
            if max(traces) - min(traces) > 1e-4 * max(traces):
                missed.append(f"{name} {dtype}: the candidates disagree, traces {traces}")
            ours = results["ours auto"]
            if name == "full" and (ours["median"] > LIMITS["seconds"] or ours["gigabytes"] > LIMITS["gigabytes"]):
                missed.append(f"{name} {dtype}: over {LIMITS}")
    within = f"within {LIMITS['seconds']} s and {LIMITS['gigabytes']} GB; all candidates agree"
    print("\n" + ("\n".join(missed) or within))
    return 1 if missed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(**json.loads(arguments.one))))
    else:
        sys.exit(main(arguments.repeats))
