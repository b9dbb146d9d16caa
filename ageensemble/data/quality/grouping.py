"""Age groups to count labels in, so that no labelled range is taken for its middle where that can be helped."""

from itertools import pairwise

import numpy as np

from ... import ages

RANGES = 14  # labelled ranges that are age groups of their own, at most


def grouping(y):
    """Age groups in which labels can be counted: the fourteen, or others where these would cut labelled ranges in two.

    Parameters
    ----------
    y : (n, 2) int array, years

    Returns
    -------
    Scheme
        the first of the known ones that holds every label whole, else the labelled ranges themselves where they are
        few and no two overlap, else the fourteen
    bool
        whether the groups still cut ranges, so that these can only count by their middle
    """
    scheme = ages.uncut(y)
    if scheme and (scheme.lookup[y] >= 0).all():
        return scheme, False
    ranges = [(int(low), int(high)) for low, high in np.unique(y, axis=0)]
    if len(ranges) <= RANGES and all(high < low for (_, high), (low, _) in pairwise(ranges)):
        return ages.Scheme("labelled ranges", tuple(ranges)), False
    return ages.FOURTEEN, True


def group_counts(y, scheme):
    """Items in each group of `grouping`, by its label; a range counts by its middle."""
    label = scheme.lookup[y.sum(1) // 2]
    return dict(zip(scheme.labels, np.bincount(label, minlength=len(scheme)).tolist(), strict=True))
