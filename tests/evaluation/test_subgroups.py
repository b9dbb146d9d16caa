"""Slices add up, are scored by their own items alone, and say where there is too little to say anything."""

import json

import numpy as np
import pytest
from helpers.made_up import experiment, put
from rich.console import Console

from ageensemble._utils.console import as_json
from ageensemble.ages import AGE_GROUPS, DEFAULT_AGE_GROUPS
from ageensemble.errors import DataError, UsageError
from ageensemble.evaluation import subgroups

N = 600
AGE = np.where(np.arange(N) % 3 == 0, 70, 20)
GENDER = np.array(["female", "male"], object)[np.arange(N) % 2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A third of 70 years and two of 20; `one` is 6 and 1 years off; six people of no known gender, nobody's origin."""
    gender = np.where(np.arange(N) < 6, None, GENDER)
    folder = experiment(tmp_path_factory.mktemp("slices"), AGE, gender=gender)
    put(folder, "one", np.where(AGE == 70, 64, 21))
    put(folder, "other|", AGE + np.where(GENDER == "male", 2, 3))
    put(folder, "test-only", AGE, parts=("test",))
    return folder


def slice_of(part, name):
    [index] = [i for i, row in enumerate(part["slices"]) if row["name"] == name]
    return part["slices"][index], {row["model"]: row["values"][index] for row in part["runs"]}


def shown(content, width=80):
    console = Console(width=width)
    with console.capture() as printed:
        console.print(subgroups.view(content, width))
    return printed.get()


def test_an_age_group_is_scored_by_its_own_items(folder):
    part = subgroups.report(folder, DEFAULT_AGE_GROUPS, "group")["parts"]["oof"]
    assert [row["name"] for row in part["slices"]] == ["all", "18-22", "61-70"]
    old, values = slice_of(part, "61-70")
    assert values["one (import)"] == {"value": 6, "low": 6, "high": 6}
    assert slice_of(part, "18-22")[1]["one (import)"]["value"] == 1
    everybody, values = slice_of(part, "all")
    assert values["one (import)"]["value"] == pytest.approx(1 + 5 * old["items"] / everybody["items"])
    assert values["one (import)"]["low"] < values["one (import)"]["value"] < values["one (import)"]["high"]


def test_the_groups_are_those_asked_for(folder):
    part = subgroups.report(folder, AGE_GROUPS["decades"], "group")["parts"]["test"]
    assert [row["name"] for row in part["slices"]] == ["all", "20-29", "70-79"]
    names = [row["name"] for row in subgroups.report(folder, AGE_GROUPS["adience"], "group")["parts"]["oof"]["slices"]]
    assert names == ["all", "15-20", "60+"]


def test_slices_add_up_whatever_is_not_known(folder):
    for by in ("gender", "group"):
        for rows in (part["slices"] for part in subgroups.report(folder, DEFAULT_AGE_GROUPS, by)["parts"].values()):
            assert rows[0]["items"] == sum(row["items"] for row in rows[1:])
    oof = subgroups.report(folder, DEFAULT_AGE_GROUPS, "gender")["parts"]["oof"]
    assert [row["name"] for row in oof["slices"]] == ["all", "female", "male", "not known"]
    assert slice_of(oof, "male")[1]["other| (import)"]["value"] == 2


def test_the_best_run_comes_first_and_a_part_has_the_runs_that_predict_it(folder):
    parts = subgroups.report(folder, DEFAULT_AGE_GROUPS, "group")["parts"]
    order = {part: [row["model"] for row in found["runs"]] for part, found in parts.items()}
    assert order["oof"] == sorted(order["oof"], key=lambda m: slice_of(parts["oof"], "all")[1][m]["value"])
    assert order["test"][0] == "test-only (import)"
    assert len(order["test"]) == 3


def test_a_small_slice_has_no_interval_in_print_and_is_named_below(folder):
    content = subgroups.report(folder, DEFAULT_AGE_GROUPS, "gender")
    count = slice_of(content["parts"]["oof"], "not known")[0]
    assert not count["enough"]
    for text in (shown(content), subgroups.markdown(content)):
        warning = f"Too few to say anything, fewer than 50 items or 30 groups: not known ({count['items']} items"
        assert warning in " ".join(text.split())
    assert "(few)" in subgroups.markdown(content)


def test_many_photographs_of_few_people_are_a_small_slice():
    sizes = subgroups.sizes(np.repeat([0, 1], 100), np.r_[np.arange(100) % 29, 1000 + np.arange(100) % 30], 2)
    assert sizes == [
        {"items": 100, "groups": 29, "enough": False},
        {"items": 100, "groups": 30, "enough": True},
    ]
    assert not subgroups.sizes(np.zeros(49, int), np.arange(49), 1)[0]["enough"]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_table_fits_the_terminal_and_says_what_it_leaves_out(folder, width):
    text = shown(subgroups.report(folder, DEFAULT_AGE_GROUPS, "gender"), width)
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    assert ("Left out for want of width" in text) == (width < 80)


def test_the_markdown_table_has_as_many_cells_in_each_row(folder):
    lines = [
        line
        for line in subgroups.markdown(subgroups.report(folder, DEFAULT_AGE_GROUPS, "group")).splitlines()
        if line[:1] == "|"
    ]
    counts = [line.replace("\\|", "").count("|") for line in lines]
    assert counts == [5] * 5 + [6] * 5


def test_ranges_are_sliced_by_accuracy_without_those_in_no_group(tmp_path):
    age_groups = AGE_GROUPS["adience"]
    low, high = np.array([*age_groups.ranges, (21, 22)])[np.arange(450) % 9].T
    folder = experiment(tmp_path, np.stack([low, high], 1), gender=GENDER[:450])
    put(folder, "young", np.full(450, 5))
    content = subgroups.report(folder, age_groups, "group")
    assert content["metric"] == "accuracy"
    part = content["parts"]["oof"]
    assert slice_of(part, "4-6")[1]["young (import)"]["value"] == 1
    assert slice_of(part, "0-2")[1]["young (import)"]["value"] == 0
    inside = (age_groups.of(folder.y[folder.split.development]) >= 0).sum()
    assert part["slices"][0]["items"] == inside < len(folder.split.development)
    assert slice_of(subgroups.report(folder, age_groups, "gender")["parts"]["oof"], "all")[0]["items"] == inside
    assert "accuracy by age group" in shown(content)


def test_what_cannot_be_sliced_is_refused_and_what_is_not_there_is_empty(folder, tmp_path):
    with pytest.raises(UsageError, match="--by shoe is not known; one of: gender, ethnicity, group"):
        subgroups.report(folder, DEFAULT_AGE_GROUPS, "shoe")
    with pytest.raises(DataError, match="no photograph of made up says its ethnicity"):
        subgroups.report(folder, DEFAULT_AGE_GROUPS, "ethnicity")
    empty = subgroups.report(experiment(tmp_path, AGE), DEFAULT_AGE_GROUPS, "group")
    assert empty["parts"]["oof"] == {"slices": [], "runs": []}
    assert shown(empty)
    assert subgroups.markdown(empty)
    assert json.loads(as_json(subgroups.report(folder, DEFAULT_AGE_GROUPS, "gender")))["by"] == "gender"


def test_runs_that_are_not_complete_are_named(folder, tmp_path):
    folder = experiment(tmp_path, AGE)
    (folder.folder / "begun").mkdir()
    (folder.folder / "begun" / "run.json").write_text("{")
    assert "Not complete: begun (damaged)." in shown(subgroups.report(folder, DEFAULT_AGE_GROUPS, "group"))
