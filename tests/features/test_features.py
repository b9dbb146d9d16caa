"""What every feature extractor promises, and the matrix of features that the cache keeps."""

import numpy as np
import pytest
import timm
import torch
from helpers.commands import BRIGHTNESS
from PIL import Image
from safetensors.torch import save_file
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from ageensemble import features
from ageensemble._utils import registry
from ageensemble._utils.params import describe_parameters
from ageensemble.errors import AgeEnsembleError, DataError, UsageError
from ageensemble.features import FEATURES, HOG, Embedding, FeatureExtractor, matrix

each_feature_set = pytest.mark.parametrize("name", FEATURES.names())


@pytest.fixture
def example(tmp_path):
    """An extractor by its name, with its defaults and what it cannot do without."""

    def made(name):
        if name != "embedding":
            return FEATURES.load(name)()
        save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "w.safetensors")
        return Embedding(network="test_resnet", weights=str(tmp_path / "w.safetensors"), size=32)

    return made


def noise(n, size):
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


@each_feature_set
def test_features_are_one_finite_row_per_image_alone(name, example):
    extractor = example(name)
    images = noise(5, extractor.size)
    rows = extractor.transform(images)
    assert rows.shape == (5, extractor.n_features())
    assert rows.dtype == np.float32
    np.testing.assert_allclose(extractor.transform(images[2:3])[0], rows[2], rtol=1e-4, atol=1e-6)
    assert extractor.transform(images[:0]).shape == (0, rows.shape[1])


@each_feature_set
def test_features_leave_the_batch_as_it_was(name, example):
    extractor = example(name)
    batch = torch.from_numpy(noise(2, extractor.size)).permute(0, 3, 1, 2)
    before = batch.clone()
    extractor.extract(batch)
    assert torch.equal(batch, before)


@each_feature_set
def test_features_of_the_mirror_image_are_the_same(name, example):
    extractor = example(name)
    images = noise(2, extractor.size)
    np.testing.assert_allclose(extractor.transform(images), extractor.transform(images[:, :, ::-1].copy()), atol=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@each_feature_set
def test_features_on_a_gpu_are_those_on_a_processor(name, example):
    extractor = example(name)
    images = noise(5, extractor.size)
    np.testing.assert_allclose(extractor.transform(images, "cuda"), extractor.transform(images), atol=1e-3)


@each_feature_set
def test_features_are_described_and_have_a_version(name, example):
    cls = FEATURES.load(name)
    assert len(registry.summary(cls)) > 20
    assert all(row["type"] and row["description"] for row in describe_parameters(cls))
    assert isinstance(cls.version, int)
    assert cls.name == name
    copy = clone(example(name))
    assert copy.get_params() == example(name).get_params()


def test_features_of_a_dataset_feed_a_pipeline(dataset):
    hog = HOG(size=24, cell=4)
    rows = hog.transform(dataset)
    assert rows.shape == (len(dataset), hog.n_features())
    pipeline = make_pipeline(hog, Ridge()).fit(dataset, dataset.age_range[:, 0])
    assert pipeline.predict(dataset.images.take([0, 1])).shape == (2,)


def test_features_are_the_same_of_paths_images_and_arrays(dataset, utkface):
    hog = HOG(size=24, cell=4)
    rows = hog.transform(dataset)[:2]
    paths = [utkface / path for path in dataset.items["path"][:2]]
    opened = [Image.open(path) for path in paths]
    for images in (paths, opened, [np.asarray(image) for image in opened], dataset.images.take([0, 1])):
        np.testing.assert_array_equal(hog.transform(images), rows)
    with pytest.raises(DataError, match="cannot be read"):
        hog.transform(["nowhere.jpg"])


def test_extra_keyword_arguments_are_parameters():
    extractor = Embedding(network="test_resnet", global_pool="max")
    assert extractor.set_params(size=32, pad_type="same").get_params()["pad_type"] == "same"
    assert extractor.extra_kwargs == {"global_pool": "max", "pad_type": "same"}
    with pytest.raises(ValueError, match="Invalid parameter"):
        HOG().set_params(pad_type="same")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("return batch.float().mean()", "a row for each of 4"),
        ("return batch.float().flatten(1) * float('nan')", "finite"),
        ("return batch.nothing", "AttributeError"),
        ("raise ValueError('size is odd')", "size is odd"),
    ],
)
def test_features_that_fail_are_named(tmp_path, body, complaint):
    file = tmp_path / "bad.py"
    file.write_text(BRIGHTNESS[: BRIGHTNESS.index("        return batch")] + f"        {body}\n")
    with pytest.raises(AgeEnsembleError, match=complaint):
        FEATURES.load(str(file))().transform(noise(4, 16))


