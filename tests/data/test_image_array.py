"""Photographs as models that look at them get them: squares made once, or the photographs as they are stored."""

import pickle

import numpy as np
import pytest
from conftest import face
from helpers.commands import ageensemble
from PIL import Image

from ageensemble._utils import cache as caches
from ageensemble.data import image_array
from ageensemble.data.dataset import load_dataset
from ageensemble.errors import DiskError, UsageError


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, cache):
    """The dataset of 12 photographs, alternately 40 wide and 30 high, and 24 square."""
    root = tmp_path_factory.mktemp("mixed")
    for i in range(12):
        picture = face(20 + i, 300 + i)
        picture.resize((24, 24) if i % 2 else (40, 30)).save(root / f"{20 + i}_0_0_201701162200{i:05}.png")
    return load_dataset(root, cache=cache)


def test_squares_are_what_pillow_makes_of_each_photograph(mixed, cache):
    x = image_array.load_images(mixed, "16", cache)
    assert len(x) == 12
    assert x.shapes.tolist() == [[16, 16]] * 12
    rows = np.array([7, 0, 7])
    assert x[rows].dtype == np.uint8
    for square, row in zip(x[rows], mixed.items["image"].to_numpy()[rows], strict=True):
        expected = Image.fromarray(mixed.image_store[row]).resize((16, 16), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(square, np.asarray(expected))


def test_native_photographs_are_those_of_the_store_in_the_order_of_the_items(mixed, cache):
    x = image_array.load_images(mixed, "native", cache)
    assert sorted(set(map(tuple, x.shapes.tolist()))) == [(24, 24), (30, 40)]
    for i, row in enumerate(mixed.items["image"]):
        np.testing.assert_array_equal(x[np.array([i])][0], mixed.image_store[row])
    wide = np.flatnonzero(x.shapes[:, 1] == 40)
    assert x[wide[::-1]].shape == (6, 30, 40, 3)
    np.testing.assert_array_equal(x[wide[::-1]], x[wide][::-1])


def test_photographs_of_several_shapes_are_no_array(mixed, cache):
    x = image_array.load_images(mixed, "native", cache)
    with pytest.raises(ValueError, match="2 shapes"):
        x[np.arange(12)]
    with pytest.raises(ValueError, match="0 shapes"):
        x[np.arange(0)]


def test_native_photographs_come_from_every_shard(tmp_path, monkeypatch, mixed):
    expected = [np.array(mixed.image_store[row]) for row in mixed.items["image"]]
    for module in ("data.image_store", "data.image_array"):
        monkeypatch.setattr(f"ageensemble.{module}.SHARD", 5)
    again = load_dataset(mixed.root, cache=tmp_path)
    assert len(list(tmp_path.glob("photos/*/*.u8"))) == 3
    x = image_array.load_images(again, "native", tmp_path)
    square = np.flatnonzero(x.shapes[:, 0] == 24)[::-1]
    np.testing.assert_array_equal(x[square], np.stack([expected[i] for i in square]))


def test_fewer_photographs_are_taken_by_their_rows_and_travel_to_other_processes(mixed, cache):
    x = image_array.load_images(mixed, "16", cache)
    few = pickle.loads(pickle.dumps(x.take(np.array([9, 2, 4]))))
    assert len(few) == 3
    np.testing.assert_array_equal(few[np.array([2, 0])], x[np.array([4, 9])])
    np.testing.assert_array_equal(few.take([1])[np.array([0])], x[np.array([2])])


def test_squares_are_made_once(mixed, tmp_path):
    told = []
    file = image_array.resized_file(mixed, "20", tmp_path, lambda done, total: told.append((done, total)))
    assert told == [(0, 12), (12, 12)]
    assert file == image_array.resized_place(mixed, 20, tmp_path)
    made = file.stat().st_mtime_ns
    assert image_array.resized_file(mixed, "20", tmp_path, None) == file
    assert file.stat().st_mtime_ns == made
    assert image_array.resized_place(mixed, "21", tmp_path) != file
    assert image_array.resized_place(mixed.take(np.arange(5)), "20", tmp_path) != file


def test_squares_of_other_code_or_another_pillow_are_others(mixed, tmp_path, monkeypatch):
    before = image_array.resized_place(mixed, "20", tmp_path)
    monkeypatch.setattr(image_array, "RESIZING_VERSION", image_array.RESIZING_VERSION + 1)
    after = image_array.resized_place(mixed, "20", tmp_path)
    monkeypatch.setattr("PIL.__version__", "0")
    assert len({before, after, image_array.resized_place(mixed, "20", tmp_path)}) == 3


@pytest.mark.parametrize(
    "harm",
    [
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"rubbish" * 1000),
        lambda file: np.save(file, np.zeros((12, 8, 8, 3))),
        lambda file: file.unlink(),
    ],
    ids=["cut short", "empty", "rubbish", "another array", "gone"],
)
def test_damaged_squares_are_made_again(harm, mixed, tmp_path):
    file = image_array.resized_file(mixed, "16", tmp_path)
    sound = file.read_bytes()
    (file.parent / f".{file.name}.1.tmp").write_bytes(b"what a killed process left")
    harm(file)
    assert image_array.resized_file(mixed, "16", tmp_path).read_bytes() == sound
    assert {f.suffix for f in file.parent.iterdir()} == {".npy", ".lock"}


def test_an_interrupted_making_leaves_nothing_that_is_taken_for_squares(mixed, tmp_path):
    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        image_array.resized_file(mixed, "16", tmp_path, interrupt)
    assert not list(tmp_path.rglob("*.npy"))
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_file_that_vanishes_or_shrinks_while_it_is_read_is_said(mixed, tmp_path):
    x = image_array.load_images(mixed, "16", tmp_path)
    file = image_array.resized_place(mixed, "16", tmp_path)
    file.write_bytes(file.read_bytes()[:-100])
    assert len(x[np.arange(11)]) == 11
    with pytest.raises(DiskError, match="shorter than it was; the same command makes it again"):
        x[np.arange(12)]
    file.unlink()
    with pytest.raises(DiskError, match="is gone"):
        x[np.arange(2)]


@pytest.mark.parametrize("size", ["0", "257", "-3", "12.5", "huge", "", "²", "None"])
def test_a_size_that_makes_no_sense_is_refused(size):
    with pytest.raises(UsageError, match=r"should be 'native' or a number of pixels, 1 to 256"):
        image_array.side(size)


def test_numbers_in_a_photograph():
    assert image_array.dimension("128") == 3 * 128 * 128
    assert image_array.dimension("native") == 3 * 256 * 256


def test_the_cache_knows_its_squares(mixed, tmp_path):
    image_array.resized_file(mixed, "16", tmp_path)
    entries, size = caches.contents(tmp_path)["pixels"]
    assert (entries, size) == (1, 128 + 12 * 16 * 16 * 3)
    (tmp_path / "pixels" / "holiday.npy").write_text("not ours")
    assert "pixels: 1 entry" in ageensemble("cache", "show", "--cache", tmp_path).stdout
    caches.clear(tmp_path)
    assert [f.name for f in (tmp_path / "pixels").iterdir()] == ["holiday.npy"]
