"""Every classical model keeps the contract of scikit-learn."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from ageensemble import models
from ageensemble.errors import UsageError
from ageensemble.models import base, spec

SMALL = [
    models.PriorBaseline(),
    models.SVM(pca=3),
    models.SVM(pca=3, route="years"),
    models.XGBoost(pca=2, rounds=3),
    models.LSSVM(pca=3),
    models.RidgeOrdinal(pca=3),
    models.KNN(pca=3, k=3),
    models.AgeFromClassifier(LogisticRegression(C=0.01)),
    models.AgeFromRegressor(DecisionTreeRegressor(max_depth=3)),
    models.AgeFromThresholds(Ridge()),
]


def expected_failures(estimator):
    expected = {
        "check_regressor_data_not_an_array": "its targets go up to 271, no age of people",
        "check_regressors_no_decision_function": "predict_proba is what these regressors are for",
    }
    if isinstance(estimator, models.PriorBaseline):
        expected["check_estimators_empty_data_messages"] = "it looks at no feature, so there may be none"
    if isinstance(estimator, models.AgeFromClassifier):
        expected["check_methods_sample_order_invariance"] = "rounding of a matrix product, which depends on the rows"
    return expected


@parametrize_with_checks(SMALL, expected_failed_checks=expected_failures)
def test_a_model_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_every_classical_model_is_checked():
    classical = {name for name in models.names() if not models.load(name).takes_images}
    assert {models.load(name) for name in classical} <= {type(model) for model in SMALL}


def people(n, seed=0):
    random = np.random.default_rng(seed)
    age = random.integers(0, 90, n)
    return (age[:, None] / 20 + random.normal(size=(n, 8))).astype(np.float32), age


@pytest.mark.parametrize("model", SMALL, ids=repr)
def test_a_model_standing_alone_predicts_years_and_distributions(model):
    (X, age), (new, _) = people(120), people(30, 1)
    fitted = clone(model).fit(X, age, groups=np.arange(120) // 2)
    proba = fitted.predict_proba(new)
    assert proba.shape == (30, 121)
    np.testing.assert_allclose(proba.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(fitted.predict(new), (proba.cumsum(1) < 0.5 - 1e-9).sum(1))
    assert fitted.classes_.tolist() == list(range(121))
    assert fitted.n_features_in_ == 8


def test_ages_as_years_and_as_equal_ranges_give_the_same_model():
    X, age = people(80)
    one, other = models.LSSVM(pca=5).fit(X, age), models.LSSVM(pca=5).fit(X, np.stack([age, age], 1))
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_models_work_in_pipelines_searches_and_cross_validation():
    X, age = people(100)
    pipeline = make_pipeline(StandardScaler(), models.LSSVM(pca=5))
    assert cross_val_score(pipeline, X, age, cv=3, scoring="neg_mean_absolute_error").min() > -12
    search = GridSearchCV(models.LSSVM(pca=5), {"ridge": [0.1, 1.0]}, cv=GroupKFold(3))
    search.fit(X, age, groups=np.arange(100) // 2)
    assert search.best_estimator_.predict(X).shape == (100,)


# --- inner folds and labels ------------------------------------------------------------------------------------------


def test_inner_folds_keep_groups_whole():
    X, age = people(100)
    groups = np.arange(100) // 4
    fold = base.inner_folds(None, X, base.check_age_target(age), groups)
    assert len(set(zip(groups, fold, strict=True))) == 25
    assert set(fold) == set(range(10))


def test_inner_folds_of_a_splitter_are_its_test_folds():
    X, age = people(30)
    y, groups = base.check_age_target(age), np.arange(30) // 3
    fold = base.inner_folds(GroupKFold(3), X, y, groups)
    for number, (_, test) in enumerate(GroupKFold(3).split(X, age, groups)):
        assert set(fold[test]) == {number}
    with pytest.raises(ValueError, match="test every item once"):
        base.inner_folds([(np.arange(10), np.arange(10, 20))], X, y)


@pytest.mark.parametrize(
    ("y", "complaint"),
    [
        (None, "target y is None"), ([-1, 3], "0..120"), ([3, 121], "0..120"), ([[5, 3], [1, 2]], "before it begins"),
        ([1, np.nan], "NaN"), ([1, 2, 3], "inconsistent"), ([[1, 2, 3]] * 2, "1d"),
    ],
)  # fmt: skip
def test_labels_that_are_no_ages_are_refused(y, complaint):
    with pytest.raises(ValueError, match=complaint):
        base.check_age_target(y, 2)


def test_a_fraction_of_a_year_is_not_completed():
    assert base.check_age_target([17.9, 18.0]).tolist() == [[17, 17], [18, 18]]


# --- models made in Python, by name ----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", SMALL[:-1], ids=repr)
def test_the_full_name_of_a_model_gives_it_again(model):
    parsed = spec.parse(spec.text_of(model))
    again = parsed.model_class(**parsed.params)
    for name, value in model.get_params(deep=False).items():
        assert repr(getattr(again, name)) == repr(value), name
    assert spec.parse(spec.text_of(again)) == parsed


def test_a_pipeline_of_scikit_learn_has_a_full_name():
    parsed = spec.parse(spec.text_of(make_pipeline(StandardScaler(), Ridge(alpha=3))))
    assert repr(parsed.model_class(**parsed.params).estimator.steps[-1]) == "('ridge', Ridge(alpha=3))"


def test_an_estimator_of_elsewhere_has_no_full_name():
    class Theirs(Ridge):
        pass

    with pytest.raises(UsageError, match=r"into a \.py file"):
        spec.text_of(Theirs())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sklearn:ensemble.ExtraTreesRegresor", "did you mean 'sklearn:ensemble.ExtraTreesRegressor'"),
        ("sklearn:tree.DecisionTreeRegressor max_dept=3", "did you mean 'max_depth'"),
        ("sklearn:tree.DecisionTreeRegressor max_depth=-3", "'max_depth' parameter"),
        ("sklearn:preprocessing.StandardScaler", "neither a classifier nor a regressor"),
        ("sklearn:multioutput.MultiOutputRegressor", "cannot be created"),
        ("sklearn:utils.os.system", "no classifier or regressor"),
        ("sklearn:utils._testing.SkipTest", "no classifier or regressor"),
        ('sklearn:pipeline.Pipeline \'steps=[["a", {"class": "os.system", "params": {}}]]\'', "no estimator called"),
    ],
)
def test_names_in_scikit_learn_are_checked(text, complaint):
    with pytest.raises(UsageError) as caught:
        spec.parse(text)
    assert complaint in str(caught.value)


def test_a_file_may_hold_an_estimator_of_scikit_learns_kind(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from sklearn.linear_model import Ridge\n\n\nclass Mine(Ridge):\n    '''Mine.'''\n\n"
        "    def __init__(self, alpha=2.0):\n        super().__init__(alpha=alpha)\n"
    )
    parsed = spec.parse(f"{tmp_path / 'mine.py'} alpha=5")
    X, age = people(60)
    model = parsed.model_class(**parsed.params).fit(X, age)
    assert model.estimator_.alpha == 5
    assert model.predict_proba(X).shape == (60, 121)


def test_clone_of_a_model_named_by_its_class_keeps_its_parameters():
    copy = clone(models.load("sklearn:svm.SVC")(C=3, folds=4))
    assert (copy.estimator.C, copy.folds, copy.pca) == (3, 4, 512)


def test_set_params_of_a_timm_network_reaches_its_constructor():
    network = models.load("resnet18")(output_stride=16).set_params(output_stride=8, batch=4)
    assert (network.extra_kwargs, network.batch) == ({"output_stride": 8}, 4)
