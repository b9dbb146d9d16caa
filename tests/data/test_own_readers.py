"""Readers of one's own: a file, an installed package, and what happens where they are broken."""

import pytest
from conftest import face
from helpers.own_plugins import READER, install, write

from ageensemble._utils import registry
from ageensemble.data.dataset import load_dataset
from ageensemble.data.readers import READERS, detect_format
from ageensemble.errors import DataError, UsageError


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for age in (10, 26, 40):
        face(age, age).save(folder / f"{age:x}.png")
    return folder


def test_reader_from_a_file_reads_where_it_is_named(photos, tmp_path, cache):
    dataset = load_dataset(photos, write(tmp_path, READER), cache=cache)
    assert dataset.items["age_min"].tolist() == [26, 40, 10]  # 1a.png, 28.png, a.png
    assert dataset.license == "mine"


def test_installed_reader_is_listed_and_detects(photos, tmp_path, monkeypatch):
    install(monkeypatch, "ageensemble.readers", lambda: READERS.load(write(tmp_path, READER)))
    assert READERS.summaries()["theirs"] == "Images named by their age in hexadecimal."
    with pytest.raises(DataError, match="does not match"):
        detect_format(photos)
    (photos / "hex.txt").touch()
    assert detect_format(photos) == "theirs"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1/0", "does not load: ZeroDivisionError"),
        ("x = 1", "must be one class derived from Reader; there are 0"),
        (READER + READER.replace("Own", "Other"), "there are 2"),
        (READER.replace("def detect", "def sniff"), "lacks: detect"),
    ],
)
def test_broken_reader_is_refused_in_one_line(tmp_path, text, complaint):
    with pytest.raises(UsageError, match=complaint) as error:
        READERS.load(write(tmp_path, text))
    assert "\n" not in str(error.value)


def test_reader_that_fails_is_named_in_one_line(photos, tmp_path):
    (photos / "zz.png").touch()  # no hexadecimal number
    with pytest.raises(DataError, match=r"the reader .*own\.py failed: ValueError"):
        load_dataset(photos, write(tmp_path, READER))


def test_broken_installed_reader_is_a_line_of_the_list(monkeypatch):
    def load():
        raise ImportError("no module named x")

    install(monkeypatch, "ageensemble.readers", load)
    assert READERS.summaries()["theirs"] == "theirs does not load: ImportError: no module named x"


def test_entry_points_are_looked_up_once_for_a_group(monkeypatch):
    asked = []
    registry.installed.cache_clear()
    monkeypatch.setattr(registry, "entry_points", lambda group: asked.append(group) or [])
    for _ in range(3):
        READERS.resolve("utkface")
    assert asked == ["ageensemble.readers"]
    registry.installed.cache_clear()
