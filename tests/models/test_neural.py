"""The two kinds of networks: the plain one, and any of timm's (its tiny test networks here)."""

import numpy as np
import pytest
import timm
import torch
from helpers.commands import benchmark, experiment
from helpers.photographs import ageing, stored
from safetensors.torch import save_file
from sklearn.base import clone

from ageensemble import models
from ageensemble.errors import DataError, UsageError
from ageensemble.features.backbones import timm_catalog
from ageensemble.features.backbones import weights as loading
from ageensemble.models.spec import parse

QUICK = {"size": "32", "epochs": 1, "batch": 16, "precision": "fp32"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    photos, y, inner = ageing(40, 32)
    return stored(list(photos), tmp_path_factory.mktemp("photographs")), y, inner


@pytest.fixture
def weights(tmp_path):
    """A file of weights that stands in for pretrained ones, with the tensors in it."""
    torch.manual_seed(5)
    state = timm.create_model("test_resnet", pretrained=False).state_dict()
    save_file(state, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors", state


def fitted(name, data, keep, **params):
    model = models.load(name)(**QUICK | params)
    return model.fit(*data[:2], cv=data[2], checkpoint_dir=keep)


def settled(name, tmp_path, **params):
    said = []
    model = models.load(name)(**QUICK | params)
    result = model.resolve(model.parameters() | params, cache=tmp_path, device="cpu", threads=1, say=said.append)
    return result, " ".join(said)


def layers(model, kind):
    net = model._network(np.array([[20, 20], [40, 40]]), False, False)
    return [layer for layer in net.modules() if isinstance(layer, kind)]


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_depth_counts_the_convolutions_and_the_connected_layers(depth):
    model = models.load("cnn")(depth=depth)
    assert len(layers(model, torch.nn.Conv2d)) == len(layers(model, torch.nn.Linear)) == depth


def test_width_and_hidden_are_those_of_the_first_layers():
    model = models.load("cnn")(width=10, hidden=64)
    assert [layer.out_channels for layer in layers(model, torch.nn.Conv2d)] == [10, 20, 40]
    assert [layer.out_features for layer in layers(model, torch.nn.Linear)] == [64, 32, 121]


@pytest.mark.parametrize(
    ("name", "params"),
    [("cnn", {"width": 4}), ("cnn", {"size": "native", "width": 4}), ("cnn", {"loss": "l1", "width": 4}),
     ("cnn", {"loss": "age_groups", "weighting": "group", "width": 4}), ("test_resnet", {"pretrained": False}),
     ("test_vit", {"pretrained": False, "hidden": 8, "dropout": 0.1}),
     ("test_efficientnet.r160_in1k", {"pretrained": False, "drop_path": 0.1})],
)  # fmt: skip
def test_a_saved_network_predicts_the_same_when_loaded(name, params, data, tmp_path):
    model = fitted(name, data, tmp_path / "keep", **params)
    rows = model.predict_proba(data[0])
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)
    model.save(tmp_path)
    assert sorted(file.suffix for file in tmp_path.iterdir() if file.is_file()) == [".json", ".safetensors"]
    np.testing.assert_array_equal(models.load(name).load(tmp_path).predict_proba(data[0]), rows)


def test_a_network_begins_with_the_weights_of_the_file(weights):
    file, state = weights
    model = models.load("test_resnet")(weights=str(file))
    backbone = model.backbone(True).state_dict()
    assert len(backbone) > 10
    assert all(torch.equal(value, state[name]) for name, value in backbone.items())


def test_what_is_saved_needs_and_names_no_file_of_weights(weights, data, tmp_path):
    file, _ = weights
    model = fitted("test_resnet", data, tmp_path / "keep", weights=str(file))
    rows = model.predict_proba(data[0])
    file.unlink()
    folder = tmp_path / "model"
    folder.mkdir()
    model.save(folder)
    assert str(tmp_path) not in (folder / "parameters.json").read_text()
    np.testing.assert_array_equal(models.load("test_resnet").load(folder).predict_proba(data[0]), rows)


def test_weights_of_another_network_are_refused_with_the_tensor_that_tells(weights, tmp_path):
    with pytest.raises(DataError, match=r"weights.safetensors is of another network"):
        settled("test_vit", tmp_path, weights=str(weights[0]), size="160")


def test_which_normalization_is_used_is_said(weights, tmp_path):
    params, said = settled("test_resnet", tmp_path, weights=str(weights[0]))
    assert "mean 0.5,0.5,0.5 and std 0.5,0.5,0.5, as timm says of this network" in said
    assert params["mean"] == "0.5,0.5,0.5"
    params, said = settled("test_resnet", tmp_path, weights=str(weights[0]), mean="0.485,0.456,0.406", std="0.25")
    assert "weights of weights.safetensors" in said
    assert "mean 0.485,0.456,0.406 and std 0.25, as given" in said


def test_the_given_normalization_reaches_the_network():
    model = models.load("test_resnet")(pretrained=False, mean="0.25", std="0.5,0.25,0.125", **QUICK)
    net = model._network(np.array([[20, 20], [40, 40]]), False, False)
    white = net.prepared(torch.full((1, 3, 32, 32), 255, dtype=torch.uint8))
    np.testing.assert_allclose(white[0, :, 0, 0].numpy(), [1.5, 3, 6], rtol=1e-5)


@pytest.mark.parametrize(
    "wrong", ["mean=gray", "std=0", "mean=1,2", "std=0.5,0.5,-1", "size=8", "size=big", "size=999", "loss=mae",
              "epochs=0", "lr=0", "batch=-1", "hold=10", "optimizer=lion", "dropout=1", "hidden=-1", "ema=1"],
)  # fmt: skip
def test_a_value_that_will_not_do_is_refused_before_anything_begins(wrong):
    with pytest.raises(UsageError, match=wrong.partition("=")[0]):
        parse(f"test_resnet pretrained=false {wrong}")


@pytest.mark.parametrize(
    ("idle", "right"),
    [("test_resnet sigma=3.5 loss=l1", "loss=softlabel or softlabelmean$"),
     ("test_resnet smoothing=0.1 loss=mse", "loss=crossentropy or softlabel or .*or ordinal or age_groups$"),
     ("test_resnet momentum=0.8", "optimizer=sgd$"), ("test_resnet metric=f1", "patience=1 or more$"),
     ("test_resnet backbone_lr=0.1 freeze=6", "freeze below epochs$"),
     ("test_resnet pretrained=false weights=FILE", "no weights=FILE$"), ("cnn hidden=64 depth=1", "depth=2 or more$")],
)  # fmt: skip
def test_a_parameter_that_could_change_nothing_is_refused_with_what_it_needs(idle, right, weights):
    name, setting = idle.split()[:2]
    with pytest.raises(UsageError, match=f"(?i)^{name}: {setting} would change nothing, it counts only with {right}"):
        parse(idle.replace("FILE", str(weights[0])))
    counting = ["sigma=3", "smoothing=0.1 loss=age_groups", "momentum=0.8 optimizer=sgd", "metric=f1 patience=1",
                "backbone_lr=0.1 freeze=5", "sigma=2 loss=l1", "momentum=0.9"]  # fmt: skip
    for words in counting:
        parse(f"cnn {words}")


def test_a_wrong_value_is_answered_with_the_name_of_the_network():
    with pytest.raises(UsageError, match=r"'epochs' parameter of test_resnet\.r160_in1k must be"):
        parse("test_resnet.r160_in1k epochs=0")
    with pytest.raises(UsageError, match="'epochs' parameter of CNN must be"):
        parse("cnn epochs=0")


OWN_LOSS = '''"""A loss of one's own."""

from ageensemble.models.neural.losses import YearsLoss


class Squared(YearsLoss):
    exact = True

    def forward(self, output, low, high):
        return (self.distribution(output) @ self.axis - low) ** 2
'''


def test_a_loss_may_be_a_file_but_a_saved_model_runs_none(data, tmp_path):
    file = tmp_path / "squared.py"
    file.write_text(OWN_LOSS)
    spec = parse(f"cnn loss={file} width=4")
    assert spec.name == "cnn loss=squared.py width=4"
    before = spec.config
    file.write_text(OWN_LOSS + "# edited\n")
    assert parse(f"cnn loss={file} width=4").config != before
    model = fitted("cnn", data, tmp_path / "checkpoints", loss=str(file), width=4)
    np.testing.assert_allclose(model.predict_proba(data[0]).sum(1), 1, atol=1e-5)
    model.save(tmp_path)
    with pytest.raises(UsageError, match="a saved model does not run"):
        models.load("cnn").load(tmp_path)


def test_a_network_is_cloned_with_its_extra_parameters():
    network = models.load("test_resnet")(pretrained=False, epochs=3, stem_width=24)
    assert clone(network).get_params() == network.get_params()
    assert network.get_params()["stem_width"] == 24


@pytest.fixture
def fetched(monkeypatch):
    """Names of the weights that were asked for; random ones are what comes."""
    names = []

    def fetch(name, options):
        names.append(name)
        return loading.blank(name.partition(".")[0], options)

    monkeypatch.setattr(loading, "pretrained", fetch)
    return names


def test_which_weights_a_plain_name_means_is_settled_and_what_is_shown_stays(fetched, tmp_path, monkeypatch):
    def now():
        said = []
        spec = parse("test_resnet precision=fp32").resolve(tmp_path, "cpu", 1, said.append)
        assert spec.name == "test_resnet precision=fp32"
        return spec, said[0]

    spec, said = now()
    assert spec.params["pretrained"] == "test_resnet.r160_in1k"
    assert "test_resnet: weights test_resnet.r160_in1k, images normalized" in said
    about = timm_catalog.pretraining("test_resnet")
    monkeypatch.setattr(timm_catalog, "pretraining", lambda name: about | {"weights": f"{name}.better"})
    assert now()[0].config != spec.config
    fetched.clear()
    spec.model_class(**spec.params).backbone(True)  # a fold fit begins with what was resolved
    assert fetched == ["test_resnet.r160_in1k"]


def test_weights_of_a_file_have_no_tag(weights, tmp_path):
    assert settled("test_resnet", tmp_path, weights=str(weights[0]))[0]["pretrained"] is True
    assert settled("test_resnet", tmp_path, pretrained=False)[0]["pretrained"] is False


def test_native_sizes_are_refused_by_a_network_of_one_size():
    with pytest.raises(UsageError, match="test_vit takes images of one size: size=160 or so, not size=native"):
        parse("test_vit pretrained=false size=native")
    assert parse("test_vit pretrained=false size=native dynamic_img_size=true").params["size"] == "native"
    assert parse("test_resnet pretrained=false size=native").params["size"] == "native"


def test_options_of_timm_reach_the_constructor():
    wide = models.load("test_resnet")(pretrained=False, stem_width=24)
    plain = models.load("test_resnet")(pretrained=False)
    counted = [sum(p.numel() for p in model.backbone(False).parameters()) for model in (wide, plain)]
    assert counted[0] != counted[1]


def test_an_option_that_timm_does_not_know_is_refused_by_name():
    with pytest.raises(UsageError, match="wings"):
        parse("test_resnet pretrained=false wings=2")


@pytest.mark.parametrize("option", ["checkpoint_path=x.pth", "num_classes=10", "pretrained_cfg_overlay=x"])
def test_an_option_that_would_bring_in_unchecked_weights_or_other_outputs_is_refused(option):
    for text in (f"test_resnet pretrained=false {option}", f"svm@embedding:test_resnet embedding.{option}"):
        with pytest.raises(UsageError, match=f"{option.partition('=')[0]} cannot be set"):
            parse(text)


def test_overlapping_labeled_ranges_train_where_no_groups_are_needed(data, tmp_path):
    x, y, inner = data
    ranges = np.stack([y[:, 0] - 3, y[:, 0] + 4], 1)
    rows = fitted("cnn", (x, ranges, inner), tmp_path, width=4).predict_proba(x)
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)


