"""Gaps: does a run do better out-of-fold than on the test part, or worse, by more than chance? There a leak shows.

Neither cross-validation nor a stack fitted on its predictions can see that a model had met its held-out items; other
items can. So the out-of-fold score, each item by the one cell that should not have seen it, is held against the scores
of the same single cells on the test part. (Their mean, which the table shows there, is better than any of them.)

Items lie in the one part or the other by chance within strata of age and gender, so only what differs within strata
says anything: the values of both parts are taken relative to the mean of their stratum. The errors of two sets of
clusters are independent, and thousands of them have a normal mean: value and standard error make the interval, by
Student's t, since a thousand resamples hold too little of the tail that a family of runs needs (Bonferroni).

Where the test part is of another data set, nothing lies in it by chance, and no gap is measured.
"""

import numpy as np
from scipy.special import stdtrit

from ..ensembles.pooling import Pool
from ..experiments.stack_members import altered
from ..splits import split
from . import bootstrap

SHARED = 0.2  # of what the parts would have in common within strata if each stratum were split alike
LEAST = 30  # clusters in either part; with fewer a mean is not normal enough
COLUMNS = ["gap", "gap_low", "gap_high", "gap_state", "gap_why"]
CLEAN, SUSPICIOUS, NOT_MEASURED = "clean", "suspicious", "not measured"


def measured(runs, plan_folder, groups, oof):
    """The gap of every run, at 95 % for all of them together.

    Parameters
    ----------
    runs : list of Run
        complete
    plan_folder : PlanFolder
    groups : ages.Scheme
    oof : dict of str to compare.Answers
        out-of-fold answers by the run's folder

    Returns
    -------
    dict of str to dict
        by the run's folder, `COLUMNS`: test minus out-of-fold, in years of MAE (of accuracy where a label is a range),
        its interval, "clean", "suspicious" or "not measured", and why
    """
    plan, y, clusters = plan_folder.plan, plan_folder.y, plan_folder.items["cluster"].to_numpy()
    metric = bootstrap.item_metric(y)
    strata = split.strata(y, plan_folder.items["gender"])
    scored = groups.of(y) >= 0 if metric == "accuracy" else np.ones(len(y), bool)
    few = _unmeasurable([np.unique(clusters[rows][scored[rows]]) for rows in (plan.rest, plan.test)], plan_folder)
    values, why = {}, {}
    for run in runs:
        name = run.folder.name
        why[name] = "no out-of-fold predictions" if name not in oof else few
        cells = [] if why[name] else single_predictions(run, plan.folds, runs)
        if cells:
            test = [bootstrap.item_scores(metric, bootstrap.answers(c, groups), y[plan.test], groups) for c in cells]
            values[name] = np.empty(len(y))
            values[name][plan.test] = np.mean(test, axis=0)
            values[name][plan.rest] = bootstrap.item_scores(metric, oof[name], y[plan.rest], groups)
        why[name] = why[name] or "its members are no longer as they were"
    result = {name: _row(np.nan, np.nan, np.nan, NOT_MEASURED, reason) for name, reason in why.items()}
    for name, each in values.items():
        found = gap(each, plan.part == split.TEST, strata, clusters, len(values))
        result[name] = _row(*found, *_judged(*found[1:], metric, _from_outside(name, runs)))
    _pass_on(runs, result)
    return result


def _unmeasurable(clusters, plan_folder):
    """Why nothing can be said of any run, whatever it predicts; empty where something can."""
    plan = plan_folder.plan
    if plan.judged != "test":
        return "the plan has no test part"
    dataset = plan_folder.items["dataset"].to_numpy(object)
    if not set(dataset[plan.test]) & set(dataset[plan.rest]):
        return "the test part is of another data set"
    return f"fewer than {LEAST} clusters" if min(map(len, clusters)) < LEAST else ""


def _row(*values):
    return dict(zip(COLUMNS, values, strict=True))


def gap(values, test, strata, clusters, family=1):
    """Difference of the two parts within strata, and its interval.

    The coefficient of being in the test part in a regression of the values on it and on strata (Frisch & Waugh 1933),
    its error robust to clusters (Liang & Zeger 1986).

    Parameters
    ----------
    values : (n,) array
        one for each item, such as its absolute error; an item that is NaN takes no part
    test : (n,) bool array
        which items are in the test part
    strata, clusters : (n,) int array
    family : int
        how many such gaps are looked at: the interval is at 95 % for all of them together (Bonferroni)

    Returns
    -------
    float, float, float
        test minus the rest, low, high; NaN where the two parts hardly share a stratum
    """
    known = np.isfinite(values)
    values, test, clusters = values[known], test[known], clusters[known]
    _, stratum = np.unique(strata[known], return_inverse=True)
    count = np.bincount(stratum)
    values, side = (each - (np.bincount(stratum, each) / count)[stratum] for each in (values, test.astype(float)))
    spread = (side**2).sum()
    if spread < SHARED * len(test) * test.mean() * (1 - test.mean()):
        return np.nan, np.nan, np.nan
    value = (side * values).sum() / spread
    _, cluster = np.unique(clusters, return_inverse=True)
    sums = np.bincount(cluster, side * (values - value * side))
    error = np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / spread
    error *= np.sqrt(len(values) / max(len(values) - len(count), 1))  # the means of strata were estimated
    freedom = min(len(np.unique(clusters[part])) for part in (test, ~test)) - 1
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
    cells = [np.load(run.cell_folder(c) / "test.npy", allow_pickle=False, mmap_mode="r") for c in run.cells(folds)]
    return cells or [run.predictions("test")]


def _pooled_cells(run, folds, runs):
    if altered(run, runs):
        return []
    here = {other.folder.name: other for other in runs}
    pool = Pool.from_json(run.about()["pool"])
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
    test_worse = (low > 0) == (metric in bootstrap.LOWER_IS_BETTER)
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
