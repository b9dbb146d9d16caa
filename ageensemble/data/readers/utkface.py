import re

from .base import FilenameReader


class UTKFace(FilenameReader):
    """UTKFace file names: `age_gender_race_timestamp.jpg.chip.jpg` in one folder or several.

    Zhang, Song & Qi, "Age progression/regression by conditional adversarial autoencoder", CVPR 2017. Some names are
    malformed: race or gender left out, a time stamp with a digit too many or too few, a blank or a lost dot before the
    ending. The age can be read in all of them, so what is missing is a missing value and the image stays, with a
    remark. A lone 0 or 1 is taken for the gender, which comes first; a higher digit can only be the race. The time
    stamp is the `moment`.
    """

    layout = "photos named age_gender_race_timestamp, such as 26_1_2_20170116191425302.jpg.chip.jpg"
    license = "UTKFace: non-commercial research only; the copyright of the photographs stays with their owners"
    pattern = re.compile(
        r"(?:^|/)(?P<age>\d{1,3})_(?:(?P<gender>[01])?_)?(?:(?P<ethnicity>[0-4])?_)?(?P<moment>\d{12,20})"
        r"(?P<ending>[^/]*)$",
        re.ASCII | re.DOTALL,
    )
    convention = "age_gender_race_timestamp"
    fields = {
        "gender": {"0": "male", "1": "female"},
        "ethnicity": {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Others"},
    }
    timestamp_digits = 17
    ending = re.compile(r"(?:\.(?:jpe?g|png)\.chip)?\.\w+", re.ASCII)

    def labels(self, match):
        digits = len(match["moment"])
        odd = {
            "no gender": not match["gender"],
            "no race": not match["ethnicity"],
            f"a time stamp of {digits} digits": digits != self.timestamp_digits,
            "the ending": not self.ending.fullmatch(match["ending"]),
        }
        remark = {"remark": f"malformed name: {', '.join(filter(odd.get, odd))}"} if any(odd.values()) else {}
        return super().labels(match) | remark
