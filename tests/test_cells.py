"""A cell that fails is a row with its reason; the others go on, and running again retries only it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from commands import BRIGHTNESS, MINE, ageensemble, benchmark, plan_folder, predictions, said

from ageensemble import cells, features, processes, specs, splits
from ageensemble.plan_folders import PlanFolder


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


def rows(out):
    [table] = json.loads(ageensemble("results", out, "--json").stdout)
    return {row["model"]: row for row in table["rows"]}


def test_every_kind_of_failure_is_a_row_with_its_reason_and_the_rest_goes_on(utkface, cache, tmp_path, mine):
    reasons = {
        "raise": "RuntimeError: no luck",
        "missing-file": "FileNotFoundError: [Errno 2] No such file",
        "nan": "ValueError: the model returned probabilities that are not finite",
        "shape": "ValueError: a model must return (n, 121)",
        "rows": "ValueError: the model returned ",
        "SystemExit": "SystemExit: 5",
        "SIGKILL": "its process died: signal SIGKILL, perhaps for want of memory",
        "_exit": "its process died: exit code 3",
    }
    models = [word for key in reasons for word in ("--model", f"{mine} trouble={key}")]
    done = benchmark(utkface, tmp_path / "runs", cache, *models, "--model", mine, "--folds", 2)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    table = rows(tmp_path / "runs")
    assert table["floor"]["state"] == table["mine.py"]["state"] == "complete"
    for key, reason in reasons.items():
        row = table[f"mine.py trouble={key}"]
        assert row["state"] == "failed"
        assert reason in row["why"]
        assert f"failed: mine.py trouble={key} cell 1" in done.stderr


def test_running_again_retries_only_what_failed(utkface, cache, tmp_path, mine):
    flag = tmp_path / "flag"
    words = [utkface, tmp_path / "runs", cache, "--model", f"{mine} flag={flag}", "--model", mine]
    assert benchmark(*words).returncode == 1
    before = {f: f.stat().st_mtime_ns for f in tmp_path.glob("runs/*/*/cell-*/record.json")}
    flag.touch()
    assert benchmark(*words).returncode == 0
    after = {f: f.stat().st_mtime_ns for f in tmp_path.glob("runs/*/*/cell-*/record.json")}
    fitted_again = {f.parent.parent.name for f in after if after[f] != before[f]}
    assert len(before) == len(after) == 9
    assert all("flag=" in name for name in fitted_again)
    assert len(fitted_again) == 1


def test_only_the_missing_cell_is_fitted(utkface, cache, tmp_path, mine):
    words = [utkface, tmp_path / "runs", cache, "--model", mine]
    benchmark(*words)
    [run] = plan_folder(tmp_path / "runs").glob("mine.py-*")
    original = predictions(tmp_path / "runs")
    times = {f: f.stat().st_mtime_ns for f in run.glob("cell-*/held_out.npy")}
    (run / "done.json").unlink()
    (run / "cell-1" / "record.json").unlink()
    assert benchmark(*words).returncode == 0
    changed = {f.parent.name for f in times if f.stat().st_mtime_ns != times[f]}
    assert changed == {"cell-1"}
    assert predictions(tmp_path / "runs") == original


def test_what_a_model_prints_does_not_disturb_the_results(utkface, cache, tmp_path, mine):
    done = benchmark(utkface, tmp_path / "runs", cache, "--model", mine, "--json")
    assert len(json.loads(done.stdout)["rows"]) == 2
    assert "a model that talks" in done.stderr


def test_a_model_gets_the_features_of_its_training_items(utkface, cache, tmp_path):
    (tmp_path / "brightness.py").write_text(BRIGHTNESS)
    wanting = MINE.replace('features = ""', 'features = "lbp"').replace("np.bincount(y", "x.mean() + np.bincount(y")
    (tmp_path / "mine.py").write_text(wanting)
    done = benchmark(utkface, tmp_path / "runs", cache, "--model", "./mine.py@./brightness.py", cwd=tmp_path)
    assert done.returncode == 0
    [record] = plan_folder(tmp_path / "runs").glob("mine.py@brightness.py-*/cell-0/record.json")
    content = json.loads(record.read_text())
    assert content["train_items"] + content["predicted_items"] == 123
    assert {"fit_seconds", "peak_bytes", "versions", "seed", "threads", "device", "machine"} <= set(content)


def test_features_that_cannot_be_computed_end_in_one_line(utkface, cache, tmp_path):
    (tmp_path / "bad.py").write_text("def extract(batch, *, size=8):\n    return batch.nothing\n")
    (tmp_path / "mine.py").write_text(MINE.replace('features = ""', 'features = "lbp"'))
    done = benchmark(utkface, tmp_path / "runs", cache, "--model", "./mine.py@./bad.py", cwd=tmp_path)
    assert done.returncode == 3
    assert "failed: AttributeError" in said(done)


def test_the_same_seed_gives_the_same_bytes_and_the_test_part_is_the_mean_of_the_cells(utkface, cache, tmp_path, mine):
    for out in ("a", "b"):
        assert benchmark(utkface, tmp_path / out, cache, "--model", mine).returncode == 0
    assert predictions(tmp_path / "a") == predictions(tmp_path / "b")
    assert len(predictions(tmp_path / "a")) == 4
    [run] = plan_folder(tmp_path / "a").glob("mine.py-*")
    cells = [np.load(run / f"cell-{k}" / "test.npy") for k in range(3)]
    np.testing.assert_allclose(np.load(run / "test.npy"), np.mean(cells, 0), atol=1e-7)


def double(number):
    return 2 * number


def refuse(number):
    raise OSError(28, "No space left on device", "/full")


def test_processes_return_results_with_their_tasks():
    assert sorted(processes.run(double, [1, 2, 3], 2)) == [(1, 2), (2, 4), (3, 6)]


def test_processes_hand_back_exceptions_as_they_were():
    with pytest.raises(OSError, match="No space left") as caught:
        list(processes.run(refuse, [1, 2], 2))
    assert (caught.value.errno, caught.value.filename) == (28, "/full")


NEAREST = '''"""For tests."""

import numpy as np


class Nearest:
    """The ages of the training items, by one number: whatever reached the model shows in what it saves."""

    features = "./brightness.py"

    def fit(self, x, y, inner, *, seed, threads, device):
        self.seen = np.column_stack([x[:, 0], y[:, 0], inner])
        return self

    def predict(self, x):
        return np.eye(121)[self.seen[np.abs(self.seen[:, 0] - x).argmin(1), 1].astype(int)]

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


def test_nothing_about_held_out_and_test_items_reaches_the_model_of_a_cell(manifest, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "brightness.py").write_text(BRIGHTNESS)
    (tmp_path / "nearest.py").write_text(NEAREST)
    plan = splits.make(manifest, folds=3)
    spec = specs.parse("./nearest.py")
    file = features.matrix_file(*spec.features[0], manifest, cache, "cpu")
    spoilt_file, spoilt_rows = tmp_path / "spoilt.npy", np.r_[plan.held_out(0), plan.test]
    matrix = np.load(file)
    matrix[spoilt_rows] = 1e9
    np.save(spoilt_file, matrix)
    items = manifest.items.copy()
    items.loc[spoilt_rows, ["age_min", "age_max"]] = 120
    spoilt = replace(manifest, items=items)
    assert len(np.unique(spoilt.y[spoilt_rows])) == 1

    models = []
    for name, data, x in (("as it is", manifest, file), ("spoilt", spoilt, spoilt_file)):
        folder = PlanFolder.create(tmp_path / name, manifest, plan, {"leaks": 0, "limited": 0})
        run = folder.start(spec, 0, "folds", 1, "cpu")
        assert cells.fit(cells.tasks(run, spec, data, plan, [x])[0])[1] is None
        models.append((run.cell_folder("0") / "model" / "seen.npy").read_bytes())
    assert models[0] == models[1]
