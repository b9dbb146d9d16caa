"""Where photographs and labels come from: one file per source format, found by the folder listing.

A source module has a first docstring line that describes it, `LAYOUT` (what the data must look like),
`detect(root) -> bool` and `read(root) -> pandas.DataFrame`, and, where the terms of use are known, `LICENCE`. The table
has one row per photograph *or problem*:

========= =========================================================================================
item_id   unique; usually the path below the data folder
path      of the photograph, relative to the data folder
age_min   years, float, NaN where unknown
age_max   the same as `age_min` where the age is exact
gender    "male", "female" or whatever the source says; missing allowed
ethnicity likewise
subject   who it is, where known; photos of one subject are never parted by a split
moment    a key shared by photos taken from one source picture (UTKFace's time stamp)
problem   why this row can't be used, else missing
========= =========================================================================================

and, where the source knows them, any of `EXTRAS`:

============= =====================================================================================
face_score    how sure a detector was that there is a face, higher is surer, in the source's own scale
official      the part in the set's own published split: "train", "validation", "test", or a fold "0", "1", ...
apparent_age  mean guess of people who looked at the photograph, years
age_deviation standard deviation of their guesses, years
============= =====================================================================================
"""

import importlib
import os
import pkgutil
from pathlib import Path

from ..errors import DataError, UsageError

COLUMNS = ["item_id", "path", "age_min", "age_max", "gender", "ethnicity", "subject", "moment", "problem"]
EXTRAS = ["face_score", "official", "apparent_age", "age_deviation"]


def formats():
    """Names of the known source formats."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "demo" and not m.name.startswith("_"))


def module(name):
    """The source module called `name`.

    Raises
    ------
    UsageError
        No such format.
    """
    if name not in formats():
        raise UsageError(f"no data format called '{name}'; known: {', '.join(formats())}")
    return importlib.import_module(f"{__name__}.{name}")


def detect(root):
    """The format of the data at `root`, told by looking at it.

    Raises
    ------
    DataError
        Nothing there, or in no known layout; the message lists what is known and what was seen.
    """
    root = Path(root)
    if not _names(root):
        raise DataError(f"the folder {root} is empty")
    for name in formats():
        if module(name).detect(root):
            return name
    known = "; ".join(f"{name}: {module(name).LAYOUT}" for name in formats())
    raise DataError(f"{root} is in no layout known here. Seen: {_seen(root)}. Known: {known}")


def _names(root):
    """What is at `root`: the file's name, or some names in the folder."""
    if os.path.isfile(root):
        return [root.name]
    try:
        return [name + "/" * os.path.isdir(root / name) for name in os.listdir(root)[:1000]]
    except FileNotFoundError:
        raise DataError(f"no such file or folder: {root}") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{root} cannot be read: {getattr(error, 'strerror', error)}") from None


def _seen(root):
    """A few words on what is at `root`, for somebody who wonders why it was not recognised."""
    names = sorted(f"'{name}'" for name in _names(root))
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
