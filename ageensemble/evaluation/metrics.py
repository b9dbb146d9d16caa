"""Metrics: one record each, from which values, intervals, differences, subgroups and table columns are made.

A metric is a sum of statistics of single items and a formula on the totals. Totals of resampled items are sums too, so
whatever can be scored can be bootstrapped, compared and cut into subgroups.

Metrics in years need exact ages and are NaN for labels that are ranges; metrics by group leave out items whose age lies
in no group. Years are decoded as the field does for each metric: the median for absolute errors, the mean for squared.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array, hstack, issparse

from .. import ages
from .._utils.registry import Registry
from .._utils.render import Column
from .predictions import Predictions

BINS = 15  # of the calibration error


class Sample:
    """What the statistics of a metric are made of: predictions, decoded for a scheme of age groups."""

    def __init__(self, predictions: Predictions, age_groups: ages.AgeGroups):
        self.predictions, self.age_groups = predictions, age_groups

    def __len__(self):
        return len(self.predictions)

    @property
    def age(self):
        """Exact ages, `(n,)` int."""
        return self.predictions.age_range[:, 0]

    @cached_property
    def error(self):
        """Median of the distribution minus age, `(n,)` int."""
        return self.predictions.median - self.age

    @cached_property
    def squared_error(self):
        """Squared error of the mean of the distribution, `(n,)`."""
        return (self.predictions.mean - self.age) ** 2

    @cached_property
    def label(self):
        """True age group, `(n,)` int; -1 where the age lies in none."""
        return self.age_groups.of(self.predictions.age_range)

    @cached_property
    def group_proba(self):
        """Probabilities of the age groups, `(n, G)`."""
        return self.age_groups.probabilities(self.predictions.proba)

    @cached_property
    def answer(self):
        """Most probable age group, `(n,)` int."""
        return self.group_proba.argmax(1)

    @cached_property
    def counts(self):
        """Age groups that are true, that were answered, and that were answered rightly, `(n, 3 G)` sparse."""
        hit = np.where(self.answer == self.label, self.label, -1)
        return hstack(
            [one_hot(values, len(self.age_groups)) for values in (self.label, self.answer, hit)], format="csr"
        )


def average(totals: np.ndarray) -> np.ndarray:
    """The mean over items: the formula of a metric that has one statistic."""
    with np.errstate(invalid="ignore"):  # a resample without any item that takes part
        return totals[..., 1] / totals[..., 0]


@dataclass(frozen=True)
class Metric:
    """How well predictions agree with labels.

    Attributes
    ----------
    name : str
        in CSV, JSON and Python
    label : str
        for people
    per_sample : callable
        statistics of the items of a `Sample`, `(n,)` or `(n, m)`, sparse or not
    combine : callable
        totals `(..., 1 + m)`, the number of items and the sums of the statistics, to values `(...)`; the mean
        unless given
    needs : {"years", "age_groups"}
        exact ages, of all items; or a label in one of the age groups, items outside being left out
    unit : str
    lower_is_better : bool
    format : str
    short : str
        heading of a narrow column; the label unless given
    headline : bool
        whether it has intervals and differences in the results table and in `compare`
    parts : tuple of str
        predictions for which it is a column of the short results table: "oof", "test"

    Examples
    --------
    >>> METRICS.register(Metric("cs3", "CS@3", lambda sample: abs(sample.error) <= 3))  # doctest: +SKIP
    """

    name: str
    label: str
    per_sample: Callable[[Sample], np.ndarray]
    combine: Callable[[np.ndarray], np.ndarray] = average
    needs: str = "years"
    unit: str = ""
    lower_is_better: bool = False
    format: str = "{:.3f}"
    short: str = ""
    headline: bool = True
    parts: tuple[str, ...] = field(default=("oof",))

    @property
    def title(self) -> str:
        """Label and unit."""
        return f"{self.label}, {self.unit}" if self.unit else self.label

    def text(self, value: float | None) -> str:
        """A value as text, empty where it is not defined."""
        return "" if value is None or np.isnan(value) else self.format.format(value)

    def signed(self, value: float) -> str:
        """A difference as text."""
        return self.format.replace(":", ":+").format(value)

    def column(self, key: str = "", heading: str = "") -> Column:
        """The column of a table that shows it."""
        return Column(key or self.name, heading or self.short or self.label, self.text, right=True)

    def rows(self, predictions: Predictions, age_groups: ages.AgeGroups) -> np.ndarray:
        """Which items take part, `(k,)` int; none where the metric is not defined."""
        if predictions.age_range is None:
            return np.arange(0)
        if self.needs == "years":
            return np.arange(len(predictions) if predictions.exact else 0)
        return np.flatnonzero(age_groups.of(predictions.age_range) >= 0)

    def values(self, predictions: Predictions, age_groups: ages.AgeGroups) -> np.ndarray:
        """What each item adds to a metric that is a mean, `(n,)` float; NaN where it takes no part."""
        rows, result = self.rows(predictions, age_groups), np.full(len(predictions), np.nan)
        result[rows] = self.per_sample(Sample(predictions[rows], age_groups))
        return result


METRICS = Registry("metric", base=Metric)


def select(metrics: Iterable[str | Metric] | None = None) -> list[Metric]:
    """Metrics by name, by the path of a `.py` file that defines one, or as they are; all that are known for None."""
    return [
        METRICS.load(one) if isinstance(one, str) else one for one in (METRICS.names() if metrics is None else metrics)
    ]


def use(metrics: Iterable[str]) -> None:
    """Add metrics of one's own, by the paths of `.py` files that define one, to those that are known."""
    for metric in select(metrics):
        if metric.name not in METRICS.names():
            METRICS.register(metric)


