"""Minors taken for adults and adults for minors are counted each by its own kind."""

import json

import numpy as np
import pytest
from helpers.predicted import exact, folder_of, guesses, run_of
from rich.console import Console

from ageensemble import ages
from ageensemble._utils.console import as_json
from ageensemble.errors import UsageError
from ageensemble.evaluation import age_threshold
from ageensemble.splits.split import TEST


def rows_of(adult):
    """Distributions with this probability of 18 or more."""
    p = np.zeros((len(adult), ages.N_AGES), np.float32)
    p[:, 10], p[:, 40] = 1 - np.asarray(adult), adult
    return p


def minors_and_test(minors, test_y, test_adult, gender=None):
    """A split whose out-of-fold part has so many minors, adult with probability 0, 0.005, 0.01, ..., below 1."""
    oof = np.arange(minors) / 200
    y = np.concatenate([np.full((minors, 2), 10), np.asarray(test_y)])
    part = np.r_[np.arange(minors) % 3, np.full(len(test_y), TEST)]
    gender = None if gender is None else np.r_[np.full(minors, "male"), gender]
    folder = folder_of(y, part, gender=gender)
    return folder, run_of(rows_of(np.r_[oof, test_adult]), folder.split)


def printed(contents, width):
    console = Console(width=width)
    with console.capture() as caught:
        console.print(age_threshold.view(contents))
    return caught.get()


def test_rates_by_hand():
    y = exact([10, 17, 12, 5, 18, 30, 40, 50, 60, 19])
    adult = [0.1, 0.6, 0.5, 0.9, 0.4, 0.9, 0.9, 0.9, 0.9, 0.51]
    gender = np.array(["female", "male"] * 5)
    content = age_threshold.report(*reversed(minors_and_test(150, y, adult, gender)), 18)
    even, strict = content["rules"]
    every, female, male = even["slices"]
    assert (every["false_adult"]["hits"], every["false_adult"]["items"]) == (2, 4)  # 0.5 itself is no adult
    assert (every["false_minor"]["hits"], every["false_minor"]["items"]) == (1, 6)
    assert (female["false_adult"]["hits"], female["false_adult"]["items"]) == (0, 2)
    assert (male["false_adult"]["hits"], male["false_adult"]["items"]) == (2, 2)
    assert (female["false_minor"]["hits"], male["false_minor"]["hits"]) == (1, 0)
    assert every["false_adult"]["low"] < 0.5 < every["false_adult"]["high"]
    assert strict["cutoff"] == pytest.approx(0.745)  # the 150th of 150 minors, as 151 * 0.99 rounds up to 150
    assert strict["slices"][0]["false_adult"]["hits"] == 1
    assert strict["slices"][0]["false_minor"]["hits"] == 2


def test_a_labeled_range_that_straddles_the_age_is_left_out_and_counted():
    y = np.array([[15, 20], [8, 13], [15, 17], [18, 20], [25, 32], [0, 120]])
    content = age_threshold.report(*reversed(minors_and_test(0, y, [0.9] * 6)), 18)
    assert content["left_out"] == 2
    every = content["rules"][0]["slices"][0]
    assert (every["false_adult"]["items"], every["false_minor"]["items"]) == (2, 2)
    assert "Left out: 2 items whose labeled range straddles 18" in printed([content], 300)


def test_too_few_minors_choose_no_cutoff_and_are_told_so():
    for minors, why in ((98, "98 independent minors are too few to choose a cutoff on; 99 are needed"), (99, "")):
        content = age_threshold.report(*reversed(minors_and_test(minors, exact([10, 30]), [0.2, 0.8])), 18)
        strict = content["rules"][1]
        assert strict["why"] == why
        assert (strict["cutoff"] is None) == bool(why)
        assert ("too few" in printed([content], 300)) == bool(why)
        assert json.loads(as_json(content))["rules"][1]["slices"] == [] or not why


def test_the_cutoff_keeps_its_promise_on_photographs_it_was_not_chosen_on():
    folder, run = guesses(20_000)
    found = age_threshold.report(run, folder, 30)["rules"][1]["slices"][0]["false_adult"]
    assert found["items"] > 1000
    assert found["share"] == pytest.approx(0.01, abs=0.008)


def test_the_test_part_does_not_choose_the_cutoff():
    folder, run = guesses(3000)
    cutoff = age_threshold.report(run, folder, 30)["rules"][1]["cutoff"]
    folder.y[folder.split.test] = 10
    assert age_threshold.report(run, folder, 30)["rules"][1]["cutoff"] == cutoff


def test_a_run_of_the_test_part_alone_has_the_even_rule_alone():
    folder, _ = guesses(300)
    refit = run_of(np.full((300, ages.N_AGES), 1 / ages.N_AGES), folder.split, parts=("test",), name="refit")
    even, strict = age_threshold.report(refit, folder, 18)["rules"]
    assert even["slices"][0]["false_adult"]["share"] == 1  # as likely as not to be above 60
    assert strict["why"] == "no out-of-fold predictions to choose a cutoff on"
    assert strict["slices"] == []


@pytest.mark.parametrize("age", [0, -3, 121])
def test_an_age_beyond_the_axis_is_refused(age):
    with pytest.raises(UsageError, match=f"--threshold {age} is not an age from 1 to 120"):
        age_threshold.report(None, None, age)


@pytest.mark.parametrize("width", [80, 130])
def test_the_view_of_several_runs_fits_the_terminal(width):
    folder, run = guesses(3000)
    content = age_threshold.report(run, folder, 30)
    long = content | {"model": "mobilenetv2_100 [bold]mean=0.5 std=0.5 weights=file\x1b[31m.safetensors"}
    text = printed([content, long], width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    assert "\x1b[31m" not in text
    minors, adults = ((folder.y[folder.split.test, 0] < 30) == way for way in (True, False))
    assert f"{minors.sum():,}" in text
    assert f"{adults.sum():,}" in text
