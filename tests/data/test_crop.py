"""A face cut out of a larger picture is the crop that was put there; the template is what the photographs show."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.commands import ageensemble, experiment
from helpers.detecting import POINTS, black, pasted, red_yunet, template
from PIL import Image

from ageensemble._utils import cache as caches
from ageensemble.data.faces import Face, Template, crop, measure
from ageensemble.data.faces.crop import placed
from ageensemble.data.synthetic import dataset
from ageensemble.errors import DataError


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder of 60 drawn faces."""
    root = tmp_path_factory.mktemp("drawn") / "drawn"
    dataset.draw(root, 60)
    return root


@pytest.fixture(scope="module")
def faces(drawn):
    """Six of them as arrays."""
    files = sorted((drawn / "images").iterdir(), key=lambda file: -file.stat().st_size)[:6]
    return [np.asarray(Image.open(file).convert("RGB")) for file in files]


def difference(crops, faces):
    """Mean absolute difference in gray levels, within a rim of three pixels that mixes with what is around."""
    pairs = zip(crops, faces, strict=True)
    return np.mean([np.abs(a[3:-3, 3:-3].astype(int) - b[3:-3, 3:-3]).mean() for a, b in pairs])


def cut(faces, *how):
    """The faces pasted into larger pictures, and cut out again by their landmarks."""
    return [crop(*pasted(face, *how, (900, 1000)), template(face.shape[:2])) for face in faces]


def test_a_face_where_the_template_has_it_stays_as_it_is(faces):
    for face in faces:
        here = Face((0, 0, 1, 1), 0.9, POINTS * face.shape[1::-1])
        np.testing.assert_array_equal(crop(face, here, template(face.shape[:2])), face)


def test_a_face_that_was_only_shifted_comes_back_as_it_was(faces):
    assert difference(cut(faces, 1, 0, (100, 60)), faces) == 0


@pytest.mark.parametrize(
    ("scale", "degrees", "most"),  # measured: 1.4 to 2.3 where the picture is larger, 5.1 where half is lost
    [(2, 20, 2.8), (3, -20, 2.8), (1.5, 90, 2.8), (2.7, 180, 2.8), (2, 0, 2.8), (0.5, 20, 6)],
)
def test_a_face_scaled_turned_and_shifted_comes_back_as_it_was(scale, degrees, most, faces):
    crops = cut(faces, scale, degrees, (450.3, 400.7))
    assert difference(crops, faces) < most
    moved = [np.roll(one, 1, 1) for one in crops]  # a single pixel aside is seen
    assert difference(moved, faces) > 1.4 * difference(crops, faces)


def test_a_face_much_larger_than_the_template_is_averaged_not_sampled():
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255  # which every tenth pixel would show as black or white
    result = crop(stripes, Face((0, 0, 1, 1), 0.9, POINTS * 800), template((80, 80)))
    assert result.shape == (80, 80, 3)
    assert result.min() >= 126
    assert result.max() <= 129


def test_beyond_the_edge_its_last_pixels_are_repeated():
    image = np.full((50, 50, 3), 200, np.uint8)
    image[:, 0], image[0, :] = 90, 90
    far = Face((0, 0, 1, 1), 0.9, POINTS * 80 - 40)  # three quarters of the crop lie left of and above the photograph
    result = crop(image, far, template((80, 80)))
    assert (result[:40, :40] == 90).all()
    assert (result[45:, 45:] == 200).all()
    nowhere = crop(image, Face((0, 0, 1, 1), 0.9, POINTS * 80 + 5000), template((80, 80)))
    assert (nowhere == 200).all()


def test_landmarks_that_are_no_face_s_cut_out_no_more_than_the_box():
    by_box = placed(Face((40, 40, 40, 40), 0.9), template())
    for mirrored in (POINTS * [1, -1], POINTS * [-1, 1]):  # least squares brings all of them to one point
        assert placed(Face((40, 40, 40, 40), 0.9, 40 + 40 * mirrored), template()) == by_box


def test_without_landmarks_box_comes_onto_box_and_nothing_is_turned():
    image = black(300, 400, (100, 60, 120))
    face, level = Face((100, 60, 120, 120), 0.9), np.exp(0.5j) * (POINTS @ [1, 1j])
    turned = Face((100, 60, 120, 120), 0.9, np.stack([level.real, level.imag], 1))
    expected = black(80, 80, (16, 16, 48))  # the template's box: a fifth from every edge
    for one, how in ((face, template()), (turned, template(landmarks=None))):
        assert np.abs(crop(image, one, how).astype(int) - expected)[..., 0].mean() < 3
    together = Face((100, 60, 120, 120), 0.9, np.full((5, 2), 150.0))  # landmarks that say nothing
    np.testing.assert_array_equal(crop(image, together, template()), crop(image, face, template()))


