"""Is a run as sure of itself as it is right? On the test part, before and after one temperature from out-of-fold.

Where a split has no test part: out-of-fold, the temperature of each fold from the other folds.
"""

from dataclasses import replace

import numpy as np

from .. import ages
from .._utils.console import plain
from ..errors import DataError
from ..splits.split import WHERE
from . import conformal, metrics

LEVEL = 0.9  # of the central interval whose coverage is measured
BINS = np.linspace(0, 1, 11)  # of the picture
LEAST = 1e-9  # probabilities below it count as it: one zero must not overrule all else
COLDEST, HOTTEST = 0.05, 20.0  # temperatures
TOLERANCE = 1e-3  # of temperatures, relative
BLOCK = 1024  # items at once, few enough to stay in the processor's cache
NAMES = {"calibration_error": "calibration error", "crps": "CRPS, years", "log_loss": "log loss, nats"}


def report(run, experiment, age_groups):
    """Calibration of a complete run on the part that is judged, see `Split.evaluated_part`.

    Returns
    -------
    dict
        `run`, `model`, `part`, `items`; `temperature` (None for a run without out-of-fold predictions), `before` and
        `after` it (None as well): the metrics of `NAMES`, and `coverage` and `width` (mean, years) of the central 90 %
        interval of the distributions themselves; NaN in years where labels are ranges
    """
    part = experiment.split.evaluated_part
    y = experiment.y[experiment.split.rows(part)]
    before, after, found = distributions(run, experiment)
    content = {"run": run.folder.name, "model": run.title, "part": part, "items": len(y), "temperature": found}
    return content | {
        "before": _row(before, y, age_groups),
        "after": None if after is None else _row(after, y, age_groups),
    }


def distributions(run, experiment):
    """Predictions of the part that is judged as they are, with the temperature of others, and that of all out-of-fold.

    Returns
    -------
    before, after : (n, A) float32 array
        the second None for a run without out-of-fold predictions
    temperature : float or None
    """
    split = experiment.split
    before = run.proba(split.evaluated_part)
    if "oof" not in run.parts:
        return before, None, None
    known, y, fold = log_proba(run.proba("oof")), experiment.y[split.development], split.fold[split.development]
    found = fit_temperature(known, y)
    if split.evaluated_part == "test":
        return before, apply_temperature(before, found), found
    after = np.empty_like(before)
    for k in range(split.n_folds):
        after[fold == k] = apply_temperature(before[fold == k], fit_temperature(known[fold != k], y[fold != k]))
    return before, after, found


