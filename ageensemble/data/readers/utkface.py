"""UTKFace file names: `age_gender_race_timestamp.jpg.chip.jpg` in one folder or several.

Zhang, Song & Qi 2017. The set has some malformed names: a race (or gender) left out, a time stamp with a digit too many
or too few, a blank or a lost dot before the ending. The age can be read in all of them, so what is missing is a missing
value and the photograph stays, with a remark. A lone 0 or 1 is taken for the gender, whose
place comes first; a higher digit can only be the race.
"""

import re

from ._filename_reader import detect_names, read_names

LAYOUT = "photos named age_gender_race_timestamp, such as 26_1_2_20170116191425302.jpg.chip.jpg"
LICENSE = "UTKFace: non-commercial research only; the copyright of the photographs stays with their owners"
GENDERS = {"0": "male", "1": "female"}
DIGITS = 17  # of a time stamp
ENDING = re.compile(r"(?:\.(?:jpe?g|png)\.chip)?\.\w+", re.ASCII)
RACES = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Others"}
NAME = re.compile(r"(?:^|/)(\d{1,3})_(?:([01])?_)?(?:([0-4])?_)?(\d{12,20})([^/]*)$", re.ASCII | re.DOTALL)


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
    age, gender, race, moment, ending = match.groups()
    labels = {"age": age, "gender": GENDERS.get(gender), "ethnicity": RACES.get(race), "moment": moment}
    odd = {
        "no gender": not gender,
        "no race": not race,
        f"a time stamp of {len(moment)} digits": len(moment) != DIGITS,
        "the ending": not ENDING.fullmatch(ending),
    }
    return labels | ({"remark": f"malformed name: {', '.join(filter(odd.get, odd))}"} if any(odd.values()) else {})
