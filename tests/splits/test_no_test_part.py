"""A split without a test part is as good as any everywhere: judged fold by fold, and said so."""

import csv
import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from helpers import sets
from helpers.commands import MINE, ageensemble, benchmark, experiment, said
from helpers.predicted import both_parts, exact, folder_of, guessed, guesses, run_of
from helpers.sets import FOLDS

from ageensemble import ages
from ageensemble.evaluation import calibration, conformal, leakage
from ageensemble.evaluation.age_threshold import threshold_errors
from ageensemble.evaluation.predictions import Predictions
from ageensemble.experiments.experiment import Experiment

# --- what is measured where there is no test part ---------------------------------------------------------------


def without_test(n=3000, **how):
    """A split folder of three folds and no test part, and a run on it."""
    age, distribution = guessed(n, **how)
    folder = folder_of(exact(age), np.arange(n) % FOLDS)
    return folder, run_of(distribution, folder.split, parts=("oof",))


def oof(n=3000, **how):
    """Out-of-fold predictions of three folds."""
    age, proba = guessed(n, **how)
    return Predictions(proba, age, fold=np.arange(n) % FOLDS, item_id=np.arange(n))


def test_intervals_are_judged_fold_by_fold():
    predictions = oof(shrunk=0.7)
    found = conformal.conformalize(predictions, 0.9, "0-59,60+")
    assert found.part == "oof"
    assert found.subgroups[0]["conditional"]["items"] == 3000
    for row in found.subgroups[:3]:
        assert row["conditional"]["share"] == pytest.approx(0.91, abs=0.025)
    table = conformal.interval_items(predictions, None, 0.9, "0-59,60+")
    inside = (table["low"] <= table["age_min"]) & (table["age_min"] <= table["high"])
    assert found.subgroups[0]["conditional"]["hits"] == inside.sum()
    assert set(table["part"]) == {"oof"}


def test_the_cutoff_of_a_fold_is_chosen_on_the_others():
    adult = np.where(np.arange(180) % FOLDS == 0, 0.9, 0.1)  # of minors, those of fold 0 look grown up
    p = np.zeros((180, ages.N_AGES), np.float32)
    p[:, 10], p[:, 40] = 1 - adult, adult
    strict = threshold_errors(Predictions(p, np.full(180, 10), fold=np.arange(180) % FOLDS), age=18).rules[1]
    assert strict["cutoff"] == pytest.approx(0.9)  # for photographs to come, by all of them
    found = strict["subgroups"][0]["false_adult"]
    assert (found["hits"], found["items"]) == (60, 180)  # fold 0 by a cutoff of 0.1 from the others


def test_the_temperature_of_a_fold_is_found_on_the_others():
    predictions = oof(said=10.0)
    found = calibration.measure_calibration(predictions)
    assert found.items == 3000
    assert found.after["coverage"] == pytest.approx(0.9, abs=0.03)
    age = np.where(predictions.fold == 1, 120, predictions.age_range[:, 0])
    before, after = (
        calibration.scaled(each)[1].proba for each in (predictions, replace(predictions, age_range=exact(age)))
    )
    assert np.array_equal(before[1::3], after[1::3])
    assert not np.array_equal(before[2::3], after[2::3])


def test_there_is_no_gap_to_measure():
    found = leakage.oof_test_discrepancy(oof(300), [])
    assert (found.state, found.why) == (leakage.NOT_MEASURED, "the split has no test part")


# --- every verb on such a split ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return sets.told(tmp_path_factory.mktemp("told") / "told")


@pytest.fixture(scope="module")
def runs(told, cache, tmp_path_factory):
    """Two models by the set's own folds, their stacks, a refit and its model folder; only read."""
    folder = tmp_path_factory.mktemp("folds")
    (folder / "mine.py").write_text(MINE)
    words = ["--protocol", "official", "--model", folder / "mine.py", "--model", f"{folder / 'mine.py'} sleep=0.001"]
    done = benchmark(told, folder / "runs", cache, *words)
    assert done.returncode == 0, done.stderr
    words = ["--data", told, "--out", folder / "runs", "--cache", cache, "--device", "cpu", "--protocol", "official"]
    done = ageensemble("fit", "--model", "prior", *words)
    assert done.returncode == 0, done.stderr
    return folder / "runs"


def row_of(runs, model):
    [row] = [row for row in csv.DictReader(io.StringIO(output(runs))) if row["model"] == model]
    return row


def output(runs):
    return ageensemble("results", runs, "--csv").stdout


@pytest.mark.parametrize("model", ["prior", "mine.py", "mean", "greedy", "stack"])
def test_a_row_without_a_test_part_is_scored_out_of_fold_and_blank_there(runs, model):
    row = row_of(runs, model)
    assert row["state"] == "complete"
    assert float(row["oof_mae_low"]) <= float(row["oof_mae"]) <= float(row["oof_mae_high"])
    assert {value for name, value in row.items() if name.startswith("test_")} == {""}
    assert row["gap_why"] == ("the split has no test part")


