"""What several modules of this package ask of their arguments."""

from learndyn import _require as require


def weights(params):
    """The matrices of a chain of layers without biases, the first one first."""
    require.sequence("params", params)
    weights = []
    for level, layer in enumerate(params):
        if not (isinstance(layer, dict) and set(layer) == {"W"}):
            raise TypeError(f'params[{level}] must be a layer {{"W": ...}} without a bias, but is {layer!r}')
        require.matrix(f"params[{level}]['W']", layer["W"], columns=weights[-1].shape[0] if level else None)
        weights.append(layer["W"])
    if not weights:
        raise ValueError("params must hold at least one layer, but is empty")
    return weights


def layers(depth):
    """A number of layers, at least two."""
    require.positive_integer("depth", depth)
    if depth < 2:
        raise ValueError(f"depth must be at least 2, but is {depth}; one layer has no saddles")
    return depth
