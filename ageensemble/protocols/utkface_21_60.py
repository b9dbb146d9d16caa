"""UTKFace, ages 21 to 60 only: a fifth of the photographs for the test, folds over the rest.

The ages and the shares are those of Cao, Mirjalili & Raschka 2020 (Pattern Recognition Letters 140), whom others
followed. Which photograph is in which part is not: their lists are not shipped here, so the parts are drawn from our
seed, and no cluster is parted. Numbers are near those that are published, not equal to them.
"""

import numpy as np

from .. import splits
from ..errors import DataError

AGES = 21, 60


def apply(manifest, seed, folds):
    """Plan and manifest, see `ageensemble.protocols`.

    Raises
    ------
    DataError
        Too few photographs of these ages.
    """
    low, high = AGES
    inside = (manifest.y[:, 0] >= low) & (manifest.y[:, 1] <= high)
    if not inside.any():
        raise DataError(f"{manifest.name} has no photograph of an age from {low} to {high}")
    taken = manifest.take(np.flatnonzero(inside), f"not {low} to {high} years old")
    return splits.make(taken, seed, folds), taken
