"""Splits: whole groups, every stratum in its share, the same for the same data, refused where broken."""

import time

import numpy as np
import pandas as pd
import pytest
from conftest import face

from ageensemble.data.dataset import load_dataset
from ageensemble.errors import DataError
from ageensemble.splits.split import TEST, Split, leaking_rows, make_split, read_split, split_hash
from ageensemble.splits.stratified_groups import N_INNER_FOLDS, age_gender_strata, assign_stratified_groups, inner_folds

SHARES = [0.2, *[0.16] * 5]


def strata(n, seed=0):
    """Strata as a real set has them: many items in some, a handful in others."""
    rng = np.random.default_rng(seed)
    return np.minimum(rng.exponential(6, n).astype(int), 30)


def split_file(folder, text):
    (folder / "split.csv").write_text(text)
    return folder / "split.csv"


def as_text(dataset, part):
    names = np.where(part == TEST, "test", part.astype(str))
    return "item_id,part\n" + "".join(f"{i},{p}\n" for i, p in zip(dataset.items["item_id"], names, strict=True))


@pytest.mark.parametrize("n", [6, 37, 1000, 20_000])
def test_single_items_are_spread_over_the_parts_by_their_shares_in_every_stratum(n):
    stratum = strata(n)
    part = assign_stratified_groups(stratum, np.arange(n), SHARES, 0)
    for s in np.unique(stratum):
        got = np.bincount(part[stratum == s], minlength=6)
        assert np.abs(got - np.multiply(SHARES, got.sum())).max() <= 2
    assert np.abs(np.bincount(part, minlength=6) - np.multiply(SHARES, n)).max() <= 2


@pytest.mark.parametrize("people", [10, 100, 1500])
def test_clusters_are_never_parted_and_the_parts_keep_their_shares(people):
    n = 3000
    group = np.random.default_rng(people).integers(0, people, n)
    stratum = strata(n)
    part = assign_stratified_groups(stratum, group, SHARES, 0)
    assert (np.bincount(part, minlength=6) > 0).all()
    assert len(np.unique(np.stack([group, part], 1), axis=0)) == len(np.unique(group))
    largest = np.bincount(group).max()
    assert np.abs(np.bincount(part) - np.multiply(SHARES, n)).max() <= largest
    if people == 1500:  # groups of two: the strata stay close to their shares as well
        counts = np.array([np.bincount(part[stratum == s], minlength=6) for s in np.unique(stratum)])
        assert np.abs(counts - counts.sum(1, keepdims=True) * SHARES).max() <= 6


def test_the_same_seed_gives_the_same_plan_and_another_seed_another(dataset):
    assert make_split(dataset, random_state=3).hash == make_split(dataset, random_state=3).hash
    assert make_split(dataset, random_state=3).hash != make_split(dataset, random_state=4).hash


def test_names_of_clusters_and_strata_do_not_matter():
    stratum, group = strata(500), np.random.default_rng(0).integers(0, 200, 500)
    one = assign_stratified_groups(stratum, group, SHARES, 0)
    assert np.array_equal(one, assign_stratified_groups(stratum * 7 + 5, group * 1000, SHARES, 0))


