"""Age groups, reading a distribution and making one, against numbers a reader can check by hand."""

import numpy as np
import pytest

from ageensemble import ages
from ageensemble.errors import DataError, UsageError


def row(**masses):
    """A distribution with these masses: row(y20=0.5, y22=0.5)."""
    result = np.zeros((1, ages.N_AGES))
    for year, mass in masses.items():
        result[0, int(year[1:])] = mass
    return result


def exact(*years):
    return np.array([[year, year] for year in years])


def test_the_fourteen_groups_cover_every_year_without_a_gap():
    assert ages.DEFAULT_AGE_GROUPS.labels == [
        "0-2", "3-5", "6-10", "11-14", "15-17", "18-22", "23-27", "28-33", "34-40", "41-50", "51-60", "61-70", "71-80",
        "81+",
    ]  # fmt: skip
    assert (ages.DEFAULT_AGE_GROUPS.matrix.sum(1) == 1).all()
    assert ages.DEFAULT_AGE_GROUPS.of(exact(0, 2, 3, 80, 81, 120)).tolist() == [0, 0, 1, 12, 13, 13]


def test_the_groups_of_adience_keep_their_gaps():
    adience = ages.AGE_GROUPS["adience"]
    assert adience.of(exact(2, 3, 4, 33, 60)).tolist() == [0, -1, 1, -1, 7]
    assert ages.count_outside(adience, exact(3, 3, 33, 50)) == (3, [3, 33])


def test_groups_can_be_spelled_out():
    age_groups = ages.parse_age_groups("0-12,13-19, 20-64,65+")
    assert age_groups.ranges == ((0, 12), (13, 19), (20, 64), (65, 120))
    assert age_groups.labels == ["0-12", "13-19", "20-64", "65+"]
    assert ages.parse_age_groups("18").ranges == ((18, 18),)
    assert ages.parse_age_groups("default") is ages.DEFAULT_AGE_GROUPS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no age groups called ''; known: default, decades, adience, fairface, coarse, years, or ranges like"),
        ("quarters", "no age groups called 'quarters'"),
        ("-5-3", "no age groups called"),
        ("0-12,12-19", "age group 12-19 overlaps the one before it"),
        ("20-30,0-10", "age group 0-10 overlaps the one before it, or is out of order"),
        ("60+,70-80", "overlaps"),
        ("30-20", "age group 30-20 is not a range of years within 0..120"),
        ("0-121", "age group 0-121 is not a range of years"),
        ("0-12,", "'' in '0-12,' is not a range of years; write 13-19, 65+ or 40"),
        ("0-12,teens", "'teens' in"),
        ("1-2-3", "'1-2-3' in"),
        ("5-", "'5-' in"),
        ("1.5-3", "'1.5-3' in"),
    ],
)
def test_groups_that_make_no_sense_are_refused_in_words(text, message):
    with pytest.raises(UsageError) as error:
        ages.parse_age_groups(text)
    assert message in str(error.value)


def test_a_labeled_range_that_a_group_cuts_in_two_is_refused():
    assert ages.AGE_GROUPS["adience"].of(np.array([[25, 32], [60, 120]])).tolist() == [4, 7]
    with pytest.raises(DataError, match=r"'default' cut the labeled range 25-32 in two \(labels: 1\)"):
        ages.DEFAULT_AGE_GROUPS.of(np.array([[25, 32], [30, 30]]))


@pytest.mark.parametrize(
    ("y", "advice"),
    [
        ([[4, 6], [8, 13]], "give --age-groups adience"),
        ([[3, 9], [70, 120]], "give --age-groups fairface"),
        ([[4, 6], [5, 45]], "mend that label, or give --age-groups of whole ranges"),
    ],
)
def test_groups_that_would_do_are_named(y, advice):
    with pytest.raises(DataError, match=advice):
        ages.DEFAULT_AGE_GROUPS.of(np.array(y))


def test_who_needs_exact_ages_refuses_ranges():
    assert ages.exact(exact(3, 4), "SVR").tolist() == [3, 4]
    with pytest.raises(DataError, match="SVR needs exact ages, but these labels are ranges"):
        ages.exact(np.array([[3, 5]]), "SVR")


