"""Turning somebody's table of labels into ours: columns by their usual names, ages as people write them."""

import math
import re
from functools import cache

from ..._utils.console import plain
from ...errors import DataError

USUAL = {
    "item_id": ["item_id"],
    "path": [
        "path",
        "file",
        "filename",
        "file_name",
        "filepath",
        "file_path",
        "full_path",
        "image",
        "image_path",
        "image_name",
        "img",
        "img_path",
        "photo",
    ],
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
}
GENDERS = {"m": "male", "male": "male", "man": "male", "f": "female", "female": "female", "woman": "female"}
MISSING = {"nan", "none", "null", "<na>"}  # what other programs write for nothing
MAX_AGE = 120.0
RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-|–|_|to)\s*(\d+(?:\.\d+)?)|\(\s*(\d+)\s*,\s*(\d+)\s*\)")
FROM = re.compile(r"(?:>=|more than)?\s*(\d+)\s*\+?")  # FairFace's "more than 70" follows its 60-69
ABOVE = re.compile(r"(?:>|over)\s*(\d+)")


def translate(table, where):
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

    found = usual(table.columns, where)
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


def usual(columns, where):
    """Which of the columns is which of ours: {ours: theirs}.

    Raises
    ------
    DataError
        No column for the path or the age.
    """
    lower = by_name(columns)
    found = {ours: lower[name] for ours, names in USUAL.items() for name in reversed(names) if name in lower}
    if "path" not in found:
        raise DataError(f"{where} has no column for the photo's file; call it 'path' ({seen(columns)})")
    if "age" not in found and not ("age_min" in found and "age_max" in found):
        raise DataError(f"{where} has no column for the age; call it 'age' ({seen(columns)})")
    return found


def seen(columns):
    """The columns in a few words, whatever is in their names: a file may be no table at all."""
    return f"columns seen: {plain(', '.join(map(str, columns)))[:80]}"


def _refuse_doubles(found, where, columns):
    """Raise DataError where a column that is used is there twice; pandas calls the second `age.1`."""
    names = [re.sub(r"\.\d+$", "", name) for name in map(_small, columns)]
    for theirs in found.values():
        name = _small(theirs)
        if (count := names.count(name)) > 1:
            raise DataError(f"{where} has {count} columns called '{name}': rename all but the one that counts")


def require_ages(table, file, otherwise=""):
    """Raise DataError where a table names photographs, and not one age: it was not filled in yet."""
    problems = set(table["problem"])
    if "age missing" in problems and problems <= {"age missing", "no path"}:
        raise DataError(f"{file} has no ages yet: fill in its column age{otherwise}")


def by_name(columns):
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


def as_path(text):
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


def age_of(text):
    """(low, high, problem) of an age or range of ages as people write it: years, or NaN twice and why."""
    return _age(text, text)


def age_problem(low, high, text):
    """Why years can't be an age, or None."""
    return None if 0 <= low <= high < MAX_AGE + 1 else f"age impossible: {text[:40]}"
