r"""One linear neuron, $f(x) = a\,w^\top x$, under gradient flow: the smallest model that can be lazy or rich.

The parameters are a number $a$ and a vector $w$; the loss is $\frac12 \|X a w - y\|^2$, and with unit rates
$\delta = a^2 - \|w\|^2$ never changes. What follows from this, an idea a module:

- `solution`: the motion in closed form, for whitened inputs;
- `geometry`: the neuron in the space of functions $\beta = a w$: its kernel, and what its gradient is multiplied by;
- `bias`: which of many functions that fit the data it ends at.
"""

from learndyn.neuron.bias import Minimizer, implicit_bias, potential, tilt
from learndyn.neuron.geometry import from_function, imbalance, ntk, preconditioner
from learndyn.neuron.solution import Path, solve

__all__ = [
    "Minimizer",
    "Path",
    "from_function",
    "imbalance",
    "implicit_bias",
    "ntk",
    "potential",
    "preconditioner",
    "solve",
    "tilt",
]
