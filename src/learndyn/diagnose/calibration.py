"""Thresholds and slopes of the rules, as `python benchmarks/diagnose.py --fit` prints them: logistic fits on 100 runs with
each failure and as many without, of seeds that no test uses."""

CALIBRATION = {
    "divergence": (0.5, 4.0),
    "exploding gradients": (1.6, 4.0),
    "vanishing gradients": (0.6, 4.0),
    "dead units": (0.3, 10.0),
    "early plateau": (0.15, 20.0),
    "loss spike": (1.0, 4.0),
    "too much noise": (-1.2, 4.0),
    "distribution mismatch": (0.3, 8.0),
    "overfitting": (0.05, 20.0),
}
