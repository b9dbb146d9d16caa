"""Leaves out every copy of a picture whose copies differ in age by more than VALUE years, 0 unless given."""

import numpy as np

from ..quality import audit
from ._values import number

EXAMPLE = "conflicting-labels=2"
DEFAULT = "0"
PHOTOGRAPHS = True


def value(text):
    """Largest difference that stays, years."""
    return number(text, "a number of years, 0 or more")


def left_out(dataset, value, *, seed, progress):
    """All copies go, since nobody can tell which age is right; see `audit.conflicts`."""
    ids = [item for group in audit.conflicts(dataset) if group["gap"] > value for item in group["items"]]
    return np.asarray(dataset.items["item_id"].isin(ids))


def reason(value):
    """What those that go have in common."""
    return "the same picture with different ages" + (f", more than {value:g} years apart" if value else "")
