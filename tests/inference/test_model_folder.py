"""Model folders: what is saved predicts what its run predicted, and says the same of it."""

import json
import shutil

import numpy as np
import pytest
from helpers.commands import ageensemble, said
from helpers.saved_models import model_folder, runs
from PIL import Image

import ageensemble as package
from ageensemble import ages, inference
from ageensemble.data.image_input import read_images
from ageensemble.errors import DataError, UsageError
from ageensemble.evaluation import conformal
from ageensemble.experiments.experiment import Experiment
from ageensemble.experiments.run import Run

KINDS = ("svm", "xgboost", "cnn", "prior", "stack", "greedy", "mean")


@pytest.fixture(scope="module")
def split(utkface, cache, tmp_path_factory):
    return runs(utkface, tmp_path_factory.mktemp("saved") / "runs", cache)


@pytest.fixture(scope="module")
def stack(split, tmp_path_factory):
    return model_folder(split, "mean", tmp_path_factory.mktemp("saved") / "mean")


@pytest.fixture(scope="module")
def model(stack):
    return inference.load_model(stack, device="cpu")


def photos(split, utkface, rows):
    return [utkface / path for path in split.items["path"].iloc[rows]]


# --- the same predictions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_model_predicts_the_test_part_as_its_run_did(kind, split, utkface, tmp_path):
    folder = model_folder(split, kind, tmp_path / "model")
    found = package.load_model(folder, device="cpu").predict(photos(split, utkface, split.split.test))
    [run] = [run for run in split.runs if run.title.startswith(kind)]
    assert np.abs(found.proba - run.proba("test")).max() < 1e-6
    assert found.proba.dtype == np.float32


def test_loading_saving_and_loading_again_changes_no_digit(split, utkface, stack, tmp_path):
    files = photos(split, utkface, split.split.test)
    shutil.copytree(stack, tmp_path / "copy")
    once, again = (inference.load_model(place, device="cpu").predict(files) for place in (stack, tmp_path / "copy"))
    assert np.array_equal(once.proba, again.proba)


def test_saving_twice_writes_the_same_bytes(split, stack, tmp_path):
    again = model_folder(split, "mean", tmp_path / "again")
    content = {f.relative_to(stack): f.read_bytes() for f in stack.rglob("*") if f.is_file()}
    assert content == {f.relative_to(again): f.read_bytes() for f in again.rglob("*") if f.is_file()}


def test_a_refit_saves_its_model_folder_by_itself(utkface, cache, tmp_path):
    words = ["--data", utkface, "--out", tmp_path / "runs", "--cache", cache, "--folds", 3, "--device", "cpu"]
    done = ageensemble("fit", "--model", "svm@hog pca=8 hog.size=32 hog.cell=8", *words)
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "runs" / "models").iterdir()
    assert f"--model {folder}" in done.stderr
    [refit] = (tmp_path / "runs").glob("*/refit-*")
    split = Experiment(refit.parent)
    loaded = inference.load_model(folder)
    found = loaded.predict(photos(split, utkface, split.split.test))
    assert np.abs(found.proba - Run(refit).proba("test")).max() < 1e-6
    assert loaded.levels == []  # nothing out-of-fold to calibrate on
    assert loaded.remarks == ["intervals are uncalibrated model quantiles"]


def test_an_embedding_takes_its_network_along(utkface, cache, tmp_path, monkeypatch):
    onnx = pytest.importorskip("onnx")
    network = tmp_path / "rows.onnx"
    _pooled(onnx, network)
    spec = f"svm@embedding:{network} pca=4 embedding.size=32"
    words = ["--data", utkface, "--out", tmp_path / "runs", "--cache", cache, "--folds", 3, "--device", "cpu"]
    done = ageensemble("fit", "--model", spec, *words)
    assert done.returncode == 0, done.stderr
    network.unlink()
    [folder] = (tmp_path / "runs" / "models").iterdir()
    [inside] = (folder / "features").iterdir()
    assert inside.name.startswith("rows-")
    shutil.rmtree(next((tmp_path / "runs").glob("faces-*")))
    found = inference.load_model(folder).predict([utkface / next(utkface.glob("1_*")).name])
    assert found.proba.sum() == pytest.approx(1, abs=1e-5)


def test_weights_of_an_embedding_are_saved_without_pickle(utkface, cache, tmp_path):
    import timm
    import torch

    torch.save(timm.create_model("test_resnet", pretrained=False).state_dict(), tmp_path / "mine.pth")
    spec = f"svm@embedding:test_resnet pca=4 embedding.size=32 embedding.weights={tmp_path / 'mine.pth'}"
    words = ["--data", utkface, "--out", tmp_path / "runs", "--cache", cache, "--folds", 3, "--device", "cpu"]
    done = ageensemble("fit", "--model", spec, *words)
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "runs" / "models").iterdir()
    assert [file.suffix for file in (folder / "features").rglob("*.*")] == [".safetensors"]
    [refit] = (tmp_path / "runs").glob("*/refit-*")
    split = Experiment(refit.parent)
    found = inference.load_model(folder).predict(photos(split, utkface, split.split.test))
    assert np.abs(found.proba - Run(refit).proba("test")).max() < 1e-6