def headline() -> list[Metric]:
    """The metrics with intervals in tables and comparisons."""
    return [metric for metric in select() if metric.headline]


def primary(predictions: Predictions) -> Metric:
    """The metric that decides and that is shown by subgroup: MAE, or accuracy where a label is a range of years."""
    return METRICS.load("mae" if predictions.exact else "accuracy")


def statistics(predictions: Predictions, metrics: Iterable[Metric], age_groups: ages.AgeGroups):
    """The number of items that take part and the statistics, for each metric that is defined.

    Returns
    -------
    dict of str to (n, 1 + m) array
        dense or sparse, by the name of the metric; rows of zeros for items that take no part
    """
    samples, result = {}, {}
    for metric in metrics:
        if metric.needs not in samples:
            rows = metric.rows(predictions, age_groups)
            whole = len(rows) == len(predictions)
            samples[metric.needs] = rows, Sample(predictions if whole else predictions[rows], age_groups)
        rows, sample = samples[metric.needs]
        if len(rows):
            found = metric.per_sample(sample)
            ones = np.ones((len(rows), 1))
            if issparse(found):
                found = hstack([csr_array(ones), found], format="csr")
            else:
                found = np.hstack([ones, np.asarray(found, float).reshape(len(rows), -1)])
            if len(rows) < len(predictions):
                shape = len(predictions), len(rows)
                found = csr_array((ones[:, 0], (rows, np.arange(len(rows)))), shape=shape) @ found
            result[metric.name] = found
    return result


def score(predictions: Predictions, metrics=None, age_groups="default") -> dict[str, float]:
    """Values of metrics, without intervals.

    Parameters
    ----------
    predictions : Predictions
        with `age_range`
    metrics : list of str or Metric, optional
        all unless given
    age_groups : str or AgeGroups

    Returns
    -------
    dict of str to float
        NaN where a metric is not defined

    Examples
    --------
    >>> score(Predictions(np.eye(121)[[20, 30]], [20, 33]), ["mae", "bias"])
    {'mae': 1.5, 'bias': -1.5}
    """
    metrics, result = select(metrics), {}
    known = statistics(predictions, metrics, parsed(age_groups))
    for metric in metrics:
        found = known.get(metric.name)
        if found is None:
            result[metric.name] = np.nan
        else:
            totals = found.sum(0) if issparse(found) else np.ascontiguousarray(found.T).sum(1)
            result[metric.name] = float(metric.combine(np.asarray(totals)[None])[0])
    return result


