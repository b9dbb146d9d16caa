"""Preprocessing does what its sources say, wherever a model meets a photograph, and nothing where it is not asked."""

import io

import numpy as np
import PIL
import pytest
from helpers.commands import ageensemble, benchmark, said
from helpers.own_plugins import TRANSFORM
from PIL import Image
from skimage import exposure

from ageensemble import features
from ageensemble._utils import registry
from ageensemble._utils.io import content_key
from ageensemble.data import image_array, transforms
from ageensemble.data.synthetic import dataset
from ageensemble.data.transforms import clahe, equalize
from ageensemble.data.transforms._luma import luma
from ageensemble.errors import DataError, UsageError
from ageensemble.experiments import estimate
from ageensemble.experiments.config import BenchmarkConfig, Resources
from ageensemble.models import spec as specs
from ageensemble.splits.split import make_split


@pytest.fixture(scope="module")
def face():
    """A drawn face of 160 x 160 pixels."""
    return np.array(Image.open(io.BytesIO(dataset.portrait(60, 3))).convert("RGB").resize((160, 160)))


@pytest.fixture
def swap(tmp_path):
    file = tmp_path / "swap.py"
    file.write_text(TRANSFORM)
    return str(file)


# --- what each does ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", transforms.TRANSFORMS.names())
def test_a_photograph_stays_of_its_shape_and_the_one_that_was_given_stays_as_it_was(name, face):
    apply = transforms.load(name)
    for image in (face, face[:16, :16], face[:17, :150], np.full((20, 33, 3), 77, np.uint8)):
        before = image.copy()
        before.flags.writeable = False
        result = apply(before)
        assert (result.shape, result.dtype) == (image.shape, np.uint8)
        np.testing.assert_array_equal(apply(image), result)
        np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("name", transforms.TRANSFORMS.names())
def test_each_says_what_it_is_in_a_line(name):
    summary = registry.summary(transforms.TRANSFORMS.load(name))
    assert len(summary) > 20
    assert summary.endswith(".")
    listed = ageensemble("list", "preprocessing").stdout
    assert f"{summary}\n" in listed


def test_gray_is_the_weighted_sum_of_the_colors():
    pixel = np.array([[[10, 20, 30]]], np.uint8)  # 2.125 + 14.308 + 2.163 = 18.596
    assert transforms.load("grayscale")(pixel).tolist() == [[[19, 19, 19]]]


def test_equalized_levels_are_the_shares_of_pixels_that_are_no_brighter():
    gray = np.array([[50, 50], [100, 200]], np.uint8)
    changed = transforms.load("equalize")(np.repeat(gray[..., None], 3, 2))
    assert changed[..., 0].tolist() == [[0, 0], [128, 255]]  # none above 50, half of the others, all


def test_equalized_levels_are_those_of_scikit_image(face):
    gray = luma(face)
    reference = exposure.equalize_hist(gray)
    reference = (reference - reference.min()) / (1 - reference.min())
    assert np.abs(equalize._levels(gray)[gray] - 255 * reference).max() <= 0.5001


@pytest.mark.parametrize("name", ["equalize", "clahe"])
def test_the_differences_between_colors_stay_where_nothing_is_cut_off(name, face):
    face = face // 4 + np.array([90, 80, 70], np.uint8)  # nothing near black or white
    changed = transforms.load(name)(face)
    inside = (changed.min(2) > 0) & (changed.max(2) < 255)
    assert inside.mean() > 0.5
    differences = [np.diff(image[inside].astype(int)) for image in (face, changed)]
    np.testing.assert_array_equal(*differences)
    assert luma(changed).std() > luma(face).std()


@pytest.fixture(scope="module")
def large(face):
    """Gray levels of the face at 640 x 640 pixels: rounding in the tiles of others is small there."""
    return luma(np.asarray(Image.fromarray(face).resize((640, 640), Image.Resampling.BICUBIC)))


def test_clahe_of_one_round_is_that_of_opencv(large, monkeypatch):
    cv2 = pytest.importorskip("cv2")
    monkeypatch.setattr(clahe, "ROUNDS", 1)
    reference = cv2.createCLAHE(clipLimit=2.56, tileGridSize=(8, 8)).apply(large)  # 0.01 of the pixels, in 256 levels
    difference = np.abs(clahe.equalized(large).astype(int) - reference)
    assert difference.mean() < 1
    assert difference.max() <= 5  # its tiles lie half a pixel further


def test_clahe_is_close_to_that_of_scikit_image(large):
    reference = 255 * exposure.equalize_adapthist(large, kernel_size=(80, 80), clip_limit=0.01)
    assert np.corrcoef(clahe.equalized(large).ravel(), reference.ravel())[0, 1] > 0.997


def test_clahe_knows_no_left_and_right_and_no_above_and_below(large):
    enhanced = clahe.equalized(large).astype(int)
    for axis in (0, 1):
        assert np.abs(clahe.equalized(np.flip(large, axis)) - np.flip(enhanced, axis)).mean() < 0.01


def test_the_contrast_of_clahe_is_limited(face):
    steps = np.diff(clahe._maps(luma(face)), axis=1)
    assert steps.min() >= 0
    assert 255 * clahe.LIMIT <= steps.max() < 1.02 * 255 * clahe.LIMIT


