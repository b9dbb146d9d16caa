"""Networks of timm that embeddings in a model folder are made with: found again, each with its own weights."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ageensemble._utils.io import file_hash
from ageensemble.errors import UsageError
from ageensemble.features import Embedding
from ageensemble.features.backbones import timm_catalog, weights
from ageensemble.inference import model, model_contents

RESIZING_VERSION = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)


def described(network, **more):
    """All parameters of an embedding, as a run has them once they were settled."""
    own = timm_catalog.pretraining(network)
    params = {key: own[key] for key in ("mean", "std")} | {"network": network} | more
    return Embedding(**params).get_params()


def kept(params, folder, files=()):
    """Saved and loaded: the parameters with the files in the folder."""
    inside = model_contents._feature(
        "embedding", params, SimpleNamespace(stored_files=lambda wanted: []), files, folder
    )
    listed = {file.relative_to(folder).as_posix() for file in folder.rglob("*.*")}
    return model._extractor("embedding", inside, folder, listed).get_params()


def rows(params):
    return Embedding(**params).extract_array(RESIZING_VERSION)


def test_a_network_is_found_again_by_the_name_with_the_tag_of_its_weights(tmp_path, monkeypatch):
    net = weights.blank("test_resnet", {"num_classes": 0})
    monkeypatch.setattr(weights, "pretrained", lambda name, options, instead="": net)
    tagged = timm_catalog.pretraining("test_resnet")["weights"]
    assert "." in tagged
    found = kept(described(tagged, size=32), tmp_path)
    monkeypatch.setattr(weights, "pretrained", lambda *_, **__: pytest.fail("weights were fetched"))
    assert rows(found).shape == (2, net.num_features)


def test_two_weights_of_one_network_do_not_take_each_others_place(tmp_path):
    files, found = [], []
    for seed in range(2):
        torch.manual_seed(seed)
        files.append(tmp_path / f"{seed}.pth")
        torch.save(weights.blank("test_resnet", {"num_classes": 0}).state_dict(), files[-1])
    expected = [rows(described("test_resnet", size=32, weights=str(file))) for file in files]
    (tmp_path / "model").mkdir()
    for file in files:
        params = described("test_resnet", size=32, weights=f"sha256 {file_hash(file)}")
        found.append(kept(params, tmp_path / "model", files))
    for one, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(rows(one), right)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"checkpoint_path": "/elsewhere/weights.pth"}, UsageError),
        ({"network": "hf-hub:somebody/something"}, ValueError),
        ({"network": "local-dir:here"}, UsageError),
        ({"network": "elsewhere.onnx"}, ValueError),
        ({"weights": "../weights.safetensors"}, ValueError),
    ],
)
def test_a_stranger_cannot_have_other_files_read_or_the_hub_asked(change, kind, tmp_path):
    params = described("test_resnet", size=32, weights="features/here.safetensors") | change
    with pytest.raises(kind):
        model._extractor("embedding", params, tmp_path, {"features/here.safetensors"})
