import math
import re
from functools import cache

from ...errors import DataError
from .base import Reader
from .table import read_table, seen

FOLDS = [f"fold_{fold}_data.txt" for fold in range(5)]
COLUMNS = ["user_id", "original_image", "face_id", "age", "gender"]
PHOTOS = {"aligned": "landmark_aligned_face", "faces": "coarse_tilt_aligned_face"}  # folder: first word of a file
GENDERS = {"m": "male", "f": "female"}
RANGES = [(0, 2), (4, 6), (8, 12), (15, 20), (25, 32), (38, 43), (48, 53), (60, 100)]
MISPRINTS = {"(25, 23)": "(25, 32)"}
AGE = re.compile(r"\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)|(\d{1,3})", re.ASCII)


class Adience(Reader):
    """Adience: five files `fold_0_data.txt` ... `fold_4_data.txt` beside the images, ages in eight ranges.

    Eidinger, Enbar & Hassner, "Age and gender estimation of unfiltered faces", IEEE TIFS 9 (2014): albums of Flickr
    users. The published folds never part an album (`user_id`), so it is the `subject` here. The images are those in
    `aligned` where that is there, as in Levi & Hassner (CVPR Workshops 2015), else those in `faces`.

    Of the 19,487 rows 17,424 have one of the eight ranges; the lists that Levi & Hassner made of them have only these.
    Here "(25, 23)", a misprint of "(25, 32)" that their script speaks of, and what lies within one range, such as "(27,
    32)", "(38, 42)" or 29, is given the range: 218 rows more. The others say no age (753), or one in none of the ranges
    or in two, such as 35 or "(8, 23)" (1,092): they are listed with the reason. A gender of u is a missing one. 114
    images stand in a file more than once.

    `official` is the number of the published fold.
    """

    layout = "fold_0_data.txt to fold_4_data.txt, in the folder or in folds/ below it, the photos in aligned/ or faces/"
    license = "Adience: photographs of Flickr under Creative Commons licenses; terms of the set unknown, ask the source"
    has_label_table = True

    def detect(self, root):
        return _folder(root) is not None

    def read(self, root):
        import pandas as pd

        folder = _folder(root)
        if folder is None:
            raise DataError(f"{root} has no {FOLDS[0]}, neither itself nor in a folder called folds")
        rows = pd.concat([_rows(folder / name) for name in FOLDS], keys=map(str, range(5)), names=["official", None])
        kind = next((kind for kind in PHOTOS if (root / kind).is_dir()), "aligned")
        table = rows[["gender"]].assign(gender=rows["gender"].map(GENDERS), subject=rows["user_id"])
        table["path"] = (
            f"{kind}/" + rows["user_id"] + f"/{PHOTOS[kind]}." + rows["face_id"] + "." + rows["original_image"]
        )
        table["item_id"] = table["path"]
        table[["age_min", "age_max", "problem"]] = pd.DataFrame(
            [_label(age) for age in rows["age"]], index=rows.index, dtype=object
        )
        return table.reset_index("official").reset_index(drop=True)


def _folder(root):
    """Where the fold files are, or None."""
    return next((folder for folder in (root, root / "folds") if (folder / FOLDS[0]).is_file()), None)


def _rows(file):
    table = read_table(file)
    if missing := [column for column in COLUMNS if column not in table]:
        raise DataError(f"{file.name} has no column '{missing[0]}', as Adience's have ({seen(table.columns)})")
    return table[COLUMNS].fillna("").apply(lambda column: column.str.strip())


@cache
def _label(text):
    """(low, high, problem) of an age as the fold files write it: `(25, 32)`, `35` or `None`."""
    if text in ("", "None"):
        return math.nan, math.nan, "age missing"
    match = AGE.fullmatch(MISPRINTS.get(text, text))
    low, high = (int(match[1] or match[3]), int(match[2] or match[3])) if match else (0, -1)
    for first, last in RANGES:
        if first <= low <= high <= last:
            return float(first), float(last), None
    return math.nan, math.nan, f"age not within one of the eight ranges: {text[:40]}"
