"""Gaps: does a run do better out-of-fold than on the test part, or worse, by more than chance? There a leak shows.

Neither cross-validation nor a stack fitted on its predictions can see that a model had met its held-out items; other
items can. So the out-of-fold score, each item by the one cell that should not have seen it, is held against the scores
of the same single cells on the test part. (Their mean, which the table shows there, is better than any of them.)

Items lie in the one part or the other by chance within strata of age and gender, so only what differs within strata
says anything: the values of both parts are taken relative to the mean of their stratum. The errors of two sets of
groups are independent, and thousands of them have a normal mean: value and standard error make the interval, by
Student's t, since a thousand resamples hold too little of the tail that a family of runs needs (Bonferroni).

Where the test part is of another data set, nothing lies in it by chance, and no gap is measured.
"""

import numpy as np
from scipy.special import stdtrit

from ..ensembles.pooling import Pool
from ..experiments.stack import altered
from ..splits.split import TEST
from ..splits.stratified_groups import age_gender_strata
from . import bootstrap, metrics
from .predictions import Predictions

SHARED = 0.2  # of what the parts would have in common within strata if each stratum were split alike
LEAST = 30  # groups in either part; with fewer a mean is not normal enough
COLUMNS = ["gap", "gap_low", "gap_high", "gap_state", "gap_why"]
CLEAN, SUSPICIOUS, NOT_MEASURED = "clean", "suspicious", "not measured"


def measured(runs, experiment, age_groups, oof):
    """The gap of every run, at 95 % for all of them together.

    Parameters
    ----------
    runs : list of Run
        complete
    experiment : Experiment
    groups : ages.Scheme
    oof : dict of str to Predictions
        out-of-fold predictions by the run's folder

    Returns
    -------
    dict of str to dict
        by the run's folder, `COLUMNS`: test minus out-of-fold, in years of MAE (of accuracy where a label is a range),
        its interval, "clean", "suspicious" or "not measured", and why
    """
    split, y, groups = experiment.split, experiment.y, experiment.items["group"].to_numpy()
    metric = metrics.METRICS.load("mae" if np.all(y[:, 0] == y[:, 1]) else "accuracy")
    strata = age_gender_strata(y, experiment.items["gender"])
    scored = age_groups.of(y) >= 0 if metric.needs == "age_groups" else np.ones(len(y), bool)
    few = _unmeasurable([np.unique(groups[rows][scored[rows]]) for rows in (split.development, split.test)], experiment)
    values, why = {}, {}
    for run in runs:
        name = run.folder.name
        why[name] = "no out-of-fold predictions" if name not in oof else few
        cells = [] if why[name] else single_predictions(run, split.n_folds, runs)
        if cells:
            test = [metric.values(Predictions(c, y[split.test]), age_groups) for c in cells]
            values[name] = np.empty(len(y))
            values[name][split.test] = np.mean(test, axis=0)
            values[name][split.development] = metric.values(oof[name], age_groups)
        why[name] = why[name] or "its members are no longer as they were"
    result = {name: _row(np.nan, np.nan, np.nan, NOT_MEASURED, reason) for name, reason in why.items()}
    for name, each in values.items():
        found = gap(each, split.fold == TEST, strata, groups, len(values))
        result[name] = _row(*found, *_judged(*found[1:], metric, _from_outside(name, runs)))
    _pass_on(runs, result)
    return result


def _unmeasurable(groups, experiment):
    """Why nothing can be said of any run, whatever it predicts; empty where something can."""
    split = experiment.split
    if split.evaluated_part != "test":
        return "the split has no test part"
    dataset = experiment.items["dataset"].to_numpy(object)
    if not set(dataset[split.test]) & set(dataset[split.development]):
        return "the test part is of another data set"
    return f"fewer than {LEAST} groups" if min(map(len, groups)) < LEAST else ""


def _row(*values):
    return dict(zip(COLUMNS, values, strict=True))


def gap(values, test, strata, groups, family=1):
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
        how many such gaps are looked at: the interval is at 95 % for all of them together (Bonferroni)

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


def single_predictions(run, folds, runs):
    """Test predictions made as the out-of-fold ones were, by one cell or a pool of one cell of each member.

    Parameters
    ----------
    run : Run
    folds : int
    runs : list of Run
        complete, a stack's members among them

    Returns
    -------
    list of (n, A) arrays
        one for each cell; of an import what it brought; none of a stack whose members are not as they were
    """
    if run.kind == "stack":
        return _pooled_cells(run, folds, runs)
    cells = [np.load(run.fold_folder(c) / "test.npy", allow_pickle=False, mmap_mode="r") for c in run.fold_names(folds)]
    return cells or [run.proba("test")]


def _pooled_cells(run, folds, runs):
    if altered(run, runs):
        return []
    here = {other.folder.name: other for other in runs}
    pool = Pool.from_json(run.metadata["pool"])
    cells = [single_predictions(here[name], folds, runs) for name in run.config["members"]]
    return [pool([member[fold % len(member)] for member in cells]) for fold in range(folds)]


def _from_outside(name, runs):
    """Whether a run's test items, or those of a member of it, were answered by who knows how many models."""
    here = {run.folder.name: run for run in runs}
    members = here[name].config["members"] if here[name].kind == "stack" else [name]
    return any(here[member].kind == "import" for member in members if member in here)


def _judged(low, high, metric, from_outside):
    """State and reason of an interval."""
    if np.isnan(low):
        return NOT_MEASURED, "the test part holds other ages or genders than the rest"
    if low <= 0 <= high:
        return CLEAN, ""
    test_worse = (low > 0) == metric.lower_is_better
    if from_outside and not test_worse:
        return NOT_MEASURED, "better on the test part, where nobody knows how many models answered together"
    what = (
        "better out-of-fold than on the test part, as if it had seen items that were held out from it"
        if test_worse
        else "better on the test part than out-of-fold, as if it had seen test items or more models had answered there"
    )
    return SUSPICIOUS, what


def _pass_on(runs, result):
    """A stack is as suspicious as its members."""
    titles = {run.folder.name: run.title for run in runs}
    for run in runs:
        members = run.config["members"] if run.kind == "stack" else {}
        bad = [titles[name] for name in members if result.get(name, {}).get("gap_state") == SUSPICIOUS]
        if bad:
            result[run.folder.name] |= {"gap_state": SUSPICIOUS, "gap_why": f"made of suspicious {', '.join(bad)}"}
