"""Metrics against scikit-learn, and against numbers worked out by hand."""

import json
import warnings

import numpy as np
import pytest
from helpers import made_up
from helpers.commands import ageensemble
from sklearn import metrics as oracle

from ageensemble import ages
from ageensemble.errors import UsageError
from ageensemble.evaluation import metrics
from ageensemble.evaluation.bootstrap import estimates
from ageensemble.evaluation.comparison import compare
from ageensemble.evaluation.leaderboard import leaderboard
from ageensemble.evaluation.metrics import METRICS, Metric
from ageensemble.evaluation.predictions import Predictions
from ageensemble.evaluation.subgroups import evaluate


@pytest.fixture(autouse=True)
def _warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def certain(*years):
    """Distributions that are sure of a year."""
    return np.eye(ages.N_AGES)[list(years)]


def exact(*years):
    return np.array(years, int)


def score(proba, age_range, age_groups=ages.DEFAULT_AGE_GROUPS):
    return metrics.score(Predictions(proba, age_range), age_groups=age_groups)


def of_groups(proba, label):
    """Metrics of group probabilities `(n, G)`, each group being a single year."""
    g = proba.shape[1]
    whole = np.zeros((len(proba), ages.N_AGES))
    whole[:, :g] = proba
    return score(whole, label, ages.parse_age_groups(",".join(map(str, range(g)))))


def test_metrics_in_years_by_hand():
    found = score(certain(20, 30, 46, 55), exact(20, 33, 40, 60), ages.AGE_GROUPS["decades"])
    assert found["mae"] == pytest.approx((0 + 3 + 6 + 5) / 4)
    assert found["bias"] == pytest.approx((0 - 3 + 6 - 5) / 4)
    assert found["rmse"] == pytest.approx(np.sqrt((0 + 9 + 36 + 25) / 4))
    assert found["cs5"] == 0.75
    assert found["macro_mae"] == pytest.approx((0 + 3 + 6 + 5) / 4)
    assert found["accuracy"] == 0.75
    assert found["one_off"] == 1


def test_the_macro_average_counts_every_group_alike():
    found = score(certain(20, 20, 20, 50), exact(20, 21, 22, 60), ages.AGE_GROUPS["decades"])
    assert found["macro_mae"] == pytest.approx((1 + 10) / 2)
    assert found["mae"] == pytest.approx(13 / 4)


def test_absolute_errors_use_the_median_and_squared_ones_the_mean():
    d = 0.6 * certain(20) + 0.4 * certain(50)
    found = score(d, exact(20), ages.DEFAULT_AGE_GROUPS)
    assert found["mae"] == 0
    assert found["rmse"] == pytest.approx(12)


def test_years_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    age = rng.integers(0, 100, 200)
    d = rng.dirichlet(np.full(ages.N_AGES, 0.1), 200)
    found = score(d, exact(*age), ages.DEFAULT_AGE_GROUPS)
    assert found["r2"] == pytest.approx(oracle.r2_score(age, ages.mean(d)))
    assert found["mae"] == pytest.approx(oracle.mean_absolute_error(age, ages.median(d)))
    assert found["rmse"] == pytest.approx(oracle.root_mean_squared_error(age, ages.mean(d)))


@pytest.mark.parametrize(("g", "n"), [(2, 50), (5, 300), (14, 30), (14, 2000)])
def test_groups_agree_with_scikit_learn(g, n):
    rng = np.random.default_rng(g * n)
    for _ in range(5):
        p = rng.dirichlet(np.ones(g), n)
        label = np.minimum(rng.integers(0, g, n), rng.integers(1, g + 1))  # some groups have no true item
        answer = p.argmax(1)
        found = of_groups(p, label)
        for kind in ("weighted", "macro"):
            expected = oracle.precision_recall_fscore_support(label, answer, average=kind, zero_division=0)
            assert [found[f"{m}_{kind}"] for m in ("precision", "recall", "f1")] == pytest.approx(expected[:3])
        assert found["accuracy"] == pytest.approx(oracle.accuracy_score(label, answer))
        seen = np.bincount(label, minlength=g) > 0
        recall = oracle.recall_score(label, answer, average=None, labels=range(g), zero_division=0)
        assert found["balanced_accuracy"] == pytest.approx(recall[seen].mean())
        assert found["kappa"] == pytest.approx(
            oracle.cohen_kappa_score(label, answer, weights="quadratic", labels=range(g))
        )
        assert found["log_loss"] == pytest.approx(oracle.log_loss(label, p, labels=range(g)))
        assert found["one_off"] == pytest.approx((np.abs(label - answer) <= 1).mean())


