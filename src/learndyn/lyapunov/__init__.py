r"""Lyapunov exponents and covariant vectors of any differentiable map on any pytree of parameters.

An idea a module:

- `maps`: a flow over a step of fixed length, and a step of gradient descent, as maps;
- `spectrum`: Lyapunov exponents by repeated QR decomposition, with standard errors, in runs that can be interrupted;
- `finite_time`: exponents over windows of time, and the dimension of the attractor;
- `covariant`: covariant Lyapunov vectors, with the residual that proves them, in bounded memory;
- `angles`: angles between them, and tangencies;
- `network_tangent`: the derivative of a descent step of a network with one hidden layer, in closed form;
- `networks`: all exponents at every step of thousands of such networks;
- `spread`: thousands of any systems, in blocks, over several devices.
"""

from learndyn.lyapunov.angles import angles, tangencies
from learndyn.lyapunov.covariant import CovariantVectors, covariant_vectors
from learndyn.lyapunov.finite_time import finite_time_exponents, kaplan_yorke
from learndyn.lyapunov.maps import descent_map, flow_map
from learndyn.lyapunov.network_tangent import network_tangent
from learndyn.lyapunov.networks import NetworksRun, NetworksState, descend_networks
from learndyn.lyapunov.spectrum import Spectrum, State, spectrum
from learndyn.lyapunov.spread import spread

__all__ = [
    "CovariantVectors",
    "NetworksRun",
    "NetworksState",
    "Spectrum",
    "State",
    "angles",
    "covariant_vectors",
    "descend_networks",
    "descent_map",
    "finite_time_exponents",
    "flow_map",
    "kaplan_yorke",
    "network_tangent",
    "spectrum",
    "spread",
    "tangencies",
]
