"""Error bars: the bootstrap over clusters, since photographs of one cluster are not independent."""

import numpy as np
from scipy.sparse import csr_array

from . import ages, metrics

REPLICATES = 1000
LEVEL = 0.95


def bootstrap_totals(statistics, clusters, replicates=REPLICATES, seed=0):
    """Totals of item statistics over resampled clusters (Davison & Hinkley 1997, section 3.8).

    The same clusters and seed draw the same resamples, so two models' totals are paired.

    Parameters
    ----------
    statistics : (n, m) array or sparse array
    clusters : (n,) int array
    replicates, seed : int

    Returns
    -------
    (replicates, m) float array
    """
    _, cluster = np.unique(clusters, return_inverse=True)
    count = cluster.max() + 1
    gather = csr_array((np.ones(len(cluster)), (cluster, np.arange(len(cluster)))), shape=(count, len(cluster)))
    by_cluster = csr_array(gather @ csr_array(statistics))
    rng = np.random.default_rng(seed)
    chunk = max(1, 20_000_000 // count)  # replicates whose weights fit into some 160 MB
    totals = []
    for start in range(0, replicates, chunk):
        drawn = [rng.integers(0, count, count) for _ in range(min(chunk, replicates - start))]
        weights = np.stack([np.bincount(d, minlength=count) for d in drawn]).astype(float)
        totals.append((by_cluster.T @ weights.T).T)
    return np.concatenate(totals)


def interval(values, level=LEVEL):
    """Percentile interval of bootstrap values, (low, high); NaN values are left out."""
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan
    return tuple(float(v) for v in np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))


def headline_intervals(distribution, y, clusters, groups):
    """95 % intervals of the headline metrics: MAE, CS@5, accuracy, weighted F1.

    Parameters
    ----------
    distribution : (n, A) array
    y : (n, 2) int array, years
    clusters : (n,) int array
    groups : ages.Scheme

    Returns
    -------
    dict of str to (low, high)
    """
    result = {}
    if np.all(y[:, 0] == y[:, 1]):
        error = np.abs(ages.median(distribution) - y[:, 0])
        totals = bootstrap_totals(np.stack([error, error <= 5, np.ones(len(y))], 1), clusters)
        result["mae"] = interval(totals[:, 0] / totals[:, 2])
        result["cs5"] = interval(totals[:, 1] / totals[:, 2])
    label = groups.of(y)
    inside = np.flatnonzero(label >= 0)
    if len(inside):
        g = len(groups)
        cell = label[inside] * g + groups.probabilities(distribution[inside]).argmax(1)
        one_hot = csr_array((np.ones(len(cell)), (np.arange(len(cell)), cell)), shape=(len(cell), g * g))
        tables = bootstrap_totals(one_hot, clusters[inside]).reshape(-1, g, g)
        values = metrics.from_confusion(tables)
        result |= {name: interval(values[name]) for name in ("accuracy", "f1_weighted")}
    return result
