"""Tables of the study: what the first steps tell of the end, by exponents and by the loss at the same step.

    python benchmarks/lyapunov_study_tables.py lyapunov_study.npz

One table for each combination and class: the area under the ROC curve on the half of the runs that was held out, with
95 % intervals of a stratified bootstrap. A single number keeps the sign that is right on the other half; naive Bayes is
fitted there. Exponents are numbered from the largest to the smallest of a run at that step. The QR decomposition, from
the identity, leaves them in that order only late (after 75 steps in about one run of ten, or fewer). Both orders were
looked at on the first 2048 runs of each combination before this one was chosen; the last forecast of each table takes
the other. The classes: a final loss below 4, above 100, and the lowest quarter of the combination, which always exists
(tanh networks fit their target, which two tanh neurons made: there it tells who is ahead in the last phase, no more).
A class with fewer than 20 runs in it or outside is counted and not judged. The last lines of a table are a nested
comparison by logistic regression: by how much the exponents, all nine or 5 to 8, raise the area beyond that of the
logarithm of the loss alone, and by how much they lower the log loss, in thousandths of a nat per run. Runs that diverged
count as high; where one has numbers that are not finite before it ends, it is left out of the table, which says so.
"""

import argparse

import jax
import numpy as np

from learndyn import forecast

STEPS = (1, 5, 25, 75, 250, 1000)  # 75 of 5000 is the share .015 of a run
FEWEST = 20
RESAMPLES = 400


def classes(final):
    """Name -> whether a run is in the class; a final loss that is not finite is high."""
    final = np.where(np.isfinite(final), final, np.inf)
    return {"low (< 4)": final < 4, "high (> 100)": final > 100, "lowest quarter": final <= np.quantile(final, 0.25)}


def forecasts(loss, exponents):
    """The features of one step, the baseline first."""
    ordered = decreasing(exponents)
    single = {f"exponent {i + 1}": ordered[:, i] for i in range(9)}
    return {"loss": loss, **single, "Bayes, 5-8": ordered[:, 4:8], "Bayes, all": ordered, "all, QR order": exponents}


def decreasing(exponents):
    return -np.sort(-exponents, axis=-1)


def table(results, place, inside):
    """Lines of one table: forecasts in rows, steps in columns."""
    steps = [step for step in STEPS if step < results["steps"][-1]]
    at = [results["steps"].tolist().index(step) for step in steps]
    loss, exponents = (results[name][place][:, at].astype(float) for name in ("loss", "exponents"))
    finite = np.isfinite(loss).all(axis=1) & np.isfinite(exponents).all(axis=(1, 2))
    loss, exponents, inside = loss[finite], exponents[finite], inside[finite]
    if not finite.all():
        yield f"  {np.sum(~finite)} runs left out: not finite before step {steps[-1]}"
    yield "  " + "step".ljust(14) + "".join(f"{step:<21d}" for step in steps)
    rows = {}
    for t in range(len(steps)):
        key = jax.random.key(t)
        compared = forecast.compare(
            forecasts(loss[:, t], exponents[:, t]), inside, baseline="loss", key=key, resamples=RESAMPLES
        )
        for row in compared.rows:
            rows.setdefault(row.name, []).append(short(row.auc))
        ordered = decreasing(exponents[:, t])
        for name, more in (("all", ordered), ("5-8", ordered[:, 4:8])):
            added = forecast.nested(np.log(loss[:, t]), more, inside, key=key, resamples=RESAMPLES)
            rows.setdefault(f"+ {name}: AUC", []).append(short(added.auc_gain, sign="+"))
            rows.setdefault(f"+ {name}: nats", []).append(short(added.log_loss_gain, sign="+", scale=1000, digits=1))
    nested = [name for name in rows if name.startswith("+")]
    for name in [name for name in rows if name not in nested] + nested:
        yield "  " + name.ljust(14) + "".join(cell.ljust(21) for cell in rows[name])
    yield "  fitted on {} in the class and {} not, judged by {} and {}".format(*compared.fitted, *compared.judged)


def short(interval, sign="", scale=1, digits=3):
    value, low, high = (f"{scale * number:{sign if i == 0 else ''}.{digits}f}" for i, number in enumerate(interval))
    drop = lambda text: text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text
    return f"{drop(value)} [{drop(low)}, {drop(high)}]"


def show(results):
    """All tables, and what they leave out."""
    end = results["steps"][-1]
    for i, activation in enumerate(results["activations"]):
        for j, initialization in enumerate(results["initializations"]):
            final = results["loss"][i, j][:, -1]
            quantiles = ", ".join(f"{q:.3g}" for q in np.quantile(final, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]))
            print(f"\n{activation}, {initialization}: {len(final)} runs, {np.sum(~np.isfinite(final))} diverged; "
                  f"loss after step {end} at quantiles 0, 5, 25, 50, 75, 95, 100 %: {quantiles}")  # fmt: skip
            for name, inside in classes(final).items():
                few = min(inside.sum(), np.sum(~inside))
                print(f" {name}: {inside.sum()} of {len(inside)}" + ("; not judged" if few < FEWEST else ""), flush=True)
                if few >= FEWEST:
                    print("\n".join(table(results, (i, j), inside)), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    with np.load(parser.parse_args().file) as file:
        show(dict(file))
