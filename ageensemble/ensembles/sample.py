"""The items that pools are fitted on: all of them, or whole groups at random where there are many."""

from dataclasses import dataclass

import numpy as np

from .pooling import logs

MOST = 160_000  # rows of all members together, some 80 MB
FEWEST = 20  # groups, however large they are, so that every fold has some


@dataclass(frozen=True)
class Sample:
    """Out-of-fold predictions of `n` items in memory.

    Attributes
    ----------
    logs : (M, n, A) float32 array
        logarithms of the members' distributions
    y : (n, 2) int array, years
    groups, fold : (n,) int array
    """

    logs: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    fold: np.ndarray


def read(members, y, groups, fold, seed):
    """Draw and read a sample.

    Parameters
    ----------
    members : sequence of M (N, A) arrays
        out-of-fold predictions, may lie on disk
    y : (N, 2) int array, years
    groups, fold : (N,) int array
    seed : int

    Returns
    -------
    Sample
    """
    rows = whole_clusters(groups, MOST // len(members), seed)
    result = np.empty((len(members), len(rows), members[0].shape[1]), np.float32)
    for m, member in enumerate(members):
        result[m] = logs(member[rows])
    return Sample(result, y[rows], groups[rows], fold[rows])


def whole_clusters(groups, most, seed):
    """Rows of groups drawn at random, all of them where no more than `most` there are, in order."""
    if len(groups) <= most:
        return np.arange(len(groups))
    _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
    drawn, room = [], most
    for c in np.random.default_rng(seed).permutation(len(size)):
        if size[c] <= room or len(drawn) < FEWEST:  # one that is too large gives way to those that fit
            drawn.append(c)
            room -= size[c]
    return np.flatnonzero(np.isin(group, drawn))
