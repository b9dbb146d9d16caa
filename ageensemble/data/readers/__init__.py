"""Source formats: where images and labels come from, one reader each.

A reader is a class derived from `Reader`, in a file of this package, a file of one's own (`--format ./mine.py`), or an
installed package with an entry point in the group `ageensemble.readers`.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..._utils.registry import Registry, guarded
from ...errors import DataError
from . import template
from .base import COLUMNS, EXTRAS, FilenameReader, Reader

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ANY_TABLE",
    "COLUMNS",
    "EXTRAS",
    "READERS",
    "FilenameReader",
    "Reader",
    "detect_format",
    "matching_formats",
    "read_labels",
]

ANY_TABLE = ("annotations", "csv")  # formats of tables that anybody may have made
READERS = Registry(
    "data format",
    __name__,
    base=Reader,
    internal=("files", "table", "template"),
    nested={"appa_real_apparent": f"{__name__}.appa_real:APPARealApparent"},
    aliases={"dataset": "csv", "facial_age": "age_folders"},
    group="ageensemble.readers",
)


def detect_format(root: str | Path) -> str:
    """The format of the data at `root`, detected from its files.

    `annotations.csv` comes first, since somebody wrote it for this purpose, then the label table of a known dataset,
    then any other table, then the names of files and folders.

    Parameters
    ----------
    root : str or pathlib.Path

    Returns
    -------
    str

    Raises
    ------
    DataError
        Nothing there, or several formats match, or none; the message says what was seen and what to do.
    """
    root = Path(root)
    if not _names(root):
        raise DataError(f"the folder {root} is empty")
    found = matching_formats(root)
    if len(found) > 1:
        raise DataError(f"{root} fits several formats, choose one with --format: {', '.join(found)}")
    if found:
        return found[0]
    raise DataError(
        f"{root} does not match any known dataset layout. Seen: {_seen(root)}. "
        f"{_inside(root) or template.suggestion(root)}. Known layouts: ageensemble data formats"
    )


def matching_formats(root: Path) -> list[str]:
    """Names of the formats that the data at `root` may be in: of those that match, the ones with the strongest sign."""
    if (root / "annotations.csv").is_file():
        return ["annotations"]
    readers = READERS.load_all()
    found = [name for name, reader in readers.items() if _detects(reader(), name, root)]
    tables = [name for name in found if readers[name].has_label_table]
    return tables or [name for name in found if name in ANY_TABLE] or found


def _detects(reader, name, root):
    with guarded(reader, f"the reader {name}"):
        return reader.detect(root)


def read_labels(root: Path, format: str) -> tuple["pd.DataFrame", str]:
    """The labels of the data at `root`, see `Reader.read`, and what is known of their terms of use.

    Parameters
    ----------
    root : pathlib.Path
    format : str
        a name of `READERS`, or the path of a file with a reader

    Returns
    -------
    pandas.DataFrame, str

    Raises
    ------
    DataError
        The data cannot be read.
    """
    reader = READERS.load(format)()
    with guarded(reader, f"the reader {format}"):
        return reader.read(root), reader.license


def _inside(root):
    """Where a folder within `root` matches a known layout: that it should be named instead."""
    folders = [root / name for name in sorted(_names(root))[:20] if name.endswith("/")]
    for folder in folders:
        with suppress(DataError, OSError):  # one that cannot be read, such as lost+found
            if found := matching_formats(folder):
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
    names = sorted(f"'{name}'" for name in _names(root))
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
