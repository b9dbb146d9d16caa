"""A network written as ONNX answers as the model does, for any number of faces, or it is said why it cannot be."""

import json
import re
import shutil
import sys

import numpy as np
import pytest
import torch
from helpers.commands import ageensemble, benchmark, experiment, said
from PIL import Image

from ageensemble import ages, load_model
from ageensemble.data.image_array import InMemoryImages
from ageensemble.experiments.experiment import Experiment
from ageensemble.inference import onnx_export, save
from ageensemble.models.neural import timm
from ageensemble.models.neural.cnn import CNN

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


@pytest.fixture(scope="module")
def folders(utkface, cache, tmp_path_factory):
    """Model folders of a network in two cells, of what is no network, and of a stack; only read."""
    root = tmp_path_factory.mktemp("folders")
    tiny = "cnn size=16 epochs=1 depth=1 precision=fp32"
    words = ["--model", f"{tiny} weighting=group", "--model", f"{tiny} width=2", "--models", "prior", "--folds", 2]
    done = benchmark(utkface, root / "runs", cache, *words)
    assert done.returncode == 0, done.stderr
    split = Experiment(experiment(root / "runs"))
    for name, place in (
        ("prior", "prior"),
        ("mean", "mean"),
        ("cnn depth=1 epochs=1 precision=fp32 size=16 weighting", "cnn"),
    ):
        [run] = [run for run in split.runs if run.title.startswith(name)]
        save(run, split, root / place)
    return root


@pytest.fixture(scope="module")
def bag(folders):
    return folders / "cnn"


@pytest.fixture(scope="module")
def exported(bag, utkface, tmp_path_factory):
    """The file of the bag, and what was said when it was written."""
    file = tmp_path_factory.mktemp("exported") / "new" / "ages.onnx"
    done = ageensemble("models", "onnx", bag, "--to", file, "--check", utkface)
    assert done.returncode == 0, done.stderr
    return file, done


def squares(files, size):
    """Faces as the notes in the file say, by Pillow alone."""
    pictures = [Image.open(file).convert("RGB").resize((size, size), Image.Resampling.BILINEAR) for file in files]
    return np.stack([np.asarray(picture) for picture in pictures])


@pytest.mark.parametrize("n", [1, 5])
def test_the_file_says_what_the_model_says(bag, exported, utkface, n):
    files = sorted(utkface.glob("[1-9]_*025.jpg.chip.jpg"))[:n]
    session = onnxruntime.InferenceSession(exported[0])
    [distribution] = session.run(["distribution"], {"faces": squares(files, 16)})
    assert (distribution.shape, distribution.dtype) == ((n, 121), np.float32)
    np.testing.assert_allclose(distribution, load_model(bag).predict(files).proba, atol=1e-6)
    np.testing.assert_allclose(distribution.sum(1), 1, atol=1e-5)


def test_its_answers_are_compared_on_the_faces_given_without_the_one_that_does_not_open(exported):
    done = exported[1]
    found = re.search(r"compared on 123 faces: a probability differs by at most (\S+), a median age by", done.stdout)
    assert 0 <= float(found[1]) < 1e-6
    assert "outside the graph: detecting, aligning and cropping the face" in done.stderr
    assert "resizing it to 16 x 16 (Pillow's bilinear" in done.stderr


def test_the_file_says_what_it_is_and_nothing_of_this_machine(bag, exported):
    session, about = onnxruntime.InferenceSession(exported[0]), load_model(bag).metadata
    known = session.get_modelmeta().custom_metadata_map
    assert (known["name"], known["split"], known["size"]) == (about["name"], about["data"]["split"], "16")
    assert json.loads(known["licenses"]) == about["licenses"]
    [faces] = session.get_inputs()
    assert (faces.name, faces.type, faces.shape) == ("faces", "tensor(uint8)", ["n", 16, 16, 3])
    content = exported[0].read_bytes()
    assert not re.search(rb"\.py\b|site-packages|Traceback", content)


@pytest.mark.slow
def test_networks_of_any_loss_are_written_as_they_predict(tmp_path):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 56, (5, 32, 32, 3), np.uint8) + np.arange(0, 250, 50, np.uint8)[:, None, None, None]
    years = np.repeat(np.arange(5, 65)[:, None], 2, 1)
    models = [
        CNN(size="32", depth=1, loss="ordinal"),
        CNN(size="32", depth=1, loss="age_groups", weighting="group", norm=True, pool=3),
        CNN(size="32", depth=1, loss="crossentropy", weighting="group"),
        timm.of("test_resnet")(size="32", pretrained=False, mirror=False),
    ]
    expected = []
    for model in models:
        model.net_, model.device = model._network(years, False, False), "cpu"
        model.net_.head[-1].weight.data.mul_(20)  # new networks say nearly the same of every face
        expected.append(ages.smooth_with_prior(model.predict_proba(InMemoryImages(faces)), ages.histogram(years)))
        assert np.ptp(expected[-1], axis=0).max() > 0.01
    graph = onnx_export.to_onnx([(model, ages.histogram(years)) for model in models], "all")
    (tmp_path / "all.onnx").write_bytes(graph.SerializeToString())
    np.testing.assert_allclose(
        onnx_export.run_graph(tmp_path / "all.onnx", faces), np.mean(expected, axis=0), atol=1e-6
    )