def _row(distribution, y, age_groups):
    score = metrics.score(distribution, y, age_groups)
    low, high = (ages.quantile(distribution, q) for q in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    exact = np.all(y[:, 0] == y[:, 1])
    hit = ((low <= y[:, 0]) & (y[:, 0] <= high)).mean() if exact else np.nan
    return {name: score[name] for name in NAMES} | {"coverage": float(hit), "width": float((high - low).mean())}


def group_curve(distribution, y, age_groups):
    """Confidence in the answered age group against how often it is right, `(bins, 3)`: both, and the items.

    A bin without items is left out.
    """
    label = age_groups.of(y)
    p = age_groups.probabilities(distribution[label >= 0])
    confidence, right = p.max(1), p.argmax(1) == label[label >= 0]
    bin_ = np.clip(np.digitize(confidence, BINS) - 1, 0, len(BINS) - 2)
    rows = [(confidence[bin_ == b].mean(), right[bin_ == b].mean(), (bin_ == b).sum()) for b in np.unique(bin_)]
    return np.array(rows, float).reshape(-1, 3)


def interval_curve(distribution, y, levels):
    """Share of exactly known ages within the central interval of each level, `(len(levels),)`."""
    own = 2 * conformal.own_scores(distribution, y)
    return (own <= np.asarray(levels)[:, None]).mean(1)


def view(contents):
    """Reports of several runs, for a terminal.

    Parameters
    ----------
    contents : list of dict
        from `report`
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    title = f"Calibration {WHERE[contents[0]['part']]}"
    table.title, table.title_justify, table.title_style = title, "left", "bold"
    table.add_column("model", overflow="fold")
    for title in ("temper-\nature", *NAMES.values(), f"{100 * LEVEL:.0f} % coverage", "width"):
        table.add_column(title, justify="right")
    for content in contents:
        table.add_row(plain(content["model"]), "none", *_cells(content["before"]))
        if content["after"]:
            table.add_row("", f"{content['temperature']:.2f}", *_cells(content["after"]))
    note = (
        "Temperature: the one number that makes the out-of-fold predictions likeliest; below 1, they were too unsure. "
        "Coverage and mean width in years: of the central interval of the distributions as they are, no conformal one."
    ) + ("" if contents[0]["part"] == "test" else " Below: each fold with that of the other folds.")
    return Group(table, Text(note, style="dim"))


def _cells(row):
    return [in_words(row, name) for name in row]


def in_words(row, name):
    """A number of a report as text, empty where it is not defined."""
    if np.isnan(row[name]):
        return ""
    forms = {"coverage": f"{100 * row[name]:.1f} %", "width": f"{row[name]:.1f}"}
    return forms.get(name, f"{row[name]:.3f}")


# --- temperatures ---------------------------------------------------------------------------------------------------


class TemperatureScaling:
    """One number that makes distributions as sure of themselves as they are right.

    Guo, Pleiss, Sun & Weinberger 2017 (ICML), "On calibration of modern neural networks".

    Attributes
    ----------
    temperature_ : float
        0.05 to 20; above 1 for a model that is overconfident

    Examples
    --------
    >>> scaling = TemperatureScaling().fit(oof)
    >>> calibrated = scaling.predict(test)
    """

    def fit(self, predictions):
        """Find the temperature of the greatest likelihood, on `Predictions` with labels that the model did not see."""
        self.temperature_ = fit_temperature(log_proba(predictions.proba), predictions.age_range)
        return self

    def predict(self, predictions):
        """The predictions at that temperature."""
        return replace(predictions, proba=apply_temperature(predictions.proba, self.temperature_))


def log_proba(proba):
    """Logarithms of age distributions, `(n, A)` float32; a row without mass counts as uniform.

    Raises
    ------
    DataError
        A number that is not finite.
    """
    result = np.log(np.maximum(proba, LEAST, dtype=np.float32))
    if not np.isfinite(result).all():
        raise DataError("predictions to be pooled hold numbers that are not finite; remove that run or make it again")
    return result


def softmax(scores):
    """Probabilities from scores, along the last axis; the scores are overwritten."""
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    return scores


def apply_temperature(proba, temperature):
    """Distributions raised to the power 1 / temperature and normalized, `(n, A)` float32."""
    return softmax(log_proba(proba) / np.float32(temperature))


def fit_temperature(logs, y):
    """The temperature under which the labels are likeliest.

    Newton's steps on 1/T, in which the loss is convex where labels are exact, within a bracket that the sign of the
    slope narrows.

    Parameters
    ----------
    logs : (n, A) float32 array
        logarithms of a member's age distributions, out-of-fold
    y : (n, 2) int array, years

    Returns
    -------
    float
        0.05 to 20; above 1 for a member that is too sure of itself
    """
    low, high, inverse = 1 / HOTTEST, 1 / COLDEST, 1.0
    while high > low * (1 + TOLERANCE):
        slope, curvature = _derivatives(logs, y, inverse)
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        step = inverse - slope / max(curvature, 1e-12)
        before, inverse = inverse, step if low < step < high else np.sqrt(low * high)
        if abs(inverse - before) < TOLERANCE * before:
            break
    return float(1 / inverse)


def _derivatives(logs, y, inverse):
    """Slope and curvature of the mean loss by 1/T; of the curvature the part that is never negative."""
    slope = curvature = 0.0
    for start in range(0, len(y), BLOCK):
        block, labels = logs[start : start + BLOCK], y[start : start + BLOCK]
        scores = block * np.float32(inverse)
        expected, square = _moments(log_normalize(scores)[0], block)
        true, _ = _moments(log_normalize_within(scores, labels)[0], block)
        slope += float((expected - true).sum())
        curvature += float((square - expected**2).sum())
    return slope / len(y), curvature / len(y)


def _moments(p, values):
    """Expected values and squares of each row, `(n,)` float64."""
    weighted = p * values
    return weighted.sum(1, dtype=np.float64), (weighted * values).sum(1, dtype=np.float64)


# --- likelihood of labels under scores, of which a row of probabilities is the softmax -------------------------------


def is_allowed(y, years):
    """Which years a label allows, `(n, years)` bool."""
    axis = np.arange(years)
    return (axis >= y[:, :1]) & (axis <= y[:, 1:])


def log_normalize(scores):
    """Probabilities in proportion to exp(scores), and the logarithm of what that takes to divide by.

    Returns
    -------
    (n, A) array, (n, 1) array
    """
    top = scores.max(1, keepdims=True)
    p = np.exp(scores - top)
    mass = p.sum(1, keepdims=True)
    p /= mass
    return p, top + np.log(mass)


def log_normalize_within(scores, y):
    """The same for the years that the labels allow; other years have probability 0."""
    if np.array_equal(y[:, 0], y[:, 1]):
        return (np.arange(scores.shape[1]) == y[:, :1]).astype(scores.dtype), _label_score(scores, y)
    return log_normalize(np.where(is_allowed(y, scores.shape[1]), scores, np.float32(-np.inf)))


def _label_score(scores, y):
    return scores[np.arange(len(y)), y[:, 0]][:, None]


def negative_log_likelihood(scores, y):
    """-log P(label), nats, `(n,)` float64.

    Parameters
    ----------
    scores : (n, A) float array
    y : (n, 2) int array, years
    """
    label = _label_score(scores, y) if np.array_equal(y[:, 0], y[:, 1]) else log_normalize_within(scores, y)[1]
    top = scores.max(1, keepdims=True)
    return (top - label + np.log(np.exp(scores - top).sum(1, keepdims=True)))[:, 0].astype(np.float64)
