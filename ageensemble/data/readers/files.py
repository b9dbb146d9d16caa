"""Finding image files below a folder, for the formats whose labels are in file names."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}


def image_paths(root: Path) -> list[str]:
    """Paths of all image files below `root`, relative, POSIX, sorted.

    A linked folder is not entered, and one that can't be read can't be; both are named, so that they get listed.

    Raises
    ------
    DataError
        `root` is no folder, or can't be read.
    """
    return sorted(_walk(str(root)))


def _walk(root):
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            entries = os.scandir(os.path.join(root, folder))
        except OSError as error:
            if not folder:
                raise DataError(f"the folder {root} cannot be read: {error.strerror}") from None
            yield folder
            continue
        with entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                elif has_image_suffix(name) or (entry.is_symlink() and os.path.isdir(entry.path)):
                    yield name


def has_image_suffix(name: str) -> bool:
    """Whether the file's ending is one of an image."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def first_images(root: Path, count: int = 50) -> list[str]:
    """Some image names below `root`, soon, whatever the size of the folder: enough to recognize a naming convention."""
    found = []
    for name in _walk(str(root)):
        found.append(name)
        if len(found) == count:
            break
    return found


def table_of_files(root: Path, labels: Callable[[str], dict | str]) -> "pd.DataFrame":
    """A row for every image below `root`, for a format whose labels are in the files' paths.

    Parameters
    ----------
    root : pathlib.Path
    labels : callable
        given a path below `root`, returns a dict of columns, or the reason why there are none as a str

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        `root` is no folder, or can't be read.
    """
    import pandas as pd

    return pd.DataFrame([_row(path, labels) for path in image_paths(root)], dtype=object)


def _row(path, labels):
    name = as_text(path)
    row = {"item_id": name, "path": name, "problem": None}
    if not has_image_suffix(path):
        return row | {"problem": "a folder that is a link or cannot be read"}
    if name != path:
        return row | {"problem": "the file's name is not UTF-8, rename it"}
    found = labels(path)
    return row | ({"problem": found} if isinstance(found, str) else found)


def as_text(name: str) -> str:
    r"""A file's name as text that can be written anywhere: bytes that are no UTF-8 are spelled out, as in `\xe9`."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
