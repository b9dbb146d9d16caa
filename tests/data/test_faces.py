"""Faces are found by the detector that was asked for, in the photograph's own pixels, or it is said why not."""

import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers.commands import ageensemble, said
from helpers.detecting import POINTS, black, red_yunet, template
from PIL import Image

from ageensemble.data.faces import Face, detector, detectors, remarks, yunet
from ageensemble.data.faces.face import iou, non_max_suppression
from ageensemble.data.synthetic import dataset
from ageensemble.errors import DataError, UsageError


@pytest.fixture(scope="module")
def red(tmp_path_factory):
    pytest.importorskip("cv2")
    return red_yunet(tmp_path_factory.mktemp("yunet") / "red.onnx")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Twelve drawn faces."""
    root = tmp_path_factory.mktemp("drawn")
    dataset.draw(root, 50)
    sound = [file for file in sorted((root / "images").iterdir()) if _opens(file)]
    return [np.asarray(Image.open(file).convert("RGB")) for file in sound[:12]]


def _opens(file):
    try:
        with Image.open(file) as image:
            image.load()
            return min(image.size) > 16
    except OSError:
        return False


@pytest.fixture
def one_look(monkeypatch):
    monkeypatch.setattr(yunet, "LOOKS", 0)


def test_boxes_and_landmarks_are_those_that_the_network_gives(red, tmp_path, one_look):
    [face] = detector(red, cache=tmp_path)(black(192, 192, (64, 32, 32)))
    assert face.box == pytest.approx((64, 32, 32, 32))
    np.testing.assert_allclose(face.landmarks, [(72, 40), (88, 40), (80, 48), (72, 56), (88, 56)])
    assert face.score == pytest.approx(1)


def test_blue_is_not_taken_for_red(red, tmp_path):
    assert detector(red, cache=tmp_path)(black(192, 192, (64, 32, 32))[..., ::-1]) == []


def test_a_large_photograph_is_reduced_and_its_faces_come_back_in_its_own_pixels(red, tmp_path, one_look):
    found = detector(red, cache=tmp_path)(black(1440, 1920, (192, 288, 96)))  # looked at in 640 x 480
    [face] = found
    assert face.box == pytest.approx((192, 288, 96, 96))
    np.testing.assert_allclose(face.landmarks, np.array([192, 288]) + 96 * POINTS)


def test_a_very_large_photograph_is_looked_at_more_closely(red, tmp_path, one_look):
    small = black(1920, 3200, (512, 640, 64))  # 13 pixels of 640, which are none to the network, but 32 of 1600
    [face] = detector(red, cache=tmp_path)(small)
    assert face.box == pytest.approx((512, 640, 64, 64))


@pytest.mark.parametrize(("degrees", "moved"), [(0, (16, 0)), (90, (0, 16)), (180, (-16, 0))])
def test_a_closer_look_sees_the_face_upright_and_brings_its_landmarks_back(degrees, moved, red, tmp_path, monkeypatch):
    find, views = detector(red, cache=tmp_path), []
    in_view = yunet.VIEW.landmarks * 160
    answer = np.concatenate([(40, 30, 80, 100), (in_view + np.array([4, 0])).ravel(), [0.9]])

    def four_pixels_to_the_right(self, picture):
        views.append(picture.shape)
        return answer[None]

    monkeypatch.setattr(yunet.YuNet, "_found", four_pixels_to_the_right)
    there = 2 * np.exp(1j * np.radians(degrees)) * (in_view @ [1, 1j]) + 500 + 500j  # twice the size of the view
    face = Face((0, 0, 1, 1), 0.9, np.stack([there.real, there.imag], 1))
    closer = find._closer(black(1000, 1000), face)
    np.testing.assert_allclose(closer.landmarks - face.landmarks, [moved] * 5, atol=1e-9)  # two looks, 8 pixels each
    assert views == [(160, 160, 3)] * 2
    monkeypatch.setattr(yunet.YuNet, "_found", lambda self, picture: np.zeros((0, 15)))
    assert find._closer(black(1000, 1000), face) is face


def test_a_face_found_at_two_sizes_is_one_the_first():
    first, same, beside = Face((0, 0, 100, 100), 0.9), Face((10, 0, 100, 100), 0.8), Face((70, 0, 100, 100), 0.7)
    assert iou(first.box, same.box) == pytest.approx(90 / 110)
    assert iou(first.box, beside.box) == pytest.approx(30 / 170)
    assert non_max_suppression([first, same, beside]) == [first, beside]


def test_a_small_photograph_is_enlarged(red, tmp_path):
    [face] = detector(red, cache=tmp_path)(black(64, 64, (16, 32, 16)))  # looked at in 128 x 128
    assert face.box == pytest.approx((16, 32, 16, 16))


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (16, 4000)])
@pytest.mark.parametrize("which", ["cascade", "red"])
def test_a_photograph_of_any_shape_can_be_looked_at(which, shape, red, tmp_path):
    assert detector(red if which == "red" else which, cache=tmp_path)(black(*shape)) == []


def test_threads_find_what_one_alone_finds(red, tmp_path):
    find = detector(red, cache=tmp_path)
    photographs = [black(192, 32 * (2 + i % 5), (32 * (i % 2), 64, 32)) for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        together = [[face.box for face in faces] for faces in pool.map(find, photographs)]
    assert together == [[face.box for face in find(photograph)] for photograph in photographs]
    assert all(len(boxes) == 1 for boxes in together)


def test_making_the_network_says_nothing_on_the_error_stream(red, tmp_path, capfd):
    detector(red, cache=tmp_path)(black(64, 64))
    assert capfd.readouterr() == ("", "")


def test_the_cascade_finds_drawn_faces_largest_first_without_score_or_landmarks(drawn, tmp_path):
    find = detector("cascade", cache=tmp_path)
    found = [find(photograph) for photograph in drawn]
    assert sum(map(bool, found)) >= 9  # 10 of 12 when this was written
    for photograph, faces in zip(drawn, found, strict=True):
        areas = [face.box[2] * face.box[3] for face in faces]
        assert areas == sorted(areas, reverse=True)
        for face in faces[:1]:
            assert math.isnan(face.score)
            assert face.landmarks is None
            middle = face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2
            assert np.abs(np.array(middle) / photograph.shape[1::-1] - (0.5, 0.55)).max() < 0.15


def test_the_cascade_finds_two_faces_in_a_large_photograph_where_they_are(drawn, tmp_path):
    whole = np.full((600, 900, 3), 128, np.uint8)
    corners = [(100, 150), (560, 200)]
    for (x, y), face in zip(corners, drawn, strict=False):
        large = np.asarray(Image.fromarray(face).resize((240, 240), Image.Resampling.BICUBIC))
        whole[y : y + 240, x : x + 240] = large
    found = detector("cascade", cache=tmp_path)(whole)
    middles = sorted((face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2) for face in found)
    assert len(middles) == 2
    for (x, y), middle in zip(corners, middles, strict=True):
        assert np.abs(np.array(middle) - (x + 120, y + 130)).max() < 36


def test_auto_takes_yunet_only_where_it_was_fetched_and_says_which(red, tmp_path, monkeypatch):
    heard = []
    assert detector("auto", cache=tmp_path, say=heard.append).name == "scikit-image's cascade"
    assert "--detector yunet fetches" in heard.pop()
    kept = tmp_path / "detectors" / detectors.FILE
    kept.parent.mkdir()
    kept.write_bytes(red.read_bytes())
    assert detector("auto", cache=tmp_path).name == "scikit-image's cascade"  # its hash is another
    monkeypatch.setattr(detectors, "SHA256", detectors.file_hash(red))
    assert detector("auto", cache=tmp_path, say=heard.append).name == "YuNet"
    assert heard == ["faces are found by YuNet"]
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert detector("auto", cache=tmp_path).name == "scikit-image's cascade"


@pytest.mark.parametrize("which", ["yunet", "file"])
def test_without_opencv_it_says_what_to_install(which, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    (tmp_path / "any.onnx").write_bytes(b"any")
    with pytest.raises(UsageError, match=r"pip install 'ageensemble\[faces\]'; --detector cascade"):
        detector(tmp_path / "any.onnx" if which == "file" else which, cache=tmp_path)


@pytest.mark.parametrize("spoil", ["empty", "text", "cut", "another", "huge", "folder"])
def test_a_file_that_is_no_yunet_is_answered_in_one_line(spoil, red, tmp_path, capfd):
    content, file = red.read_bytes(), tmp_path / "bad.onnx"
    if spoil == "folder":
        file.mkdir()
    elif spoil == "huge":
        with open(file, "wb") as stream:
            stream.truncate(10_000_001)
    else:
        cases = {"empty": b"", "text": b"no network\n" * 99, "cut": content[: len(content) // 2]}
        file.write_bytes(cases.get(spoil) or content.replace(b"Transpose", b"Transport") * (spoil == "another"))
    with pytest.raises(DataError, match=r"^\S*bad.onnx (is|cannot be read)[^\n]*$"):
        detector(file, cache=tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_name_that_is_no_detector_is_refused_before_anything_is_decoded(utkface, cache, tmp_path):
    with pytest.raises(UsageError, match="no detector and no file called 'yunett'; known: auto, yunet, cascade, or"):
        detector("yunett", cache=tmp_path)
    done = ageensemble("benchmark", "--data", utkface, "--out", tmp_path / "runs", "--cache", cache, "--detector", "x")
    assert done.returncode == 2
    assert said(done).startswith("no detector and no file called 'x'")
    assert "usable images" not in done.stderr


# --- what is said of a face ------------------------------------------------------------------------------------------


def seen(box, landmarks=None, shape=(400, 400)):
    points = None if landmarks is None else np.array(landmarks, float)
    return remarks(np.zeros((*shape, 3), np.uint8), Face(box, 0.9, points), template())


def test_a_tiny_face_is_said_with_its_size_measured_by_what_the_model_knows():
    assert seen((100, 100, 20, 26.45)) == ["tiny face: 23 pixels"]
    assert seen((100, 100, 30, 30)) == []  # the template's face is 48 pixels wide
    large = template((200, 200))  # and here 120
    assert remarks(black(400, 400), Face((100, 100, 30, 30), 0.9), large) == ["tiny face: 30 pixels"]
    assert remarks(black(400, 400), Face((100, 100, 30, 30), 0.9)) == ["tiny face: 30 pixels"]


@pytest.mark.parametrize("degrees", [-40, 40, 170])
def test_a_turned_face_is_said_with_its_degrees(degrees):
    turn = np.exp(1j * np.radians(degrees)) * (POINTS @ [100, 100j])
    turned = np.stack([turn.real, turn.imag], 1)
    assert seen((100, 100, 100, 100), turned) == [f"turned by {abs(degrees)} degrees"]
    assert seen((100, 100, 100, 100), 100 * POINTS) == []


def test_a_face_from_the_side_has_its_nose_beside_its_eyes():
    aside = 100 * POINTS
    aside[2, 0] += 30
    assert seen((100, 100, 100, 100), aside) == ["seen from the side"]
    assert seen((100, 100, 100, 100), np.zeros((5, 2))) == ["seen from the side"]


def test_a_face_that_reaches_beyond_the_photograph_is_cut_by_its_edge():
    assert seen((-20, 100, 100, 100)) == ["cut by the edge"]
    assert seen((320, 320, 100, 100)) == ["cut by the edge"]
    assert seen((-9, 100, 100, 100)) == []
    assert seen((500, 500, 100, 100)) == ["cut by the edge"]
