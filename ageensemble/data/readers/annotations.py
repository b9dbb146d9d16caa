from ...errors import DataError
from .base import Reader
from .table import in_image_folder, normalize_table, read_table, require_ages, usual_columns


class Annotations(Reader):
    """A folder with `annotations.csv` (or the only CSV in it) naming images and ages, columns by their usual names."""

    layout = "a folder with annotations.csv (columns such as path, age, gender, subject) and the photos below it"

    def detect(self, root):
        return root.is_dir() and _table_file(root) is not None

    def read(self, root):
        file = _table_file(root)
        if file is None:
            raise DataError(f"{root} has no annotations.csv")
        table = normalize_table(read_table(file), file.name)
        require_ages(table, file, ", or move it away")  # where it hides a dataset whose files' names tell the ages
        return in_image_folder(table, root)


def _table_file(root):
    """`annotations.csv`, or the only CSV of the folder if its header names a photo and an age, or None."""
    if (root / "annotations.csv").is_file():
        return root / "annotations.csv"
    tables = [path for path in sorted(root.glob("*.csv")) if path.is_file()]
    if len(tables) != 1:
        return None
    try:
        usual_columns(read_table(tables[0], rows=0).columns, tables[0].name)
    except DataError:
        return None
    return tables[0]
