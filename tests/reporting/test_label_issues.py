"""The list and the contact sheet of label issues beside a run."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from helpers.commands import ageensemble, said
from helpers.made_up import COSTS
from helpers.made_up import experiment as made_plan
from helpers.predicted import bells
from PIL import Image, ImageDraw

from ageensemble.errors import UsageError
from ageensemble.experiments.experiment import Experiment
from ageensemble.reporting import label_issues
from ageensemble.reporting.plots.contact_sheet import _fitting
from ageensemble.splits.split import make_split, read_split


def put(folder, distribution, name="guess", parts=("oof", "test")):
    """A run of these predictions, in the order of the dataset."""
    predictions = {part: np.asarray(distribution, np.float32)[folder.split.rows(part)] for part in parts}
    return folder.put(name, name, {"kind": "import", "parts": list(parts)}, predictions, {"costs": COSTS})


def test_a_run_that_is_not_complete_or_has_no_out_of_fold_predictions_is_refused(tmp_path):
    folder = made_plan(tmp_path, np.arange(600) % 80)
    only_test = put(folder, bells(np.full(600, 40.0), 9), "late", parts=("test",))
    with pytest.raises(UsageError, match="no out-of-fold predictions"):
        label_issues.find(folder, only_test)
    broken = put(folder, bells(np.full(600, 40.0), 9), "broken")
    (broken.folder / "oof.npy").unlink()
    with pytest.raises(UsageError, match=r"damaged.*oof.npy is missing"):
        label_issues.find(folder, broken)


@pytest.fixture(scope="module")
def runs(dataset, tmp_path_factory):
    """A run on `utkface` that takes everybody for 45, more or less."""
    out = tmp_path_factory.mktemp("issues") / "runs"
    put(Experiment.create(out, dataset, make_split(dataset, 3, 0)), bells(np.full(len(dataset), 45.0), 20))
    return out


def test_the_command_writes_a_list_and_with_the_photographs_a_contact_sheet(runs, utkface, cache):
    folder = Experiment.find(runs)
    before = [(run.folder.name, run.state(3)) for run in folder.runs]
    done = ageensemble(
        "data", "label-issues", "guess", "--out", runs, "--count", 10, "--data", utkface, "--cache", cache
    )
    assert done.returncode == 0, done.stderr
    [report] = runs.glob("*/guess/report")
    table = pd.read_csv(report / "label_issues.csv")
    assert len(table) == 10
    assert set(table["item_id"]) <= set(folder.items["item_id"])
    assert table["item_id"][0] in done.stdout
    with Image.open(report / "label_issues.jpg") as sheet:
        assert sheet.size == (8 * 126 + 6, 2 * 152 + 28)  # nine, two of the ten being one; two lines below each
    assert [(run.folder.name, run.state(3)) for run in folder.runs] == before


def test_the_sheet_shows_each_photograph_once_with_its_rank_label_and_name(monkeypatch):
    photos = SimpleNamespace(pixels=np.array([[7, 7], [1, 2], [7, 7]], np.uint8))
    rows = [(1, "a/one.jpg", 20, 20), (2, "two\n.jpg", 25, 32), (2, "b/copy.jpg", 60, 60)]
    table = pd.DataFrame(rows, columns=["rank", "path", "age_min", "age_max"]).assign(median=40, low=35, high=45)
    drawn = []
    monkeypatch.setattr(
        label_issues.plots, "save_contact_sheet", lambda file, photos, *given, **more: drawn.extend(given)
    )
    label_issues._sheet("x.jpg", SimpleNamespace(title="guess"), table, photos, np.arange(3))
    assert drawn[0].tolist() == [0, 1]
    assert drawn[1] == ["1: 20 -> 40 (35-45)\none.jpg", "2: 25-32 -> 40 (35-45)\ntwo?.jpg"]


def test_names_too_long_for_a_sheet_lose_their_middle_and_strange_letters():
    draw = ImageDraw.Draw(Image.new("RGB", (9, 9)))
    assert _fitting(draw, "a.jpg", 120) == "a.jpg"
    cut = _fitting(draw, "x" * 100 + "\u4e2d123.jpg", 120)
    assert draw.textlength(cut) <= 120
    assert cut.startswith("xx")
    assert cut.endswith("?123.jpg")
    assert ".." in cut


def test_the_command_prints_json_and_draws_nothing_without_photographs(runs, tmp_path):
    done = ageensemble("data", "label-issues", "guess", "--out", runs, "--count", 2, "--json")
    rows = json.loads(done.stdout)
    assert len(rows) == 2
    assert set(rows[0]) >= {"rank", "group", "item_id", "path", "age_min", "median", "low", "high", "tail", "others"}


def test_other_photographs_than_those_of_the_run_are_refused(runs, utkface, annotated, cache, tmp_path):
    words = ["data", "label-issues", "guess", "--out", runs, "--cache", cache, "--data"]
    done = ageensemble(*words, annotated)
    assert done.returncode == 3
    assert "annotated has no usable image" in said(done)
    folder = Experiment.find(runs)
    worst = label_issues.find(folder, folder.run("guess"), 1).frame["item_id"][0]
    (tmp_path / "faces").mkdir()
    Image.new("RGB", (40, 40), "red").save(tmp_path / "faces" / worst)
    done = ageensemble(*words, tmp_path / "faces", "--count", 1)
    assert f"faces has another image {worst}; give the data that the run was made on" in said(done)


def test_a_plan_without_their_lines_leaves_suspects_out_as_the_command_says(runs, dataset, tmp_path):
    folder = Experiment.find(runs)
    worst = label_issues.find(folder, folder.run("guess"), 2).frame["item_id"].tolist()
    lines = (folder.folder / "split.csv").read_text().splitlines(keepends=True)
    (tmp_path / "split.csv").write_text("".join(line for line in lines if line.partition(",")[0] not in worst))
    _, left = read_split(tmp_path / "split.csv", dataset)
    assert sorted(left.excluded["item_id"][left.excluded["reason"] == "not in the split"]) == sorted(worst)


def test_without_a_name_the_best_run_is_asked_and_an_unknown_one_is_named(runs, tmp_path):
    assert ageensemble("data", "label-issues", "--out", runs).stdout.startswith("guess (import): the ")
    assert "no run called 'svn'" in said(ageensemble("data", "label-issues", "svn", "--out", runs))
    assert "no runs in" in said(ageensemble("data", "label-issues", "--out", tmp_path))