def test_group_probabilities_are_sums_of_years_given_that_the_age_lies_in_a_group():
    age_groups = ages.parse_age_groups("0-12,20-64")
    d = np.concatenate([row(y5=0.2, y15=0.6, y30=0.1, y64=0.1), row(y15=1)])
    assert age_groups.probabilities(d) == pytest.approx(np.array([[0.5, 0.5], [0.5, 0.5]]))


def test_median_mean_mode_and_tail_by_hand():
    d = row(y10=0.3, y20=0.2, y40=0.4, y50=0.1)
    assert ages.median(d) == 20  # the smallest year with at least half the mass up to it
    assert ages.mean(d) == pytest.approx(3 + 4 + 16 + 5)
    assert ages.mode(d) == 40
    assert ages.at_least(d, 40) == pytest.approx(0.5)
    assert ages.at_least(d, 121) == 0
    assert ages.at_least(d, -3) == pytest.approx(1)


def test_quantiles_by_hand():
    d = row(y10=0.1, y20=0.4, y30=0.4, y40=0.1)
    found = [int(ages.quantile(d, q)[0]) for q in (0.0, 0.05, 0.1, 0.11, 0.5, 0.51, 0.9, 0.95, 1.0)]
    assert found == [0, 10, 10, 20, 20, 30, 30, 40, 40]


def test_quantiles_bear_the_rounding_of_float32():
    d = np.full((1, ages.N_AGES), 1 / ages.N_AGES, np.float32)
    assert ages.median(d) == 60
    assert ages.quantile(d * 0.999, 1.0) == 120


def test_the_median_minimizes_the_expected_absolute_error_and_the_mean_the_squared():
    rng = np.random.default_rng(0)
    d = rng.dirichlet(np.full(ages.N_AGES, 0.05), 50)
    years = np.arange(ages.N_AGES)
    absolute = d @ np.abs(years[:, None] - years)
    squared = d @ (years[:, None] - years) ** 2.0
    assert np.array_equal(absolute[np.arange(50), ages.median(d)], absolute.min(1))
    assert np.abs(squared.argmin(1) - ages.mean(d)).max() <= 0.5


def test_a_histogram_sums_to_one_and_leaves_every_year_possible():
    h = ages.histogram(exact(*[30] * 1000))
    assert h.sum() == pytest.approx(1)
    assert h.min() > 0
    assert h.argmax() == 30
    assert h @ np.arange(ages.N_AGES) == pytest.approx(30 * 1000 / 1001 + 60 / 1001)  # one item's worth is uniform


def test_a_histogram_of_the_youngest_loses_nothing_over_the_edge():
    h = ages.histogram(exact(*[0] * 1000))
    assert h.sum() == pytest.approx(1)
    assert h[0] == h.max()


def test_a_labeled_range_spreads_evenly_over_its_years():
    h = ages.histogram(np.array([[20, 59]] * 1000))
    assert h[35:45] == pytest.approx(1 / 40, rel=0.01)


def test_groups_of_single_years_stay_as_they_are():
    p = np.random.default_rng(0).dirichlet(np.ones(ages.N_AGES), 4)
    assert ages.distribution_from_age_groups(p, ages.AGE_GROUPS["years"], exact(30)) == pytest.approx(p)


def test_a_group_is_spread_by_the_training_items_inside_it():
    age_groups = ages.parse_age_groups("0-19,20-120")
    y = exact(*[5] * 900, *[60] * 100)
    d = ages.distribution_from_age_groups(np.array([[0.25, 0.75], [1.0, 0.0]]), age_groups, y)
    assert age_groups.probabilities(d) == pytest.approx(np.array([[0.25, 0.75], [1, 0]]))
    assert ages.mode(d).tolist() == [60, 5]
    h = ages.histogram(y)
    assert d[0, 3] / d[0, 6] == pytest.approx(h[3] / h[6])


def test_numbers_get_the_residuals_of_their_nearest_neighbors():
    inner, age = np.array([30.0, 10.0, 20.0]), np.array([27, 12, 20])  # residuals -3, +2, 0
    one = ages.distribution_from_residuals(np.array([11.0, 24.0, 26.0]), inner, age, k=1, sigma=0.1)
    assert one.argmax(1).tolist() == [13, 24, 23]
    assert one.max(1) == pytest.approx(1)
    three = ages.distribution_from_residuals(np.array([50.4]), inner, age, k=500, sigma=0.1)
    assert np.flatnonzero(three[0] > 0.01).tolist() == [47, 50, 52]
    assert three[0, [47, 50, 52]] == pytest.approx(1 / 3)


