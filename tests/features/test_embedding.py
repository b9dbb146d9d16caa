"""Frozen embeddings are the numbers that the network itself gives, of photographs normalized as it was said aloud."""

import sys

import numpy as np
import pytest
import timm
import torch
from helpers.commands import benchmark, said
from helpers.onnx_files import POOL, ROWS, node, onnx, tensor
from safetensors.torch import save_file

from ageensemble.data.image_array import resized
from ageensemble.errors import DataError, UsageError
from ageensemble.features import Embedding, feature_matrix, matrix_path
from ageensemble.models import spec as specs

pytest.importorskip("onnxruntime")

# --- ONNX files, a few bytes each: onnx.proto says which number is which field --------------------------------------


@pytest.fixture
def colors(tmp_path):
    return onnx(tmp_path / "colors.onnx")


def photographs(n, size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def rows_of(squares, **params):
    return Embedding(network=str(params.pop("network")), **params).extract_array(squares)


def resolved(said_aloud=None, **params):
    extractor = Embedding(network=str(params.pop("network")), **params)
    return extractor.resolve((said_aloud if said_aloud is not None else []).append)


def test_an_onnx_file_gets_photographs_normalized_as_asked(colors):
    squares = photographs(3, 8)
    mean = squares.mean((1, 2)) / 255
    np.testing.assert_allclose(rows_of(squares, network=colors, mean="0", std="1"), mean, atol=1e-6)
    np.testing.assert_allclose(rows_of(squares, network=colors, mean="0.5", std="0.25"), mean * 4 - 2, atol=1e-5)
    wanted = (mean - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]  # of ImageNet, without a word from the user
    np.testing.assert_allclose(rows_of(squares, network=colors), wanted, atol=1e-5)


def test_the_mirror_image_counts_half(tmp_path):
    file = onnx(tmp_path / "a.onnx", node("Flatten", "x", "rows"), [("x", ["n", 3, 1, 2])], [tensor("rows", ["n", 6])])
    with pytest.raises(DataError, match="takes images 1 high and 2 wide"):
        rows_of(photographs(1, 2), network=file)
    file = onnx(tmp_path / "a.onnx", node("Flatten", "x", "rows"), [("x", ["n", 3, 2, 2])], [tensor("rows", ["n", 12])])
    square = np.zeros((1, 2, 2, 3), np.uint8)
    square[0, :, 1] = 255
    given = {"network": file, "mean": "0", "std": "1"}
    assert rows_of(square, **given).tolist() == [[0.5] * 12]
    assert rows_of(square, **given, mirror=False).tolist() == [[0, 1] * 6]


@pytest.mark.parametrize("batch", [1, 4])
def test_a_graph_for_a_fixed_number_of_photographs_gets_that_many(tmp_path, colors, batch):
    fixed = onnx(tmp_path / "fixed.onnx", inputs=[("x", [batch, 3, 8, 8])], outputs=[tensor("rows", [batch, 3])])
    squares = photographs(6, 8)
    np.testing.assert_array_equal(rows_of(squares, network=fixed), rows_of(squares, network=colors))


def test_the_output_is_the_first_of_two_dimensions_or_the_one_asked_for(tmp_path):
    file = onnx(tmp_path / "two.onnx", outputs=[tensor("map", ["n", 3, 1, 1]), *ROWS])
    squares = photographs(2, 8)
    np.testing.assert_array_equal(rows_of(squares, network=file), rows_of(squares, network=file, output="map"))
    with pytest.raises(UsageError, match=r"no output 'rwos'; it has: map \(n, 3, 1, 1\), rows \(n, 3\)"):
        rows_of(squares, network=file, output="rwos")


@pytest.mark.parametrize(
    ("graph", "complaint"),
    [
        ({"inputs": [("x", ["n", 8, 8, 3])]}, r"takes tensor\(float\) of shape \(n, 8, 8, 3\); .*channels first"),
        ({"inputs": [("x", ["n", 3, 8, 8], 2)], "nodes": node("Identity", "x", "rows"),
          "outputs": [tensor("rows", ["n", 3, 8, 8], 2)]}, r"takes tensor\(uint8\)"),
        ({"inputs": [("x", ["n", 3, 8, 8]), ("z", ["n", 3, 8, 8])]}, r"has 2 inputs \(x, z\)"),
        ({"outputs": [tensor("map", ["n", 3, 1, 1])]}, r"no output of two dimensions.*embedding.output=NAME: map"),
        ({"nodes": node("NoSuchThing", "x", "rows")}, "is no ONNX network that onnxruntime can run"),
        ({"nodes": POOL + node("Log", "rows", "logs"), "outputs": [tensor("logs", ["n", 3])]}, "finite numbers"),
        ({"nodes": node("Squeeze", "x", "rows"), "inputs": [("x", ["n", 3, "h", "w"])],
          "outputs": [tensor("rows", ["n", "d"])]}, "returns shape"),
    ],
)  # fmt: skip
def test_a_graph_that_will_not_do_is_answered_in_one_line(tmp_path, graph, complaint):
    file = onnx(tmp_path / "bad.onnx", **graph)
    with pytest.raises(DataError, match=complaint) as caught:
        rows_of(np.zeros((1, 8, 8, 3), np.uint8), network=file, size=8, mean="0.5")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_onnx_is_answered_in_one_line(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"broken.onnx is no ONNX network"):
        resolved(network=tmp_path / "broken.onnx")


def test_without_onnxruntime_it_says_what_to_install(colors, monkeypatch):
    from ageensemble.features.backbones import onnx as _onnx

    _onnx.graph.cache_clear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r"pip install 'ageensemble\[onnx\]'"):
        resolved(network=colors)


