"""Sets whose labels stand in tables of their own or in the names of folders: their columns, quirks and problems."""

import datetime
import math
import os
import struct

import numpy as np
import pytest
from conftest import face
from helpers.tiny_tables import LABELS, MORPH, appa, by_path, cells, mat, problems, touched, years
from scipy.io import savemat

from ageensemble._utils import workers
from ageensemble.data import readers
from ageensemble.data.dataset import load_dataset
from ageensemble.data.readers import READERS, table
from ageensemble.data.readers import age_folders as age_folders_module
from ageensemble.data.readers.imdb_wiki import person_in
from ageensemble.errors import DataError
from ageensemble.inference import inputs

NAMES = ("age_folders", "appa_real", "appa_real_apparent", "imdb_wiki", "morph", "wiki")
age_folders, appa_real, appa_real_apparent, imdb_wiki, morph, wiki = (READERS.load(name)() for name in NAMES)
in_processes = workers.run


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    """Tables of Matlab's are read here: starting another process for each takes longer than all else."""
    monkeypatch.setattr(workers, "run", lambda read, tasks, jobs: [(task, read(task)) for task in tasks])


# Folders named by age


def test_a_folder_says_the_age_of_the_photos_in_it_or_the_range(tmp_path):
    touched(
        tmp_path, "001/1.png", "110/2.png", "7/3.png", "1-2/4.png", "25_32/5.png", "over80/6.png", "train/80+/7.png"
    )
    assert years(age_folders.read(tmp_path)) == {
        "001/1.png": (1, 1), "110/2.png": (110, 110), "7/3.png": (7, 7), "1-2/4.png": (1, 2), "25_32/5.png": (25, 32),
        "over80/6.png": (81, 120), "train/80+/7.png": (80, 120),
    }  # fmt: skip


def test_a_photo_in_no_such_folder_is_listed_with_the_reason(tmp_path):
    touched(tmp_path, "001/1.png", "unsure/2.png", "200/3.png", "4.png", "001/notes.txt")
    assert problems(age_folders.read(tmp_path)) == {
        "unsure/2.png": "in no folder named by an age: unsure",
        "200/3.png": "in no folder named by an age: 200",
        "4.png": "in no folder named by an age: ",
    }


@pytest.mark.parametrize(("given", "below"), [("", "face_age/"), ("face_age", "")])
def test_the_archive_that_holds_each_photo_twice_is_read_once(tmp_path, given, below):
    names = ("face_age/001/1.png", "face_age/face_age/001/1.png", "face_age/face_age/001/2.png")
    touched(tmp_path, *names, content=b"the same")
    table = age_folders.read(tmp_path / given)
    assert problems(table) == {
        f"{below}face_age/001/1.png": f"the same file twice in the archive: also {below}001/1.png"
    }
    assert list(years(table)) == [f"{below}001/1.png", f"{below}face_age/001/2.png"]


def test_another_file_of_the_same_name_further_in_is_another_photo(tmp_path):
    touched(tmp_path, "a/001/1.png", content=b"one")
    touched(tmp_path, "a/a/001/1.png", content=b"another")
    touched(tmp_path, "a/test/001/1.png", content=b"one")
    assert len(years(age_folders.read(tmp_path))) == 3


@pytest.mark.parametrize(
    "names",
    [
        ["001/1.png"],  # one folder is no convention
        ["15/111/1-0.jpg", "15/112/2-0.jpg", "16/111/3-0.jpg", "16/112/4-0.jpg"],  # AFAD
        ["01/10001_1981-05-05_2009.jpg", "02/10002_1981-05-05_2009.jpg"],  # WIKI's parts
        [f"{part:02}/a.jpg" for part in range(100)],
        ["111/1-0.jpg", "111/2-0.jpg", "112/3-0.jpg"],  # one age of AFAD's
        [f"{person}/a.jpg" for person in range(1, 151)],
        ["1.png", "2.png"],
        ["5/a.png", "6/b.png", "smiling/c.png", "sad/d.png"],
        [],
    ],
)
def test_what_looks_a_little_like_ages_is_not_taken_for_them(tmp_path, names):
    assert not age_folders.detect(touched(tmp_path, *names))


@pytest.mark.parametrize("first", ["001", "unsure", "over80"])
def test_folders_of_ages_are_known_whichever_the_disk_names_first(tmp_path, monkeypatch, first):
    names = ["001/1.png", "unsure/2.png", "over80/3.png", "25-32/4.png"]
    touched(tmp_path, *names)
    (tmp_path / "itself").symlink_to("itself")
    found = sorted(names, key=lambda name: not name.startswith(first))
    monkeypatch.setattr(age_folders_module, "first_images", lambda root: found)
    assert age_folders.detect(tmp_path)


