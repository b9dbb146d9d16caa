"""Is a model as sure of itself as it is right? Before and after one temperature found on out-of-fold predictions.

On the test part; without one out-of-fold, the temperature of each fold found on the other folds.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .._utils.render import Column, ShownAsTable, Table
from ..ages import AgeGroups
from ..errors import DataError
from ..splits.split import PART_PHRASES
from . import conformal, metrics
from .predictions import Predictions, folds_of

LEVEL = 0.9  # of the central interval whose coverage is measured
BINS = np.linspace(0, 1, 11)  # of the reliability curve
LEAST = 1e-9  # probabilities below it count as it: one zero must not overrule all else
COLDEST, HOTTEST = 0.05, 20.0  # temperatures
TOLERANCE = 1e-3  # of temperatures, relative
BLOCK = 1024  # items at once, few enough to stay in the processor's cache
NAMES = {"calibration_error": "calibration error", "crps": "CRPS, years", "log_loss": "log loss, nats"}
COLUMNS = [
    *(Column(name, label, "{:.3f}".format, right=True) for name, label in NAMES.items()),
    Column("coverage", f"{100 * LEVEL:.0f} % coverage", lambda value: f"{100 * value:.1f} %", right=True),
    Column("width", "width", "{:.1f}".format, right=True),
]


@dataclass(frozen=True, repr=False)
class Calibration(ShownAsTable):
    """How well calibrated a model is, before and after temperature scaling.

    Attributes
    ----------
    name : str
        of the model
    part : {"test", "oof"}
        what it was measured on
    items : int
    temperature : float or None
        None without out-of-fold predictions to find it on
    before, after : dict
        `calibration_error`, `crps`, `log_loss`, and `coverage` and mean `width` in years of the central 90 % interval;
        NaN in years where labels are ranges; `after` is None without a temperature
    """

    name: str
    part: str
    items: int
    temperature: float | None
    before: dict
    after: dict | None

    @property
    def frame(self) -> pd.DataFrame:
        """One row before, one after."""
        rows = [{"temperature": 1.0} | self.before]
        if self.after:
            rows.append({"temperature": self.temperature} | self.after)
        return pd.DataFrame(rows)

    def to_dict(self) -> dict:
        """Plain numbers."""
        names = ("part", "items", "temperature", "before", "after")
        return {"model": self.name} | {name: getattr(self, name) for name in names}

    @property
    def table(self) -> Table:
        """The same for people."""
        return calibration_table([self])


def measure_calibration(
    oof: Predictions | None, test: Predictions | None = None, age_groups: str | AgeGroups = "default"
) -> Calibration:
    """Measure calibration on the test part; without one, fold by fold on the out-of-fold predictions.

    Parameters
    ----------
    oof, test : Predictions
        either may be None
    age_groups : str or AgeGroups

    Examples
    --------
    >>> measure_calibration(run.predictions("oof"), run.predictions("test")).frame
    """
    age_groups = metrics.parsed(age_groups)
    before, after, temperature = scaled(oof, test)
    return Calibration(
        before.name,
        "oof" if test is None else "test",
        len(before),
        temperature,
        _row(before, age_groups),
        None if after is None else _row(after, age_groups),
    )


def scaled(oof, test=None):
    """Predictions as they are and after temperature scaling, none scaled by what its own labels ask for.

    Returns
    -------
    before, after : Predictions
        of the test part; without one, out-of-fold. `after` is None without out-of-fold predictions
    temperature : float or None
        of all out-of-fold predictions
    """
    before = oof if test is None else test
    if oof is None:
        return before, None, None
    scaling = TemperatureScaling().fit(oof)
    if test is not None:
        return before, scaling.predict(test), scaling.temperature_
    proba, fold = np.empty(oof.proba.shape, np.float32), folds_of(oof)
    for k in np.unique(fold):
        own = TemperatureScaling().fit(oof[fold != k])
        proba[fold == k] = apply_temperature(oof.proba[fold == k], own.temperature_)
    return before, replace(oof, proba=proba), scaling.temperature_


def _row(predictions, age_groups):
    score = metrics.score(predictions, list(NAMES), age_groups)
    y, (low, high) = predictions.age_range, predictions.interval(LEVEL).T
    hit = ((low <= y[:, 0]) & (y[:, 0] <= high)).mean() if predictions.exact else np.nan
    return {name: score[name] for name in NAMES} | {"coverage": float(hit), "width": float((high - low).mean())}


def calibration_table(found: list[Calibration]) -> Table:
    """Several models in one table, each before and after."""
    rows = []
    for one in found:
        rows.append({"model": one.name, "temperature": "none"} | one.before)
        if one.after:
            rows.append({"model": "", "temperature": f"{one.temperature:.2f}"} | one.after)
    note = (
        "Temperature: the one number that makes the out-of-fold predictions likeliest; below 1, they were "
        "underconfident. Coverage and mean width in years: of the central interval of the distributions, not conformal."
    ) + ("" if found[0].part == "test" else " Each fold is scaled by the temperature of the other folds.")
    blank = [replace(column, format=_blank(column.format)) for column in COLUMNS]
    columns = [Column("model"), Column("temperature", right=True), *blank]
    return Table(columns, rows, [note], f"Calibration {PART_PHRASES[found[0].part]}")


def _blank(form):
    return lambda value: "" if np.isnan(value) else form(value)


def group_curve(predictions, age_groups):
    """Confidence in the answered age group against how often it is right, `(bins, 3)`: both, and the items.

    A bin without items is left out.
    """
    label = age_groups.of(predictions.age_range)
    p = age_groups.probabilities(predictions.proba[label >= 0])
    confidence, right = p.max(1), p.argmax(1) == label[label >= 0]
    bin_ = np.clip(np.digitize(confidence, BINS) - 1, 0, len(BINS) - 2)
    rows = [(confidence[bin_ == b].mean(), right[bin_ == b].mean(), (bin_ == b).sum()) for b in np.unique(bin_)]
    return np.array(rows, float).reshape(-1, 3)


def interval_curve(predictions, levels):
    """Share of exactly known ages within the central interval of each level, `(len(levels),)`."""
    own = 2 * conformal.own_scores(predictions.proba, predictions.age_range)
    return (own <= np.asarray(levels)[:, None]).mean(1)


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