def _pooled(onnx, file):
    """A network that averages each color."""
    from onnx import TensorProto, helper

    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 32, 32])
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", 3])
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["mean"]), helper.make_node("Flatten", ["mean"], ["rows"])]
    graph = helper.make_graph(nodes, "pooled", [given], [rows])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), file)


# --- what a model is given and answers ---------------------------------------------------------------------------


def test_paths_pictures_and_arrays_are_the_same_to_it(model, utkface):
    file = sorted(utkface.glob("30_*"))[0]
    picture = Image.open(file)
    ways = [file, str(file), picture, np.asarray(picture), [file], (picture,), np.asarray(picture)[None]]
    rows = [model.predict(way).proba for way in ways]
    assert all(np.array_equal(row, rows[0]) for row in rows)
    assert rows[0].shape == (1, ages.N_AGES)


def test_more_faces_than_fit_into_a_block_come_back_in_their_order(model, utkface, monkeypatch):
    files = sorted(utkface.glob("[1-4]*_0_*.jpg"))[:9]
    whole = model.predict(files)
    monkeypatch.setattr("ageensemble.inference.model.BLOCK", 4)
    parts = model.predict(files)
    assert np.abs(whole.proba - parts.proba).max() < 1e-6
    assert len(parts) == 9
    assert list(parts.members) == model.members


def test_predicting_leaves_the_threads_of_others_as_they_were(model, utkface):
    from concurrent.futures import ThreadPoolExecutor

    import torch

    def threads_of_a_new_thread():
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(torch.get_num_threads).result()

    before = threads_of_a_new_thread()
    torch.set_num_threads(3)
    model.predict([next(utkface.glob("30_*"))])
    assert threads_of_a_new_thread() == 3
    torch.set_num_threads(before)


def test_no_faces_are_no_answers(model):
    nothing = model.predict([])
    assert nothing.proba.shape == (0, ages.N_AGES)
    assert nothing.median.shape == (0,)
    assert nothing.interval(0.9).shape == (0, 2)


def test_what_is_no_picture_is_said(model, utkface, tmp_path):
    (tmp_path / "text.jpg").write_text("no image")
    for image, why in [
        (tmp_path / "text.jpg", "text.jpg: not an image"),
        (tmp_path / "nowhere.jpg", "No such file"),
        (tmp_path, "not a file"),
        (np.zeros((8, 8, 3), np.uint8), "8x8 pixels, at least 16"),
        (np.zeros((0, 8, 3), np.uint8), "is empty"),
    ]:
        with pytest.raises(DataError, match=why):
            model.predict([image])
    for image in (np.zeros((32, 32, 3)), np.zeros((32, 32, 5), np.uint8), 7):
        with pytest.raises(UsageError, match="give a path, a PIL image, or a uint8 array"):
            model.predict([image])


def test_gray_and_transparent_pictures_become_rgb():
    gray, clear = Image.new("L", (20, 30), 7), Image.new("RGBA", (20, 30), (9, 9, 9, 0))
    assert [a.shape for a in read_images([gray, clear])] == [(30, 20, 3)] * 2
    assert read_images([gray])[0][0, 0].tolist() == [7, 7, 7]
    assert read_images([clear])[0][0, 0].tolist() == [128, 128, 128]


def test_answers_are_read_off_the_distribution():
    distribution = np.zeros((1, ages.N_AGES), np.float32)
    distribution[0, [16, 17, 18, 40]] = [0.2, 0.2, 0.2, 0.4]
    found = inference.ModelPredictions(distribution)
    assert found.median.tolist() == [18]
    assert found.at_least(18) == pytest.approx(0.6)
    labels, rows = found.age_group_proba("0-17,18-39,40+")
    assert labels == ["0-17", "18-39", "40+"]
    assert rows[0] == pytest.approx([0.4, 0.2, 0.4])
    labels, rows = found.age_group_proba("0-16,18-39")
    assert labels == ["0-16", "18-39", "other"]
    assert rows[0] == pytest.approx([0.2, 0.2, 0.6])
    assert repr(found) == "<ModelPredictions of 1, medians 18>"
    assert found.interval(0.5).tolist() == [[17, 40]]  # quantiles, for want of a calibration
    with pytest.raises(UsageError, match="between 0 and 1"):
        found.interval(1.0)


