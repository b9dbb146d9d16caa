"""The age groups a model is trained on, and their balance."""

import numpy as np

from ..ages import DEFAULT_AGE_GROUPS, AgeGroups
from ..errors import DataError


def training_groups(y):
    """The groups that occur in the training labels, and the group of each label.

    These are the fourteen ranges of the package where every label lies inside one of them, else the labeled ranges
    themselves (Adience, FairFace).

    Parameters
    ----------
    y : (n, 2) int array, years

    Returns
    -------
    Scheme, (n,) int array

    Raises
    ------
    DataError
        Labelled ranges overlap one another, so they are no groups.
    """
    try:
        age_groups = DEFAULT_AGE_GROUPS
        label = age_groups.of(y)
    except DataError:
        age_groups = AgeGroups("labels", tuple((int(low), int(high)) for low, high in np.unique(y, axis=0)))
        for (_, before), (low, high) in zip(age_groups.ranges, age_groups.ranges[1:], strict=False):
            if low <= before:
                raise DataError(f"the labeled range {low}-{high} overlaps the one before it") from None
        label = age_groups.of(y)
    present, label = np.unique(label, return_inverse=True)
    return AgeGroups(age_groups.name, tuple(age_groups.ranges[group] for group in present)), label


def balance(label):
    """Weight of each group that gives all groups the same total, `(G,)`; the mean over items is 1."""
    count = np.bincount(label)
    return len(label) / (len(count) * count)
