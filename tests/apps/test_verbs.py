"""The verbs that look at what a benchmark left: stack, import, compare, intervals and the other tables of results."""

import json
import shutil

import pandas as pd
import pytest
from helpers.commands import MINE, ageensemble, benchmark, experiment, said

from ageensemble import ages
from ageensemble.experiments.experiment import Experiment


@pytest.fixture(scope="module")
def compared(utkface, cache, tmp_path_factory):
    """A benchmark of the svm and a model of ours, with its stacks; only read."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "mine.py").write_text(MINE)
    words = ["--model", "svm", "--model", folder / "mine.py"]
    done = benchmark(utkface, folder / "runs", cache, *words, pictures=("weights",))
    assert done.returncode == 0, done.stderr
    return folder / "runs"


@pytest.fixture
def runs(compared, tmp_path):
    """A copy of it, to be added to."""
    shutil.copytree(compared, tmp_path / "runs")
    return tmp_path / "runs"


def rows(done):
    assert done.returncode == 0, done.stderr
    return {row["model"]: row for row in json.loads(done.stdout)["rows"]}


def test_a_benchmark_ends_with_the_stacks(compared):
    names = {run.name for run in Experiment(experiment(compared)).runs}
    assert names == {"prior", "svm", "mine.py", "mean", "greedy", "stack"}
    for name in ("mean", "greedy", "stack"):
        assert (experiment(compared) / name / "report" / "weights.png").exists()


def test_a_benchmark_of_one_model_has_nothing_to_stack(utkface, cache, tmp_path):
    done = benchmark(utkface, tmp_path, cache, "--models", "prior", "--json")
    assert list(rows(done)) == ["prior"]


def test_without_stack_a_benchmark_makes_none(compared, utkface, cache, tmp_path):
    shutil.copytree(compared, tmp_path / "runs")
    for name in ("mean", "greedy", "stack"):
        shutil.rmtree(experiment(tmp_path / "runs") / name)
    done = benchmark(utkface, tmp_path / "runs", cache, "--models", "svm", "--no-stack", "--json")
    assert "stack" not in rows(done)


def test_a_dry_run_takes_no_stack_for_a_fit(runs, utkface, cache):
    done = benchmark(utkface, runs, cache, "--models", "svm", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert [row["left"] for row in json.loads(done.stdout)["rows"]] == [0]


def test_a_model_is_saved_from_the_only_experiment_that_has_it(runs, tmp_path):
    first = experiment(runs)
    shutil.copytree(first, runs / "another-split")
    shutil.rmtree(runs / "another-split" / "mean")
    done = ageensemble("models", "save", "svm", "--out", runs, "--to", tmp_path / "svm")
    assert "holds the runs of 2 splits, name one of them with --out" in said(done)
    for _ in range(2):
        done = ageensemble("models", "save", "mean", "--out", runs, "--to", tmp_path / "mean")
        assert done.returncode == 2
        assert "is a model from a file of yours" in said(done)


def test_runs_are_compared_and_have_intervals_on_the_only_experiment_that_holds_them(runs):
    first = experiment(runs)
    shutil.copytree(first, runs / "another-split")
    shutil.rmtree(runs / "another-split" / "mean")
    for words in (["compare", "svm", "mean", "--json"], ["intervals", "mean", "--json"]):
        alone, several = (ageensemble(*words, "--out", out) for out in (first, runs))
        assert alone.returncode == 0, alone.stderr
        assert several.stdout == alone.stdout


def test_results_take_their_folder_with_or_without_out_but_once(runs):
    given, named = ageensemble("results", runs, "--csv"), ageensemble("results", "--out", runs, "--csv")
    assert named.returncode == 0, named.stderr
    assert given.stdout == named.stdout
    done = ageensemble("results", runs, "--out", runs)
    assert done.returncode == 2
    assert "the folder is given twice" in said(done)


def test_a_stack_of_chosen_members_is_a_row_of_its_own(runs):
    found = rows(
        ageensemble("stack", "--model", "svm", "--model", "mine.py", "--method", "mean", "--out", runs, "--json")
    )
    assert found["mean of mine.py, svm"]["oof_mae"] == pytest.approx(found["mean"]["oof_mae"])


def test_a_stack_is_no_member_of_a_stack(runs):
    done = ageensemble("stack", "--model", "svm", "--model", "stack", "--out", runs)
    assert (done.returncode, "cannot be a member of another" in said(done)) == (2, True)


def test_an_unknown_member_or_method_is_named_with_those_there_are(runs):
    done = ageensemble("stack", "--model", "svn", "--out", runs)
    assert "no run called 'svn'" in said(done)
    assert "svm" in said(done)
    assert "greedy" in said(ageensemble("stack", "--method", "median", "--out", runs))


def test_folders_with_several_experiments_ask_for_one_of_them(runs):
    first = experiment(runs)
    shutil.copytree(first, runs / "another-split")
    for words in (["stack"], ["compare", "svm", "mine.py"], ["intervals"]):
        done = ageensemble(*words, "--out", runs)
        assert "holds the runs of 2 splits, name one of them with --out" in said(done)
    assert ageensemble("compare", "svm", "mine.py", "--out", first).returncode == 0


def test_imported_ages_are_scored_as_they_are(runs, tmp_path):
    made = Experiment(experiment(runs))
    test = made.items.iloc[made.split.test]
    pd.DataFrame({"item_id": test["item_id"], "prediction": test["age_min"] + 3}).to_csv(
        tmp_path / "preds.csv", index=False
    )
    found = rows(ageensemble("import", tmp_path / "preds.csv", "--name", "theirs", "--out", runs, "--json"))
    assert found["theirs (import)"]["test_mae"] == 3
    assert found["theirs (import)"]["oof_mae"] is None


def test_a_comparison_is_the_difference_of_the_rows_of_the_table(compared):
    done = ageensemble("compare", "svm", "mine.py", "--out", compared, "--json")
    found = json.loads(done.stdout)["parts"]["oof"]["metrics"]["mae"]
    made = Experiment(experiment(compared))
    truth = made.y[made.split.development, 0]
    runs = {run.name: run for run in made.runs}
    mae = [abs(ages.median(runs[name].proba("oof")) - truth).mean() for name in ("svm", "mine.py")]
    assert found["difference"] == pytest.approx(mae[0] - mae[1])
    assert found["low"] <= found["difference"] <= found["high"]


def test_a_run_compared_with_itself_is_an_error(compared):
    assert "compared with itself" in said(ageensemble("compare", "svm", "svm", "--out", compared))


def test_intervals_are_written_for_every_item(compared, tmp_path):
    done = ageensemble("intervals", "svm", "--out", compared, "--items", tmp_path / "all.csv")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "all.csv")
    assert len(table) == len(Experiment(experiment(compared)).items)
    assert (table["low"] <= table["high"]).all()


@pytest.mark.parametrize("level", [0, 100, -5, "nan"])
def test_a_level_outside_of_0_to_100_is_refused(compared, level):
    assert "--level" in said(ageensemble("intervals", "svm", "--out", compared, f"--level={level}"))


def test_results_by_gender_hold_both(compared):
    done = ageensemble("results", compared, "--by", "gender", "--json")
    names = [row["name"] for row in json.loads(done.stdout)[0]["parts"]["oof"]["subgroups"]]
    assert names == ["all", "female", "male"]


@pytest.mark.parametrize("words", [["--threshold", "18"], ["--calibration"], ["--by", "group", "--markdown"]])
def test_other_tables_name_every_model(compared, words):
    done = ageensemble("results", compared, *words, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("svm", "mine.py", "stack"))


@pytest.mark.parametrize("words", [["--by", "shoe-size"], ["--threshold", "0"], ["--by", "gender", "--csv"]])
def test_a_table_that_cannot_be_is_one_line(compared, words):
    done = ageensemble("results", compared, *words)
    assert (done.returncode, len(said(done)) > 10) == (2, True)
