from .base import Reader
from .table import in_image_folder, normalize_table, read_table, require_ages


class CSV(Reader):
    """A dataset file: CSV or Parquet with item_id, path (relative to the file), age or age_min and age_max, and more.

    A given `group` is kept: its items stay in the same split.
    """

    layout = (
        "a .csv or .parquet file with columns path and age (or age_min, age_max), optionally item_id, subject, group"
    )

    def detect(self, root):
        return root.is_file() and root.suffix.lower() in (".csv", ".parquet")

    def read(self, root):
        table = normalize_table(read_table(root), root.name)
        require_ages(table, root)
        return in_image_folder(table, root.parent)
