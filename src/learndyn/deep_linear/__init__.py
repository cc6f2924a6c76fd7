r"""Linear networks of any depth, $f(x) = W_L \cdots W_1 x$: their modes in closed form, and their saddles.

Parameters are a tuple of layers `{"W": (out, in)}`, as of `models.mlp(widths, activation="linear",
parametrization="standard")`. An idea a module:

- `network`: what such a network is, and all that a squared loss knows of its data, whitened or not;
- `motion`: for inputs that are whitened, $X^\top X = I$, the motion of a single mode at any depth;
- `saddles`: for the same inputs, where the flow can rest, and how many ways lead down from there.
"""

from learndyn.deep_linear.motion import effective_starts, mode_time, modes
from learndyn.deep_linear.network import Statistics, cost, end_to_end, initialize, statistics
from learndyn.deep_linear.saddles import saddle, saddle_spectrum

__all__ = [
    "Statistics",
    "cost",
    "effective_starts",
    "end_to_end",
    "initialize",
    "mode_time",
    "modes",
    "saddle",
    "saddle_spectrum",
    "statistics",
]
