"""The drawn demo dataset: the same from the same seed, with the faults it lists, and with faces that age."""

import csv
from collections import Counter
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from ageensemble.data.synthetic import dataset
from ageensemble.data.synthetic.ageing import aged
from ageensemble.data.synthetic.face import face

N = 150
COLUMNS = ["path", "age", "gender", "skin_tone", "subject"]


def table(root):
    with (root / "annotations.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def contents(root):
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def opens(path):
    try:
        with Image.open(path) as image:
            image.load()
            return min(image.size) > 1
    except OSError:
        return False


def difference_hash(path):
    with Image.open(path) as image:
        gray = np.asarray(image.convert("L").resize((17, 16), Image.Resampling.LANCZOS)).astype(int)
    return (np.diff(gray) > 0).ravel()


def same_person_at(*ages, people=12):
    """The same people, in the same light and pose, at several ages."""
    for k in range(people):
        person = dataset._person(np.random.default_rng(k), "S")
        capture = dataset._capture(np.random.default_rng(k), person, 30)
        capture.glasses = capture.hat = capture.hand = 0
        yield [face(person, age, capture, np.random.default_rng(k)) for age in ages]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    dataset.draw(folder, n=N)
    return folder


@pytest.fixture(scope="module")
def rows(root):
    return table(root)


def test_the_same_seed_draws_the_same_bytes(root, tmp_path):
    dataset.draw(tmp_path, n=N, seed=0)
    assert contents(tmp_path) == contents(root)


def test_another_seed_draws_another_set(root, tmp_path):
    dataset.draw(tmp_path, n=60, seed=1)
    assert not set(contents(tmp_path).values()) & {data for data in contents(root).values() if len(data) > 1000}


def test_progress_counts_up_to_the_number_drawn(tmp_path):
    seen = []
    dataset.draw(tmp_path, n=50, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert {total for _, total in seen} == {len(seen)}


def test_the_table_has_one_row_per_image_with_the_documented_columns(rows):
    assert len(rows) == N
    assert list(rows[0]) == COLUMNS
    assert len({row["path"] for row in rows}) == N
    assert {row["skin_tone"] for row in rows} <= {f"tone{k}" for k in range(1, 7)}
    assert {row["gender"] for row in rows} == {"male", "female", ""}


def test_ages_are_whole_years_but_for_the_blank_and_the_impossible(rows):
    ages = [int(row["age"]) for row in rows if row["age"]]
    assert len(rows) - len(ages) == dataset.BLANK_AGES
    assert sorted(age for age in ages if not 0 <= age <= dataset.MAX_AGE) == sorted(dataset.IMPOSSIBLE_AGES)


def test_every_listed_file_opens_but_for_the_missing_and_the_corrupt(root, rows):
    missing = [row for row in rows if not (root / row["path"]).exists()]
    corrupt = [row for row in rows if row not in missing and not opens(root / row["path"])]
    assert len(missing) == dataset.MISSING_FILES
    assert len(corrupt) == len(dataset.CORRUPT)


def test_exact_copies_are_as_many_as_documented_and_some_disagree_on_the_age(root, rows):
    by_content = {}
    for row in rows:
        path = root / row["path"]
        if path.exists():
            by_content.setdefault(sha256(path.read_bytes()).digest(), []).append(row)
    copied = [group for group in by_content.values() if len(group) > 1]
    assert len(copied) == round(dataset.FAULTS["copy"] * N)
    assert sum(len({row["age"] for row in group}) > 1 for group in copied) == 1


def test_a_difference_hash_finds_the_copies_and_takes_no_two_people_for_one(root, rows):
    good = [row for row in rows if opens(root / row["path"])]
    hashes = np.array([difference_hash(root / row["path"]) for row in good])
    distances = (hashes[:, None] != hashes[None]).sum(axis=2)
    pairs = [(good[i], good[j]) for i, j in np.argwhere(np.triu(distances <= 12, k=1))]
    copies = round(dataset.FAULTS["copy"] * N) + round(dataset.FAULTS["near copy"] * N)
    assert copies - 1 <= len(pairs) <= copies
    assert all("" in (a["subject"], b["subject"]) for a, b in pairs)


def test_copies_have_no_subject_and_most_other_images_do(rows):
    blank = sum(row["subject"] == "" for row in rows)
    assert 0.08 * N < blank < 0.25 * N


def test_people_are_seen_up_to_six_times(rows):
    times = Counter(row["subject"] for row in rows if row["subject"])
    assert max(times.values()) <= 6
    assert min(times.values()) == 1
    assert len(times) > N / 4


def test_a_wrong_age_is_far_off():
    rng = np.random.default_rng(0)
    assert all(abs(dataset._other_age(age, rng) - age) >= 20 for age in range(0, dataset.MAX_AGE + 1, 5))


def test_eyes_rise_on_the_head_as_a_child_grows():
    person = dataset._person(np.random.default_rng(0), "S")
    heights = [aged(person, age).eye_v for age in (0, 2, 6, 12, 20)]
    assert heights == sorted(heights, reverse=True)


def test_skin_has_more_lines_in_an_old_face_than_in_the_same_face_when_young():
    def lines(image):
        cheeks_and_mouth = image[40:75, 22:62].mean(axis=2)
        return np.abs(np.diff(cheeks_and_mouth, 2, axis=0)).mean() / cheeks_and_mouth.mean()

    young, middle, old = np.mean([[lines(image) for image in images] for images in same_person_at(20, 50, 80)], axis=0)
    assert young < 0.9 * middle
    assert middle < 0.9 * old


def test_hair_loses_its_color_with_age():
    person = dataset._person(np.random.default_rng(3), "S")
    person.dyed = 0.0
    grays = [aged(person, age).gray for age in (20, 45, 60, 85)]
    assert grays == sorted(grays)
    assert grays[0] < 0.1
    assert grays[-1] > 0.9
