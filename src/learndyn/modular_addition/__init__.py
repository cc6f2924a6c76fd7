r"""Addition modulo p as a task for a network of quadratic neurons, seen by Fourier.

The number a is encoded by $x_a$, one vector x turned by a places, and the target of the pair (a, b) is $x_{a+b}$. A
neuron $f = w\,(u \cdot x_a + v \cdot x_b)^2$ has degree three. In the Fourier transforms
$\hat x_k = \sum_j x_j e^{-2\pi i jk/p}$ its utility falls apart into frequencies, each with a price $|\hat x_k|^3$.
"""

from learndyn.modular_addition.fourier import best_utilities, learned, plateaus, spectra, utilities
from learndyn.modular_addition.staircase import Jumps, jumps
from learndyn.modular_addition.task import data, encoding, neuron, start
from learndyn.modular_addition.team import least_unlearned, unlearned

__all__ = [
    "Jumps",
    "best_utilities",
    "data",
    "encoding",
    "jumps",
    "learned",
    "least_unlearned",
    "neuron",
    "plateaus",
    "spectra",
    "start",
    "unlearned",
    "utilities",
]
