"""Whole images become a table of ages: each face where it is, each row of a list in its place."""

import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.predicting import drawn, pasted, predict, rows
from PIL import Image

from ageensemble import ages, load_model
from ageensemble._utils.hardware import Timer, cores
from ageensemble.data.faces import Face, Template, detector
from ageensemble.inference import ModelPredictions, faces, inputs, output, pipeline

TWO = [(60, 100), (400, 250)]


@pytest.fixture
def model(drawn_model):
    return drawn_model


@pytest.fixture
def photos(tmp_path):
    """A folder with two faces, one face and none."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    pasted(*TWO).save(folder / "two.jpg", quality=95)
    pasted(TWO[0]).save(folder / "more" / "one.png")
    pasted().save(folder / "none.webp")
    return folder


def middle(row):
    return row["x"] + row["width"] / 2, row["y"] + row["height"] / 2


# --- images -------------------------------------------------------------------------------------------------


def test_each_face_of_a_folder_has_a_row_with_its_age_and_where_it_is(model, photos, tmp_path):
    one, none, *two = rows("photos", model=model, cwd=tmp_path)
    assert [row["file"] for row in (one, none, *two)] == [
        "photos/more/one.png",
        "photos/none.webp",
        *["photos/two.jpg"] * 2,
    ]
    assert [row["face"] for row in (one, none, *two)] == [1, None, 1, 2]
    assert none["remarks"] == ["no face found"]
    assert none["age"] is none["x"] is None
    assert [row["remarks"] for row in two] == [["one of 2 faces"]] * 2
    for (x, y), row in zip(TWO, sorted(two, key=middle), strict=True):
        assert np.abs(np.subtract(middle(row), (x + 80, y + 90))).max() < 25
    for row in (one, *two):
        assert row["low"] <= row["age"] <= row["high"]
        assert sum(value for name, value in row.items() if name.startswith("group_")) == pytest.approx(1, abs=1e-5)
        adult = [name for name in row if name.startswith("group_") and name not in MINOR]
        assert row["at_least_18"] == pytest.approx(sum(row[name] for name in adult), abs=1e-5)


MINOR = ["group_0-2", "group_3-5", "group_6-10", "group_11-14", "group_15-17"]


def test_the_age_is_what_the_model_says_of_the_face_cut_out(model, photos, tmp_path):
    loaded = load_model(model, "cpu")
    find = detector("cascade", cache=tmp_path)
    [found] = faces.detect_faces(
        np.asarray(Image.open(photos / "more/one.png")), find, faces.crop_template(loaded, find)
    )
    expected = loaded.predict([found.crop])
    [row] = rows("photos/more/one.png", model=model, cwd=tmp_path)
    assert row["age"] == expected.median[0]
    assert [row["low"], row["high"]] == expected.interval(0.9)[0].tolist()
    assert row["at_least_18"] == pytest.approx(expected.at_least(18)[0], abs=1e-6)


def test_without_detection_a_photograph_is_what_the_model_is_given(model, tmp_path):
    files = []
    for seed in range(6):
        files.append(str(tmp_path / f"{seed}.jpg"))
        drawn(10 * seed + 5, seed, side=90 * (seed + 1)).save(files[-1])  # some larger than what is kept
    expected = load_model(model, "cpu").predict(files)
    found = rows(*files, "--no-detect", model=model, cwd=tmp_path)
    assert [row["age"] for row in found] == expected.median.tolist()
    assert [[row["low"], row["high"]] for row in found] == expected.interval(0.9).tolist()
    assert [row["group_23-27"] for row in found] == expected.age_group_proba()[1][:, 6].round(6).tolist()
    assert [row["face"] for row in found] == [1] * 6
    assert {row["x"] for row in found} == {None}


@pytest.mark.parametrize("turn", [3, 6, 8])
def test_a_photograph_turned_by_its_tag_is_seen_upright(turn, model, tmp_path):
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    tag = Image.Exif()
    tag[0x0112] = turn
    pasted(TWO[0]).save(tmp_path / "upright.png")
    pasted(TWO[0]).transpose(back[turn]).save(tmp_path / "turned.png", exif=tag)
    for how in ([], ["--no-detect"]):
        one, other = rows("turned.png", "upright.png", *how, model=model, cwd=tmp_path)
        assert {**one, "file": ""} == {**other, "file": ""}


def test_boxes_are_in_pixels_of_the_photograph_as_it_is_stored(model, tmp_path):
    small = pasted(TWO[0])
    small.resize((2560, 1920), Image.Resampling.BICUBIC).save(tmp_path / "large.png")
    [row] = rows("large.png", model=model, cwd=tmp_path)
    assert np.abs(np.array(middle(row)) / 4 - (140, 190)).max() < 25
    assert 4 * 80 < row["width"] < 4 * 200


def test_only_the_largest_face_where_that_is_asked_for(model, tmp_path):
    picture = pasted((60, 100))
    picture.paste(drawn(8, 9, 260), (350, 150))
    picture.save(tmp_path / "two.png")
    [row] = rows("two.png", "--largest", model=model, cwd=tmp_path)
    assert row["remarks"] == ["largest of 2 faces"]
    assert np.abs(np.subtract(middle(row), (480, 290))).max() < 40


def test_other_groups_levels_and_ages_of_majority(model, tmp_path):
    drawn(25, 3).save(tmp_path / "a.png")
    words = ["a.png", "--no-detect", "--age-groups", "0-20,21-64,65+", "--threshold", "18", "--threshold", "21"]
    [row] = rows(*words, model=model, cwd=tmp_path)
    [narrow] = rows(*words, "--level", "50", model=model, cwd=tmp_path)
    assert row["at_least_21"] == pytest.approx(row["group_21-64"] + row["group_65+"], abs=1e-5)
    assert row["at_least_18"] > row["at_least_21"]
    assert narrow["high"] - narrow["low"] < row["high"] - row["low"]
    assert "group_0-2" not in row


def test_groups_that_leave_years_out_leave_their_probability_to_another(model, tmp_path):
    drawn(25, 3).save(tmp_path / "a.png")
    [row] = rows("a.png", "--no-detect", "--age-groups", "0-9,90+", "--threshold", "90", model=model, cwd=tmp_path)
    assert row["group_other"] > 0.5
    assert row["group_90+"] == pytest.approx(row["at_least_90"], abs=1e-5)
    assert row["group_0-9"] + row["group_90+"] + row["group_other"] == pytest.approx(1, abs=1e-5)


# --- order and memory --------------------------------------------------------------------------------------------


class Slow:
    """A stand-in for a detector: the earlier an image, the longer it takes."""

    name, key = "slow", "slow-1"

    def __call__(self, image):
        time.sleep(0.02 * (image[0, 0, 0] % 5 == 0))
        return [Face((10, 10, 40, 40), 0.9)]


class Counting:
    """A stand-in for a model: it knows how bright a crop is, and takes some time."""

    def __init__(self):
        self.timer, self.asked, self.name = Timer(), [], "counting"
        self.metadata = {"members": [{"fold_models": [{"prior": np.full(ages.N_AGES, 1 / ages.N_AGES)}]}]}

    def predict(self, crops):
        self.asked.append(len(crops))
        distribution = np.zeros((len(crops), ages.N_AGES), np.float32)
        distribution[range(len(crops)), [int(crop.mean().round()) for crop in crops]] = 1
        return ModelPredictions(distribution)


def test_answers_keep_the_order_and_few_photographs_are_ahead(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "BLOCK", 16)
    monkeypatch.setattr(pipeline, "AHEAD", 2)
    files = [tmp_path / f"{i:03}.png" for i in range(100)]
    for i, file in enumerate(files):
        Image.new("RGB", (64, 64), (i, i, i)).save(file)
    begun, ahead = [], []
    opened = pipeline._opened

    def counted(*given):
        begun.append(given)
        return opened(*given)

    monkeypatch.setattr(pipeline, "_opened", counted)
    model, finder = Counting(), pipeline.Finder(Slow(), template(), False)
    medians, answered = [], 0
    for block, answers in pipeline.predict(inputs.find(files), model, finder):
        ahead.append(len(begun) - answered)
        answered += len(block)
        medians += answers.median.tolist()
    assert medians == list(range(100))
    assert model.asked == [16] * 6 + [4]
    assert max(ahead) <= 16 + 2 * cores()


def template(shape=(64, 64), box=(0.1, 0.1, 0.8, 0.8), key="slow-1", landmarks=None):
    return Template(shape, np.array(box), landmarks, {"name": key.split("-")[0], "key": key}, 9, 9)


# --- detectors and templates -------------------------------------------------------------------------------------


def known(box, key, landmarks=None):
    return SimpleNamespace(template=template(box=box, key=key, landmarks=landmarks).to_json())


def test_a_box_of_another_detector_becomes_what_this_one_would_have_drawn():
    cascade, yunet = (SimpleNamespace(name=name, key=f"{name}-1") for name in ("cascade", "yunet"))
    aligned = known(faces.BOXES["yunet"], "yunet-1")
    assert faces.crop_template(aligned, yunet).box == pytest.approx(faces.BOXES["yunet"])
    assert faces.crop_template(aligned, cascade).box == pytest.approx(faces.BOXES["cascade"])
    x, y, width, height = faces.BOXES["yunet"]
    half = known((0.5 + x / 2, 0.2 + y / 2, width / 2, height / 2), "yunet-1")  # the same, half as large and elsewhere
    x, y, width, height = faces.BOXES["cascade"]
    assert faces.crop_template(half, cascade).box == pytest.approx((0.5 + x / 2, 0.2 + y / 2, width / 2, height / 2))
    turned = faces.crop_template(known(faces.BOXES["cascade"], "cascade-1"), yunet)
    np.testing.assert_allclose(turned.landmarks, faces.USUAL["landmarks"], atol=1e-9)


def test_a_model_that_does_not_say_how_faces_are_cut_is_told_of():
    cascade = SimpleNamespace(name="the cascade", key="cascade-1")
    assert "no crop template" in faces.template_mismatch(SimpleNamespace(template=None), cascade)
    assert faces.crop_template(SimpleNamespace(template=None), cascade).box == pytest.approx(faces.BOXES["cascade"])
    assert "slightly differently" in faces.template_mismatch(known((0, 0, 1, 1), "yunet-1"), cascade)
    assert faces.template_mismatch(known((0, 0, 1, 1), "cascade-0"), cascade) == ""


@pytest.mark.skipif("AGEENSEMBLE_YUNET" not in os.environ, reason="needs YuNet's file in AGEENSEMBLE_YUNET")
def test_yunet_finds_a_turned_face_and_gives_its_score(model, tmp_path):
    pytest.importorskip("cv2")
    picture = pasted()
    picture.paste(drawn(25, 3, 200).rotate(-40, expand=True, fillcolor=(120, 130, 140)), (200, 100))
    picture.save(tmp_path / "turned.png")
    [row] = rows("turned.png", "--detector", os.environ["AGEENSEMBLE_YUNET"], model=model, cwd=tmp_path)
    assert 0.7 < row["score"] <= 1
    assert [remark[:9] for remark in row["remarks"]] == ["turned by"]
    assert 30 < int(row["remarks"][0].split()[2]) < 50


# --- the screen --------------------------------------------------------------------------------------------------


def test_the_screen_says_the_detector_the_ages_and_what_it_came_to(model, photos, tmp_path):
    (photos / "text.jpg").write_text("no image")
    done = predict("photos", model=model, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("faces are found by scikit-image's cascade") == 1
    assert done.stderr.splitlines()[-2] == "4 images, 3 faces; 1 without a face; 1 could not be read"
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "not an image" in lines["photos/text.jpg"]
    assert "one of 2 faces" in lines["photos/two.jpg"]
    assert ">=18" in lines["file"]


def test_a_long_table_is_cut_and_what_could_not_be_read_is_listed_all_the_same(model, tmp_path):
    drawn(40, 2).save(tmp_path / "a.png")
    (tmp_path / "long.txt").write_text("a.png\n" * 60 + "gone.png\n" * 25)
    done = predict("long.txt", "--no-detect", "--verbose", model=model, cwd=tmp_path)
    assert done.returncode == 1
    assert sum(line.split()[:1] == ["a.png"] for line in done.stdout.splitlines()) == output.SHOWN
    assert "and 35 more rows; --csv FILE or --jsonl FILE holds all" in done.stderr
    assert done.stderr.count("gone.png: cannot be read: No such file") == output.COMPLAINTS
    assert "seconds by kind of work" in done.stderr
    for work in ("reading", "hog features", "svm@hog"):
        assert work in done.stderr.split("seconds by kind of work")[1]
