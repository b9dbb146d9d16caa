import re

from .base import FilenameReader


class AgeDB(FilenameReader):
    """AgeDB file names: `number_name_age_gender.jpg`, well-known people at many ages.

    Moschoglou, Papaioannou, Sagonas, Deng, Kotsia & Zafeiriou, "AgeDB: the first manually collected, in-the-wild age
    database", CVPR Workshops 2017. The name is the `subject`. What the 16,488 names hold (as listed in `agedb.csv` of
    Yang, Zha, Chen, Wang & Katabi, "Delving into deep imbalanced regression", ICML 2021): five people come twice, with
    as many images at the same ages, once as women and once as men, so that their gender counts as missing, with a
    remark; some names end in a blank; accented letters have become others, or bytes that are no text where the archive
    was unpacked on another system (those images are listed, to be renamed).
    """

    layout = "photos named number_name_age_gender, such as 0_MariaCallas_35_f.jpg"
    license = "AgeDB: non-commercial research only; its authors give the password of the archive on request"
    pattern = re.compile(
        r"(?:^|/)[0-9]+_(?P<subject>[^/]*[^\W\d_][^/]*)_(?P<age>[0-9]{1,3})_(?P<gender>[fm])\.\w+$", re.IGNORECASE
    )
    convention = "number_name_age_gender"
    fields = {"gender": {"f": "female", "m": "male"}, "subject": str.strip}

    def read(self, root):
        table = super().read(root)
        if "subject" in table:
            torn = table.groupby("subject")["gender"].transform("nunique") > 1
            if torn.any():
                table.loc[torn, "gender"] = None
                table.loc[torn, "remark"] = "no gender, as the person comes as a man and as a woman"
        return table
