"""Protocols: who takes part and in which part."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from helpers import own_plugins, sets
from helpers.commands import ageensemble
from helpers.sets import PEOPLE

from ageensemble._utils.console import Console
from ageensemble.data.dataset import load_dataset
from ageensemble.errors import DataError, UsageError
from ageensemble.experiments.config import BenchmarkConfig, DataConfig, Resources
from ageensemble.experiments.experiment import Experiment
from ageensemble.experiments.prepare import prepare
from ageensemble.reporting import leaderboard
from ageensemble.splits import protocols
from ageensemble.splits.protocols import leave_one_person_out as leave_one_person_out_module
from ageensemble.splits.split import TEST, leaking_rows

leave_one_person_out = protocols.PROTOCOLS.load("leave-one-person-out")()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return sets.told(tmp_path_factory.mktemp("told") / "told")


@pytest.fixture(scope="module")
def manifest_told(told, cache):
    return load_dataset(told, cache=cache)


def prepared(cache, data, **options):
    """Dataset, split and metadata of these data."""
    return prepare(BenchmarkConfig(data=DataConfig((data,), **options), resources=Resources(cache)), Console())


def with_official(dataset, words):
    """The dataset with these words for the set's own parts, in turn."""
    taken = dataset.take(np.arange(len(dataset)))
    taken.items["official"] = np.resize(np.array(words, object), len(dataset))
    return taken


# --- who is in which part ---------------------------------------------------------------------------------------


def test_every_protocol_is_listed_with_a_sentence():
    rows = json.loads(ageensemble("list", "protocols", "--json").stdout)
    assert {"utkface-21-60", "leave-one-person-out", "official"} <= set(rows)
    assert all(text.endswith(".") for text in rows.values())


def test_protocol_from_a_file_splits_as_it_says(told, tmp_path, cache):
    file = own_plugins.write(tmp_path, own_plugins.PROTOCOL)
    dataset, split, about = prepared(cache, told, protocol=file)
    assert (split.n_folds, len(split.test), about["protocol"]) == (2, 0, file)
    assert len(dataset) == 60


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("dataset.groups % 2", "dataset.nothing"), "failed: AttributeError"),
        (("return split_from_folds", "return 1, split_from_folds"), "failed|must return"),
    ],
)
def test_protocol_that_fails_is_named_in_one_line(manifest_told, tmp_path, change, complaint):
    file = own_plugins.write(tmp_path, own_plugins.PROTOCOL.replace(*change))
    with pytest.raises(DataError, match=complaint):
        protocols.apply_protocol(file, manifest_told)


def test_utkface_21_60_takes_these_ages_alone_and_a_fifth_of_them_for_the_test(dataset):
    split, taken = protocols.PROTOCOLS.load("utkface-21-60")().apply(dataset, 0, 5)
    inside = ((dataset.age_range >= 21) & (dataset.age_range <= 60)).all(1)
    assert taken.items["item_id"].tolist() == dataset.items["item_id"][inside].tolist()
    assert taken.reasons["not 21 to 60 years old"] == (~inside).sum()
    assert len(split.test) == pytest.approx(0.2 * inside.sum(), abs=2)
    assert len(leaking_rows(split, taken.groups)) == 0
    with pytest.raises(DataError, match="no image of an age from 21 to 60"):
        protocols.PROTOCOLS.load("utkface-21-60")().apply(
            dataset.take(np.flatnonzero(dataset.age_range[:, 0] > 60)), 0, 5
        )


def test_utkface_21_60_is_refused_for_every_other_set(told, manifest_told, dataset):
    protocol = protocols.PROTOCOLS.load("utkface-21-60")()
    assert (dataset.formats, manifest_told.formats) == ({dataset.name: "utkface"}, {"told": "annotations"})
    with pytest.raises(UsageError, match="for UTKFace alone, and told is in the format annotations; neither its name"):
        protocol.apply(manifest_told, 0, 2)
    theirs = replace(dataset, formats={dataset.name: "agedb"})  # whatever the files are called
    with pytest.raises(UsageError, match=f"{dataset.name} is in the format agedb; for the same ages"):
        protocol.apply(theirs, 0, 2)


def test_utkface_21_60_takes_a_table_of_utkface_by_its_name_or_its_files(told, dataset, tmp_path, cache):
    protocol = protocols.PROTOCOLS.load("utkface-21-60")()
    listed = replace(dataset, formats={dataset.name: "csv"})
    assert protocol.apply(listed, 0, 5)[0].hash == protocol.apply(dataset, 0, 5)[0].hash
    shutil.copytree(told, tmp_path / "my-UTKFace")
    named = load_dataset(tmp_path / "my-UTKFace", cache=cache)
    assert len(protocol.apply(named, 0, 2)[1]) == 40
    with pytest.raises(UsageError, match="and told is in the format annotations"):  # one of two sets is enough
        protocol.apply(load_dataset([tmp_path / "my-UTKFace", told], cache=cache), 0, 2)


def test_folds_that_have_no_say_are_said_to_have_none(told, cache, capsys):
    own = {"leave-one-person-out": "12 of its own, a fold for each person", "official": "3 of its own, the set's own"}
    for name, words in own.items():
        prepared(cache, told, protocol=name)
        assert "--folds" not in capsys.readouterr().err
        prepared(cache, told, protocol=name, n_folds=4)
        assert f"--folds 4 changes nothing: this split has {words}" in " ".join(capsys.readouterr().err.split())


