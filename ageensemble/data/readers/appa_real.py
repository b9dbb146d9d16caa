import math
import os

from ...errors import DataError
from .base import Reader
from .table import by_name, normalize_table, read_table

PARTS = {"train": "train", "valid": "validation", "test": "test"}
COLUMNS = {"apparent_age_avg": "apparent_age", "apparent_age_std": "age_deviation"}


class APPAReal(Reader):
    """APPA-REAL by its real ages: `gt_avg_train.csv`, `gt_avg_valid.csv`, `gt_avg_test.csv`, with people's guesses.

    Agustsson, Timofte, Escalera, Baro, Guyon & Rothe, "Apparent and real age estimation in still images with deep
    residual regressors on APPA-REAL database", Automatic Face and Gesture Recognition 2017. About 38 people guessed the
    age in each image: their mean is the `apparent_age`, the standard deviation of their guesses the `age_deviation`.
    Where the dataset's own crop of the face is there (`000001.jpg_face.jpg`) it is used.
    """

    layout = "a folder with gt_avg_train.csv, gt_avg_valid.csv, gt_avg_test.csv and the photos in train/, valid/, test/"
    license = "APPA-REAL: terms not known here; ask ChaLearn Looking at People, who publish it"
    has_label_table = True
    age_column = "real_age"

    def detect(self, root):
        return bool(_tables(root))

    def read(self, root):
        import pandas as pd

        tables = _tables(root)
        if not tables:
            raise DataError(f"{root} has no gt_avg_train.csv, gt_avg_valid.csv or gt_avg_test.csv")
        return pd.concat([self._part(file, part) for part, file in tables.items()], ignore_index=True)

    def age(self, text: str) -> str:
        """Text of the age that stands in `age_column`."""
        return str(text)

    def _part(self, file, part):
        import pandas as pd

        given = read_table(file)
        columns = by_name(given.columns)
        if missing := {"file_name", self.age_column} - columns.keys():
            raise DataError(f"{file} has no column {' and no column '.join(sorted(missing))}")
        ages = [self.age(text) for text in given[columns[self.age_column]]]
        used = {"path": given[columns["file_name"]], "age": ages}
        used |= {ours: given[columns[name]] for name, ours in COLUMNS.items() if name in columns}
        table = normalize_table(pd.DataFrame(used), file.name)
        files = set(os.listdir(file.parent / part)) if (file.parent / part).is_dir() else set()
        crops = {name.removesuffix("_face.jpg"): name for name in files if name.endswith("_face.jpg")}
        table["path"] = [f"{part}/{crops.get(name, name)}" if name else None for name in table["path"]]
        return table.assign(item_id=table["path"], official=PARTS[part])


class APPARealApparent(APPAReal):
    """APPA-REAL by its apparent ages, the means of people's guesses rounded to whole years; only where asked for.

    The same files as `appa_real`, which is what they are taken for without `--format appa_real_apparent`.
    """

    layout = f"{APPAReal.layout}; only with --format appa_real_apparent"
    has_label_table = False
    age_column = "apparent_age_avg"

    def detect(self, root):
        return False

    def age(self, text):
        """The nearest whole number, a half rounded up; what is no number as it is."""
        try:
            return str(math.floor(float(text) + 0.5))
        except (ValueError, OverflowError):
            return text


def _tables(root):
    files = {part: root / f"gt_avg_{part}.csv" for part in PARTS}
    return {part: file for part, file in files.items() if file.is_file()}