# IMDB-WIKI


def born(year, month, day):
    """Matlab's number of a day."""
    return datetime.date(year, month, day).toordinal() + 366


def test_the_age_is_that_on_1_july_of_the_year_of_the_photo(tmp_path):
    days = [
        born(1980, 7, 1),
        born(1980, 7, 2),
        born(1980, 1, 1),
        born(1980, 12, 31),
        born(2009, 7, 2),
        born(2010, 7, 1),
    ]
    mat(tmp_path / "wiki.mat", dob=days)
    assert list(years(imdb_wiki.read(tmp_path)).values()) == [(a, a) for a in (30, 29, 30, 29, 0, 0)]


def test_impossible_ages_missing_births_no_face_and_a_second_face_are_listed(tmp_path):
    mat(
        tmp_path / "imdb.mat",
        dob=[213.0, born(2041, 1, 1), np.nan, 1e300, born(1980, 1, 1), born(1980, 1, 1), born(1980, 1, 1)],
        photo_taken=[2015, 2010, 2010, 2010, 2010, 2010, 2010],
        face_score=[3, 3, 3, 3, -np.inf, 3, 3],
        second_face_score=[np.nan] * 5 + [1.2, np.nan],
    )
    table = imdb_wiki.read(tmp_path)
    assert list(problems(table).values()) == [
        "age impossible: 2014",  # born on 31 July of the year 0, its 213th day, as one row of IMDb's has it
        "age impossible: -31",
        "age missing",
        "age missing",
        "no face found by the set's detector",
        "a second face found by the set's detector",
    ]
    assert years(table) == {"01/6.jpg": (30, 30)}


def test_gender_name_and_score_come_along_and_a_nameless_person_is_known_by_the_number_in_the_file_name(tmp_path):
    paths = ["17/10000217_1981-05-05_2009.jpg", "08/nm0000008_rm2517339648_1924-4-3_1990.jpg", "00/x.jpg"]
    dob = [born(1980, 1, 1)] * 3
    mat(tmp_path / "wiki.mat", dob=dob, full_path=cells(*paths), gender=[0, 1, np.nan], name=cells("Zoë", "", ""))
    rows = by_path(imdb_wiki.read(tmp_path))
    assert rows["gender"].tolist() == ["female", "male", None]
    assert rows["subject"].tolist() == ["Zoë", "nm0000008", None]
    assert rows["face_score"].tolist() == [3.5] * 3
    assert person_in(paths[0]) == "10000217"


def test_both_halves_below_one_folder_are_one_table_and_a_table_alone_will_do(tmp_path):
    for part in ("imdb", "wiki"):
        mat(tmp_path / f"{part}_crop" / f"{part}.mat", dob=[born(1980, 1, 1)])
    assert list(imdb_wiki.read(tmp_path)["path"]) == ["imdb_crop/01/0.jpg", "wiki_crop/01/0.jpg"]
    assert list(imdb_wiki.read(tmp_path / "wiki_crop" / "wiki.mat")["item_id"]) == ["01/0.jpg"]
    for root in (tmp_path, tmp_path / "wiki_crop", tmp_path / "wiki_crop" / "wiki.mat"):
        assert readers.detect_format(root) == "imdb_wiki"


def test_a_table_without_scores_genders_and_names_is_read_as_far_as_it_goes(tmp_path):
    columns = {"dob": [born(1980, 1, 1)], "photo_taken": [2010], "full_path": cells("01/a.jpg")}
    savemat(tmp_path / "wiki.mat", {"wiki": columns})
    assert years(imdb_wiki.read(tmp_path)) == {"01/a.jpg": (30, 30)}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_text("no table"),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:700]),
        lambda file: file.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n"),
        lambda file: savemat(file, {"imdb": {"dob": [1.0]}}),
        lambda file: savemat(file, {"wiki": 3}),
        lambda file: savemat(file, {"wiki": {"dob": [1.0]}}),
        lambda file: mat(file, dob=[1.0, 2.0], full_path=cells("01/a.jpg")),
        lambda file: mat(file, dob=[1.0, 2.0], name=cells("one")),
        lambda file: mat(file, dob=cells("one", "two")),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(tmp_path, spoil):
    spoil(mat(tmp_path / "wiki.mat", dob=[born(1980, 1, 1)] * 50))
    with pytest.raises(DataError, match=r"wiki\.mat is not a readable table of IMDB-WIKI: .") as error:
        imdb_wiki.read(tmp_path)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"imdb": {"dob": [1.0]}}, "it has no table 'wiki'"),
        ({"wiki": 3}, "its table 'wiki' has no column 'full_path'"),
        ({"wiki": {"full_path": "a.jpg", "dob": [1.0]}}, "its table 'wiki' has no column 'photo_taken'"),
    ],
)
def test_a_file_of_matlabs_without_such_a_table_is_told_so(tmp_path, content, why):
    savemat(tmp_path / "wiki.mat", content)
    with pytest.raises(DataError, match=rf"wiki\.mat is not a readable table of IMDB-WIKI: {why}$"):
        imdb_wiki.read(tmp_path)


