"""The parts that the set itself was published with: its test part where it names one, or its own folds.

What is named train and validation is put together and dealt out to folds of ours by the seed, clusters whole, since
every model here is scored out-of-fold. A set that publishes folds (Adience) keeps them and has no test part.
"""

import numpy as np

from ...errors import DataError
from .. import split

REST = ("train", "validation")
SPELLINGS = {"training": "train", "val": "validation", "valid": "validation", "dev": "validation", "testing": "test"}


def apply(manifest, seed, folds):
    """Plan and manifest, see `ageensemble.protocols`.

    Raises
    ------
    DataError
        The set has no parts of its own, or parts of other names, or folds beside a test part.
    """
    said = manifest.items.get("official")
    if said is None or said.isna().all():
        raise DataError(f"{manifest.name} names no parts of its own; without --protocol a plan is made for it")
    taken = manifest.take(np.flatnonzero(said.notna()), "in no part of the set's own")
    words = taken.items["official"].astype(str).str.lower()
    part = words.replace(SPELLINGS).to_numpy()
    there = set(part)
    if all(name.isdecimal() for name in there):
        numbers, fold = np.unique(part.astype(int), return_inverse=True)
        return split.given(taken, fold, len(numbers), "the set's own folds"), taken
    if not there <= {*REST, "test"}:
        strange = ", ".join(f"'{name}'" for name in sorted(there - {*REST, "test"})[:3])
        known = ", ".join((*REST, "test"))
        raise DataError(f"{manifest.name} calls parts of its own {strange}; either all are numbers, or of: {known}")
    return split.around(taken, part == "test", seed, folds), taken
