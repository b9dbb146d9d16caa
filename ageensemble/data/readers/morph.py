import re

from ...errors import DataError
from .base import FilenameReader
from .table import GENDERS, by_name, in_image_folder, normalize_table, read_table


def _without_zeros(text):
    """A person's number without the leading zeros that one table writes and another leaves out."""
    text = text.strip() if isinstance(text, str) else ""
    return (text.lstrip("0") or "0") if text else None


class MORPH(FilenameReader):
    """MORPH-II: its table with id_num, age, gender, race and photo, or the images alone, `009055_1M54.JPG`.

    Ricanek & Tesafaye, "MORPH: A longitudinal image database of normal adult age-progression", Automatic Face and
    Gesture Recognition 2006. A file's name holds the number of the person (the `subject`) and of the picture, the
    gender and the age. Some people have several birth dates, genders or races in the table (Yip et al., "Preliminary
    studies on a large face database", arXiv:1811.06446, 2018); each image keeps its own.
    """

    layout = "a folder with a .csv of columns id_num, age, gender, race, photo, or photos named such as 009055_1M54.JPG"
    license = (
        "MORPH-II: by agreement with the University of North Carolina Wilmington; non-commercial academic use only"
    )
    has_label_table = True
    pattern = re.compile(r"(?:^|/)(?P<subject>\d+)_\d+(?P<gender>[MF])(?P<age>\d{1,3})\.\w+$", re.ASCII | re.IGNORECASE)
    convention = "person_pictureGENDERage"
    fields = {"gender": GENDERS, "subject": _without_zeros}
    races = {"a": "Asian", "b": "Black", "h": "Hispanic", "o": "Other", "w": "White"}

    def detect(self, root):
        if _tables(root):
            return True
        return not any(root.glob("*.csv")) and super().detect(root)

    def read(self, root):
        tables = _tables(root)
        if len(tables) > 1:
            raise DataError(f"{root} has several tables of MORPH, name one: {', '.join(file.name for file in tables)}")
        return self._labeled(tables[0]) if tables else super().read(root)

    def _labeled(self, file):
        given = read_table(file)
        columns = by_name(given.columns)
        table = normalize_table(given, file.name)
        table["subject"] = [_without_zeros(number) for number in given[columns["id_num"]]]
        if "ethnicity" in table:
            table["ethnicity"] = [self.races.get(str(race).lower(), race) for race in table["ethnicity"]]
        return in_image_folder(table, file.parent)


def _tables(root):
    """Tables with MORPH's columns."""
    files = [root] if root.is_file() else sorted(root.glob("*.csv"))
    return [file for file in files if file.suffix.lower() == ".csv" and file.is_file() and _has_columns(file)]


def _has_columns(file):
    try:
        return {"id_num", "age"} <= by_name(read_table(file, rows=0).columns).keys()
    except DataError:
        return False
