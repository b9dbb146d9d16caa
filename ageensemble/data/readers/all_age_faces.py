import re

from ...errors import DataError
from .base import FilenameReader


class AllAgeFaces(FilenameReader):
    """All-Age-Faces file names: `00000A02.jpg`, serial number and age; the serial number tells the gender.

    Cheng, Li, Wang, Yu & Wang, "Exploiting effective facial patches for robust gender recognition", Tsinghua Science
    and Technology 24 (2019): 13,322 faces, mostly Asian, aged 2 to 80, each of another person; serial numbers 00000 to
    07380 are women, 07381 to 13321 men. The archive holds every image twice under one name, whole in `original images`
    and cropped in `aglined faces` (spelled so): the crop is taken, the other listed. To use the whole ones, name their
    folder. The lists in `image sets`, where they are there, say what the authors train on and what they validate on.
    """

    layout = "photos named by serial number and age, such as 00000A02.jpg, with or without the lists in 'image sets'"
    license = "All-Age-Faces: no terms stated by its authors; ask them"
    pattern = re.compile(r"(?:^|/)(?P<subject>[0-9]{5})A(?P<age>[0-9]{2})\.\w+$")
    convention = "serial number, A, age"
    last_woman, last_man = 7380, 13321
    cropped = re.compile(r"(?:^|/)(?:aglined|aligned) faces/")
    lists = {"train": "train.txt", "validation": "val.txt"}

    def labels(self, match):
        number = int(match["subject"])
        gender = "female" if number <= self.last_woman else "male" if number <= self.last_man else None
        return super().labels(match) | {"gender": gender}

    def read(self, root):
        table = super().read(root)
        if "subject" not in table:
            return table
        crops_first = sorted(table.index, key=lambda row: (not self.cropped.search(table["path"][row]), row))
        spare = table.loc[crops_first].dropna(subset="subject").duplicated(["subject", "age_min"])
        table.loc[spare.index[spare], "problem"] = "another copy of the same face is taken"
        official = self._official(root)
        if official:
            table["official"] = table["subject"].map(official)
        return table

    def _official(self, root):
        """Published part of each serial number: {"00000": "train", ...}."""
        found = {}
        for folder in (root, root / "All-Age-Faces Dataset"):
            for part, name in self.lists.items():
                file = folder / "image sets" / name
                if file.is_file():
                    found |= {line[:5]: part for line in _lines(file) if line[5:6] == "A"}
        return found


def _lines(file):
    try:
        return file.read_text(encoding="latin-1").splitlines()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}") from None
