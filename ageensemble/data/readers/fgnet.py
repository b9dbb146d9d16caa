"""FG-NET file names: `001A02.JPG`, person 001 at the age of 2.

Lanitis, Taylor & Cootes, "Toward automatic simulation of aging effects on face images", IEEE TPAMI 24 (2002), and
Panis, Lanitis, Tsapatsoulis & Cootes, "Overview of research on facial ageing using the FG-NET ageing database", IET
Biometrics 5 (2016): 1,002 photographs of 82 people, aged 0 to 69, from family albums. Several of one person at one
age are told apart by a small letter (`001A43a.JPG`). Nothing says the gender.
"""

import re

from ._filename_reader import detect_names, read_names

LAYOUT = "photos named by person and age, such as 001A02.JPG or 001A43a.JPG"
LICENSE = "FG-NET: terms unknown, its own site has closed; ask the source you have it from"
NAME = re.compile(r"(?:^|/)([0-9]{3})A([0-9]{2})[a-z]?\.\w+$", re.IGNORECASE)


def detect(root):
    """Most of the first photographs carry such a name."""
    return detect_names(root, NAME)


def read(root):
    """The table of photographs, see `ageensemble.datasets`; the person's number is the `subject`.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    pandas.DataFrame
    """
    return read_names(root, NAME, lambda match: {"subject": match[1], "age": match[2]}, "person, A, age")
