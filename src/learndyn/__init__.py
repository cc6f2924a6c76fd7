"""How neural networks learn, as dynamical systems on their parameters.

    models  losses  datasets       what is trained, and on what
    batch_norm  teacher_student
    diagonal  vision
    linear_attention
    modular_addition
       |  loss(params)
       v
    flows  descent  ensembles      how it moves
    agf  vanishing
    stagewise  equal_loss
       |  Trajectory
       v
    kernels  linearization         what is measured or predicted
    gates  neural_tangents
    equilibria  portraits
    neuron
    symmetries  conserved
    drift  momentum
    deep_linear  greedy_low_rank
    pesme_flammarion  sectors
    curvature  central_flow
    self_stabilization  edge_flow
    lyapunov  forecast
    restarts  gradient_noise
    diagnosis  spectral_filters
    handover  lenses
       |  arrays
       v
    figures  claims  exercises     what a reader sees
    explore -> javascript          and moves

Arrows run one way. Nothing here sets global configuration: chapters and tests switch on x64 themselves.
"""


def __getattr__(name):
    """`learndyn.diagnose`: who has only a log of a loop of another kind needs to know no module."""
    if name == "diagnose":
        from learndyn.diagnosis import diagnose

        return diagnose
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
