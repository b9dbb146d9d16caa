"""9,778 faces of 1 to 110 years in folders named by age, from Kaggle (frabbisw/facial-age).

The archive has every photograph twice, in `face_age/001/` and again in `face_age/face_age/001/`; one copy is kept.
"""

import re

from . import _kaggle

LICENSE = "facial-age: those stated on its page; who holds the rights in the photographs is not known here, ask there"
HANDLE = "frabbisw/facial-age"
PAGE = f"https://www.kaggle.com/datasets/{HANDLE}"
PHOTOS = re.compile(r"face_age/(?P<path>[0-9]+/[^/]+\.(png|jpe?g))", re.IGNORECASE)


def fetch(folder):
    """Bring the set, see `ageensemble.getting`."""
    return _kaggle.fetch("facial-age", HANDLE, PAGE, folder)
