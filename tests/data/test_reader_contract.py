"""What every reader promises, and readers of one's own."""

import os

import pytest
from conftest import face, utk_name
from helpers import own_plugins
from helpers.tiny_tables import LABELS, MORPH, appa, mat

from ageensemble.data.dataset import load_dataset
from ageensemble.data.readers import COLUMNS, EXTRAS, READERS, detect_format, matching_formats
from ageensemble.errors import DataError, UsageError

ADIENCE = "user_id original_image face_id age gender x y dx dy tilt_ang fiducial_yaw_angle fiducial_score\n"
FAIRFACE = dict.fromkeys(("fairface_label_train.csv", "fairface_label_val.csv"), "file,age,gender,race,service_test\n")
# What a downloaded folder of each dataset holds, in small; a text is the content of a file
LAYOUTS = {
    "adience": {f"fold_{fold}_data.txt": ADIENCE.replace(" ", "\t") for fold in range(5)}
    | {"aligned/30601258@N03/landmark_aligned_face.2.10424815813_e94629b1ec_o.jpg": ""},
    "afad": dict.fromkeys(["15/111/292943-1.jpg", "15/112/671487-0.jpg", "39/112/406208-0.jpg", "AFAD-Full.txt"], ""),
    "age_folders": dict.fromkeys(["001/1.png", "001/12.png", "045/111.png", "110/4.png"], ""),
    "age_folders in a folder": dict.fromkeys(["face_age/001/1.png", "face_age/002/1.png"], ""),
    "agedb": dict.fromkeys(["0_MariaCallas_35_f.jpg", "1_MariaCallas_40_f.jpg", "9750_TomJones_18_m.jpg"], ""),
    "all_age_faces": dict.fromkeys(["aglined faces/00000A02.jpg", "original images/00000A02.jpg"], "")
    | {"image sets/train.txt": "00000A02.jpg 0\n", "key points/00000A02.txt": ""},
    "annotations": {"annotations.csv": "path,age\nimages/a.jpg,2\n", "images/a.jpg": ""},
    "annotations of another name": {"labels.csv": "path,age\na.jpg,3\n", "a.jpg": ""},
    "appa_real": {"train/000000.jpg": ""},
    "fairface": FAIRFACE | {"train/1.jpg": "", "val/1.jpg": ""},
    "fgnet": dict.fromkeys(["images/001A02.JPG", "images/001A43a.JPG", "images/082A18.JPG", "points/001a02.pts"], ""),
    "fgnet by person": dict.fromkeys(["001/001A02.jpg", "001/001A43a.jpg", "002/002A03.jpg", "002/002A04.jpg"], ""),
    "imdb_wiki": dict.fromkeys(["00/nm0000008_rm2517339648_1924-4-3_1990.jpg", "01/nm1_rm1_1924-4-3_1990.jpg"], ""),
    "morph": dict.fromkeys(["009055_1M54.JPG", "012345_0F21.JPG"], ""),
    "morph with its table": {"morph.csv": MORPH, "Album2/009055_1M54.JPG": ""},
    "utkface": dict.fromkeys([utk_name(30, 1), utk_name(31, 2)], ""),
    "wiki": {"wiki_labels.csv": LABELS, "wiki_judge.csv": "ID,full_path\n1,1.png\n"}
    | dict.fromkeys([f"wiki_labeled/0{i}/1.jpg" for i in range(3)], ""),
}
NEITHER = ("holiday/001.jpg", "holiday/IMG_2017_35.jpg", "111/x.jpg", "a35_f.jpg", "12_34_5_f.jpg")
OF_NAMES = ("afad", "age_folders", "agedb", "all_age_faces", "fgnet", "morph", "utkface")
each_reader = pytest.mark.parametrize("name", READERS.names())
each_layout = pytest.mark.parametrize("layout", LAYOUTS)


@pytest.fixture
def laid(tmp_path):
    """Lays out the folder of a dataset; returns it and the name of its format."""

    def lay(layout):
        name = layout.partition(" ")[0]
        touch(tmp_path, LAYOUTS[layout])
        if name == "appa_real":
            appa(tmp_path)
        if name == "imdb_wiki":
            mat(tmp_path / "imdb.mat", dob=[722000.0])
        return tmp_path, name

    return lay