# --- the template ----------------------------------------------------------------------------------------------------


class Finder:
    """A detector for tests: the face of photograph `i` is where `found[i]` says."""

    name, key, sample = "by hand", "hand-1", 300

    def __init__(self, found):
        self.found, self.calls = found, 0

    def __call__(self, image):
        self.calls += 1
        return self.found[int(image[0, 0, 0])]


def photographs(shapes):
    """As `Photos`; the first pixel says which one it is."""
    shape = np.array(shapes)
    arrays = [np.full((*one, 3), i, np.uint8) for i, one in enumerate(shapes)]
    photos = SimpleNamespace(shape=shape, pixels=np.arange(len(shape), dtype=np.uint8)[:, None])
    return type("Photos", (), {**vars(photos), "__getitem__": lambda self, i: arrays[i]})()


def test_the_template_is_the_median_of_the_largest_faces_as_fractions():
    small = Face((0, 0, 1, 1), 0.99, np.zeros((5, 2)))
    boxes = [(10 + i, 20, 50, 60 + i) for i in range(21)]
    found = [[small, Face(box, 0.9, POINTS * 100 + i - 10)] for i, box in enumerate(boxes)] + [[]] * 4
    photos = photographs([(200, 100)] * 12 + [(200, 100)] * 9 + [(300, 300)] * 4)
    told = []
    result = measure(photos, np.arange(25), Finder(found), jobs=3, progress=lambda *numbers: told.append(numbers))
    assert result.shape == (200, 100)
    np.testing.assert_allclose(result.box, [0.2, 0.1, 0.5, 0.35])
    np.testing.assert_allclose(result.landmarks, POINTS * (1, 0.5))
    assert (result.n_images, result.found) == (25, 21)
    assert result.detector == {"name": "by hand", "key": "hand-1"}
    assert told[-1] == (25, 25)


def test_no_template_where_fewer_than_half_or_twenty_show_a_face():
    one = [Face((0, 0, 50, 50), 0.9, 50 * POINTS)]
    for faces_found, all_of_them, known in ((20, 40, True), (19, 19, False), (20, 41, False)):
        photos = photographs([(100, 100)] * all_of_them)
        found = [one] * faces_found + [[]] * (all_of_them - faces_found)
        assert (measure(photos, np.arange(all_of_them), Finder(found)) is not None) == known


def test_a_large_set_is_sampled_evenly_and_what_was_measured_is_kept(tmp_path):
    finder = Finder([[Face((0, 0, i + 1, 50), 0.9)] for i in range(201)])
    finder.sample = 101
    photos, rows = photographs([(201, 201)] * 201), np.arange(201)
    result = measure(photos, rows, finder, cache=tmp_path)
    assert (finder.calls, result.n_images) == (101, 101)
    assert result.box[2] == pytest.approx(101 / 201, abs=1e-5)  # rows 0, 2, ... 200
    assert result.landmarks is None
    assert measure(photos, rows, finder, cache=tmp_path).to_json() == result.to_json()
    assert finder.calls == 101
    [file] = (tmp_path / "templates").iterdir()
    file.write_text("damaged")
    assert measure(photos, rows, finder, cache=tmp_path).to_json() == result.to_json()
    finder.key = "another"
    measure(photos, rows, finder, cache=tmp_path)
    assert (finder.calls, caches.contents(tmp_path)["templates"][0]) == (303, 2)


def test_a_template_comes_back_from_json_as_it_was():
    for one in (template(), template(landmarks=None)):
        content = json.loads(json.dumps(one.to_json()))
        assert Template.from_json(content).to_json() == one.to_json()


