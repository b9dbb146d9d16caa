"""Each person in turn is left out and predicted by a model of all others: a fold for each, no test part.

The protocol of FG-NET (Lanitis, Taylor & Cootes 2002, IEEE TPAMI 24; Geng, Zhou & Smith-Miles 2007, IEEE TPAMI 29). Two
persons with a photograph in common, which happens where one is mislabeled, are left out together.
"""

import numpy as np

from ...errors import DataError
from ..split import split_from_folds

MOST = 1000  # persons, each of which asks for a fit of every model


def apply(dataset, seed, folds):
    """Split and dataset, see `ageensemble.protocols`; neither the seed nor the number of folds has a say.

    Raises
    ------
    DataError
        Nothing says who is on a photograph, or more persons than can be left out one by one.
    """
    known = dataset.items["subject"].notna().to_numpy()
    if not known.any():
        raise DataError(f"{dataset.name} does not say who is on a photograph, so no person can be left out")
    taken = dataset.take(np.flatnonzero(known), "not known who it is")
    persons, fold = np.unique(taken.groups, return_inverse=True)
    if len(persons) > MOST:
        raise DataError(
            f"{dataset.name} shows {len(persons):,} persons, and each would need its own fit of every model; "
            f"leave-one-person-out is for {MOST:,} at most, the default split parts no person either"
        )
    return split_from_folds(taken, fold, len(persons), "a fold for each person"), taken