def parsed(age_groups) -> ages.AgeGroups:
    """A scheme of age groups, from its name or itself."""
    return ages.parse_age_groups(age_groups) if isinstance(age_groups, str) else age_groups


def one_hot(values, width):
    """Which of `width` each item is, `(n, width)` sparse; a row of zeros where the value is negative."""
    rows = np.flatnonzero(values >= 0)
    return csr_array((np.ones(len(rows)), (rows, values[rows])), shape=(len(values), width))


# --- formulas on totals ------------------------------------------------------------------------------------------


def _ratio(a, b, otherwise=0.0):
    return np.divide(a, b, out=np.full_like(b, otherwise), where=b > 0)


def _root(totals):
    return np.sqrt(average(totals))


def _r2(totals):
    """From squared errors, and ages less the mean of all with their squares: what a resample varies about its mean."""
    n, squared, shift, spread = (totals[..., i] for i in range(4))
    with np.errstate(invalid="ignore"):
        spread = spread / n - (shift / n) ** 2
        return 1 - _ratio(squared / n, np.where(spread > 1e-9, spread, 0), np.nan)


def _per_group_error(sample):
    """Items and absolute errors by true age group, `(n, 2 G)` sparse."""
    group = one_hot(sample.label, len(sample.age_groups))
    return hstack([group, group * np.abs(sample.error)[:, None]], format="csr")


def _mean_over_groups(totals):
    count, error = np.split(totals[..., 1:], 2, axis=-1)
    seen = (count > 0).any(axis=tuple(range(count.ndim - 1)))
    count, error = count[..., seen], error[..., seen]
    with np.errstate(invalid="ignore"):
        return _ratio(error, count).sum(-1) / (count > 0).sum(-1)


def _by_group(formula):
    """A formula on items that are true, answered and right in each age group, `(..., G)` each."""

    def combine(totals):
        true, answered, hit = np.split(totals[..., 1:], 3, axis=-1)
        with np.errstate(invalid="ignore"):  # a resample without any item inside the groups
            return formula(true, answered, hit)

    return combine


def _precision(true, answered, hit):
    return _ratio(hit, answered)


def _recall(true, answered, hit):
    return _ratio(hit, true)


def _f1(true, answered, hit):
    return _ratio(2 * hit, true + answered)


def _weighted(formula):
    return _by_group(lambda *counts: (formula(*counts) * counts[0]).sum(-1) / counts[0].sum(-1))


def _macro(formula):
    return _by_group(lambda true, answered, hit: formula(true, answered, hit).sum(-1) / (true + answered > 0).sum(-1))


def _distance(sample):
    """Squared distance of the answered age group from the true one, and both, `(n, 1 + 2 G)` sparse."""
    apart, g = ((sample.answer - sample.label) ** 2).astype(float), len(sample.age_groups)
    return hstack([csr_array(apart[:, None]), one_hot(sample.label, g), one_hot(sample.answer, g)], format="csr")


def _kappa(totals):
    apart = totals[..., 1]
    true, answered = np.split(totals[..., 2:], 2, axis=-1)
    place = np.arange(true.shape[-1], dtype=float)
    # The sum over pairs of groups of (i - j)^2 true_i answered_j, without making the pairs
    total, second = true.sum(-1), (true * place**2).sum(-1) * answered.sum(-1)
    chance = second + (answered * place**2).sum(-1) * total - 2 * (true * place).sum(-1) * (answered * place).sum(-1)
    with np.errstate(invalid="ignore"):
        return 1 - _ratio(apart, chance / total, np.nan)


