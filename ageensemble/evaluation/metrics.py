"""Metrics: pure functions of age distributions and labels.

Metrics in years need exact ages and are NaN for labels that are ranges; metrics by group leave out items whose age lies
in no group. Years are decoded as the field does for each metric: the median for absolute errors, the mean for squared.
"""

import numpy as np

from .. import ages

BINS = 15  # of the calibration error

NAMES = {
    "mae": "MAE, years",
    "macro_mae": "MAE averaged over age groups, years",
    "rmse": "RMSE, years",
    "r2": "R2",
    "cs5": "CS@5, share within 5 years",
    "bias": "bias, predicted minus true, years",
    "crps": "CRPS, years",
    "accuracy": "accuracy",
    "one_off": "one-off accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision_weighted": "weighted precision",
    "recall_weighted": "weighted recall",
    "f1_weighted": "weighted F1",
    "precision_macro": "macro precision",
    "recall_macro": "macro recall",
    "f1_macro": "macro F1",
    "kappa": "quadratic kappa",
    "log_loss": "log loss, nats",
    "calibration_error": "calibration error",
}


def score(distribution, y, age_groups):
    """All metrics of `NAMES`.

    Parameters
    ----------
    distribution : (n, A) array
    y : (n, 2) int array, years
    groups : ages.Scheme

    Returns
    -------
    dict of str to float
    """
    label = age_groups.of(y)
    years = in_years(distribution, y, label) if len(y) and np.all(y[:, 0] == y[:, 1]) else {}
    inside = label >= 0
    by_group = in_groups(age_groups.probabilities(distribution[inside]), label[inside]) if inside.any() else {}
    return {name: float((years | by_group).get(name, np.nan)) for name in NAMES}


def in_years(distribution, y, label):
    """Metrics in years; `label` (n,) is the group of each item, for the macro average."""
    age = y[:, 0]
    error = ages.median(distribution) - age
    squared = (ages.mean(distribution) - age) ** 2
    spread = ((age - age.mean()) ** 2).mean()
    return {
        "mae": np.abs(error).mean(),
        "macro_mae": np.mean([np.abs(error[label == g]).mean() for g in np.unique(label[label >= 0])] or [np.nan]),
        "rmse": np.sqrt(squared.mean()),
        "r2": 1 - squared.mean() / spread if spread > 0 else np.nan,
        "cs5": (np.abs(error) <= 5).mean(),
        "bias": error.mean(),
        "crps": crps(distribution, age),
    }


def crps(distribution, age):
    """Continuous ranked probability score on whole years: sum over years of (CDF - [age reached]) squared, mean.

    Gneiting & Raftery 2007. For a certain prediction it is the absolute error.
    """
    cumulative = np.cumsum(distribution, axis=1, dtype=np.float64)
    return ((cumulative - (np.arange(ages.N_AGES) >= age[:, None])) ** 2).sum(1).mean()


def in_groups(probabilities, label):
    """Metrics by group of `(n, G)` probabilities, the most probable group being the answer."""
    g = probabilities.shape[1]
    answer = probabilities.argmax(1)
    table = confusion(label, answer, g)
    true = probabilities[np.arange(len(label)), label]
    return from_confusion(table) | {
        "log_loss": -np.log(np.clip(true, 1e-12, None)).mean(),
        "calibration_error": calibration_error(probabilities.max(1), answer == label),
    }


def confusion(label, answer, g):
    """Counts of true group (rows) by answered group (columns), `(G, G)`."""
    return np.bincount(label * g + answer, minlength=g * g).reshape(g, g)


def from_confusion(table):
    """Metrics that a confusion matrix holds.

    Weighted averages weight a group by its true items, macro averages count every group alike. As in scikit-learn, a
    group that is neither true nor answered anywhere takes no part, and 0/0 counts as 0; but kappa is not defined (NaN)
    where every item is of one group and every answer that group.

    Parameters
    ----------
    table : (..., G, G) array
        counts or weights, true group by answered group

    Returns
    -------
    dict of str to array of the leading shape
    """
    table = np.asarray(table, float)
    hit = np.diagonal(table, axis1=-2, axis2=-1)
    true, answered = table.sum(-1), table.sum(-2)
    total = true.sum(-1)
    precision, recall = _ratio(hit, answered), _ratio(hit, true)
    f1 = _ratio(2 * hit, true + answered)
    seen, present = true + answered > 0, true > 0
    place = np.arange(table.shape[-1])
    distance = (place[:, None] - place) ** 2
    chance = (distance * true[..., :, None] * answered[..., None, :]).sum((-2, -1)) / total
    result = {
        "accuracy": hit.sum(-1) / total,
        "one_off": (table * (distance <= 1)).sum((-2, -1)) / total,
        "balanced_accuracy": recall.sum(-1) / present.sum(-1),
        "kappa": 1 - _ratio((table * distance).sum((-2, -1)), chance, np.nan),
    }
    for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
        result[f"{name}_weighted"] = (values * true).sum(-1) / total
        result[f"{name}_macro"] = values.sum(-1) / seen.sum(-1)
    return result


def _ratio(a, b, otherwise=0.0):
    out = np.full(np.broadcast_shapes(np.shape(a), np.shape(b)), otherwise)
    return np.divide(a, b, out=out, where=np.asarray(b) > 0)


def calibration_error(confidence, right):
    """Expected calibration error of the answered group: |confidence - accuracy| over equal bins (Guo et al. 2017)."""
    bin_ = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gap = np.bincount(bin_, confidence - right, minlength=BINS)
    return np.abs(gap).sum() / len(right)