def test_another_way_to_the_same_plan_is_named_in_the_header_too(told, tmp_path, cache):
    shutil.copytree(told, tmp_path / "UTKFace-told")
    told, tmp_path = tmp_path / "UTKFace-told", tmp_path / "runs"
    headings = []
    for way in ({"filters": ["age-range=21-60"]}, {"protocol": "utkface-21-60"}, {"filters": ["age-range=21-60"]}):
        dataset, split, about = prepared(cache, told, n_folds=2, **way)
        folder = Experiment.create(tmp_path, dataset, split, about)
        headings.append(leaderboard.heading(folder))
    assert [path.name for path in tmp_path.iterdir()] == [folder.folder.name]
    assert headings[0].startswith("UTKFace-told: 40 items; cleaned: age-range=21-60 (20 left out);")
    assert headings[1].startswith(
        "UTKFace-told: 40 items; protocol utkface-21-60; cleaned: age-range=21-60 (20 left out);"
    )
    assert headings[2] == headings[1]


def test_leave_one_person_out_has_a_fold_for_each_person_and_no_test_part(manifest_told):
    split, taken = leave_one_person_out.apply(manifest_told, 0, 5)
    assert (split.n_folds, split.parts, split.evaluated_part, len(split.test)) == (PEOPLE, ("oof",), "oof", 0)
    for fold in range(PEOPLE):
        assert len(set(taken.items["subject"].iloc[split.held_out(fold)])) == 1
        assert len(split.held_out(fold)) == 5


def test_persons_with_a_photograph_in_common_are_left_out_together(told, tmp_path, cache):
    shutil.copytree(told, tmp_path / "told")
    sets.shared(told / "00.png", tmp_path / "told" / "01.png")
    split, taken = leave_one_person_out.apply(load_dataset(tmp_path / "told", cache=cache), 0, 5)
    assert split.n_folds == PEOPLE - 1
    assert len(leaking_rows(split, taken.groups)) == 0


def test_whom_nobody_knows_is_not_left_out_but_listed(manifest_told, dataset, monkeypatch):
    unknown = manifest_told.take(np.arange(60))
    unknown.items.loc[:4, "subject"] = None
    _, taken = leave_one_person_out.apply(unknown, 0, 5)
    assert (len(taken), taken.reasons) == (55, {"not known who it is": 5})
    with pytest.raises(DataError, match="faces does not say who is in an image"):
        leave_one_person_out.apply(dataset, 0, 5)
    monkeypatch.setattr(leave_one_person_out_module, "MAX_PERSONS", PEOPLE - 1)
    with pytest.raises(DataError, match="shows 12 persons, and each would need its own fit"):
        leave_one_person_out.apply(manifest_told, 0, 5)


def test_official_folds_are_kept_as_they_are_numbered(manifest_told):
    official = protocols.PROTOCOLS.load("official")()
    split, taken = official.apply(manifest_told, 0, 5)
    assert (split.n_folds, split.source, split.parts) == (3, "the set's own folds", ("oof",))
    assert split.fold.tolist() == taken.items["official"].astype(int).tolist()
    from_one = with_official(manifest_told, ["1", "2", "3"])
    assert official.apply(from_one, 0, 5)[0].fold.tolist() == split.fold.tolist()


def test_the_official_test_part_is_obeyed_and_the_rest_is_dealt_out_to_folds(manifest_told):
    words = ["train", "train", "test", "Val", "train", "validation", None, "train", "test", "train", "training", "dev"]
    split, taken = protocols.PROTOCOLS.load("official")().apply(with_official(manifest_told, words), 1, 4)
    assert (split.fold == TEST).tolist() == (taken.items["official"] == "test").tolist()
    assert (split.n_folds, split.source, split.evaluated_part, len(taken)) == (4, "seed 1", "test", 55)
    assert taken.reasons == {"in no part of the set's own": 5}
    assert len(leaking_rows(split, taken.groups)) == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["train", "holdout"], "calls parts of its own 'holdout'; either all are numbers, or of: train, validation"),
        (["0", "1", "test"], "calls parts of its own '0', '1'"),
        (["7"], "60 items outside the test part fill 1 fold, and 2 are needed"),
        (["test"], "0 items outside the test part fill 0 folds, and 5 are needed"),
        ([None], "names no parts of its own"),
    ],
)
def test_parts_that_are_none_are_refused(manifest_told, words, complaint):
    with pytest.raises(DataError, match=complaint):
        protocols.PROTOCOLS.load("official")().apply(with_official(manifest_told, words), 0, 5)


def test_official_parts_that_tear_persons_apart_are_refused_unless_insisted_on(told, tmp_path, cache):
    shutil.copytree(told, tmp_path / "told")
    rows = [f"{i:02}.png,{15 + i},p{i % PEOPLE},{'train' if i < 48 else 'test'}" for i in range(60)]
    (tmp_path / "told" / "annotations.csv").write_text("path,age,subject,official\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match="the protocol official leaks: 60 items with images of the same group"):
        prepared(cache, tmp_path / "told", protocol="official")
    about = prepared(cache, tmp_path / "told", protocol="official", allow_leak=True)[2]
    assert about == {"leaks": 60, "limited": 0, "protocol": "official"}
