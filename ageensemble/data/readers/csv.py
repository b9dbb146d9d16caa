"""A dataset file: CSV or Parquet with item_id, path (relative to the file), age or age_min and age_max, and more."""

from ._table import require_ages, translate
from .annotations import in_photo_folder, read_text

LAYOUT = "a .csv or .parquet file with columns path and age (or age_min, age_max), optionally item_id, subject, group"


def detect(root):
    """It is a file of that kind."""
    return root.is_file() and root.suffix.lower() in (".csv", ".parquet")


def read(root):
    """The table of photographs, see `ageensemble.datasets`; a given `group` is kept and never parted.

    Parameters
    ----------
    root : pathlib.Path
        the file

    Raises
    ------
    DataError
        It can't be read, has no column for the photo or the age, or not one age.
    """
    table = translate(read_text(root), root.name)
    require_ages(table, root)
    return in_photo_folder(table, root.parent)
