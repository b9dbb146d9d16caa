"""Age groups to count labels in, so that no labeled range is taken for its middle where that can be helped."""

from itertools import pairwise

import numpy as np

from ... import ages

RANGES = 14  # labeled ranges that are age groups of their own, at most


def grouping(y):
    """Age groups in which labels can be counted: the fourteen, or others where these would cut labeled ranges in two.

    Parameters
    ----------
    y : (n, 2) int array, years

    Returns
    -------
    AgeGroups
        the first of the known ones that holds every label whole, else the labeled ranges themselves where they are
        few and no two overlap, else the fourteen
    bool
        whether the groups still cut ranges, so that these can only count by their middle
    """
    age_groups = ages.first_compatible(y)
    if age_groups and (age_groups.lookup[y] >= 0).all():
        return age_groups, False
    ranges = [(int(low), int(high)) for low, high in np.unique(y, axis=0)]
    if len(ranges) <= RANGES and all(high < low for (_, high), (low, _) in pairwise(ranges)):
        return ages.AgeGroups("labeled ranges", tuple(ranges)), False
    return ages.DEFAULT_AGE_GROUPS, True


def group_counts(y, age_groups):
    """Items in each group of `grouping`, by its label; a range counts by its middle."""
    label = age_groups.lookup[y.sum(1) // 2]
    return dict(zip(age_groups.labels, np.bincount(label, minlength=len(age_groups)).tolist(), strict=True))
