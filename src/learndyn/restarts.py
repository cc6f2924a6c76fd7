"""Restarts: begin many runs, cut all but the most promising one early, finish that one."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from learndyn import _require as require


def chances(scores: Float[ndarray, " N"], number: int) -> Float[ndarray, " N"]:
    r"""$p_i = \big(1-\tfrac{r_i}{N}\big)^n - \big(1-\tfrac{r_i+1}{N}\big)^n$: that run i is the best of n, $r_i$ runs score lower.

    The n runs are drawn with replacement from a pool of N. The best of them is run i or a worse one if all n come from
    the $N - r_i$ runs that do not score lower than i. So the mean outcome of a rule is $\sum_i p_i\,x_i$, exactly, with no
    simulation, from one pool in which every run was finished once. Runs of equal score share their chance.

    Args:
      scores: of the N runs in the pool, at the cut; the lowest is kept.
      number: n, how many runs are begun.

    Returns:
      The chances, which add up to one. With n = 1, all are 1/N: no rule.

    Raises:
      ValueError, TypeError: for bad arguments.
    """
    require.array("scores", scores)
    scores = np.asarray(scores, float)
    if scores.ndim != 1 or not scores.size:
        raise ValueError(f"scores must be a vector of at least one score, but has shape {scores.shape}")
    require.positive_integer("number", number)
    ordered, total = np.sort(scores), scores.size
    below = np.searchsorted(ordered, scores, side="left")
    upto = np.searchsorted(ordered, scores, side="right")
    return ((1 - below / total) ** number - (1 - upto / total) ** number) / (upto - below)


def affordable(budget: float | int, *, steps: int, cut: int, price: float | int) -> int:
    r"""$n = \big\lfloor \frac{B - (T - t)}{c\,t} \big\rfloor$: how many runs can be begun, if one of them is to be finished.

    Args:
      budget: B, in evaluations of the gradient.
      steps: T, of a whole run.
      cut: t, after how many steps all runs but one are given up; at most T.
      price: c, of a step before the cut, in gradients: 1 where the loss is all that is looked at, and 1 + 2 k with k
        exponents, since a product with the Hessian costs two gradients.

    Returns:
      n; at least one.

    Raises:
      ValueError, TypeError: for bad arguments, such as a budget that is not enough for one run.
    """
    require.positive("budget", budget)
    require.positive_integer("steps", steps)
    require.positive_integer("cut", cut)
    require.positive("price", price)
    if cut > steps:
        raise ValueError(f"cut must be at most steps = {steps}, but is {cut}")
    number = int((budget - (steps - cut)) // (price * cut))
    if number < 1:
        need = price * cut + steps - cut
        raise ValueError(f"budget must be at least {need:g} gradients, what one run costs, but is {budget!r}")
    return number