def test_features_without_a_size_are_refused(tmp_path):
    file = tmp_path / "bad.py"
    file.write_text(BRIGHTNESS.replace("size=16, ", ""))
    with pytest.raises(UsageError, match="needs a keyword parameter size"):
        FEATURES.load(str(file))


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'hog'"):
        FEATURES.load("hgo")
    assert FEATURES.load("colour") is features.ColorHistogram
    assert issubclass(FEATURES.load("embed"), FeatureExtractor)


# --- the matrix of a dataset ------------------------------------------------------------------------------------------

SMALL = HOG(size=24, cell=4)


def test_a_matrix_has_a_row_for_each_item_and_is_made_once(dataset, tmp_path):
    file = features.feature_matrix(SMALL, dataset, tmp_path)
    np.testing.assert_allclose(np.load(file), SMALL.transform(dataset), atol=1e-6)
    before = file.stat().st_mtime_ns
    assert features.feature_matrix(SMALL, dataset, tmp_path) == file
    assert file.stat().st_mtime_ns == before


def test_a_matrix_cut_short_is_made_again(dataset, tmp_path):
    file = features.feature_matrix(SMALL, dataset, tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert features.feature_matrix(SMALL, dataset, tmp_path) == file
    assert file.read_bytes() == whole


def test_half_a_matrix_of_a_killed_process_is_cleared_away(dataset, tmp_path):
    path = features.matrix_path(SMALL, dataset, tmp_path, "cpu")
    path.parent.mkdir()
    left = path.with_name(f".{path.name}.12345.tmp")
    left.write_bytes(b"half")
    features.feature_matrix(SMALL, dataset, tmp_path)
    assert not left.exists()


def test_all_that_decides_the_numbers_decides_the_path(dataset, tmp_path, monkeypatch):
    def path(extractor=SMALL, **given):
        return features.matrix_path(extractor, dataset, tmp_path, **{"device": "cpu"} | given)

    before = path()
    assert path() == before
    changed = {path(HOG(size=24, cell=5)), path(features.LBP(size=24)), path(device="cuda"), path(preprocess="clahe")}
    monkeypatch.setattr(matrix, "RESIZING_VERSION", matrix.RESIZING_VERSION + 1)
    changed.add(path())
    monkeypatch.undo()
    monkeypatch.setattr(HOG, "version", HOG.version + 1)
    changed.add(path())
    assert len(changed - {before}) == 6


def test_a_file_of_features_that_changes_has_another_matrix(dataset, tmp_path):
    file = tmp_path / "brightness.py"
    file.write_text(BRIGHTNESS)
    extractor = FEATURES.load(str(file))()
    assert np.load(features.feature_matrix(extractor, dataset, tmp_path)).shape == (len(dataset), 1)
    before = features.matrix_path(extractor, dataset, tmp_path, "cpu")
    file.write_text(BRIGHTNESS.replace("mean(", "amax("))
    assert features.matrix_path(extractor, dataset, tmp_path, "cpu") != before


def test_rows_of_several_matrices_stand_side_by_side(tmp_path):
    left, right = np.arange(6, dtype=np.float32).reshape(3, 2), np.float32([[7], [8], [9]])
    for name, rows in (("a", left), ("b", right)):
        np.save(tmp_path / f"{name}.npy", rows)
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]
    assert features.read_features(files, [0, 2]).tolist() == [[0, 1, 7], [4, 5, 9]]
    assert features.feature_widths(files) == (2, 1)


def test_pipeline_from_images_to_ages_works_in_a_grid_search(dataset):
    from sklearn.model_selection import GridSearchCV

    from ageensemble.models import KNN
    from ageensemble.splits.split import make_split

    rows = np.arange(0, len(dataset), 2)
    pipeline = make_pipeline(HOG(size=32, cell=8, block=2), KNN(k=5, pca=8))
    taken = dataset.take(rows)
    search = GridSearchCV(pipeline, {"knn__k": [3, 9]}, cv=make_split(taken, n_folds=2), scoring="r2")
    assert np.isfinite(search.fit(taken.images, taken.age).best_score_)
