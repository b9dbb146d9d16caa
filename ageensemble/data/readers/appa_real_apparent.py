"""APPA-REAL by its apparent ages, the means of people's guesses rounded to whole years; only where asked for.

The same files as `appa_real`, which is what they are taken for unless `--format appa_real_apparent` says otherwise.
"""

import math

from . import appa_real

LAYOUT = f"{appa_real.LAYOUT}; only with --format appa_real_apparent"
LICENSE = appa_real.LICENSE


def detect(root):
    """Never: the same files are read as `appa_real`."""
    return False


def read(root):
    """The table of photographs, see `ageensemble.datasets`, with the rounded apparent age as the age.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        No such table, or one that lacks a column.
    """
    return appa_real.labeled(root, "apparent_age_avg", _rounded)


def _rounded(text):
    """The nearest whole number, a half rounded up; what is no number as it is."""
    try:
        return str(math.floor(float(text) + 0.5))
    except (ValueError, OverflowError):
        return text
