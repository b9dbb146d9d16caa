"""Dealing items out to parts: groups stay whole, and every stratum is spread in proportion."""

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from ..ages import DEFAULT_AGE_GROUPS

N_INNER_FOLDS = 10  # parts of a fold fit's training items handed to models


class StratifiedGroups(BaseCrossValidator):
    """Cross-validator that stratifies by age and keeps groups whole, for scikit-learn's `cv=`.

    Parameters
    ----------
    n_splits : int
    random_state : int or sequence of int

    Examples
    --------
    >>> cross_val_score(model, X, age, groups=person, cv=StratifiedGroups(5))
    """

    def __init__(self, n_splits: int = 5, random_state=0):
        self.n_splits, self.random_state = n_splits, random_state

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """Number of folds."""
        return self.n_splits

    def _iter_test_masks(self, X=None, y=None, groups=None):
        y = np.asarray(y)
        age_range = (np.stack([y, y], axis=1) if y.ndim == 1 else y).astype(int)
        groups = np.arange(len(y)) if groups is None else groups
        strata = age_gender_strata(age_range, np.full(len(y), None))
        fold = assign_stratified_groups(strata, groups, [1 / self.n_splits] * self.n_splits, self.random_state)
        for number in range(self.n_splits):
            yield fold == number


def age_gender_strata(y, gender):
    """Strata that splits keep in proportion: the fourteen age ranges by gender where known, `(n,)` int.

    They are fixed, so that the groups of a report never change a split. A ranged label counts by its middle.
    """
    import pandas as pd

    genders, known = pd.factorize(np.asarray(gender, dtype=object))
    return DEFAULT_AGE_GROUPS.lookup[y.sum(1) // 2] * (len(known) + 1) + genders + 1


def assign_stratified_groups(strata, groups, shares, seed):
    """Part of each item, so that groups stay whole and every stratum is spread by the shares.

    Groups of several items go first, the largest first, each to the part that still lacks most of what the group
    holds; single items then fill, stratum by stratum, what is left. One pass over a million items takes seconds.

    Parameters
    ----------
    strata, groups : (n,) int array
    shares : sequence of float
        sums to 1
    seed : int or sequence of int

    Returns
    -------
    (n,) int array
        part 0..len(shares)-1
    """
    rng = np.random.default_rng(seed)
    _, stratum = np.unique(strata, return_inverse=True)
    _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
    shares = np.asarray(shares, float)
    lacking = shares[:, None] * np.bincount(stratum)  # (parts, strata)
    target = np.maximum(lacking, 1e-9)
    part = np.full(len(stratum), -1)

    order = np.lexsort((rng.random(len(size)), -size))
    starts = np.r_[0, np.cumsum(size)]
    members = np.argsort(group, kind="stable")
    for c in order[size[order] > 1]:
        rows = members[starts[c] : starts[c + 1]]
        present, amount = np.unique(stratum[rows], return_counts=True)
        need = (lacking[:, present] / target[:, present]) @ amount + len(rows) * lacking.sum(1) / target.sum(1)
        best = int(np.argmax(need + 1e-9 * rng.random(len(shares))))
        part[rows] = best
        lacking[best, present] -= amount

    carry = rng.random(len(shares)) * 1e-6
    for s in range(lacking.shape[1]):
        rows = rng.permutation(np.flatnonzero((part < 0) & (stratum == s)))
        quota, carry = _quota(np.clip(lacking[:, s], 0, None), len(rows), carry)
        part[rows] = np.repeat(np.arange(len(shares)), quota)
    return part


def _quota(lacking, n, carry):
    """Split `n` in proportion to what is lacking; what rounding took from a part is carried to the next stratum."""
    wanted = n * lacking / lacking.sum() if lacking.sum() > 0 else np.full(len(lacking), n / len(lacking))
    quota = np.floor(wanted).astype(int)
    leftover = wanted - quota + carry
    for best in np.argsort(-leftover, kind="stable")[: n - quota.sum()]:
        quota[best] += 1
    return quota, carry + wanted - quota


def inner_folds(strata, groups, rows, seed):
    """Parts 0..9 of a fold fit's training items, groups whole, `(len(rows),)` int: all a model may steer by."""
    return assign_stratified_groups(strata[rows], groups[rows], [1 / N_INNER_FOLDS] * N_INNER_FOLDS, seed)
