"""Prediction intervals hold the truth as often as they say, for every age group, whatever the model is worth."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from helpers.predicted import bells, both_parts, certain, exact, guessed

from ageensemble import ages
from ageensemble._utils.console import as_json
from ageensemble.errors import DataError, UsageError
from ageensemble.evaluation import conformal
from ageensemble.evaluation.conformal import conformalize, cross_conformal, fit_conformal, interval_items
from ageensemble.evaluation.predictions import Predictions

YOUNG_OLD = ages.parse_age_groups("0-59,60+")


def held(found, age):
    return (found[:, 0] <= age) & (age <= found[:, 1])


def calibrate(proba, y, groups, age_groups, level=0.9, conditional=True):
    return fit_conformal(Predictions(proba, y, groups), level, age_groups, conditional)


def calibrated(n=2000, seed=1, level=0.9, conditional=True, age_groups=ages.DEFAULT_AGE_GROUPS, **how):
    age, distribution = guessed(n, seed, **how)
    return calibrate(distribution, exact(age), np.arange(n), age_groups, level, conditional)


def test_the_limit_counts_the_next_photograph_against_us():
    def limit(n):
        return conformal.quantile(np.arange(1.0, n + 1), np.arange(n), 0.9)

    assert limit(9) == 9  # the ceil(10 * 0.9)-th smallest
    assert limit(19) == 18
    assert limit(99) == 90
    assert limit(8) == np.inf


def test_a_cluster_has_one_vote():
    values = np.r_[np.arange(1.0, 19), np.full(100, 50.0)]
    group = np.r_[np.arange(18), np.full(100, 18)]
    assert conformal.quantile(values, group, 0.9) == 18  # 18 of 19 groups and one to come
    assert conformal.quantile(values, np.arange(118), 0.9) == 50
    split = np.r_[np.arange(18), np.full(50, 18), np.full(50, 19)]
    assert conformal.quantile(values, split, 0.9) == 50


def test_showing_every_item_twice_within_its_cluster_changes_no_limit():
    age, distribution = guessed(500)
    once = calibrate(distribution, exact(age), np.arange(500), YOUNG_OLD, 0.9)
    twice = calibrate(np.tile(distribution, (2, 1)), exact(np.tile(age, 2)), np.tile(np.arange(500), 2), YOUNG_OLD, 0.9)
    assert np.array_equal(once.limits, twice.limits)
    assert [c["items"] for c in twice.classes] == [2 * c["items"] for c in once.classes]


def test_strangeness_is_the_distance_from_the_middle_of_the_distribution():
    p = np.zeros((1, ages.N_AGES))
    p[0, 10:13] = 0.2, 0.6, 0.2
    assert conformal.scores(p)[0, 8:15] == pytest.approx([0.5, 0.5, 0.4, 0, 0.4, 0.5, 0.5])
    assert conformal.scores(7 * p) == pytest.approx(conformal.scores(p))


def test_intervals_by_hand():
    classes = [{"low": 0, "high": 59, "limit": 0.4}, {"low": 60, "high": 120, "limit": 0.1}]
    p = np.zeros((3, ages.N_AGES))
    p[0, [20, 30, 40]] = 0.15, 0.7, 0.15  # mid-CDF 0.075, 0.5, 0.925; 0.15 and 0.85 between
    p[1, [50, 70]] = 0.5  # 0.25, 0.75; 0.5 between
    p[2, 60:62] = 0.5  # 0.25, 0.75: both too strange for their group, the least strange are taken
    found = conformal.Conformal(0.9, classes).intervals(p)
    assert found.tolist() == [[21, 39], [50, 69], [60, 61]]


@pytest.mark.parametrize("said", [2.0, 5.0, 15.0])
@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_coverage_is_as_said_however_sure_the_model_is_of_itself(said, conditional, level):
    age, distribution = guessed(4000, seed=2, said=said)
    found = calibrated(said=said, conditional=conditional, level=level).intervals(distribution)
    assert held(found, age).mean() == pytest.approx(level, abs=0.025)


def test_label_conditional_intervals_cover_those_whom_plain_ones_miss():
    age, distribution = guessed(8000, seed=2, shrunk=0.6)
    old = age >= 60
    plain, conditional = (
        calibrated(shrunk=0.6, conditional=way, age_groups=YOUNG_OLD).intervals(distribution) for way in (False, True)
    )
    assert held(plain, age).mean() == pytest.approx(0.9, abs=0.02)
    assert held(plain, age)[old].mean() < 0.65
    assert held(conditional, age)[old].mean() == pytest.approx(0.9, abs=0.03)
    assert held(conditional, age)[~old].mean() > 0.88


def test_intervals_hold_for_the_items_of_a_new_cluster():
    """Ten persons with fifty easy photographs each, thirty with one that is hard."""
    rng = np.random.default_rng(0)
    kept, naive = [], []
    for _ in range(40):
        easy = rng.random(80) < 0.25
        person = np.repeat(np.arange(80), np.where(easy, 50, 1))
        error = rng.normal(0, np.where(easy, 1, 10)[person])
        age, distribution = np.full(len(person), 50), bells(50 + error, 5)
        known = person < 40
        for groups, result in ((person, kept), (np.arange(len(person)), naive)):
            method = calibrate(distribution[known], exact(age[known]), groups[known], YOUNG_OLD, 0.9, False)
            hit = held(method.intervals(distribution[~known]), age[~known])
            result.append(np.mean([hit[person[~known] == p].mean() for p in range(40, 80)]))
    assert np.mean(kept) > 0.88
    assert np.mean(naive) < 0.6


def test_a_higher_level_makes_wider_intervals_around_the_same():
    _, distribution = guessed(300, seed=2)
    narrow, wide = (calibrated(level=level).intervals(distribution) for level in (0.5, 0.9))
    assert np.all(wide[:, 0] <= narrow[:, 0])
    assert np.all(narrow[:, 1] <= wide[:, 1])
    assert (wide[:, 1] - wide[:, 0]).mean() > 1.5 * (narrow[:, 1] - narrow[:, 0]).mean()


def test_age_groups_of_few_clusters_are_joined_to_the_smaller_neighbor():
    age = np.repeat([1, 4, 8, 12, 16], [60, 70, 10, 80, 49])
    age_groups = ages.parse_age_groups("0-2,3-5,6-10,11-14,15+")
    found = calibrate(bells(age, 3), exact(age), np.arange(len(age)), age_groups, 0.9)
    assert [c["age_groups"] for c in found.classes] == [["0-2"], ["3-5", "6-10"], ["11-14", "15+"]]
    assert [(c["low"], c["high"], c["items"]) for c in found.classes] == [(0, 2, 60), (3, 10, 80), (11, 120, 129)]
    one_person = calibrate(bells(age, 3), exact(age), np.repeat([0, 1], [60, 209]), age_groups, 0.9)
    assert len(one_person.classes) == 1
    assert one_person.classes[0]["groups"] == 2


def test_years_between_groups_and_outside_them_go_with_the_group_below():
    adience = ages.AGE_GROUPS["adience"]
    found = calibrated(4000, age_groups=ages.parse_age_groups("20-29,35-59,70-120"))
    assert [(c["low"], c["high"]) for c in found.classes] == [(0, 34), (35, 69), (70, 120)]
    assert len(calibrated(age_groups=adience).limits) == ages.N_AGES


def test_with_too_few_items_for_the_level_everything_is_possible():
    found = calibrate(certain([30] * 8), exact([30] * 8), np.arange(8), ages.DEFAULT_AGE_GROUPS, 0.9)
    assert found.intervals(certain([50])).tolist() == [[0, 120]]
    nine = calibrate(certain([30] * 9), exact([30] * 9), np.arange(9), ages.DEFAULT_AGE_GROUPS, 0.9)
    assert nine.intervals(certain([50])).tolist() == [[50, 50]]


def test_what_was_calibrated_survives_json_to_the_last_digit():
    found = calibrated()
    again = conformal.Conformal(**json.loads(json.dumps(asdict(found))))
    _, distribution = guessed(500, seed=3)
    assert np.array_equal(again.intervals(distribution), found.intervals(distribution))
    assert again == found


def test_an_interval_is_right_where_it_meets_a_labeled_range():
    adience = ages.AGE_GROUPS["adience"]
    y = np.array(adience.ranges)[np.repeat(np.arange(8), 100)]
    method = calibrate(certain(y[:, 1]), y, np.arange(800), adience, 0.9)
    assert method.limits.max() == 0  # each range holds the year that was predicted
    cut = np.array([[17, 19]])
    with pytest.raises(DataError, match="cut the labeled range 17-19"):
        calibrate(certain([18]), cut, np.arange(1), ages.DEFAULT_AGE_GROUPS, 0.9)


@pytest.mark.parametrize("level", [0, 1, 90, -0.1, float("nan")])
def test_a_level_is_a_share(level):
    with pytest.raises(UsageError, match="is not between 0 and 100"):
        calibrate(certain([30]), exact([30]), np.arange(1), ages.DEFAULT_AGE_GROUPS, level)


def test_rows_are_worked_through_in_blocks(monkeypatch):
    age, distribution = guessed(100)
    whole = conformal.own_scores(distribution, exact(age)), calibrated().intervals(distribution)
    monkeypatch.setattr(conformal, "BLOCK", 7)
    assert np.array_equal(conformal.own_scores(distribution, exact(age)), whole[0])
    assert np.array_equal(calibrated().intervals(distribution), whole[1])


# --- coverage and width, measured ---------------------------------------------------------------------------------


def test_coverage_is_near_the_level_for_every_group_and_the_counts_add_up():
    oof, test = both_parts(n=6000, shrunk=0.7)
    found = conformalize(oof, 0.9, YOUNG_OLD, test)
    every, young, old, female, male = found.subgroups
    assert [row["name"] for row in found.subgroups] == ["all", "0-59", "60+", "female", "male"]
    assert every["plain"]["items"] == 1200
    assert young["conditional"]["items"] + old["conditional"]["items"] == 1200
    assert female["conditional"]["hits"] + male["conditional"]["hits"] == every["conditional"]["hits"]
    for row in found.subgroups:
        measured = row["conditional"]
        assert measured["share"] == pytest.approx(0.91, abs=0.025), row["name"]
        assert measured["low"] < measured["share"] < measured["high"]
    assert old["plain"]["high"] < 0.85
    assert old["conditional"]["mean_width"] > old["plain"]["mean_width"] + 2
    assert len(found.frame) == 10
    assert np.array_equal(found.predict(test), found.intervals["conditional"])


def test_widths_are_last_year_minus_first():
    parts = both_parts(n=2000)
    found, table = conformalize(parts[0], 0.9, YOUNG_OLD, parts[1]), interval_items(*parts, 0.9, YOUNG_OLD)
    test = table[table["part"] == "test"]
    assert found.subgroups[0]["plain"]["mean_width"] == (test["plain_high"] - test["plain_low"]).mean()
    assert found.subgroups[0]["conditional"]["median_width"] == (test["high"] - test["low"]).median()
    inside = (test["low"] <= test["age_min"]) & (test["age_min"] <= test["high"])
    assert found.subgroups[0]["conditional"]["hits"] == inside.sum()


def test_no_fold_decides_its_own_intervals():
    oof, _ = both_parts(n=900)
    changed = replace(oof, age_range=np.where((oof.fold == 1)[:, None], 120, oof.age_range))
    before, after = (cross_conformal(each, 0.9, YOUNG_OLD) for each in (oof, changed))
    assert np.array_equal(before[oof.fold == 1], after[oof.fold == 1])
    assert not np.array_equal(before[oof.fold == 2], after[oof.fold == 2])
    assert conformalize(oof, 0.9, YOUNG_OLD).part == "oof"


def test_the_test_part_decides_no_interval():
    oof, test = both_parts(n=900)
    changed = replace(test, age_range=np.full((len(test), 2), 120))
    before, after = (interval_items(oof, each, 0.9, YOUNG_OLD) for each in (test, changed))
    names = ["low", "high", "plain_low", "plain_high"]
    assert before[names].equals(after[names])


def test_every_item_has_its_intervals_in_the_order_of_the_dataset():
    oof, test = both_parts(n=900)
    table = interval_items(oof, test, 0.9, YOUNG_OLD)
    assert table["item_id"].tolist() == sorted([*oof.item_id, *test.item_id])
    assert (table["part"] == "test").sum() == 180
    assert (table["low"] <= table["high"]).all()
    inside = (table["low"] <= table["age_min"]) & (table["age_min"] <= table["high"])
    assert inside[table["part"] == "oof"].mean() == pytest.approx(0.9, abs=0.03)


def test_groups_that_are_empty_or_small_are_left_out_or_said():
    oof, test = both_parts(n=900)
    found = conformalize(oof, test=test)
    assert "0-2 with 3-5" in found.joined
    assert conformalize(oof, 0.9, YOUNG_OLD, test).joined == ""
    assert found.joined in found.table.markdown()


def test_the_report_is_plain_data_and_unknown_genders_have_no_row():
    oof, test = both_parts(n=300, gender=np.array([None] * 300, object))
    found = conformalize(oof, 0.9, YOUNG_OLD, test)
    assert [row["by"] for row in found.subgroups] == ["all", "age group", "age group"]
    assert json.loads(as_json(found.to_dict()))["subgroups"][0]["plain"]["items"] == 60


def test_ranges_count_as_met():
    adience = ages.AGE_GROUPS["adience"]
    y = np.array(adience.ranges)[np.arange(900) % 8]
    oof, test = both_parts(y, certain(y[:, 1]))
    found = conformalize(oof, 0.9, adience, test).subgroups[0]["conditional"]
    assert (found["share"], found["mean_width"]) == (1, 0)
