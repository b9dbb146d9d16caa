"""Which format a folder is in, what is said of one that is in none, and the list of all."""

import csv
import json
import os
import re

import pytest
from conftest import utk_name
from helpers.commands import ageensemble, said
from helpers.tiny_tables import appa, touched, years

from ageensemble.data import readers
from ageensemble.data.readers import READERS, template
from ageensemble.errors import DataError, UsageError

# Which format it is


def test_a_folder_that_fits_two_formats_asks_which(tmp_path):
    touched(tmp_path, "25/25_0_1_20170116191425302.jpg", "26/26_0_1_20170116191425303.jpg")
    with pytest.raises(DataError, match="fits several formats, choose one with --format: age_folders, utkface"):
        readers.detect_format(tmp_path)


# A layout that is none of them


def unknown(root):
    with pytest.raises(DataError, match=r"does not match any known dataset layout\. Seen: ") as error:
        readers.detect_format(root)
    assert str(error.value).endswith("Known layouts: ageensemble data formats")
    return str(error.value)


def test_an_unknown_layout_is_answered_with_lines_of_a_table_of_its_own_names(tmp_path):
    touched(tmp_path, "people/anna, 1990.jpg", "people/bert.jpg", "people/carl.jpg")
    text = unknown(tmp_path)
    assert "Seen: 'people/'." in text
    lines = re.search(r"your own ages: (.*?)\. To list", text)[1]
    table = list(csv.reader(line[1:-1] for line in re.findall(r"'[^']*'", lines)))
    assert table == [["path", "age"], ["people/anna, 1990.jpg", "34"], ["people/bert.jpg", "7"]]
    (tmp_path / "annotations.csv").write_text("\n".join(line[1:-1] for line in re.findall(r"'[^']*'", lines)))
    assert years(READERS.load("annotations")().read(tmp_path)) == {
        "people/anna, 1990.jpg": (34, 34),
        "people/bert.jpg": (7, 7),
    }


def test_a_folder_above_a_known_one_is_told_which_to_name(tmp_path):
    appa(touched(tmp_path / "appa-real-release", "train/000000.jpg").parent / "appa-real-release")
    assert f"But {tmp_path / 'appa-real-release'} looks like appa_real: name that folder" in unknown(tmp_path)


def test_a_folder_that_nobody_may_read_does_not_hide_the_one_to_name(tmp_path, monkeypatch):
    (tmp_path / "lost+found").mkdir()
    appa(touched(tmp_path, "release/train/000000.jpg") / "release")
    scandir = os.scandir

    def refusing(folder):
        if str(folder).rstrip("/").endswith("lost+found"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    assert f"But {tmp_path / 'release'} looks like appa_real: name that folder" in unknown(tmp_path)


def test_an_archive_is_to_be_unpacked_and_a_folder_without_photos_is_called_one(tmp_path):
    touched(tmp_path, "notes.txt")
    assert "No image is in it: no file there has an ending such as .jpg" in unknown(tmp_path)
    touched(tmp_path, "UTKFace.tar.gz")
    assert "No image is in it: unpack UTKFace.tar.gz first" in unknown(tmp_path)


def test_a_single_photo_is_no_data_set(tmp_path):
    assert "Give a folder of images, or a .csv" in unknown(touched(tmp_path, "a.jpg") / "a.jpg")


def test_the_template_lists_all_photos_and_is_a_table_that_only_wants_ages(tmp_path):
    names = ["b/2, old.jpg", "a/1.png", "zoë.jpg"]
    touched(tmp_path, *names, "notes.txt")
    os.close(os.open(os.fsencode(tmp_path) + b"/\xe9.jpg", os.O_CREAT))
    done = ageensemble("data", "formats", "--template", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "lists 3 images; fill in the column age." in done.stdout
    assert "1 image left out" in done.stdout
    assert f"Then: ageensemble data check {tmp_path}" in done.stdout
    checked = ageensemble("data", "check", tmp_path)
    assert f"{tmp_path / 'annotations.csv'} has no ages yet: fill in its column age, or move it away" in said(checked)
    filled = (tmp_path / "annotations.csv").read_text().replace(",,,", ",40,,")
    (tmp_path / "annotations.csv").write_text(filled)
    assert set(years(READERS.load("annotations")().read(tmp_path)).values()) == {(40, 40)}


def test_the_command_after_the_template_can_be_copied_whatever_the_folder_is_called(tmp_path):
    touched(tmp_path, "my photos/a.jpg")
    done = ageensemble("data", "formats", "--template", "my photos", cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "Then: ageensemble data check 'my photos'"


def test_the_template_never_writes_over_a_table(tmp_path):
    touched(tmp_path, "a.jpg")
    (tmp_path / "annotations.csv").write_text("mine")
    done = ageensemble("data", "formats", "--template", tmp_path)
    assert (done.returncode, "is there already and is left as it is" in said(done)) == (2, True)
    assert (tmp_path / "annotations.csv").read_text() == "mine"
    (tmp_path / "annotations.csv").unlink()
    (tmp_path / "annotations.csv").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        template.write_template(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_the_template_is_not_written_where_it_would_hide_what_the_names_of_the_files_tell(tmp_path):
    touched(tmp_path, "utkface/" + utk_name(30, 1), "appa_real/train/000000.jpg")
    appa(tmp_path / "appa_real")
    for name in ("appa_real", "utkface"):
        done = ageensemble("data", "formats", "--template", tmp_path / name)
        where = tmp_path / name
        why = f"{where} is {name} already: there is nothing to fill in; ageensemble data check {where}"
        assert (done.returncode, why in said(done)) == (2, True)
        assert not (where / "annotations.csv").exists()


def test_there_is_no_template_of_nothing(tmp_path):
    assert "no images in" in said(ageensemble("data", "formats", "--template", tmp_path))
    assert "cannot be read" in said(ageensemble("data", "formats", "--template", tmp_path / "nowhere"))
    assert "stands alone" in said(ageensemble("data", "formats", "wiki", "--template", tmp_path))
    assert list(tmp_path.iterdir()) == []


# What can be read


def test_all_formats_are_listed_with_their_layout_and_terms():
    described = json.loads(ageensemble("data", "formats", "--json").stdout)
    assert list(described) == READERS.names()
    assert all(all(about.values()) for about in described.values())
    shown = " ".join(ageensemble("data", "formats").stdout.split())
    for name, about in described.items():
        assert f"{name}: " in shown
        for text in about.values():
            assert text in shown
    assert len(ageensemble("list", "formats").stdout.splitlines()) == len(described)


def test_one_format_is_described_in_full_and_an_unknown_one_names_the_others():
    shown = ageensemble("data", "formats", "imdb_wiki").stdout
    assert "Rothe, Timofte & Van Gool" in shown
    assert "utkface" not in shown
    assert ageensemble("data", "formats", "IMDB-Wiki").stdout == shown
    assert max(map(len, shown.splitlines())) <= 120
    done = ageensemble("data", "formats", "imdb")
    assert (done.returncode, "known: adience" in said(done)) == (2, True)
