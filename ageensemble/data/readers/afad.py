"""AFAD's folders: `age/gender/*.jpg`, the gender as 111 (male) or 112 (female).

Niu, Zhou, Wang, Gao & Hua, "Ordinal regression with multiple output CNN for age estimation", CVPR 2016: the Asian Face
Age Dataset, 164,432 selfies from a social network. A name such as `406208-1.jpg` is a number and that of a face: in the
lists of Cao, Mirjalili & Raschka (Pattern Recognition Letters 140, 2020) the faces of one number always have one age,
though not one gender (647 of 1,482 numbers with several faces). So they are taken for faces in one picture and share a
`moment`, and the age will not be right for all of them.
"""

import re

from ._filename_reader import detect_names, read_names

LAYOUT = "photos in folders age/gender, the gender being 111 (male) or 112 (female), such as 15/111/292943-1.jpg"
LICENSE = "AFAD: academic research only"
GENDERS = {"111": "male", "112": "female"}
PLACE = re.compile(r"(?:^|/)([0-9]{1,3})/(11[12])/(?:([0-9]+)-[0-9]+|[^/]+)\.\w+$")


def detect(root):
    """Most of the first photographs are in such folders."""
    return detect_names(root, PLACE)


def read(root):
    """The table of photographs, see `ageensemble.datasets`; the number of the source picture is the `moment`.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    pandas.DataFrame
    """
    return read_names(root, PLACE, _labels, "age/111/... or age/112/...")


def _labels(match):
    age, gender, picture = match.groups()
    return {"age": age, "gender": GENDERS[gender], "moment": picture}
