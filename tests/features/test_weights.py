"""Weights come from a file without running its code, or from the hub within seconds, and never from nowhere."""

import contextlib
import http.server
import json
import threading
import time

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from ageensemble._utils.io import content_key
from ageensemble.errors import DataError, UsageError
from ageensemble.features.backbones import timm_catalog, weights
from ageensemble.models.neural import timm as _timm

NAME = "test_resnet"


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(1)
    return timm.create_model(NAME)


@pytest.fixture(scope="module")
def state(net):
    return net.state_dict()


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
@pytest.mark.parametrize("kept_as", ["plain", "of a training", "of many GPUs"])
def test_a_file_gives_its_weights_in_whatever_way_it_was_saved(tmp_path, state, ending, kept_as):
    file = tmp_path / f"w.{ending}"
    if ending == "safetensors":
        save_file(state, file)
    elif kept_as == "of a training":
        torch.save({"epoch": 3, "state_dict": {}, "state_dict_ema": state}, file)
    elif kept_as == "of many GPUs":
        torch.save({f"module.{name}": value for name, value in state.items()}, file)
    else:
        torch.save(state, file)
    other = timm.create_model(NAME)
    assert weights.load(other, file) == []
    assert all(torch.equal(value, state[name]) for name, value in other.state_dict().items())


def test_a_classifier_of_another_width_stays_and_is_named(tmp_path, state):
    save_file(state, tmp_path / "w.safetensors")
    other = timm.create_model(NAME, num_classes=121)
    before = other.fc.weight.clone()
    assert weights.load(other, tmp_path / "w.safetensors") == ["fc.weight", "fc.bias"]
    assert torch.equal(other.fc.weight, before)
    assert torch.equal(other.conv1[0].weight, state["conv1.0.weight"])


def test_a_network_without_a_classifier_leaves_the_one_in_the_file(tmp_path, state):
    save_file(state, tmp_path / "w.safetensors")
    assert weights.load(timm.create_model(NAME, num_classes=0), tmp_path / "w.safetensors") == []


def without(state, name):
    return {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda s: s | {"conv1.0.weight": torch.zeros(9, 3, 3, 3)}, r"conv1.0.weight has shape \(9, 3, 3, 3\), not"),
        (lambda s: without(s, "conv1.0.weight"), "conv1.0.weight is missing"),
        (lambda s: s | {"extra.weight": torch.zeros(2)}, "it has extra.weight, which this one has not"),
        (lambda s: {"epoch": 3}, "holds no weights"),
        (lambda s: {}, "holds no weights"),
        (lambda s: s | {"note": print}, "it is pickled, and that could run code"),
    ],
)
def test_weights_of_another_network_are_refused_by_the_first_that_is_wrong(tmp_path, state, change, complaint):
    torch.save(change(state), tmp_path / "w.pth")
    with pytest.raises(DataError, match=complaint):
        weights.load(timm.create_model(NAME), tmp_path / "w.pth")


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_file_cut_short_is_no_weights(tmp_path, state, ending):
    file = tmp_path / f"w.{ending}"
    save_file(state, file) if ending == "safetensors" else torch.save(state, file)
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(DataError, match=f"no weights can be read from .*w.{ending}") as caught:
        weights.load(timm.create_model(NAME), file)
    assert "\n" not in str(caught.value)


def test_a_file_that_pickles_is_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"conv1.0.weight": Trap()}, tmp_path / "w.pth")
    with pytest.raises(DataError, match="pickled"):
        weights.load(timm.create_model(NAME), tmp_path / "w.pth")
    assert not (tmp_path / "sprung").exists()


