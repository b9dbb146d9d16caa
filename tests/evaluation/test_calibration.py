"""Calibration: measured on the test part, mended by one number found out-of-fold."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.predicted import bells, both_parts, certain, exact

from ageensemble import ages
from ageensemble._utils.console import as_json
from ageensemble.evaluation import calibration
from ageensemble.evaluation.calibration import (
    TemperatureScaling,
    fit_temperature,
    log_proba,
    measure_calibration,
    negative_log_likelihood,
)
from ageensemble.evaluation.predictions import Predictions


@pytest.mark.parametrize("said", [3.5, 10.0])
def test_temperature_mends_overconfidence_and_underconfidence(said):
    found = measure_calibration(*both_parts(n=4000, said=said))
    assert found.temperature == pytest.approx((5 / said) ** 2, rel=0.1)  # which makes a bell of `said` one of 5
    assert abs(found.before["coverage"] - 0.9) > 0.06
    assert found.after["coverage"] == pytest.approx(0.9, abs=0.03)
    for name in ("crps", "log_loss", "calibration_error"):
        assert found.after[name] < found.before[name]
    assert found.frame["temperature"].tolist() == [1, found.temperature]


def test_a_calibrated_model_stays_as_it_is():
    found = measure_calibration(*both_parts(n=4000))
    assert found.temperature == pytest.approx(1, abs=0.06)
    assert found.after["crps"] == pytest.approx(found.before["crps"], abs=0.01)
    assert (found.items, found.part, found.name) == (800, "test", "guess")


def test_without_a_test_part_each_fold_has_the_temperature_of_the_others():
    oof, _ = both_parts(n=1000, said=10.0)
    found = measure_calibration(oof)
    assert (found.part, found.items) == ("oof", 800)
    _, after, _ = calibration.scaled(oof)
    own = TemperatureScaling().fit(oof[oof.fold != 1]).predict(oof[oof.fold == 1])
    assert np.array_equal(after.proba[oof.fold == 1], own.proba)


def test_the_test_part_does_not_choose_the_temperature():
    oof, test = both_parts(n=1000)
    changed = replace(test, age_range=np.full((len(test), 2), 100))
    assert calibration.scaled(oof, changed)[2] == calibration.scaled(oof, test)[2]


def test_a_model_of_the_test_part_alone_is_measured_as_it_is():
    _, test = both_parts(n=1000, proba=np.tile(bells([60], 10), (1000, 1)))
    found = measure_calibration(None, test)
    assert found.temperature is None
    assert found.after is None
    assert found.before["width"] == 32  # 44 to 76: 1.645 times 10 to either side
    assert json.loads(as_json(found.to_dict()))["after"] is None
    assert len(found.table.rows) == 1


def test_confidence_by_hand():
    p = np.zeros((6, ages.N_AGES))
    p[:4, 30], p[:4, 50] = 0.75, 0.25  # 28-33 with 75 %
    p[4:, 30], p[4:, 50] = 0.45, 0.55
    curve = calibration.group_curve(Predictions(p, [30, 30, 31, 70, 50, 30]), ages.DEFAULT_AGE_GROUPS)
    assert curve.tolist() == [pytest.approx([0.55, 0.5, 2]), pytest.approx([0.75, 0.75, 4])]
    sure = calibration.group_curve(Predictions(certain([30, 31]), [30, 90]), ages.DEFAULT_AGE_GROUPS)
    assert sure.tolist() == [[1, 0.5, 2]]
    nobody = calibration.group_curve(Predictions(certain([30]), [90]), ages.parse_age_groups("18-29,30-39"))
    assert nobody.shape == (0, 3)


def test_central_intervals_by_hand():
    p = np.zeros((4, ages.N_AGES))
    p[:, 30:40] = 0.1  # mid-CDF 0.05, 0.15, ... 0.95
    curve = calibration.interval_curve(Predictions(p, [34, 36, 39, 80]), [0.05, 0.15, 0.35, 0.95, 1])
    assert curve.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_ranges_have_no_coverage_in_years():
    adience = ages.AGE_GROUPS["adience"]
    found = measure_calibration(*both_parts(np.array(adience.ranges)[np.arange(1000) % 8]), age_groups=adience)
    assert np.isnan(found.before["coverage"])
    assert found.after["log_loss"] < found.before["log_loss"]
    assert "nan" not in found.table.markdown()


def test_several_models_share_a_table():
    parts = both_parts(n=1000)
    table = calibration.calibration_table([measure_calibration(*parts), measure_calibration(None, parts[1])])
    assert [row["temperature"] for row in table.rows][::2] == ["none", "none"]
    assert "on the test part" in table.title


# --- temperatures ---------------------------------------------------------------------------------------------------


def drawn(n, spread=6.0, seed=0):
    """Ages drawn from the very distributions that are returned."""
    rng = np.random.default_rng(seed)
    distribution = bells(rng.uniform(25, 95, n), spread)
    age = (distribution.cumsum(1) < rng.random((n, 1))).sum(1)
    return distribution, exact(age)


@pytest.mark.parametrize("power", [0.25, 1.0, 4.0])
def test_who_is_too_sure_by_a_power_gets_that_temperature(power):
    distribution, y = drawn(4000)
    sharper = distribution.astype(np.float64) ** power
    found = fit_temperature(np.log(sharper / sharper.sum(1, keepdims=True)).astype(np.float32), y)
    assert found == pytest.approx(power, rel=0.06)


def test_noise_and_oracles_stay_within_the_limits():
    distribution, y = drawn(500)
    assert fit_temperature(log_proba(distribution[::-1]), y) > 5
    assert fit_temperature(log_proba(np.eye(121)[119 - y[:, 0]]), y) == pytest.approx(calibration.HOTTEST, rel=0.01)
    assert calibration.COLDEST <= fit_temperature(log_proba(np.eye(121)[y[:, 0]] * 0.5 + 0.5 / 121), y) < 0.2


def test_ranges_find_the_temperature_too():
    distribution, y = drawn(4000)
    wide = np.stack([y[:, 0] // 10 * 10, y[:, 0] // 10 * 10 + 9], 1)
    assert fit_temperature(3 * log_proba(distribution), wide) == pytest.approx(3, rel=0.1)


def test_the_loss_of_a_label_is_that_of_its_years():
    scores = np.log(np.eye(3)[:1] * 0.25 + 0.25 + 1e-30).astype(np.float32) + 7  # up to a constant
    assert negative_log_likelihood(scores, np.array([[1, 1]])) == pytest.approx(np.log(4), abs=1e-5)
    assert negative_log_likelihood(scores, np.array([[1, 2]])) == pytest.approx(np.log(2), abs=1e-5)
    assert negative_log_likelihood(scores, np.array([[0, 2]])) == pytest.approx(0, abs=1e-6)
