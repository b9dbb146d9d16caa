"""UTKFace file names: `age_gender_race_timestamp.jpg.chip.jpg` in one folder or several.

Zhang, Song & Qi 2017. The set has some malformed names: a race (or gender) left out, a time stamp with a digit too many
or too few, a blank or a lost dot before the ending. The age can be read in all of them, so what is missing is a missing
value and the photograph stays. A lone 0 or 1 is taken for the gender, whose place comes first; a higher digit can only
be the race.
"""

import re

from ._named import detect_names, read_names

LAYOUT = "photos named age_gender_race_timestamp, such as 26_1_2_20170116191425302.jpg.chip.jpg"
LICENCE = "UTKFace: non-commercial research only; the copyright of the photographs stays with their owners"
GENDERS = {"0": "male", "1": "female"}
RACES = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Others"}
NAME = re.compile(r"(?:^|/)(\d{1,3})_(?:([01])?_)?(?:([0-4])?_)?(\d{12,20})[^/]*$", re.ASCII | re.DOTALL)


def detect(root):
    """Most of the first photographs carry such a name."""
    return detect_names(root, NAME)


def read(root):
    """The table of photographs, see `ageensemble.datasets`; the time stamp is the `moment`.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    pandas.DataFrame
    """
    return read_names(root, NAME, _labels, "age_gender_race_timestamp")


def _labels(match):
    age, gender, race, moment = match.groups()
    return {"age": age, "gender": GENDERS.get(gender), "ethnicity": RACES.get(race), "moment": moment}
