"""Forecasts: areas against counting pairs, intervals against a closed form, gains against what is known to add nothing."""

import jax
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score, roc_curve
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from learndyn import forecast
from learndyn.forecast import bootstrap
from learndyn.forecast.classifier import held_out_odds

KEY = jax.random.key(0)


def runs(n, shift, seed=0, share=0.3):
    """Scores of two normal classes: the area under the curve is Phi(shift / sqrt 2)."""
    rng = np.random.default_rng(seed)
    outcome = rng.random(n) < share
    return rng.standard_normal(n) + shift * outcome, outcome


@pytest.mark.parametrize("round_to", [10, 1, 0])
def test_area_and_curve_are_those_of_scikit_learn_with_ties_and_without(round_to):
    scores, outcome = runs(400, 1.0)
    scores = scores.round(round_to)
    assert forecast.auc(scores, outcome) == pytest.approx(roc_auc_score(outcome, scores), abs=1e-14)
    curve, wanted = forecast.roc(scores, outcome), roc_curve(outcome, scores, drop_intermediate=False)
    for ours, theirs in zip(curve, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_the_area_counts_pairs_and_the_curve_has_that_area():
    scores, outcome = runs(60, 0.7)
    scores = scores.round(1)
    pairs = scores[outcome][:, None] - scores[~outcome][None]
    counted = np.mean((pairs > 0) + 0.5 * (pairs == 0))
    assert forecast.auc(scores, outcome) == pytest.approx(counted, abs=1e-14)
    curve = forecast.roc(scores, outcome)
    assert np.trapezoid(curve.true_positive, curve.false_positive) == pytest.approx(counted, abs=1e-14)


def test_the_area_belongs_to_ranks_and_turns_with_sign_or_class():
    scores, outcome = runs(300, 1.0)
    area = forecast.auc(scores, outcome)
    assert forecast.auc(np.exp(scores), outcome) == area
    assert forecast.auc(-scores, outcome) == pytest.approx(1 - area)
    assert forecast.auc(scores, ~outcome) == pytest.approx(1 - area)
    many = np.stack([scores, -scores], axis=1)
    np.testing.assert_allclose(forecast.auc(many, outcome), [area, 1 - area])


def test_the_bootstrap_has_the_standard_error_of_delong():
    scores, outcome = runs(1500, 1.0)
    positive, negative = scores[outcome], scores[~outcome]
    wins = positive[:, None] > negative[None]
    variance = wins.mean(axis=1).var(ddof=1) / len(positive) + wins.mean(axis=0).var(ddof=1) / len(negative)
    interval = forecast.auc_interval(scores, outcome, key=KEY, resamples=4000)
    width = 2 * norm.ppf(0.975) * variance**0.5
    assert interval.high - interval.low == pytest.approx(width, rel=0.05)
    assert interval.low < interval.value < interval.high
    short = forecast.auc_interval(scores, outcome, key=KEY, resamples=4000, level=0.5)
    assert short.high - short.low == pytest.approx(width * norm.ppf(0.75) / norm.ppf(0.975), rel=0.06)


def test_intervals_cover_the_truth_as_often_as_they_say():
    truth = norm.cdf(1 / 2**0.5)
    inside = 0
    for seed in range(200):
        scores, outcome = runs(200, 1.0, seed=seed)
        interval = forecast.auc_interval(scores, outcome, key=jax.random.key(seed), resamples=300)
        inside += interval.low <= truth <= interval.high
    assert 180 <= inside <= 199  # 190 expected, with a standard deviation of 3


def test_a_resample_with_ties_is_the_area_of_the_runs_drawn():
    scores, outcome = runs(50, 1.0)
    scores = scores.round(0)
    counts = bootstrap.draw_counts(outcome, KEY, 20)
    assert (counts[:, outcome].sum(axis=1) == outcome.sum()).all() and (counts.sum(axis=1) == 50).all()
    drawn = bootstrap.resampled_areas(scores[:, None], outcome, counts)[:, 0]
    wanted = [roc_auc_score(np.repeat(outcome, row), np.repeat(scores, row)) for row in counts]
    np.testing.assert_allclose(drawn, wanted, atol=1e-14)
    turned = bootstrap.resampled_areas(scores[:, None], ~outcome, counts)[:, 0]  # the class is the larger part now
    np.testing.assert_allclose(turned, 1 - drawn, atol=1e-14)


def test_a_paired_gain_is_certain_of_what_two_intervals_are_not():
    scores, outcome = runs(800, 1.0)
    worse = scores + 0.6 * np.random.default_rng(5).standard_normal(800)
    gain = forecast.auc_gain(scores, worse, outcome, key=KEY)
    assert gain.value == pytest.approx(forecast.auc(scores, outcome) - forecast.auc(worse, outcome))
    assert gain.low > 0
    assert (forecast.auc_interval(scores, outcome, key=KEY).low
            < forecast.auc_interval(worse, outcome, key=KEY).high)  # fmt: skip
    same = forecast.auc_gain(scores, 3 * scores + 1, outcome, key=KEY)
    assert same == (0, 0, 0)


def test_a_split_keeps_the_balance_and_the_key_decides():
    _, outcome = runs(1000, 0.0)
    held = forecast.split(outcome, 0.25, key=KEY)
    assert held.sum() == 250
    assert abs(outcome[held].mean() - outcome.mean()) < 0.003
    assert (held == forecast.split(outcome, 0.25, key=KEY)).all()
    assert (held != forecast.split(outcome, 0.25, key=jax.random.key(1))).any()


def test_a_table_judges_by_runs_that_no_fit_has_seen():
    rng = np.random.default_rng(2)
    outcome = rng.random(400) < 0.5
    noise = rng.standard_normal((400, 100))  # many features of no use: a fit of the seen runs looks good
    known = rng.standard_normal(400) + outcome
    table = forecast.compare({"noise": noise, "loss": known, "turned": -known}, outcome, baseline="loss", key=KEY)
    assert [row.name for row in table.rows] == ["loss", "noise", "turned"]
    assert table.rows[0].gain is None and table["turned"].gain == (0, 0, 0)
    assert table["noise"].auc.low < 0.5 < table["noise"].auc.high
    assert table["noise"].gain.high < 0
    assert sum(table.fitted) + sum(table.judged) == 400
    assert table.judged[0] == pytest.approx(outcome.sum() / 2, abs=1)
    text = str(table)
    assert "(baseline)" in text and str(table["loss"].auc) in text
    assert table._repr_html_().count("<tr>") == 4


def test_what_adds_nothing_gains_nothing_and_what_adds_gains():
    rng = np.random.default_rng(3)
    base, own = rng.standard_normal((2, 3000))
    outcome = rng.random(3000) < expit(2 * base + 1.5 * own)
    copy = base + 0.1 * rng.standard_normal(3000)  # good alone, nothing new
    assert forecast.auc(copy, outcome) > 0.8
    nothing = forecast.nested(base, copy, outcome, key=KEY)
    assert abs(nothing.auc_gain.value) < 0.003 and nothing.log_loss_gain.low < 0
    something = forecast.nested(base, np.stack([copy, own], axis=1), outcome, key=KEY)
    assert something.auc_gain.low > 0.02 and something.log_loss_gain.low > 0
    held = forecast.split(outcome, 0.5, key=jax.random.split(KEY)[0])
    exact = log_loss(outcome[held], expit(2 * base + 1.5 * own)[held])
    assert something.log_loss_full == pytest.approx(exact, abs=0.01)
    assert something.log_loss_gain.value == pytest.approx(something.log_loss_base - something.log_loss_full)


def test_other_classifiers_see_what_a_line_cannot():
    rng = np.random.default_rng(4)
    base, extra = rng.standard_normal((2, 2000))
    outcome = (np.abs(extra) > 1) ^ (rng.random(2000) < 0.1)
    straight = forecast.nested(base, extra, outcome, key=KEY)
    assert straight.auc_gain.value < 0.1
    for classifier in (GaussianNB(), DecisionTreeClassifier(max_depth=6, random_state=0)):  # a tree has leaves of one class
        bent = forecast.nested(base, extra, outcome, key=KEY, classifier=classifier)
        assert bent.auc_gain.low > 0.25 and np.isfinite(bent.auc_full).all()


def test_odds_are_told_apart_where_probabilities_round_to_one():
    rng = np.random.default_rng(6)
    outcome = np.arange(200) % 2 == 0
    feature = 40.0 * outcome + rng.standard_normal(200)
    held = forecast.split(outcome, 0.5, key=KEY)
    for classifier in (GaussianNB(), LogisticRegression()):
        odds = held_out_odds(feature[:, None], outcome, held, classifier)
        assert np.isfinite(odds).all() and len(np.unique(odds)) == held.sum()
