"""Minors taken for adults and adults for minors are counted each by its own kind."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.predicted import both_parts, exact

from ageensemble import ages
from ageensemble._utils.console import as_json
from ageensemble.errors import UsageError
from ageensemble.evaluation.age_threshold import threshold_errors, threshold_table
from ageensemble.evaluation.predictions import Predictions


def rows_of(adult):
    """Distributions with this probability of 18 or more."""
    p = np.zeros((len(adult), ages.N_AGES), np.float32)
    p[:, 10], p[:, 40] = 1 - np.asarray(adult), adult
    return p


def minors(n):
    """Out-of-fold predictions of so many minors, adult with probability 0, 0.005, 0.01, ..., below 1."""
    return Predictions(rows_of(np.arange(n) / 200), np.full(n, 10), fold=np.arange(n) % 3)


def test_rates_by_hand():
    age = [10, 17, 12, 5, 18, 30, 40, 50, 60, 19]
    adult = [0.1, 0.6, 0.5, 0.9, 0.4, 0.9, 0.9, 0.9, 0.9, 0.51]
    test = Predictions(rows_of(adult), age, attributes={"gender": np.array(["female", "male"] * 5)})
    found = threshold_errors(minors(150), test, age=18)
    even, strict = found.rules
    every, female, male = even["subgroups"]
    assert (every["false_adult"]["hits"], every["false_adult"]["items"]) == (2, 4)  # 0.5 itself is no adult
    assert (every["false_minor"]["hits"], every["false_minor"]["items"]) == (1, 6)
    assert (female["false_adult"]["hits"], female["false_adult"]["items"]) == (0, 2)
    assert (male["false_adult"]["hits"], male["false_adult"]["items"]) == (2, 2)
    assert (female["false_minor"]["hits"], male["false_minor"]["hits"]) == (1, 0)
    assert every["false_adult"]["low"] < 0.5 < every["false_adult"]["high"]
    assert strict["cutoff"] == pytest.approx(0.745)  # the 150th of 150 minors, as 151 * 0.99 rounds up to 150
    assert strict["subgroups"][0]["false_adult"]["hits"] == 1
    assert strict["subgroups"][0]["false_minor"]["hits"] == 2
    assert found.frame.query("rule == 'even' and subgroup == 'all'")["hits"].tolist() == [2, 1]


def test_a_labeled_range_that_straddles_the_age_is_left_out_and_counted():
    y = np.array([[15, 20], [8, 13], [15, 17], [18, 20], [25, 32], [0, 120]])
    found = threshold_errors(None, Predictions(rows_of([0.9] * 6), y), age=18)
    assert found.left_out == 2
    every = found.rules[0]["subgroups"][0]
    assert (every["false_adult"]["items"], every["false_minor"]["items"]) == (2, 2)
    assert "Left out: 2 items" in found.table.notes[-1]


@pytest.mark.parametrize(("n", "why"), [(98, "98 independent minors are too few"), (99, "")])
def test_too_few_minors_choose_no_cutoff(n, why):
    found = threshold_errors(minors(n), Predictions(rows_of([0.2, 0.8]), [10, 30]), age=18)
    strict = found.rules[1]
    assert strict["why"].startswith(why)
    assert (strict["cutoff"] is None) == bool(why)
    assert ("too few" in found.table.notes[0]) == bool(why)
    assert json.loads(as_json(found.to_dict()))["rules"][1]["subgroups"] == [] or not why


def test_the_cutoff_keeps_its_promise_on_new_items():
    found = threshold_errors(*both_parts(n=20_000), age=30).rules[1]["subgroups"][0]["false_adult"]
    assert found["items"] > 1000
    assert found["share"] == pytest.approx(0.01, abs=0.008)


def test_without_a_test_part_each_fold_is_judged_by_the_others():
    oof, _ = both_parts(n=3000)
    found = threshold_errors(oof, age=30)
    assert found.part == "oof"
    age = np.where(oof.fold == 1, 10, oof.age_range[:, 0])  # more minors in one fold move the cutoffs of the others
    changed = threshold_errors(replace(oof, age_range=exact(age)), age=30)
    assert changed.rules[1]["cutoff"] != found.rules[1]["cutoff"]


def test_the_test_part_does_not_choose_the_cutoff():
    oof, test = both_parts()
    changed = replace(test, age_range=np.full((len(test), 2), 10))
    assert len({threshold_errors(oof, each, age=30).rules[1]["cutoff"] for each in (test, changed)}) == 1


def test_a_model_of_the_test_part_alone_has_the_even_rule_alone():
    _, test = both_parts(n=300, proba=np.full((300, ages.N_AGES), 1 / ages.N_AGES))
    even, strict = threshold_errors(None, test, age=18).rules
    assert even["subgroups"][0]["false_adult"]["share"] == 1  # as likely as not to be above 60
    assert "no out-of-fold predictions" in strict["why"]
    assert strict["subgroups"] == []


@pytest.mark.parametrize("age", [0, -3, 121])
def test_an_age_beyond_the_axis_is_refused(age):
    with pytest.raises(UsageError, match="is not an age from 1 to 120"):
        threshold_errors(*both_parts(n=30), age=age)


def test_several_models_share_a_table():
    oof, test = both_parts()
    found = threshold_errors(oof, test, age=30)
    table = threshold_table([found, replace(found, name="other")])
    assert [row["model"] for row in table.rows] == ["guess", "guess", "other", "other"]
    count = (test.age_range[:, 0] < 30).sum()
    assert f"false adults, all, {count:,}" in table.markdown()
