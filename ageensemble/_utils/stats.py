"""Statistics of items that come in groups: proportions with exact intervals, standard errors, p-values."""

import numpy as np
from scipy.special import betaincinv, stdtr, stdtrit

LEVEL = 0.95


def clustered_proportion(hit, groups, level=LEVEL):
    """A proportion with its interval: exact (Clopper & Pearson 1934), on as many items as the groups are worth.

    Items of one group are alike, so the count is divided by the design effect, and by what few groups leave unsure
    of it (Korn & Graubard 1998, Survey Methodology 24). A bootstrap would give a proportion of zero an interval without
    width.

    Parameters
    ----------
    hit : (n,) bool array
    groups : (n,) int array
    level : float

    Returns
    -------
    dict
        `items`, `hits`, `share`, `low`, `high`; the last three NaN without items
    """
    n, hits = len(hit), int(np.sum(hit))
    if not n:
        return {"items": 0, "hits": 0, "share": np.nan, "low": np.nan, "high": np.nan}
    value = hits / n
    _, group = np.unique(groups, return_inverse=True)
    count = group.max() + 1
    if hits in (0, n) or count == 1:
        worth = count
    else:
        variance = (np.bincount(group, hit - value) ** 2).sum() / n**2 * count / (count - 1)
        unsure = (stdtrit(count - 1, (1 + level) / 2) / stdtrit(n - 1, (1 + level) / 2)) ** 2
        worth = n * value * (1 - value) / (n - 1) / max(variance * unsure, value * (1 - value) / (n - 1))
    tail, worth_hits = (1 - level) / 2, value * worth
    low = betaincinv(worth_hits, worth - worth_hits + 1, tail) if hits else 0.0
    high = betaincinv(worth_hits + 1, worth - worth_hits, 1 - tail) if hits < n else 1.0
    return {"items": n, "hits": hits, "share": value, "low": float(low), "high": float(high)}


def proportion_text(found):
    """`1.9 % (0.9-3.5)`; nothing where nothing was counted."""
    if not found["items"]:
        return ""
    return f"{100 * found['share']:.1f} % ({100 * found['low']:.1f}-{100 * found['high']:.1f})"


def standard_error(values, groups):
    """Standard error of the mean of item values, groups being independent: what endless resamples come to.

    Parameters
    ----------
    values : (n,) array
    groups : (n,) int array

    Returns
    -------
    float
        infinite where there is but one group
    """
    _, group = np.unique(groups, return_inverse=True)
    sums = np.bincount(group, values - values.mean())
    count = len(sums)
    return float(np.sqrt((sums**2).sum() * count / (count - 1)) / len(values)) if count > 1 else np.inf


def p_value(value, error, groups):
    """Two-sided, of a value that would be zero, by Student's t.

    Parameters
    ----------
    value, error : float
        the value and its standard error
    groups : int
        how many it rests on
    """
    if error == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * stdtr(max(groups - 1, 1), -abs(value) / error))


def holm(p):
    """Which of several p-values hold at 5 % for all of them together (Holm 1979), `(k,)` bool."""
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    passed = p[order] <= (1 - LEVEL) / np.arange(len(p), 0, -1)
    result = np.zeros(len(p), bool)
    result[order[np.logical_and.accumulate(passed)]] = True
    return result
