"""The models that ask "older than ...?", and what they share, on small made-up features."""

import numpy as np
import pytest

from ageensemble import ages
from ageensemble.errors import DataError, UsageError
from ageensemble.models import _ordinal_base
from ageensemble.models.knn import KNN
from ageensemble.models.lssvm import LSSVM
from ageensemble.models.prior import PriorBaseline
from ageensemble.models.ridge_ordinal import Ordinal

FIT = {"seed": 0, "threads": 1, "device": "cpu"}
QUICK = {
    "ordinal": lambda: Ordinal(pca=10),
    "lssvm": lambda: LSSVM(pca=10),
    "knn": lambda: KNN(pca=10, k=15),
}
each_model = pytest.mark.parametrize("make", QUICK.values(), ids=QUICK)


def people(n, seed=0, d=24):
    """Features that follow age with noise, exact labels and inner parts."""
    random = np.random.default_rng(seed)
    age = random.integers(0, 90, n)
    direction = np.random.default_rng(99).standard_normal(d)
    x = (np.outer(age / 20, direction) + random.standard_normal((n, d))).astype(np.float32)
    return x, np.stack([age, age], 1), random.integers(0, 10, n)


def error(model, x, y):
    return np.abs(ages.median(ages.finish(model.predict(x), ages.histogram(y))) - y[:, 0]).mean()


def exactly(*years):
    return np.stack([np.array(years)] * 2, 1)


@each_model
def test_a_model_beats_the_floor_on_new_items_and_loads_as_it_was_saved(make, tmp_path):
    (x, y, inner), (new_x, new_y, _) = people(300), people(200, seed=1)
    model = make().fit(x, y, inner, **FIT)
    assert error(model, new_x, new_y) < 0.4 * error(PriorBaseline().fit(x, y, inner, **FIT), new_x, new_y)
    model.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays.safetensors", "parameters.json"]
    np.testing.assert_array_equal(type(model).load(tmp_path).predict(new_x), model.predict(new_x))


@each_model
def test_how_sure_a_model_is_holds_for_items_it_was_not_fitted_on(make):
    (x, y, inner), (new_x, new_y, _) = people(600), people(600, seed=1)
    rows = make().fit(x, y, inner, **FIT).predict(new_x)
    low, high = ages.quantile(rows, 0.1), ages.quantile(rows, 0.9)
    inside = (low <= new_y[:, 0]) & (new_y[:, 0] <= high)
    assert 0.75 < inside.mean() < 0.98
    for age in (18, 60):
        assert abs(ages.at_least(rows, age).mean() - (new_y[:, 0] >= age).mean()) < 0.04


@each_model
@pytest.mark.parametrize(
    "case", ["three items", "one age", "one part", "constant features", "a part alone with its age", "few parts"]
)
def test_degenerate_training_items_do_not_crash(make, case):
    x, y, inner = people(40)
    if case == "three items":
        x, y, inner = x[:3], exactly(5, 30, 70), np.arange(3)
    elif case == "one age":
        y[:] = 30
    elif case == "one part":
        inner[:] = 4
    elif case == "constant features":
        x[:] = 1
    elif case == "a part alone with its age":
        y[:], y[:5], inner[:], inner[:5] = 30, 80, 3, 7
    elif case == "few parts":
        inner = inner % 2 * 9
    model = make().fit(x, y, inner, **FIT)
    assert ("fallback" in model.record) == (case in ("three items", "one age", "one part"))
    distribution = ages.finish(model.predict(x), ages.histogram(y))
    np.testing.assert_allclose(distribution.sum(1), 1, atol=1e-5)
    assert model.predict(x[:0]).shape == (0, ages.N_AGES)


@each_model
def test_labeled_ranges_are_the_units_where_ages_are_not_exact(make):
    x, y, inner = people(200)
    third = np.digitize(y[:, 0], [25, 55])
    labels = np.array([[0, 24], [25, 54], [55, 120]])[third]
    predicted = make().fit(x, labels, inner, **FIT).predict(x)
    mass = np.stack([predicted[:, low : high + 1].sum(1) for low, high in ((0, 24), (25, 54), (55, 120))], 1)
    assert (mass.argmax(1) == third).mean() > 0.8
    with pytest.raises(DataError, match="overlaps"):
        make().fit(x, labels + third[:, None] * [-2, 0], inner, **FIT)


@each_model
def test_the_order_of_the_training_items_does_not_matter(make):
    x, y, inner = people(150)
    order = np.random.default_rng(3).permutation(150)
    one, other = (make().fit(x[rows], y[rows], inner[rows], **FIT).predict(x) for rows in (slice(None), order))
    np.testing.assert_allclose(one, other, atol=0.02)


@each_model
def test_the_memory_of_a_fit_is_announced_as_a_whole_number_that_grows(make):
    model = make()
    assert isinstance(model.fit_bytes(100, 100), int)
    assert model.fit_bytes(100, 100) <= model.fit_bytes(10_000, 10_000)


