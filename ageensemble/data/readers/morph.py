"""MORPH-II: its table with id_num, age, gender, race and photo, or the photographs alone, `009055_1M54.JPG`.

Ricanek & Tesafaye, "MORPH: A longitudinal image database of normal adult age-progression", Automatic Face and Gesture
Recognition 2006. A file's name holds the number of the person and of the picture, the gender and the age. Quirk: some
people have several birth dates, genders or races in the table (Yip et al., "Preliminary studies on a large face
database", arXiv:1811.06446, 2018); each photograph keeps its own.
"""

import re

from ...errors import DataError
from ._filename_reader import detect_names, read_names
from ._table import GENDERS, by_name, translate
from .annotations import in_photo_folder, read_text

LAYOUT = "a folder with a .csv of columns id_num, age, gender, race, photo, or photos named such as 009055_1M54.JPG"
LICENSE = "MORPH-II: by agreement with the University of North Carolina Wilmington; academic use is non-commercial"
TABLE = True
NAME = re.compile(r"(?:^|/)(\d+)_\d+([MF])(\d{1,3})\.\w+$", re.ASCII | re.IGNORECASE)
RACES = {"a": "Asian", "b": "Black", "h": "Hispanic", "o": "Other", "w": "White"}


def detect(root):
    """A table has the column id_num, or there is none and most of the first photographs carry such a name."""
    if _tables(root):
        return True
    return not any(root.glob("*.csv")) and detect_names(root, NAME)


def read(root):
    """The table of photographs, see `ageensemble.datasets`; the number of the person is the `subject`.

    Parameters
    ----------
    root : pathlib.Path
        the folder, or the table

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        Several tables, or one without a column for the photo or the age.
    """
    tables = _tables(root)
    if len(tables) > 1:
        raise DataError(f"{root} has several tables of MORPH, name one: {', '.join(file.name for file in tables)}")
    return _labeled(tables[0]) if tables else read_names(root, NAME, _of_name, "person_pictureGENDERage")


def _tables(root):
    """Tables with MORPH's number of a person."""
    files = [root] if root.is_file() else sorted(root.glob("*.csv"))
    return [file for file in files if file.suffix.lower() == ".csv" and file.is_file() and _header(file)]


def _header(file):
    """Whether the table has MORPH's columns."""
    try:
        return {"id_num", "age"} <= by_name(read_text(file, rows=0).columns).keys()
    except DataError:
        return False


def _labeled(file):
    given = read_text(file)
    columns = by_name(given.columns)
    table = translate(given, file.name)
    table["subject"] = [_number(number) for number in given[columns["id_num"]]]
    if "ethnicity" in table:
        table["ethnicity"] = [RACES.get(str(race).lower(), race) for race in table["ethnicity"]]
    return in_photo_folder(table, file.parent)


def _number(text):
    """A person's number without the zeros that one table writes and another leaves out."""
    text = text.strip() if isinstance(text, str) else ""
    return (text.lstrip("0") or "0") if text else None


def _of_name(match):
    person, gender, age = match.groups()
    return {"subject": _number(person), "gender": GENDERS[gender.lower()], "age": age}
