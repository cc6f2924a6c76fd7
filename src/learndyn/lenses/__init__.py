r"""Every lens of the book on one run: $f(x) = \sum_k a_k \max(0, w_k \cdot x)$ under $\theta \to \theta - \eta\nabla L$.

The network is the smallest for which all of them are defined: homogeneous neurons have a utility and a conserved
number, and two layers have a kernel in closed form.

- `network`: what is known of one network without a run: its kernel, the rate of its saddle, the end of its tangent model;
- `runs`: many networks descend as one computation, and each is seen through every lens at every step;
- `departures`: the step at which each lens first sees something, and exponents over windows of time.
"""

from learndyn.lenses.departures import departures, finite_time
from learndyn.lenses.network import kernel, saddle_rate, tangent_end
from learndyn.lenses.runs import Lenses, watch

__all__ = ["Lenses", "departures", "finite_time", "kernel", "saddle_rate", "tangent_end", "watch"]
