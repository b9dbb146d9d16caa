"""Turning somebody's table of labels into ours: columns by their usual names, ages as people write them."""

import math
import re

from ..errors import DataError

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
        "img",
    ],
    "age": ["age", "real_age", "age_years", "label", "age_group", "age_range"],
    "age_min": ["age_min", "min_age"],
    "age_max": ["age_max", "max_age"],
    "gender": ["gender", "sex"],
    "ethnicity": ["ethnicity", "race", "skin_tone"],
    "subject": ["subject", "subject_id", "identity", "identity_id", "person", "person_id", "name"],
    "moment": ["moment"],
    "cluster": ["cluster"],
}
GENDERS = {"m": "male", "male": "male", "man": "male", "f": "female", "female": "female", "woman": "female"}
RANGE = re.compile(r"\(?\s*(\d+)\s*(?:-|–|,|to)\s*(\d+)\s*\)?")
OPEN = re.compile(r"(?:over|>=?)?\s*(\d+)\s*\+?")


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
        No column for the path or the age.
    """
    import pandas as pd

    lower = {str(column).strip().lower().replace(" ", "_"): column for column in reversed(list(table.columns))}
    found = {ours: lower[name] for ours, names in USUAL.items() for name in reversed(names) if name in lower}
    _require(found, where, table)
    result = pd.DataFrame({ours: table[theirs].str.strip() for ours, theirs in found.items()})
    result = result.replace("", None)
    if "age_min" in result and "age_max" in result:
        text = [a if a == b else f"{a}-{b}" for a, b in zip(result["age_min"], result["age_max"], strict=True)]
    else:
        text = result["age"]
    read = [_age(value) for value in text]
    result["age_min"] = [low for low, _, _ in read]
    result["age_max"] = [high for _, high, _ in read]
    result["problem"] = [problem for _, _, problem in read]
    if "gender" in result:
        result["gender"] = [GENDERS.get(str(g).lower(), g) for g in result["gender"]]
    if "item_id" not in result:
        result["item_id"] = result["path"]
    missing = result["path"].isna() & result["problem"].isna()
    result.loc[missing, "problem"] = "no path"
    return result.drop(columns="age", errors="ignore")


def _require(found, where, table):
    columns = ", ".join(map(str, table.columns))
    if "path" not in found:
        raise DataError(f"{where} has no column for the photo's file; call it 'path' (columns seen: {columns})")
    if "age" not in found and not ("age_min" in found and "age_max" in found):
        raise DataError(f"{where} has no column for the age; call it 'age' (columns seen: {columns})")


def _age(text):
    """(low, high, problem) from `26`, `26.7` (completed years), `25-32`, `(25, 32)` or `60+`."""
    if text is None or (isinstance(text, float) and math.isnan(text)) or text.lower() in ("nan", "none", "na", "null"):
        return math.nan, math.nan, "age missing"
    if match := RANGE.fullmatch(text):
        low, high = float(match[1]), float(match[2])
    else:
        try:
            low = high = float(text)
        except ValueError:
            match = OPEN.fullmatch(text.lower())
            low, high = (float(match[1]), 120.0) if match else (math.nan, math.nan)
    if math.isnan(low):
        return math.nan, math.nan, f"age unreadable: '{text[:40]}'"
    if not 0 <= low <= high < 121:
        return math.nan, math.nan, f"age impossible: {text[:40]}"
    return float(math.floor(low)), float(math.floor(high)), None
