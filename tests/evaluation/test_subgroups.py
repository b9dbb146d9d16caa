"""Subgroups add up, are scored by their own items alone, and say where there is too little to say anything."""

import json
import re

import numpy as np
import pytest
from helpers.made_up import certain, experiment, put
from rich.console import Console

from ageensemble._utils.console import as_json
from ageensemble.ages import AGE_GROUPS, DEFAULT_AGE_GROUPS
from ageensemble.errors import DataError, UsageError
from ageensemble.evaluation import subgroups
from ageensemble.evaluation.predictions import Predictions
from ageensemble.evaluation.subgroups import evaluate
from ageensemble.reporting import tables

N = 600
AGE = np.where(np.arange(N) % 3 == 0, 70, 20)
GENDER = np.where(np.arange(N) < 6, None, np.array(["female", "male"], object)[np.arange(N) % 2])
"""A third of 70 years and two of 20; six people of no known gender."""


def predicted(years, name="", age_range=AGE, gender=GENDER):
    attributes = {"gender": gender[: len(years)], "ethnicity": [None] * len(years)}
    return Predictions(certain(years), age_range, attributes=attributes, name=name)


@pytest.fixture(scope="module")
def one():
    """6 years off for the old, 1 for the young."""
    return predicted(np.where(AGE == 70, 64, 21), "one")


def values(found, metric="mae", model=0):
    """{subgroup: value}."""
    names = [size["name"] for size in found.subgroups]
    return {name: estimate.value for name, estimate in zip(names, found.estimates[model][metric], strict=True)}


def shown(found, width=80):
    console = Console(width=width)
    with console.capture() as printed:
        console.print(found.table().rich(width))
    return printed.get()


def test_age_group_is_scored_by_its_own_items(one):
    found = evaluate(one, ["mae"], by="age_group")
    assert values(found) == {"all": 1 * 2 / 3 + 6 / 3, "18-22": 1, "61-70": 6}
    whole, young, old = found.estimates[0]["mae"]
    assert whole.interval()[0] < whole.value < whole.interval()[1]
    assert young.interval() == (1, 1)
    assert old.interval() == (6, 6)


def test_age_groups_are_those_asked_for(one):
    assert list(values(evaluate(one, ["mae"], "age_group", "decades"))) == ["all", "20-29", "70-79"]
    assert list(values(evaluate(one, ["mae"], "age_group", "adience"))) == ["all", "15-20", "60+"]


def test_subgroups_add_up_whatever_is_not_known(one):
    found = evaluate([one, predicted(AGE + np.where(GENDER == "male", 2, 3), "other")], ["mae"], by="gender")
    assert [size["name"] for size in found.subgroups] == ["all", "female", "male", "not known"]
    assert found.subgroups[0]["items"] == sum(size["items"] for size in found.subgroups[1:]) == N
    assert values(found, model=1)["male"] == 2


def test_evaluate_gives_every_metric_with_its_interval(one):
    frame = evaluate(one).frame.set_index("metric")
    assert frame.loc["bias", "value"] == pytest.approx(2 / 3 - 2)
    assert frame.loc["mae", "low"] < frame.loc["mae", "value"] < frame.loc["mae", "high"]
    assert len(evaluate(one).table().rows) == len(frame)
    assert evaluate(one, by="gender").to_dict()["by"] == "gender"


def test_small_subgroup_has_no_interval_in_print_and_is_named(one):
    found = evaluate(one, ["mae"], by="gender")
    assert not found.subgroups[-1]["enough"]
    for text in (shown(found), found.table().markdown()):
        warning = "Too few to say anything, fewer than 50 items or 30 groups: not known (6 items, 6 groups)"
        assert warning in " ".join(text.split())
    assert "(few)" in found.table().markdown()


def test_many_items_of_few_groups_are_a_small_subgroup():
    sizes = subgroups.sizes(np.repeat([0, 1], 100), np.r_[np.arange(100) % 29, 1000 + np.arange(100) % 30], 2)
    assert sizes == [
        {"items": 100, "groups": 29, "enough": False},
        {"items": 100, "groups": 30, "enough": True},
    ]
    assert not subgroups.sizes(np.zeros(49, int), np.arange(49), 1)[0]["enough"]


@pytest.mark.parametrize("width", [30, 50, 80, 120])
def test_table_fits_the_terminal_and_says_what_it_leaves_out(one, width):
    others = [predicted(AGE + 2, f"a model with a long name {i}") for i in range(3)]
    text = shown(evaluate([one, *others], ["mae"], by="gender"), width)
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    assert ("Left out as the terminal is narrow" in " ".join(text.split())) == (width < 80)


def test_ranges_are_cut_without_those_in_no_age_group():
    age_groups = AGE_GROUPS["adience"]
    low, high = np.array([*age_groups.ranges, (21, 22)])[np.arange(450) % 9].T
    young = predicted(np.full(450, 5), "young", np.stack([low, high], 1))
    found = evaluate(young, ["accuracy"], "age_group", age_groups)
    assert values(found, "accuracy")["4-6"] == 1
    assert values(found, "accuracy")["0-2"] == 0
    assert found.subgroups[0]["items"] == 400
    assert evaluate(young, ["accuracy"], "gender", age_groups).subgroups[0]["items"] == 400


def test_unknown_attribute_is_refused(one):
    with pytest.raises(UsageError, match="no attribute called 'shoe'; there are: age_group, gender"):
        evaluate(one, by="shoe")
    with pytest.raises(DataError, match="ethnicity is not known of any item"):
        evaluate(one, by="ethnicity")


# --- runs on disk -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = experiment(tmp_path_factory.mktemp("slices"), AGE, gender=GENDER)
    put(folder, "one", np.where(AGE == 70, 64, 21))
    put(folder, "other|", AGE + np.where(GENDER == "male", 2, 3))
    put(folder, "test-only", AGE, parts=("test",))
    return folder


def test_best_run_comes_first_on_each_part_that_it_predicts(folder):
    found = tables.evaluate_runs(folder, DEFAULT_AGE_GROUPS, "age_group")
    content = json.loads(as_json(tables.subgroup_content(folder, "age_group", found)))
    order = {part: [row["model"] for row in one["runs"]] for part, one in content["parts"].items()}
    assert order["oof"] == ["other| (import)", "one (import)"]
    assert order["test"][0] == "test-only (import)"
    assert content["metric"] == "mae"
    assert content["parts"]["oof"]["runs"][1]["values"][2] == {"value": 6, "low": 6, "high": 6}


def test_markdown_table_has_as_many_cells_in_each_row(folder):
    shown = tables.subgroup_tables(folder, tables.evaluate_runs(folder, DEFAULT_AGE_GROUPS, "age_group"))
    lines = [line for table in shown for line in table.markdown().splitlines() if line[:1] == "|"]
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [5] * 5 + [6] * 5


def test_runs_that_are_not_complete_are_named(tmp_path):
    folder = experiment(tmp_path, AGE)
    assert tables.evaluate_runs(folder, DEFAULT_AGE_GROUPS, "age_group") == {}
    put(folder, "one", AGE)
    (folder.folder / "begun").mkdir()
    (folder.folder / "begun" / "run.json").write_text("{")
    last = tables.subgroup_tables(folder, tables.evaluate_runs(folder, DEFAULT_AGE_GROUPS, "age_group"))[-1]
    assert "Not complete: begun (damaged)." in last.notes
