"""Leaves out blurred photographs: variance of their Laplacian below VALUE, 6 unless given."""

from ._sharpness import sharpness
from ._values import number

EXAMPLE = "blur=10"
DEFAULT = "6"  # a choice, by looking at a few dozen photographs: 0.7 % of UTKFace go; at 10 it would be 7.7 %
PHOTOGRAPHS = True


def value(text):
    """Smallest variance that stays, squared gray values of 0..255."""
    return number(text, "a variance of gray values, 0 or more")


def left_out(dataset, value, *, seed, progress):
    """By the photograph as stored, at most 256 pixels a side, so that large ones are judged by the same measure.

    A dark or pale photograph has little variance too, so look at what goes.
    """
    return sharpness(dataset.photos, progress("looking for blur"))[dataset.items["photo"]] < value


def reason(value):
    """What those that go have in common."""
    return f"blurred, variance of the Laplacian below {value:g}"