# --- the hub ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def hub(monkeypatch, cache, answer):
    """A hub on this machine; `answer(path)` returns (status, bytes) of a file."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            status, content = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{content_key(self.path)}"')
            self.send_header("X-Repo-Commit", "0" * 40)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def a_few_seconds():
    start = time.perf_counter()
    yield
    assert time.perf_counter() - start < 20  # its own library would try for 46


def test_weights_come_from_the_hub_once_and_then_from_the_cache(monkeypatch, tmp_path, state):
    save_file(state, tmp_path / "w.safetensors")
    asked = []

    def answer(path):
        asked.append(path)
        return (200, (tmp_path / "w.safetensors").read_bytes()) if path.endswith("model.safetensors") else (200, b"")

    with hub(monkeypatch, tmp_path / "cache", answer):
        got = weights.pretrained(NAME, {"num_classes": 0}).state_dict()
        assert torch.equal(got["conv1.0.weight"], state["conv1.0.weight"])
    before = len(asked)
    with a_few_seconds():  # there is no hub any more
        again = weights.pretrained(NAME, {"num_classes": 0}).state_dict()
    assert torch.equal(again["conv1.0.weight"], state["conv1.0.weight"])
    assert len(asked) == before
    assert constants.HF_HUB_OFFLINE is False


def test_a_damaged_copy_in_the_cache_is_named(monkeypatch, tmp_path):
    damaged = pytest.raises(DataError, match=r"the copy in .*cache is damaged, delete it")
    with hub(monkeypatch, tmp_path / "cache", lambda path: (200, b"half of it")), damaged:
        weights.pretrained(NAME, {})


def test_a_network_described_on_the_hub_is_made_from_there(monkeypatch, tmp_path, state):
    save_file(state, tmp_path / "w.safetensors")
    about = {
        "architecture": NAME,
        "num_classes": 1000,
        "pretrained_cfg": {"input_size": [3, 64, 64], "classifier": "fc"},
    }
    files = {"config.json": json.dumps(about).encode(), "model.safetensors": (tmp_path / "w.safetensors").read_bytes()}
    with hub(monkeypatch, tmp_path / "cache", lambda path: (200, files.get(path.rpartition("/")[2], b""))):
        net = weights.pretrained("hf-hub:somebody/faces", {"num_classes": 0})
        model = _timm.of("hf-hub:somebody/faces")(size="64")
        assert model.origin == {"weights": "hf-hub:somebody/faces", "commit": "0" * 40}
    assert weights.commit("hf-hub:somebody/faces") == "0" * 40  # no hub is needed to know
    assert (weights.commit("hf-hub:somebody/else"), weights.commit(NAME)) == ("", "")
    assert torch.equal(net.state_dict()["conv1.0.weight"], state["conv1.0.weight"])
    assert list(net.pretrained_cfg["input_size"]) == [3, 64, 64]


@pytest.mark.parametrize(("status", "complaint"), [(503, "answers with error 503"), (404, "404")])
def test_a_hub_in_trouble_is_one_line_within_seconds(monkeypatch, tmp_path, status, complaint):
    one_line = pytest.raises(DataError, match=f"no pretrained weights for {NAME}, neither here nor .*{complaint}")
    with hub(monkeypatch, tmp_path, lambda path: (status, b"")), a_few_seconds(), one_line as caught:
        weights.pretrained(NAME, {})
    assert "weights=FILE" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_hub_at_all_is_one_line_within_seconds(monkeypatch, tmp_path):
    with hub(monkeypatch, tmp_path, None):
        pass  # and gone
    with a_few_seconds(), pytest.raises(DataError, match=r"no connection to http://127.0.0.1"):
        weights.pretrained(NAME, {})


def test_a_hub_that_says_nothing_is_not_waited_for(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "ANSWER_SECONDS", 0.2)
    one_line = pytest.raises(DataError, match=r"no connection to .*timed out")
    with hub(monkeypatch, tmp_path, lambda path: time.sleep(1) or (200, b"")), a_few_seconds(), one_line:
        weights.pretrained(NAME, {})


def test_a_network_for_which_timm_has_no_weights_says_so():
    lacking = next(name for name in timm.list_models() if not timm.models.get_pretrained_cfg(name).has_weights)
    with pytest.raises(DataError, match=f"timm has no pretrained weights for {lacking}; weights=FILE"):
        weights.pretrained(lacking, {})


def test_an_option_that_timm_does_not_have_is_a_usage_error():
    with pytest.raises(UsageError, match=r"timm cannot make test_resnet color=blue: .*unexpected keyword argument"):
        weights.blank(NAME, {"color": "blue"})


# --- what timm says of its networks ----------------------------------------------------------------------------------


def test_a_name_means_the_weights_that_timm_prefers_now():
    about = timm_catalog.pretraining("resnet50")
    assert about["weights"] == f"resnet50.{timm.models.get_pretrained_cfg('resnet50').tag}"
    assert timm_catalog.pretraining("resnet50.a1_in1k")["weights"] == "resnet50.a1_in1k"
    assert (about["size"], about["one_size"], about["mean"]) == (224, False, "0.485,0.456,0.406")
    assert timm_catalog.pretraining("vit_tiny_patch16_224")["one_size"]


def test_all_that_timm_knows_has_a_description():
    names = [name for name in timm.list_models() if timm_catalog.has_network(name)]
    assert len(names) == len(timm.list_models()) > 500
    assert all(timm_catalog.channel_values("std", timm_catalog.pretraining(name)["std"]) for name in names)


def test_numbers_are_one_or_three_and_a_deviation_is_above_0():
    assert timm_catalog.channel_values("mean", "0.5") == [0.5, 0.5, 0.5]
    assert timm_catalog.channel_values("embedding.std", "0.1,0.2,0.3") == [0.1, 0.2, 0.3]
    for text in ("grayscale", "", "1,2", "nan", "inf", "0.5,0.5,0.5,0.5"):
        with pytest.raises(UsageError, match=f"mean={text} must be one number or three, such as 0.5"):
            timm_catalog.channel_values("mean", text)
    for key in ("std", "embedding.std"):
        with pytest.raises(UsageError, match=f"{key}=0.5,0,0.5 must be one number or three above 0"):
            timm_catalog.channel_values(key, "0.5,0,0.5")
