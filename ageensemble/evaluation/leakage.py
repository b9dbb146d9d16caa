"""Does a model do better out-of-fold than on the test part, or worse, by more than chance? There leakage shows.

Neither cross-validation nor an ensemble fitted on its predictions can see that a model had met its held-out items, but
other items can. So the out-of-fold score, each item by the one fold fit that should not have seen it, is compared with
the scores of the same single fold fits on the test part. (Their mean, which the table shows there, is better than any.)

Items lie in the one part or the other by chance within strata of age and gender, so only what differs within strata
says anything: the values of both parts are taken relative to the mean of their stratum. The errors of two sets of
groups are independent, and thousands of them have a normal mean: value and standard error make the interval, by
Student's t, since a thousand resamples hold too little of the tail that a family of runs needs (Bonferroni).

Where the test part is of another data set, nothing lies in it by chance, and no discrepancy is measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ..ages import AgeGroups
from ..splits.stratified_groups import age_gender_strata
from . import bootstrap
from .metrics import METRICS, parsed
from .predictions import Predictions

SHARED = 0.2  # of what the parts would have in common within strata if each stratum were split alike
LEAST = 30  # groups in either part; with fewer a mean is not normal enough
COLUMNS = ["gap", "gap_low", "gap_high", "gap_state", "gap_why"]
CLEAN, SUSPICIOUS, NOT_MEASURED = "clean", "suspicious", "not measured"


@dataclass(frozen=True)
class Discrepancy:
    """Test score minus out-of-fold score, in years of MAE (of accuracy where a label is a range).

    Attributes
    ----------
    value, low, high : float
        with its 95 % interval; NaN where it is not measured
    state : {"clean", "suspicious", "not measured"}
    why : str
        empty where it is clean
    """

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    state: str = NOT_MEASURED
    why: str = ""

    def row(self) -> dict:
        """The values of `COLUMNS` in a results table."""
        return dict(zip(COLUMNS, (self.value, self.low, self.high, self.state, self.why), strict=True))


def oof_test_discrepancy(
    oof: Predictions,
    test: Sequence[Predictions],
    age_groups: str | AgeGroups = "default",
    family: int = 1,
    several_models: bool = False,
) -> Discrepancy:
    """Measure the out-of-fold / test discrepancy of a model.

    Parameters
    ----------
    oof : Predictions
        out-of-fold
    test : list of Predictions
        of the test part, one for each fold fit alone, whose scores are averaged; not of their mean, which is better
    age_groups : str or AgeGroups
    family : int
        how many models are looked at: the interval is at 95 % for all of them together (Bonferroni)
    several_models : bool
        whether nobody knows how many models answered together on the test part, so that doing better there says
        nothing

    Examples
    --------
    >>> oof_test_discrepancy(oof, [fold_0, fold_1, fold_2]).state
    'clean'
    """
    age_groups = parsed(age_groups)
    why = unmeasurable(oof, test[0] if test else None, age_groups)
    if why:
        return Discrepancy(why=why)
    metric = _metric(oof, test[0])
    values = _both(metric.values(oof, age_groups), np.mean([metric.values(one, age_groups) for one in test], axis=0))
    in_test = np.arange(len(values)) >= len(oof)
    strata = age_gender_strata(_both(oof.age_range, test[0].age_range), _both(*map(_gender, (oof, test[0]))))
    groups = _groups(oof, test[0])
    order = np.arange(len(values))
    if oof.item_id is not None and test[0].item_id is not None:  # sums are the same in whatever order items come
        order = np.argsort(_both(oof.item_id, test[0].item_id), kind="stable")
    found = stratified_difference(values[order], in_test[order], strata[order], groups[order], family)
    return Discrepancy(*found, *judge(*found[1:], metric.lower_is_better, several_models))


def unmeasurable(oof: Predictions, test: Predictions | None, age_groups: AgeGroups) -> str:
    """Why nothing can be said of any model of these items, whatever it predicts; empty where something can."""
    if test is None:
        return "the split has no test part"
    datasets = [set(one.attributes.get("dataset", [""])) for one in (oof, test)]
    if not datasets[0] & datasets[1]:
        return "the test part is of another data set"
    rows = [_metric(oof, test).rows(one, age_groups) for one in (oof, test)]
    groups = _groups(oof, test)
    sizes = [len(np.unique(each[r])) for each, r in zip(np.split(groups, [len(oof)]), rows, strict=True)]
    return f"fewer than {LEAST} groups" if min(sizes) < LEAST else ""


def stratified_difference(values, test, strata, groups, family=1):
    """Difference of the two parts within strata, and its interval.

    The coefficient of being in the test part in a regression of the values on it and on strata (Frisch & Waugh 1933),
    its error robust to groups (Liang & Zeger 1986).

    Parameters
    ----------
    values : (n,) array
        one for each item, such as its absolute error; an item that is NaN takes no part
    test : (n,) bool array
        which items are in the test part
    strata, groups : (n,) int array
    family : int
        how many such differences are looked at: the interval is at 95 % for all of them together (Bonferroni)

    Returns
    -------
    float, float, float
        test minus the rest, low, high; NaN where the two parts hardly share a stratum
    """
    known = np.isfinite(values)
    values, test, groups = values[known], test[known], groups[known]
    _, stratum = np.unique(strata[known], return_inverse=True)
    count = np.bincount(stratum)
    values, side = (each - (np.bincount(stratum, each) / count)[stratum] for each in (values, test.astype(float)))
    spread = (side**2).sum()
    if spread < SHARED * len(test) * test.mean() * (1 - test.mean()):
        return np.nan, np.nan, np.nan
    value = (side * values).sum() / spread
    _, group = np.unique(groups, return_inverse=True)
    sums = np.bincount(group, side * (values - value * side))
    error = np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / spread
    error *= np.sqrt(len(values) / max(len(values) - len(count), 1))  # the means of strata were estimated
    freedom = min(len(np.unique(groups[part])) for part in (test, ~test)) - 1
    reach = max(stdtrit(freedom, 1 - (1 - bootstrap.LEVEL) / 2 / family) * error, 1e-9)  # what rounding may bring
    return float(value), float(value - reach), float(value + reach)


def judge(low, high, lower_is_better, several_models=False):
    """State and reason of an interval.

    Parameters
    ----------
    low, high : float
    lower_is_better : bool
    several_models : bool
        see `oof_test_discrepancy`
    """
    if np.isnan(low):
        return NOT_MEASURED, "the test part holds other ages or genders than the rest"
    if low <= 0 <= high:
        return CLEAN, ""
    test_worse = (low > 0) == lower_is_better
    if several_models and not test_worse:
        return NOT_MEASURED, "better on the test part, where nobody knows how many models answered together"
    what = (
        "better out-of-fold than on the test part, as if it had seen items that were held out from it"
        if test_worse
        else "better on the test part than out-of-fold, as if it had seen test items or more models had answered there"
    )
    return SUSPICIOUS, what


def _metric(oof, test):
    return METRICS.load("mae" if oof.exact and test.exact else "accuracy")


def _both(one, other):
    return np.concatenate([one, other])


def _groups(oof, test):
    if oof.groups is None or test.groups is None:
        return np.arange(len(oof) + len(test))
    return _both(oof.groups, test.groups)


def _gender(predictions):
    return predictions.attributes.get("gender", np.full(len(predictions), np.nan, dtype=object))
