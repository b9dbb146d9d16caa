"""Reading the values of steps."""

import math


def number(text, what, low=0.0, high=math.inf):
    """The number that a text says.

    Raises
    ------
    ValueError
        It says none, or one that is not from `low` to `high`; `what` names in the message what should be there.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"'{text}' is not {what}")
    return value


def whole(text, what, low=0, high=math.inf):
    """The same for a whole number."""
    value = number(text, what, low, high)
    if value != int(value):
        raise ValueError(f"'{text}' is not {what}")
    return int(value)
