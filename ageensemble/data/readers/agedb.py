"""AgeDB file names: `number_name_age_gender.jpg`, well-known people at many ages.

Moschoglou, Papaioannou, Sagonas, Deng, Kotsia & Zafeiriou, "AgeDB: the first manually collected, in-the-wild age
database", CVPR Workshops 2017. The name is the `subject`. What the 16,488 names hold (as listed in `agedb.csv` of Yang,
Zha, Chen, Wang & Katabi, "Delving into deep imbalanced regression", ICML 2021): five people come twice, with as many
photographs at the same ages, once as women and once as men, so that their gender counts as missing, with a
remark; some names end in a blank; accented letters have become others, or bytes that are no text where the archive was
unpacked on another system (those photographs are listed, to be renamed).
"""

import re

from ._filename_reader import detect_names, read_names

LAYOUT = "photos named number_name_age_gender, such as 0_MariaCallas_35_f.jpg"
LICENSE = "AgeDB: non-commercial research only; its authors give the password of the archive on request"
GENDERS = {"f": "female", "m": "male"}
NAME = re.compile(r"(?:^|/)[0-9]+_([^/]*[^\W\d_][^/]*)_([0-9]{1,3})_([fm])\.\w+$", re.IGNORECASE)


def detect(root):
    """Most of the first photographs carry such a name."""
    return detect_names(root, NAME)


def read(root):
    """The table of photographs, see `ageensemble.datasets`; the person's name is the `subject`.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    pandas.DataFrame
    """
    table = read_names(root, NAME, _labels, "number_name_age_gender")
    if "subject" in table:
        torn = table.groupby("subject")["gender"].transform("nunique") > 1
        if torn.any():
            table.loc[torn, "gender"] = None
            table.loc[torn, "remark"] = "no gender, as the person comes as a man and as a woman"
    return table


def _labels(match):
    name, age, gender = match.groups()
    return {"age": age, "gender": GENDERS[gender.lower()], "subject": name.strip()}
