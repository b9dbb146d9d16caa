"""Several sets as one: ids and people stay apart, a photograph in two of them is found, a whole set can be the test."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from helpers.commands import ageensemble, experiment, said
from helpers.sets import folder_of, shared

from ageensemble._utils.console import Console
from ageensemble.data import concat
from ageensemble.data.dataset import load_dataset
from ageensemble.errors import DataError, UsageError
from ageensemble.experiments.config import BenchmarkConfig, DataConfig, Resources
from ageensemble.experiments.experiment import Experiment
from ageensemble.experiments.prepare import prepare
from ageensemble.inference import model_contents
from ageensemble.splits.split import TEST


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Sets of 20 photographs of ten people each, the same names of people in both; one photograph lies in both."""
    root = tmp_path_factory.mktemp("sets")
    for name in ("alpha", "beta"):
        rows = [(f"{i:02}.png", 20 + 2 * i, f"p{i % 10}") for i in range(20)]
        folder_of(root / name, rows)
    shared(root / "alpha" / "03.png", root / "beta" / "07.png")
    return root


@pytest.fixture(scope="module")
def both(sets, cache):
    return load_dataset([sets / "beta", sets / "alpha"], cache=cache)


def of(dataset, *items):
    return [int(row) for item in items for row in np.flatnonzero(dataset.items["item_id"] == item)]


def prepared(cache, data, **options):
    return prepare(BenchmarkConfig(data=DataConfig(data, **options), resources=Resources(cache)), Console())


# --- one dataset -----------------------------------------------------------------------------------------------


def test_every_item_says_its_set_and_its_photograph_is_where_the_path_leads(both, sets):
    assert both.name == "alpha+beta"
    assert both.items["item_id"].tolist()[::20] == ["alpha/00.png", "beta/00.png"]
    assert both.items["dataset"].value_counts().to_dict() == {"alpha": 20, "beta": 20}
    assert both.root == sets
    assert [str(both.root / path) for path in both.items["path"]] == [
        str(sets / item) for item in both.items["item_id"]
    ]


def test_people_of_the_same_name_in_two_sets_are_two_people(both):
    ann, again, other = both.groups[of(both, "alpha/01.png", "alpha/11.png", "beta/01.png")]
    assert ann == again != other


def test_a_photograph_that_is_in_both_sets_is_found(both):
    mine, theirs = both.groups[of(both, "alpha/03.png", "beta/07.png")]
    assert mine == theirs
    assert len(both.links["same file"]) == 1
    assert len(np.unique(both.groups)) == 19  # of twenty people two are linked by it


def test_the_order_of_the_sets_changes_nothing(both, sets, cache):
    other = load_dataset([sets / "alpha", sets / "beta"], cache=cache)
    assert (other.name, other.hash) == (both.name, both.hash)


def test_one_set_keeps_its_ids_whether_it_is_given_alone_or_in_a_list(sets, cache):
    alone, listed = (load_dataset(data, cache=cache) for data in (sets / "alpha", [sets / "alpha"]))
    assert alone.items["item_id"].iloc[0] == "00.png"
    assert (alone.name, alone.root, alone.hash) == (listed.name, listed.root, listed.hash)


def test_a_set_that_lies_in_the_folder_of_another_keeps_its_paths(sets, tmp_path, cache):
    outer = folder_of(tmp_path / "outer", [("a.png", 20, "x"), ("b.png", 30, "y")])
    folder_of(outer / "inner", [("a.png", 40, "x")])
    dataset = load_dataset([outer, outer / "inner"], cache=cache)
    assert dataset.items["path"].tolist() == ["inner/a.png", "a.png", "b.png"]
    assert dataset.items["item_id"].tolist() == ["inner/a.png", "outer/a.png", "outer/b.png"]


def test_what_cannot_be_used_is_listed_under_its_set(tmp_path, cache):
    one = folder_of(tmp_path / "one", [("a.png", 20, "x")])
    two = folder_of(tmp_path / "two", [("a.png", 20, "x"), ("b.png", 30, "y")])
    (two / "b.png").write_text("no photograph")
    dataset = load_dataset([one, two], cache=cache)
    assert dataset.excluded[["item_id", "path", "reason"]].to_numpy().tolist() == [
        ["two/b.png", "two/b.png", "not an image"]
    ]


