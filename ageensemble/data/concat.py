"""Several sets as one: distinct names, people that never meet, one folder that all paths start from."""

import os
from pathlib import Path

import pandas as pd

from ..errors import UsageError
from .readers.files import as_text

OWN = ("subject", "moment", "group")  # what the same text in another set says nothing about


def names(data):
    """What sets are called: by their folders, and by the folders above where that is not enough.

    Parameters
    ----------
    data : sequence of str or path
        folders, dataset files, or "demo"

    Returns
    -------
    list of str
        in the order given

    Raises
    ------
    UsageError
        An empty name, a set that is named twice, two that cannot be told apart.
    """
    if not data or not all(str(one).strip() for one in data):
        raise UsageError("--data is empty; name a folder, a dataset file or demo")
    places = [Path("demo") if str(one) == "demo" else Path(one).resolve() for one in data]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise UsageError(f"{data[number]} is given twice; the same images cannot be two datasets")
    short = [as_text(place.name) for place in places]
    if len(set(short)) == len(short):
        return short
    found = [as_text("-".join(filter(None, (place.parent.name, place.name)))) for place in places]
    for number, name in enumerate(found):
        if name in found[:number]:
            raise UsageError(
                f"two sets are called '{name}' by their folders; rename one, so that they can be told apart"
            )
    return found


def heading(sets, test_sets=()):
    """What several sets are called by people: those trained on, then those tested on, joined by +."""
    return "+".join(sorted(sets, key=lambda name: (name in test_sets, name)))


def joined(tables, folders):
    """One table of several sets, and the folder that its paths are relative to.

    Item ids begin with the name of the set, and so does what says that items belong together: a subject, moment or
    group is of one set. Whether an image is in two sets, its pixels show.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        what the sources read, by the name of the set
    folders : dict of str to pathlib.Path
        what the paths of each are relative to

    Returns
    -------
    pandas.DataFrame, pathlib.Path
        the table has a further column `dataset`
    """
    if len(tables) == 1:
        [(name, table)] = tables.items()
        return table.assign(dataset=name), folders[name]
    root = Path(os.path.commonpath([os.path.abspath(folder) for folder in folders.values()]))
    parts = []
    for name, table in tables.items():
        below = os.path.relpath(os.path.abspath(folders[name]), root)
        table = table.assign(
            dataset=name,
            path=_each(table["path"], lambda path, at=below: path if at == "." else os.path.join(at, path)),
        )
        for column in ("item_id", *OWN):
            table[column] = _each(table[column], lambda value, of=name: f"{of}/{value}")
        parts.append(table)
    return pd.concat(parts, ignore_index=True).sort_values("item_id", kind="stable", ignore_index=True), root


def _each(column, change):
    """The column with what there is in it changed."""
    return pd.Series([value if pd.isna(value) else change(value) for value in column], column.index, dtype=object)
