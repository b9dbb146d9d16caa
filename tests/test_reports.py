"""What lies beside a run for people to look at."""

import numpy as np
import pytest
from commands import WATCHER, ageensemble, benchmark, plan_folder
from PIL import Image

from ageensemble import pictures


@pytest.fixture(scope="module")
def runs(utkface, cache, tmp_path_factory):
    """Two models with a history of two epochs, the second of other names."""
    folder = tmp_path_factory.mktemp("reports")
    (folder / "watcher.py").write_text(WATCHER)
    (folder / "odd.py").write_text(WATCHER.replace('"loss": 4 - epoch / 4, "inner_loss"', '"gain": 1, "inner_loss"'))
    models = [word for name in ("watcher.py epochs=2", "odd.py epochs=1") for word in ("--model", folder / name)]
    assert benchmark(utkface, folder / "runs", cache, *models).returncode == 0
    return folder / "runs"


def test_a_run_with_a_history_has_a_picture_of_its_training(runs):
    for file in plan_folder(runs).glob("*/report/training.png"):
        with Image.open(file) as picture:
            assert picture.size == (1056, 462)
            assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    assert len(list(plan_folder(runs).glob("*/report/training.png"))) == 2
    assert not list(plan_folder(runs).glob("floor-*/report"))


def test_an_export_shows_the_training_under_its_model(runs, tmp_path):
    assert ageensemble("results", runs, "--export", tmp_path / "results").returncode == 0
    text = (tmp_path / "results" / "README.md").read_text()
    below = text.partition("## watcher.py epochs=2\n")[2]
    assert "![training of watcher.py-epochs=2](watcher.py-epochs=2-training.png)" in below
    assert (tmp_path / "results" / "watcher.py-epochs=2-training.png").exists()


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
    pictures.save_training(tmp_path / "training.png", histories, "mine $x^2 of ./a model")
    with Image.open(tmp_path / "training.png") as picture:
        assert picture.width == 1056
