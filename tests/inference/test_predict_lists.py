"""Lists and folders of images: a row for each row of a list, in its order, whatever its rows are."""

import os

import numpy as np
import pytest
from helpers.commands import said
from helpers.predicting import drawn, pasted, predict, rows

from ageensemble import load_model
from ageensemble.inference import inputs, pipeline


@pytest.fixture
def model(drawn_model):
    return drawn_model


def prior_age(folder):
    """The median age of the training images, by hand."""
    fold_models = load_model(folder, "cpu").metadata["members"][0]["fold_models"]
    return int(np.flatnonzero(np.cumsum(np.mean([one["prior"] for one in fold_models], 0)) >= 0.5)[0])


def test_a_list_is_answered_row_by_row_whatever_its_rows_are(model, tmp_path):
    folder = tmp_path / "course" / "images"
    folder.mkdir(parents=True)
    pasted((60, 100), (400, 250)).save(folder / "two.png")
    drawn(40, 2).save(folder / "crop.jpg")
    pasted().save(folder / "scene.png")
    pasted(size=(150, 140)).save(folder / "none.png")
    (folder / "broken.jpg").write_bytes((folder / "crop.jpg").read_bytes()[:300])
    names = ["crop.jpg", "gone.jpg", "two.png", "none.png", "", "two.png", "broken.jpg", "crop.jpg", "scene.png"]
    (tmp_path / "course" / "test.csv").write_text("id,Image\n" + "".join(f"{i},{n}\n" for i, n in enumerate(names)))
    found = rows("course/test.csv", model=model, cwd=tmp_path, code=1)
    assert [row["file"] for row in found] == names
    crop, gone, two, none, blank, again, broken, last, scene = found
    assert [row["id"] for row in found] == [*"012345678"]
    assert two | {"id": "5"} == again
    assert crop | {"id": "7"} == last
    assert two["remarks"] == ["largest of 2 faces"]
    [alone] = rows("course/images/none.png", "--no-detect", model=model, cwd=tmp_path)
    assert (none["age"], none["low"], none["high"]) == (alone["age"], alone["low"], alone["high"])
    assert none["remarks"] == ["no face found, so the whole image was taken for one"]
    assert (scene["age"], scene["face"], scene["problem"]) == (prior_age(model), None, "")
    assert scene["remarks"] == ["no face found, so this is the median age of the training images"]
    for row, problem in ((gone, "cannot be read"), (blank, "no path"), (broken, "does not decode")):
        assert problem in row["problem"]
        assert row["age"] == prior_age(model)
        assert row["remarks"] == [pipeline.UNREADABLE]
        assert row["face"] is None


def test_other_columns_of_lists_are_carried_over_before_ours_and_under_another_name_where_ours_has_it(model, tmp_path):
    for number, seed in (("a", 1), ("b", 2)):
        drawn(40, seed).save(tmp_path / f"{number}.png")
    (tmp_path / "one.csv").write_text("id,path,age\n7,a.png,\n")
    (tmp_path / "two.csv").write_text('path,camera\nb.png,"=1,5"\n')
    found = rows("one.csv", "two.csv", "--no-detect", model=model, cwd=tmp_path)
    assert list(found[0])[:6] == ["id", "given_age", "camera", "file", "face", "age"]
    assert [(row["id"], row["given_age"], row["camera"]) for row in found] == [("7", "", None), (None, None, "=1,5")]
    assert found[0]["age"] > 0


def test_a_submission_has_only_the_columns_that_are_asked_for_in_their_order(model, tmp_path):
    drawn(40, 2).save(tmp_path / "a.png")
    (tmp_path / "test.csv").write_text("path,id\na.png,x7\ngone.png,x8\n")
    done = predict("test.csv", "--no-detect", "--csv", "mine.csv", "--columns", "id, age", model=model, cwd=tmp_path)
    header, first, second = (tmp_path / "mine.csv").read_text().splitlines()
    assert done.returncode == 1
    assert header == "id,age"
    assert first.startswith("x7,")
    assert second == f"x8,{prior_age(model)}"


def test_who_finds_no_face_is_told_what_would_find_more(model, tmp_path):
    pasted().save(tmp_path / "none.png")
    assert "--detector yunet finds more" in predict("none.png", model=model, cwd=tmp_path).stderr.splitlines()[-1]


def test_a_text_names_one_photograph_a_line(model, tmp_path):
    drawn(40, 2).save(tmp_path / "b c.png")
    drawn(10, 1).save(tmp_path / "a.png")
    (tmp_path / "list.txt").write_bytes(f"b c.png\r\n\n  \n{tmp_path / 'a.png'}\nb c.png".encode())
    found = rows("list.txt", "--no-detect", model=model, cwd=tmp_path)
    assert [row["file"] for row in found] == ["b c.png", str(tmp_path / "a.png"), "b c.png"]
    assert found[0] == found[2]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("id;score\n1;2\n", "no column for the photo's file; call it 'path' (columns seen: id, score)"),
        ("path\n", "lists no images"),
        ("", "is not a readable table"),
    ],
)
def test_a_table_that_is_no_list_is_refused(content, why, model, tmp_path):
    (tmp_path / "list.csv").write_text(content)
    done = predict("list.csv", model=model, cwd=tmp_path)
    assert done.returncode == 3
    assert why in said(done)


def test_a_pipe_called_a_list_is_not_waited_for(model, tmp_path):
    os.mkfifo(tmp_path / "list.csv")
    assert "is not a file that could be read as a list" in said(predict("list.csv", model=model, cwd=tmp_path))


def test_folders_are_sorted_and_hidden_files_left_out(tmp_path):
    for name in ("b.jpg", "a.PNG", "sub/c.webp", ".hidden.jpg", ".git/d.jpg", "sub/.e.jpg", "notes.txt", "seen/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "linked").symlink_to(tmp_path / "sub")
    found = inputs.find([tmp_path], annotated=tmp_path / "seen")
    assert [photo.copy for photo in found] == ["a.PNG", "b.jpg", "linked", "sub/c.webp"]
    assert [photo.name for photo in inputs.find([f"{tmp_path}/sub/", tmp_path / "b.jpg"])] == [
        f"{tmp_path}/sub/c.webp",
        f"{tmp_path}/b.jpg",
    ]
