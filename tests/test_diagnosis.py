"""Logs whose failure is known by construction, and what must not matter."""

import csv
import html.parser

import numpy as np
import pytest
from scipy.special import expit

import learndyn
from learndyn import diagnosis
from learndyn.diagnosis import calibration
from learndyn.diagnosis.record import KEYS

LINES = 100
STEP = np.arange(0, 4 * LINES, 4)


def sound():
    """A loss that falls smoothly, a validation loss close above it, moderate gradients."""
    fall = np.exp(-np.arange(LINES) / 15)
    layers = np.ones((LINES, 3))
    return {
        "step": STEP, "train_loss": 2.3 * fall + 0.05, "validation_loss": 2.3 * fall + 0.1, "gradient_norm": 1.0 + fall,
        "parameter_norm": 10.0 + 0 * fall, "layer_gradient_norm": (1.0 + fall)[:, None] * layers / 3**0.5,
        "update_ratio": 1e-3 * layers, "dead_fraction": 0.05 * np.ones((LINES, 2)), "learning_rate": 0.1, "chance_loss": 2.3,
    }  # fmt: skip


def sick(name):
    run = sound()
    loss, held, t = run["train_loss"], run["validation_loss"], np.arange(LINES)
    if name == "divergence":
        loss[60:] = 2.3 * 3.0 ** np.arange(40)
    elif name == "loss spike":
        loss[60:62] = 1.5
    elif name == "early plateau":
        loss[:], held[:] = 2.3 - 0.001 * t, 2.3 - 0.001 * t
        run["gradient_norm"][:] = 2.0
    elif name == "overfitting":
        held[40:] += 0.02 * np.arange(60)
    elif name == "distribution mismatch":
        held[:] = 2.3 + 0.02 * t
    elif name == "exploding gradients":
        run["layer_gradient_norm"][0] = 1e4
    elif name == "vanishing gradients":
        run["layer_gradient_norm"][:, 0] = 1e-4
    elif name == "dead units":
        run["dead_fraction"][:, 1] = 0.9
    elif name == "too much noise":
        rng = np.random.default_rng(0)
        loss[:], held[:] = 1.0 + 0.2 * rng.uniform(-1, 1, (2, LINES))
        loss[0] = held[0] = 2.3
    return run


def test_a_sound_run_is_sound():
    told = diagnosis.diagnose(sound())
    assert told.findings == () and told.not_judged == {} and set(told.scores) == set(diagnosis.RULES)
    assert str(told).startswith("nothing found\njudged and not found: ")


def test_it_stands_at_the_top():
    assert learndyn.diagnose is diagnosis.diagnose
    with pytest.raises(AttributeError, match="diagnoze"):
        learndyn.diagnoze


@pytest.mark.parametrize("name", diagnosis.RULES)
def test_each_failure_is_named_first_with_evidence(name):
    told = diagnosis.diagnose(sick(name))
    first = told.findings[0]
    assert first.name == name and 0.5 < first.confidence <= 1 and first.score > first.threshold
    assert first.evidence and first.advice and name in str(told) and name in told._repr_html_()
    for other in told.findings[1:]:
        assert other.name in diagnosis.CONSEQUENCES[name], f"{other} is no consequence of {name}"


def test_the_step_is_where_it_happened():
    for name, step in {"loss spike": 240, "divergence": 396, "overfitting": 160}.items():
        (finding,) = [f for f in diagnosis.diagnose(sick(name)).findings if f.name == name]
        assert abs(finding.step - step) <= 8, finding