def test_settling_says_size_mean_and_std_and_whose_they_are(colors, tmp_path):
    aloud = []
    filled = resolved(aloud, network=colors, std="0.5")
    assert (filled.size, filled.mean, filled.std) == (8, "0.485,0.456,0.406", "0.5")
    assert aloud == [
        "embedding:colors.onnx: size 8 (the file's), mean 0.485,0.456,0.406 (ImageNet's, as the file does not say), "
        "std 0.5 (as given)"
    ]
    with pytest.raises(UsageError, match=r"takes images of 8 pixels, not embedding.size=9"):
        resolved(network=colors, size=9)
    free = onnx(tmp_path / "free.onnx", inputs=[("x", ["n", 3, "h", "w"])])
    with pytest.raises(UsageError, match=r"takes any size; choose one, such as embedding.size=112"):
        resolved(network=free)
    assert resolved(network=free, size=20).size == 20


# --- networks of timm -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return timm.create_model("test_resnet").eval()


@pytest.fixture(scope="module")
def weights(resnet, tmp_path_factory):
    file = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_file(resnet.state_dict(), file)
    return str(file)


def test_a_network_of_timm_gives_its_pooled_features(resnet, weights):
    squares = photographs(40, 32)
    batch = torch.from_numpy(squares).permute(0, 3, 1, 2) / 255 * 2 - 1
    with torch.inference_mode():
        pooled = [resnet.forward_head(resnet.forward_features(b), pre_logits=True) for b in (batch, batch.flip(3))]
    rows = rows_of(squares, network="test_resnet", weights=weights, size=32, mean="0.5", std="0.5")
    np.testing.assert_allclose(rows, (pooled[0] + pooled[1]) / 2, atol=1e-5)


def test_settling_fills_in_what_timm_says_of_the_network(weights):
    aloud = []
    filled = resolved(aloud, network="test_resnet", weights=weights)
    own = timm.models.get_pretrained_cfg("test_resnet")
    assert filled.size == own.input_size[1]
    assert [float(v) for v in filled.mean.split(",")] == list(own.mean)
    assert "weights of tiny.safetensors" in aloud[0]
    assert "(timm's for its own weights)" in aloud[0]


def test_the_dimension_is_known_without_weights():
    assert Embedding(network="test_resnet").n_features() == 96
    assert Embedding(network="resnet18").n_features() == 512


def test_a_network_made_for_one_size_is_made_for_another_when_asked(tmp_path):
    net = timm.create_model("test_vit", img_size=64)
    save_file(net.state_dict(), tmp_path / "vit.safetensors")
    given = {"network": "test_vit", "weights": str(tmp_path / "vit.safetensors")}
    assert resolved(**given, size=64).size == 64
    with pytest.raises(DataError, match="pos_embed has shape"):
        resolved(**given)


def test_options_go_to_timm_and_change_the_numbers(weights):
    squares, given = photographs(2, 96), {"network": "test_resnet", "weights": weights, "size": 96}
    assert not np.allclose(rows_of(squares, **given), rows_of(squares, **given, global_pool="max"))
    with pytest.raises(UsageError, match="not a row each"):
        rows_of(squares, **given, global_pool="")
    with pytest.raises(UsageError, match="timm cannot make test_resnet color=blue"):
        resolved(**given, color="blue")


