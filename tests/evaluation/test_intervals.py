"""The report on a run's intervals: measured on the test part, by age group and gender, each item once."""

import json

import numpy as np
import pytest
from helpers.predicted import exact, folder_of, guesses, run_of
from rich.console import Console

from ageensemble import ages
from ageensemble._utils.console import as_json
from ageensemble.errors import UsageError
from ageensemble.evaluation import intervals

YOUNG_OLD = ages.parse_age_groups("0-59,60+")


def printed(content, width):
    console = Console(width=width, record=True, file=None, quiet=False)
    with console.capture() as caught:
        console.print(intervals.view(content))
    return caught.get()


def test_coverage_is_near_the_level_for_every_group_and_the_counts_add_up():
    folder, run = guesses(6000, shrunk=0.7)
    content = intervals.report(run, folder, YOUNG_OLD, 0.9)
    every, young, old, female, male = content["slices"]
    assert [row["name"] for row in content["slices"]] == ["all", "0-59", "60+", "female", "male"]
    assert every["plain"]["items"] == 1200
    assert young["conditional"]["items"] + old["conditional"]["items"] == 1200
    assert female["conditional"]["hits"] + male["conditional"]["hits"] == every["conditional"]["hits"]
    for row in content["slices"]:
        found = row["conditional"]
        assert found["share"] == pytest.approx(0.91, abs=0.025), row["name"]
        assert found["low"] < found["share"] < found["high"]
    assert old["plain"]["high"] < 0.85
    assert old["conditional"]["mean_width"] > old["plain"]["mean_width"] + 2


def test_widths_are_last_year_minus_first():
    folder, run = guesses(2000)
    content, table = (f(run, folder, YOUNG_OLD, 0.9) for f in (intervals.report, intervals.items))
    test = table[table["part"] == "test"]
    assert content["slices"][0]["plain"]["mean_width"] == (test["plain_high"] - test["plain_low"]).mean()
    assert content["slices"][0]["conditional"]["median_width"] == (test["high"] - test["low"]).median()
    inside = (test["low"] <= test["age_min"]) & (test["age_min"] <= test["high"])
    assert content["slices"][0]["conditional"]["hits"] == inside.sum()


def test_no_fold_has_a_say_in_its_own_intervals():
    folder, run = guesses(900)
    before = intervals.cross_fitted(run, folder, YOUNG_OLD, 0.9)
    fold = folder.split.fold[folder.split.development]
    folder.y[folder.split.held_out(1)] = 120
    after = intervals.cross_fitted(run, folder, YOUNG_OLD, 0.9)
    assert np.array_equal(before[fold == 1], after[fold == 1])
    assert not np.array_equal(before[fold == 2], after[fold == 2])


def test_the_test_part_has_no_say_in_any_interval():
    folder, run = guesses(900)
    before = intervals.items(run, folder, YOUNG_OLD, 0.9)
    folder.y[folder.split.test] = 120
    after = intervals.items(run, folder, YOUNG_OLD, 0.9)
    names = ["low", "high", "plain_low", "plain_high"]
    assert before[names].equals(after[names])


def test_every_item_has_its_intervals_in_the_order_of_the_manifest():
    folder, run = guesses(900)
    table = intervals.items(run, folder, YOUNG_OLD, 0.9)
    assert table["item_id"].tolist() == folder.items["item_id"].tolist()
    assert (table["part"] == "test").sum() == 180
    assert (table["low"] <= table["high"]).all()
    held = (table["low"] <= table["age_min"]) & (table["age_min"] <= table["high"])
    assert held[table["part"] == "oof"].mean() == pytest.approx(0.9, abs=0.03)


def test_a_run_that_predicts_the_test_part_alone_has_no_intervals():
    folder, _ = guesses(300)
    refit = run_of(np.zeros((300, ages.N_AGES)), folder.split, parts=("test",), name="svm (refit)")
    with pytest.raises(UsageError, match=r"svm \(refit\) has no out-of-fold predictions"):
        intervals.report(refit, folder, YOUNG_OLD, 0.9)


def test_groups_that_are_empty_or_small_are_left_out_or_said():
    folder, run = guesses(900)
    content = intervals.report(run, folder, ages.DEFAULT_AGE_GROUPS, 0.9)
    assert "0-2 with 3-5" in intervals.joined(content)
    assert intervals.joined(intervals.report(run, folder, YOUNG_OLD, 0.9)) == ""
    assert "0-2" not in [row["name"] for row in content["slices"] if row["plain"]["items"] == 0]
    assert intervals.joined(content) in printed(content, 400)


@pytest.mark.parametrize("width", [80, 130])
def test_the_view_fits_the_terminal_and_prints_what_the_report_says(width):
    folder, run = guesses(900)
    run.title = "odd\x1b[2J [red]name[/red] with a long tail of parameters C=30 gamma=0.001"
    text = printed(intervals.report(run, folder, ages.DEFAULT_AGE_GROUPS, 0.9), width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "\x1b[2J" not in text
    assert "[red]name" in text
    assert "…" not in text


def test_the_report_is_plain_data_and_unknown_genders_have_no_row():
    folder, run = guesses(300)
    unknown = folder_of(folder.y, folder.split.fold, gender=np.array([None] * 300, object))
    content = intervals.report(run, unknown, YOUNG_OLD, 0.9)
    assert [row["by"] for row in content["slices"]] == ["all", "age group", "age group"]
    assert json.loads(as_json(content))["slices"][0]["plain"]["items"] == 60


def test_ranges_count_as_met():
    adience = ages.AGE_GROUPS["adience"]
    folder, run = guesses(900)
    y = np.array(adience.ranges)[np.arange(900) % 8]
    predicted = exact(y[:, 1])[:, 0]
    run = run_of(np.eye(ages.N_AGES)[predicted], folder.split)
    content = intervals.report(run, folder_of(y, folder.split.fold), adience, 0.9)
    assert content["slices"][0]["conditional"]["share"] == 1
    assert content["slices"][0]["conditional"]["mean_width"] == 0
