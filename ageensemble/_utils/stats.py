"""Shares of photographs, such as error rates and coverage, with intervals that hold where errors are few."""

import numpy as np
from scipy.special import betaincinv, stdtrit


def share(hit, groups, level=0.95):
    """A share with its interval: exact (Clopper & Pearson 1934), on as many items as the groups are worth.

    Items of one group are alike, so the count is divided by the design effect, and by what few groups leave unsure
    of it (Korn & Graubard 1998, Survey Methodology 24). A bootstrap would give a share of none an interval without
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


def in_words(found):
    """`1.9 % (0.9-3.5)`; nothing where nothing was counted."""
    if not found["items"]:
        return ""
    return f"{100 * found['share']:.1f} % ({100 * found['low']:.1f}-{100 * found['high']:.1f})"
