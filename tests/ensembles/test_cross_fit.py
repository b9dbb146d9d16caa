"""Combining runs: what is written, and that no item's label takes part in its own prediction."""

import json
import shutil

import numpy as np
import pytest
from helpers.combined import ALL, add, combine, good_and_poor, mae
from helpers.predicted import bells, exact

from ageensemble import ages
from ageensemble.ensembles import Pool, Stacking, cross_fit, stacking
from ageensemble.evaluation import metrics
from ageensemble.evaluation.predictions import Predictions
from ageensemble.experiments.experiment import Experiment
from ageensemble.experiments.run import Run


@pytest.fixture
def experiment(dataset, tmp_path):
    """A split of three folds over 123 photographs, with the runs `good` and `poor`."""
    return good_and_poor(dataset, tmp_path / "runs")


# --- what is written --------------------------------------------------------------------------------------------


def test_each_method_makes_a_complete_run_that_is_better_than_its_members(experiment):
    runs = combine(experiment, ALL)
    assert [run.folder.name for run in runs] == [run.title for run in runs] == ALL
    for run in runs:
        assert run.kind == "stack"
        assert run.state(3) == ("complete", "")
        for part, rows in {"oof": experiment.split.development, "test": experiment.split.test}.items():
            predicted = run.proba(part)
            assert predicted.shape == (len(rows), ages.N_AGES)
            assert predicted.dtype == np.float32
            assert predicted.sum(1) == pytest.approx(1, abs=1e-5)
        assert mae(run, experiment) < mae(Run(experiment.folder / "poor"), experiment)
    assert mae(runs[2], experiment) < mae(runs[0], experiment)  # one member errs twice as much


def test_the_mean_is_what_anybody_can_compute(experiment):
    [run] = combine(experiment)
    [good, poor] = (Run(experiment.folder / name).proba("test").astype(float) for name in ("good", "poor"))
    by_hand = good ** (0.5 / run.metadata["members"][0]["temperature"])
    by_hand = by_hand * poor ** (0.5 / run.metadata["members"][1]["temperature"])
    by_hand = by_hand / by_hand.sum(1, keepdims=True)
    assert np.abs(run.proba("test") - by_hand).max() < 1e-4  # predictions below 1e-9 count as that


def test_the_record_says_what_was_found(experiment):
    add(experiment, "noise", 200)
    [greedy] = combine(experiment, ["greedy"])
    record = greedy.metadata
    pool = Pool.from_json(record["pool"])
    rows = [Run(experiment.folder / name).proba("test") for name in ("good", "noise", "poor")]
    assert np.array_equal(pool(rows), greedy.proba("test"))
    assert [m["weight"] for m in record["members"]] == pool.weights.tolist()
    assert [m["model"] for m in record["members"]] == list(greedy.config["members"]) == ["good", "noise", "poor"]
    assert record["items"] == record["sample"] == len(experiment.split.development)
    assert record["cross_fitted"]["mae"] == mae(greedy, experiment)
    gap, low, high = record["optimism"]["mae"]
    assert gap == pytest.approx(record["cross_fitted"]["mae"] - record["apparent"]["mae"])
    assert low <= gap <= high
    assert record["age_groups"] == "default"
    assert set(record["optimism"]) == {metric.name for metric in metrics.headline()}


def test_what_a_member_is_worth_is_what_is_lost_without_it(experiment):
    add(experiment, "noise", 200)
    [with_all] = combine(experiment, ["greedy"])
    good, noise, _ = (member["loss_without"]["mae"] for member in with_all.metadata["members"])
    assert noise[0] == pytest.approx(0, abs=0.05)
    assert good[0] > 1
    assert good[1] > 0
    chosen = [Run(experiment.folder / name) for name in ("noise", "poor")]
    [without] = combine(experiment, ["greedy"], chosen)
    assert good[0] == pytest.approx(mae(without, experiment) - mae(with_all, experiment))


def test_costs_are_those_of_the_members_together(experiment):
    [run] = combine(experiment)
    costs = run.costs(3)
    assert costs["fit_seconds"] == pytest.approx(130, abs=5)
    assert costs["images_per_second"] == pytest.approx(50)
    assert costs["peak_gb"] == 59
    assert costs["size_mb"] == 13


def test_costs_that_nobody_knows_stay_unknown(experiment):
    unknown = dict.fromkeys(("fit_seconds", "images_per_second", "peak_gb", "size_mb"))
    rows = {part: Run(experiment.folder / "good").proba(part) for part in ("oof", "test")}
    experiment.put("theirs", "theirs", {"kind": "import", "parts": ["oof", "test"]}, rows, {"costs": unknown})
    [run] = combine(experiment)
    assert json.loads((run.folder / "record.json").read_text())["costs"] == unknown
    assert all(np.isnan(value) for value in run.costs(3).values())


