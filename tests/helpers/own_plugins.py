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
