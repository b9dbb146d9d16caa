"""Error bars: they cover the truth as often as they say, and groups count once."""

import numpy as np
import pytest

from ageensemble import ages
from ageensemble._utils import stats
from ageensemble.errors import UsageError
from ageensemble.evaluation import bootstrap, metrics
from ageensemble.evaluation.predictions import Predictions


def certain(years):
    return np.eye(ages.N_AGES)[years]


def estimates(predicted, age, groups=None, age_groups=ages.DEFAULT_AGE_GROUPS, **more):
    """Headline metrics of one model that is certain of years."""
    given = Predictions(certain(predicted), age, groups)
    return bootstrap.estimates([given], metrics.headline(), age_groups, **more)[0]


@pytest.fixture(scope="module")
def scored():
    """Predicted and true ages of 300 items."""
    rng = np.random.default_rng(0)
    age = rng.integers(5, 90, 300)
    return np.clip(age + rng.normal(0, 6, 300).astype(int), 0, 120), age


def intervals_of(predicted, age, groups=None, age_groups=ages.DEFAULT_AGE_GROUPS):
    """{metric: (low, high)} of one model."""
    return {name: one.interval() for name, one in estimates(predicted, age, groups, age_groups).items()}


def coverage(cluster_size, by_group, trials=300):
    """How often a 95 % interval holds the mean of what is alike within groups."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(trials):
        value = np.repeat(rng.normal(7, 1, 60), cluster_size) + rng.normal(0, 0.2, 60 * cluster_size)
        group = np.repeat(np.arange(60), cluster_size) if by_group else np.arange(len(value))
        totals = bootstrap.bootstrap_totals(np.stack([value, np.ones(len(value))], 1), group, 200)
        low, high = bootstrap.interval(totals[:, 0] / totals[:, 1])
        hits += low <= 7 <= high
    return hits / trials


def test_intervals_cover_the_truth_as_often_as_they_say():
    assert coverage(1, True) == pytest.approx(0.94, abs=0.035)
    assert coverage(5, True) == pytest.approx(0.94, abs=0.035)


def test_leaving_clusters_out_of_account_would_be_overconfident():
    assert coverage(5, False) < 0.75


def test_items_twice_within_their_groups_leave_intervals_as_they_were(scored):
    predicted, age = scored
    once = intervals_of(predicted, age, np.arange(300))
    twice = intervals_of(np.tile(predicted, 2), np.tile(age, 2), np.tile(np.arange(300), 2))
    assert set(once) == {metric.name for metric in metrics.headline()}
    for name in once:
        assert twice[name] == pytest.approx(once[name])


def test_intervals_hold_the_score_itself(scored):
    predicted, age = scored
    score = metrics.score(Predictions(certain(predicted), age))
    intervals = intervals_of(predicted, age, np.arange(300) // 2)
    assert all(low < score[name] < high for name, (low, high) in intervals.items())


def test_the_same_clusters_and_seed_draw_the_same_resamples():
    group = np.array([4, 4, 9, 1, 1, 7])
    ones = bootstrap.bootstrap_totals(np.ones((6, 1)), group, 50)
    tens = bootstrap.bootstrap_totals(np.full((6, 1), 10.0), group, 50)
    assert np.array_equal(tens, 10 * ones)
    assert set(np.unique(ones)) <= set(range(4, 9))  # four groups of one or two items each


def test_totals_over_all_clusters_are_right_on_average():
    value = np.arange(200.0)[:, None]
    totals = bootstrap.bootstrap_totals(value, np.arange(200), 2000)
    assert totals.mean() == pytest.approx(value.sum(), rel=0.01)
    assert totals.std() == pytest.approx(np.sqrt(200) * value.std(), rel=0.05)


def test_single_group_has_an_interval_without_width():
    found = intervals_of([20, 30], [20, 40], np.zeros(2, int))
    assert found["mae"] == (5, 5)
    assert found["accuracy"] == (0.5, 0.5)


def test_metrics_that_are_not_defined_have_no_estimate():
    ranges = intervals_of([28], np.array([[25, 32]]), age_groups=ages.AGE_GROUPS["adience"])
    assert set(ranges) == {"accuracy", "f1_weighted"}
    nobody = intervals_of([28], [90], age_groups=ages.parse_age_groups("18-29"))
    assert set(nobody) == {"mae", "cs5"}


def test_values_that_are_not_defined_are_left_out_of_an_interval():
    assert bootstrap.interval(np.array([np.nan, 1.0, 1.0, np.inf])) == (1, 1)
    assert all(np.isnan(bootstrap.interval(np.array([np.nan]))))


# --- headline metrics of several models, and their differences ---------------------------------------------------


def test_models_scored_together_and_alone_have_the_same_intervals(scored):
    predicted, age = scored
    given = [Predictions(certain(years), age) for years in (predicted, age, np.full(300, 30))]
    together = bootstrap.estimates(given, metrics.headline(), ages.DEFAULT_AGE_GROUPS)
    for one, found in zip(given, together, strict=True):
        [alone] = bootstrap.estimates([one], metrics.headline(), ages.DEFAULT_AGE_GROUPS)
        assert all(np.array_equal(alone[name].draws, found[name].draws) for name in alone)


def test_model_one_year_further_off_each_time_is_one_year_worse():
    age = np.full(50, 40)
    near, far = estimates(age + 3, age)["mae"], estimates(age - 4, age)["mae"]
    assert (far - near).value == 1
    assert (far - near).interval() == (1, 1)
    assert (near - far).share_above(0) == 0


def test_predictions_of_other_items_are_refused():
    with pytest.raises(UsageError, match="predict different items"):
        bootstrap.check_same_items([Predictions(certain([20]), [20]), Predictions(certain([20]), [21])])
    with pytest.raises(UsageError, match="without age_range"):
        bootstrap.check_same_items([Predictions(certain([20]))])


def test_ties_count_half():
    assert bootstrap.Estimate(0.0, np.array([-1.0, 0, 0, 2])).share_above(0) == 0.5
    assert bootstrap.Estimate(0.0, np.array([0.0, 3])).share_above(0) == 0.75
    assert bootstrap.Estimate(0.0, np.array([np.nan, 3])).share_above(0) == 1
    assert np.isnan(bootstrap.Estimate(0.0, np.array([np.nan])).share_above(0))


def test_means_of_subgroups_are_those_of_their_items_alone():
    found = bootstrap.means(np.array([1.0, 3, 5, 100]), np.array([0, 0, 2, -1]), np.arange(4), 3)
    assert [estimate.value for estimate in found] == pytest.approx([2, np.nan, 5], nan_ok=True)
    assert set(found[0].draws[np.isfinite(found[0].draws)]) == {1, 5 / 3, 2, 7 / 3, 3}
    assert np.isnan(found[1].draws).all()


def test_no_models_have_no_estimates():
    assert bootstrap.estimates([], metrics.headline(), ages.DEFAULT_AGE_GROUPS) == []


# --- the far tail -----------------------------------------------------------------------------------------------


def test_the_standard_error_of_independent_items_is_the_textbook_one():
    values = np.array([1.0, 2, 3, 6])
    assert stats.standard_error(values, np.arange(4)) == pytest.approx(values.std(ddof=1) / 2)
    assert stats.standard_error(np.repeat(values, 5), np.repeat(np.arange(4), 5)) == pytest.approx(
        values.std(ddof=1) / 2
    )
    assert stats.standard_error(values, np.zeros(4)) == np.inf


def test_the_standard_error_is_what_resampling_comes_to():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(400), rng.integers(1, 4, 400))
    values = rng.normal(0, 1, 400)[group] + rng.normal(0, 1, len(group))
    [estimate] = bootstrap.means(values, None, group, 1)
    assert stats.standard_error(values, group) == pytest.approx(estimate.draws.std(), rel=0.06)


def test_p_values_are_those_of_student():
    assert stats.p_value(2.776, 1, 5) == pytest.approx(0.05, abs=1e-4)  # t of 4 degrees of freedom
    assert stats.p_value(-1.96, 1, 100_000) == pytest.approx(0.05, abs=1e-4)
    assert stats.p_value(0, 0, 5) == 1
    assert stats.p_value(0.1, 0, 5) == 0
    assert stats.p_value(5, np.inf, 1) == 1


def test_holm_stops_at_the_first_that_does_not_hold():
    assert stats.holm([0.01, 0.04, 0.03]).tolist() == [True, False, False]
    assert stats.holm([0.04, 0.01, 0.02]).tolist() == [True, True, True]
    assert stats.holm([0.02, 0.03, 0.04]).tolist() == [False, False, False]
    assert stats.holm([]).tolist() == []
