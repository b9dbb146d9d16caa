"""What every ensemble is: weights for members, found on their out-of-fold predictions."""

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from .._utils.render import Column, Table
from ..ages import first_compatible
from ..errors import UnequalError, UsageError
from ..evaluation.predictions import Predictions, folds_of, groups_of
from .cross_fit import cross_fit, draw_sample, pool_out_of_fold
from .pooling import Pool


class Ensemble(BaseEstimator, ABC):
    """Base class of ensembles; one of your own defines `version` and `fit_pool`.

    Parameters
    ----------
    random_state : int
        of the items that are drawn where there are many, and of the parts that a shrinkage is chosen by

    Attributes
    ----------
    version : int
        of the class: raised whenever its numbers change
    pool_ : Pool
        fitted on all items; `weights_` and `temperatures_` are its
    predictions_ : Predictions
        of the items it was fitted on, cross-fitted: each by a pool that was fitted without the item's fold
    scores_ : dict
        `apparent`, `cross_fitted` and `optimism`, see `cross_fit.CrossFit.scores`
    members_ : list of dict
        `model`, `weight`, `temperature` and `loss_without` of each member: for each metric, what the ensemble loses
        without it as [difference, low, high]
    n_samples_ : int
        items that it was fitted on
    fit_seconds_ : float

    Examples
    --------
    >>> ensemble = Stacking().fit([svm, cnn])
    >>> ensemble.weights_
    >>> ensemble.predictions_.median
    >>> ensemble.predict([svm_test, cnn_test])

    A file `first.py` for `ageensemble stack --method first.py`, which trusts the first member alone:

    >>> import numpy as np
    >>> from ageensemble.ensembles import Ensemble, Pool
    >>> class First(Ensemble):
    ...     version = 1
    ...
    ...     def fit_pool(self, scores, y, groups, like=None):
    ...         return Pool("log", np.eye(len(scores))[0], np.ones(len(scores)))
    """

    version: int

    def __init__(self, random_state=0):
        self.random_state = random_state

    @abstractmethod
    def fit_pool(self, scores, y, groups, like=None) -> Pool:
        """Weights of the members.

        Parameters
        ----------
        scores : (M, n, 121) float32 array
            logarithms of the members' out-of-fold distributions divided by their temperatures, up to a constant for
            each row: the softmax of a row is a distribution
        y : (n, 2) int array
            first and last year of each label
        groups : (n,) array
            items that must stay together
        like : Pool, optional
            found for the same items with one member more, whose weight is left out: what an ensemble chooses by
            validation, such as `Pool.shrinkage`, can be taken from it

        Returns
        -------
        Pool
            of temperatures 1
        """

    def fit(self, predictions, on_progress=lambda done, total: None):
        """Find the weights, and cross-fit them.

        Parameters
        ----------
        predictions : list of Predictions
            out-of-fold, of the same items in the same order, with labels. Without groups every item is one; without
            folds the items are divided into five parts
        on_progress : callable
            called with the number of steps that are done, and of all

        Returns
        -------
        self

        Raises
        ------
        UsageError
            Fewer than two members, no labels, or some of the test part.
        UnequalError
            They are not of the same items.
        DataError
            All items lie in one fold.
        """
        if len(predictions) < 2:
            raise UsageError(f"an ensemble needs predictions of two members, here are {len(predictions)}")
        _check_same_items(predictions)
        first = predictions[0]
        if first.age_range is None:
            raise UsageError("an ensemble is fitted on labels: give predictions with age_range")
        y, members = first.age_range, [each.proba for each in predictions]
        groups, fold = groups_of(first), folds_of(first, random_state=self.random_state)
        if fold.min() < 0:
            raise UsageError("an ensemble is fitted on out-of-fold predictions, without the test part")
        age_groups = first_compatible(y)
        with threadpool_limits(1):  # on any number of threads the last digits would differ
            sample = draw_sample(members, y, groups, fold, self.random_state)
            found = cross_fit(self, sample, on_progress)
            proba = pool_out_of_fold(found.pools, members, fold)
        self.pool_, self.n_samples_, self.fit_seconds_ = found.pool, len(sample.y), found.seconds
        self.age_groups_ = age_groups
        self.predictions_ = replace(first, proba=proba, name=self._name, fold=fold)
        self.scores_ = found.scores(sample, age_groups)
        self.members_ = [
            {"model": each.name, "weight": float(weight), "temperature": float(temperature), "loss_without": loss}
            for each, weight, temperature, loss in zip(
                predictions, self.weights_, self.temperatures_, self.scores_.pop("loss_without"), strict=True
            )
        ]
        return self

    def predict(self, predictions) -> Predictions:
        """Pool predictions of the members, given in the order of `fit`, of any items.

        Of the items that it was fitted on, `predictions_` are the ones to be evaluated.
        """
        check_is_fitted(self)
        if len(predictions) != len(self.weights_):
            raise UsageError(f"fitted on {len(self.weights_)} members, given predictions of {len(predictions)}")
        _check_same_items(predictions)
        with threadpool_limits(1):
            proba = self.pool_([each.proba for each in predictions])
        return replace(predictions[0], proba=proba, name=self._name)

    @property
    def weights_(self) -> np.ndarray:
        """Weight of each member, `(M,)`; those of a log-pool are exponents and need not sum to 1."""
        return self.pool_.weights

    @property
    def temperatures_(self) -> np.ndarray:
        """Temperature of each member, `(M,)`; above 1 where it is overconfident."""
        return self.pool_.temperatures

    @property
    def table(self) -> Table:
        """Weight, temperature and importance of every member."""
        check_is_fitted(self)
        return member_table(self.members_, self._name)

    @property
    def _name(self):
        return type(self).__name__.lower()


DIFFERENCES = {"mae": ("MAE increase when removed", "{:+.3f}"), "f1_weighted": ("weighted F1 when removed", "{:+.4f}")}


def member_table(members, title="", notes=()):
    """A table of members, the heaviest first.

    Parameters
    ----------
    members : list of dict
        as `Ensemble.members_`
    """
    rows = sorted(members, key=lambda member: -member["weight"])
    rows = [member | {name: member["loss_without"].get(name) for name in DIFFERENCES} for member in rows]
    columns = [
        Column("model", "member"),
        Column("weight", format="{:.3f}".format, right=True),
        Column("temperature", format="{:.2f}".format, right=True),
        *(
            Column(name, label, lambda triple, form=form: difference_text(triple, form), right=True)
            for name, (label, form) in DIFFERENCES.items()
        ),
    ]
    return Table(columns, rows, notes, title)


def difference_text(triple, form):
    """A difference with its interval, such as `+0.120 (+0.050 to +0.190)`; empty for None."""
    if triple is None:
        return ""
    value, low, high = (form.format(number) for number in triple)
    return f"{value} ({low} to {high})"


def _check_same_items(predictions):
    first = predictions[0]
    for other in predictions[1:]:
        same = len(other) == len(first) and all(
            getattr(first, what) is None
            or getattr(other, what) is None
            or np.array_equal(getattr(first, what), getattr(other, what))
            for what in ("item_id", "age_range", "fold")
        )
        if not same:
            names = f"{first.name or 'the first member'} and {other.name or 'another'}"
            raise UnequalError(f"the predictions of {names} are not of the same items in the same order")
