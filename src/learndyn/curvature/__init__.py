r"""Curvature: Hessians as operators, their largest eigenvalues, and how both move along a run.

An idea a module:

- `operators`: products with the Hessian, the Gauss-Newton matrix and the neural tangent kernel, none of them formed;
- `lanczos`: the largest eigenvalues of any such operator, with residuals, and the sharpness;
- `tracking`: the sharpness at every step of a descent, from the eigenvectors of the step before;
- `alignment`: how much of the targets lies in the first eigenvectors of a kernel, along a run.
"""

from learndyn.curvature.alignment import KernelState, cumulative_alignment, kernel_observable
from learndyn.curvature.lanczos import Eigenpairs, sharpness, top_eigenpairs
from learndyn.curvature.operators import gauss_newton, hvp, ntk
from learndyn.curvature.tracking import Run, descend, follow

__all__ = [
    "Eigenpairs",
    "KernelState",
    "Run",
    "cumulative_alignment",
    "descend",
    "follow",
    "gauss_newton",
    "hvp",
    "kernel_observable",
    "ntk",
    "sharpness",
    "top_eigenpairs",
]
