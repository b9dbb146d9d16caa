"""A feature matrix is made once, and again where the cache was damaged or the code is another."""

import numpy as np

from ageensemble import features
from ageensemble._utils import registry


def made(dataset, cache):
    params = registry.defaults(features.load("hog")) | {"size": 24, "cell": 4}
    return features.matrix_file("hog", params, dataset, cache, "cpu")


def test_a_matrix_cut_short_is_made_again(dataset, tmp_path):
    file = made(dataset, tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert made(dataset, tmp_path) == file
    assert file.read_bytes() == whole


def test_a_matrix_that_is_there_is_not_made_again(dataset, tmp_path):
    before = made(dataset, tmp_path).stat().st_mtime_ns
    assert made(dataset, tmp_path).stat().st_mtime_ns == before


def test_photographs_that_come_to_be_resized_otherwise_have_another_matrix(dataset, tmp_path, monkeypatch):
    params = registry.defaults(features.load("hog"))
    before = features.matrix_place("hog", params, dataset, tmp_path, "cpu")
    assert before == features.matrix_place("hog", params, dataset, tmp_path, "cpu")
    monkeypatch.setattr(features, "SQUARES", features.SQUARES + 1)
    assert features.matrix_place("hog", params, dataset, tmp_path, "cpu") != before


def test_rows_of_several_matrices_stand_side_by_side(tmp_path):
    left, right = np.arange(6, dtype=np.float32).reshape(3, 2), np.float32([[7], [8], [9]])
    for name, matrix in (("a", left), ("b", right)):
        np.save(tmp_path / f"{name}.npy", matrix)
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]
    assert features.read(files, [0, 2]).tolist() == [[0, 1, 7], [4, 5, 9]]
    assert features.widths(files) == (2, 1)
