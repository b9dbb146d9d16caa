"""PriorBaseline, SVM and XGBoost on small made-up features: no photograph, no image feature."""

from itertools import combinations

import numpy as np
import pytest

from ageensemble import ages
from ageensemble.errors import DataError, UsageError
from ageensemble.models import distribution, kernels, projection
from ageensemble.models.prior import PriorBaseline
from ageensemble.models.svm import SVM
from ageensemble.models.xgboost import XGBoost

QUICK = {
    "prior": PriorBaseline,
    "svm by groups": lambda: SVM(pca=10),
    "svm by years": lambda: SVM(pca=10, route="years"),
    "svm weighted": lambda: SVM(pca=10, weighting="group"),
    "xgboost by groups": lambda: XGBoost(pca=10, rounds=20),
    "xgboost by years": lambda: XGBoost(pca=0, rounds=20, route="years", loss="huber"),
    "xgboost weighted": lambda: XGBoost(pca=10, rounds=20, weighting="group"),
}
each_model = pytest.mark.parametrize("make", QUICK.values(), ids=QUICK)
ranges_too = pytest.mark.parametrize(
    "make", [QUICK["svm by groups"], QUICK["xgboost by groups"]], ids=["svm", "xgboost"]
)


def people(n, seed=0, d=24):
    """Features that follow age with noise, exact labels and inner parts."""
    random = np.random.default_rng(seed)
    age = random.integers(0, 90, n)
    direction = np.random.default_rng(99).standard_normal(d)
    x = (np.outer(age / 20, direction) + random.standard_normal((n, d))).astype(np.float32)
    return x, np.stack([age, age], 1), random.integers(0, 10, n)


def error(model, x, y):
    return np.abs(ages.median(ages.smooth_with_prior(model.predict_proba(x), ages.histogram(y))) - y[:, 0]).mean()


@each_model
def test_a_model_returns_age_distributions_and_loads_as_it_was_saved(make, tmp_path):
    x, y, inner = people(200)
    model = make().fit(x, y, cv=inner)
    predicted = model.predict_proba(x[:30])
    assert predicted.shape == (30, ages.N_AGES)
    np.testing.assert_allclose(predicted.sum(1), 1, atol=1e-6)
    model.save(tmp_path / "model")
    assert {path.suffix for path in (tmp_path / "model").iterdir()} <= {".json", ".safetensors", ".ubj"}
    np.testing.assert_array_equal(type(model).load(tmp_path / "model").predict_proba(x[:30]), predicted)