def test_a_least_squares_machine_announces_its_square_system():
    assert LSSVM().fit_bytes(20_000, 100) - Ordinal().fit_bytes(20_000, 100) >= 8 * 20_000**2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Ordinal(ridge=0), lambda: Ordinal(folds=1), lambda: Ordinal(pca=0), lambda: LSSVM(gamma=0),
        lambda: LSSVM(ridge=0), lambda: LSSVM(ridge=float("nan")), lambda: LSSVM(pca=1.5), lambda: KNN(k=0),
        lambda: KNN(whiten=1.1), lambda: KNN(k="many"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_refused_in_one_line_that_says_what_is_right(wrong):
    with pytest.raises(UsageError, match="should be") as caught:
        wrong()
    assert "\n" not in str(caught.value)


# --- units of years ---------------------------------------------------------------------------------------------


def test_every_age_labeled_often_is_a_unit_and_years_between_go_to_the_nearer():
    units, unit = _ordinal_base.units_of(exactly(*[20] * 5, *[21] * 7, *[26] * 5))
    assert units.ranges == ((0, 20), (21, 23), (24, 120))
    assert unit.tolist() == [0] * 5 + [1] * 7 + [2] * 5


def test_rare_ages_share_a_unit_with_the_next_and_the_oldest_with_the_one_before():
    units, _ = _ordinal_base.units_of(exactly(*[1] * 3, *[2] * 2, *[40] * 9, 90, 95))
    assert units.ranges == ((0, 21), (22, 120)), "3 + 2 items, then 9, to which the last two are added"
    assert len(_ordinal_base.units_of(exactly(5, 30, 70))[0]) == 1


def test_the_true_answers_are_those_of_a_ladder():
    assert _ordinal_base.is_older(np.array([0, 1, 2]), 3).tolist() == [[0, 0], [1, 0], [1, 1]]


def test_a_year_nobody_was_labeled_with_gets_next_to_nothing_beside_one_that_many_were():
    y = exactly(*[1] * 500, *[5] * 500)
    units, _ = _ordinal_base.units_of(y)
    assert units.ranges == ((0, 3), (4, 120))
    spread = _ordinal_base.spread_of(units, y)
    np.testing.assert_allclose(spread.sum(1), 1)
    assert spread[0, 1] > 0.99
    assert 0 < spread[0, 0] < 0.005


def test_a_labeled_range_is_spread_over_all_its_years():
    y = np.repeat([[0, 2], [3, 10]], 50, axis=0)
    units, _ = _ordinal_base.units_of(y)
    assert units.ranges == ((0, 2), (3, 10))
    np.testing.assert_allclose(_ordinal_base.spread_of(units, y)[1, 3:11], 1 / 8, atol=0.02)


# --- the machines -----------------------------------------------------------------------------------------------


def learnt(model, n=90):
    """A model whose machine has learnt, its rows, true answers, inner parts and inner out-of-fold answers."""
    x, y, inner = people(n, d=6)
    z = x / np.sqrt((x**2).sum(1).mean())
    units, unit = _ordinal_base.units_of(y)
    older = _ordinal_base.is_older(unit, len(units))
    model.parts = {}
    return model, z, older, inner, model._learn(z, older, inner)


def test_inner_answers_of_the_least_squares_machine_are_those_of_fits_without_the_part():
    _, z, older, inner, held_out = learnt(LSSVM())
    for part in range(10):
        seen, held = inner != part, inner == part
        without = LSSVM()
        without.parts = {}
        without._learn(z[seen], older[seen], inner[seen])
        np.testing.assert_allclose(held_out[held], without._decide(z[held]), atol=1e-4)


def test_the_least_squares_machine_solves_its_equations():
    model, z, older, _, _ = learnt(LSSVM(gamma=0.5, ridge=2.0))
    kernel = 1 + np.exp(-0.5 * ((z[:, None].astype(float) - z) ** 2).sum(2))
    expected = kernel @ np.linalg.solve(kernel + 2.0 * np.eye(len(z)), older)
    np.testing.assert_allclose(model._decide(z), expected, atol=1e-4)


def test_equations_that_cannot_be_solved_are_answered_in_one_line():
    same = np.full((60, 6), 5, np.float32)  # the kernel of equal rows is singular but for the ridge
    older, inner = np.ones((60, 1), np.float32), np.arange(60) % 10
    model = LSSVM(ridge=1e-6)
    model.parts, model.ridge = {}, -1e-3
    with pytest.raises(UsageError, match="give a larger ridge"):
        model._learn(same, older, inner)


def test_ordinal_answers_are_those_of_ridge_regression():
    _, z, older, inner, held_out = learnt(Ordinal(ridge=0.5))
    seen, held = inner % 10 != 4, inner % 10 == 4
    rows = np.hstack([z, np.ones((len(z), 1))])
    weights = np.linalg.solve(rows[seen].T @ rows[seen] + 0.5 * np.eye(7), rows[seen].T @ older[seen])
    np.testing.assert_allclose(held_out[held], rows[held] @ weights, atol=1e-4)


def test_neighbors_of_the_own_inner_part_are_not_asked():
    z = np.float32([[1, 0], [1, 0.001], [1, 0.1], [0, 1], [0.1, 1]])
    older, inner = np.float32([[1], [1], [0], [1], [0]]), np.array([0, 0, 1, 1, 0])
    model = KNN(k=1, whiten=0.0)
    model.parts = {}
    np.testing.assert_array_equal(model._learn(z, older, inner)[:, 0], [0, 0, 1, 0, 1])
    np.testing.assert_array_equal(model._decide(z)[:, 0], older[:, 0])


def test_a_nearer_neighbor_counts_more_and_the_length_of_its_row_nothing():
    model = KNN(k=3, whiten=0.0)
    turned = np.deg2rad([0, 60, 90])
    points = np.stack([np.cos(turned), np.sin(turned)], 1).astype(np.float32)
    model.parts = {"machine": {"scale": np.ones(2, np.float32), "points": points, "older": np.uint8([[1], [0], [0]])}}
    [[share]] = model._decide(np.float32([[7, 0]]))
    assert share == pytest.approx(1 / 1.501, abs=1e-3), "distances 0, 1/2 and 1: weights 1, 1/2 and next to none"