def test_members_without_weight_cost_nothing_to_predict_with(experiment):
    add(experiment, "noise", 200)
    [run] = combine(experiment, ["greedy"])
    used = sum(member["weight"] > 0 for member in run.metadata["members"])
    assert used < 3
    assert run.costs(3)["images_per_second"] == pytest.approx(100 / used)


# --- no label takes part in its own prediction ------------------------------------------------------------------


@pytest.mark.parametrize("fold", [0, 2])
def test_other_labels_in_a_fold_change_nothing_there_and_something_elsewhere(experiment, tmp_path, fold):
    shutil.copytree(experiment.folder, tmp_path / "copy")
    other, split = Experiment(tmp_path / "copy"), experiment.split
    changed = split.held_out(fold)
    items = other.items.copy()
    items.loc[changed, ["age_min", "age_max"]] = exact(np.random.default_rng(0).integers(0, 100, len(changed)))
    other.items = items
    inside = np.isin(split.development, changed)
    for one, two in zip(combine(experiment, ALL), combine(other, ALL), strict=True):
        before, after = one.proba("oof"), two.proba("oof")
        assert np.array_equal(before[inside], after[inside])
        assert not np.array_equal(before[~inside], after[~inside])
        assert not np.array_equal(one.proba("test"), two.proba("test"))


def test_labels_of_the_test_part_change_nothing(experiment, tmp_path):
    shutil.copytree(experiment.folder, tmp_path / "copy")
    other = Experiment(tmp_path / "copy")
    items = other.items.copy()
    items.loc[experiment.split.test, ["age_min", "age_max"]] = 7
    other.items = items
    for one, two in zip(combine(experiment, ALL), combine(other, ALL), strict=True):
        for part in ("oof", "test"):
            assert np.array_equal(one.proba(part), two.proba(part))
        assert one.metadata["cross_fitted"] == two.metadata["cross_fitted"]


def test_what_is_fitted_on_everything_looks_better_than_it_is():
    rng = np.random.default_rng(0)
    age = rng.integers(25, 90, 90)
    members = [bells(age + rng.normal(0, 9, 90), 9) for _ in range(12)]
    found = Stacking().fit([Predictions(each, age, fold=np.arange(90) % 3) for each in members])
    assert found.scores_["apparent"]["mae"] < found.scores_["cross_fitted"]["mae"]
    assert found.pool_.shrinkage in stacking.STRENGTHS


# --- many items, labels that are ranges -------------------------------------------------------------------------


def test_of_many_items_whole_clusters_are_drawn_and_all_are_pooled(experiment, monkeypatch):
    monkeypatch.setattr(cross_fit, "MOST", 100)
    [run] = combine(experiment)
    record = run.metadata
    assert 40 <= record["sample"] <= 50  # of each of two members
    assert record["items"] == len(experiment.split.development)
    assert run.proba("oof").sum(1) == pytest.approx(1, abs=1e-5)


def test_a_sample_keeps_clusters_whole_and_its_size():
    groups = np.repeat(np.arange(400), np.random.default_rng(0).integers(1, 9, 400))
    rows = cross_fit.draw_groups(groups, 300, 0)
    assert 290 < len(rows) <= 300
    outside = np.setdiff1d(np.arange(len(groups)), rows)
    assert not set(groups[rows]) & set(groups[outside])
    assert np.array_equal(rows, cross_fit.draw_groups(groups, 300, 0))
    assert not np.array_equal(rows, cross_fit.draw_groups(groups, 300, 1))
    assert np.array_equal(cross_fit.draw_groups(groups, len(groups), 0), np.arange(len(groups)))


@pytest.mark.parametrize(("width", "metrics_by_group"), [(10, True), (7, False)])
def test_labels_that_are_ranges_leave_out_years_and_cut_groups(experiment, width, metrics_by_group):
    items = experiment.items.copy()
    low = items["age_min"] // width * width
    items["age_min"], items["age_max"] = low, np.minimum(low + width - 1, ages.MAX_AGE)
    experiment.items = items
    record = combine(experiment, ["stack"])[0].metadata
    assert set(record["cross_fitted"]) == ({"accuracy", "f1_weighted"} if metrics_by_group else set())
    assert record["age_groups"] == ("decades" if metrics_by_group else None)
    assert min(member["weight"] for member in record["members"]) >= 0
