"""Models of preprocessed photographs: fitted, saved, loaded and exported, they preprocess as their runs did."""

import json
import shutil

import numpy as np
import pytest
from helpers import own_plugins
from helpers.commands import ageensemble, benchmark, experiment
from helpers.saved_models import model_folder, rewritten
from PIL import Image

from ageensemble import inference
from ageensemble.data import transforms
from ageensemble.errors import DataError
from ageensemble.experiments.experiment import Experiment

SMALL = "svm@hog pca=8 hog.size=32 hog.cell=8"


@pytest.fixture(scope="module")
def split(utkface, cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("preprocessed")
    texts = [SMALL, f"{SMALL} preprocess=clahe", "cnn size=16 epochs=1 depth=1 precision=fp32 preprocess=grayscale"]
    words = [word for text in texts for word in ("--model", text)]
    done = benchmark(utkface, out, cache, *words, "--folds", 2)
    assert done.returncode == 0, done.stderr
    return Experiment(experiment(out))


def title(split, start, end):
    [found] = [run.title for run in split.runs if run.title.startswith(start) and run.title.endswith(end)]
    return found


@pytest.fixture(scope="module")
def gray_network(split, tmp_path_factory):
    return model_folder(split, "cnn", tmp_path_factory.mktemp("models") / "cnn")


def test_a_model_of_preprocessed_photographs_is_another_run(split):
    runs = {run.title: run for run in split.runs}
    one, other = runs[title(split, "svm", "pca=8")], runs[title(split, "svm", "preprocess=clahe")]
    assert not np.array_equal(one.proba("oof"), other.proba("oof"))
    assert "preprocess" not in one.config
    assert "preprocess=clahe" in other.folder.name


@pytest.mark.parametrize("kind", ["cnn", "mean"])
def test_a_model_folder_preprocesses_as_its_run_did(kind, split, utkface, tmp_path):
    folder = model_folder(split, kind, tmp_path / "model")
    [run] = [run for run in split.runs if run.title.startswith(kind)]
    photos = [utkface / path for path in split.items["path"].iloc[split.split.test]]
    found = inference.load_model(folder, device="cpu")
    assert np.abs(found.predict(photos).proba - run.proba("test")).max() < 1e-6
    assert len(found.members) == (3 if kind == "mean" else 0)
    assert not any("code has changed" in remark for remark in found.remarks)


@pytest.mark.parametrize("name", ["../evil.py", "/tmp/evil.py", "evil.py", "nothing", 7, ["grayscale"]])
def test_a_model_folder_runs_no_preprocessing_but_ours(name, gray_network, tmp_path):
    folder = shutil.copytree(gray_network, tmp_path / "model")
    rewritten(folder, lambda content: content["members"][0].update(preprocess=name))
    with pytest.raises(DataError, match="cannot be loaded"):
        inference.load_model(folder)


def test_changed_code_of_a_preprocessing_is_said(gray_network, monkeypatch):
    monkeypatch.setattr(transforms, "version", lambda name: 2)
    assert any("code has changed" in remark for remark in inference.load_model(gray_network, "cpu").remarks)


def test_preprocessing_by_a_file_of_ones_own_is_fitted_but_not_saved(utkface, cache, tmp_path):
    own_plugins.write(tmp_path, own_plugins.TRANSFORM, "turn.py")
    words = ["--data", utkface, "--out", tmp_path / "runs", "--cache", cache, "--folds", 2, "--device", "cpu"]
    done = ageensemble("fit", "--model", f"{SMALL} preprocess={tmp_path / 'turn.py'}", *words)
    assert done.returncode == 0, done.stderr
    assert "preprocesses by a file of yours, and a model folder holds no code" in done.stderr


@pytest.mark.slow
def test_a_network_as_onnx_leaves_preprocessing_to_who_runs_it(gray_network, tmp_path, utkface):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    done = ageensemble("models", "onnx", gray_network, "--to", tmp_path / "ages.onnx", "--check", utkface)
    assert done.returncode == 0, done.stderr
    assert "preprocessing it (ageensemble.data.transforms.load('grayscale')); resizing it to 16 x 16" in done.stderr
    session = onnxruntime.InferenceSession(tmp_path / "ages.onnx")
    assert "preprocessing.gray" in session.get_modelmeta().custom_metadata_map["outside"]
    files = sorted(utkface.glob("[1-9]_*025.jpg.chip.jpg"))[:3]
    faces = [Image.open(file).convert("RGB") for file in files]
    small = [Image.fromarray(transforms.load("grayscale")(np.asarray(face))).resize((16, 16), 2) for face in faces]
    [found] = session.run(None, {"faces": np.stack(small)})
    np.testing.assert_allclose(found, inference.load_model(gray_network).predict(files).proba, atol=1e-6)


def test_the_card_names_the_preprocessing(gray_network):
    assert "preprocess=grayscale" in (gray_network / "README.md").read_text()
    assert json.loads((gray_network / "model.json").read_text())["members"][0]["preprocess"] == "grayscale"
