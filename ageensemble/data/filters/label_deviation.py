"""Leaves out photographs on whose age people disagreed: standard deviation of their guesses above VALUE years."""

from ._values import number

EXAMPLE = "label-deviation=10"
COLUMN = "age_deviation"


def value(text):
    """Largest standard deviation that stays, years."""
    return number(text, "a number of years, 0 or more")


def left_out(dataset, value, *, seed, progress):
    """One without a deviation stays: several sets may be together, of which some have none."""
    return (dataset.items[COLUMN] > value).to_numpy()


def reason(value):
    """What those that go have in common."""
    return f"people's guesses deviate by more than {value:g} years"
