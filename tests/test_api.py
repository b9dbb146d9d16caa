"""What a notebook sees of the package gives the numbers of the command line, and says nothing unasked."""

import json
import logging
import subprocess
import sys

import pytest
from helpers.commands import ageensemble, benchmark
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ageensemble as ae
from ageensemble.errors import UsageError

COSTS = {"fit_seconds", "images_per_second", "peak_gb", "size_mb"}


def test_the_package_lists_its_public_names_and_has_them():
    assert {"benchmark", "load_dataset", "make_split", "load_model", "Predictions", "models"} <= {*dir(ae)}
    for name in ("Dataset", "Split", "Experiment", "Run", "Predictions", "benchmark", "models", "features"):
        assert getattr(ae, name) is not None
    with pytest.raises(AttributeError, match="bench"):
        _ = ae.bench


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, ageensemble; print({'numpy', 'pandas', 'torch', 'sklearn', 'rich', 'typer'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture(scope="module")
def study(dataset, cache, tmp_path_factory):
    """The experiment of a short script, what it said, and how far it told to be."""
    told = []
    split = ae.make_split(dataset, n_folds=3, random_state=0)
    out, resources = tmp_path_factory.mktemp("api") / "runs", ae.Resources(cache, 2, "cpu")
    progress = lambda *now: told.append(now)  # noqa: E731
    experiment = ae.benchmark(dataset, ["prior", "knn"], split, out, resources=resources, on_progress=progress)
    return experiment, told


def rows(out):
    [table] = json.loads(ageensemble("results", out, "--json").stdout)
    return [{key: value for key, value in row.items() if key not in COSTS} for row in table["rows"]]


def test_a_script_gives_the_numbers_of_the_command_line(study, utkface, cache, tmp_path):
    assert benchmark(utkface, tmp_path / "runs", cache, "--models", "prior,knn").returncode == 0
    assert rows(study[0].folder) == rows(tmp_path / "runs")
    expected = {row["model"]: row["oof_mae"] for row in rows(tmp_path / "runs")}
    assert study[0].leaderboard().set_index("model")["oof_mae"].to_dict() == expected


def test_progress_goes_to_the_callback(study):
    assert ("fitting", 6, 6) in study[1]


def test_runs_are_found_by_name_and_give_predictions(study, dataset):
    experiment = study[0]
    found = experiment["knn"].predictions("oof")
    assert isinstance(found, ae.Predictions)
    assert len(found) == len(experiment.split.development)
    with pytest.raises(UsageError, match="no run called 'cnn'"):
        _ = experiment["cnn"]


def test_an_estimator_is_the_model_of_its_name(study, dataset, cache, capsys, caplog):
    experiment = study[0]
    before = {run.folder.name for run in experiment.runs}
    with caplog.at_level(logging.INFO, "ageensemble"):
        again = ae.benchmark(
            dataset,
            [ae.models.KNN()],
            experiment.split,
            experiment.folder.parent,
            resources=ae.Resources(cache, 2, "cpu"),
        )
    assert {run.folder.name for run in again.runs} == before
    assert capsys.readouterr() == ("", "")
    assert "runs: " in caplog.text


def test_any_estimator_of_scikit_learn_is_a_model(study, dataset, cache):
    experiment, resources = study[0], ae.Resources(cache, 2, "cpu")
    model = make_pipeline(StandardScaler(), Ridge(alpha=100.0))
    again = ae.benchmark(dataset, [model], experiment.split, experiment.folder.parent, resources=resources)
    [run] = [run for run in again.runs if "Ridge" in run.title]
    assert run.predictions("oof").proba.shape == (len(experiment.split.development), 121)


@pytest.mark.parametrize("model", [object(), 3])
def test_what_is_no_model_is_refused(model, dataset):
    with pytest.raises(UsageError):
        ae.benchmark(dataset, [model])


def test_a_wrong_model_is_known_before_any_data_are_read():
    with pytest.raises(UsageError, match="did you mean 'svm'"):
        ae.benchmark("/nowhere", ["svn"])


@pytest.mark.parametrize("kind", ["the split", "its file", "a path of images"])
def test_data_and_split_may_be_records_or_files(kind, study, dataset, utkface, cache):
    experiment = study[0]
    split = experiment.split if kind == "the split" else experiment.folder / "split.csv"
    data = utkface if kind == "a path of images" else dataset
    resources = ae.Resources(cache, 2, "cpu")
    again = ae.benchmark(data, "prior", split, experiment.folder.parent, resources=resources)
    assert again.folder == experiment.folder


def test_a_split_of_other_items_is_refused(study, dataset):
    with pytest.raises(UsageError, match="items, the dataset has"):
        ae.benchmark(dataset.take(range(50)), "prior", study[0].split)
