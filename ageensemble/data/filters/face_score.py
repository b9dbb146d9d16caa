"""Leaves out photographs whose face score, the source's own, lies below VALUE; one without a score stays."""

import math

from ._values import number

EXAMPLE = "face-score=1.5"
COLUMN = "face_score"


def value(text):
    """Smallest score that stays, in the source's own scale."""
    return number(text, "a number in the scale of the data set's face scores", -math.inf)


def left_out(dataset, value, *, seed, progress):
    """One without a score stays: several sets may be together, of which some have no scores."""
    return (dataset.items[COLUMN] < value).to_numpy()


def reason(value):
    """What those that go have in common."""
    return f"face score below {value:g}"