# --- files and names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("return image / 2", "must return an array of uint8"),
        ("return image[1:]", r"as large as the one it is given, \(160, 160, 3\)"),
        ("return None", "must return an array of uint8"),
        ("return image.nothing", "failed: AttributeError"),
        ("image[:] = 0", "failed: ValueError: assignment destination is read-only"),
    ],
)
def test_preprocessing_that_fails_is_named(tmp_path, face, body, complaint):
    (tmp_path / "bad.py").write_text(TRANSFORM.replace("return image[..., ::-1]", body))
    face = face.copy()
    face.flags.writeable = False
    with pytest.raises(DataError, match=rf"preprocessing 'bad\.py' .*{complaint}"):
        transforms.load(str(tmp_path / "bad.py"))(face)


def test_the_name_of_a_model_says_how_photographs_are_preprocessed(swap):
    spec = specs.parse("svm@hog+lbp preprocess=clahe C=3")
    assert (spec.name, spec.preprocess) == ("svm C=3 preprocess=clahe", "clahe")
    assert specs.parse(spec.name) == spec
    assert specs.parse("cnn", settings=["preprocess=grayscale"]).name == "cnn preprocess=grayscale"
    assert specs.parse(f"svm preprocess={swap}").name == "svm preprocess=swap.py"


def test_without_preprocessing_a_configuration_says_nothing_of_it(swap):
    plain = specs.parse("svm").config
    assert sorted(plain) == ["ageensemble", "code_versions", "features", "model", "params"]
    changed = specs.parse("svm preprocess=clahe").config
    assert changed.pop("preprocess") == "clahe"
    assert changed.pop("code_versions") == [*plain.pop("code_versions"), transforms.version("clahe")]
    assert changed == plain
    before = specs.parse(f"svm preprocess={swap}").config
    with open(swap, "a") as file:
        file.write("# edited\n")
    assert specs.parse(f"svm preprocess={swap}").config != before


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("svm preprocess=clhe", "no transform called 'clhe'; known: .*; did you mean 'clahe'?"),
        ("svm preproces=clahe", "did you mean 'preprocess'?"),
        ("svm@hog hog.preprocess=grayscale", "hog has no parameter 'preprocess'"),
        ("prior preprocess=grayscale", "prior has no parameter 'preprocess'"),
        ("svm preprocess=./nowhere.py", "no such file"),
        ("cnn size=native preprocess=grayscale", "preprocess=grayscale needs a size in pixels, such as size=128"),
        ("test_resnet preprocessing=gray", "did you mean 'preprocess'?"),
    ],
)
def test_what_cannot_be_preprocessed_so_is_refused(text, complaint):
    with pytest.raises(UsageError, match=complaint.replace("?", r"\?")):
        specs.parse(text)


# --- the cache -----------------------------------------------------------------------------------------------------


def test_the_cache_keeps_what_was_made_before_there_was_preprocessing(dataset, tmp_path):
    squares = content_key(16, dataset.pixels, image_array.RESIZING_VERSION, PIL.__version__)
    assert image_array.resized_place(dataset, "16", tmp_path).name == f"squares16-{squares}.npy"
    places = {image_array.resized_place(dataset, "16", tmp_path, name) for name in ("", *transforms.TRANSFORMS.names())}
    hog = features.HOG()
    places |= {features.matrix_path(hog, dataset, tmp_path, "cpu", name) for name in ("", "grayscale", "clahe")}
    assert len(places) == len(transforms.TRANSFORMS.names()) + 4


def test_other_code_is_other_pixels(dataset, tmp_path, swap):
    before = image_array.resized_place(dataset, "16", tmp_path, swap)
    with open(swap, "a") as file:
        file.write("# edited\n")
    assert image_array.resized_place(dataset, "16", tmp_path, swap) != before


def test_photographs_are_preprocessed_and_then_resized(dataset, tmp_path):
    rows = np.arange(4)
    found = image_array.load_images(dataset, "20", tmp_path, preprocess="equalize")[rows]
    for square, row in zip(found, dataset.items["image"], strict=False):
        changed = Image.fromarray(transforms.load("equalize")(dataset.image_store[row]))
        np.testing.assert_array_equal(square, np.asarray(changed.resize((20, 20), Image.Resampling.BILINEAR)))
    assert not np.array_equal(image_array.load_images(dataset, "20", tmp_path)[rows], found)
    with pytest.raises(UsageError, match="'native' is as stored"):
        image_array.load_images(dataset, "native", tmp_path, preprocess="equalize")


def test_a_dry_run_counts_what_preprocessing_adds_to_the_disk(dataset, cache, tmp_path):
    resources, split = Resources(tmp_path, 2, "cpu"), make_split(dataset, 3, 0)

    def disk(*texts):
        config = BenchmarkConfig(models=texts, out=tmp_path / "runs", resources=resources)
        return estimate.estimate(config, dataset, split)["disk_bytes"]

    names = [f"cnn size=33 depth=2 preprocess={name}" for name in ("grayscale", "clahe")]
    predictions = disk("prior")
    assert disk(names[0]) - predictions == len(dataset) * 33 * 33 * 3
    assert disk(*names) - 2 * predictions == 2 * len(dataset) * 33 * 33 * 3
    hog = disk("svm@hog") - predictions
    assert disk("svm@hog", "svm@hog preprocess=clahe", "svm@hog C=3") - 3 * predictions == 2 * hog


def test_an_unknown_preprocessing_is_one_line_on_the_command_line(utkface, cache, tmp_path):
    done = benchmark(utkface, tmp_path, cache, "--model", "svm preprocess=sharpen")
    assert done.returncode == 2
    assert said(done).startswith("no transform called 'sharpen'; known: clahe, equalize, gray")
