import numpy as np

from ...errors import DataError
from ..split import split_from_folds, split_with_test
from .base import Protocol

REST = ("train", "validation")
SPELLINGS = {"training": "train", "val": "validation", "valid": "validation", "dev": "validation", "testing": "test"}


class Official(Protocol):
    """The split that the dataset was published with: its test part where it names one, or its own folds.

    What is named train and validation is put together and dealt out to folds of ours by the seed, groups whole, since
    every model here is scored out-of-fold. A dataset that publishes folds (Adience) keeps them and has no test part.
    """

    def apply(self, dataset, seed=0, n_folds=5):
        given = dataset.items.get("official")
        if given is None or given.isna().all():
            raise DataError(f"{dataset.name} names no parts of its own; without --protocol a split is made for it")
        taken = dataset.take(np.flatnonzero(given.notna()), "in no part of the set's own")
        part = taken.items["official"].astype(str).str.lower().replace(SPELLINGS).to_numpy()
        names = set(part)
        if all(name.isdecimal() for name in names):
            numbers, fold = np.unique(part.astype(int), return_inverse=True)
            return split_from_folds(taken, fold, len(numbers), "the set's own folds"), taken
        if not names <= {*REST, "test"}:
            unknown = ", ".join(f"'{name}'" for name in sorted(names - {*REST, "test"})[:3])
            known = ", ".join((*REST, "test"))
            raise DataError(f"{dataset.name} calls parts of its own {unknown}; either all are numbers, or of: {known}")
        return split_with_test(taken, part == "test", n_folds, seed), taken
