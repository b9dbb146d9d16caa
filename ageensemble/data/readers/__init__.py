"""Where photographs and labels come from: one file per source format, found by the folder listing.

A source module has a first docstring line that describes it, `LAYOUT` (what the data must look like),
`detect(root) -> bool` and `read(root) -> pandas.DataFrame`; where the terms of use are known, `LICENSE`; and
`TABLE = True` where the labels stand in a table of the set's own, which is then not taken for just any CSV. `root` is a
folder or a file. What is read has one row per photograph *or problem*:

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
remark        what is odd in a row that is used all the same; the audit counts what stands before a colon
============= =====================================================================================
"""

import os
from contextlib import suppress
from pathlib import Path

from ..._utils.registry import Registry, close, did_you_mean
from ...errors import DataError, UsageError
from . import _template

COLUMNS = ["item_id", "path", "age_min", "age_max", "gender", "ethnicity", "subject", "moment", "problem"]
EXTRAS = ["face_score", "official", "apparent_age", "age_deviation", "remark"]
ANY_TABLE = ("annotations", "csv")
REGISTRY = Registry("data format", __name__, aliases={"dataset": "csv"}, group="ageensemble.readers")
READ_AS = {"facial_age": "age_folders"}  # sets that have no format of their own


def formats():
    """Names of the known source formats."""
    return REGISTRY.names()


def module(name):
    """The source module called `name`, see `spelled`.

    Raises
    ------
    UsageError
        No such format.
    """
    return REGISTRY.module(spelled(name))


def spelled(name):
    """The name of a format as it is listed, from one in small letters or others, with hyphens or underscores.

    Raises
    ------
    UsageError
        No such format.
    """
    known, found = formats(), name.strip().lower().replace("-", "_")
    found = REGISTRY.aliases.get(found, found)
    if found not in known:
        near = [READ_AS[found]] if found in READ_AS else close(found, known)
        raise UsageError(f"no data format called '{name}'; known: {', '.join(known)}{did_you_mean(near)}")
    return found


def detect(root):
    """The format of the data at `root`, told by looking at it.

    An `annotations.csv` is somebody's own word and comes first, then a table of a known set, then any other table, then
    what the names of files and folders tell.

    Raises
    ------
    DataError
        Nothing there, in several layouts at once, or in none that is known; the message says what was seen and how to
        get on.
    """
    root = Path(root)
    if not _names(root):
        raise DataError(f"the folder {root} is empty")
    found = fitting(root)
    if len(found) > 1:
        raise DataError(f"{root} fits several formats, say which with --format: {', '.join(found)}")
    if found:
        return found[0]
    raise DataError(
        f"{root} is in no layout known here. Seen: {_seen(root)}. {_inside(root) or _template.way_out(root)}. "
        "Known layouts: ageensemble data formats"
    )


def fitting(root):
    """Names of the formats that the data may be in, of those that fit the ones whose sign is the strongest."""
    if (root / "annotations.csv").is_file():
        return ["annotations"]
    found = [name for name in formats() if module(name).detect(root)]
    tables = [name for name in found if getattr(module(name), "TABLE", False)]
    return tables or [name for name in found if name in ANY_TABLE] or found


def _inside(root):
    """Where a folder within `root` is in a known layout: that it should be named instead."""
    folders = [root / name for name in sorted(_names(root))[:20] if name.endswith("/")]
    for folder in folders:
        with suppress(DataError, OSError):  # one that cannot be read, such as lost+found
            if found := fitting(folder):
                return f"But {folder} looks like {' or '.join(found)}: name that folder"
    return None


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
    """A few words on what is at `root`, for somebody who wonders why it was not recognized."""
    names = sorted(f"'{name}'" for name in _names(root))
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
