"""Sources told by file names or several files: each as its set really looks, none takes the folder of another."""

import os

import pandas as pd
import pytest
from conftest import face

from ageensemble.data import readers
from ageensemble.data.dataset import load_dataset
from ageensemble.data.readers import READERS
from ageensemble.errors import DataError

OURS = ["adience", "afad", "agedb", "all_age_faces", "fairface", "fgnet"]
adience, afad, agedb, all_age_faces, fairface, fgnet = (READERS.load(name)() for name in OURS)
FAIRFACE = ["fairface_label_train.csv", "fairface_label_val.csv"]
FAIRFACE_HEADER = "file,age,gender,race,service_test\n"
ADIENCE_HEADER = "user_id original_image face_id age gender x y dx dy tilt_ang fiducial_yaw_angle fiducial_score\n"
ADIENCE_HEADER = ADIENCE_HEADER.replace(" ", "\t")


def lay(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def named(module, root, *names):
    """The rows a source makes of empty files with these names, by name, None for what is missing."""
    table = module.read(lay(root, dict.fromkeys(names, ""))).set_index("item_id")
    return table.astype(object).where(table.notna(), None)


def test_agedb_tells_person_age_and_gender(tmp_path):
    rows = named(agedb, tmp_path, "0_MariaCallas_35_f.jpg", "x/12_MyIКneDemongeot_101_F.JPG", "7_WillSmith _20_m.jpg")
    columns = ["subject", "age_min", "age_max", "gender", "problem"]
    assert rows[columns].values.tolist() == [
        ["MariaCallas", 35, 35, "female", None],
        ["WillSmith", 20, 20, "male", None],
        ["MyIКneDemongeot", 101, 101, "female", None],
    ]


def test_somebody_who_is_a_man_and_a_woman_in_agedb_has_no_gender(tmp_path):
    rows = named(agedb, tmp_path, "1829_TomJones_18_m.jpg", "9750_TomJones_18_f.jpg", "3_MickJagger_20_m.jpg")
    assert rows["gender"].to_dict() == {
        "1829_TomJones_18_m.jpg": None,
        "9750_TomJones_18_f.jpg": None,
        "3_MickJagger_20_m.jpg": "male",
    }
    remark = "no gender, as the person comes as a man and as a woman"
    assert rows["remark"].tolist() == [remark, None, remark]
    assert "remark" not in named(agedb, tmp_path / "one", "3_MickJagger_20_m.jpg")


def test_what_agedb_names_otherwise_is_listed_with_the_reason(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/5_St\x82phaneAudran_30_f.jpg", os.O_CREAT))
    rows = named(
        agedb, tmp_path, "0_MariaCallas_35_f.jpg", "cover.jpg", "1_MariaCallas_135_f.jpg", "2_MariaCallas_f.jpg"
    )
    assert rows["problem"].to_dict() == {
        "0_MariaCallas_35_f.jpg": None,
        "1_MariaCallas_135_f.jpg": "age impossible: 135",
        "2_MariaCallas_f.jpg": "the name is not number_name_age_gender",
        "5_St\\x82phaneAudran_30_f.jpg": "the file's name is not UTF-8, rename it",
        "cover.jpg": "the name is not number_name_age_gender",
    }


def test_fgnet_tells_person_and_age_and_neither_letter_nor_case_matters(tmp_path):
    rows = named(fgnet, tmp_path, "images/001A02.JPG", "images/001A43b.JPG", "images/082a00.jpg", "images/1A02.JPG")
    assert rows[["subject", "age_min", "problem"]].values.tolist() == [
        ["001", 2, None],
        ["001", 43, None],
        ["082", 0, None],
        [None, None, "the name is not person, A, age"],
    ]


def test_serial_numbers_of_all_age_faces_tell_women_from_men(tmp_path):
    names = ["00000A02.jpg", "07380A80.jpg", "07381A02.jpg", "13321A80.jpg", "13322A30.jpg"]
    rows = named(all_age_faces, tmp_path, *names)
    assert rows["gender"].tolist() == ["female", "female", "male", "male", None]
    assert rows["age_max"].tolist() == [2, 80, 2, 80, 30]
    assert "official" not in rows


@pytest.mark.parametrize("cut", ["aglined faces", "aligned faces"])
def test_a_face_is_taken_once_where_all_age_faces_has_it_whole_and_cut_out(tmp_path, cut):
    names = [
        f"{cut}/00000A02.jpg",
        "another/00000A02.jpg",
        "original images/00000A02.jpg",
        "original images/00001A02.jpg",
    ]
    rows = named(all_age_faces, tmp_path, *names, "example/face.jpg")
    assert rows["problem"].to_dict() == {
        names[0]: None,
        names[1]: "another copy of the same face is taken",
        names[2]: "another copy of the same face is taken",
        names[3]: None,
        "example/face.jpg": "the name is not serial number, A, age",
    }


@pytest.mark.parametrize("above", ["", "All-Age-Faces Dataset/"])
def test_the_lists_of_all_age_faces_are_its_official_split(tmp_path, above):
    lists = {"train.txt": "00000A02.jpg 0\n00001A02 0\n", "val.txt": "00002A02.jpg 0\r\n\r\nnonsense\n"}
    lay(tmp_path, {f"{above}image sets/{name}": text for name, text in lists.items()})
    rows = named(all_age_faces, tmp_path, *(f"{above}aglined faces/0000{i}A02.jpg" for i in range(4)))
    assert rows["official"].tolist() == ["train", "train", "validation", None]


def test_folders_of_afad_tell_age_and_gender_and_faces_of_one_picture_stay_together(tmp_path):
    names = ["39/111/398608-0.jpg", "39/112/398608-1.jpg", "AFAD-Full/15/111/7-0.jpg", "15/112/portrait.jpg"]
    rows = named(afad, tmp_path, *names).loc[names]
    assert rows["age_min"].tolist() == [39, 39, 15, 15]
    assert rows["gender"].tolist() == ["male", "female", "male", "female"]
    assert rows["moment"].tolist() == ["398608", "398608", "7", None]


def test_what_lies_elsewhere_in_afad_is_listed_with_the_reason(tmp_path):
    rows = named(afad, tmp_path, "15/111/1-0.jpg", "15/113/2-0.jpg", "15/3-0.jpg", "300/111/4-0.jpg", "old/111/5-0.jpg")
    elsewhere = "the name is not age/111/... or age/112/..."
    assert rows["problem"].to_dict() == {
        "15/111/1-0.jpg": None,
        "15/113/2-0.jpg": elsewhere,
        "15/3-0.jpg": elsewhere,
        "300/111/4-0.jpg": "age impossible: 300",
        "old/111/5-0.jpg": elsewhere,
    }


def adience_rows(*ages):
    """Lines of a fold file, one person of one album with each age."""
    return "".join(f"30601258@N03\t{i}_o.jpg\t{i}\t{age}\tf\t0\t0\t9\t9\t0\t0\t9\n" for i, age in enumerate(ages))


def adience_folds(root, *folds):
    """The five files, empty after those given as lines."""
    texts = [*folds, *[""] * (5 - len(folds))]
    return lay(root, {f"fold_{fold}_data.txt": ADIENCE_HEADER + text for fold, text in enumerate(texts)})


NO_RANGE = "age not within one of the eight ranges: "
ADIENCE_AGES = {
    "(0, 2)": (0, 2), "(60, 100)": (60, 100), "(25, 23)": (25, 32), "(27, 32)": (25, 32), "(38, 42)": (38, 43),
    "29": (25, 32), "2": (0, 2), "(8,12)": (8, 12), "None": "age missing", "": "age missing",
    "35": NO_RANGE + "35", "3": NO_RANGE + "3", "(8, 23)": NO_RANGE + "(8, 23)", "(38, 48)": NO_RANGE + "(38, 48)",
    "old": NO_RANGE + "old", "9" * 99: NO_RANGE + "9" * 40,
}  # fmt: skip


def test_ages_of_adience_are_its_eight_ranges_what_fits_into_one_or_listed(tmp_path):
    table = adience.read(adience_folds(tmp_path, adience_rows(*ADIENCE_AGES)))
    found = [problem or (low, high) for low, high, problem in table[["age_min", "age_max", "problem"]].values]
    assert dict(zip(ADIENCE_AGES, found, strict=True)) == ADIENCE_AGES


def test_a_fold_of_adience_is_the_official_part_an_album_the_subject_and_u_no_gender(tmp_path):
    album = "\tphoto.jpg\t{}\t(4, 6)\t{}\t0\t0\t9\t9\t0\t0\t9\n"
    folds = ["A@N1" + album.format(1, "m") + "A@N1" + album.format(2, "u"), "", "B@N2" + album.format(1, "f")]
    table = adience.read(adience_folds(tmp_path, *folds))
    table["gender"] = table["gender"].fillna("?")
    assert table[["official", "subject", "gender", "path"]].values.tolist() == [
        ["0", "A@N1", "male", "aligned/A@N1/landmark_aligned_face.1.photo.jpg"],
        ["0", "A@N1", "?", "aligned/A@N1/landmark_aligned_face.2.photo.jpg"],
        ["2", "B@N2", "female", "aligned/B@N2/landmark_aligned_face.1.photo.jpg"],
    ]


def test_adience_is_read_from_faces_where_aligned_is_not_there_and_folds_may_lie_in_a_folder(tmp_path):
    adience_folds(tmp_path / "folds", adience_rows("(4, 6)"))
    (tmp_path / "faces").mkdir()
    assert readers.detect_format(tmp_path) == "adience"
    assert adience.read(tmp_path)["path"].tolist() == ["faces/30601258@N03/coarse_tilt_aligned_face.0.0_o.jpg"]


def test_adience_without_a_fold_or_a_column_is_refused_in_one_line(tmp_path):
    with pytest.raises(DataError, match=r"has no fold_0_data.txt, neither itself nor in a folder called folds$"):
        adience.read(tmp_path)
    adience_folds(tmp_path)
    (tmp_path / "fold_4_data.txt").unlink()
    with pytest.raises(DataError, match=r"fold_4_data.txt cannot be read: No such file"):
        adience.read(tmp_path)
    (tmp_path / "fold_0_data.txt").write_text("user_id\toriginal_image\tage\n")
    with pytest.raises(
        DataError, match=r"no column 'face_id', as Adience's have \(columns seen: user_id, original_image, age\)"
    ):
        adience.read(tmp_path)


def test_a_manifest_of_adience_keeps_albums_together_and_lists_repeats_gaps_and_ways_out(tmp_path, cache):
    lines = adience_rows("(4, 6)", "(15, 20)", "(48, 53)").splitlines(keepends=True)
    out = lines[0].replace("30601258@N03", "../..")
    adience_folds(tmp_path, lines[0] + lines[0] + lines[1], lines[2].replace("30601258", "7") + out + "short\n")
    for i, album in enumerate(["30601258@N03", "30601258@N03", "7@N03"]):
        (tmp_path / "aligned" / album).mkdir(parents=True, exist_ok=True)
        face(10 * i, 60 + i).save(tmp_path / f"aligned/{album}/landmark_aligned_face.{i}.{i}_o.jpg")
    dataset = load_dataset(tmp_path, cache=cache)
    assert dataset.age_range.tolist() == [[4, 6], [15, 20], [48, 53]]
    assert dataset.groups.tolist() == [0, 0, 2]
    assert dataset.reasons == {"listed twice": 1, "leads out of the data folder": 1, "age missing": 1}
    assert dataset.license.startswith("Adience: ")


def fairface_lists(root, train, val):
    return lay(root, {name: FAIRFACE_HEADER + text for name, text in zip(FAIRFACE, (train, val), strict=True)})


def test_fairface_has_nine_ranges_and_its_validation_list_is_the_test_part(tmp_path):
    ranges = ["0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70"]
    train = "".join(f"train/{i}.jpg,{text},Male,East Asian,True\n" for i, text in enumerate(ranges))
    table = fairface.read(fairface_lists(tmp_path, train, "val/1.jpg,3-9,Female,Latino_Hispanic,False\n"))
    assert table["age_min"].tolist() == [0, 3, 10, 20, 30, 40, 50, 60, 70, 3]
    assert table["age_max"].tolist() == [2, 9, 19, 29, 39, 49, 59, 69, 120, 9]
    assert table["official"].tolist() == ["train"] * 9 + ["test"]
    assert table[["path", "gender", "ethnicity"]].values.tolist()[-1] == ["val/1.jpg", "female", "Latino_Hispanic"]
    assert table["problem"].isna().all()


def test_fairface_is_found_in_the_folder_of_the_narrow_margin(tmp_path):
    fairface_lists(tmp_path, "train/1.jpg,0-2,Male,White,True\n", "val/1.jpg,,Male,White,True\n")
    for margin in ("125", "025"):
        (tmp_path / f"fairface-img-margin{margin}-trainval" / "train").mkdir(parents=True)
    table = fairface.read(tmp_path)
    assert table["path"].tolist() == [f"fairface-img-margin025-trainval/{name}/1.jpg" for name in ("train", "val")]
    assert table["item_id"].tolist() == ["train/1.jpg", "val/1.jpg"]
    assert pd.isna(table["problem"][0])
    assert table["problem"][1] == "age missing"


def test_a_line_of_fairface_without_a_file_is_listed(tmp_path):
    fairface_lists(tmp_path, ",0-2,Male,White,True\n", "val/1.jpg,0-2,Male,White,True\n")
    (tmp_path / "margin" / "train").mkdir(parents=True)
    table = fairface.read(tmp_path)
    assert table["problem"][0] == "no path"
    assert table["path"][1] == "margin/val/1.jpg"


def test_fairface_without_a_list_is_refused_in_one_line(tmp_path):
    fairface_lists(tmp_path, "", "")
    (tmp_path / FAIRFACE[1]).unlink()
    assert not fairface.detect(tmp_path)
    with pytest.raises(DataError, match=r"fairface_label_val.csv cannot be read: No such file"):
        fairface.read(tmp_path)
