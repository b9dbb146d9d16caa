"""What is read off the distribution of an imported age is that age, whatever errors of the system go into the rest."""

import numpy as np
import pytest

from ageensemble import ages
from ageensemble.ages import DEFAULT_AGE_GROUPS
from ageensemble.experiments import external


def test_a_bare_age_is_the_median_the_mode_and_the_mean_of_its_bell():
    rows = external.bells()
    assert np.allclose(rows.sum(1), 1)
    for decoded in (ages.median, ages.mode, ages.mean):
        assert np.allclose(decoded(rows), np.arange(121))
    assert (rows[1:-1] > 0).sum(1).min() > 30  # wide, near the ends too


def test_the_group_of_an_answer_wins_with_the_least_more_on_its_year():
    years = np.eye(121)
    errors = 0.2 * years[16] + 0.3 * years[12] + 0.5 * years[19]  # 15-17 lies between wider groups
    [kept] = external.reading(errors[None], np.array([16]), [DEFAULT_AGE_GROUPS])
    assert kept.sum() == pytest.approx(1)
    assert DEFAULT_AGE_GROUPS.probabilities(kept[None]).argmax(1) == DEFAULT_AGE_GROUPS.lookup[16]
    assert kept[16] - kept[19] == pytest.approx(external.AHEAD)
    assert kept[[12, 19]] == pytest.approx(np.array([0.3, 0.5]) * kept[19] / 0.5)  # the rest as it was
    [free] = external.reading(errors[None], np.array([3]), [ages.parse_age_groups("10-14,15-17,18-22")])
    assert ages.median(free[None]) == 3  # which lies in no group


def test_a_median_is_kept_with_the_least_more_on_its_year():
    years = np.eye(121)
    rows = np.array([0.2 * years[20] + 0.8 * years[40], 0.5 * years[20] + 0.5 * years[40], years[30], years[10]])
    kept = external.reading(rows, np.array([20, 20, 30, 0]), [])
    assert ages.median(kept).tolist() == [20, 20, 30, 0]
    assert kept.sum(1) == pytest.approx(1)
    assert kept[0, [20, 40]] == pytest.approx([0.501, 0.499])
    assert np.array_equal(kept[2], rows[2])  # nothing more where it is the median already
    assert kept[3, [0, 10]] == pytest.approx([0.501, 0.499])
    assert ages.median(ages.smooth_with_prior(kept, ages.histogram(np.array([[99, 99]] * 50)))).tolist() == [
        20,
        20,
        30,
        0,
    ]


def test_known_errors_do_not_hang_on_the_order_of_the_items():
    age = np.repeat(np.arange(20, 41), 200)  # as sorted as file names that begin with the age
    rows = external.by_errors(np.array([30.0, 30.4]), np.full(len(age), 30.0), age, DEFAULT_AGE_GROUPS)
    assert ages.median(rows).tolist() == [30, 30]
    other = np.r_[20:30, 31:41]  # on 30 there is a little more, so that it is read off
    assert rows[0, other] == pytest.approx(np.full(20, 1 / 21), abs=0.03)
    assert rows[0, 20:30].sum() == pytest.approx(10 / 21, abs=0.06)
