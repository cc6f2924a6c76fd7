r"""Linear attention that learns regression in context: $\hat y = \sum_h v_h\, (g \cdot k_h)(q_h \cdot x_q)$, $g = \sum_j y_j x_j$.

A context holds N examples $(x_j, y_j = \beta \cdot x_j)$ and a query $x_q$ whose $y_q = \beta \cdot x_q$ is asked for, with
$x \sim \mathcal N(0, \Sigma)$ and a fresh $\beta \sim \mathcal N(0, I)$ for each context. A head with a key, a query and a
value vector of rank one sees the context through one vector g alone. So it is a neuron of degree 3 on the input
$(g, x_q)$, and everything for sums of homogeneous neurons (`agf`, `vanishing`) applies.
"""

from learndyn.linear_attention.population import Sample, exact_sample, plateaus, population_loss
from learndyn.linear_attention.tasks import Contexts, contexts, head, matrix, summary
from learndyn.linear_attention.waiting import escape_time, jump_time, mode_time

__all__ = [
    "Contexts",
    "Sample",
    "contexts",
    "escape_time",
    "exact_sample",
    "head",
    "jump_time",
    "matrix",
    "mode_time",
    "plateaus",
    "population_loss",
    "summary",
]
