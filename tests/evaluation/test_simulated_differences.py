"""Simulations whose truth is known, see benchmarks/differences.py: chance is seldom believed, what is real is."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "differences.py"


@pytest.fixture(scope="module")
def simulated():
    return runpy.run_path(str(SCRIPT))


def test_two_equal_models_are_told_apart_as_seldom_as_promised(simulated):
    assert 0.03 <= simulated["found"](0.0, items=1000) <= 0.07


def test_a_true_difference_of_three_tenths_of_a_year_is_found(simulated):
    assert simulated["found"](0.3, 300) >= 0.95


def test_items_that_are_alike_must_be_resampled_together(simulated):
    alike = {"repetitions": 500, "items": 1000, "per_group": 4, "alike": 0.5}
    assert simulated["found"](0.0, **alike) <= 0.08
    assert simulated["found"](0.0, **alike, by_group=False) >= 0.15


@pytest.mark.slow
def test_every_headline_metric_keeps_the_promise(simulated):
    for share in simulated["headline_alarms"](200, items=400).values():
        assert 0.01 <= share <= 0.1


def test_a_leak_is_found_and_honest_runs_are_left_alone(simulated):
    shares = simulated["families"](30, items=3000, seen=0.25)
    assert shares["an honest one is suspicious"] <= 0.1
    assert shares["the leaked one is"] >= 0.95


def test_so_it_is_with_models_that_were_truly_fitted(simulated):
    shares = simulated["fitted"](20, items=500)
    assert shares["honest, suspicious"] <= 0.15
    assert shares["leaked, suspicious"] >= 0.85


@pytest.mark.slow
def test_a_good_member_among_twenty_of_noise_loses_nothing(simulated):
    lost = simulated["noise"](3, items=500, new=2000)
    assert max(lost["stack"].max(), lost["greedy"].max()) < 0.05
    assert lost["mean"].min() > 3  # which shows that there was something to lose
