"""Precision and recall of `learndyn.diagnose` on held-out runs, and the fit of its thresholds.

    python benchmarks/diagnose.py              # about three minutes on two idle cores
    python benchmarks/diagnose.py --count 20   # a short look

Runs with each failure and as many healthy ones are produced twice, with two disjoint sets of seeds. The thresholds are
fitted on the first set and compared with those in the library; the second set is held out and tells precision and recall.
A run without a failure is a healthy one or one with another failure that does not bring this one about by itself
(`CONSEQUENCES`); a stricter table counts those, too. The benchmark fails where a shipped threshold is not the fitted one
(at the default count), or precision or recall on held-out runs is below 0.9.
"""

import argparse
import sys
import time

import jax
import numpy as np

from learndyn import diagnose
from learndyn.diagnose.calibration import CALIBRATION

LEAST = 0.9


def produce(seed, count):
    keys = jax.random.split(jax.random.key(seed), 1 + len(diagnose.RECIPES))
    return [run for key, failure in zip(keys, ("healthy", *diagnose.RECIPES))
            for run in diagnose.generate(failure, count, key=key, progress=True)]  # fmt: skip


def refit(runs):
    """The calibration that these runs give."""
    scores = [(run.failure, diagnose.diagnose(run.record).scores) for run in runs]
    fitted = {}
    for name in diagnose.RULES:
        sick = [found.get(name, -np.inf) for failure, found in scores if failure == name]
        sound = [found.get(name, -np.inf) for failure, found in scores
                 if failure != name and name not in diagnose.CONSEQUENCES.get(failure, ())]  # fmt: skip
        fitted[name] = tuple(float(f"{number:.3g}") for number in diagnose.fit(sick, sound))
    return fitted


def causes(runs):
    """Share of the runs with a plateau or a spike, found, whose cause is the one that was produced."""
    known = {"rate too low": "rate too low", "saddle": "saddle", "bad start": "bad start",
             "a damaged batch": "one batch", "three steps too long": "rate raised"}  # fmt: skip
    for cause, said in known.items():
        mine = [run for run in runs if run.cause == cause]
        told = [f.cause for run in mine for f in diagnose.diagnose(run.record).findings if f.name == run.failure]
        yield cause, len(mine), len(told), np.mean([(text or "").startswith(said) for text in told]) if told else np.nan


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="runs of each kind, twice")
    options = parser.parse_args()
    begin = time.monotonic()
    training, held_out = produce(1, options.count), produce(2, options.count)
    print(f"{len(training)} runs for the thresholds and {len(held_out)} held out, {time.monotonic() - begin:.0f} s\n")

    fitted = refit(training)
    print("threshold and slope, fitted (in the library)")
    for name, numbers in fitted.items():
        print(f'    "{name}": {numbers},'.ljust(50) + f"# {CALIBRATION[name]}")

    found, healthy = diagnose.assess(held_out), [run for run in held_out if run.failure == "healthy"]
    print(f"\nheld-out runs, precision where as many are sick as sound\n{found}")
    print(f"\nthe same, with consequences counted as false alarms\n{diagnose.assess(held_out, consequences=False)}")
    alarms = [bool(diagnose.diagnose(run.record).findings) for run in healthy]
    print(f"\nhealthy runs with any finding: {sum(alarms)} of {len(alarms)}")
    print("\ncause, runs, of them found, of those the cause right")
    for cause, number, told, right in causes(held_out):
        print(f"    {cause:22s} {number:4d} {told:4d}   {right:.2f}")

    low = [name for name, s in found.items() if min(s.recall, s.precision) < LEAST]
    stale = [name for name in fitted if fitted[name] != CALIBRATION[name]] if options.count == 100 else []
    for names, what in ((low, f"precision or recall below {LEAST}"), (stale, "the threshold in the library is not the fitted one")):
        if names:
            print(f"\nFAILED: {what}: {', '.join(names)}")
    print(f"\n{time.monotonic() - begin:.0f} s")
    sys.exit(bool(low or stale))


if __name__ == "__main__":
    main()