def test_a_plan_is_made_for_the_items_not_for_the_order_of_the_source(tmp_path, cache):
    rows = []
    for i in range(30):
        face(20 + i, 500 + i).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png,{20 + i},p{i // 2}\n")
    hashes = set()
    for order in (rows, rows[::-1], rows[1::2] + rows[::2]):
        (tmp_path / "annotations.csv").write_text("path,age,subject\n" + "".join(order))
        hashes.add(make_split(load_dataset(tmp_path, cache=cache)).hash)
    assert len(hashes) == 1


def test_a_plan_covers_every_item_once_and_parts_no_cluster(dataset):
    split = make_split(dataset)
    assert split.n_folds == 5
    assert sorted(np.concatenate([split.test, *(split.held_out(f) for f in range(5))])) == list(range(len(dataset)))
    assert abs(len(split.test) - 0.2 * len(dataset)) <= 2
    assert len(leaking_rows(split, dataset.groups)) == 0
    for fold in range(5):
        assert set(split.training(fold)) == set(split.development) - set(split.held_out(fold))


def test_the_test_share_and_the_number_of_folds_are_obeyed(dataset):
    split = make_split(dataset, n_folds=2, test_size=0.5)
    assert [(split.fold == p).sum() for p in (TEST, 0, 1)] == pytest.approx([61, 31, 31], abs=2)


@pytest.mark.parametrize(("n", "folds"), [(1, 2), (5, 5), (3, 2)])
def test_fewer_items_than_parts_is_an_error_that_says_so(dataset, n, folds):
    few = dataset.take(np.arange(30, 30 + n))
    if n == 3:
        assert len(np.unique(make_split(few, n_folds=folds).fold)) == 3
    else:
        with pytest.raises(
            DataError, match=rf"{n} items? .* cannot fill a test part and {folds} folds; .* fewer --folds"
        ):
            make_split(few, n_folds=folds)


def test_one_person_alone_cannot_be_split(tmp_path, cache):
    for i in range(8):
        face(20, 700 + i).save(tmp_path / f"{i}.png")
    (tmp_path / "annotations.csv").write_text("path,age,subject\n" + "".join(f"{i}.png,20,me\n" for i in range(8)))
    with pytest.raises(DataError, match=r"8 items in 1 group"):
        make_split(load_dataset(tmp_path, cache=cache), n_folds=2)


def test_a_single_age_splits_well(tmp_path, cache):
    for i in range(20):
        face(20, 800 + i).save(tmp_path / f"{i}.png")
    (tmp_path / "annotations.csv").write_text("path,age\n" + "".join(f"{i}.png,20\n" for i in range(20)))
    part = make_split(load_dataset(tmp_path, cache=cache)).fold
    assert (np.bincount(part + 1) >= 3).all()


def test_strata_are_the_fourteen_ranges_by_gender_where_known():
    y = np.array([[1, 1], [2, 2], [1, 1], [90, 90], [1, 1], [25, 32], [28, 28]])
    found = age_gender_strata(y, ["male", "male", "female", None, np.nan, "male", "male"])
    assert found[0] == found[1]
    assert len({found[0], found[2], found[3], found[4]}) == 4
    assert found[5] == found[6]  # a range counts by its middle


def test_inner_parts_keep_clusters_whole():
    group = np.repeat(np.arange(100), 3)
    rows = np.arange(0, 300, 2)
    part = inner_folds(strata(300), group, rows, 0)
    assert sorted(np.unique(part)) == list(range(N_INNER_FOLDS))
    assert all(len(np.unique(part[group[rows] == c])) == 1 for c in np.unique(group[rows]))


def test_a_saved_plan_read_back_is_the_same_plan(dataset, tmp_path):
    split = make_split(dataset, random_state=1)
    split.save(tmp_path, dataset.items["item_id"])
    again, covered = read_split(tmp_path / "split.csv", dataset)
    assert again.hash == split.hash
    assert np.array_equal(again.fold, split.fold)
    assert covered.hash == dataset.hash


def test_the_order_of_a_plan_file_does_not_matter(dataset, tmp_path):
    split = make_split(dataset)
    head, *lines = as_text(dataset, split.fold).splitlines(keepends=True)
    assert read_split(split_file(tmp_path, head + "".join(lines[::-1])), dataset)[0].hash == split.hash


def test_items_that_a_plan_does_not_name_take_no_part(dataset, tmp_path):
    part = np.arange(len(dataset)) % 3 - 1
    split, covered = read_split(split_file(tmp_path, as_text(dataset.take(np.arange(60)), part[:60])), dataset)
    assert len(split.fold) == len(covered) == 60
    assert split.n_folds == 2


def test_a_plan_that_parts_a_cluster_is_found_out(dataset, tmp_path):
    group, count = np.unique(dataset.groups, return_counts=True)
    torn = np.flatnonzero(dataset.groups == group[count > 1][0])
    part = make_split(dataset).fold.copy()
    part[torn] = [TEST, 0]
    split, covered = read_split(split_file(tmp_path, as_text(dataset, part)), dataset)
    assert leaking_rows(split, covered.groups).tolist() == torn.tolist()


BAD = {
    "": "is not a readable table",
    "item_id,part\n": "a split without items",
    "id,fold\na,1\n": "needs the columns item_id and part",
    "item_id,part\n{0},0\n{0},1\n": "names '{0}' twice",
    "item_id,part\n{0},0\nghost.jpg,1\n": "1 item of the split .* not among the usable photographs; first: ghost.jpg",
    "item_id,part\n{0},train\n": "part 'train' is neither 'test' nor a fold number",
    "item_id,part\n{0}\n{1},test\n": "part '' is neither",
    "item_id,part\n{0},-1\n": "part '-1' is neither",
    "item_id,part\n{0},1.0\n": "part '1.0' is neither",
    "item_id,part\n{0},test\n{1},1\n": "no item in fold 0",
    "item_id,part\n{0},test\n{1},0\n": "no item in fold 1",
    "item_id,part\n{0},test\n{1},9999\n": "no item in fold 0",
    "item_id,part\n{0},test\n{1},test\n": "no item in fold 0",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_plan_file_is_refused_in_one_line(dataset, tmp_path, text):
    first, second = dataset.items["item_id"][:2]
    message = BAD[text].format(first, second)
    with pytest.raises(DataError, match=message) as error:
        read_split(split_file(tmp_path, text.format(first, second)), dataset)
    assert "\n" not in str(error.value)


def test_a_plan_file_may_have_no_test_part(dataset, tmp_path):
    split, covered = read_split(split_file(tmp_path, as_text(dataset, np.arange(len(dataset)) % 3)), dataset)
    assert (split.n_folds, split.parts, len(covered)) == (3, ("oof",), len(dataset))
    split.save(tmp_path, dataset.items["item_id"])
    assert read_split(tmp_path / "split.csv", dataset)[0].hash == split.hash


def test_a_plan_file_that_is_not_there_is_refused(dataset, tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_split(tmp_path / "split.csv", dataset)


def test_a_name_with_a_carriage_return_survives_a_plan_file(tmp_path):
    split = Split(np.array([TEST, 0, 1]), 2, "", "")
    split.save(tmp_path, ["a\rb", "c\nd", 'e"f'])
    assert pd.read_csv(tmp_path / "split.csv")["item_id"].tolist() == ["a\rb", "c\nd", 'e"f']


def test_a_hundred_thousand_items_are_split_in_three_seconds():
    n = 100_000
    started = time.process_time()
    part = assign_stratified_groups(strata(n), np.random.default_rng(0).integers(0, n // 2, n), SHARES, 0)
    assert time.process_time() - started < 3
    assert np.bincount(part) / n == pytest.approx(SHARES, abs=1e-3)


@pytest.mark.slow
def test_a_million_items_are_split_in_twenty_seconds():
    n = 1_000_000
    started = time.perf_counter()
    part = assign_stratified_groups(strata(n), np.random.default_rng(0).integers(0, n // 3, n), SHARES, 0)
    assert len(split_hash([str(i) for i in range(n)], part)) == 16
    assert time.perf_counter() - started < 20
    assert np.bincount(part) / n == pytest.approx(SHARES, abs=1e-3)


def test_items_that_a_plan_file_leaves_out_are_listed_with_the_reason(dataset, tmp_path):
    whole = make_split(dataset, n_folds=3)
    whole.save(tmp_path, dataset.items["item_id"])
    lines = (tmp_path / "split.csv").read_text().splitlines()
    (tmp_path / "part.csv").write_text("\n".join(lines[:-10]) + "\n")
    _, covered = read_split(tmp_path / "part.csv", dataset)
    assert len(covered) == len(dataset) - 10
    assert covered.reasons["not in the split"] == 10
    assert len(covered.excluded) == len(dataset.excluded) + 10
