"""What is to be predicted: images, folders of them, and lists, in the order of the output."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from ..data.readers.files import image_paths
from ..data.readers.table import COLUMN_NAMES, as_path, by_name, in_image_folder, read_table
from ..errors import DataError, UsageError

LISTS = (".csv", ".tsv", ".txt", ".parquet")


@dataclass(frozen=True)
class InputImage:
    """An image to be predicted.

    Attributes
    ----------
    name : str
        what it is called in the output: its path as given, or what the list says
    path : str
        where it is opened; empty where the list names none
    copy : str
        name of an annotated copy: the path relative to the folder that was given
    listed : bool
        whether it is the row of a list, which must have an age whatever happens
    given : dict
        the other columns of that row, as text
    """

    name: str
    path: str
    copy: str
    listed: bool = False
    given: dict = field(default_factory=dict)


def find(given, annotated=None):
    """All images that are given, each folder sorted, each list in its own order.

    Parameters
    ----------
    given : sequence of str
        files, folders, and lists with an ending of `LISTS`
    annotated : path, optional
        folder of annotated copies, which are not images to predict

    Returns
    -------
    list of InputImage

    Raises
    ------
    DataError
        Nothing is there, a folder holds no images, or a list cannot be read.
    UsageError
        The annotated copies would lie among the images themselves.
    """
    found, empty = [], []
    for place in map(str, given):
        if not os.path.lexists(place):
            raise DataError(f"no image, folder or list at {place}")
        if os.path.isdir(place):
            inside = _folder(place, annotated)
            empty += [] if inside else [InputImage(place, place, os.path.basename(place))]
            found += inside or empty[-1:]
        elif place.lower().endswith(LISTS):
            found += _list(Path(place))
        else:
            found.append(InputImage(place, place, os.path.basename(place)))
    if found == empty:
        raise DataError(f"no images in {found[0].name}: no file there has the ending of one, such as .jpg or .png")
    return found


def _folder(place, annotated):
    """Images below a folder, hidden ones and annotated copies left out."""
    copies = "./"  # as no name begins
    if annotated is not None:
        copies = os.path.relpath(os.path.realpath(annotated), os.path.realpath(place)) + "/"
        if copies == "./":
            raise UsageError(f"--annotate {annotated} holds the images themselves; give another folder")
    names = [name for name in image_paths(place) if not name.startswith((".", copies)) and "/." not in name]
    return [InputImage(os.path.join(place, name), os.path.join(place, name), name) for name in names]


def _list(file):
    """The rows of a list, none left out; paths are relative to its folder, or to a usual one in it such as images/."""
    import pandas as pd

    if not file.is_file():  # reading a pipe might wait for ever
        raise DataError(f"{file} is not a file that could be read as a list")
    names, given = (_lines(file), []) if file.suffix.lower() == ".txt" else _columns(file)
    if not names:
        raise DataError(f"{file} lists no images")
    table = pd.DataFrame({"path": [name or None for name in names]}, dtype=object)
    places = in_image_folder(table, file.parent)["path"]
    paths = [os.path.join(file.parent, place) if isinstance(place, str) else "" for place in places]
    given = given or [{}] * len(names)
    return [InputImage(name, path, name, True, row) for name, path, row in zip(names, paths, given, strict=True)]


def _lines(file):
    try:
        with open(file, encoding="utf-8-sig", errors="surrogateescape") as stream:
            return [line.strip() for line in stream if line.strip()]
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from None


def _columns(file):
    """The names of images in a table, and its other columns, row by row."""
    table = read_table(file)
    columns = by_name(table.columns)
    named = next((columns[name] for name in (*COLUMN_NAMES["path"], *COLUMN_NAMES["item_id"]) if name in columns), None)
    if named is None:
        seen = ", ".join(map(str, table.columns))[:200]
        raise DataError(f"{file} has no column for the photo's file; call it 'path' (columns seen: {seen})")
    names = [as_path(value.strip()) if isinstance(value, str) else "" for value in table[named]]
    return names, table.drop(columns=named).fillna("").to_dict("records")
