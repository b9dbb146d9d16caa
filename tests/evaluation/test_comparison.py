"""Two models against each other: what differs, how surely, where, and what nobody can say."""

import json

import numpy as np
import pytest
from helpers.made_up import certain, experiment, put
from rich.console import Console

from ageensemble._utils.console import as_json
from ageensemble._utils.io import read_json, write_json
from ageensemble.ages import AGE_GROUPS, DEFAULT_AGE_GROUPS
from ageensemble.errors import DataError, UnequalError, UsageError
from ageensemble.evaluation.comparison import compare
from ageensemble.evaluation.predictions import Predictions
from ageensemble.reporting import tables

N = 400
AGE = np.where(np.arange(N) % 2, 30, 70)
GENDER = np.where(np.arange(N) % 4 < 2, "female", "male")


def compared(a, b, age_range=AGE, groups=None, gender=GENDER, **more):
    known = {"age_range": age_range, "groups": groups, "attributes": {"gender": gender, "ethnicity": [None] * N}}
    return compare(Predictions(certain(a), **known), Predictions(certain(b), **known), **more).to_dict()


def found(content, name):
    [row] = [row for row in content["where"] if row["name"] == name]
    return row


def test_a_difference_that_is_always_the_same_has_no_doubt():
    content = compared(AGE + 1, AGE + 3)
    row = content["metrics"]["mae"]
    assert (row["a"], row["b"], row["difference"], row["low"], row["high"]) == (1, 3, -2, -2, -2)
    assert row["p_a_better"] == 1
    assert content["practical"] == {"a_better": 1, "equal": 0, "b_better": 0}
    assert set(content["metrics"]) == {"mae", "cs5", "accuracy", "f1_weighted"}


def test_swapping_the_two_turns_every_sign():
    rng = np.random.default_rng(0)
    a, b = AGE + rng.integers(-8, 8, N), AGE + rng.integers(-9, 9, N)
    there, back = compared(a, b), compared(b, a)
    for name, row in there["metrics"].items():
        other = back["metrics"][name]
        assert other["difference"] == -row["difference"]
        assert (other["low"], other["high"]) == pytest.approx((-row["high"], -row["low"]))
        assert other["p_a_better"] == pytest.approx(1 - row["p_a_better"])
    assert back["practical"]["a_better"] == pytest.approx(there["practical"]["b_better"])
    assert back["practical"]["equal"] == pytest.approx(there["practical"]["equal"])


def test_more_right_answers_are_better_and_more_years_off_are_worse():
    right = np.where(np.arange(N) % 3 == 0, AGE + 20, AGE)
    content = compared(right, AGE + 20)
    assert all(row["p_a_better"] == 1 for row in content["metrics"].values())


def test_the_same_answers_are_practically_equal_and_as_likely_better_as_worse():
    content = compared(AGE + 2, AGE - 2)
    assert content["metrics"]["mae"]["p_a_better"] == 0.5
    assert content["practical"] == {"a_better": 0, "equal": 1, "b_better": 0}
    assert not any(row["holds"] for row in content["where"])


def test_the_rope_decides_what_counts_as_equal():
    a = AGE + (np.arange(N) < 40)  # a tenth of a year worse on average
    chances = [compared(a, AGE, rope=rope)["practical"] for rope in (0, 0.05, 0.1, 0.2)]
    assert [round(c["b_better"], 1) for c in chances] == [1, 1, 0.5, 0]
    assert chances[3]["equal"] == 1
    assert all(sum(c.values()) == pytest.approx(1) for c in chances)


def test_where_they_differ_most_comes_first_with_its_sign():
    a = AGE + np.where(AGE == 70, 6, 1)
    content = compared(a, AGE + 2)
    assert content["where"][0] | {"p": 0} == {
        "by": "age_group", "name": "61-70", "items": 200, "groups": 200, "difference": 4, "low": 4, "high": 4, "p": 0,
        "holds": True,
    }  # fmt: skip
    assert found(content, "28-33")["difference"] == -1
    assert found(content, "female")["difference"] == pytest.approx(1.5)
    sizes = [abs(row["difference"]) for row in content["where"]]
    assert sizes == sorted(sizes, reverse=True)


def test_what_nobody_knows_is_no_slice_and_a_few_unknown_ones_are_counted():
    assert {row["by"] for row in compared(AGE, AGE + 1)["where"]} == {"age_group", "gender"}
    content = compared(AGE, AGE + 1, gender=np.where(np.arange(N) < 7, None, GENDER))
    assert content["too_small"] == [{"by": "gender", "name": "not known", "items": 7, "groups": 7}]
    assert sum(row["items"] for row in content["where"] + content["too_small"] if row["by"] == "gender") == N


def test_many_items_of_few_clusters_are_too_small_a_slice():
    groups = np.where(AGE == 70, np.arange(N) % 29, 1000 + np.arange(N))
    content = compared(AGE, AGE + 1, groups=groups)
    small = [row for row in content["too_small"] if row["by"] == "age_group"]
    assert [(row["name"], row["items"]) for row in small] == [("61-70", 200)]
    assert small[0]["groups"] < 30