@pytest.mark.parametrize("name", diagnosis.RULES)
def test_units_do_not_matter(name):
    """Another unit of the loss, of the parameters, of time: the same scores."""
    run, before = sick(name), diagnosis.diagnose(sick(name)).scores
    for key in ("train_loss", "validation_loss", "chance_loss", "gradient_norm", "layer_gradient_norm"):
        run[key] = 7.0 * np.asarray(run[key])
    run["parameter_norm"] = 3.0 * run["parameter_norm"]
    for key in ("gradient_norm", "layer_gradient_norm"):
        run[key] = run[key] / 3.0
    run["step"] = 10 * run["step"] + 5
    assert diagnosis.diagnose(run).scores == pytest.approx(before, rel=1e-9, abs=1e-9)


def test_what_is_missing_is_said_and_nothing_else_changes():
    run = sick("loss spike")
    told = diagnosis.diagnose({"train_loss": run["train_loss"]})
    assert told.names == ("loss spike",)
    assert set(told.scores) == {"divergence", "early plateau", "loss spike"}
    assert set(told.not_judged) | set(told.scores) == set(diagnosis.RULES)
    assert "layer_gradient_norm" in told.not_judged["vanishing gradients"] and "chance_loss" in str(told)
    whole = diagnosis.diagnose(run).scores
    assert all(whole[name] == score for name, score in told.scores.items())


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", [0, 1, 4, 30, 99])
def test_a_run_that_breaks_is_a_finding_at_that_step(value, where):
    run = sound()
    run["train_loss"][where:] = value
    run["validation_loss"][where:] = np.nan
    told = diagnosis.diagnose(run)
    broken = [f for f in told.findings if f.name == "divergence"]
    assert broken and broken[0].step == STEP[where] and "not finite" in broken[0].evidence


def test_gradients_that_overflow_break_a_run_as_well():
    run = sound()
    run["layer_gradient_norm"][50:, 1] = np.inf
    assert diagnosis.diagnose(run).findings[0].step == STEP[50]


def test_a_pair_of_steps_and_values_is_an_array_measured_elsewhere():
    run = sick("overfitting")
    whole = diagnosis.diagnose(run)
    paired = run | {"validation_loss": (STEP, run["validation_loss"])}
    assert diagnosis.diagnose(paired) == whole
    sparse = run | {"validation_loss": (STEP[::5], run["validation_loss"][::5])}
    told = diagnosis.diagnose(sparse)
    assert told.names == ("overfitting",) and told.scores["overfitting"] == pytest.approx(whole.scores["overfitting"], rel=0.1)
    scalars = {name: list(zip(STEP.tolist(), run[name].tolist())) for name in ("train_loss", "validation_loss")}  # TensorBoard's
    assert diagnosis.diagnose({name: tuple(zip(*events)) for name, events in scalars.items()}).names == ("overfitting",)


@pytest.mark.parametrize(
    "cause, change",
    [
        ("rate too low", {}),
        ("saddle", {"gradient_norm": np.full(LINES, 0.1)}),
        ("bad start", {"dead_fraction": np.tile([0.1, 1.0], (LINES, 1))}),
        ("bad start", {"saturated_fraction": np.tile([0.1, 0.95], (LINES, 1))}),
    ],
)
def test_the_cause_of_a_plateau(cause, change):
    (finding,) = [f for f in diagnosis.diagnose(sick("early plateau") | change).findings if f.name == "early plateau"]
    assert finding.cause.startswith(cause)


def test_the_cause_of_a_spike_and_of_a_divergence():
    run = sick("loss spike")
    assert diagnosis.diagnose(run).findings[0].cause.startswith("one batch")
    rate = np.full(LINES, 0.1)
    rate[60] = 1.0
    assert diagnosis.diagnose(run | {"learning_rate": rate}).findings[0].cause == "rate raised from 0.1 to 1"
    calm = np.where(np.arange(LINES) < 60, 10.0, 500.0)  # the sharpness after the jump is no cause of it
    assert diagnosis.diagnose(run | {"sharpness": calm}).findings[0].cause.startswith("one batch")
    edge = np.where(np.arange(LINES) < 60, 30.0, 1.0)
    told = diagnosis.diagnose(run | {"sharpness": edge}).findings[0]
    assert told.cause == "learning rate times sharpness 3, above 2, at an unchanged rate" and "by a factor of 1.5" in told.advice
    assert diagnosis.diagnose(run | {"sharpness": edge, "learning_rate": rate}).findings[0].cause == "rate raised from 0.1 to 1"
    for sharpness, word in ((30.0, "3, above 2"), (10.0, "1, within")):
        told = diagnosis.diagnose(sick("divergence") | {"sharpness": np.full(LINES, sharpness)})
        assert word in told.findings[0].cause


