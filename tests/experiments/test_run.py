"""What is on disk: damage is noticed, told and mended; nothing else is lost."""

import json
import re
import shutil

import numpy as np
import pytest
from helpers.commands import MINE, ageensemble, benchmark, experiment, fitted, predictions, said

from ageensemble._utils import cache as caches
from ageensemble._utils import io
from ageensemble._utils.hardware import cores
from ageensemble.ages import DEFAULT_AGE_GROUPS
from ageensemble.errors import DiskError
from ageensemble.experiments.config import Resources
from ageensemble.experiments.experiment import Experiment
from ageensemble.reporting import leaderboard
from ageensemble.splits.split import make_split


@pytest.fixture(scope="module")
def finished(dataset, cache, tmp_path_factory):
    """A benchmark of two models; its `runs` is only read."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "mine.py").write_text(MINE)
    again(folder, folder / "runs", dataset, cache)
    return folder


@pytest.fixture
def runs(finished, tmp_path):
    """A copy of the finished runs, to be damaged."""
    shutil.copytree(finished / "runs", tmp_path / "runs")
    return tmp_path / "runs"


def again(finished, runs, dataset, cache, jobs=2):
    """What `benchmark` does, without the time another interpreter takes to start; the states of the runs."""
    found = fitted(dataset, make_split(dataset, 3, 0), [str(finished / "mine.py")], runs, Resources(cache, jobs, "cpu"))
    return {run.state(3) for run in found.runs}


def table(runs):
    return leaderboard.rows(Experiment(experiment(runs)), DEFAULT_AGE_GROUPS).set_index("run")


def truncate(file):
    file.write_bytes(file.read_bytes()[:-50])


def change_a_number(file):
    file.write_text(file.read_text().replace("0", "1", 1))


DAMAGES = {
    "predictions cut short": ("oof.npy", truncate),
    "the predictions of a fold cut short": ("fold-1/held_out.npy", truncate),
    "no predictions": ("test.npy", lambda file: file.unlink()),
    "marker full of rubbish": ("done.json", lambda file: file.write_bytes(b"\xff\x00rubbish")),
    "marker of another kind": ("done.json", lambda file: file.write_text('{"files": {}}')),
    "record that is a list": ("fold-0/record.json", lambda file: file.write_text("[]")),
    "record edited": ("fold-0/record.json", change_a_number),
    "run.json edited": ("run.json", lambda file: file.write_text(file.read_text().replace("mine", "best"))),
    "run.json gone": ("run.json", lambda file: file.unlink()),
    "run.json nested too deep": ("run.json", lambda file: file.write_text("[" * 100_000)),
    "a fold gone": ("fold-2", shutil.rmtree),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_is_a_row_with_its_reason_and_benchmark_mends_it(damage, finished, runs, dataset, cache):
    name, harm = DAMAGES[damage]
    [run] = experiment(runs).glob("mine.py-*")
    harm(run / name)
    shown = table(runs)
    assert shown.loc[run.name, "state"] == "damaged"
    assert "run it again, or: ageensemble runs remove" in shown.loc[run.name, "why"]
    assert sorted(shown["state"]) == ["complete", "damaged"]
    assert again(finished, runs, dataset, cache) == {("complete", "")}
    assert predictions(runs) == predictions(finished / "runs")
    assert set(table(runs)["state"]) == {"complete"}


def test_damage_is_shown_and_the_other_rows_with_it(runs):
    [run] = experiment(runs).glob("mine.py-*")
    (run / "run.json").unlink()
    shown = ageensemble("results", runs)
    assert shown.returncode == 0
    [row] = [line for line in shown.stdout.splitlines() if line.startswith("prior ")]
    assert re.search(r"\d\.\d", row)
    assert "*best" not in row  # with nothing above it, it is the best of nothing
    assert f"{run.name} damaged: " in shown.stdout
    assert f"{run.name}: damaged" in ageensemble("runs", "list", "--out", runs).stdout


def test_a_saved_model_that_changed_is_fitted_again(finished, runs, dataset, cache):
    [model] = experiment(runs).glob("mine.py-*/fold-1/model/counts.npy")
    truncate(model)
    again(finished, runs, dataset, cache)
    [original] = experiment(finished / "runs").glob("mine.py-*/fold-1/model/counts.npy")
    assert model.read_bytes() == original.read_bytes()


@pytest.mark.parametrize("name", ["experiment.json", "split.csv", "dataset.csv"])
def test_a_changed_split_is_refused_and_benchmark_mends_it(name, finished, runs, dataset, cache):
    change_a_number(experiment(runs) / name)
    with pytest.raises(DiskError, match=name):
        table(runs)
    again(finished, runs, dataset, cache)
    assert set(table(runs)["state"]) == {"complete"}


def test_trouble_with_one_experiment_does_not_hide_another(finished, runs, annotated, cache):
    assert benchmark(annotated, runs, cache, "--models", "prior").returncode == 0
    [file] = runs.glob("faces-*/experiment.json")
    file.write_text("{")
    shown = ageensemble("results", runs)
    assert shown.returncode == 4
    assert "annotated: 60 items" in shown.stdout
    assert "experiment.json is damaged" in said(shown)
    listed = ageensemble("runs", "list", "--out", runs)
    assert "/: damaged" in listed.stdout
    assert "prior" in listed.stdout


def test_half_written_files_of_a_killed_process_are_no_part_of_a_run(finished, runs, dataset, cache):
    [run] = experiment(runs).glob("mine.py-*")
    (run / "fold-0" / ".held_out.npy.123.tmp").write_bytes(b"half")
    (run / "fold-0" / "record.json").unlink()
    again(finished, runs, dataset, cache)
    assert not list(run.rglob("*.tmp"))


def test_a_run_keeps_the_threads_it_began_with(finished, runs, dataset, cache):
    [file] = experiment(runs).glob("mine.py-*/run.json")
    threads = json.loads(file.read_text())["threads"]
    file.unlink()
    again(finished, runs, dataset, cache, jobs=cores() + 1 if threads > 1 else 1)
    assert json.loads(file.read_text())["threads"] == threads


def test_runs_are_removed_by_name_and_only_when_told_so(runs):
    kept = ageensemble("runs", "remove", "mine.py", "--out", runs)
    assert kept.returncode == 2
    assert "--yes" in said(kept)
    assert list(experiment(runs).glob("mine.py-*"))
    assert ageensemble("runs", "remove", "mine.py", "--out", runs, "--yes").returncode == 0
    assert not list(experiment(runs).glob("mine.py-*"))
    assert list(experiment(runs).glob("prior-*"))
    missing = ageensemble("runs", "remove", "mine.py", "--out", runs, "--yes")
    assert missing.returncode == 2
    assert "no run called 'mine.py'" in said(missing)


def test_json_files_are_sealed(tmp_path):
    file = tmp_path / "a.json"
    io.write_json(file, {"a": 1, "name": "bad \udcff byte"})
    assert io.read_json(file) == {"a": 1, "name": "bad \udcff byte"}
    file.write_bytes(file.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(DiskError, match="is not as it was written"):
        io.read_json(file)


def test_clearing_the_cache_removes_only_what_is_ours(tmp_path):
    ours = ["photos/0123456789abcdef/0.u8", "features/hog-0123456789abcdef.npy", "demo/v1-3000/a.png"]
    ours.append("pixels/squares128-0123456789abcdef.npy")
    theirs = ["photos/holiday.jpg", "photos/2024/beach.jpg", "features/notes.txt", "letters/a.txt", "pixels/a.npy"]
    for name in (*ours, *theirs):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    assert caches.contents(tmp_path) == dict.fromkeys(("photos", "features", "demo", "pixels"), (1, 5))
    assert "2 entries" not in ageensemble("cache", "show", "--cache", tmp_path).stdout
    assert ageensemble("cache", "clear", "--cache", tmp_path, "--yes").returncode == 0
    assert not any((tmp_path / name).exists() for name in ours)
    assert all((tmp_path / name).exists() for name in theirs)
    refused = ageensemble("cache", "clear", "--cache", tmp_path, "--yes")
    assert refused.returncode == 2
    assert "no cache of ageensemble" in said(refused)


def test_clearing_a_cache_that_is_not_there_is_no_error(tmp_path):
    assert ageensemble("cache", "clear", "--cache", tmp_path / "none", "--yes").returncode == 0


def uniform(experiment):
    return {
        part: np.full((len(rows), 121), 1 / 121, np.float32)
        for part, rows in (("oof", experiment.split.development), ("test", experiment.split.test))
    }


COSTS = {"fit_seconds": 2.0, "images_per_second": None, "peak_gb": None, "size_mb": 0.5}


def put(runs, **config):
    made = Experiment(experiment(runs))
    return made.put("mean", "mean", {"kind": "stack", "members": {}} | config, uniform(made), {"costs": COSTS})


def test_a_run_without_fold_fits_is_scored_and_tabled_like_any_other(runs):
    run = put(runs)
    assert (run.state(3), run.fold_names(3)) == (("complete", ""), [])
    row = table(runs).loc["mean"]
    assert row["oof_mae"] == row["oof_mae"] > 0  # and not NaN
    assert (row["fit_seconds"], row["size_mb"]) == (2.0, 0.5)
    assert np.isnan(row["images_per_second"])


def test_what_is_put_in_the_place_of_another_replaces_all_of_it(runs):
    put(runs, members={"a": "1"})
    (Experiment(experiment(runs)).folder / "mean" / "report").mkdir()
    run = put(runs, members={"b": "2"})
    assert run.config["members"] == {"b": "2"}
    assert not (run.folder / "report").exists()


def test_a_run_without_fold_fits_that_lost_its_marker_is_incomplete_not_damaged(runs):
    run = put(runs)
    (run.folder / "done.json").unlink()
    assert run.state(3) == ("incomplete", "half written; the same command writes it again")


def test_predictions_of_a_run_without_fold_fits_that_were_changed_are_noticed(runs):
    run = put(runs)
    truncate(run.folder / "oof.npy")
    assert run.state(3)[0] == "damaged"
