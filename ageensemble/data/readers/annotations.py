"""A folder with `annotations.csv` (or the only CSV in it) naming photographs and ages, columns by their usual names."""

import csv
import os
import re
import warnings
from collections import Counter

from ...errors import DataError
from ._table import require_ages, translate, usual

LAYOUT = "a folder with annotations.csv (columns such as path, age, gender, subject) and the photos below it"
NEWLINE = "\n"
PHOTO_FOLDERS = [".", "images", "imgs", "photos", "faces", "data"]
# of the course that hands out WIKI, whose archives unpack to a folder within the folder, see `wiki`
PHOTO_FOLDERS += [f"{name}{again}" for name in ("wiki_labeled", "wiki_judge_images") for again in ("", f"/{name}")]


def detect(root):
    """There is an `annotations.csv`, or just one CSV whose header names a photo and an age."""
    return root.is_dir() and table_of(root) is not None


def table_of(root):
    """The CSV file of the folder, or None."""
    if (root / "annotations.csv").is_file():
        return root / "annotations.csv"
    tables = [p for p in sorted(root.glob("*.csv")) if p.is_file()]
    if len(tables) != 1:
        return None
    try:
        usual(read_text(tables[0], rows=0).columns, tables[0].name)
    except DataError:
        return None
    return tables[0]


def read_text(file, rows=None):
    """A CSV (or Parquet) file as a table of text, nothing guessed.

    Raises
    ------
    DataError
        It is empty or not such a file, a quotation mark is not closed, or a row has more cells than there are columns.
    """
    import pandas as pd

    try:
        if file.suffix.lower() == ".parquet":
            table = pd.read_parquet(file)
            return table.astype(object).where(table.notna(), "").map(str)
        return _read_csv(file, rows)
    except ImportError:
        raise DataError(f"reading {file.name} needs pyarrow: pip install 'ageensemble[parquet]'") from None
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from None
    except (ValueError, NotImplementedError) as error:  # pandas' and Arrow's own errors are among these
        raise DataError(f"{file} is not a readable table: {_in_words(str(error))}") from None


def _in_words(error):
    """What pandas says of a table, for people; the heading is row 1."""
    if error.startswith("No columns to parse"):
        return "it is empty"
    if match := re.search(r"EOF inside string starting at row (\d+)", error):
        return f"a quotation mark is not closed, from row {int(match[1]) + 1} on"
    if match := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        return f"row {match[2]} has {match[3]} cells, where {match[1]} are expected"
    return error.partition(NEWLINE)[0]


def _read_csv(file, rows):
    import pandas as pd

    with open(file, "rb") as stream:
        utf16 = stream.read(2) in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ["utf-16"] if utf16 else ["utf-8-sig", "latin-1"]:
        try:
            with open(file, encoding=encoding) as stream:
                header = stream.readline()
            separator = max(",;\t", key=header.count)
            with warnings.catch_warnings(record=True) as cut:  # of cells after the last column
                warnings.simplefilter("always", pd.errors.ParserWarning)
                options = {"dtype": object, "keep_default_na": False, "index_col": False}
                table = pd.read_csv(file, sep=separator, encoding=encoding, nrows=rows, **options)
            if cut and rows is None:
                _refuse_more_cells(file, encoding, separator, len(table.columns))
            return table
        except UnicodeDecodeError as error:
            problem = error
    raise problem


def _refuse_more_cells(file, encoding, separator, width):
    """Raise ValueError where something is written after the last column; a separator alone is none."""
    with open(file, encoding=encoding, newline="") as stream:
        for number, row in enumerate(csv.reader(stream, delimiter=separator), 1):
            if any(cell.strip() for cell in row[width:]):
                raise ValueError(f"row {number} has {len(row)} cells, where {width} are expected")


def read(root):
    """The table of photographs, see `ageensemble.datasets`.

    Parameters
    ----------
    root : pathlib.Path

    Raises
    ------
    DataError
        No readable CSV, no column for the photo or the age, or not one age.
    """
    file = table_of(root)
    if file is None:
        raise DataError(f"{root} has no annotations.csv")
    table = translate(read_text(file), file.name)
    require_ages(table, file, ", or move it away")  # where it hides a set whose files' names tell the ages
    return in_photo_folder(table, root)


def in_photo_folder(table, root):
    """Prefix the paths with the sub-folder in which most of the first hundred are found."""
    names = table["path"].dropna().head(100)
    hits = Counter({sub: sum(os.path.isfile(root / sub / name) for name in names) for sub in PHOTO_FOLDERS})
    sub = hits.most_common(1)[0][0]  # the first listed wins a tie, so paths stay as they are where nothing is found
    if sub != ".":
        table["path"] = [f"{sub}/{name}" if isinstance(name, str) else None for name in table["path"]]
    return table
