r"""Alternating gradient flows: how a sum of homogeneous neurons learns when it starts at almost nothing.

Near zero a neuron waits (dormant), turns toward the direction of greatest utility, and grows; its jump time is when its
accumulated utility has made up for its small start. Then the active neurons minimize the loss among themselves, in no
time on the scale of the waiting. `staircase` alternates the two until nothing is left to gain.
"""

from learndyn.agf.neurons import loss, outputs, polar, utilities
from learndyn.agf.staircase import Staircase, staircase

__all__ = ["Staircase", "loss", "outputs", "polar", "staircase", "utilities"]
