"""Shares have intervals that hold where errors are few and where items are not independent."""

import numpy as np
import pytest

from ageensemble._utils.stats import clustered_proportion, proportion_text


def test_none_of_a_hundred_may_still_be_three_and_a_half_per_cent():
    found = clustered_proportion(np.zeros(100, bool), np.arange(100))
    assert (found["share"], found["low"]) == (0, 0)
    assert found["high"] == pytest.approx(1 - 0.025**0.01)
    all_ = clustered_proportion(np.ones(100, bool), np.arange(100))
    assert (all_["low"], all_["high"]) == (pytest.approx(0.025**0.01), 1)


def test_half_of_a_hundred_is_the_exact_binomial_interval():
    found = clustered_proportion(np.arange(100) < 50, np.arange(100))
    assert (found["items"], found["hits"], found["share"]) == (100, 50, 0.5)
    assert (found["low"], found["high"]) == (pytest.approx(0.3983, abs=1e-4), pytest.approx(0.6017, abs=1e-4))


def test_showing_every_item_twice_within_its_cluster_tells_nothing_new():
    hit, group = np.arange(100) < 30, np.arange(100)
    once, twice = clustered_proportion(hit, group), clustered_proportion(np.repeat(hit, 2), np.repeat(group, 2))
    assert (twice["low"], twice["high"]) == (
        pytest.approx(once["low"], abs=2e-3),
        pytest.approx(once["high"], abs=2e-3),
    )
    none = clustered_proportion(np.zeros(100, bool), np.arange(100) % 5)
    assert none["high"] == pytest.approx(1 - 0.025**0.2)


def test_clusters_that_are_all_alike_do_not_make_more_of_the_items_than_there_are():
    found = clustered_proportion(np.arange(100) % 2 == 0, np.arange(100) // 2)  # one hit, one miss in each
    assert found["high"] == pytest.approx(0.6017, abs=1e-4)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_intervals_cover_the_truth_at_least_as_often_as_they_say(rate):
    """Groups of four, half of whose items share their fate."""
    rng = np.random.default_rng(0)
    group, covered = np.repeat(np.arange(150), 4), 0
    for _ in range(300):
        fate, own = rng.random(150) < rate, rng.random(600) < rate
        found = clustered_proportion(np.where(rng.random(600) < 0.5, fate[group], own), group)
        covered += found["low"] <= rate <= found["high"]
    assert 0.93 <= covered / 300 <= 1


def test_nobody_has_no_share():
    found = clustered_proportion(np.zeros(0, bool), np.zeros(0, int))
    assert found["items"] == 0
    assert np.isnan([found["share"], found["low"], found["high"]]).all()
    assert proportion_text(found) == ""
    assert proportion_text(clustered_proportion(np.arange(100) < 50, np.arange(100))) == "50.0 % (39.8-60.2)"


def test_with_few_clusters_the_interval_is_wide():
    hit = np.repeat([True, False, True, False, True], 20)
    found = clustered_proportion(hit, np.repeat(np.arange(5), 20))
    assert found["low"] < 0.15 < 0.95 < found["high"]  # three of five: the exact interval is 0.147 to 0.947


def test_a_single_cluster_says_next_to_nothing():
    found = clustered_proportion(np.arange(100) < 4, np.zeros(100, int))
    assert (found["low"], found["high"]) == (pytest.approx(0.0, abs=0.05), pytest.approx(1.0, abs=0.05))
