"""Suspects: labels that a run contradicts come first, with what is known of them, and nothing is removed."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from helpers.commands import ageensemble, said
from helpers.made_up import COSTS
from helpers.made_up import experiment as made_plan
from helpers.predicted import bells, exact
from PIL import Image, ImageDraw

from ageensemble import ages
from ageensemble.errors import UsageError
from ageensemble.evaluation import label_issues
from ageensemble.experiments.experiment import Experiment
from ageensemble.reporting.plots.contact_sheet import _fitting
from ageensemble.splits.split import TEST, make_split, read_split

N = 600


def put(folder, distribution, name="guess", parts=("oof", "test")):
    """A run of these predictions, in the order of the dataset."""
    predictions = {part: np.asarray(distribution, np.float32)[folder.split.rows(part)] for part in parts}
    return folder.put(name, name, {"kind": "import", "parts": list(parts)}, predictions, {"costs": COSTS})


@pytest.fixture(scope="module")
def flipped(tmp_path_factory):
    """600 items, 30 of them labeled 30 years off, and a run that errs by 3: (folder, run, ids of these in folds)."""
    rng = np.random.default_rng(0)
    true = rng.integers(5, 80, N)
    y, wrong = true.copy(), rng.choice(N, 30, replace=False)
    y[wrong] = np.where(true[wrong] < 42, true[wrong] + 30, true[wrong] - 30)
    folder = made_plan(tmp_path_factory.mktemp("flipped"), y)
    run = put(folder, bells(true + rng.normal(0, 3, N), 3))
    names = set(folder.items["item_id"].iloc[wrong])
    return folder, run, {name for name in names if name in set(folder.items["item_id"].iloc[folder.split.development])}


def test_flipped_labels_rank_first(flipped):
    folder, run, wrong = flipped
    found = label_issues.find(folder, run, len(wrong))
    assert len(wrong) > 15
    assert set(found["item_id"]) == wrong
    assert found["years"].between(15, 45).all()
    assert (found["tail"] == np.float64(ages.FLOOR_MIX)).all()


def test_the_test_part_is_not_looked_at(flipped):
    folder, run, _ = flipped
    found = label_issues.find(folder, run, N)
    assert set(found["item_id"]) == set(folder.items["item_id"].iloc[folder.split.development])


def test_each_suspect_says_what_is_labeled_and_what_was_predicted(tmp_path):
    y = np.full(N, 50)
    folder = made_plan(tmp_path, y)
    row = folder.split.development[7]
    predicted = np.eye(ages.N_AGES)[y]
    predicted[row] = 0
    predicted[row, [20, 21, 50, 51]] = 0.03, 0.95, 0.01, 0.01
    run = put(folder, predicted)
    first = label_issues.find(folder, run, 1).iloc[0]
    assert (first["item_id"], first["age_min"], first["age_max"]) == (f"{row:06}.jpg", 50, 50)
    assert (first["median"], first["low"], first["high"]) == (21, 21, 21)
    assert first["tail"] == pytest.approx(
        2 * (0.01 / 2 + 0.01), abs=1e-6
    )  # half of its own year, all beyond, two sides
    assert (first["years"], first["rank"], first["others"]) == (29, 1, "")


def test_a_label_counts_as_far_out_by_the_distribution_and_not_by_years(tmp_path):
    y = np.full(N, 50)
    folder = made_plan(tmp_path, y)
    unsure, sure = folder.split.development[:2]
    center, spread = np.full(N, 50.0), np.full(N, 5.0)
    center[unsure], spread[unsure] = 30, 20  # 20 years off, as one such prediction may well be
    center[sure], spread[sure] = 42, 2  # 8 years off, four times what it allows for
    found = label_issues.find(folder, put(folder, bells(center, spread)), 2)
    assert found["item_id"].tolist() == [f"{sure:06}.jpg", f"{unsure:06}.jpg"]


def test_tails_below_what_a_prediction_can_say_are_ordered_by_years():
    p = bells([20, 20, 20], 1)
    tail, years = label_issues.contradicted(p, exact([60, 40, 20]))
    assert tail.tolist() == pytest.approx([ages.FLOOR_MIX, ages.FLOOR_MIX, 1], abs=1e-6)
    assert years.tolist() == [40, 20, 0]


def test_a_labeled_range_counts_as_its_likeliest_end():
    p = bells([30, 30, 30, 30], 3)
    tail, years = label_issues.contradicted(p, np.array([[25, 32], [38, 43], [38, 38], [0, 2]]))
    assert years.tolist() == [0, 8, 8, 28]
    assert tail[0] > 0.9
    assert tail[1] == tail[2] > tail[3]


def test_suspects_of_one_cluster_stand_together_at_the_place_of_the_worst(tmp_path):
    groups = np.arange(N)
    groups[:9], groups[9:18] = 0, 9  # two people, of whom at most one is in the test part
    folder = made_plan(tmp_path, np.full(N, 50), groups)
    one = 0 if folder.split.fold[0] != TEST else 9
    other = folder.split.development[-1]
    center = np.full(N, 50.0)
    center[[one, one + 1, other]] = 90, 62, 20
    found = label_issues.find(folder, put(folder, bells(center, 4)), 3)
    assert found["item_id"].tolist() == [f"{row:06}.jpg" for row in (one, one + 1, other)]
    assert found["rank"].tolist() == [1, 1, 2]
    assert found["group"].tolist() == [one, one, other]
    assert found["others"].tolist() == [", ".join(["50"] * 8), ", ".join(["50"] * 8), ""]


def test_the_labels_of_a_large_cluster_are_cut_short(tmp_path):
    groups = np.arange(N)
    groups[: N // 2] = groups[0]
    folder = made_plan(tmp_path, np.tile([30, 35], (N, 1)), groups)
    rows = pd.DataFrame({"item_id": ["000000.jpg"], "group": [0]})
    assert label_issues._others(rows, folder.items) == [", ".join(["30-35"] * 10) + ", and 289 more"]


def test_a_run_that_is_not_complete_or_has_no_out_of_fold_predictions_is_refused(flipped, tmp_path):
    folder = made_plan(tmp_path, np.arange(N) % 80)
    only_test = put(folder, bells(np.full(N, 40.0), 9), "late", parts=("test",))
    with pytest.raises(
        UsageError, match=r"late \(import\) has no out-of-fold predictions, by which suspects are found"
    ):
        label_issues.find(folder, only_test)
    broken = put(folder, bells(np.full(N, 40.0), 9), "broken")
    (broken.folder / "oof.npy").unlink()
    with pytest.raises(UsageError, match=r"broken \(import\) is damaged and shows no suspects: oof.npy is missing"):
        label_issues.find(folder, broken)


def test_the_lines_show_the_first_and_say_that_nothing_was_removed(flipped):
    folder, run, _ = flipped
    table = label_issues.find(folder, run, 30).assign(item_id="odd\x1b[31m\nname.jpg", others="31, 60")
    lines = list(label_issues.lines(table, folder, run, most=2))
    of = len(folder.split.development)
    assert lines[0] == f"guess (import): the 30 labels of {of} items that its out-of-fold predictions contradict most"
    assert len(lines) == 6
    assert lines[2].endswith("odd?[31m?name.jpg (others in its group: 31, 60)")
    assert "Nothing was removed" in lines[-1]
    assert "split.csv and give it to benchmark with --split" in lines[-1]


# --- with photographs -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(dataset, tmp_path_factory):
    """A run on `utkface` that takes everybody for 45, more or less."""
    out = tmp_path_factory.mktemp("suspects") / "runs"
    put(Experiment.create(out, dataset, make_split(dataset, 3, 0)), bells(np.full(len(dataset), 45.0), 20))
    return out


def test_the_command_writes_a_list_and_with_the_photographs_a_contact_sheet(runs, utkface, cache):
    folder = Experiment.find(runs)
    before = [(run.folder.name, run.state(3)) for run in folder.runs]
    done = ageensemble("data", "suspects", "guess", "--out", runs, "--count", 10, "--data", utkface, "--cache", cache)
    assert done.returncode == 0, done.stderr
    [report] = runs.glob("*/guess/report")
    table = pd.read_csv(report / "suspects.csv")
    assert len(table) == 10
    assert set(table["item_id"]) <= set(folder.items["item_id"])
    assert table["item_id"][0] in done.stdout
    with Image.open(report / "suspects.jpg") as sheet:
        assert sheet.size == (8 * 126 + 6, 2 * 152 + 28)  # nine, two of the ten being one; two lines below each
    assert [(run.folder.name, run.state(3)) for run in folder.runs] == before


def test_the_sheet_shows_each_photograph_once_with_its_rank_label_and_name(monkeypatch):
    photos = SimpleNamespace(pixels=np.array([[7, 7], [1, 2], [7, 7]], np.uint8))
    rows = [(1, "a/one.jpg", 20, 20), (2, "two\n.jpg", 25, 32), (2, "b/copy.jpg", 60, 60)]
    table = pd.DataFrame(rows, columns=["rank", "path", "age_min", "age_max"]).assign(median=40, low=35, high=45)
    drawn = []
    monkeypatch.setattr(label_issues, "save_contact_sheet", lambda file, photos, *given, **more: drawn.extend(given))
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
    done = ageensemble("data", "suspects", "guess", "--out", runs, "--count", 2, "--json")
    rows = json.loads(done.stdout)
    assert len(rows) == 2
    assert set(rows[0]) >= {"rank", "group", "item_id", "path", "age_min", "median", "low", "high", "tail", "others"}


def test_other_photographs_than_those_of_the_run_are_refused(runs, utkface, annotated, cache, tmp_path):
    words = ["data", "suspects", "guess", "--out", runs, "--cache", cache, "--data"]
    done = ageensemble(*words, annotated)
    assert done.returncode == 3
    assert "annotated has no usable photograph" in said(done)
    folder = Experiment.find(runs)
    worst = label_issues.find(folder, folder.run("guess"), 1)["item_id"][0]
    (tmp_path / "faces").mkdir()
    Image.new("RGB", (40, 40), "red").save(tmp_path / "faces" / worst)
    done = ageensemble(*words, tmp_path / "faces", "--count", 1)
    assert f"faces has another photograph {worst}; give the data that the run was made on" in said(done)


def test_a_plan_without_their_lines_leaves_suspects_out_as_the_command_says(runs, dataset, tmp_path):
    folder = Experiment.find(runs)
    worst = label_issues.find(folder, folder.run("guess"), 2)["item_id"].tolist()
    lines = (folder.folder / "split.csv").read_text().splitlines(keepends=True)
    (tmp_path / "split.csv").write_text("".join(line for line in lines if line.partition(",")[0] not in worst))
    _, left = read_split(tmp_path / "split.csv", dataset)
    assert sorted(left.excluded["item_id"][left.excluded["reason"] == "not in the split"]) == sorted(worst)


def test_without_a_name_the_best_run_is_asked_and_an_unknown_one_is_named(runs, tmp_path):
    assert ageensemble("data", "suspects", "--out", runs).stdout.startswith("guess (import): the ")
    assert "no run called 'svn'" in said(ageensemble("data", "suspects", "svn", "--out", runs))
    assert "no runs in" in said(ageensemble("data", "suspects", "--out", tmp_path))
