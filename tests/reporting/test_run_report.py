"""What lies beside a run for people to look at, and what an export shows of it."""

import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from helpers.commands import WATCHER, ageensemble, benchmark, experiment
from PIL import Image

from ageensemble import ages
from ageensemble.evaluation.conformal import interval_items
from ageensemble.experiments.experiment import Experiment
from ageensemble.reporting import plots, run_report
from ageensemble.reporting.plots.training import draw_training


@pytest.fixture(scope="module")
def runs(utkface, cache, tmp_path_factory):
    """Two models with a history of two epochs, the second of other names."""
    folder = tmp_path_factory.mktemp("reports")
    (folder / "watcher.py").write_text(WATCHER)
    (folder / "odd.py").write_text(
        WATCHER.replace('"loss": 4 - epoch / 4, "validation_loss"', '"gain": 1, "validation_loss"')
    )
    models = [word for name in ("watcher.py epochs=2", "odd.py epochs=1") for word in ("--model", folder / name)]
    assert benchmark(utkface, folder / "runs", cache, *models, "--no-stack", pictures="all").returncode == 0
    return folder / "runs"


def test_a_run_with_a_history_has_a_picture_of_its_training(runs):
    for file in experiment(runs).glob("*/report/training.png"):
        with Image.open(file) as picture:
            assert picture.size == (1056, 462)
            assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    assert len(list(experiment(runs).glob("*/report/training.png"))) == 2
    assert not list(experiment(runs).glob("prior-*/report"))


def test_a_report_has_every_picture_and_the_intervals_of_every_item(runs):
    folder = Experiment(experiment(runs))
    [run] = [run for run in folder.runs if run.name.startswith("watcher.py")]
    found = {file.stem for file in run.folder.glob("report/*.png")}
    assert found == {"true_predicted", "confusion", "age_error", "reliability", "coverage", "training"}
    table = pd.read_csv(run.folder / "report" / "items.csv")
    again = interval_items(*run.oof_and_test)
    assert table["low90"].tolist() == again["low"].tolist()
    assert table["high90"].tolist() == again["high"].tolist()


def test_a_report_needs_no_photographs(runs, tmp_path):
    folder = Experiment(experiment(stacked(runs, tmp_path / "runs")))
    [stack] = [run for run in folder.runs if run.name == "stack"]
    assert run_report.missing(stack)
    written = run_report.write(stack, folder, ages.DEFAULT_AGE_GROUPS)
    assert not run_report.missing(stack)
    assert (written / "weights.png").exists()
    assert not (written / "worst.jpg").exists()


def stacked(runs, target):
    """A copy of the runs with a stack of the two and another that is better than either."""
    shutil.copytree(runs, target)
    folder = Experiment(experiment(target))
    members = [run for run in folder.runs if run.name != "prior"]
    record = {"costs": {"fit_seconds": 3.0, "images_per_second": 10.0, "peak_gb": 0.1, "size_mb": 0.1}}
    rest = {"weight": 0.5, "temperature": 1.0, "loss_without": {"mae": [0.2, 0.1, 0.3]}}
    record["members"] = [{"run": run.folder.name, "model": run.name, **rest} for run in members]
    record |= {"apparent": {"mae": 5.0}, "cross_fitted": {"mae": 5.01}, "optimism": {"mae": [0.01, 0.0, 0.02]}}
    mixed = {part: np.mean([run.proba(part) for run in members], axis=0) for part in ("oof", "test")}
    config = {"kind": "stack", "members": {run.folder.name: "" for run in members}}
    folder.put("mean", "mean", config | {"method": "mean"}, mixed, record)
    truth = np.eye(ages.N_AGES, dtype=np.float32)[folder.y[:, 0]] * 0.99 + np.float32(0.01 / ages.N_AGES)
    known = {"oof": truth[folder.split.development], "test": truth[folder.split.test]}
    folder.put("stack", "stack", config | {"method": "stack"}, known, record)
    return target


@pytest.mark.slow
def test_an_export_shows_all_of_the_best_model_and_the_best_stack_and_little_of_the_others(runs, tmp_path):
    done = ageensemble("results", stacked(runs, tmp_path / "runs"), "--export", tmp_path / "results", pictures="all")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "results" / "README.md").read_text()
    assert "| 0.500 | 1.00 | +0.200 (+0.100 to +0.300) |" in text
    assert "optimism +0.010 (+0.000 to +0.020)" in text
    head, *sections = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    shown = {
        title: re.findall(r"-([a-z_]+)\.png\)", body) for title, body in zip(sections[::2], sections[1::2], strict=True)
    }
    assert "![time against error](time_error.png)" in head
    assert list(shown)[:3] == ["Calibration on the test part", "Prediction intervals, 90 %", "stack"]
    full = ["true_predicted", "confusion", "age_error", "reliability", "coverage"]
    assert shown["stack"] == [*full[:2], "weights", *full[2:]]
    assert shown["mean"] == ["true_predicted", "weights"]
    best, other = [name for name in shown if name.endswith(("epochs=1", "epochs=2"))]
    assert shown[best] == [*full, "training"]
    assert shown[other] == ["true_predicted", "training"]
    assert "![training of watcher.py-epochs=2](watcher.py-epochs=2-training.png)" in text
    for link in re.findall(r"\]\(([^)]+)\)", text):
        with Image.open(tmp_path / "results" / link) as picture:
            assert picture.width > 300
    tables = sections[1] + sections[3]
    assert tables.count("| watcher.py epochs=2 |") == 2
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in sections[1].splitlines() if row.startswith("|")}) == 1
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in sections[3].splitlines() if row.startswith("|")}) == 1


@pytest.mark.parametrize(
    "histories",
    [
        [{"loss": np.array([3.0]), "mae": np.array([7.0])}],
        [{"loss": np.arange(4.0), "mae": np.full(4, np.nan)}, {"loss": np.arange(2.0), "mae": np.full(2, np.nan)}],
        [{"epoch": np.arange(3.0)}],
    ],
    ids=["one cell of one epoch", "cells that stopped apart, no error measured", "nothing to draw"],
)
def test_a_picture_of_training_needs_no_complete_history(histories, tmp_path):
    plots.save(draw_training(histories, "mine $x^2 of ./a model"), tmp_path / "training.png")
    with Image.open(tmp_path / "training.png") as picture:
        assert picture.width == 1056


def test_the_sheet_of_worst_errors_shows_ranges_and_goes_by_their_nearer_end(monkeypatch):
    rows = [(60, 100, 55), (25, 32, 45), (20, 20, 30), (8, 12, 10)]
    items = pd.DataFrame(rows, columns=["age_min", "age_max", "median"]).assign(error=np.nan)
    drawn = []
    monkeypatch.setattr(run_report.plots, "save_contact_sheet", lambda *given: drawn.extend(given))
    run_report._worst("worst.jpg", SimpleNamespace(name="svm"), items, None, np.arange(4))
    assert drawn[3] == ["25-32 -> 45", "20 -> 30", "60-100 -> 55", "8-12 -> 10"]
