"""Each person in turn is left out and predicted by a model of all others: a fold for each, no test part.

The protocol of FG-NET (Lanitis, Taylor & Cootes 2002, IEEE TPAMI 24; Geng, Zhou & Smith-Miles 2007, IEEE TPAMI 29). Two
persons with a photograph in common, which happens where one is mislabelled, are left out together.
"""

import numpy as np

from ...errors import DataError
from .. import split

MOST = 1000  # persons, each of which asks for a fit of every model


def apply(manifest, seed, folds):
    """Plan and manifest, see `ageensemble.protocols`; neither the seed nor the number of folds has a say.

    Raises
    ------
    DataError
        Nothing says who is on a photograph, or more persons than can be left out one by one.
    """
    known = manifest.items["subject"].notna().to_numpy()
    if not known.any():
        raise DataError(f"{manifest.name} does not say who is on a photograph, so no person can be left out")
    taken = manifest.take(np.flatnonzero(known), "not known who it is")
    persons, fold = np.unique(taken.clusters, return_inverse=True)
    if len(persons) > MOST:
        raise DataError(
            f"{manifest.name} shows {len(persons):,} persons, and each would need its own fit of every model; "
            f"leave-one-person-out is for {MOST:,} at most, the default plan parts no person either"
        )
    return split.given(taken, fold, len(persons), "a fold for each person"), taken
