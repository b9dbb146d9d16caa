"""A reader for a dataset that nobody else has: ages written into the names of files in hexadecimal.

Run it with `python docs/examples/own_format.py`; it draws its own images.
"""

import csv
import shutil
import tempfile
from pathlib import Path

import ageensemble as ae
from ageensemble.data.synthetic.dataset import draw

READER = '''
import pandas as pd
from ageensemble.data.readers import Reader


class Hexadecimal(Reader):
    """Images named by number and hexadecimal age, such as 17_1a.png."""

    layout = "17_1a.png"
    license = "my own"

    def detect(self, root):
        return any(root.glob("*_[0-9a-f]*.png"))

    def read(self, root):
        files = sorted(root.glob("*.png"))
        ages = [float(int(file.stem.partition("_")[2], 16)) for file in files]
        names = [file.name for file in files]
        return pd.DataFrame({"item_id": names, "path": names, "age_min": ages, "age_max": ages})
'''

if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp())
    draw(folder / "drawn", 60)
    (folder / "photos").mkdir()
    with (folder / "drawn" / "annotations.csv").open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            source = folder / "drawn" / row["path"]
            if row["age"].isdigit() and source.is_file():
                shutil.copy(source, folder / "photos" / f"{number}_{int(row['age']):x}.png")
    (folder / "hexadecimal.py").write_text(READER)

    # On the command line: ageensemble benchmark --data photos/ --format ./hexadecimal.py
    faces = ae.load_dataset(folder / "photos", format=str(folder / "hexadecimal.py"), cache=folder / "cache")
    print(faces)
    print(faces.frame[["item_id", "age_min", "age_max", "group"]].head())