@each_model
def test_the_same_seed_gives_the_same_predictions(make):
    x, y, inner = people(150)
    first, second = (make().fit(x, y, cv=inner).predict_proba(x[:20]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", [name for name in QUICK if name != "prior"])
def test_a_model_beats_the_floor_on_new_items(name):
    (x, y, inner), (new_x, new_y, _) = people(300), people(200, seed=1)
    model, floor = QUICK[name]().fit(x, y, cv=inner), PriorBaseline().fit(x, y, cv=inner)
    assert error(model, new_x, new_y) < 0.6 * error(floor, new_x, new_y)
    assert model.fit_info_["library"].split()[0] in ("scikit-learn", "scikit-learn-intelex", "xgboost")


@each_model
@pytest.mark.parametrize(
    "case", ["three items", "one age", "one part", "constant features", "a part alone with its group", "few parts"]
)
def test_degenerate_training_items_do_not_crash(make, case):
    x, y, inner = people(40)
    if case == "three items":
        x, y, inner = x[:3], np.array([[5, 5], [30, 30], [70, 70]]), np.arange(3)
    elif case == "one age":
        y[:] = 30
    elif case == "one part":
        inner[:] = 4
    elif case == "constant features":
        x[:] = 1
    elif case == "a part alone with its group":
        y[:], y[:5], inner[:], inner[:5] = 30, 80, 3, 7
    elif case == "few parts":
        inner = inner % 2 * 9
    distribution = ages.smooth_with_prior(make().fit(x, y, cv=inner).predict_proba(x), ages.histogram(y))
    np.testing.assert_allclose(distribution.sum(1), 1, atol=1e-5)


@each_model
def test_no_rows_give_no_predictions(make):
    x, y, inner = people(60)
    assert make().fit(x, y, cv=inner).predict_proba(x[:0]).shape == (0, ages.N_AGES)


@pytest.mark.parametrize("make", [QUICK["svm by years"], QUICK["xgboost by years"]], ids=["svm", "xgboost"])
def test_the_route_by_years_refuses_ranges(make):
    x, y, inner = people(40)
    with pytest.raises(DataError, match="needs exact ages"):
        make().fit(x, y + np.array([0, 3]), cv=inner)


@ranges_too
def test_the_route_by_groups_takes_labeled_ranges_as_its_groups(make):
    x, y, inner = people(200)
    labels = np.array([[0, 24], [25, 54], [55, 120]])[np.digitize(y[:, 0], [25, 55])]
    predicted = make().fit(x, labels, cv=inner).predict_proba(x)
    thirds = np.stack([predicted[:, low : high + 1].sum(1) for low, high in ((0, 24), (25, 54), (55, 120))], 1)
    assert (thirds.argmax(1) == np.digitize(y[:, 0], [25, 55])).mean() > 0.8


def test_a_group_absent_from_training_gets_no_probability():
    x, y, inner = people(200)
    young = y[:, 0] < 60
    predicted = SVM(pca=10).fit(x[young], y[young], cv=inner[young]).predict_proba(x)
    assert predicted[:, 61:].max() == 0


def test_labeled_ranges_that_overlap_are_refused():
    with pytest.raises(DataError, match="15-25 overlaps"):
        distribution.age_classes(np.array([[10, 20], [15, 25]]))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SVM(C=-1), lambda: SVM(C="much"), lambda: SVM(gamma=0), lambda: SVM(pca=0), lambda: SVM(pca=2.5),
        lambda: SVM(route="ages"), lambda: SVM(folds=1), lambda: SVM(C=float("nan")), lambda: SVM(C=float("inf")),
        lambda: XGBoost(eta=2), lambda: XGBoost(loss="cubic"), lambda: XGBoost(rounds=0), lambda: XGBoost(pca=-1),
        lambda: XGBoost(weighting=1),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_refused_in_one_line_that_says_what_is_right(wrong):
    with pytest.raises(UsageError, match="must be") as caught:
        wrong().check_parameters()
    assert "\n" not in str(caught.value)


# --- what the models are made of --------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["sklearn", "sklearnex"])
def test_our_regression_machine_predicts_as_the_library_does(package, monkeypatch):
    machine = use_library(package, monkeypatch)
    x, y, _ = people(150)
    x = x.astype(float) / 10
    threads = {"n_jobs": 1} if package == "sklearnex" else {}
    library = machine.SVR(C=10, gamma=0.7, epsilon=0.5, **threads).fit(x, y[:, 0])
    ours = kernels.fit_regression(x, y[:, 0], np.ones(len(x)), C=10, gamma=0.7, epsilon=0.5, threads=1)
    np.testing.assert_allclose(ours(x)[:, 0], library.predict(x), atol=1e-6)


@pytest.mark.parametrize("package", ["sklearn", "sklearnex"])
def test_our_pairs_decide_as_the_library_does_and_an_absent_group_decides_nothing(package, monkeypatch):
    machine = use_library(package, monkeypatch)
    x, y, _ = people(200)
    x, label = x.astype(float) / 10, np.array([0, 1, 3, 4])[y[:, 0] // 23]
    threads = {"n_jobs": 1} if package == "sklearnex" else {}  # its solver stops elsewhere on other numbers of threads
    library = machine.SVC(C=5, gamma=0.7, decision_function_shape="ovo", **threads).fit(x, label)
    ours = kernels.fit_pairs(x, label, 5, np.ones(5), C=5, gamma=0.7, threads=1)(x)
    known = ["2" not in f"{i}{j}" for i, j in combinations(range(5), 2)]
    np.testing.assert_allclose(ours[:, known], library.decision_function(x), atol=1e-6)
    assert not ours[:, np.invert(known)].any()


def use_library(package, monkeypatch):
    module = pytest.importorskip(f"{package}.svm")
    if package == "sklearn":
        monkeypatch.setitem(__import__("sys").modules, "sklearnex", None)  # as if it were not installed
    assert kernels.solver().startswith("scikit-learn " if package == "sklearn" else "scikit-learn-intelex ")
    return module


def test_probabilities_of_a_weighted_fit_speak_of_training_frequencies():
    random = np.random.default_rng(0)
    label = (random.random(3000) < 0.1).astype(int)  # one in ten, made to count like the other nine
    age = np.where(label, 70, 20)
    x = (label[:, None] + random.standard_normal((3000, 3))).astype(np.float32)
    y, inner = np.stack([age, age], 1), random.integers(0, 10, 3000)
    for model in (SVM(pca=3, weighting="group"), XGBoost(pca=0, rounds=20, weighting="group")):
        old = model.fit(x[:2000], y[:2000], cv=inner[:2000]).predict_proba(x[2000:])[:, 45:].sum(1)
        assert abs(old.mean() - label[2000:].mean()) < 0.03
        likely = old > 0.3
        assert abs(old[likely].mean() - label[2000:][likely].mean()) < 0.15


def test_softmax_recovers_the_probabilities_that_drew_the_labels():
    random = np.random.default_rng(0)
    decisions = random.standard_normal((20000, 3)) * [5, 1, 0.2]
    truth = distribution.SoftmaxCalibrator(np.array([[0.2, -0.2, 0], [1, 0, -1], [0, 3, 0]]), np.array([0, 0.5, -0.5]))
    probabilities = truth(decisions)
    label = (probabilities.cumsum(1) < random.random((20000, 1))).sum(1)
    np.testing.assert_allclose(
        distribution.fit_softmax(decisions, label, 3, penalty=0.01)(decisions), probabilities, atol=0.06
    )


def test_balance_gives_every_group_the_same_total():
    np.testing.assert_allclose(distribution.balanced_weights(np.array([0, 0, 0, 1])), [2 / 3, 2])


def test_inner_predictions_come_from_fits_without_the_item_and_its_part():
    inner = np.array([3, 3, 7, 8, 8, 9])
    seen = {}

    def fit_predict(train, held):
        seen.update({int(item): set(train) for item in held})
        return held * 10.0

    np.testing.assert_array_equal(distribution.out_of_fold(fit_predict, inner, 2), np.arange(6) * 10.0)
    for item, train in seen.items():
        assert not {other for other in range(6) if inner[other] == inner[item]} & train
        assert train


def test_principal_components_agree_with_an_exact_decomposition():
    x = people(300, d=60)[0] * np.linspace(1, 3, 60, dtype=np.float32) + 5
    standard = (x - x.mean(0)) / x.std(0)
    exact = standard @ np.linalg.svd(standard, full_matrices=False)[2][:4].T
    ours = projection.principal_components(x, 60, seed=0)(x)
    assert (ours**2).sum(1).mean() == pytest.approx(1, abs=1e-3)
    cosine = (ours[:, :4] * exact).sum(0) / np.linalg.norm(ours[:, :4], axis=0) / np.linalg.norm(exact, axis=0)
    np.testing.assert_allclose(np.abs(cosine), 1, atol=1e-3)


# Two columns of variance 1 without correlation, the second one nine times over
NARROW_AND_WIDE = np.float32([[1, 1, -1, -1], [1, -1, 1, -1]]).T[:, [0, *[1] * 9]]


@pytest.mark.parametrize(
    ("x", "widths", "expected"),
    [
        (NARROW_AND_WIDE, None, [0.9, 0.1]),
        (NARROW_AND_WIDE, (10,), [0.9, 0.1]),
        (NARROW_AND_WIDE, (1, 9), [0.5, 0.5]),
        (NARROW_AND_WIDE[:, ::-1] * 7, (9, 1), [0.5, 0.5]),
        (np.insert(NARROW_AND_WIDE, [1] * 8, 3, 1), (9, 9), [0.5, 0.5]),
    ],
    ids=["not told", "one set", "two sets", "the wide one first", "eight columns that say nothing"],
)
def test_feature_sets_have_the_same_variance_however_many_columns_they_have(x, widths, expected):
    z = projection.principal_components(x, 2, seed=0, widths=widths)(x)
    np.testing.assert_allclose(z.var(0), expected, atol=1e-6)


def test_a_lone_feature_set_is_projected_to_the_last_digit_as_if_there_were_no_sets():
    x = people(100)[0] * np.linspace(0, 3, 24, dtype=np.float32)
    plain, told = (projection.principal_components(x, 10, seed=0, widths=widths) for widths in (None, (24,)))
    np.testing.assert_array_equal(plain.axes, told.axes)
    np.testing.assert_array_equal(plain.shift, told.shift)


def test_a_set_that_is_the_same_for_everybody_changes_nothing_for_the_others():
    x = people(100)[0]
    alone = projection.principal_components(x, 10, seed=0)(x)
    x = np.concatenate([np.full((100, 200), 5, np.float32), x], 1)
    np.testing.assert_allclose(
        np.abs(projection.principal_components(x, 10, seed=0, widths=(200, 24))(x)), np.abs(alone), atol=1e-4
    )


@pytest.mark.parametrize("name", ["svm by groups", "svm by years", "xgboost by groups"])
def test_a_few_good_features_beside_many_of_something_else_are_heard(name):
    x, y, inner = people(500)
    random = np.random.default_rng(5)
    else_ = random.standard_normal((500, 30)) @ random.standard_normal((30, 900))  # thirty things that tell no age
    x = np.concatenate([x, else_.astype(np.float32)], 1)
    deaf, hearing = (
        error(QUICK[name]().fit(x[:300], y[:300], cv=inner[:300], feature_widths=widths), x[300:], y[300:])
        for widths in (None, (24, 900))
    )
    assert hearing < 0.7 * deaf


def test_features_may_be_a_memmap(tmp_path):
    x, y, inner = people(100)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    model = SVM(pca=10).fit(mapped, y, cv=inner)
    np.testing.assert_array_equal(model.predict_proba(mapped), SVM(pca=10).fit(x, y, cv=inner).predict_proba(x))


@each_model
def test_the_memory_of_a_fit_is_announced_as_a_whole_number_that_grows(make):
    model = make()
    assert isinstance(model.fit_bytes(100, 100), int)
    assert model.fit_bytes(100, 100) <= model.fit_bytes(10_000, 10_000)
