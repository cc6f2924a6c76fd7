"""Where gradient flow of a linear network on whitened inputs can rest, and how it leaves."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from learndyn import _require as require
from learndyn.deep_linear import _arguments as arguments


def saddle(target: Float[Array, "c d"], learned: Sequence[int], *, width: int, depth: int = 2) -> PyTree:
    r"""The balanced parameters at which $W_L\cdots W_1 = \sum_{i\in A} s_i u_i v_i^\top$: a critical point for $X^\top X=I$.

    Args:
      target: $M = y^\top X = \sum_i s_i u_i v_i^\top$.
      learned: the set A, as numbers of modes from 0, the largest singular value first. Mode `learned[j]` runs through
        neuron j of each hidden layer; the other neurons are silent.
      width: of the hidden layers, at least the number of modes learned.
      depth: L, at least 2.

    Returns:
      A tuple of L layers `{"W": (out, in)}`.

    Raises:
      ValueError, TypeError: for a mode that does not exist or occurs twice, too few neurons, or a target that is no matrix.
    """
    require.matrix("target", target)
    depth = arguments.layers(depth)
    require.positive_integer("width", width)
    learned = _modes_of(learned, min(target.shape), width)
    U, s, Vt = jnp.linalg.svd(target, full_matrices=False)
    neurons = np.zeros((width, min(target.shape)))  # neuron j carries mode learned[j]; one shape for all sets A
    neurons[np.arange(len(learned)), np.array(learned, dtype=int)] = 1
    share = s[None] ** (1 / depth)
    first, last = neurons @ (share.T * Vt), (U * share) @ neurons.T
    between = (neurons * share) @ neurons.T
    return ({"W": first}, *({"W": between} for _ in range(depth - 2)), {"W": last})


def saddle_spectrum(
    singular_values: Float[Array, "k"], learned: Sequence[int], *, width: int, inputs: int, outputs: int
) -> Float[np.ndarray, "p"]:
    r"""The Hessian's eigenvalues at `saddle` of two layers, for $X^\top X = I$: what leads away, and how fast.

    Each mode i that is missing gives $\pm s_i$ for every silent neuron and $s_j \pm s_i$ for every mode j learned,
    and two learned ones $s_i + s_j$ and 0. So the index of the saddle, the number of ways down, is
    $\sum_{i\notin A}(w - |A| + |\{j\in A: s_j < s_i\}|)$.

    Args:
      singular_values: of the target, min(inputs, outputs) of them, descending, zeros included.
      learned: the set A, as for `saddle`.
      width, inputs, outputs: the sizes of the network.

    Returns:
      width (inputs + outputs) eigenvalues, ascending.

    Raises:
      ValueError, TypeError: for sizes that do not fit, or modes that do not exist.
    """
    require.array("singular_values", singular_values, ndim=1)
    for name, size in (("width", width), ("inputs", inputs), ("outputs", outputs)):
        require.positive_integer(name, size)
    s = np.asarray(singular_values, dtype=float)
    if len(s) != min(inputs, outputs):
        raise ValueError(f"singular_values must be min(inputs, outputs) = {min(inputs, outputs)} numbers, but are {len(s)}")
    inside = _modes_of(learned, len(s), width)
    missing = [i for i in range(len(s)) if i not in inside]
    rest = inputs + outputs - 2 * len(s)  # directions of input or output in which the target does nothing
    values = [sign * s[i] for i in missing for sign in (1, -1) for _ in range(width - len(inside))]
    values += [s[j] + sign * s[i] for i in missing for j in inside for sign in (1, -1)]
    values += [value for i in inside for j in inside for value in (s[i] + s[j], 0.0)]
    values += [s[j] for j in inside for _ in range(rest)] + [0.0] * (rest * (width - len(inside)))
    values += [0.0] * (2 * len(inside) * (width - len(inside)))  # a silent neuron that listens to a mode already learned
    return np.sort(values)


def _modes_of(learned, count, width):
    require.sequence("learned", learned)
    learned = list(learned)
    for place, mode in enumerate(learned):
        require.count(f"learned[{place}]", mode)
        if mode >= count or mode in learned[:place]:
            raise ValueError(f"learned must name modes from 0 to {count - 1}, each at most once, but is {learned}")
    if width < len(learned):
        raise ValueError(f"width must be at least the number of modes learned, {len(learned)}, but is {width}")
    return learned
