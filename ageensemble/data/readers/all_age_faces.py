"""All-Age-Faces file names: `00000A02.jpg`, serial number and age; the serial number tells the gender.

Cheng, Li, Wang, Yu & Wang, "Exploiting effective facial patches for robust gender recognition", Tsinghua Science and
Technology 24 (2019): 13,322 faces, mostly Asian, aged 2 to 80, each of another person; serial numbers 00000 to 07380
are women, 07381 to 13321 men. The archive holds every photograph twice under one name, whole in `original images` and
cut out in `aglined faces` (spelled so): the cut one is taken, the other listed. Whoever wants the whole ones names
their folder. The lists in `image sets`, where they are there, say what the authors train on and what they validate on.
"""

import re

from ...errors import DataError
from ._filename_reader import detect_names, read_names

LAYOUT = "photos named by serial number and age, such as 00000A02.jpg, with or without the lists in 'image sets'"
LICENSE = "All-Age-Faces: no terms stated by its authors; ask them"
NAME = re.compile(r"(?:^|/)([0-9]{5})A([0-9]{2})\.\w+$")
LAST_WOMAN, LAST_MAN = 7380, 13321
CUT = re.compile(r"(?:^|/)(?:aglined|aligned) faces/")
LISTS = {"train": "train.txt", "validation": "val.txt"}


def detect(root):
    """Most of the first photographs carry such a name."""
    return detect_names(root, NAME)


def read(root):
    """The table of photographs, see `ageensemble.datasets`; `official` is "train" or "validation" where listed.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        A list in `image sets` can't be read.
    """
    table = read_names(root, NAME, _labels, "serial number, A, age")
    if "subject" not in table:
        return table
    cut_first = sorted(table.index, key=lambda row: (not CUT.search(table["path"][row]), row))
    spare = table.loc[cut_first].dropna(subset="subject").duplicated(["subject", "age_min"])
    table.loc[spare.index[spare], "problem"] = "another copy of the same face is taken"
    official = _official(root)
    if official:
        table["official"] = table["subject"].map(official)
    return table


def _labels(match):
    serial, age = match.groups()
    number = int(serial)
    gender = "female" if number <= LAST_WOMAN else "male" if number <= LAST_MAN else None
    return {"age": age, "gender": gender, "subject": serial}


def _official(root):
    """The published part of each serial number: {"00000": "train", ...}."""
    found = {}
    for folder in (root, root / "All-Age-Faces Dataset"):
        for part, name in LISTS.items():
            file = folder / "image sets" / name
            if file.is_file():
                found |= {line[:5]: part for line in _lines(file) if line[5:6] == "A"}
    return found


def _lines(file):
    try:
        return file.read_text(encoding="latin-1").splitlines()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}") from None
