"""Calibration: measured on the test part, mended by one number found on the rest."""

import json

import numpy as np
import pytest
from helpers.predicted import bells, certain, exact, guesses, run_of
from rich.console import Console

from ageensemble import ages
from ageensemble._utils.console import as_json
from ageensemble.evaluation import calibration
from ageensemble.evaluation.calibration import fit_temperature, log_proba, negative_log_likelihood


def printed(contents, width):
    console = Console(width=width)
    with console.capture() as caught:
        console.print(calibration.view(contents))
    return caught.get()


@pytest.mark.parametrize("said", [3.5, 10.0])
def test_a_temperature_mends_who_is_too_sure_or_too_unsure(said):
    folder, run = guesses(4000, said=said)
    content = calibration.report(run, folder, ages.DEFAULT_AGE_GROUPS)
    before, after = content["before"], content["after"]
    assert content["temperature"] == pytest.approx((5 / said) ** 2, rel=0.1)  # which makes a bell of `said` one of 5
    assert abs(before["coverage"] - 0.9) > 0.06
    assert after["coverage"] == pytest.approx(0.9, abs=0.03)
    for name in ("crps", "log_loss", "calibration_error"):
        assert after[name] < before[name]


def test_who_is_as_sure_as_right_stays_as_he_is():
    folder, run = guesses(4000)
    content = calibration.report(run, folder, ages.DEFAULT_AGE_GROUPS)
    assert content["temperature"] == pytest.approx(1, abs=0.06)
    assert content["after"]["crps"] == pytest.approx(content["before"]["crps"], abs=0.01)
    assert content["items"] == 800


def test_the_test_part_does_not_choose_the_temperature():
    folder, run = guesses(1000)
    found = calibration.distributions(run, folder)[2]
    folder.y[folder.split.test] = 100
    assert calibration.distributions(run, folder)[2] == found


def test_a_run_of_the_test_part_alone_is_measured_as_it_is():
    folder, run = guesses(1000)
    refit = run_of(np.tile(bells([60], 10), (1000, 1)), folder.split, parts=("test",))
    content = calibration.report(refit, folder, ages.DEFAULT_AGE_GROUPS)
    assert content["temperature"] is None
    assert content["after"] is None
    assert content["before"]["width"] == 32  # 44 to 76: 1.645 times 10 to either side
    assert json.loads(as_json(content))["after"] is None
    assert (
        len(printed([content], 100).splitlines())
        == len(printed([calibration.report(run, folder, ages.DEFAULT_AGE_GROUPS)], 100).splitlines()) - 1
    )


def test_confidence_by_hand():
    p = np.zeros((6, ages.N_AGES))
    p[:4, 30], p[:4, 50] = 0.75, 0.25  # 28-33 with 75 %
    p[4:, 30], p[4:, 50] = 0.45, 0.55
    y = exact([30, 30, 31, 70, 50, 30])
    curve = calibration.group_curve(p, y, ages.DEFAULT_AGE_GROUPS)
    assert curve.tolist() == [pytest.approx([0.55, 0.5, 2]), pytest.approx([0.75, 0.75, 4])]
    sure = calibration.group_curve(certain([30, 31]), exact([30, 90]), ages.DEFAULT_AGE_GROUPS)
    assert sure.tolist() == [[1, 0.5, 2]]
    nobody = calibration.group_curve(certain([30]), exact([90]), ages.parse_age_groups("18-29,30-39"))
    assert nobody.shape == (0, 3)


def test_central_intervals_by_hand():
    p = np.zeros((4, ages.N_AGES))
    p[:, 30:40] = 0.1  # mid-CDF 0.05, 0.15, ... 0.95
    curve = calibration.interval_curve(p, exact([34, 36, 39, 80]), [0.05, 0.15, 0.35, 0.95, 1])
    assert curve.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_ranges_have_no_coverage_in_years():
    adience = ages.AGE_GROUPS["adience"]
    folder, run = guesses(1000)
    folder.y[:] = np.array(adience.ranges)[np.arange(1000) % 8]
    content = calibration.report(run, folder, adience)
    assert np.isnan(content["before"]["coverage"])
    assert content["after"]["log_loss"] < content["before"]["log_loss"]
    assert "nan" not in printed([content], 120)


@pytest.mark.parametrize("width", [80, 130])
def test_the_view_fits_the_terminal(width):
    folder, run = guesses(1000)
    run.title = "mobilenetv2_100 [bold]mean=0.5 std=0.5\x1b[31m weights=mobilenetv2_100.safetensors"
    text = printed([calibration.report(run, folder, ages.DEFAULT_AGE_GROUPS)] * 2, width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "\x1b[31m" not in text
    assert "…" not in text


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
