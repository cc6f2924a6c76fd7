"""What `network` and `runs` ask of their arguments."""

from learndyn import _require as require


def positive_rates(learning_rates):
    require.array("learning_rates", learning_rates, ndim=1)
    for i, rate in enumerate(learning_rates.tolist()):
        require.positive(f"learning_rates[{i}]", rate)


def matrices(start, X, y, count=None):
    """W (E, m, d) and A (E, c, m) of all networks, after a check of all shapes; E is `count` where that is given."""
    require.finite("start", start)
    require.finite("X", X)
    require.finite("y", y)
    if not (isinstance(start, tuple) and len(start) == 2 and all(set(layer) == {"W"} for layer in start)):
        raise ValueError('start must be two layers without biases, ({"W": (E, m, d)}, {"W": (E, c, m)})')
    W, A = (layer["W"] for layer in start)
    count = count or W.shape[0]
    if X.ndim not in (2, 3) or y.ndim != X.ndim or y.shape[:-1] != X.shape[:-1] or X.shape[:-2] not in ((), (count,)):
        raise ValueError(f"X and y must be (n, d) and (n, c), or with {count} in front, but are {X.shape} and {y.shape}")
    neurons = W.shape[1] if W.ndim == 3 else -1
    wanted = (count, neurons, X.shape[-1]), (count, y.shape[-1], neurons)
    if (W.shape, A.shape) != wanted:
        raise ValueError(f"start must have the shapes {wanted} of {count} networks, but has {(W.shape, A.shape)}")
    return W, A
