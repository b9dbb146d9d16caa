"""APPA-REAL by its real ages: `gt_avg_train.csv`, `gt_avg_valid.csv`, `gt_avg_test.csv`, and the guessed ages beside.

Agustsson, Timofte, Escalera, Baro, Guyon & Rothe, "Apparent and real age estimation in still images with deep residual
regressors on APPA-REAL database", Automatic Face and Gesture Recognition 2017. About 38 people guessed the age in each
photograph: their mean is the `apparent_age`, the standard deviation of their guesses the `age_deviation`. Where the
set's own crop of the face is there (`000001.jpg_face.jpg`) it is the photograph.
"""

import os

from ...errors import DataError
from ._table import by_name, translate
from .annotations import read_text

LAYOUT = "a folder with gt_avg_train.csv, gt_avg_valid.csv, gt_avg_test.csv and the photos in train/, valid/, test/"
LICENSE = "APPA-REAL: terms not known here; ask ChaLearn Looking at People, who publish it"
TABLE = True
PARTS = {"train": "train", "valid": "validation", "test": "test"}
COLUMNS = {"apparent_age_avg": "apparent_age", "apparent_age_std": "age_deviation"}


def detect(root):
    """There is at least one of the tables."""
    return bool(_tables(root))


def read(root):
    """The table of photographs, see `ageensemble.datasets`; `official` is the set's own part.

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
    return labeled(root, "real_age", str)


def labeled(root, column, years):
    """The table of photographs with the ages in one column of the set's tables.

    Parameters
    ----------
    root : pathlib.Path
    column : str
    years : callable
        makes the text of an age of the text that is in the column

    Raises
    ------
    DataError
        No such table, or one that lacks a column.
    """
    import pandas as pd

    tables = _tables(root)
    if not tables:
        raise DataError(f"{root} has no gt_avg_train.csv, gt_avg_valid.csv or gt_avg_test.csv")
    return pd.concat([_part(file, part, column, years) for part, file in tables.items()], ignore_index=True)


def _tables(root):
    files = {part: root / f"gt_avg_{part}.csv" for part in PARTS}
    return {part: file for part, file in files.items() if file.is_file()}


def _part(file, part, column, years):
    import pandas as pd

    given = read_text(file)
    columns = by_name(given.columns)
    if missing := {"file_name", column} - columns.keys():
        raise DataError(f"{file} has no column {' and no column '.join(sorted(missing))}")
    told = {"path": given[columns["file_name"]], "age": [years(text) for text in given[columns[column]]]}
    told |= {ours: given[columns[name]] for name, ours in COLUMNS.items() if name in columns}
    table = translate(pd.DataFrame(told), file.name)
    there = set(os.listdir(file.parent / part)) if (file.parent / part).is_dir() else set()
    table["path"] = [f"{part}/{_crop(name, there)}" if name else None for name in table["path"]]
    return table.assign(item_id=table["path"], official=PARTS[part])


def _crop(name, there):
    """The crop of the face where it is there, else the whole photograph."""
    return f"{name}_face.jpg" if f"{name}_face.jpg" in there else name
