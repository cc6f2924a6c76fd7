"""Rules: a symptom, the threshold above which it is a finding, and what to do then."""

from collections.abc import Callable
from typing import NamedTuple

from scipy.special import expit

from learndyn.diagnosis import symptoms
from learndyn.diagnosis.calibration import CALIBRATION
from learndyn.diagnosis.record import KEYS


class Rule(NamedTuple):
    """How one failure is told from a log."""

    name: str
    needs: tuple[str, ...]
    symptom: Callable
    advice: str
    lines: int = 5  # before the run broke, at least

    @property
    def threshold(self):
        return CALIBRATION[self.name][0]

    def confidence(self, score):
        """1 / (1 + exp(-slope (score - threshold))): how often such a run is sick where every other run is."""
        threshold, slope = CALIBRATION[self.name]
        return float(expit(slope * (score - threshold)))


RULES = {
    rule.name: rule
    for rule in (
        Rule("exploding gradients", ("layer_gradient_norm", "parameter_norm", "chance_loss"), symptoms.exploding_gradients,
             "Scale the weights at the start to keep the variance (He, Glorot), normalize, or clip the gradient.", 0),
        Rule("divergence", ("train_loss",), symptoms.divergence,
             "Lower the learning rate below 2 / sharpness, at least threefold, or warm it up.", 0),
        Rule("dead units", ("dead_fraction",), symptoms.dead_units,
             "Start biases at zero, lower the rate of the first steps, or use a leaky activation."),
        Rule("vanishing gradients", ("layer_gradient_norm",), symptoms.vanishing_gradients,
             "Scale weights and biases at the start to keep the variance, use ReLU or skip connections, or normalize."),
        Rule("early plateau", ("train_loss",), symptoms.early_plateau, "See the cause."),
        Rule("too much noise", ("validation_loss",), symptoms.too_much_noise,
             "Lower the rate towards the end, or take larger batches."),
        Rule("loss spike", ("train_loss",), symptoms.loss_spike,
             "Look at the batch of that step; clip the gradient, or lower the rate if it comes again."),
        Rule("distribution mismatch", ("validation_loss",), symptoms.distribution_mismatch,
             "Compare the preprocessing of both sets first, then where they come from."),
        Rule("overfitting", ("validation_loss",), symptoms.overfitting,
             "Keep the parameters of the lowest validation loss; then more data, augmentation, or weight decay."),
    )
}  # fmt: skip

# What a failure brings about by itself: found together, the second is told as a consequence, and a run made with the first
# is no run without the second.
CONSEQUENCES = {
    "divergence": ("loss spike", "dead units", "vanishing gradients", "too much noise", "early plateau"),
    "exploding gradients": ("divergence", "loss spike", "dead units", "vanishing gradients", "too much noise"),
    "vanishing gradients": ("early plateau",),
    "dead units": ("early plateau", "vanishing gradients"),
    "loss spike": ("divergence", "dead units"),
    "too much noise": ("loss spike", "dead units", "early plateau"),
    "early plateau": ("vanishing gradients", "dead units"),
    "distribution mismatch": ("overfitting",),
    "overfitting": (),
}


def missing(rule, record):
    """What a rule needs and the record lacks, in words."""
    return [f"{name} ({KEYS[name]})" for name in rule.needs if name not in record]
