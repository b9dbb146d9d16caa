import numpy as np

from ...data.readers import ANY_TABLE
from ...data.readers.utkface import UTKFace
from ...errors import DataError, UsageError
from ..split import make_split
from .base import Protocol

AGES = 21, 60


class UTKFace2160(Protocol):
    """UTKFace, ages 21 to 60 only: a fifth of the images for the test, folds over the rest.

    Ages and shares are those of Cao, Mirjalili & Raschka 2020 (Pattern Recognition Letters 140), whom others followed.
    Which image is in which part is not: their lists are not shipped here, so the parts are drawn from our seed, groups
    whole. Numbers are near those that are published, not equal to them.
    """

    def apply(self, dataset, seed=0, n_folds=5):
        for name, items in dataset.items.groupby("dataset"):
            _refuse_another(name, dataset.formats.get(name, "csv"), items["path"])
        low, high = AGES
        inside = (dataset.age_range[:, 0] >= low) & (dataset.age_range[:, 1] <= high)
        if not inside.any():
            raise DataError(f"{dataset.name} has no image of an age from {low} to {high}")
        taken = dataset.take(np.flatnonzero(inside), f"not {low} to {high} years old")
        return make_split(taken, n_folds, seed), taken


def _refuse_another(name, source, paths):
    """Raise UsageError unless a set is UTKFace: read as that, or somebody's table with its name or its files' names."""
    named = "utkface" in name.lower() or np.mean([bool(UTKFace.pattern.search(path)) for path in paths]) > 0.5
    if source == "utkface" or (source in ANY_TABLE and named):
        return
    otherwise = "; neither its name nor its file names are those of UTKFace" if source in ANY_TABLE else ""
    raise UsageError(
        f"the protocol utkface-21-60 is for UTKFace alone, and {name} is in the format {source}{otherwise}; "
        "for the same ages of another set: --filter age-range=21-60"
    )
