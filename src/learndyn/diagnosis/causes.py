"""What brought a failure about: each takes a `Record` and a line, and returns a cause and advice, or None where nothing tells."""

import numpy as np

# Per cent by which the loss changes when the parameters change by one per cent: well below one near a saddle, where every
# factor of a product is small; above one in a sound start. Between the causes of the failures made on purpose.
SADDLE = 0.8
SHUT = 0.8  # share of the units of a layer


def of_plateau(run, line):
    """A bad start, a saddle, or a rate that is too low."""
    for name, what in (("dead_fraction", "dead"), ("saturated_fraction", "saturated")):
        if name in run:
            shares = np.median(run.whole(name)[:5], axis=0)
            if shares.max() > SHUT:
                where = f"{shares.max():.0%} of hidden layer {int(np.argmax(shares)) + 1} {what} from the start"
                return f"bad start: {where}", "Draw weights and biases again, at a scale that keeps the units in range."
    if "gradient_norm" in run and "parameter_norm" in run:
        gradient, size, loss = (run.whole(name)[:5] for name in ("gradient_norm", "parameter_norm", "train_loss"))
        stretch = float(np.median(gradient * size / np.maximum(loss, 1e-300)))
        if stretch < SADDLE:
            return (f"saddle: parameters changed by 1 % move the loss by {stretch:.2g} %",
                    "Start from larger weights; a larger rate or momentum shortens the wait.")  # fmt: skip
        return (f"rate too low: parameters changed by 1 % would move the loss by {stretch:.2g} %",
                "Raise the rate tenfold, up to 2 / sharpness.")  # fmt: skip
    return None


def of_spike(run, line):
    """A rate that was raised, a sharpness that came up to it (where it was recorded), or else one bad batch."""
    if "learning_rate" not in run:
        return None
    rate, before = run.whole("learning_rate"), max(0, line - 10)
    usual = float(np.median(rate[before:line]))
    if (raised := float(rate[max(0, line - 1) : line + 1].max())) > 1.5 * usual:
        return f"rate raised from {usual:.2g} to {raised:.2g}", "Take the jump out of the schedule."
    if "sharpness" in run:
        product = usual * float(run.whole("sharpness")[max(0, line - 1)])  # measured before the jump, which changes it
        if product > 2:
            cause, advice = _beyond_the_edge(product)
            return f"{cause}, at an unchanged rate", advice
    return "one batch, at an unchanged rate", "Look at the data of that step; clip the gradient."


def of_divergence(run, line):
    """A rate above the edge, where the sharpness was recorded."""
    if "sharpness" not in run or "learning_rate" not in run or not run.end:
        return None
    product = float((run.whole("sharpness") * run.whole("learning_rate"))[: max(line, 1)].max())
    if product <= 2:
        return f"learning rate times sharpness {product:.2g}, within the bound of 2", "Look at the data of that step."
    return _beyond_the_edge(product)


def _beyond_the_edge(product):
    return f"learning rate times sharpness {product:.2g}, above 2", f"Lower the rate by a factor of {product / 2:.1f} or more."


CAUSES = {"early plateau": of_plateau, "loss spike": of_spike, "divergence": of_divergence}
