import numpy as np

from ...errors import DataError
from ..split import split_from_folds
from .base import Protocol

MAX_PERSONS = 1000  # persons, each of which asks for a fit of every model


class LeaveOnePersonOut(Protocol):
    """Each person in turn is left out and predicted by a model of all others: a fold for each, no test part.

    The protocol of FG-NET (Lanitis, Taylor & Cootes 2002, IEEE TPAMI 24; Geng, Zhou & Smith-Miles 2007, IEEE TPAMI 29).
    Two persons with an image in common, which happens where one is mislabeled, are left out together. Neither the seed
    nor the number of folds has a say.
    """

    def apply(self, dataset, seed=0, n_folds=5):
        known = dataset.items["subject"].notna().to_numpy()
        if not known.any():
            raise DataError(f"{dataset.name} does not say who is in an image, so no person can be left out")
        taken = dataset.take(np.flatnonzero(known), "not known who it is")
        persons, fold = np.unique(taken.groups, return_inverse=True)
        if len(persons) > MAX_PERSONS:
            raise DataError(
                f"{dataset.name} shows {len(persons):,} persons, and each would need its own fit of every model; "
                f"leave-one-person-out is for {MAX_PERSONS:,} at most, the default split parts no person either"
            )
        return split_from_folds(taken, fold, len(persons), "a fold for each person"), taken
