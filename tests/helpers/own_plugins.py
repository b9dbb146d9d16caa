"""Plug-ins of one's own, as a user writes them: files, and entry points of an installed package."""

from types import SimpleNamespace

from ageensemble._utils import registry

READER = '''
import pandas as pd
from ageensemble.data.readers import Reader


class Own(Reader):
    """Images named by their age in hexadecimal."""

    layout = "photos such as 1a.png"
    license = "mine"

    def detect(self, root):
        return (root / "hex.txt").exists()

    def read(self, root):
        files = sorted(root.glob("*.png"))
        ages = [float(int(file.stem, 16)) for file in files]
        names = [file.name for file in files]
        return pd.DataFrame({"item_id": names, "path": names, "age_min": ages, "age_max": ages, "problem": None})
'''


def write(folder, text, name="own.py"):
    """The path of a file with a plug-in, as text."""
    (folder / name).write_text(text)
    return str(folder / name)


def install(monkeypatch, group, load, name="theirs"):
    """Make `load()` an entry point of a group."""
    point = SimpleNamespace(name=name, module="their_package", attr="Theirs", load=load)
    monkeypatch.setattr(registry, "installed", lambda asked: (point,) if asked == group else ())


FILTER = '''
from ageensemble.data.filters import Filter


class Own(Filter):
    """Leaves out items whose age is a multiple of VALUE."""

    example = "own.py=5"

    @classmethod
    def parse(cls, text):
        return int(text)

    def mask(self, dataset, random_state=0, progress=None):
        return dataset.age_range[:, 0] % self.value == 0

    def reason(self):
        return f"age a multiple of {self.value}"
'''
TRANSFORM = '''
from ageensemble.data.transforms import Transform


class Swap(Transform):
    """Red and blue change places."""

    def apply(self, image):
        return image[..., ::-1]
'''
PROTOCOL = '''
import numpy as np
from ageensemble.splits.protocols import Protocol
from ageensemble.splits.split import split_from_folds


class Halves(Protocol):
    """Halves, whoever is in them."""

    def apply(self, dataset, seed=0, n_folds=5):
        return split_from_folds(dataset, dataset.groups % 2, 2, "halves"), dataset
'''
