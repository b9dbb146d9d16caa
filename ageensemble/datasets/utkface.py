"""UTKFace file names: `age_gender_race_timestamp.jpg.chip.jpg` in one folder or several.

Zhang, Song & Qi 2017. The set has some malformed names: a race (or gender) left out, a time stamp with a digit too many
or too few, a blank or a lost dot before the ending. The age can be read in all of them, so what is missing is a missing
value and the photograph stays. A lone 0 or 1 is taken for the gender, whose place comes first; a higher digit can only
be the race.
"""

import re

from ._columns import age_problem
from ._files import as_text, first_photographs, named_as_image, photographs

LAYOUT = "photos named age_gender_race_timestamp, such as 26_1_2_20170116191425302.jpg.chip.jpg"
LICENCE = "UTKFace: non-commercial research only; the copyright of the photographs stays with their owners"
GENDERS = {"0": "male", "1": "female"}
RACES = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Others"}
NAME = re.compile(r"(\d{1,3})_(?:([01])?_)?(?:([0-4])?_)?(\d{12,20})[^/]*$", re.ASCII | re.DOTALL)


def detect(root):
    """Most of the first photographs carry such a name."""
    if not root.is_dir():
        return False
    names = [name for name in first_photographs(root) if named_as_image(name)]
    return bool(names) and sum(bool(_match(name)) for name in names) > len(names) / 2


def read(root):
    """The table of photographs, see `ageensemble.datasets`; the time stamp is the `moment`.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    return pd.DataFrame([_row(path) for path in photographs(root)], dtype=object)


def _match(path):
    return NAME.match(path.rpartition("/")[2])


def _row(path):
    name = as_text(path)
    row = {"item_id": name, "path": name}
    match = _match(path)
    if not match:
        if named_as_image(path):
            return row | {"problem": "the name is not age_gender_race_timestamp"}
        return row | {"problem": "a folder that is a link or cannot be read"}
    if name != path:
        return row | {"problem": "the file's name is not UTF-8, rename it"}
    age, gender, race, moment = match.groups()
    return row | {
        "age_min": float(age),
        "age_max": float(age),
        "gender": GENDERS.get(gender),
        "ethnicity": RACES.get(race),
        "moment": moment,
        "problem": age_problem(float(age), float(age), age),
    }
