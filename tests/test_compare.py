"""Error bars: they cover the truth as often as they say, and clusters count once."""

import numpy as np
import pytest

from ageensemble import ages, compare


def certain(years):
    return np.eye(ages.A)[years]


def exact(years):
    return np.repeat(np.asarray(years)[:, None], 2, axis=1)


@pytest.fixture(scope="module")
def scored():
    """Predicted and true ages of 300 items."""
    rng = np.random.default_rng(0)
    age = rng.integers(5, 90, 300)
    return np.clip(age + rng.normal(0, 6, 300).astype(int), 0, 120), age


def coverage(cluster_size, by_cluster, trials=300):
    """How often a 95 % interval holds the mean of what is alike within clusters."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(trials):
        value = np.repeat(rng.normal(7, 1, 60), cluster_size) + rng.normal(0, 0.2, 60 * cluster_size)
        cluster = np.repeat(np.arange(60), cluster_size) if by_cluster else np.arange(len(value))
        totals = compare.bootstrap_totals(np.stack([value, np.ones(len(value))], 1), cluster, 200)
        low, high = compare.interval(totals[:, 0] / totals[:, 1])
        hits += low <= 7 <= high
    return hits / trials


def test_intervals_cover_the_truth_as_often_as_they_say():
    assert coverage(1, True) == pytest.approx(0.94, abs=0.035)
    assert coverage(5, True) == pytest.approx(0.94, abs=0.035)


def test_leaving_clusters_out_of_account_would_be_overconfident():
    assert coverage(5, False) < 0.75


def test_showing_every_item_twice_within_its_cluster_leaves_the_intervals_as_they_were(scored):
    predicted, age = scored
    cluster = np.arange(300)
    once = compare.headline_intervals(certain(predicted), exact(age), cluster, ages.FOURTEEN)
    twice = compare.headline_intervals(
        certain(np.tile(predicted, 2)), exact(np.tile(age, 2)), np.tile(cluster, 2), ages.FOURTEEN
    )
    assert set(once) == {"mae", "cs5", "accuracy", "f1_weighted"}
    for name in once:
        assert twice[name] == pytest.approx(once[name])


def test_intervals_hold_the_score_itself(scored):
    from ageensemble import metrics

    predicted, age = scored
    intervals = compare.headline_intervals(certain(predicted), exact(age), np.arange(300) // 2, ages.FOURTEEN)
    score = metrics.score(certain(predicted), exact(age), ages.FOURTEEN)
    assert all(low < score[name] < high for name, (low, high) in intervals.items())


def test_the_same_clusters_and_seed_draw_the_same_resamples():
    cluster = np.array([4, 4, 9, 1, 1, 7])
    ones = compare.bootstrap_totals(np.ones((6, 1)), cluster, 50)
    tens = compare.bootstrap_totals(np.full((6, 1), 10.0), cluster, 50)
    assert np.array_equal(tens, 10 * ones)
    assert set(np.unique(ones)) <= set(range(4, 9))  # four clusters of one or two items each


def test_totals_over_all_clusters_are_right_on_average():
    value = np.arange(200.0)[:, None]
    totals = compare.bootstrap_totals(value, np.arange(200), 2000)
    assert totals.mean() == pytest.approx(value.sum(), rel=0.01)
    assert totals.std() == pytest.approx(np.sqrt(200) * value.std(), rel=0.05)


def test_a_single_cluster_has_an_interval_without_width():
    found = compare.headline_intervals(certain([20, 30]), exact([20, 40]), np.zeros(2, int), ages.FOURTEEN)
    assert found["mae"] == (5, 5)
    assert found["accuracy"] == (0.5, 0.5)


def test_ranges_have_no_interval_in_years_and_nobody_inside_the_groups_none_by_group():
    ranges = compare.headline_intervals(certain([28]), np.array([[25, 32]]), np.zeros(1, int), ages.SCHEMES["adience"])
    assert set(ranges) == {"accuracy", "f1_weighted"}
    nobody = compare.headline_intervals(certain([28]), exact([90]), np.zeros(1, int), ages.scheme("18-29"))
    assert set(nobody) == {"mae", "cs5"}


def test_values_that_are_not_defined_are_left_out_of_an_interval():
    assert compare.interval(np.array([np.nan, 1.0, 1.0, np.inf])) == (1, 1)
    assert all(np.isnan(compare.interval(np.array([np.nan]))))
