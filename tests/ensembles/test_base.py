"""Every kind of ensemble keeps the contract of `Ensemble`, on arrays as a notebook has them."""

import numpy as np
import pytest
from helpers.predicted import bells
from sklearn.base import clone

from ageensemble import ages
from ageensemble._utils import registry
from ageensemble.ensembles import REGISTRY, Ensemble, Stacking
from ageensemble.errors import UnequalError, UsageError
from ageensemble.evaluation.predictions import Predictions

N = 240


def members(errors=(5, 7), seed=0, fold=True, n=N, **more):
    """Predictions of models that err by so many years, of the same items."""
    age = np.random.default_rng(seed).integers(20, 90, n)
    about = {"age_range": age, "groups": np.arange(n) // 2, "fold": np.arange(n) // 2 % 3 if fold else None} | more
    drawn = [np.random.default_rng([seed, m]).normal(0, error, n) for m, error in enumerate(errors)]
    return [
        Predictions(bells(age + noise, error), **about, name=f"model {m}", part="oof")
        for m, (noise, error) in enumerate(zip(drawn, errors, strict=True))
    ]


def mae(predictions):
    return np.abs(predictions.median - predictions.age_range[:, 0]).mean()


@pytest.fixture(params=REGISTRY.names())
def ensemble(request):
    return REGISTRY.load(request.param)()


def test_every_ensemble_is_described_and_cloned(ensemble):
    assert isinstance(ensemble, Ensemble)
    assert len(registry.summary(type(ensemble))) > 20
    assert registry.version(type(ensemble)) >= 1
    assert clone(ensemble).get_params() == ensemble.get_params() == {"random_state": 0}


def test_fitted_ensemble_has_weights_and_out_of_fold_predictions(ensemble):
    given = members()
    assert ensemble.fit(given) is ensemble
    assert ensemble.weights_.shape == ensemble.temperatures_.shape == (2,)
    assert ensemble.weights_.min() >= 0
    found = ensemble.predictions_
    assert found.proba.shape == (N, ages.N_AGES)
    assert found.proba.sum(1) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(found.age_range, given[0].age_range)
    assert mae(found) < mae(given[1])
    assert ensemble.scores_["cross_fitted"]["mae"] == pytest.approx(mae(found))
    difference, low, high = ensemble.scores_["optimism"]["mae"]
    assert low <= difference <= high
    assert [member["model"] for member in ensemble.members_] == ["model 0", "model 1"]
    assert ensemble.members_[0]["loss_without"]["mae"][0] > 0


def test_no_label_decides_its_own_out_of_fold_prediction(ensemble):
    given = members()
    held_out = given[0].fold == 1
    age = np.where(held_out, 3, given[0].age_range[:, 0])
    changed = [Predictions(each.proba, age, each.groups, fold=each.fold) for each in given]
    before, after = (ensemble.fit(each).predictions_.proba.copy() for each in (given, changed))
    assert np.array_equal(before[held_out], after[held_out])
    assert not np.array_equal(before[~held_out], after[~held_out])


def test_predict_pools_new_items_in_the_order_of_fit(ensemble):
    new = members(seed=1)
    ensemble.fit(members())
    found = ensemble.predict(new)
    assert np.array_equal(found.proba, ensemble.pool_([each.proba for each in new]))
    assert mae(found) < mae(new[1])


def test_the_same_random_state_gives_the_same_digits(ensemble):
    one, other = (clone(ensemble).fit(members()) for _ in "ab")
    assert np.array_equal(one.predictions_.proba, other.predictions_.proba)


def test_without_folds_groups_stay_together():
    fold = Stacking().fit(members(fold=False)).predictions_.fold
    assert len(np.unique(fold)) == 5
    assert np.array_equal(fold[::2], fold[1::2])


def test_progress_ends_where_all_steps_are_done():
    steps = []
    Stacking().fit(members(), on_progress=lambda done, total: steps.append((done, total)))
    assert steps == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_table_names_each_member_and_its_weight():
    table = Stacking().fit(members()).table
    assert {row["model"] for row in table.rows} == {"model 0", "model 1"}
    assert "MAE increase" in table.markdown()


def test_what_cannot_be_pooled_is_refused():
    one, other = members()
    with pytest.raises(UsageError, match="two members"):
        Stacking().fit([one])
    with pytest.raises(UnequalError, match="model 0 and model 1 are not of the same items"):
        Stacking().fit([one, other[1:]])
    with pytest.raises(UnequalError):
        Stacking().fit([one, members(seed=1)[0]])
    with pytest.raises(UsageError, match="labels"):
        Stacking().fit([Predictions(one.proba)] * 2)
    with pytest.raises(UsageError, match="out-of-fold"):
        Stacking().fit([Predictions(one.proba, one.age_range, fold=np.full(N, -1))] * 2)
    with pytest.raises(UsageError, match="fitted on 2 members, given predictions of 1"):
        Stacking().fit([one, other]).predict([one])
