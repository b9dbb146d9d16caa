"""Leaves out ages beyond LOW-HIGH years: mistakes often, and too few to learn from."""

from ...ages import MAX_AGE
from ._values import whole

EXAMPLE = "age-range=1-90"
WHAT = f"a range of whole years, LOW-HIGH, within 0-{MAX_AGE}"


def value(text):
    """(youngest, oldest) that stay, years."""
    low, dash, high = text.partition("-")
    youngest, oldest = whole(low, WHAT, 0, MAX_AGE), whole(high, WHAT, 0, MAX_AGE)
    if not dash or youngest > oldest:
        raise ValueError(f"'{text}' is not {WHAT}")
    return youngest, oldest


def left_out(dataset, value, *, seed, progress):
    """A label that is a range goes where none of its years is among those that stay."""
    return (dataset.y[:, 1] < value[0]) | (dataset.y[:, 0] > value[1])


def reason(value):
    """What those that go have in common."""
    return f"age not from {value[0]} to {value[1]} years"
