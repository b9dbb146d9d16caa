"""The dataset: every photograph is an item or is listed with its reason."""

import os
import shutil
import time

import numpy as np
import pandas as pd
import pytest
from conftest import AGES, PHOTOS, face, utk_name

from ageensemble.data.dataset import _flag_paths, load_dataset
from ageensemble.errors import DataError
from ageensemble.splits.split import subsample


def built(folder, cache, text=None, name="annotations.csv"):
    if text is not None:
        (folder / name).write_text(text)
    return load_dataset(folder if name == "annotations.csv" else folder / name, cache=cache)


def reasons(dataset):
    return dataset.excluded.set_index("item_id")["reason"].to_dict()


@pytest.fixture
def three(tmp_path):
    """A folder with photographs a, b and c."""
    for i, name in enumerate("abc"):
        face(20 + i, 100 + i).save(tmp_path / f"{name}.png")
    return tmp_path


def test_every_photo_of_the_folder_is_an_item_or_listed(utkface, dataset):
    assert len(dataset) == PHOTOS + 3
    assert reasons(dataset) == {utk_name(33, 203): "not an image"}
    assert len(dataset) + len(dataset.excluded) == len(list(utkface.iterdir()))


def test_items_are_sorted_and_carry_age_gender_and_hash(dataset):
    assert dataset.items["item_id"].is_monotonic_increasing
    row = dataset.items.set_index("item_id").loc[utk_name(AGES[7], 7)]
    assert (row["age_min"], row["age_max"], row["gender"], row["ethnicity"]) == (AGES[7], AGES[7], "female", "Asian")
    assert len(row["sha256"]) == 64


def test_copies_near_copies_and_shared_time_stamps_share_a_cluster(dataset):
    group = dict(zip(dataset.items["item_id"], dataset.groups, strict=True))
    for one, other in [
        (utk_name(AGES[0], 0), utk_name(AGES[0], 200)),
        (utk_name(AGES[1], 1), utk_name(AGES[1] + 30, 201)),
        (utk_name(AGES[2], 2), utk_name(AGES[2], 202)),
        (utk_name(AGES[118], 118), utk_name(AGES[119], 119, "201701162200118")),
    ]:
        assert group[one] == group[other]
    assert len(set(group.values())) == PHOTOS - 1


def test_photos_of_one_person_share_a_cluster(annotated, cache):
    assert len(np.unique(load_dataset(annotated, cache=cache).groups)) == 20


def test_a_given_cluster_is_obeyed_and_joined_with_what_is_found(three, cache):
    shutil.copy(three / "a.png", three / "copy.png")
    text = "path,age,group\na.png,20,x\nb.png,21,x\nc.png,22,\ncopy.png,20,y\n"
    assert built(three, cache, text, "labels.csv").groups.tolist() == [0, 0, 2, 0]


def test_a_parquet_manifest_builds_as_the_csv_one(three, cache):
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"path": ["a.png", "b.png", "c.png"], "age": [20, 21, 22], "group": [5, 5, 6]})
    table.to_parquet(three / "m.parquet")
    one = built(three, cache, table.to_csv(index=False), "m.csv")
    assert load_dataset(three / "m.parquet", cache=cache).hash == one.hash
    assert one.groups.tolist() == [0, 0, 2]


def test_the_order_of_the_rows_changes_nothing(three, cache):
    rows = ["a.png,20\n", "b.png,21\n", "c.png,22\n"]
    one = built(three, cache, "path,age\n" + "".join(rows))
    other = built(three, cache, "path,age\n" + "".join(reversed(rows)))
    assert one.hash == other.hash
    assert one.image_store.folder == other.image_store.folder


@pytest.mark.parametrize(
    "row", ["b.png,25", "b.png,21,male", "c.png,21"], ids=["an age", "a gender", "a photo"]
)  # instead of b.png,21
def test_the_hash_changes_with(three, cache, row):
    one = built(three, cache, "path,age,gender\na.png,20,\nb.png,21,\n")
    assert one.hash != built(three, cache, f"path,age,gender\na.png,20,\n{row}\n").hash


def test_rows_that_repeat_or_contradict_each_other_are_listed(three, cache):
    text = "item_id,path,age\n1,a.png,20\n1,a.png,20\n2,b.png,21\n2,b.png,30\n3,c.png,22\n3,a.png,22\n4,c.png,22\n"
    dataset = built(three, cache, text)
    assert dataset.items["item_id"].tolist() == ["1", "4"]
    assert dataset.excluded["reason"].tolist() == [
        "listed twice",
        *["listed more than once with different ages"] * 2,
        *["item_id used for different photos"] * 2,
    ]