def test_numbers_beyond_the_axis_end_at_its_ends():
    d = ages.distribution_from_residuals(
        np.array([-40.0, 500.0]), np.array([20.0, 30.0]), np.array([20, 30]), k=1, sigma=0.1
    )
    assert d.argmax(1).tolist() == [0, 120]
    assert d.sum(1) == pytest.approx(1)


def test_the_window_of_neighbors_is_the_one_found_by_sorting_distances():
    rng = np.random.default_rng(0)
    for k in (1, 3, 10, 40):
        values, center = np.sort(rng.normal(size=40)), rng.normal(size=100) * 2
        start = ages._nearest_window(center, values, k)
        got = np.abs(values[start[:, None] + np.arange(k)] - center[:, None]).max(1)
        assert got == pytest.approx(np.sort(np.abs(values - center[:, None]), axis=1)[:, k - 1])


def test_many_equal_predictions_end_the_search_for_neighbors():
    d = ages.distribution_from_residuals(np.full(5, 30.0), np.full(2000, 30.0), np.repeat([20, 40], 1000), k=500)
    assert d.sum(1) == pytest.approx(1)


def test_of_more_equal_predictions_than_neighbors_some_stand_for_all_in_whatever_order_they_come():
    age = np.repeat(np.arange(20, 41), 200)  # as sorted as file names that begin with the age
    equal, center = np.full(len(age), 30.0), np.array([30.0, 30.4, 12.0])
    d = ages.distribution_from_residuals(center, equal, age, sigma=0.1)
    assert d[0, 20:41] == pytest.approx(np.full(21, 1 / 21), abs=0.003)
    assert np.array_equal(d[2, 2:23], d[0, 20:41])
    mixed = np.random.default_rng(0).permutation(len(age))
    assert np.array_equal(ages.distribution_from_residuals(center, equal[mixed], age[mixed], sigma=0.1), d)
    # a window that ends within equals takes ages from all over them
    beside = ages.distribution_from_residuals(
        np.array([31.0]), np.r_[np.full(300, 31.0), equal], np.r_[np.full(300, 90), age]
    )
    assert ages.parse_age_groups("19-24,25-35,36-41,80+").probabilities(beside) == pytest.approx(
        np.array([[0.4 * 5 / 21, 0.4 * 11 / 21, 0.4 * 5 / 21, 0.6]]), abs=0.02
    )


def test_distributions_from_numbers_are_calibrated_at_every_age():
    rng = np.random.default_rng(0)

    def draw(n):
        predicted = rng.uniform(10, 80, n)
        noise = rng.normal(size=n) * (2 + predicted / 8)  # surer of the young
        return predicted, np.rint(predicted + noise).clip(0, 120).astype(int)

    inner, inner_age = draw(20_000)
    predicted, age = draw(6000)
    d = ages.distribution_from_residuals(predicted, inner, inner_age)
    below = np.cumsum(d, axis=1)[np.arange(6000), age] - rng.random(6000) * d[np.arange(6000), age]
    for part in (predicted < 30, (predicted > 35) & (predicted < 55), predicted > 60):
        for level in (0.1, 0.25, 0.5, 0.75, 0.9):  # the truth lies below a quantile as often as that says
            assert (below[part] < level).mean() == pytest.approx(level, abs=0.03)


def test_finishing_normalizes_and_leaves_no_age_impossible():
    y = exact(30, 31)
    d = ages.smooth_with_prior(row(y30=3.0), ages.histogram(y))
    assert d.dtype == np.float32
    assert d.sum() == pytest.approx(1)
    assert d.min() > 0
    assert d[0, 30] == pytest.approx(1 - ages.FLOOR_MIX, abs=1e-4)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (np.ones((2, 5)), r"must return \(n, 121\) age distributions, not \(2, 5\)"),
        (np.ones(ages.N_AGES), "must return"),
        (np.full((1, ages.N_AGES), np.nan), "not finite"),
        (np.zeros((1, ages.N_AGES)), "without any probability"),
        (-np.ones((1, ages.N_AGES)), "without any probability"),
    ],
)
def test_a_broken_model_is_told_so(broken, message):
    with pytest.raises(ValueError, match=message):
        ages.smooth_with_prior(broken, ages.histogram(exact(30)))
