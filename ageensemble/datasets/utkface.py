"""UTKFace file names: `age_gender_race_timestamp.jpg.chip.jpg` in one folder or several.

Zhang, Song & Qi 2017. The set has some malformed names: a race (or gender) left out, a time stamp with a digit too many
or too few, a blank or a lost dot before the ending. The age can be read in all of them, so what is missing is a missing
value and the photograph stays.
"""

import re

from ._files import first_photographs, photographs

LAYOUT = "photos named age_gender_race_timestamp, such as 26_1_2_20170116191425302.jpg.chip.jpg"
GENDERS = {"0": "male", "1": "female"}
RACES = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Others"}
NAME = re.compile(r"(\d{1,3})_(?:([01])_)?(?:([0-4])_)?(\d{12,20})[^/]*$")


def detect(root):
    """Most of the first photographs carry such a name."""
    if not root.is_dir():
        return False
    names = first_photographs(root)
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

    return pd.DataFrame([_row(path) for path in photographs(root)])


def _match(path):
    return NAME.match(path.rpartition("/")[2])


def _row(path):
    row = {"item_id": path, "path": path}
    match = _match(path)
    if not match:
        return row | {"problem": "the name is not age_gender_race_timestamp"}
    age, gender, race, moment = match.groups()
    return row | {
        "age_min": float(age),
        "age_max": float(age),
        "gender": GENDERS.get(gender),
        "ethnicity": RACES.get(race),
        "moment": moment,
    }