def test_intervals_are_those_that_the_run_was_calibrated_for(model, split, utkface):
    files = photos(split, utkface, split.split.test[:6])
    [run] = [run for run in split.runs if run.title == "mean"]
    by_hand = conformal.fit_conformal(run.predictions("oof"), 0.8, ages.DEFAULT_AGE_GROUPS)
    found = model.predict(files)
    assert np.array_equal(found.interval(0.8), by_hand.intervals(found.proba))
    assert model.levels == [0.5, 0.8, 0.9, 0.95]
    with pytest.raises(UsageError, match="has intervals of 50, 80, 90, 95 %, not of 70 %"):
        found.interval(0.7)


def test_a_stack_says_what_each_member_said(model, split, utkface):
    found = model.predict(photos(split, utkface, split.split.test))
    assert len(found.members) == 3  # the floor is no member
    for run in split.runs:
        if run.name in found.members:
            assert np.abs(found.members[run.name] - run.proba("test")).max() < 1e-6
    assert found[:2].members[model.members[0]].shape == (2, ages.N_AGES)


# --- what the folder says of itself ------------------------------------------------------------------------------


def test_the_description_holds_scores_data_and_licenses(stack, split):
    content = inference.model_folder.read(stack)
    assert content["data"]["split"] == split.metadata["split"]
    value, low, high = content["scores"]["test"]["mae"]
    [run] = [run for run in split.runs if run.title == "mean"]
    label = split.y[split.split.test, 0]
    assert value == pytest.approx(np.abs(ages.median(run.proba("test")) - label).mean())
    assert low < value < high
    assert "non-commercial" in content["licenses"][0]
    assert content["pool"]["weights"] == pytest.approx([1 / 3] * 3)


def test_a_member_without_weight_is_left_out(split, tmp_path):
    [run] = [run for run in split.runs if run.title == "greedy"]
    weights = run.metadata["pool"]["weights"]
    folder = model_folder(split, "greedy", tmp_path / "greedy")
    assert len(inference.model_folder.read(folder)["members"]) == np.count_nonzero(weights)


def test_the_card_is_shown_and_the_description_printed(stack):
    shown = ageensemble("models", "show", stack)
    assert shown.returncode == 0, shown.stderr
    for words in ("Predicts the age of a face", "weight 0.33", "non-commercial", "MAE, years"):
        assert words in shown.stdout
    printed = json.loads(ageensemble("models", "show", stack, "--json").stdout)
    assert printed["name"] == "mean"


def test_the_command_saves_a_run_by_name_and_replaces_a_folder_of_its_own(split, tmp_path):
    words = ["models", "save", "mean", "--out", split.folder, "--to", tmp_path / "m"]
    for _ in range(2):
        done = ageensemble(*words)
        assert done.returncode == 0, done.stderr
    assert f"predict photos/ --model {tmp_path / 'm'}" in done.stderr
    assert sorted(f.name for f in tmp_path.iterdir() if f.name[0] != ".") == ["m"]


# --- what cannot be saved ----------------------------------------------------------------------------------------


def test_something_else_is_never_replaced(split, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    done = ageensemble("models", "save", "mean", "--out", split.folder, "--to", tmp_path / "mine")
    assert done.returncode == 2
    assert "is no model folder; give another place" in said(done)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "mine" / "model.json").write_text('{"format": "layers-model"}')  # as others call theirs
    assert not inference.model_folder.replaceable(tmp_path / "mine")


def test_a_save_that_fails_leaves_the_model_that_was_there(split, stack, tmp_path, monkeypatch):
    place = tmp_path / "model"
    shutil.copytree(stack, place)
    monkeypatch.setattr("ageensemble.inference.model_card.text", lambda content: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model_folder(split, "svm", place)
    assert inference.model_folder.read(place)["name"] == "mean"
    assert [f.name for f in tmp_path.iterdir() if f.is_dir()] == ["model"]


def test_a_stack_whose_member_is_gone_is_not_saved(split, tmp_path):
    copy = tmp_path / "runs"
    shutil.copytree(split.folder, copy)
    shutil.rmtree(next(copy.glob("svm*")))
    done = ageensemble("models", "save", "mean", "--out", copy, "--to", tmp_path / "m")
    assert done.returncode == 2
    assert "is gone or was fitted again; stack again" in said(done)
    assert not (tmp_path / "m").exists()


def test_a_model_from_a_file_of_ones_own_has_no_folder_but_is_fitted(utkface, cache, tmp_path):
    from helpers.commands import MINE

    (tmp_path / "mine.py").write_text(MINE)
    words = ["--data", utkface, "--out", tmp_path / "runs", "--cache", cache, "--folds", 3, "--device", "cpu"]
    done = ageensemble("fit", "--model", tmp_path / "mine.py", *words)
    assert done.returncode == 0, done.stderr
    assert "no model folder: mine.py is a model from a file of yours" in done.stderr