def _crps(sample):
    """Sum over whole years of (CDF - [age reached]) squared; of a certain prediction it is the absolute error."""
    cumulative = np.cumsum(sample.predictions.proba, axis=1, dtype=np.float64)
    return ((cumulative - (np.arange(ages.N_AGES) >= sample.age[:, None])) ** 2).sum(1)


def _log_loss(sample):
    true = sample.group_proba[np.arange(len(sample)), sample.label]
    return -np.log(np.clip(true, 1e-12, None))


def _confidence_gap(sample):
    """Confidence in the answered group less whether it is right, in the column of its bin, `(n, BINS)` sparse."""
    confidence = sample.group_proba.max(1)
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return one_hot(place, BINS) * (confidence - (sample.answer == sample.label))[:, None]


def _binned_gap(totals):
    with np.errstate(invalid="ignore"):
        return np.abs(totals[..., 1:]).sum(-1) / totals[..., 0]


# --- the metrics, in the order of the columns --------------------------------------------------------------------


def _years(name, label, per_sample, combine=average, *, unit="years", **more):
    METRICS.register(Metric(name, label, per_sample, combine, "years", unit, **more))


def _groups(name, label, per_sample, combine=average, **more):
    METRICS.register(Metric(name, label, per_sample, combine, "age_groups", **more))


_LOWER = {"headline": False, "parts": (), "lower_is_better": True}
_PLAIN = {"headline": False, "parts": ()}


def _counts(sample):
    return sample.counts


_years("mae", "MAE", lambda s: np.abs(s.error), lower_is_better=True, format="{:.2f}", parts=("oof", "test"))
_years("macro_mae", "MAE averaged over age groups", _per_group_error, _mean_over_groups, **_LOWER, format="{:.2f}")
_years("rmse", "RMSE", lambda s: s.squared_error, _root, **_LOWER, format="{:.2f}")
_years(
    "r2",
    "R2",
    lambda s: np.column_stack([s.squared_error, s.age - s.age.mean(), (s.age - s.age.mean()) ** 2]),
    _r2,
    unit="",
    **_PLAIN,
)
_years("cs5", "CS@5", lambda s: np.abs(s.error) <= 5, unit="share within 5 years")
_years("bias", "bias", lambda s: s.error, unit="years, predicted minus true", **_PLAIN, format="{:.2f}")
_years("crps", "CRPS", _crps, **_LOWER)  # Gneiting & Raftery 2007
_groups("accuracy", "accuracy", lambda s: s.answer == s.label, parts=())
_groups("one_off", "one-off accuracy", lambda s: np.abs(s.answer - s.label) <= 1, **_PLAIN)
_groups(
    "balanced_accuracy",
    "balanced accuracy",
    _counts,
    _by_group(lambda true, answered, hit: _recall(true, answered, hit).sum(-1) / (true > 0).sum(-1)),
    **_PLAIN,
)
_groups("precision_weighted", "weighted precision", _counts, _weighted(_precision), **_PLAIN)
_groups("recall_weighted", "weighted recall", _counts, _weighted(_recall), **_PLAIN)
_groups("f1_weighted", "weighted F1", _counts, _weighted(_f1), short="F1", parts=("oof", "test"))
_groups("precision_macro", "macro precision", _counts, _macro(_precision), **_PLAIN)
_groups("recall_macro", "macro recall", _counts, _macro(_recall), **_PLAIN)
_groups("f1_macro", "macro F1", _counts, _macro(_f1), **_PLAIN)
_groups("kappa", "quadratic kappa", _distance, _kappa, **_PLAIN)
_groups("log_loss", "log loss", _log_loss, unit="nats", **_LOWER)
_groups("calibration_error", "calibration error", _confidence_gap, _binned_gap, **_LOWER)  # Guo et al. 2017