def test_a_set_without_one_usable_photograph_is_an_error_though_the_other_is_sound(sets, tmp_path, cache):
    empty = folder_of(tmp_path / "empty", [("a.png", 20, "x")])
    (empty / "a.png").unlink()
    with pytest.raises(DataError, match=r"not one of the 1 items in .*empty is usable: 1 x no such file"):
        load_dataset([sets / "alpha", empty], cache=cache)


def test_sets_of_one_name_are_told_apart_by_the_folder_above(sets, tmp_path):
    for place in ("imdb/faces", "wiki/faces", "other/wiki/faces"):
        (tmp_path / place).mkdir(parents=True)
    assert concat.names([tmp_path / "imdb/faces", tmp_path / "wiki/faces"]) == ["imdb-faces", "wiki-faces"]
    assert concat.names(["demo", sets / "alpha"]) == ["demo", "alpha"]
    with pytest.raises(UsageError, match="two sets are called 'wiki-faces' by their folders; rename one"):
        concat.names([tmp_path / "wiki/faces", tmp_path / "other/wiki/faces"])


def test_the_same_set_twice_is_refused_however_it_is_spelt(sets, tmp_path, monkeypatch):
    monkeypatch.chdir(sets)
    (tmp_path / "link").symlink_to(sets / "alpha")
    for again in ("alpha", "./alpha/", "beta/../alpha", sets / "alpha", tmp_path / "link"):
        with pytest.raises(UsageError, match="is given twice"):
            concat.names(["alpha", again])


@pytest.mark.parametrize("data", [[], [""], ["a", " "]])
def test_no_name_is_no_set(data):
    with pytest.raises(UsageError, match="--data is empty"):
        concat.names(data)


# --- trained on one, tested on another --------------------------------------------------------------------------


def test_the_test_data_are_the_whole_test_part_and_who_is_in_them_is_not_trained_on(sets, cache):
    dataset, split, about = prepared(cache, [sets / "alpha"], test_data=[sets / "beta"], n_folds=3)
    assert set(dataset.items["dataset"][split.test]) == {"beta"}
    assert (len(split.test), split.n_folds) == (20, 3)
    assert set(dataset.items["dataset"][split.development]) == {"alpha"}
    left_out = dataset.excluded.set_index("item_id")["reason"].to_dict()
    assert left_out == {f"alpha/{number}.png": "also in the test data" for number in ("03", "13")}  # and his other
    assert about == {"leaks": 0, "limited": 0, "sets": ["alpha", "beta"], "test_sets": ["beta"]}


def test_a_limit_is_of_what_is_trained_on_and_the_test_data_stay_whole(sets, cache):
    dataset, split, about = prepared(cache, [sets / "alpha"], test_data=[sets / "beta"], n_folds=2, limit=10)
    assert dataset.items["dataset"][split.test].tolist() == ["beta"] * 20
    assert 6 <= len(split.development) <= 14
    assert about["limited"] == 10
    whole = prepared(cache, [sets / "alpha"], test_data=[sets / "beta"], n_folds=2, limit=20)
    assert (len(whole[0]), whole[2]["limited"]) == (38, 0)  # there are not more than 18 without the overlap


def test_a_second_count_says_after_what_and_sets_tested_on_are_named_last(sets, cache, capsys):
    prepared(cache, [sets / "beta"], test_data=[sets / "alpha"], n_folds=2, limit=10)
    lines = " ".join(capsys.readouterr().err.split())
    assert lines.startswith("beta+alpha: 40 usable images in 19 groups after leaving out what is also in ")
    assert " what is also in the test data and --limit 10: " in lines
    assert lines.endswith("excluded 2: 2 also in the test data")
    assert concat.heading(["b", "a", "d", "c"], ["c", "a"]) == "b+d+a+c"


