"""Error bars and differences: the bootstrap over groups, since images of one group are not independent.

No t-test or Wilcoxon test over the folds of a cross-validation: their scores are not independent, as they share most of
what they were trained on (Dietterich 1998, Neural Computation 10; Nadeau & Bengio 2003, Machine Learning 52).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack

from .._utils.stats import LEVEL
from ..ages import AgeGroups
from ..errors import UsageError
from .metrics import Metric, average, statistics
from .predictions import Predictions, groups_of

REPLICATES = 1000
CHUNK = 1_000_000  # weights made at once, few enough to stay in the processor's cache


@dataclass(frozen=True)
class Estimate:
    """A score with its values on resamples of the groups.

    Those of the same groups, seed and number of replicates are paired: subtract one from another.

    Attributes
    ----------
    value : float
    draws : (replicates,) array
        NaN where a resample holds nothing to score
    """

    value: float
    draws: np.ndarray

    def __sub__(self, other):
        return Estimate(self.value - other.value, self.draws - other.draws)

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Percentile interval, (low, high)."""
        return interval(self.draws, level)

    def share_above(self, limit: float) -> float:
        """Share of the resamples above a limit, ties counting half: read as a probability, see Rubin 1981."""
        draws = self.draws[np.isfinite(self.draws)]
        return float(((draws > limit) + (draws == limit) / 2).mean()) if len(draws) else np.nan


def estimates(
    predictions: Sequence[Predictions],
    metrics: Sequence[Metric],
    age_groups: AgeGroups,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> list[dict[str, Estimate]]:
    """Metrics of several models on the same items, with their values on the same resamples of the groups.

    Parameters
    ----------
    predictions : list of Predictions
        of the same items, with `age_range`; without `groups` each item stands for itself
    metrics : list of Metric
    age_groups : AgeGroups
    replicates, seed : int

    Returns
    -------
    list of dict of str to Estimate
        for each model, without the metrics that are not defined for these labels
    """
    result = subgroup_estimates(predictions, metrics, age_groups, None, 1, replicates, seed)
    return [{name: found for name, [found] in each.items()} for each in result]


def subgroup_estimates(predictions, metrics, age_groups, place, width, replicates=REPLICATES, seed=0):
    """Like `estimates` for each of `width` subgroups: dicts of str to list of Estimate.

    Parameters
    ----------
    place : (n,) int array or None
        subgroup of each item, 0..width-1; -1 for none
    """
    if not predictions:
        return []
    found = [statistics(one, metrics, age_groups) for one in predictions]
    blocks = [csr_array(block, dtype=float) for each in found for block in each.values()]
    if not blocks:
        return [{} for _ in predictions]
    totals = subgroup_totals(hstack(blocks, format="csr"), groups_of(predictions[0]), place, width, replicates, seed)
    start, result, by_name = 0, [], {metric.name: metric for metric in metrics}
    for each in found:
        row = {}
        for name, block in each.items():
            stop = start + block.shape[1]
            values = [by_name[name].combine(totals[index][:, start:stop]) for index in range(width)]
            row[name] = [Estimate(float(one[0]), one[1:]) for one in values]
            start = stop
        result.append(row)
    return result


def check_same_items(predictions: Sequence[Predictions]) -> None:
    """Raise UsageError unless all have the same labels."""
    for one in predictions:
        if one.age_range is None:
            raise UsageError("predictions without age_range, the labels, cannot be scored")
        if not np.array_equal(one.age_range, predictions[0].age_range):
            raise UsageError(f"{one.name or 'one'} and {predictions[0].name or 'another'} predict different items")


def subgroup_totals(values, groups, place, width, replicates=REPLICATES, seed=0):
    """Totals of item statistics by subgroup, of all items and of resamples: list of `width` (1 + replicates, m) arrays.

    Parameters
    ----------
    values : (n, m) sparse array
    groups, place : (n,) int array
        `place` is None where all items are in the one subgroup
    """
    m = values.shape[1]
    if place is not None:
        inside = np.flatnonzero(place >= 0)
        rows = coo_array(values[inside])
        at, column = rows.coords
        shape, groups = (len(inside), width * m), groups[inside]
        values = csr_array((rows.data, (at, place[inside][at] * m + column)), shape=shape)
    totals = np.concatenate([values.sum(0)[None], bootstrap_totals(values, groups, replicates, seed)])
    return [totals[:, index * m : (index + 1) * m] for index in range(width)]


def bootstrap_totals(statistics, groups, replicates=REPLICATES, seed=0):
    """Totals of item statistics over resampled groups (Davison & Hinkley 1997, section 3.8).

    The same groups and seed draw the same resamples, so two models' totals are paired.

    Parameters
    ----------
    statistics : (n, m) array or sparse array
    groups : (n,) int array
    replicates, seed : int

    Returns
    -------
    (replicates, m) float array
    """
    _, group = np.unique(groups, return_inverse=True)
    count = group.max() + 1
    gather = csr_array((np.ones(len(group)), (group, np.arange(len(group)))), shape=(count, len(group)))
    by_group = (gather @ statistics).T
    rng = np.random.default_rng(seed)
    chunk = max(1, CHUNK // count)
    totals = []
    for start in range(0, replicates, chunk):
        weights = np.empty((min(chunk, replicates - start), count))
        for row in weights:
            row[:] = np.bincount(rng.integers(0, count, count), minlength=count)
        totals.append((by_group @ weights.T).T)
    return np.concatenate(totals)


def interval(values, level=LEVEL):
    """Percentile interval of bootstrap values, (low, high); NaN values are left out."""
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan
    return tuple(float(v) for v in np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))


def means(values, parts, groups, width):
    """Means of item values within parts of the items, all on the same resamples.

    Parameters
    ----------
    values : (n,) array
    parts : (n,) int array
        part of each item, 0..width-1, or -1 for none
    groups : (n,) int array
    width : int

    Returns
    -------
    list of Estimate
        one for each part
    """
    columns = csr_array(np.column_stack([np.ones(len(values)), values]))
    found = [average(totals) for totals in subgroup_totals(columns, groups, parts, width)]
    return [Estimate(float(column[0]), column[1:]) for column in found]
