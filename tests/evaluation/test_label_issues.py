"""Label issues: labels that predictions contradict come first, with what is known of them."""

import numpy as np
import pytest
from helpers.predicted import bells, exact

from ageensemble import ages
from ageensemble.evaluation.label_issues import find_label_issues, label_tail_probability
from ageensemble.evaluation.predictions import Predictions

N = 600


def predictions(proba, age, groups=None):
    return Predictions(proba, age, groups, item_id=np.array([f"{i}.jpg" for i in range(len(proba))]), name="guess")


def test_flipped_labels_rank_first():
    rng = np.random.default_rng(0)
    true = rng.integers(5, 80, N)
    age, wrong = true.copy(), rng.choice(N, 30, replace=False)
    age[wrong] = np.where(true[wrong] < 42, true[wrong] + 30, true[wrong] - 30)
    found = find_label_issues(predictions(bells(true + rng.normal(0, 3, N), 3), age), len(wrong)).frame
    assert set(found["item_id"]) == {f"{row}.jpg" for row in wrong}
    assert found["years"].between(15, 45).all()
    assert (found["tail"] == np.float64(ages.FLOOR_MIX)).all()


def test_each_issue_says_what_is_labeled_and_what_was_predicted():
    proba = np.eye(ages.N_AGES)[np.full(N, 50)]
    proba[7] = 0
    proba[7, [20, 21, 50, 51]] = 0.03, 0.95, 0.01, 0.01
    first = find_label_issues(predictions(proba, np.full(N, 50)), 1).frame.iloc[0]
    assert (first["item_id"], first["age_min"], first["age_max"]) == ("7.jpg", 50, 50)
    assert (first["median"], first["low"], first["high"]) == (21, 21, 21)
    tail = 2 * (0.01 / 2 + 0.01)  # half of its own year, all beyond, two sides
    assert first["tail"] == pytest.approx(tail, abs=1e-6)
    assert (first["years"], first["rank"], first["others"]) == (29, 1, "")


def test_a_label_counts_as_far_out_by_the_distribution_and_not_by_years():
    center, spread = np.full(N, 50.0), np.full(N, 5.0)
    center[0], spread[0] = 30, 20  # 20 years off, as one such prediction may well be
    center[1], spread[1] = 42, 2  # 8 years off, four times what it allows for
    found = find_label_issues(predictions(bells(center, spread), np.full(N, 50)), 2).frame
    assert found["item_id"].tolist() == ["1.jpg", "0.jpg"]


def test_tails_below_what_a_prediction_can_say_are_ordered_by_years():
    tail, years = label_tail_probability(bells([20, 20, 20], 1), exact([60, 40, 20]))
    assert tail.tolist() == pytest.approx([ages.FLOOR_MIX, ages.FLOOR_MIX, 1], abs=1e-6)
    assert years.tolist() == [40, 20, 0]


def test_a_labeled_range_counts_as_its_likeliest_end():
    tail, years = label_tail_probability(bells([30] * 4, 3), np.array([[25, 32], [38, 43], [38, 38], [0, 2]]))
    assert years.tolist() == [0, 8, 8, 28]
    assert tail[0] > 0.9
    assert tail[1] == tail[2] > tail[3]


def test_issues_of_one_group_stand_together_at_the_place_of_the_worst():
    groups, center = np.arange(N), np.full(N, 50.0)
    groups[:9] = 0
    center[[0, 1, 500]] = 90, 62, 20
    found = find_label_issues(predictions(bells(center, 4), np.full(N, 50), groups), 3).frame
    assert found["item_id"].tolist() == ["0.jpg", "1.jpg", "500.jpg"]
    assert found["rank"].tolist() == [1, 1, 2]
    assert found["group"].tolist() == [0, 0, 500]
    assert found["others"].tolist() == [", ".join(["50"] * 8), ", ".join(["50"] * 8), ""]


def test_the_labels_of_a_large_group_are_cut_short():
    given = predictions(bells(np.full(300, 80.0), 3), np.tile([30, 35], (300, 1)), np.zeros(300, int))
    assert find_label_issues(given, 1).frame["others"][0] == ", ".join(["30-35"] * 10) + ", and 289 more"


def test_the_table_shows_the_first_and_says_that_nothing_was_removed():
    found = find_label_issues(predictions(bells(np.full(N, 80.0), 3), np.full(N, 50)), 30)
    table = found.table(most=2)
    assert len(table.rows) == 2
    assert table.title.startswith("guess: the 30 labels of 600 items")
    assert "Nothing was removed" in table.notes[0]
    assert "80 (75-85)" in table.markdown()
