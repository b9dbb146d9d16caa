from .base import Reader
from .table import normalize_table, read_table


class FairFace(Reader):
    """FairFace: `fairface_label_train.csv` and `fairface_label_val.csv` beside the images, ages in nine ranges.

    Kärkkäinen & Joo, "FairFace: face attribute dataset for balanced race, gender, and age for bias measurement and
    mitigation", WACV 2021. The validation list is what others report on, so it is the `official` test part; no other is
    published. Ages, genders and the seven races are what annotators agreed on; "more than 70" follows 60-69, so it
    begins at 70. Identities are unknown.
    """

    layout = (
        "fairface_label_train.csv, fairface_label_val.csv and the folders train and val, or one folder that has them"
    )
    license = "FairFace: CC BY 4.0"
    has_label_table = True
    lists = {"train": "fairface_label_train.csv", "test": "fairface_label_val.csv"}

    def detect(self, root):
        return all((root / name).is_file() for name in self.lists.values())

    def read(self, root):
        import pandas as pd

        parts = [normalize_table(read_table(root / name), name).assign(official=p) for p, name in self.lists.items()]
        table = pd.concat(parts, ignore_index=True)
        folder = _image_folder(root)
        if folder:
            table["path"] = folder + "/" + table["path"]
        return table


def _image_folder(root):
    """The folder below `root` in which `train` and `val` were unpacked, such as `fairface-img-margin025-trainval`.

    Of several the first by name, which is the one with the narrower margin, as used in the paper.
    """
    if (root / "train").is_dir():
        return ""
    return next((path.parent.name for path in sorted(root.glob("*/train")) if path.is_dir()), "")
