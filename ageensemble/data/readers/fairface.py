"""FairFace: `fairface_label_train.csv` and `fairface_label_val.csv` beside the photographs, ages in nine ranges.

Kärkkäinen & Joo, "FairFace: face attribute dataset for balanced race, gender, and age for bias measurement and
mitigation", WACV 2021. The validation list is what others report on, so it is the `official` test part; no other is
published. The ages, genders and seven races are what people who looked at the photographs agreed on; "more than 70"
follows 60-69, so it begins at 70. Nobody's identity is known.
"""

from ._table import translate
from .annotations import read_text

LAYOUT = "fairface_label_train.csv, fairface_label_val.csv and the folders train and val, or one folder that has them"
LICENSE = "FairFace: CC BY 4.0"
TABLE = True
LISTS = {"train": "fairface_label_train.csv", "test": "fairface_label_val.csv"}


def detect(root):
    """Both lists are there."""
    return all((root / name).is_file() for name in LISTS.values())


def read(root):
    """The table of photographs, see `ageensemble.datasets`; `official` is "train" or "test".

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        A list is missing, or has no column for the photo or the age.
    """
    import pandas as pd

    parts = [translate(read_text(root / name), name).assign(official=part) for part, name in LISTS.items()]
    table = pd.concat(parts, ignore_index=True)
    folder = _folder(root)
    if folder:
        table["path"] = folder + "/" + table["path"]
    return table


def _folder(root):
    """The folder below `root` in which `train` and `val` were unpacked, such as `fairface-img-margin025-trainval`.

    Of several the first by name, which is the one with the narrower margin, as used in the paper.
    """
    if (root / "train").is_dir():
        return ""
    return next((path.parent.name for path in sorted(root.glob("*/train")) if path.is_dir()), "")