@pytest.mark.slow
def test_bfloat16_becomes_float32_and_that_is_said(utkface, cache, tmp_path):
    words = ["--data", utkface, "--out", tmp_path, "--cache", cache, "--device", "cpu"]
    done = ageensemble("fit", "--model", "cnn size=16 epochs=1 depth=1 precision=bf16", *words)
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "models").iterdir()
    done = ageensemble("models", "onnx", folder, "--to", tmp_path / "ages.onnx")
    assert done.returncode == 0, done.stderr
    assert "the model computes in bfloat16, the file in float32" in done.stderr
    found = re.search(r"compared on 16 drawn faces: a probability differs by at most (\S+),", done.stdout)
    assert 1e-9 < float(found[1]) < 1e-2


def test_a_file_that_answers_otherwise_is_not_kept_and_the_old_one_stays(bag, exported, tmp_path, monkeypatch):
    import onnx as files

    graph, file = files.load(exported[0]), tmp_path / "ages.onnx"
    for tensor in graph.graph.initializer:
        values = files.numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(files.numpy_helper.from_array(3 * values, tensor.name))
    file.write_text("old")
    monkeypatch.setattr(onnx_export, "to_onnx", lambda cells, name: graph)
    done = ageensemble("models", "onnx", bag, "--to", file)
    assert (done.returncode, "predictions differ from the model" in said(done)) == (3, True)
    assert ([f.name for f in tmp_path.iterdir()], file.read_text()) == (["ages.onnx"], "old")


@pytest.mark.parametrize(
    ("name", "why"),
    [("prior", "prior is no network; what can be exported is cnn, or"), ("mean", "is a stack, and only")],
)
def test_what_is_no_network_is_refused_with_what_can_be_exported(folders, tmp_path, name, why):
    done = ageensemble("models", "onnx", folders / name, "--to", tmp_path / "ages.onnx")
    assert (done.returncode, why in said(done)) == (2, True)
    assert ("makes one of 'cnn depth=1" in said(done)) == (name == "mean")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("parameter", "why"), [("loss=l1", "counted from residuals"), ("size=native", "of any size")])
def test_networks_whose_graph_would_not_be_right_are_refused(bag, tmp_path, monkeypatch, parameter, why):
    name, value = parameter.split("=")
    years = np.repeat(np.arange(5, 65)[:, None], 2, 1)
    model = CNN(**{"size": "16", "depth": 1} | {name: value})
    model.net_ = model._network(years, False, False)
    monkeypatch.setattr(CNN, "load", lambda folder, device: model)
    done = ageensemble("models", "onnx", bag, "--to", tmp_path / "ages.onnx")
    assert (done.returncode, why in said(done)) == (2, True)


def test_the_file_may_not_lie_where_it_would_spoil_the_model(bag, tmp_path):
    assert "lies in the model folder" in said(ageensemble("models", "onnx", bag, "--to", bag / "ages.onnx"))
    assert "ends in .onnx" in said(ageensemble("models", "onnx", bag, "--to", tmp_path / "ages.pb"))
    load_model(bag)


def test_a_damaged_folder_and_faces_that_do_not_open_are_one_line(bag, tmp_path):
    broken = shutil.copytree(bag, tmp_path / "broken")
    [weights] = broken.glob("members/0/fold-1/*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-9])
    assert "is damaged" in said(ageensemble("models", "onnx", broken, "--to", tmp_path / "ages.onnx"))
    (tmp_path / "text.jpg").write_text("no image")
    done = ageensemble("models", "onnx", bag, "--to", tmp_path / "ages.onnx", "--check", tmp_path / "text.jpg")
    assert (done.returncode, "text.jpg" in said(done)) == (3, True)


def test_without_the_extra_it_is_said_how_to_get_it(bag, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    done = ageensemble("models", "onnx", bag, "--to", tmp_path / "ages.onnx")
    assert (done.returncode, said(done)) == (2, "this needs onnxscript: pip install 'ageensemble[onnx-export]'")