def touch(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


@each_reader
def test_reader_describes_itself_in_lines(name):
    reader = READERS.load(name)
    assert 20 < len(reader.layout) < 250
    assert len(reader.license) < 120
    assert bool(reader.license) != (name in ("annotations", "csv"))  # whose terms are the user's own
    assert not any("\n" in text for text in (reader.layout, reader.license))


@each_layout
def test_layout_is_detected_as_no_other_format(laid, layout):
    root, name = laid(layout)
    assert matching_formats(root) == [name]
    assert detect_format(root) == name


@each_layout
def test_annotations_file_goes_before_what_the_dataset_says(laid, layout):
    root, _ = laid(layout)
    (root / "annotations.csv").write_text("path,age\na.jpg,3\n")
    assert detect_format(root) == "annotations"


@each_layout
def test_reader_returns_the_columns_of_the_contract(laid, layout):
    root, name = laid(layout)
    if name in ("adience", "fairface"):
        pytest.skip("the lists of this layout are empty")
    table = READERS.load(name)().read(root)
    assert set(table) <= {*COLUMNS, *EXTRAS, "group"}
    assert {"item_id", "path", "age_min", "age_max", "problem"} <= set(table)
    usable = table[table["problem"].isna()]
    assert len(usable) > 0
    assert (usable["age_min"] <= usable["age_max"]).all()
    assert not usable["item_id"].duplicated().any()


@each_reader
def test_reader_detects_neither_missing_nor_empty_nor_other_folders(name, tmp_path):
    reader = READERS.load(name)()
    assert not reader.detect(tmp_path / "nowhere")
    assert not reader.detect(tmp_path)
    touch(tmp_path, dict.fromkeys(NEITHER, ""))
    assert not reader.detect(tmp_path)
    assert not reader.detect(tmp_path / "a35_f.jpg")


@each_reader
def test_reader_forced_on_other_data_says_what_is_missing(name, tmp_path):
    reader = READERS.load(name)()
    if name in OF_NAMES:
        assert reader.read(tmp_path).empty
        if name != "morph":
            with pytest.raises(DataError, match="cannot be read"):
                reader.read(tmp_path / "nowhere")
    else:
        with pytest.raises(DataError, match=r"has no |cannot be read"):
            reader.read(tmp_path)


@pytest.mark.parametrize("name", ["afad", "agedb", "all_age_faces", "fgnet", "utkface"])
def test_half_of_the_names_make_no_convention(name, tmp_path):
    photo = next(iter(LAYOUTS[name]))
    touch(tmp_path, {photo: "", "portrait.jpg": ""})
    assert not READERS.load(name)().detect(tmp_path)
    (tmp_path / "portrait.jpg").unlink()
    assert READERS.load(name)().detect(tmp_path)


def test_label_table_goes_before_another_table_beside_it(laid):
    root, _ = laid("adience")
    (root / "mine.csv").write_text("path,age\n")
    assert detect_format(root) == "adience"


# --- readers of one's own -------------------------------------------------------------------------------------------


@pytest.fixture
def hexadecimal(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for age in (10, 26, 40):
        face(age, age).save(folder / f"{age:x}.png")
    return folder


def test_reader_from_a_file_reads_where_it_is_named(hexadecimal, tmp_path, cache):
    dataset = load_dataset(hexadecimal, format=own_plugins.write(tmp_path, own_plugins.READER), cache=cache)
    assert dataset.items["age_min"].tolist() == [26, 40, 10]  # 1a.png, 28.png, a.png
    assert dataset.license == "mine"


def test_installed_reader_detects_its_data(hexadecimal, tmp_path, monkeypatch):
    file = own_plugins.write(tmp_path, own_plugins.READER)
    own_plugins.install(monkeypatch, "ageensemble.readers", lambda: READERS.load(file))
    with pytest.raises(DataError, match="does not match"):
        detect_format(hexadecimal)
    (hexadecimal / "hex.txt").touch()
    assert detect_format(hexadecimal) == "theirs"


def test_broken_installed_reader_does_not_hinder_detection(laid, monkeypatch):
    def load():
        raise ImportError("no module named x")

    own_plugins.install(monkeypatch, "ageensemble.readers", load)
    root, name = laid("utkface")
    assert detect_format(root) == name
    with pytest.raises(UsageError, match="theirs does not load: ImportError: no module named x"):
        load_dataset(root, format="theirs")


def test_reader_that_fails_is_named_in_one_line(hexadecimal, tmp_path):
    os.rename(hexadecimal / "a.png", hexadecimal / "zz.png")  # no hexadecimal number
    with pytest.raises(DataError, match=r"the reader .*own\.py failed: ValueError"):
        load_dataset(hexadecimal, format=own_plugins.write(tmp_path, own_plugins.READER))


def test_impossible_ages_of_an_own_reader_are_listed(hexadecimal, tmp_path, cache):
    os.rename(hexadecimal / "a.png", hexadecimal / "fa.png")  # 250 years
    dataset = load_dataset(hexadecimal, format=own_plugins.write(tmp_path, own_plugins.READER), cache=cache)
    assert dataset.age.tolist() == [26, 40]
    assert dataset.reasons == {"age impossible": 1}