def test_chance_alone_is_seldom_marked():
    rng = np.random.default_rng(0)
    marked = 0
    for _ in range(20):
        a, b = (AGE + rng.integers(-9, 10, N) for _ in range(2))
        marked += any(row["holds"] for row in compared(a, b)["where"])
    assert marked <= 3


def test_ranges_are_compared_by_accuracy():
    age_groups = AGE_GROUPS["adience"]
    low, high = np.array(age_groups.ranges)[np.arange(N) % 8].T
    content = compared(low, np.full(N, 45), np.stack([low, high], 1), age_groups=age_groups)
    assert set(content["metrics"]) == {"accuracy", "f1_weighted"}
    assert content["practical"] is None
    assert content["where_metric"] == "accuracy"
    assert found(content, "4-6")["difference"] == 1
    assert found(content, "38-43")["difference"] == 1


def test_verdict_names_the_better_model_and_the_probabilities():
    a, b, other = (Predictions(certain(years), AGE) for years in (AGE + 1, AGE + 3, AGE - 1))
    assert compare(a, b).verdict().startswith("A is better in MAE. Better by more than 0.1 years: A with P = 1.000")
    assert compare(b, a).verdict().startswith("B is better in MAE")
    assert compare(a, other).verdict().startswith("No significant difference in MAE")


def test_comparison_renders_in_a_notebook_and_as_a_frame():
    found = compare(Predictions(certain(AGE), AGE, name="<a>"), Predictions(certain(AGE + 1), AGE, name="b"))
    assert "A: &lt;a&gt;, B: b" in found._repr_html_()
    assert found.frame.loc["mae", "difference"] == -1


def test_predictions_that_cannot_be_compared_are_refused():
    one = Predictions(certain(AGE), AGE)
    for rope in (-1, np.nan, np.inf):
        with pytest.raises(UsageError, match="not a number of years"):
            compare(one, one, rope=rope)
    with pytest.raises(DataError, match="no item lies in one of the groups"):
        compare(*[Predictions(certain([20]), [[20, 22]])] * 2, age_groups="30-40")


# --- runs on disk -----------------------------------------------------------------------------------------------


def shown(found, width=80):
    console = Console(width=width)
    with console.capture() as printed:
        for table in tables.comparison_tables(found):
            console.print(table.rich(width))
    return printed.get()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = experiment(tmp_path_factory.mktemp("pairs"), AGE, gender=GENDER)
    rng = np.random.default_rng(0)
    put(folder, "one", AGE + rng.integers(-3, 4, N))
    put(folder, "[red]other", AGE + rng.integers(-6, 7, N))
    put(folder, "test-only", AGE, parts=("test",))
    (folder.folder / "begun").mkdir()
    (folder.folder / "begun" / "run.json").write_text("{")
    return folder


def run(folder, name):
    [run] = [run for run in folder.runs if name in run.folder.name]
    return run


def test_two_runs_are_compared_on_both_parts(folder):
    pair = run(folder, "one"), run(folder, "other")
    found = tables.compare_runs(folder, *pair, DEFAULT_AGE_GROUPS)
    assert found["oof"].items == len(folder.split.development)
    assert found["test"].items == len(folder.split.test)
    content = json.loads(as_json(tables.comparison_content(folder, *pair, DEFAULT_AGE_GROUPS, found)))
    assert content["rope"] == 0.1
    assert content["b"]["model"] == "[red]other (import)"
    text = shown(found)
    assert "A is better in MAE." in text
    assert "out-of-fold" in text
    assert "test part" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_run_without_out_of_fold_is_compared_on_the_test_part(folder):
    found = tables.compare_runs(folder, run(folder, "one"), run(folder, "test-only"), DEFAULT_AGE_GROUPS)
    assert list(found) == ["test"]
    assert "Left out, fewer than 50 items or 30 groups" in shown(found).replace("\n", " ")


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [("one", "one", "compared with itself"), ("one", "begun", "begun is damaged and cannot be compared")],
)
def test_runs_that_cannot_be_compared_are_refused(folder, a, b, message):
    with pytest.raises(UsageError, match=message):
        tables.compare_runs(folder, run(folder, a), run(folder, b), DEFAULT_AGE_GROUPS)


def test_run_of_another_split_is_refused(tmp_path):
    folder = experiment(tmp_path, AGE)
    put(folder, "one", AGE)
    put(folder, "strange", AGE)
    file = folder.folder / "strange" / "run.json"
    content = read_json(file)
    content["config"]["split"] = "another"
    write_json(file, content)
    with pytest.raises(UnequalError, match="was made on another split"):
        tables.compare_runs(folder, run(folder, "one"), run(folder, "strange"), DEFAULT_AGE_GROUPS)
