"""A fold fit that fails is a row with its reason; the others go on, and running again retries only it."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.commands import BRIGHTNESS, MINE, WATCHER, ageensemble, benchmark, experiment, predictions, said

from ageensemble.data import image_array
from ageensemble.experiments import fold_fit
from ageensemble.experiments.experiment import Experiment
from ageensemble.features import feature_matrix
from ageensemble.models import spec as specs
from ageensemble.splits.split import make_split


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


def rows(out):
    [table] = json.loads(ageensemble("results", out, "--json").stdout)
    return {row["model"]: row for row in table["rows"]}


FAILURES = {
    "raise": "RuntimeError: no luck",
    "missing-file": "FileNotFoundError: [Errno 2] No such file",
    "nan": "ValueError: the model returned probabilities that are not finite",
    "shape": "ValueError: a model must return (n, 121)",
    "rows": "ValueError: the model returned ",
    "SystemExit": "SystemExit: 5",
}
DEATHS = {
    "SIGKILL": "its process died: signal SIGKILL, perhaps for want of memory",
    "_exit": "its process died: exit code 3",
    "SystemExit": "SystemExit: 5",
}


@pytest.mark.parametrize(("reasons", "where"), [(FAILURES, "here"), (DEATHS, "apart")], ids=["errors", "deaths"])
def test_every_kind_of_failure_is_a_row_with_its_reason_and_the_rest_goes_on(
    reasons, where, utkface, cache, tmp_path, mine
):
    models = [word for key in reasons for word in ("--model", f"{mine} trouble={key}")]
    words = [*models, "--model", mine, "--folds", 2]
    done = benchmark(utkface, tmp_path / "runs", cache, *words, cells=where)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    table = rows(tmp_path / "runs")
    assert table["prior"]["state"] == table["mine.py"]["state"] == "complete"
    for key, reason in reasons.items():
        row = table[f"mine.py trouble={key}"]
        assert row["state"] == "failed"
        assert reason in row["why"]
        assert f"failed: mine.py trouble={key} fold 1" in done.stderr


def test_running_again_retries_only_what_failed(utkface, cache, tmp_path, mine):
    flag = tmp_path / "flag"
    words = [utkface, tmp_path / "runs", cache, "--model", f"{mine} flag={flag}", "--model", mine]
    assert benchmark(*words).returncode == 1
    before = {f: f.stat().st_mtime_ns for f in tmp_path.glob("runs/*/*/fold-*/record.json")}
    flag.touch()
    assert benchmark(*words).returncode == 0
    after = {f: f.stat().st_mtime_ns for f in tmp_path.glob("runs/*/*/fold-*/record.json")}
    fitted_again = {f.parent.parent.name for f in after if after[f] != before[f]}
    assert len(before) == len(after) == 9
    assert all("flag=" in name for name in fitted_again)
    assert len(fitted_again) == 1


def test_only_the_missing_fold_is_fitted(utkface, cache, tmp_path, mine):
    words = [utkface, tmp_path / "runs", cache, "--model", mine]
    benchmark(*words)
    [run] = experiment(tmp_path / "runs").glob("mine.py-*")
    original = predictions(tmp_path / "runs")
    times = {f: f.stat().st_mtime_ns for f in run.glob("fold-*/held_out.npy")}
    (run / "done.json").unlink()
    (run / "fold-1" / "record.json").unlink()
    assert benchmark(*words).returncode == 0
    changed = {f.parent.name for f in times if f.stat().st_mtime_ns != times[f]}
    assert changed == {"fold-1"}
    assert predictions(tmp_path / "runs") == original


@pytest.mark.slow
def test_what_a_model_prints_does_not_disturb_the_results(utkface, cache, tmp_path, mine, capfd):
    done = benchmark(utkface, tmp_path / "runs", cache, "--model", mine, "--json", cells="apart")
    assert len(json.loads(done.stdout)["rows"]) == 2
    assert capfd.readouterr() == ("", "a model that talks\n" * 3), "the processes have our streams"


def test_a_model_gets_the_features_of_its_training_items(utkface, cache, tmp_path):
    (tmp_path / "brightness.py").write_text(BRIGHTNESS)
    wanting = MINE.replace('features = ""', 'features = "lbp"').replace("np.bincount(y", "X.mean() + np.bincount(y")
    (tmp_path / "mine.py").write_text(wanting)
    done = benchmark(utkface, tmp_path / "runs", cache, "--model", "./mine.py@./brightness.py", cwd=tmp_path)
    assert done.returncode == 0
    [record] = experiment(tmp_path / "runs").glob("mine.py@brightness.py-*/fold-0/record.json")
    content = json.loads(record.read_text())
    assert content["train_items"] + content["predicted_items"] == 123
    assert {"fit_seconds", "peak_bytes", "versions", "seed", "threads", "device", "machine"} <= set(content)


def test_features_that_cannot_be_computed_end_in_one_line(utkface, cache, tmp_path):
    (tmp_path / "bad.py").write_text(BRIGHTNESS.replace("batch.float()", "batch.nothing"))
    (tmp_path / "mine.py").write_text(MINE.replace('features = ""', 'features = "lbp"'))
    done = benchmark(utkface, tmp_path / "runs", cache, "--model", "./mine.py@./bad.py", cwd=tmp_path)
    assert done.returncode == 3
    assert "failed: AttributeError" in said(done)


def test_the_same_seed_gives_the_same_bytes_and_the_test_part_is_the_mean_of_the_folds(utkface, cache, tmp_path, mine):
    for out in ("a", "b"):
        assert benchmark(utkface, tmp_path / out, cache, "--model", mine).returncode == 0
    assert predictions(tmp_path / "a") == predictions(tmp_path / "b")
    assert len(predictions(tmp_path / "a")) == 4
    [run] = experiment(tmp_path / "a").glob("mine.py-*")
    folds = [np.load(run / f"fold-{k}" / "test.npy") for k in range(3)]
    np.testing.assert_allclose(np.load(run / "test.npy"), np.mean(folds, 0), atol=1e-7)


NEAREST = '''"""For tests."""

import numpy as np

from ageensemble.models import AgeEstimator


class Nearest(AgeEstimator):
    """The ages of the training items, by one number: whatever reached the model shows in what it saves."""

    features = "./brightness.py"

    def fit(self, X, y, groups=None, *, cv):
        self.seen = np.column_stack([X[:, 0], y[:, 0], cv])
        return self

    def predict_proba(self, X):
        return np.eye(121)[self.seen[np.abs(self.seen[:, 0] - X).argmin(1), 1].astype(int)]

    def save(self, folder):
        np.save(folder / "seen.npy", self.seen)

    @classmethod
    def load(cls, folder):
        model = cls()
        model.seen = np.load(folder / "seen.npy")
        return model

    def fit_bytes(self, n, d):
        return 0
'''


def test_nothing_about_held_out_and_test_items_reaches_the_model_of_a_fold(dataset, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "brightness.py").write_text(BRIGHTNESS)
    (tmp_path / "nearest.py").write_text(NEAREST)
    split = make_split(dataset, n_folds=3)
    spec = specs.parse("./nearest.py")
    file = feature_matrix(spec.extractors[0], dataset, cache)
    spoilt_file, spoilt_rows = tmp_path / "spoilt.npy", np.r_[split.held_out(0), split.test]
    matrix = np.load(file)
    matrix[spoilt_rows] = 1e9
    np.save(spoilt_file, matrix)
    items = dataset.items.copy()
    items.loc[spoilt_rows, ["age_min", "age_max"]] = 120
    spoilt = replace(dataset, items=items)
    assert len(np.unique(spoilt.age_range[spoilt_rows])) == 1

    models = []
    for name, data, x in (("as it is", dataset, file), ("spoilt", spoilt, spoilt_file)):
        folder = Experiment.create(tmp_path / name, dataset, split, {"leaks": 0, "limited": 0})
        run = folder.start(spec, 0, "folds", 1, "cpu")
        assert fold_fit.fit_fold(fold_fit.missing_fits(run, spec, data, split, [x])[0])[1] is None
        models.append((run.fold_folder("0") / "model" / "seen.npy").read_bytes())
    assert models[0] == models[1]


def test_a_model_that_asks_for_widths_is_told_the_columns_of_each_feature_set(dataset, tmp_path):
    split = make_split(dataset, n_folds=3)
    asking = MINE.replace("cv=None):", "feature_widths):").replace(
        "print(", "self.fit_info_ = {'widths': feature_widths}  # "
    )
    (tmp_path / "asking.py").write_text(asking)
    for name, columns in (("a", 1), ("b", 3)):
        np.save(tmp_path / f"{name}.npy", np.zeros((len(dataset), columns), np.float32))
    spec = specs.parse(str(tmp_path / "asking.py"))
    run = Experiment.create(tmp_path, dataset, split, {"leaks": 0, "limited": 0}).start(spec, 0, "folds", 1, "cpu")
    fold_fit.fit_fold(fold_fit.missing_fits(run, spec, dataset, split, [tmp_path / "b.npy", tmp_path / "a.npy"])[0])
    assert run.record("0")["model"] == {"widths": [3, 1]}


@pytest.fixture
def watcher(tmp_path):
    file = tmp_path / "watcher.py"
    file.write_text(WATCHER)
    return file


@pytest.fixture
def fitted(dataset, cache, tmp_path, watcher):
    """Fits fold 0 of `watcher.py key=value ...` in this process; its folder, record (None where it was cut off)."""
    split = make_split(dataset, n_folds=3)
    folder = Experiment.create(tmp_path / "runs", dataset, split, {"leaks": 0, "limited": 0})

    def fit(*settings):
        spec = specs.parse(" ".join([str(watcher), *settings]))
        run = folder.start(spec, 0, "folds", 1, "cpu")
        photographs = image_array.load_images(dataset, spec.params["size"], cache)
        fold_fit.fit_fold(fold_fit.missing_fits(run, spec, dataset, split, [], photographs)[0])
        return run.fold_folder("0"), run.record("0")

    return fit


def test_a_model_that_wants_photographs_is_given_those_of_its_items_alone(fitted, dataset, cache):
    folder, record = fitted()
    split = make_split(dataset, n_folds=3)
    with np.load(folder / "model" / "arrays.npz") as saved:
        squares = image_array.load_images(dataset, "16", cache)[split.training(0)]
        np.testing.assert_allclose(saved["bright"], squares.mean((1, 2, 3)))
    assert record["train_items"] == len(split.training(0))
    assert np.load(folder / "held_out.npy").shape == (len(split.held_out(0)), 121)
    assert np.load(folder / "test.npy").shape == (len(split.test), 121)


def test_native_photographs_are_predicted_as_squares_are(fitted):
    folder, record = fitted("size=native")
    assert "error" not in record
    assert np.load(folder / "held_out.npy").shape[1] == 121


def test_the_history_is_a_table_that_belongs_to_the_fit(fitted):
    folder, record = fitted("epochs=2")
    assert (folder / "history.csv").read_text().splitlines() == [
        "epoch,seconds,loss,validation_loss,mae,validation_mae",
        "1,1.5,4.0,,8.0,9.0",
        "2,1.5,3.75,,7.666666666666667,8.666666666666666",
    ]
    assert set(record["files"]) == {"held_out.npy", "history.csv", "model/arrays.npz", "test.npy"}
    assert record["fit_seconds"] == 3  # what the epochs took, though here they are made up


def test_checkpoints_are_gone_when_a_fit_has_ended_well_or_not(fitted):
    for settings in ([], ["trouble=raise", "at=2"]):
        folder, record = fitted(*settings)
        assert ("error" in record) == bool(settings)
        assert not (folder / "checkpoints").exists()


def test_checkpoints_left_by_a_kill_are_handed_to_the_next_fit(fitted):
    folder, before = fitted()
    expected = (folder / "held_out.npy").read_bytes()
    (folder / "checkpoints").mkdir()
    epoch = {"epoch": 1, "seconds": 1.5, "loss": 4, "validation_loss": None, "mae": 8, "validation_mae": 9}
    (folder / "checkpoints" / "state.json").write_text(json.dumps([3.5, [epoch]]))
    (folder / "record.json").unlink()
    folder, record = fitted()
    assert (before["model"]["began_after"], record["model"]["began_after"]) == (0, 1)
    assert (folder / "held_out.npy").read_bytes() != expected  # its state after an epoch was another


@pytest.mark.parametrize("told", ['"now"', '{"loss": "low"}', "3"])
def test_a_model_that_tells_rubbish_fails_and_nothing_else(watcher, fitted, told):
    watcher.write_text(WATCHER.replace("        self.ages = y", f"        on_progress({told})\n        self.ages = y"))
    _, record = fitted()
    assert record["error"].startswith(("AttributeError", "ValueError", "TypeError"))


def test_a_worker_that_is_killed_goes_on_from_its_checkpoint_in_the_next_benchmark(utkface, cache, tmp_path, watcher):
    words = [utkface, tmp_path / "runs", cache, "--model", f"{watcher} trouble=SIGKILL at=2"]
    assert benchmark(*words, cells="apart").returncode == 1
    [run] = experiment(tmp_path / "runs").glob("watcher.py*")
    assert len(list(run.glob("fold-*/checkpoints/state.json"))) == 3
    assert benchmark(*words, cells="apart").returncode == 0
    records = [json.loads(file.read_text()) for file in run.glob("fold-*/record.json")]
    assert [record["model"]["began_after"] for record in records] == [2, 2, 2]
    assert not list(run.glob("fold-*/checkpoints"))
    assert not any("checkpoints" in name for name in json.loads((run / "done.json").read_text())["files"])


def test_versions_are_those_of_what_was_used(monkeypatch):
    for name in ("timm", "onnxruntime"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace(__version__="9.9"))
    versions = fold_fit._versions()
    assert versions["torchvision"] == "9.9"
    assert not {"timm", "onnxruntime"} & set(versions)