@pytest.mark.parametrize(
    "spoilt",
    [
        {"shape": [0, 80]}, {"shape": [80, 100000]}, {"shape": [80]}, {"shape": [80.5, 80]}, {"shape": None},
        {"shape": ["80", "80"]}, {"shape": [True, True]}, {"box": [0, 0, 0, 0.5]}, {"box": [0, 0, float("nan"), 0.5]},
        {"box": [0, 0, 1e300, 1]}, {"box": [[0, 0], [1, 1]]}, {"box": "0 0 1 1"}, {"landmarks": [[0.5, 0.5]] * 5},
        {"landmarks": [[0.1, 0.2]] * 4}, {"landmarks": {}}, {"landmarks": [[0, 1], [2]]}, {"detector": "yunet"},
        {"detector": {"name": "x"}}, {"looked_at": -1}, {"found": 2}, {"found": "1"}, {"more": 1},
    ],
)  # fmt: skip
def test_a_template_from_a_stranger_is_checked(spoilt):
    with pytest.raises(DataError, match=r"^this is no template of a face: [^\n]+$"):
        Template.from_json(template().to_json() | spoilt)


@pytest.mark.parametrize("content", [None, [], "x", 5, {}])
def test_what_is_no_template_at_all_is_refused(content):
    with pytest.raises(DataError, match="this is no template"):
        Template.from_json(content)


# --- benchmark and fit measure it ------------------------------------------------------------------------------------


def floor(data, out, cache, *words):
    fixed = ["--folds", 3, "--models", "prior", "--device", "cpu", "--no-stack", "--verbose"]
    done = ageensemble("benchmark", "--data", data, "--out", out, "--cache", cache, *fixed, *words)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_benchmark_keeps_the_template_beside_the_plan_and_changes_nothing_else(drawn, tmp_path):
    out, cache = tmp_path / "runs", tmp_path / "cache"
    floor(drawn, out, cache)
    folder = experiment(out)
    before = {f.relative_to(out): f.read_bytes() for f in out.rglob("*.json") if f.name != "template.json"}
    first = json.loads((folder / "template.json").read_text())
    assert first["detector"]["name"] == "scikit-image's cascade"
    assert first["found"] >= 40
    assert 0.45 < first["box"][0] + first["box"][2] / 2 < 0.55  # the faces are in the middle
    assert "template" not in (folder / "experiment.json").read_text()
    (folder / "template.json").write_text("{}")  # damaged: measured again, or found in the cache
    floor(drawn, out, cache)
    assert json.loads((folder / "template.json").read_text()) == first
    assert {f.relative_to(out): f.read_bytes() for f in out.rglob("*.json") if f.name != "template.json"} == before


@pytest.fixture(scope="module")
def reds(tmp_path_factory):
    """60 photographs of one red square each, that `red_yunet` takes for a face."""
    root = tmp_path_factory.mktemp("reds")
    (root / "images").mkdir()
    rows, rng = ["path,age"], np.random.default_rng(0)
    for i in range(60):
        picture = black(128, 160, (32, 64, 32))
        picture[..., 1:] = rng.integers(0, 256, (8, 10, 2)).repeat(16, 0).repeat(16, 1)  # so that they differ
        Image.fromarray(picture).save(root / "images" / f"{i}.png")
        rows.append(f"{i}.png,{20 + i}")
    (root / "annotations.csv").write_text("\n".join(rows) + "\n")
    return root


def test_another_detector_replaces_the_template_but_what_is_at_hand_does_not(reds, tmp_path):
    pytest.importorskip("cv2")
    out, red = tmp_path / "runs", red_yunet(tmp_path / "red.onnx")
    floor(reds, out, tmp_path / "cache", "--detector", red)
    file = experiment(out) / "template.json"
    others = {f: f.read_bytes() for f in out.rglob("*.json") if f != file}
    first = Template.from_json({k: v for k, v in json.loads(file.read_text()).items() if k != "seal"})
    np.testing.assert_allclose(first.box, [32 / 160, 0.5, 0.2, 0.25])
    assert first.landmarks.shape == (5, 2)
    assert (first.shape, first.found) == ((128, 160), 60)
    written = file.read_bytes()
    assert "faces are found by scikit-image's cascade" in floor(reds, out, tmp_path / "cache")  # nobody insisted on it
    assert file.read_bytes() == written
    said = floor(reds, out, tmp_path / "cache", "--detector", "cascade")
    assert "no template of the faces: scikit-image's cascade finds one in too few of the images" in said
    assert file.read_bytes() == written
    other = tmp_path / "other.onnx"
    other.write_bytes(red.read_bytes() + b"\x12\x01x")  # the same network, by another producer
    floor(reds, out, tmp_path / "cache", "--detector", other)
    assert json.loads(file.read_text())["detector"]["key"] != first.detector["key"]
    assert {f: f.read_bytes() for f in out.rglob("*.json") if f != file} == others
