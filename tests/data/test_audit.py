"""The audit: its counts, its words and its lists."""

import os

import numpy as np
import pandas as pd
import pytest
from conftest import AGES, PHOTOS, face, utk_name

from ageensemble.data.dataset import load_dataset
from ageensemble.data.quality import audit
from ageensemble.data.quality.grouping import group_counts, grouping
from ageensemble.reporting.data_report.summary import audit_lines, write_audit


@pytest.fixture(scope="module")
def result(dataset):
    return audit.audit(dataset)


def test_items_ages_and_attributes_are_counted(result):
    assert result["items"] == PHOTOS + 3
    assert result["excluded"] == {"not an image": 1}
    assert (result["ages"]["lowest"], result["ages"]["highest"], result["ages"]["ranges"]) == (1, 90, 0)
    assert result["gender"] == {"male": 62, "female": 61}
    assert sum(result["ethnicity"].values()) == sum(result["age_groups"].values()) == PHOTOS + 3
    assert result["age_groups"]["0-2"] == 4  # the ages 1 and 2, each drawn twice
    assert result["sides"] == {"smallest": 48, "median": 48, "largest": 48}


def test_links_are_counted_by_kind(result):
    assert result["links"] == {
        "same file": {"groups": 2, "items": 4, "several_ages": 1},
        "same pixels": {"groups": 2, "items": 4, "several_ages": 1},
        "near-duplicate": {"groups": 3, "items": 6, "several_ages": 1},
        "same moment": {"groups": 1, "items": 2, "several_ages": 1},
    }
    assert result["groups"] == PHOTOS - 1


def test_the_same_picture_with_two_ages_is_a_conflict_and_two_people_of_one_moment_are_none(result):
    one, other = utk_name(AGES[1], 1), utk_name(AGES[1] + 30, 201)
    assert result["conflicts"] == [{"gap": 30, "ages": [AGES[1], AGES[1] + 30], "items": [one, other]}]


def test_overlapping_ranges_do_not_disagree():
    y = np.array([[20, 30], [28, 40], [50, 60], [50, 50]])
    assert audit._gaps(np.array([0, 0, 1, 2]), y).tolist() == [-2, -10, 0]


def test_labels_that_are_ranges_are_shown_as_ranges(tmp_path, cache):
    for name in ("a.png", "b.png"):
        face(30, 0).save(tmp_path / name)
    (tmp_path / "annotations.csv").write_text("path,age\na.png,25-32\nb.png,38-43\n")
    dataset = load_dataset(tmp_path, cache=cache)
    result = audit.audit(dataset)
    assert result["conflicts"] == [{"gap": 6, "ages": ["25-32", "38-43"], "items": ["a.png", "b.png"]}]
    assert "    6 years: a.png (25-32), b.png (38-43)" in audit_lines(result)
    assert pd.read_csv(write_audit(dataset, result, tmp_path / "x") / "conflicts.csv")["age"].tolist() == [
        "25-32",
        "38-43",
    ]


def ranges(*y):
    return np.array(y)


@pytest.mark.parametrize(
    ("y", "name", "counts"),
    [
        (ranges((26, 26), (27, 27), (90, 90)), "default", {"23-27": 2, "81+": 1}),
        (ranges((25, 32), (25, 32), (60, 100)), "adience", {"25-32": 2, "60+": 1}),
        (ranges((20, 29), (70, 120)), "decades", None),
        (ranges((5, 31), (32, 44), (5, 31)), "labeled ranges", {"5-31": 2, "32-44": 1}),
    ],
)
def test_ranges_are_counted_in_groups_that_hold_them_whole(y, name, counts):
    if name == "decades":  # 70-120 is more than a decade
        y = y[:1]
    age_groups, cuts = grouping(y)
    assert (age_groups.name, cuts) == (name, False)
    found = {group: count for group, count in group_counts(y, age_groups).items() if count}
    assert found == (counts or {"20-29": 1})


