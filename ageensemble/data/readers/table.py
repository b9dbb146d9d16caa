"""Tables of labels: reading CSV and Parquet as text, columns by their usual names, ages as people write them."""

import csv
import math
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..._utils.console import plain
from ...errors import DataError

if TYPE_CHECKING:
    import pandas as pd

COLUMN_NAMES = {
    "item_id": ["item_id"],
    "path": ["path", "file", "filename", "file_name", "filepath", "file_path", "full_path", "image", "image_path",
             "image_name", "img", "img_path", "photo"],
    "age": ["age", "real_age", "age_years", "label", "age_group", "age_range"],
    "age_min": ["age_min", "min_age"],
    "age_max": ["age_max", "max_age"],
    "gender": ["gender", "sex"],
    "ethnicity": ["ethnicity", "race", "skin_tone"],
    "subject": ["subject", "subject_id", "identity", "identity_id", "person", "person_id", "name"],
    "moment": ["moment"],
    "group": ["group"],
    "face_score": ["face_score"],
    "official": ["official", "split"],
    "apparent_age": ["apparent_age"],
    "age_deviation": ["age_deviation"],
}  # fmt: skip
GENDERS = {"m": "male", "male": "male", "man": "male", "f": "female", "female": "female", "woman": "female"}
MISSING = {"nan", "none", "null", "<na>"}  # what other programs write for nothing
MAX_AGE = 120.0
RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-|–|_|to)\s*(\d+(?:\.\d+)?)|\(\s*(\d+)\s*,\s*(\d+)\s*\)")
FROM = re.compile(r"(?:>=|more than)?\s*(\d+)\s*\+?")  # FairFace's "more than 70" follows its 60-69
ABOVE = re.compile(r"(?:>|over)\s*(\d+)")
IMAGE_FOLDERS = [".", "images", "imgs", "photos", "faces", "data"]
# of the course that hands out WIKI, whose archives unpack to a folder within the folder, see `wiki`
IMAGE_FOLDERS += [f"{name}{again}" for name in ("wiki_labeled", "wiki_judge_images") for again in ("", f"/{name}")]


def read_table(file: Path, rows: int | None = None) -> "pd.DataFrame":
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
        raise DataError(f"{file} is not a readable table: {_describe(str(error))}") from None


def _describe(error):
    """What pandas says of a table, in plain words; the heading is row 1."""
    if error.startswith("No columns to parse"):
        return "it is empty"
    if match := re.search(r"EOF inside string starting at row (\d+)", error):
        return f"a quotation mark is not closed, from row {int(match[1]) + 1} on"
    if match := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        return f"row {match[2]} has {match[3]} cells, where {match[1]} are expected"
    return error.partition("\n")[0]


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


def normalize_table(table: "pd.DataFrame", where: str) -> "pd.DataFrame":
    """Rename the columns of `table` (all text) to ours and read the ages.

    Parameters
    ----------
    table : pandas.DataFrame of str
    where : str
        what the table is called in an error

    Raises
    ------
    DataError
        No column for the path or the age, or two of one name.
    """
    import pandas as pd

    found = usual_columns(table.columns, where)
    _refuse_doubles(found, where, table.columns)
    result = pd.DataFrame({ours: _texts(table[theirs], ours) for ours, theirs in found.items()}, dtype=object)
    ends = ("age_min", "age_max") if "age_min" in result and "age_max" in result else ("age", "age")
    read = [_age(first, last) for first, last in zip(result[ends[0]], result[ends[1]], strict=True)]
    result["age_min"] = [low for low, _, _ in read]
    result["age_max"] = [high for _, high, _ in read]
    result["problem"] = pd.Series([problem for _, _, problem in read], dtype=object)
    if "gender" in result:
        result["gender"] = [GENDERS.get(str(g).lower(), g) for g in result["gender"]]
    result["item_id"] = result["item_id"].fillna(result["path"]) if "item_id" in result else result["path"]
    result.loc[result["path"].isna(), "problem"] = "no path"
    return result.drop(columns="age", errors="ignore")


def usual_columns(columns: Iterable[str], where: str) -> dict[str, str]:
    """Which of the columns is which of ours: {ours: theirs}.

    Raises
    ------
    DataError
        No column for the path or the age.
    """
    lower = by_name(columns)
    found = {ours: lower[name] for ours, names in COLUMN_NAMES.items() for name in reversed(names) if name in lower}
    if "path" not in found:
        raise DataError(f"{where} has no column for the photo's file; call it 'path' ({seen(columns)})")
    if "age" not in found and not ("age_min" in found and "age_max" in found):
        raise DataError(f"{where} has no column for the age; call it 'age' ({seen(columns)})")
    return found