# WIKI as a course hands it out


def nested(depth):
    """A file of Matlab's with a cell in a cell in a cell, and so on, called wiki."""
    cell = struct.pack("<IIIIIIiiII", 6, 8, 1, 0, 5, 8, 1, 1, 1, 0)  # flags, 1 x 1, no name
    outer = cell[:-8] + struct.pack("<II4s4x", 1, 4, b"wiki")
    sizes = [len(cell) + level * (8 + len(cell)) for level in range(depth)]
    inside = b"".join(struct.pack("<II", 14, size) + cell for size in reversed(sizes))
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49)
    return head + struct.pack("<II", 14, len(outer) + len(inside)) + outer + inside


def test_a_table_that_ends_who_reads_it_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "run", in_processes)
    (tmp_path / "wiki.mat").write_bytes(nested(50_000))
    with pytest.raises(
        DataError, match=r"wiki\.mat is not a readable table of IMDB-WIKI: reading it ended in signal SIG"
    ):
        imdb_wiki.read(tmp_path)


def test_wiki_labels_are_read_with_their_quirks(tmp_path):
    (tmp_path / "wiki_labels.csv").write_text(LABELS)
    table = wiki.read(tmp_path)
    assert years(table) == {"17/10000217_1981-05-05_2009.jpg": (28, 28), "17/f.jpg": (0, 0)}
    assert problems(table) == {
        "17/b.jpg": "age impossible: 791.79",
        "17/c.jpg": "no face found by the set's detector",
        "17/d.jpg": "no face found by the set's detector",
        "17/e.jpg": "a second face found by the set's detector",
    }
    assert by_path(table)["gender"].tolist() == ["male", "female", "female", None, "female", None]
    assert by_path(table)["subject"].tolist() == ["10000217", None, None, None, None, None]
    assert table["face_score"].tolist() == [4.3, 3.1, -math.inf, -math.inf, 2.5, 2.5]


@pytest.mark.parametrize("folder", ["", "wiki_labeled/", "wiki_labeled/wiki_labeled/"])
def test_the_photos_of_wiki_are_found_where_the_archive_puts_them(tmp_path, folder):
    (tmp_path / "wiki_labels.csv").write_text("path,age\n17/a.jpg,30\n17/b.jpg,31\n")
    touched(tmp_path, f"{folder}17/a.jpg", f"{folder}17/b.jpg")
    assert list(wiki.read(tmp_path)["path"]) == [f"{folder}17/a.jpg", f"{folder}17/b.jpg"]
    assert readers.detect_format(tmp_path) == readers.detect_format(tmp_path / "wiki_labels.csv") == "wiki"


def test_the_judges_list_is_what_predict_takes_as_a_list(tmp_path):
    (tmp_path / "wiki_judge.csv").write_text("ID,full_path\n1,['1.png']\n2,\"['2.png']\"\n")
    touched(tmp_path, *(f"wiki_judge_images/wiki_judge_images/{i}.png" for i in (1, 2)))
    found = inputs.find([tmp_path / "wiki_judge.csv"])
    assert [photo.name for photo in found] == ["1.png", "2.png"]
    assert all(os.path.isfile(photo.path) for photo in found)


def test_a_path_in_brackets_is_read_and_one_made_to_take_for_ever_is_not_pondered():
    for text, path in [("['a b.jpg']", "a b.jpg"), ('[ "a.jpg" ]', "a.jpg"), ("[a.jpg]", "a.jpg"), ("['a]", "'a")]:
        assert table.as_path(text) == path
    for text in ("[" + " " * 100_000 + "x", "['" + "' " * 50_000 + "x", "[]", "[x] y"):
        assert table.as_path(text) == text


# MORPH


