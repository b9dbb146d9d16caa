"""Model folders from strangers: damaged, tampered with, or made to harm; one line each, and nothing of theirs runs."""

import json
import pickle
import shutil

import numpy as np
import pytest
from helpers.commands import ageensemble, said
from helpers.saved_models import model_folder, rewritten, runs

from ageensemble import inference
from ageensemble.errors import DataError


@pytest.fixture(scope="module")
def sound(utkface, cache, tmp_path_factory):
    split = runs(utkface, tmp_path_factory.mktemp("hostile") / "runs", cache)
    return model_folder(split, "mean", tmp_path_factory.mktemp("hostile") / "model")


@pytest.fixture
def folder(sound, tmp_path):
    shutil.copytree(sound, tmp_path / "model")
    return tmp_path / "model"


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return open, (self.file, "w")


def refused(folder, why):
    with pytest.raises(DataError, match=why):
        inference.load_model(folder, device="cpu")


def test_no_folder_and_no_model_folder(tmp_path):
    refused(tmp_path / "nowhere", "does not exist; 'ageensemble models save RUN' makes")
    refused(tmp_path, "is no model folder, it has no model.json")
    done = ageensemble("models", "show", tmp_path)
    assert done.returncode == 3
    assert "no model.json" in said(done)


def test_a_file_that_lost_its_end_or_a_bit_or_is_gone(folder):
    file = next(folder.rglob("*.safetensors"))
    content = file.read_bytes()
    file.write_bytes(content[:-7])
    refused(folder, f"{file.name} is damaged or was changed")
    file.write_bytes(content[:50] + bytes([content[50] ^ 1]) + content[51:])
    refused(folder, "is damaged or was changed")
    file.unlink()
    refused(folder, f"lacks members/.*{file.name}")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1', "[" * 100_000, "\x00"])
def test_a_description_that_is_none(folder, text):
    (folder / "model.json").write_text(text)
    refused(folder, r"model\.json is damaged|is of format")


def test_a_description_edited_by_hand(folder):
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"kind": "stack"', '"kind": "stuck"'))
    refused(folder, "is not as it was written")


def test_a_folder_of_a_later_format(folder):
    rewritten(folder, lambda content: content.update(format=3))
    refused(folder, "is of format 3, and this ageensemble reads format 2")


def test_a_pickle_inside_is_refused_unread_listed_or_not(folder, tmp_path):
    trap = tmp_path / "sprung"
    (folder / "members" / "0" / "model.pkl").write_bytes(pickle.dumps(Bomb(trap)))
    refused(folder, "holds 'members/0/model.pkl', which is not part of the model")
    rewritten(folder, lambda content: content["files"].update({"members/0/model.pkl": ""}))
    refused(folder, "only .json, .safetensors")
    assert not trap.exists()


@pytest.mark.parametrize("name", ["part.skops", "part.npy", "script.py", "graph.pt", "run.sh", "no-ending"])
def test_files_that_may_hold_a_program_are_refused_by_their_kind(folder, name):
    (folder / name).write_bytes(b"PK\x03\x04")
    rewritten(folder, lambda content: content["files"].update({name: ""}))
    refused(folder, "only .json, .safetensors")


def test_pickled_arrays_under_an_innocent_name_are_not_unpickled(folder, tmp_path):
    trap = tmp_path / "sprung"
    file = next(folder.rglob("arrays.safetensors"))
    file.write_bytes(pickle.dumps(Bomb(trap)))
    rewritten(folder, lambda content: None)
    refused(folder, "cannot be loaded")
    assert not trap.exists()


@pytest.mark.parametrize("name", ["../outside.json", "/etc/passwd.json", "a/../../b.json", "C:\\x.json", "..\\x.json"])
def test_a_path_that_leads_out_of_the_folder(folder, name):
    rewritten(folder, lambda content: content["files"].update({name: ""}))
    text = json.loads((folder / "model.json").read_text())
    text["files"][name] = "0" * 64
    del text["seal"]
    from ageensemble._utils.io import content_key

    (folder / "model.json").write_text(json.dumps(text | {"seal": content_key(text)}))
    refused(folder, "leads out of the folder")


def test_a_link_that_leads_out_of_the_folder(folder, tmp_path):
    (tmp_path / "secret.json").write_text("{}")
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    rewritten(folder, lambda content: content["files"].update({"link.json": ""}))
    refused(folder, "leads out of the folder")


def test_a_cell_or_a_network_outside_the_folder(folder):
    rewritten(folder, lambda content: content["members"][0]["fold_models"][0].update(folder="../../elsewhere"))
    refused(folder, "cannot be loaded.*not in the folder")


def test_a_model_or_feature_set_that_is_a_file_of_theirs(folder, tmp_path):
    trap = tmp_path / "sprung"
    (tmp_path / "evil.py").write_text(f"open({str(trap)!r}, 'w')\n")
    rewritten(folder, lambda content: content["members"][0].update(model=str(tmp_path / "evil.py")))
    refused(folder, "cannot be loaded")
    rewritten(
        folder, lambda content: content["members"][0].update(model="prior", features=[[str(tmp_path / "evil.py"), {}]])
    )
    refused(folder, "cannot be loaded")
    assert not trap.exists()


def test_a_network_of_the_hub_is_not_asked_for(folder, monkeypatch):
    def called(*_):
        raise AssertionError("the network was used")

    monkeypatch.setattr("socket.socket.connect", called)
    rewritten(folder, lambda content: content["members"][0].update(model="hf-hub:somebody/something"))
    refused(folder, "cannot be loaded")


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(members=[]),
        lambda c: c.update(members=7),
        lambda c: c.update(pool={"kind": "log"}),
        lambda c: c.update(pool=None),
        lambda c: c.update(intervals={"0.9": {"level": 0.9, "classes": []}}),
        lambda c: c.update(intervals=[]),
        lambda c: c["members"][0].update(model="no-such-model"),
        lambda c: c["members"][0].update(fold_models=[]),
        lambda c: c["members"][0]["fold_models"][0].update(prior=[1.0]),
        lambda c: c["members"][0]["fold_models"][0].update(prior=[float("nan")] * 121),
        lambda c: c["members"][0].update(features=[["nothing", {}]]),
        lambda c: c.pop("name"),
        lambda c: c.pop("template"),
        lambda c: c.update(template={"detector": 7}),
    ],
)
def test_a_description_that_makes_no_sense_is_one_line(folder, change):
    rewritten(folder, change)
    refused(folder, "cannot be loaded")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_weights_that_are_no_numbers_are_an_error_not_an_age(folder):
    rewritten(folder, lambda content: content["pool"].update(weights=[float("nan")] * len(content["members"])))
    with pytest.raises(DataError, match="cannot predict"):
        inference.load_model(folder, device="cpu").predict([np.zeros((32, 32, 3), np.uint8)])


def test_arrays_of_the_wrong_shape_are_an_error_not_a_number(folder, utkface):
    from safetensors.numpy import load_file, save_file

    file = next(f for f in folder.rglob("arrays.safetensors") if "machine.vectors" in load_file(f))
    arrays = load_file(file)
    arrays["machine.vectors"] = arrays["machine.vectors"][:, :-1].copy()
    save_file(arrays, file)
    rewritten(folder, lambda content: None)
    picture = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(DataError, match="cannot predict"):
        inference.load_model(folder, device="cpu").predict([picture])