def test_paths_that_lead_out_of_the_folder_are_refused_whatever_is_there(tmp_path, cache):
    root = tmp_path / "data"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "data2").mkdir()  # its name begins with that of the data folder
    for file in (root / "in.png", root / "sub" / "deep.png", tmp_path / "out.png", tmp_path / "data2" / "x.png"):
        face(20, len(str(file))).save(file)
    (root / "link-in.png").symlink_to("sub/deep.png")
    (root / "link-out.png").symlink_to(tmp_path / "out.png")
    (root / "broken.png").symlink_to("nothing.png")
    (root / "loop.png").symlink_to("loop.png")
    (root / "folder-out").symlink_to(tmp_path / "data2")
    (root / "x.jpg").mkdir()
    os.mkfifo(root / "pipe.png")
    inside = ["in.png", "sub/../in.png", "./sub/deep.png", "link-in.png", str(root / "in.png")]
    outside = [
        "../out.png",
        "../data2/x.png",
        "link-out.png",
        "folder-out/x.png",
        "/etc/passwd",
        "../nothing.png",
        "..",
    ]
    wrong = {"nothing.png": "no such file", "in.png/x": "no such file", "broken.png": "no such file",
             "loop.png": "cannot be read: Too many levels of symbolic links", "x.jpg": "not a file",
             "pipe.png": "not a file", "a" * 300: "cannot be read: File name too long"}  # fmt: skip
    text = "path,age\n" + "".join(f"{path},20\n" for path in (*inside, *outside, *wrong))
    dataset = built(root, cache, text)
    assert sorted(dataset.items["item_id"]) == sorted(inside)
    assert reasons(dataset) == dict.fromkeys(outside, "leads out of the data folder") | wrong


def test_a_folder_reached_through_a_link_is_as_good(three, cache, tmp_path_factory):
    link = tmp_path_factory.mktemp("links") / "link"
    link.symlink_to(three)
    assert len(built(link, cache, "path,age\na.png,20\nb.png,21\n")) == 2


def test_odd_file_names_survive_to_disk_and_back(tmp_path, cache):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    out.mkdir()
    names = [f"{20 + i}_1_1_2017011617452512{i}{odd}.png" for i, odd in enumerate(
        [" with blanks ", "三十岁", "line\nbreak", "\x1b[31mred", "quo\"te", "com,ma", "return\rhere", "🙂", "'=1+1"]
    )]  # fmt: skip
    for i, name in enumerate(names):
        face(20 + i, i).save(data / name)
    shutil.copy(data / names[0], os.fsencode(data) + b"/40_1_1_20170116174525999\xff.png")
    dataset = built(data, cache)
    assert sorted(dataset.items["item_id"]) == sorted(names)
    assert reasons(dataset) == {"40_1_1_20170116174525999\\xff.png": "the file's name is not UTF-8, rename it"}
    dataset.save(out)
    assert sorted(pd.read_csv(out / "dataset.csv")["item_id"]) == sorted(names)
    assert len(pd.read_csv(out / "excluded.csv")) == 1


@pytest.mark.parametrize("rows", ["", "x.png,20\n", "a.png,old\n", "a.png,200\nb.png,-1\nc.png,NaN\n,3\n"])
def test_not_one_usable_photo_is_an_error_that_says_why(three, cache, rows):
    with pytest.raises(DataError, match=r"lists no images|not one of the \d+ items in .* is usable: \d+ x"):
        built(three, cache, "path,age\n" + rows)


def test_nowhere_is_no_folder(tmp_path, cache):
    for format in (None, "utkface", "dataset", "annotations"):
        with pytest.raises(DataError, match=r"no such file|cannot be read: No such file|has no annotations.csv"):
            load_dataset(tmp_path / "nowhere", format=format, cache=cache)


def test_one_photo_is_a_manifest(three, cache):
    dataset = built(three, cache, "path,age\na.png,0\n")
    assert dataset.age_range.tolist() == [[0, 0]]
    assert dataset.groups.tolist() == [0]


def test_ranges_of_years_are_kept_as_ranges(three, cache):
    assert built(three, cache, "path,age\na.png,25-32\nb.png,60+\n").age_range.tolist() == [[25, 32], [60, 120]]


def test_taking_rows_keeps_their_links(dataset):
    copies = np.flatnonzero(dataset.items["item_id"].isin([utk_name(AGES[0], 0), utk_name(AGES[0], 200)]))
    part = dataset.take([*copies[::-1], 50])
    assert len(part) == 3
    assert len(part.links["same file"]) == 1
    assert len(np.unique(part.groups)) == 2
    assert np.array_equal(part.pixels, dataset.pixels[np.sort([*copies, 50])])


def test_a_limit_takes_whole_clusters_and_every_age(dataset):
    part = subsample(dataset, 60)
    assert abs(len(part) - 60) <= 5
    taken = set(part.items["item_id"])
    for group in np.unique(part.groups):
        assert set(dataset.items["item_id"][dataset.groups == group]) <= taken
    assert part.hash == subsample(dataset, 60).hash
    assert subsample(dataset, 1000) is dataset


def test_a_million_items_are_hashed_in_seconds(dataset):
    rows = np.arange(1_000_000) % len(dataset)
    big = dataset.take(rows)
    started = time.perf_counter()
    assert len(big.hash) == 16
    assert time.perf_counter() - started < 8
    assert big.hash != dataset.hash


def test_a_hundred_thousand_paths_are_checked_in_seconds(utkface):
    table = pd.DataFrame({"path": np.resize(os.listdir(utkface), 100_000), "problem": None}, dtype=object)
    started = time.perf_counter()
    _flag_paths(table, utkface)
    assert time.perf_counter() - started < 5
    assert table["problem"].isna().all()