def test_a_consequence_is_told_as_one():
    run = sick("dead units")
    run["layer_gradient_norm"][:, 0] = 1e-5
    dead, vanished = diagnosis.diagnose(run).findings
    assert dead.cause is None and vanished.cause == "likely brought about by dead units" and vanished.advice == dead.advice
    flat = {name: sick("early plateau")[name] for name in ("train_loss", "validation_loss")}
    vanished, plateau = diagnosis.diagnose(sick("vanishing gradients") | flat).findings
    assert plateau.cause == "likely brought about by vanishing gradients", "and no higher rate is advised"


def test_noise_is_listed_before_the_spikes_that_it_makes():
    run = sick("too much noise")
    run["train_loss"][70] = 4.0
    assert diagnosis.diagnose(run).names[:2] == ("too much noise", "loss spike")


@pytest.mark.parametrize("end, diverged", [(2.3, True), (1.5, True), (0.5, False)])
def test_what_comes_back_has_not_diverged(end, diverged):
    run = sound()
    run["train_loss"][40:60], run["train_loss"][60:] = 30.0, end
    assert ("divergence" in diagnosis.diagnose(run).names) == diverged


def test_the_table_can_be_read_aloud():
    class Reader(html.parser.HTMLParser):
        tags, scopes = [], []

        def handle_starttag(self, tag, attributes):
            self.tags.append(tag)
            self.scopes += [value for name, value in attributes if name == "scope"]

    run = sick("dead units")
    told = diagnosis.diagnose(run)
    text = told._replace(findings=(told.findings[0]._replace(evidence="a < b & c"),))._repr_html_()
    reader = Reader()
    reader.feed(text)
    assert reader.tags.count("caption") == 1 and reader.scopes == ["col"] * 5 + ["row"] and "a &lt; b &amp; c" in text
    assert "color" not in text, "the page's own colors, in light and dark"


def test_fit_finds_the_logistic_that_is_there():
    """Two normal densities at ±1 of variance 1: log odds 2 x, threshold 0."""
    rng = np.random.default_rng(0)
    threshold, slope = diagnosis.fit(rng.normal(1.0, 1.0, 40000), rng.normal(-1.0, 1.0, 40000))
    assert abs(threshold) < 0.1 and slope == pytest.approx(2.0, rel=0.03)


def test_fit_lies_in_the_middle_of_a_gap_with_a_finite_slope():
    threshold, slope = diagnosis.fit([3.0, 4.0, np.inf], [0.0, 1.0, -np.inf])
    assert threshold == 2.0 and 0.5 < expit(slope) < 1 and np.isfinite(slope)
    more = diagnosis.fit(np.linspace(3, 4, 300), np.linspace(0, 1, 300))
    assert more[0] == pytest.approx(2.0) and more[1] > slope, "more runs, more confidence"


def test_confidence_is_one_half_at_the_threshold_and_grows():
    for rule in diagnosis.RULES.values():
        assert rule.confidence(rule.threshold) == 0.5 and 0.5 < rule.confidence(rule.threshold + 0.1) < 1
    assert set(calibration.CALIBRATION) == set(diagnosis.RULES) == set(diagnosis.RECIPES) == set(diagnosis.CONSEQUENCES)
    assert {need for rule in diagnosis.RULES.values() for need in rule.needs} <= set(KEYS)