def test_ranges_that_overlap_or_are_many_are_counted_by_their_middle_and_this_is_known():
    for y in (ranges((5, 31), (30, 44)), np.array([[a, a + 2] for a in range(0, 60, 3)])):
        age_groups, cuts = grouping(y)
        assert (age_groups.name, cuts) == ("default", True)
    assert group_counts(ranges((5, 31), (30, 44)), age_groups)["15-17"] == 0
    assert group_counts(ranges((5, 31), (30, 44)), age_groups)["18-22"] == 1  # the middle is 18


def test_persons_at_several_ages_are_no_mistakes(tmp_path, cache):
    (tmp_path / "labels.csv").write_text(
        "path,age,subject\n" + "".join(f"{i}.jpg,{20 + i},p{i // 5}\n" for i in range(10))
    )
    result = audit.audit(load_dataset(tmp_path / "labels.csv", cache=cache, with_images=False))
    text = "\n".join(audit_lines(result))
    assert "  same subject    2 persons of 10 items, 2 of them at several ages" in text
    assert "disagree" not in text


def test_the_lines_say_it_all(result):
    text = "\n".join(audit_lines(result))
    assert "123 usable items, 1 excluded" in text
    assert "1 group shows the same image with different ages" in text
    assert "  same pixels     2 groups of 4 items, 1 disagrees on age" in text
    assert "  same moment     1 moment of 2 items, 1 of them at several ages" in text
    assert f"30 years: {utk_name(AGES[1], 1)} ({AGES[1]})" in text


def test_the_lists_are_written_and_complete(dataset, result, tmp_path):
    folder = write_audit(dataset, result, tmp_path / "check")
    assert {p.name for p in folder.iterdir()} == {"dataset.csv", "excluded.csv", "conflicts.csv", "sheet.jpg"}
    assert len(pd.read_csv(folder / "dataset.csv")) == PHOTOS + 3
    assert pd.read_csv(folder / "excluded.csv")["reason"].tolist() == ["not an image"]
    assert pd.read_csv(folder / "conflicts.csv")["age"].tolist() == [AGES[1], AGES[1] + 30]


def test_names_that_would_steer_a_terminal_are_shown_harmless_and_written_as_they_are(tmp_path, cache):
    data = tmp_path / os.fsdecode(b"odd\xff\x1b[2J")
    data.mkdir()
    names = [f"{age}_1_1_20170116174525125\x1b[31m\n{age}.png" for age in (20, 50)]
    for name in names:
        face(20, 0).save(data / name)
    dataset = load_dataset(data, cache=cache)
    result = audit.audit(dataset)
    lines = list(audit_lines(result))
    assert not any(c in line for line in lines for c in "\x1b\n")
    assert any("30 years: 20_1_1_20170116174525125?[31m?20.png (20)" in line for line in lines)
    folder = write_audit(dataset, result, tmp_path / "check")
    assert sorted(pd.read_csv(folder / "conflicts.csv")["item_id"]) == names


def test_a_single_photo_can_be_audited(dataset, tmp_path):
    one = dataset.take([5])
    result = audit.audit(one)
    assert result["groups"] == 1
    assert "  nothing: every image stands alone" in audit_lines(result)
    write_audit(one, result, tmp_path / "check")


@pytest.mark.real
@pytest.mark.skipif("AGEENSEMBLE_UTKFACE" not in os.environ, reason="AGEENSEMBLE_UTKFACE names no folder of photos")
def test_utkface_has_the_duplicates_it_is_known_for(tmp_path):
    dataset = load_dataset(os.environ["AGEENSEMBLE_UTKFACE"], cache=tmp_path, n_jobs=2)
    result = audit.audit(dataset)
    assert result["items"] > 18_000
    assert result["ages"]["lowest"] == 1
    assert 110 <= result["ages"]["highest"] <= 116
    assert 250 <= result["links"]["same file"]["age_groups"] <= 400
    assert 550 <= result["links"]["near-duplicate"]["age_groups"] <= 900
    assert result["links"]["same moment"]["several_ages"] > 0
    assert result["conflicts"][0]["gap"] >= 20