def test_a_size_that_a_network_cannot_take_is_one_line_before_any_training():
    with pytest.raises(UsageError, match="does not take images of 128 pixels"):
        models.load("efficientformer_l1")(pretrained=False).fit_bytes(0, 0)


def test_a_mistyped_parameter_is_not_taken_for_an_option():
    with pytest.raises(UsageError, match="did you mean 'epochs'"):
        parse("test_resnet epocs=3")


def test_a_transformer_is_made_for_the_size_that_is_asked():
    model = models.load("test_vit")(pretrained=False, size="64")
    assert model.backbone(False)(torch.zeros(1, 3, 64, 64)).shape == (1, 64)


def test_stochastic_depth_reaches_the_blocks():
    model = models.load("test_efficientnet")(pretrained=False, drop_path=0.5)
    rates = [getattr(layer, "drop_prob", 0) for layer in model.backbone(False).modules()]
    assert 0 < max(rates) <= 0.5


def test_a_network_says_roughly_what_memory_it_needs():
    small, large = (models.load("test_resnet")(pretrained=False, size=size).fit_bytes(0, 0) for size in ("32", "128"))
    assert 2.5e8 < small < large < 3e9


@pytest.mark.slow
def test_a_benchmark_of_networks_from_the_command_line(weights, utkface, cache, tmp_path):
    timm_catalog = [f"test_resnet weights={weights[0]} size=32 epochs=2", "cnn width=4 size=16 epochs=1 batch=8"]
    words = ["--model", timm_catalog[0], "--model", timm_catalog[1], "--no-stack", "--verbose", "--folds", 2]
    done = benchmark(utkface, tmp_path / "runs", cache, *words, pictures=("training",))
    assert done.returncode == 0, done.stderr
    assert "test_resnet: weights of weights.safetensors, images normalized with mean 0.5,0.5,0.5" in done.stderr
    assert "epoch 2/2" in done.stderr
    runs = [folder for folder in experiment(tmp_path / "runs").iterdir() if (folder / "done.json").exists()]
    assert len(runs) == 3
    for run in (run for run in runs if not run.name.startswith("prior")):
        assert (run / "report" / "training.png").exists()
        history = (run / "fold-0" / "history.csv").read_text().splitlines()
        assert history[0].startswith("epoch,")
        assert not (run / "fold-0" / "checkpoints").exists()
    assert "complete, nothing to do" in benchmark(utkface, tmp_path / "runs", cache, *words).stderr