def seen(columns: Iterable[str]) -> str:
    """The columns in a few words, whatever is in their names: a file may be no table at all."""
    return f"columns seen: {plain(', '.join(map(str, columns)))[:80]}"


def _refuse_doubles(found, where, columns):
    """Raise DataError where a column that is used is there twice; pandas calls the second `age.1`."""
    names = [re.sub(r"\.\d+$", "", name) for name in map(_small, columns)]
    for theirs in found.values():
        name = _small(theirs)
        if (count := names.count(name)) > 1:
            raise DataError(f"{where} has {count} columns called '{name}': rename all but the one that counts")


def require_ages(table: "pd.DataFrame", file: Path, otherwise: str = "") -> None:
    """Raise DataError where a table names images, and not one age: it was not filled in yet."""
    problems = set(table["problem"])
    if "age missing" in problems and problems <= {"age missing", "no path"}:
        raise DataError(f"{file} has no ages yet: fill in its column age{otherwise}")


def by_name(columns: Iterable[str]) -> dict[str, str]:
    """Columns by their names in small letters, blanks as underscores; of several alike the first."""
    return {_small(column): column for column in reversed(list(columns))}


def _small(column):
    return str(column).strip().lower().replace(" ", "_")


def _texts(column, ours):
    """The stripped texts of a column, None where there is nothing."""
    nothing = {""} if ours in ("item_id", "path") else {"", *MISSING}
    stripped = (value.strip() if isinstance(value, str) else "" for value in column)
    texts = [None if value.lower() in nothing else value for value in stripped]
    return [text and as_path(text) for text in texts] if ours == "path" else texts


def as_path(text: str) -> str:
    """The path in `['17/a.jpg']`, as tables made from Matlab's cells have it; any other text as it is."""
    if not (text.startswith("[") and text.endswith("]")):
        return text
    inside = text[1:-1].strip()
    if len(inside) > 2 and inside[0] == inside[-1] and inside[0] in "'\"":
        return inside[1:-1]
    return inside or text


@cache
def _age(first, last):
    """(low, high, problem) of an age written as its two ends, or once and given twice."""
    if not first or not last or "na" in (first.lower(), last.lower()):
        return math.nan, math.nan, "age missing"
    low, high = _years(first)[0], _years(last)[1]
    text = first if first == last else f"{first} to {last}"
    if math.isnan(low) or math.isnan(high):
        return math.nan, math.nan, f"age unreadable: '{text[:40]}'"
    if problem := age_problem(low, high, text):
        return math.nan, math.nan, problem
    return float(math.floor(low)), float(math.floor(high)), None


def _years(text):
    """(low, high) from `26`, `26.7` (completed years), `25-32`, `25_32`, `(25, 32)`, `60+` or `over 60`; else NaN."""
    try:
        if "_" not in text:  # float("20_29") is 2029
            return float(text), float(text)
    except ValueError:
        pass
    text = text.lower()
    if match := RANGE.fullmatch(text):
        low, high = filter(None, match.groups())
        return float(low), float(high)
    if match := FROM.fullmatch(text):
        return float(match[1]), MAX_AGE
    if match := ABOVE.fullmatch(text):
        return float(match[1]) + 1, MAX_AGE
    return math.nan, math.nan


def age_of(text: str) -> tuple[float, float, str | None]:
    """(low, high, problem) of an age or range of ages as people write it: years, or NaN twice and why."""
    return _age(text, text)


def age_problem(low: float, high: float, text: str) -> str | None:
    """Why years can't be an age, or None."""
    return None if 0 <= low <= high < MAX_AGE + 1 else f"age impossible: {text[:40]}"


def in_image_folder(table: "pd.DataFrame", root: Path) -> "pd.DataFrame":
    """Prefix the paths with the sub-folder in which most of the first hundred are found."""
    names = table["path"].dropna().head(100)
    hits = Counter({sub: sum(os.path.isfile(root / sub / name) for name in names) for sub in IMAGE_FOLDERS})
    sub = hits.most_common(1)[0][0]  # the first listed wins a tie, so paths stay as they are where nothing is found
    if sub != ".":
        table["path"] = [f"{sub}/{name}" if isinstance(name, str) else None for name in table["path"]]
    return table