def test_assess_counts():
    """3 of 4 spikes found, 1 of 6 sound runs accused; runs with a failure that brings spikes about are left out."""
    made = lambda failure, record: diagnosis.Run(record, failure, "", 1.0)
    spiky, still = sick("loss spike"), sound()
    runs = [made("loss spike", spiky)] * 3 + [made("loss spike", still)] + [made("healthy", still)] * 5
    runs += [made("overfitting", spiky)] + [made("too much noise", spiky)] * 7
    score = diagnosis.assess(runs)["loss spike"]
    assert (score.sick, score.sound, score.recall, score.false_alarms) == (4, 6, 0.75, 1 / 6)
    assert score.precision == pytest.approx(0.75 / (0.75 + 1 / 6)) and score.first == 0.75
    assert score.recall_interval[0] < 0.75 < score.recall_interval[1]
    assert score.precision_interval[0] < score.precision < score.precision_interval[1]
    strict = diagnosis.assess(runs, consequences=False)["loss spike"]
    assert strict.sound == 13 and strict.false_alarms == 8 / 13
    assert str(diagnosis.assess(runs)).count("\n") == 3 and "<caption>" in diagnosis.assess(runs)._repr_html_()


def test_a_table_comes_back(tmp_path):
    run, path = sick("overfitting"), tmp_path / "log.csv"
    columns = {"step": STEP, "loss/train": run["train_loss"], "accuracy": run["train_loss"]}
    columns |= {f"update_ratio/{i}": run["update_ratio"][:, i] for i in range(3)}
    held = ["" if i % 5 else repr(float(v)) for i, v in enumerate(run["validation_loss"])]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "validation_loss"])
        writer.writerows(zip(*(map(repr, map(float, c)) for c in columns.values()), held))
    read = diagnosis.read_csv(path, columns={"loss/train": "train_loss"})
    assert set(read) == {"step", "train_loss", "update_ratio", "validation_loss"}
    np.testing.assert_array_equal(read["train_loss"], run["train_loss"])
    np.testing.assert_array_equal(read["update_ratio"], run["update_ratio"])
    np.testing.assert_array_equal(read["validation_loss"][0], STEP[::5])
    np.testing.assert_array_equal(read["validation_loss"][1], run["validation_loss"][::5])
    assert diagnosis.diagnose(read).names == ("overfitting",)


@pytest.mark.parametrize(
    "text, message",
    [
        ("train_loss\n1\nx\n", "must hold numbers, but is 'x' in line 1"),
        ("train_loss\n", "a line of names and lines of numbers"),
        ("step,train_loss\n0,1\n1,\n", "train_loss must have a number in every line"),
        ("step,train_loss,update_ratio/0,update_ratio/1\n0,1,1,1\n1,1,1,\n", "for all layers at the same steps"),
        ("step,train_loss,validation_loss,validation_loss/b\n0,1,1,1\n", "validation_loss must be one column"),
    ],
)
def test_a_table_that_is_none(tmp_path, text, message):
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        diagnosis.read_csv(tmp_path / "log.csv")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"validation_loss": np.ones(7)}, "a line for each of train_loss, 100, or be a pair"),
        ({"update_ratio": np.ones(LINES)}, r"update_ratio must have the shape \(lines, layers\)"),
        ({"dead_fraction": 2 * np.ones((LINES, 1))}, "between 0 and 1"),
        ({"train_loss": -np.ones(LINES)}, "take off a lower bound"),
        ({"step": STEP[::-1]}, "step must be finite and increase"),
        ({"validation_loss": np.where(STEP == 8, np.nan, 1.0)}, "validation_loss must be finite until the run breaks"),
        ({"validation_loss": (STEP, np.ones(3))}, "steps of validation_loss must have one number a line"),
        ({"train_loss": np.array(["a"] * LINES)}, "real numbers"),
    ],
)
def test_logs_that_contradict_themselves(change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        diagnosis.diagnose(sound() | change)
