"""The parts that the set itself was published with: its test part where it names one, or its own folds.

What is named train and validation is put together and dealt out to folds of ours by the seed, groups whole, since
every model here is scored out-of-fold. A set that publishes folds (Adience) keeps them and has no test part.
"""

import numpy as np

from ...errors import DataError
from ..split import split_from_folds, split_with_test

REST = ("train", "validation")
SPELLINGS = {"training": "train", "val": "validation", "valid": "validation", "dev": "validation", "testing": "test"}


def apply(dataset, seed, folds):
    """Split and dataset, see `ageensemble.protocols`.

    Raises
    ------
    DataError
        The set has no parts of its own, or parts of other names, or folds beside a test part.
    """
    said = dataset.items.get("official")
    if said is None or said.isna().all():
        raise DataError(f"{dataset.name} names no parts of its own; without --protocol a split is made for it")
    taken = dataset.take(np.flatnonzero(said.notna()), "in no part of the set's own")
    words = taken.items["official"].astype(str).str.lower()
    part = words.replace(SPELLINGS).to_numpy()
    there = set(part)
    if all(name.isdecimal() for name in there):
        numbers, fold = np.unique(part.astype(int), return_inverse=True)
        return split_from_folds(taken, fold, len(numbers), "the set's own folds"), taken
    if not there <= {*REST, "test"}:
        strange = ", ".join(f"'{name}'" for name in sorted(there - {*REST, "test"})[:3])
        known = ", ".join((*REST, "test"))
        raise DataError(f"{dataset.name} calls parts of its own {strange}; either all are numbers, or of: {known}")
    return split_with_test(taken, part == "test", seed, folds), taken