def test_morphs_table_is_read_by_its_own_column_names(tmp_path):
    (tmp_path / "morph_2008_nonCommercial.csv").write_text(MORPH)
    table = by_path(morph.read(tmp_path))
    assert years(morph.read(tmp_path)) == {"Album2/009055_1M54.JPG": (54, 54), "Album2/009055_2F55.JPG": (55, 55)}
    assert table["subject"].tolist() == ["9055", "9055"]  # with or without zeros
    assert table["gender"].tolist() == ["male", "female"]
    assert table["ethnicity"].tolist() == ["White", "Black"]
    assert (
        readers.detect_format(tmp_path) == readers.detect_format(tmp_path / "morph_2008_nonCommercial.csv") == "morph"
    )


def test_morphs_names_tell_person_gender_and_age_where_there_is_no_table(tmp_path):
    touched(tmp_path, "Album2/009055_1M54.JPG", "Album2/009055_2F55.jpg", "Album2/portrait.jpg", "Album2/1_1M130.jpg")
    table = morph.read(tmp_path)
    assert years(table) == {"Album2/009055_1M54.JPG": (54, 54), "Album2/009055_2F55.jpg": (55, 55)}
    assert set(by_path(table)["subject"]) == {"9055", "1", None}
    assert problems(table) == {
        "Album2/1_1M130.jpg": "age impossible: 130",
        "Album2/portrait.jpg": "the name is not person_pictureGENDERage",
    }
    assert readers.detect_format(tmp_path) == "morph"


def test_of_several_tables_of_morph_one_must_be_named(tmp_path):
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text(MORPH)
    with pytest.raises(DataError, match=r"several tables of MORPH, name one: test\.csv, train\.csv"):
        morph.read(tmp_path)
    assert len(morph.read(tmp_path / "train.csv")) == 2


# APPA-REAL


def test_appa_real_has_the_real_age_the_guesses_and_the_official_part(tmp_path):
    for part in ("train", "valid", "test"):
        appa(tmp_path, part)
    touched(tmp_path, "train/000000.jpg", "train/000000.jpg_face.jpg", "train/000001.jpg")
    table = by_path(appa_real.read(tmp_path))
    assert list(table.index[:2]) == ["train/000000.jpg_face.jpg", "train/000001.jpg"]  # the crop where it is there
    assert table["age_min"].tolist() == table["age_max"].tolist() == [3, 40] * 3
    assert table["apparent_age"].tolist() == ["4.5", "34.49"] * 3
    assert table["age_deviation"].tolist() == ["2.5", "3.0"] * 3
    assert table["official"].tolist() == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2


def test_the_apparent_age_is_the_mean_guess_rounded_a_half_up_and_only_where_asked_for(tmp_path):
    appa(tmp_path, rows="0.jpg,1,4.5,2,3\n1.jpg,1,34.49,3,40\n2.jpg,1,x,3,40\n3.jpg,1,inf,3,40\n4.jpg,1,,3,40\n")
    table = appa_real_apparent.read(tmp_path)
    assert years(table) == {"train/0.jpg": (5, 5), "train/1.jpg": (34, 34)}
    assert list(problems(table).values()) == ["age unreadable: 'x'", "age impossible: inf", "age missing"]
    assert readers.detect_format(tmp_path) == "appa_real"


def test_guesses_and_official_parts_reach_the_manifest_as_numbers(tmp_path, cache):
    appa(tmp_path)
    (tmp_path / "train").mkdir()
    for i in range(2):
        face(3, i).save(tmp_path / "train" / f"00000{i}.jpg")
    built = load_dataset(tmp_path, cache=cache)
    assert built.items["apparent_age"].tolist() == [4.5, 34.49]
    assert built.items["official"].tolist() == ["train", "train"]
    assert "APPA-REAL" in built.license


def test_a_table_of_appa_real_without_the_column_says_which(tmp_path):
    (tmp_path / "gt_avg_test.csv").write_text("file_name,real_age\na.jpg,3\n")
    assert years(appa_real.read(tmp_path)) == {"test/a.jpg": (3, 3)}
    with pytest.raises(DataError, match=r"gt_avg_test\.csv has no column apparent_age_avg"):
        appa_real_apparent.read(tmp_path)


def test_other_columns_of_appa_real_with_names_like_ours_change_nothing(tmp_path):
    table = "file_name,Age,real_age,apparent_age_avg,apparent_age\na.jpg,77,3,4.5,99\n"
    (tmp_path / "gt_avg_test.csv").write_text(table)
    assert years(appa_real.read(tmp_path)) == {"test/a.jpg": (3, 3)}
    assert appa_real.read(tmp_path)["apparent_age"].tolist() == ["4.5"]
