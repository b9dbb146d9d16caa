"""Leaves out ages beyond LOW-HIGH years: mistakes often, and too few to learn from."""

from ...ages import OLDEST
from ._values import whole

EXAMPLE = "ages=1-90"
WHAT = f"a range of whole years, LOW-HIGH, within 0-{OLDEST}"


def value(text):
    """(youngest, oldest) that stay, years."""
    low, dash, high = text.partition("-")
    youngest, oldest = whole(low, WHAT, 0, OLDEST), whole(high, WHAT, 0, OLDEST)
    if not dash or youngest > oldest:
        raise ValueError(f"'{text}' is not {WHAT}")
    return youngest, oldest


def left_out(manifest, value, *, seed, progress):
    """A label that is a range goes where none of its years is among those that stay."""
    return (manifest.y[:, 1] < value[0]) | (manifest.y[:, 0] > value[1])


def reason(value):
    """What those that go have in common."""
    return f"age not from {value[0]} to {value[1]} years"