def test_test_data_that_show_everybody_leave_nobody_to_train_on(sets, tmp_path, cache):
    copy = folder_of(tmp_path / "copy", [(f"{i:02}.png", 20, f"q{i}") for i in range(20)])
    for i in range(20):
        shared(sets / "alpha" / f"{i:02}.png", copy / f"{i:02}.png")
    with pytest.raises(DataError, match=r"0 items .* 5 are needed; 20 items left out as also in the test data"):
        prepared(cache, [sets / "alpha"], test_data=[copy])


def test_test_data_of_which_nothing_is_left_are_refused(sets, tmp_path, cache):
    small = folder_of(tmp_path / "small", [("a.png", 20, "x"), ("b.png", 30, "y")])
    with pytest.raises(DataError, match="--filter leaves no image of the test data small"):
        prepared(cache, [sets / "alpha"], test_data=[sets / "beta", small], n_folds=2, filters=["age-range=31-90"])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"split": "split.csv", "limit": 9}, "--limit would change the split that --split gives; use one of them"),
        (
            {"split": "split.csv", "filters": ["conflicting-labels"]},
            "--filter would change the split that --split gives",
        ),
        ({"split": "split.csv", "protocol": "official"}, "--protocol would change the split that --split gives"),
        ({"protocol": "official", "test_data": ["beta"]}, "--test-data would change the split that --protocol gives"),
        ({"protocol": "official", "limit": 9}, "--limit would change the split that --protocol gives"),
        ({"test_data": ["alpha"]}, "alpha is given twice"),
        ({"protocol": "offical"}, "no protocol called 'offical'; known: .*; did you mean 'official'"),
    ],
)
def test_options_that_contradict_each_other_are_refused_before_anything_is_read(options, complaint):
    with pytest.raises(UsageError, match=complaint):
        prepared(None, ["alpha"], **options)


def test_the_command_line_takes_several_sets_and_the_table_says_so(sets, tmp_path, cache):
    gamma = folder_of(tmp_path / "gamma", [(f"{i}.png", 25 + i, f"g{i}") for i in range(6)])
    words = ["--data", sets / "alpha", "--data", sets / "beta", "--test-data", gamma, "--filter", "age-range=21-90"]
    fixed = ["--models", "prior", "--folds", 2, "--device", "cpu", "--cache", cache, "--out", tmp_path / "runs"]
    done = ageensemble("benchmark", *words, *fixed, "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert content["split"]["test_sets"] == ["gamma"]
    made = Experiment(experiment(tmp_path / "runs"))
    assert made.folder.name.startswith("alpha+beta+gamma-")
    assert set(made.items["dataset"][made.split.fold == TEST]) == {"gamma"}
    excluded = pd.read_csv(made.folder / "excluded.csv")
    assert excluded["reason"].str.startswith("cleaned by age-range=21-90").sum() == 2  # the one of 20 years in either
    shown = " ".join(ageensemble("results", tmp_path / "runs", COLUMNS="300").stdout.split())
    assert "alpha+beta+gamma: 44 items; tested on gamma; cleaned: age-range=21-90 (2 left out); 2 excluded; " in shown
    assert "2 folds, 6 test items; split" in shown
    ageensemble("results", tmp_path / "runs", "--export", tmp_path / "out")
    command = "benchmark --data alpha --data beta --test-data gamma --filter age-range=21-90 --folds 2 --seed 0"
    assert command in (tmp_path / "out" / "README.md").read_text()


def test_a_model_card_says_which_photographs_were_chosen():
    cleaned = [{"name": "ages", "value": "21-60", "reason": "age not from 21 to 60 years"}]
    about = {"data": "a+b", "protocol": "official", "cleaned": cleaned, "test_sets": ["b"]}
    said = ["Protocol official.", "Left out: age not from 21 to 60 years.", "Tested on b."]
    assert model_contents._chosen(about) == said
    assert model_contents._chosen({"data": "a"}) == []


def test_a_wrong_second_set_is_one_line(sets, tmp_path, cache):
    words = ["--data", sets / "alpha", "--data", tmp_path / "nowhere", "--cache", cache, "--out", tmp_path / "runs"]
    done = ageensemble("benchmark", *words, "--device", "cpu", "--models", "prior")
    assert (done.returncode, os.listdir(tmp_path)) == (3, [])
    assert "no such file or folder" in said(done)