def test_balanced_accuracy_is_that_of_scikit_learn():
    label, answer = np.array([0, 0, 0, 2, 2]), np.array([0, 0, 2, 2, 0])
    found = of_groups(np.eye(4)[answer], label)
    assert found["balanced_accuracy"] == pytest.approx(oracle.balanced_accuracy_score(label, answer))


def test_metrics_by_group_of_a_confusion_matrix_by_hand():
    found = of_groups(np.eye(2)[[0, 0, 1, 1]], np.array([0, 0, 0, 1]))  # [[2, 1], [0, 1]]
    assert found["accuracy"] == 0.75
    assert found["precision_weighted"] == pytest.approx(0.75 * 1 + 0.25 * 0.5)
    assert found["recall_macro"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["f1_weighted"] == pytest.approx(0.75 * 0.8 + 0.25 * 2 / 3)
    assert found["f1_macro"] == pytest.approx((0.8 + 2 / 3) / 2)


def test_the_crps_of_a_certain_prediction_is_the_absolute_error():
    for predicted, age in [(20, 20), (20, 25), (70, 3), (0, 120)]:
        assert score(certain(predicted), exact(age))["crps"] == pytest.approx(abs(predicted - age))


def test_the_crps_by_hand_and_by_its_other_formula():
    d = 0.5 * certain(20) + 0.5 * certain(22)
    assert score(d, exact(20))["crps"] == pytest.approx(0.5**2 + 0.5**2)
    rng = np.random.default_rng(0)
    d, age, years = rng.dirichlet(np.ones(ages.N_AGES), 5), rng.integers(0, 121, 5), np.arange(ages.N_AGES)
    apart = np.abs(years[:, None] - years)
    energy = [p @ np.abs(years - a) - 0.5 * p @ apart @ p for p, a in zip(d, age, strict=True)]
    assert score(d, age)["crps"] == pytest.approx(np.mean(energy))


def test_calibration_error_by_hand():
    p = np.array([[0.95, 0.05], [0.95, 0.05], [0.55, 0.45], [0.55, 0.45]])
    assert of_groups(p, np.array([0, 1, 0, 0]))["calibration_error"] == pytest.approx((2 * 0.45 + 2 * 0.45) / 4)
    assert of_groups(np.eye(2), np.array([0, 1]))["calibration_error"] == 0


def test_ranges_of_years_have_metrics_by_group_alone():
    found = score(certain(28, 5), np.array([[25, 32], [60, 120]]), ages.AGE_GROUPS["adience"])
    assert found["accuracy"] == 0.5
    assert all(np.isnan(found[name]) for name in ("mae", "macro_mae", "rmse", "r2", "cs5", "bias", "crps"))


def test_items_outside_the_groups_are_left_out_of_the_metrics_by_group():
    found = score(certain(20, 40, 5), exact(20, 20, 90), ages.parse_age_groups("18-29,30-49"))
    assert found["accuracy"] == 0.5
    assert found["mae"] == pytest.approx((0 + 20 + 85) / 3)
    assert found["macro_mae"] == 10


def test_no_item_inside_any_group_leaves_the_metrics_by_group_blank():
    found = score(certain(20), exact(90), ages.parse_age_groups("18-29"))
    assert found["mae"] == 70
    assert all(np.isnan(found[name]) for name in ("accuracy", "f1_weighted", "kappa", "log_loss", "macro_mae"))


@pytest.mark.parametrize("n", [1, 4])
def test_one_group_only_gives_numbers_or_nan(n):
    found = score(certain(*[30] * n), exact(*[30] * n), ages.DEFAULT_AGE_GROUPS)
    assert (found["mae"], found["accuracy"], found["f1_weighted"], found["f1_macro"], found["log_loss"]) == (
        0,
        1,
        1,
        1,
        0,
    )
    assert np.isnan(found["r2"])  # nothing varies
    assert np.isnan(found["kappa"])  # nor is there chance to compare with


def test_a_prediction_certain_and_wrong_has_a_finite_log_loss():
    assert score(certain(80), exact(5), ages.DEFAULT_AGE_GROUPS)["log_loss"] == pytest.approx(-np.log(1e-12))


def test_no_item_at_all_gives_blanks():
    found = score(np.empty((0, ages.N_AGES)), np.empty((0, 2), int), ages.DEFAULT_AGE_GROUPS)
    assert list(found) == METRICS.names()
    assert all(np.isnan(value) for value in found.values())


# --- one entry is all that a metric needs -----------------------------------------------------------------------


@pytest.fixture
def cs3():
    """The cumulative score at 3 years, registered for one test."""
    metric = METRICS.register(Metric("cs3", "CS@3", lambda sample: np.abs(sample.error) <= 3))
    yield metric
    del METRICS._registered["cs3"]


def test_new_metric_is_scored_compared_cut_and_tabled(cs3):
    age = np.repeat([20, 40], 100)
    gender = {"gender": np.repeat(["f", "m"], 100)}
    near = Predictions(np.eye(ages.N_AGES)[age + 3], age, attributes=gender, name="near")
    half = Predictions(np.eye(ages.N_AGES)[age + np.repeat([3, 4], 100)], age, attributes=gender, name="half")
    assert metrics.score(half)["cs3"] == 0.5
    by_gender = evaluate(half, by="gender").frame.query("metric == 'cs3'").set_index("subgroup")["value"]
    assert by_gender.to_dict() == {"all": 0.5, "f": 1, "m": 0}
    assert compare(near, half).metrics["cs3"]["difference"] == 0.5
    board = leaderboard([near, half])
    assert board.frame.loc["half", "oof_cs3_vs_best"] == -0.5
    assert board.frame.loc["half", "oof_cs3_low"] < 0.5 < board.frame.loc["half", "oof_cs3_high"]
    assert "OOF CS@3" in board.table().markdown()
    assert "CS@3" in compare(near, half).table().markdown()
    assert '"cs3"' in repr(compare(near, half).to_dict()).replace("'", '"')


@pytest.fixture
def own_file(tmp_path):
    """A metric in a file of one's own, the share of ages that were predicted too old."""
    file = tmp_path / "mine.py"
    file.write_text(
        "from ageensemble.evaluation.metrics import Metric\n"
        "over = Metric('over', 'too old', lambda sample: sample.error > 0, lower_is_better=True)\n"
    )
    yield str(file)
    METRICS._registered.pop("over", None)


def test_metric_from_a_file_is_in_the_verbs_of_the_command_line(own_file, tmp_path):
    age = np.arange(20, 80)
    folder = made_up.experiment(tmp_path / "runs", age, gender=np.where(age % 2, "f", "m"))
    for name, error in (("one", age % 2), ("two", np.ones(60, int))):
        made_up.put(folder, name, age + error)
    words = ["--out", folder.folder, "--metric", own_file, "--json"]
    [table] = json.loads(ageensemble("results", *words).stdout)
    assert table["rows"][0]["oof_over"] == (folder.y[folder.split.development, 0] % 2).mean()
    assert "oof_over_vs_best_low" in table["rows"][0]
    parts = json.loads(ageensemble("compare", "one", "two", *words).stdout)["parts"]
    assert parts["test"]["metrics"]["over"]["b"] == 1
    [found] = json.loads(ageensemble("results", "--by", "gender", *words).stdout)
    assert found["metric"] == "over"
    assert [value["value"] for value in found["parts"]["oof"]["runs"][0]["values"][1:]] == [1, 0]


def test_metric_from_a_file_is_found_by_its_path(own_file):
    [metric] = metrics.select([own_file])
    assert metrics.score(Predictions(certain(21, 30), [20, 30]), [metric]) == {"over": 0.5}
    with pytest.raises(UsageError, match="did you mean 'mae'"):
        metrics.select(["mea"])


@pytest.mark.parametrize("name", METRICS.names())
def test_bootstrap_value_of_each_metric_is_its_score(name):
    rng = np.random.default_rng(0)
    given = Predictions(rng.dirichlet(np.full(ages.N_AGES, 0.05), 200), rng.integers(0, 90, 200))
    [found] = estimates([given], metrics.select([name]), ages.AGE_GROUPS["adience"], replicates=3)
    assert found[name].value == pytest.approx(score(given.proba, given.age_range, ages.AGE_GROUPS["adience"])[name])
    assert np.isfinite(found[name].draws).all()


@pytest.mark.parametrize("metric", metrics.select(), ids=lambda metric: metric.name)
def test_resample_is_scored_as_if_its_items_were_all(metric):
    rng = np.random.default_rng(1)
    given = Predictions(rng.dirichlet(np.full(ages.N_AGES, 0.05), 90), rng.integers(0, 90, 90), np.arange(90) // 3)
    [found] = estimates([given], [metric], ages.DEFAULT_AGE_GROUPS, replicates=2)
    drawn = np.random.default_rng(0)
    for replicate in range(2):
        rows = np.concatenate([np.flatnonzero(given.groups == c) for c in drawn.integers(0, 30, 30)])
        expected = metrics.score(given[rows], [metric])[metric.name]
        assert found[metric.name].draws[replicate] == pytest.approx(expected)
