"""The models that ask "older than ...?", and what they share, on small made-up features."""

import numpy as np
import pytest

from ageensemble import ages
from ageensemble.errors import DataError, UsageError
from ageensemble.models import distribution
from ageensemble.models.knn import KNN
from ageensemble.models.lssvm import LSSVM
from ageensemble.models.prior import PriorBaseline
from ageensemble.models.ridge_ordinal import RidgeOrdinal

QUICK = {
    "ordinal": lambda: RidgeOrdinal(pca=10),
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
    return np.abs(ages.median(ages.smooth_with_prior(model.predict_proba(x), ages.histogram(y))) - y[:, 0]).mean()


def exactly(*years):
    return np.stack([np.array(years)] * 2, 1)


@each_model
def test_a_model_beats_the_floor_on_new_items_and_loads_as_it_was_saved(make, tmp_path):
    (x, y, inner), (new_x, new_y, _) = people(300), people(200, seed=1)
    model = make().fit(x, y, cv=inner)
    assert error(model, new_x, new_y) < 0.4 * error(PriorBaseline().fit(x, y, cv=inner), new_x, new_y)
    model.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays.safetensors", "parameters.json"]
    np.testing.assert_array_equal(type(model).load(tmp_path).predict_proba(new_x), model.predict_proba(new_x))


@each_model
def test_how_sure_a_model_is_holds_for_items_it_was_not_fitted_on(make):
    (x, y, inner), (new_x, new_y, _) = people(600), people(600, seed=1)
    rows = make().fit(x, y, cv=inner).predict_proba(new_x)
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
    model = make().fit(x, y, cv=inner)
    assert ("fallback" in model.fit_info_) == (case in ("three items", "one age", "one part"))
    distribution = ages.smooth_with_prior(model.predict_proba(x), ages.histogram(y))
    np.testing.assert_allclose(distribution.sum(1), 1, atol=1e-5)
    assert model.predict_proba(x[:0]).shape == (0, ages.N_AGES)


@each_model
def test_labeled_ranges_are_the_units_where_ages_are_not_exact(make):
    x, y, inner = people(200)
    third = np.digitize(y[:, 0], [25, 55])
    labels = np.array([[0, 24], [25, 54], [55, 120]])[third]
    predicted = make().fit(x, labels, cv=inner).predict_proba(x)
    mass = np.stack([predicted[:, low : high + 1].sum(1) for low, high in ((0, 24), (25, 54), (55, 120))], 1)
    assert (mass.argmax(1) == third).mean() > 0.8
    with pytest.raises(DataError, match="overlaps"):
        make().fit(x, labels + third[:, None] * [-2, 0], cv=inner)


@each_model
def test_the_order_of_the_training_items_does_not_matter(make):
    x, y, inner = people(150)
    order = np.random.default_rng(3).permutation(150)
    one, other = (make().fit(x[rows], y[rows], cv=inner[rows]).predict_proba(x) for rows in (slice(None), order))
    np.testing.assert_allclose(one, other, atol=0.02)


@each_model
def test_the_memory_of_a_fit_is_announced_as_a_whole_number_that_grows(make):
    model = make()
    assert isinstance(model.fit_bytes(100, 100), int)
    assert model.fit_bytes(100, 100) <= model.fit_bytes(10_000, 10_000)


def test_a_least_squares_machine_announces_its_square_system():
    assert LSSVM().fit_bytes(20_000, 100) - RidgeOrdinal().fit_bytes(20_000, 100) >= 8 * 20_000**2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: RidgeOrdinal(ridge=0), lambda: RidgeOrdinal(folds=1), lambda: RidgeOrdinal(pca=0),
        lambda: LSSVM(gamma=0),
        lambda: LSSVM(ridge=0), lambda: LSSVM(ridge=float("nan")), lambda: LSSVM(pca=1.5), lambda: KNN(k=0),
        lambda: KNN(whiten=1.1), lambda: KNN(k="many"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_refused_in_one_line_that_says_what_is_right(wrong):
    with pytest.raises(UsageError, match="must be") as caught:
        wrong().check_parameters()
    assert "\n" not in str(caught.value)


# --- units of years ---------------------------------------------------------------------------------------------


def test_every_age_labeled_often_is_a_unit_and_years_between_go_to_the_nearer():
    units, unit = distribution.age_units(exactly(*[20] * 5, *[21] * 7, *[26] * 5))
    assert units.ranges == ((0, 20), (21, 23), (24, 120))
    assert unit.tolist() == [0] * 5 + [1] * 7 + [2] * 5


def test_rare_ages_share_a_unit_with_the_next_and_the_oldest_with_the_one_before():
    units, _ = distribution.age_units(exactly(*[1] * 3, *[2] * 2, *[40] * 9, 90, 95))
    assert units.ranges == ((0, 21), (22, 120)), "3 + 2 items, then 9, to which the last two are added"
    assert len(distribution.age_units(exactly(5, 30, 70))[0]) == 1


def test_older_of_a_target_is_a_ladder():
    target = distribution.threshold_target(exactly(*[20] * 5, *[21] * 5, *[30] * 5))
    assert target.older[::5].tolist() == [[0, 0], [1, 0], [1, 1]]


def test_a_year_nobody_was_labeled_with_gets_next_to_nothing_beside_one_that_many_were():
    y = exactly(*[1] * 500, *[5] * 500)
    units, _ = distribution.age_units(y)
    assert units.ranges == ((0, 3), (4, 120))
    spread = distribution.unit_spread(units, y)
    np.testing.assert_allclose(spread.sum(1), 1)
    assert spread[0, 1] > 0.99
    assert 0 < spread[0, 0] < 0.005


def test_a_labeled_range_is_spread_over_all_its_years():
    y = np.repeat([[0, 2], [3, 10]], 50, axis=0)
    units, _ = distribution.age_units(y)
    assert units.ranges == ((0, 2), (3, 10))
    np.testing.assert_allclose(distribution.unit_spread(units, y)[1, 3:11], 1 / 8, atol=0.02)


# --- the machines -----------------------------------------------------------------------------------------------


def learned(model, n=90):
    """The model, its machine, rows, target, inner folds and out-of-fold outputs."""
    x, y, fold = people(n, d=6)
    z = x / np.sqrt((x**2).sum(1).mean())
    target = distribution.threshold_target(y)
    return model, *model._cross_fit(z, target, fold), z, target, fold


def test_lssvm_out_of_fold_outputs_are_those_of_fits_without_the_fold():
    model, _, outputs, z, target, fold = learned(LSSVM())
    for part in range(10):
        train, test = fold != part, fold == part
        machine, _ = model._cross_fit(z[train], target.take(train), fold[train])
        np.testing.assert_allclose(outputs[test], model._outputs(machine, z[test]), atol=1e-4)


def test_lssvm_solves_its_equations():
    model, machine, _, z, target, _ = learned(LSSVM(gamma=0.5, ridge=2.0))
    kernel = 1 + np.exp(-0.5 * ((z[:, None].astype(float) - z) ** 2).sum(2))
    expected = kernel @ np.linalg.solve(kernel + 2.0 * np.eye(len(z)), target.older)
    np.testing.assert_allclose(model._outputs(machine, z), expected, atol=1e-4)


def test_lssvm_says_in_one_line_that_its_equations_cannot_be_solved():
    same = np.full((60, 6), 5, np.float32)  # the kernel of equal rows is singular but for the ridge
    target = distribution.threshold_target(exactly(*[20] * 30, *[40] * 30))
    with pytest.raises(UsageError, match="give a larger ridge"):
        LSSVM(ridge=-1e-3)._cross_fit(same, target, np.arange(60) % 10)


def test_ordinal_outputs_are_those_of_ridge_regression():
    _, _, outputs, z, target, fold = learned(RidgeOrdinal(ridge=0.5))
    train, test = fold % 10 != 4, fold % 10 == 4
    rows = np.hstack([z, np.ones((len(z), 1))])
    weights = np.linalg.solve(rows[train].T @ rows[train] + 0.5 * np.eye(7), rows[train].T @ target.older[train])
    np.testing.assert_allclose(outputs[test], rows[test] @ weights, atol=1e-4)


def test_knn_asks_no_neighbors_of_the_own_inner_fold():
    z = np.float32([[1, 0], [1, 0.001], [1, 0.1], [0, 1], [0.1, 1]])
    target = distribution.ClassTarget(np.array([1, 1, 0, 1, 0]), np.eye(2), np.ones(2))
    model = KNN(k=1, whiten=0.0)
    machine, outputs = model._cross_fit(z, target, np.array([0, 0, 1, 1, 0]))
    np.testing.assert_array_equal(outputs[:, 0], [0, 0, 1, 0, 1])
    np.testing.assert_array_equal(model._outputs(machine, z)[:, 0], target.older[:, 0])


def test_knn_weighs_by_distance_and_ignores_the_length_of_a_row():
    turned = np.deg2rad([0, 60, 90])
    points = np.stack([np.cos(turned), np.sin(turned)], 1).astype(np.float32)
    machine = {"scale": np.ones(2, np.float32), "points": points, "older": np.uint8([[1], [0], [0]])}
    [[share]] = KNN(k=3, whiten=0.0)._outputs(machine, np.float32([[7, 0]]))
    assert share == pytest.approx(1 / 1.501, abs=1e-3), "distances 0, 1/2 and 1: weights 1, 1/2 and next to none"
