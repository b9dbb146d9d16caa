"""The record that all evaluation takes."""

import numpy as np
import pandas as pd
import pytest
from helpers.made_up import certain, experiment, put

from ageensemble.errors import UsageError
from ageensemble.evaluation.predictions import Predictions


def test_predictions_rows_keep_what_is_known_of_the_items():
    whole = Predictions(certain([20, 31, 40]), [20, 30, 40], groups=[7, 7, 8], attributes={"gender": ["m", None, "f"]})
    part = whole[np.array([True, False, True])]
    assert part.median.tolist() == [20, 40]
    assert part.age_range.tolist() == [[20, 20], [40, 40]]
    assert part.groups.tolist() == [7, 8]
    assert part.attributes["gender"].tolist() == ["m", "f"]
    assert whole.take([1])[:1].age_range.tolist() == [[30, 30]]


def test_predictions_read_ages_off_the_distribution():
    proba = np.zeros((1, 121), np.float32)
    proba[0, [16, 17, 18, 40]] = [0.2, 0.2, 0.2, 0.4]
    found = Predictions(proba)
    assert (found.median[0], found.mode[0]) == (18, 40)
    assert found.mean[0] == pytest.approx(0.2 * (16 + 17 + 18) + 0.4 * 40)
    assert found.at_least(18) == pytest.approx(0.6)
    assert found.interval(0.5).tolist() == [[17, 40]]
    labels, rows = found.age_group_proba("0-16,18-39")
    assert labels == ["0-16", "18-39", "other"]
    assert rows[0] == pytest.approx([0.2, 0.2, 0.6])
    with pytest.raises(UsageError, match="between 0 and 1"):
        found.interval(1.0)


def test_predictions_are_exact_unless_a_label_is_a_range():
    assert Predictions(certain([1, 2]), [1, 2]).exact
    assert not Predictions(certain([1, 2]), [[1, 1], [2, 3]]).exact
    assert not Predictions(certain([1, 2])).exact


def test_predictions_of_another_length_are_refused():
    with pytest.raises(UsageError, match="2 values of groups"):
        Predictions(certain([1, 2, 3]), groups=[1, 2])
    with pytest.raises(UsageError, match="1 values of gender"):
        Predictions(certain([1, 2, 3]), attributes=pd.DataFrame({"gender": ["f"]}))


def test_predictions_of_a_run_carry_its_items(tmp_path):
    age = np.arange(20, 50)
    folder = experiment(tmp_path, age, groups=age // 2, gender=["f", "m"] * 15)
    run = put(folder, "one", age + 1)
    for part, rows in (("oof", folder.split.development), ("test", folder.split.test)):
        found = run.predictions(part)
        assert np.array_equal(found.median, age[rows] + 1)
        assert np.array_equal(found.age_range[:, 0], age[rows])
        assert np.array_equal(found.groups, (age // 2)[rows])
        assert found.attributes["gender"].tolist() == [["f", "m"][row % 2] for row in rows]
        assert np.array_equal(found.fold, folder.split.fold[rows])
        assert found.item_id[0] == f"{rows[0]:06}.jpg"
        assert (found.name, found.part) == ("one (import)", part)


def test_results_print_their_numbers_as_a_table():
    from ageensemble.evaluation import compare, evaluate

    age = np.arange(1, 61)
    right = np.eye(121, dtype=np.float32)[age]
    late = np.eye(121, dtype=np.float32)[age + 2]
    exact = np.stack([age, age], 1)
    one, other = (Predictions(proba, exact, np.arange(60), name=name) for proba, name in ((right, "1"), (late, "2")))
    assert "MAE, years" in repr(evaluate(other))
    assert "2.00" in repr(evaluate(other))
    assert "-2.00" in repr(compare(one, other))