def test_a_size_that_the_network_cannot_take_is_a_usage_error():
    with pytest.raises(UsageError, match="test_convnext does not take images of 8 pixels"):
        Embedding(network="test_convnext", size=8).n_features()


def test_without_weights_there_are_no_features(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        DataError, match=r"no pretrained weights for test_resnet.*embedding.weights=FILE takes them from a file"
    ):
        resolved(network="test_resnet")


def test_another_file_under_the_same_name_is_another_network(resnet, tmp_path):
    file, squares = tmp_path / "w.safetensors", photographs(2, 32)
    given = {"network": "test_resnet", "weights": str(file), "size": 32}
    save_file(resnet.state_dict(), file)
    before = rows_of(squares, **given)
    torch.manual_seed(5)
    save_file(timm.create_model("test_resnet").state_dict(), file)
    assert not np.allclose(rows_of(squares, **given), before)


# --- as features of a model -------------------------------------------------------------------------------------------


def test_the_matrix_of_a_file_that_moved_is_found_and_of_another_is_not(colors, tmp_path, dataset):
    def place(file):
        return matrix_path(resolved(network=file), dataset, tmp_path, "cpu")

    first = feature_matrix(resolved(network=colors), dataset, tmp_path)
    assert np.load(first).shape == (len(dataset), 3)
    moved = colors.rename(tmp_path / "moved.onnx")
    assert place(moved) == first
    onnx(moved, inputs=[("x", ["m", 3, 8, 8])])
    assert place(moved) != first


def test_threads_that_share_a_network_give_what_one_gives(dataset, tmp_path, weights):
    extractor = resolved(network="test_resnet", weights=weights, size=32)
    file = feature_matrix(extractor, dataset, tmp_path)
    squares = resized(dataset.image_store, dataset.items["image"].to_numpy(), 32)
    np.testing.assert_allclose(np.load(file), extractor.extract_array(squares), atol=1e-5)


def test_a_spec_is_settled_once_and_keeps_its_name(colors):
    aloud = []
    spec = specs.parse(f"svm@hog+embedding:{colors} C=3")
    done = spec.resolve(None, "cpu", 1, aloud.append)
    assert done.name == spec.name == "svm@hog+embedding:colors.onnx C=3"
    assert done.features[0] == spec.features[0]
    assert done.features[1][1]["size"] == 8
    assert done.params == spec.params
    assert len(aloud) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("svm@embedding", "embedding of which network?"),
        ("svm@embedding:", "embedding of which network?"),
        ("svm@embedding:test_resnt", "timm has no network 'test_resnt', .*did you mean 'test_resnet'"),
        ("svm@embedding:test_resnet.nix", "timm has no network 'test_resnet.nix'"),
        ("svm@embedding:nowhere.onnx", "no such file: nowhere.onnx"),
        ("svm@embedding:test_resnet embedding.weights=nowhere.pth", "no such file: nowhere.pth"),
        ("svm@embedding:test_resnet embedding.mean=gray", "embedding.mean=gray must be one number or three"),
        ("svm@embedding:test_resnet embedding.std=0", "embedding.std=0 must be"),
        ("svm@embedding:test_resnet embedding.std=1,2", "embedding.std=1,2 must be"),
        ("svm@embedding:test_resnet embedding.output=x", "embedding.output is for an ONNX file"),
        ("svm@embedding:test_resnet embedding.wieghts=x", "did you mean 'weights'"),
        ("svm@embedding:test_resnet embedding.size=1000", "give 1 to 256 pixels"),
    ],
)
def test_what_cannot_be_embedded_is_refused_before_anything_is_read(text, complaint):
    with pytest.raises(UsageError, match=complaint):
        specs.parse(text)


def test_options_of_timm_are_not_for_onnx(colors):
    for key in ("weights", "pad_type"):
        value = colors if key == "weights" else "same"
        with pytest.raises(UsageError, match=f"embedding.{key} is for a network of timm, which colors.onnx is not"):
            specs.parse(f"svm@embedding:{colors} embedding.{key}={value}")


@pytest.mark.slow
def test_a_benchmark_on_embeddings_from_the_command_line(colors, utkface, cache, tmp_path):
    done = benchmark(utkface, tmp_path / "runs", cache, "--model", f"svm@embedding:{colors}", "--json")
    assert done.returncode == 0, done.stderr
    assert "embedding:colors.onnx: size 8 (the file's)" in done.stderr
    assert "svm@embedding:colors.onnx" in done.stdout
    refused = benchmark(utkface, tmp_path / "runs", cache, "--model", "svm@embedding")
    assert "embedding of which network?" in said(refused)
    assert refused.returncode == 2