def test_the_predictions_are_those_of_the_cells_and_no_others(runs):
    made = Experiment(experiment(runs))
    [run] = [run for run in made.runs if run.name == "mine.py"]
    assert run.parts == ("oof",)
    assert not (run.folder / "test.npy").exists()
    for cell in range(FOLDS):
        held = np.load(run.fold_folder(cell) / "held_out.npy")
        assert np.array_equal(run.proba("oof")[made.split.held_out(cell)], held)


def test_the_header_names_the_protocol_and_the_want_of_a_test_part(runs):
    shown = " ".join(ageensemble("results", runs, COLUMNS="300").stdout.split())
    assert "told: 60 items; protocol official; 3 folds, no test part; split " in shown
    assert "(the set's own folds)" in shown


def test_no_gap_is_explained_or_counted_where_none_is_measured(runs):
    for more in ([], ["--markdown"]):
        shown = " ".join(ageensemble("results", runs, *more, COLUMNS="300").stdout.split())
        assert "No test part, so no out-of-fold / test discrepancy is measured." in shown
        assert "Gap" not in shown
        assert "not measured" not in shown


def test_a_refit_on_everything_says_that_nothing_is_left_to_score_it_on(runs):
    row = row_of(runs, "prior (refit)")
    assert (row["state"], row["oof_mae"], row["test_mae"], row["images_per_second"]) == ("complete", "", "", "")
    assert row["why"] == "fitted on every item, so there is nothing to score it on"
    card = (runs / "models" / "prior-refit" / "README.md").read_text()
    assert "60 images, none in the test part" in card
    assert "None: it was trained on every image" in card


def test_a_second_benchmark_finds_all_done(runs, told, cache, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    before = {f: f.stat().st_mtime_ns for f in (tmp_path / "runs").rglob("*.npy")}
    words = ["--protocol", "official", "--model", runs.parent / "mine.py", "--dry-run", "--json"]
    done = benchmark(told, tmp_path / "runs", cache, *words)
    assert [row["left"] for row in json.loads(done.stdout)["rows"]] == [0]
    assert ageensemble("stack", "--out", tmp_path / "runs").returncode == 0
    assert {f: f.stat().st_mtime_ns for f in (tmp_path / "runs").rglob("*.npy")} == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["results", "--by", "gender"], "the gender is not known of any item"),
        (["results", "--by", "group"], "out-of-fold"),
        (["results", "--calibration"], "Calibration fold by fold"),
        (["results", "--threshold", "18"], "At least 18 years old? Fold by fold"),
        (["results", "--threshold", "18"], "by a cutoff from the other folds"),
        (["results", "--markdown"], "no test part"),
        (["intervals", "stack"], "measured fold by fold"),
        (["compare", "mine.py", "stack"], "out-of-fold"),
        (["compare", "prior (refit)", "stack"], "have no predictions of the same items"),
    ],
)
def test_every_table_is_there_or_says_why_not(runs, words, expected):
    done = ageensemble(*words, "--out", runs, COLUMNS="300")
    assert "Traceback" not in done.stderr
    assert expected in " ".join((done.stdout + done.stderr).split())


def test_the_export_is_whole_and_gives_the_command(runs, tmp_path):
    done = ageensemble("results", runs, "--export", tmp_path / "out", pictures=("coverage",))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out" / "README.md").read_text()
    assert "benchmark --data told --protocol official --seed 0 --model mine.py --model" in text
    assert "measured fold by fold" in text
    assert "on the test part:" not in text


def test_a_model_folder_says_out_of_fold_scores_only(runs, tmp_path):
    done = ageensemble("models", "save", "prior", "--out", runs, "--to", tmp_path / "prior")
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "prior" / "model.json").read_text())
    assert set(content["scores"]) == {"age_groups", "oof"}
    assert content["intervals"]
    assert "none in the test part. Protocol official. Split " in (tmp_path / "prior" / "README.md").read_text()


def test_answers_from_outside_count_only_where_they_are_declared_out_of_fold(runs, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    made = Experiment(experiment(tmp_path / "runs"))
    made.items[["item_id"]].assign(age=made.y[:, 0] + 2).to_csv(tmp_path / "answers.csv", index=False)
    words = ["import", tmp_path / "answers.csv", "--name", "theirs", "--out", tmp_path / "runs", "--json"]
    assert "this split has no test part" in said(ageensemble(*words))
    done = ageensemble(*words, "--out-of-fold")
    [row] = [row for row in json.loads(done.stdout)["rows"] if row["model"] == "theirs (import)"]
    assert (row["oof_mae"], row["test_mae"]) == (2, None)


def test_a_plan_with_a_test_part_goes_on_as_before():
    folder, _ = guesses(600)
    assert (folder.split.parts, folder.split.evaluated_part) == (("oof", "test"), "test")
    oof_part, test = both_parts(n=600)
    assert conformal.conformalize(oof_part, test=test).subgroups[0]["plain"]["items"] == len(test)
    assert calibration.measure_calibration(None, test).items == len(test)
