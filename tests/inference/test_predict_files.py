"""What `predict` reads may be hostile, and what it writes is whole, never in the place of what it reads."""

import csv
import json
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
from helpers.commands import said
from helpers.predicting import drawn, pasted, predict, rows
from PIL import Image

from ageensemble.inference import annotate, inputs, pipeline

YELLOW = annotate.FRAME


@pytest.fixture
def model(drawn_model):
    return drawn_model


@pytest.fixture
def crop(tmp_path):
    drawn(40, 2).save(tmp_path / "crop.png")
    return tmp_path / "crop.png"


# --- hostile images -----------------------------------------------------------------------------------------


def bomb(file):
    """A PNG of a few bytes that claims 40,000 x 40,000 pixels."""
    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    packed = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))


def test_what_cannot_be_read_is_a_row_with_its_reason_and_the_rest_goes_on(model, crop, tmp_path):
    folder = tmp_path / "photos"
    (folder / "folder.jpg").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.jpg")
    bomb(folder / "bomb.png")
    with zipfile.ZipFile(folder / "zip.jpg", "w") as archive:
        archive.writestr("photo.jpg", crop.read_bytes())
    (folder / "truncated.png").write_bytes(crop.read_bytes()[:2000])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    Image.new("RGB", (10, 300)).save(folder / "tiny.png")
    Image.new("RGB", (3000, 20)).save(folder / "thread.png")
    (folder / "script.jpg").write_text("#!/bin/sh\ntouch was-run\n")
    (folder / "postscript.jpg").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n")
    drawn(40, 2).save(folder / "a.png")
    found = rows("photos", "photos/folder.jpg", "--no-detect", model=model, cwd=tmp_path, code=1)
    problems = {row["file"].removeprefix("photos/"): row["problem"] for row in found}
    expected = {
        "a.png": "",
        "bomb.png": "too large: it claims more than 100 megapixels",
        "empty.jpg": "empty file",
        "gone.jpg": "cannot be read: No such file or directory",
        "link": "not a file",
        "pipe.jpg": "not a file",
        "postscript.jpg": "not an image",
        "script.jpg": "not an image",
        "thread.png": "too narrow: 256x2 pixels",
        "tiny.png": "tiny: 10x300 pixels, at least 16 needed",
        "zip.jpg": "not an image",
        "folder.jpg": "not a file",
    }
    assert "does not decode" in problems.pop("truncated.png")
    assert problems == expected
    assert [row["file"] for row in found if row["age"] is not None] == ["photos/a.png"]
    assert not (tmp_path / "was-run").exists()


def test_a_detector_that_fails_on_a_picture_is_a_row_too(model, crop, tmp_path, monkeypatch):
    def fails(self, image):
        raise RuntimeError("no luck\x1b[2J\nat all")

    monkeypatch.setattr("ageensemble.data.faces.haar_lbp_cascade.Cascade.__call__", fails)
    done = predict("crop.png", "--csv", "rows.csv", model=model, cwd=tmp_path)
    assert done.returncode == 1
    assert "face detection fails: RuntimeError: no luck?[2J" in " ".join(done.stdout.split())


NAMES = ["$(touch was-run).png", "-rf.png", "[red]a.png", "<script>alert(1)<script>.png", "a\nb,c;\"d'.png", "=1+1.png"]
NAMES += ["\x1b[31m\x07.png", "\u202egnp.exe.png", b"\xe9.png".decode(errors="surrogateescape")]


def test_a_name_is_never_more_than_a_name(model, crop, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(crop.read_bytes())
    found = rows("photos", "--no-detect", "--annotate", "seen", model=model, cwd=tmp_path)
    assert sorted(row["file"] for row in found) == sorted(f"photos/{name}" for name in NAMES)
    assert len({row["age"] for row in found}) == 1
    shown = predict("photos", "--no-detect", model=model, cwd=tmp_path)
    for text in (shown.stdout, shown.stderr):
        assert not set("\x1b\x07\u202e") & set(text)
    assert "[red]a.png" in shown.stdout
    copies = sorted(os.listdir(tmp_path / "seen"))
    assert len(copies) == len(NAMES)
    assert not any(set(name) & set("\x1b\x07\u202e\n<>") for name in copies)
    assert not (tmp_path / "was-run").exists()


def test_a_list_may_hold_any_name_and_none_opens_what_is_no_photograph(model, tmp_path):
    names = [
        "/etc/passwd",
        "../../../../etc/passwd",
        "a\0b.jpg",
        "/dev/zero",
        "x" * 5000,
        "http://127.0.0.1/a.jpg",
        "|ls",
    ]
    (tmp_path / "list.txt").write_text("\n".join(names))
    found = rows("list.txt", model=model, cwd=tmp_path, code=1)
    assert [row["file"] for row in found] == names
    assert all(row["problem"] and row["age"] for row in found)


# --- what is written ---------------------------------------------------------------------------------------------


def test_an_output_takes_the_place_of_an_older_one_when_it_is_complete(model, crop, tmp_path, monkeypatch):
    (tmp_path / "old.csv").write_text("years of work\n")
    words = ["crop.png", "--no-detect", "--csv", "old.csv", "--jsonl", "new.jsonl"]

    def interrupted(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "_predictions", interrupted)
        done = predict(*words, model=model, cwd=tmp_path)
    assert (done.returncode, said(done)) == (130, "interrupted; no table was written")
    assert (tmp_path / "old.csv").read_text() == "years of work\n"
    assert sorted(os.listdir(tmp_path)) == ["crop.png", "old.csv"]
    assert predict(*words, model=model, cwd=tmp_path).returncode == 0
    with open(tmp_path / "old.csv", newline="") as stream:
        assert [row["file"] for row in csv.DictReader(stream)] == ["crop.png"]
    assert sorted(os.listdir(tmp_path)) == ["crop.png", "new.jsonl", "old.csv"]


def test_what_cannot_be_written_is_one_line_and_no_table_is_left(model, crop, tmp_path):
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    crop.rename(tmp_path / "photos" / "sub" / "crop.png")
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / "sub").write_text("in the way")
    done = predict("photos", "--no-detect", "--annotate", "seen", "--csv", "a.csv", model=model, cwd=tmp_path)
    assert done.returncode == 4
    assert "seen/sub" in said(done)
    assert said(done).endswith("; no table was written")
    assert sorted(os.listdir(tmp_path)) == ["photos", "seen"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--csv", "crop.png"], "is one of the files to be read"),
        (["--csv", "linked.png"], "is one of the files to be read"),
        (["--jsonl", "list.txt"], "is one of the files to be read"),
        (["--csv", "nowhere/a.csv"], "there is no folder"),
        (["--csv", "folder"], "is not a file that could be replaced"),
        (["--csv", "model/model.json"], "lies in the model folder"),
        (["--csv", "a", "--jsonl", "./a"], "both name a"),
        (["--annotate", "crop.png"], "is not a folder"),
        (["--annotate", "."], "would replace the image"),
        (["--annotate", "other"], "is a link that leads out of it"),
        (["--level", "85"], "has intervals of 50, 80, 90, 95 %, not of 85 %"),
        (["--level", "0"], "should be per cent, from 1 to less than 100"),
        (["--level", "0.9"], "did you mean 90?"),
        (["--columns", "age"], "--columns needs --csv"),
        (["--columns", "id,age", "--csv", "new.csv"], "no column 'id'; there are: file, face, age, low"),
        (["--age-groups", "ten"], "known: default, decades"),
        (["--threshold", "121"], "less than or equal to 120"),
        (["--detector", "nothing"], "no detector and no file called 'nothing'"),
        (["--device", "tpu"], "known: auto, cpu, cuda"),
    ],
)
def test_what_would_overwrite_an_input_or_makes_no_sense_is_refused(words, why, model, crop, tmp_path):
    (tmp_path / "model").symlink_to(model)
    os.link(crop, tmp_path / "linked.png")
    (tmp_path / "folder").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "sub").symlink_to(tmp_path / "folder")
    (tmp_path / "sub").mkdir()
    crop.rename(tmp_path / "sub" / "crop.png")
    (tmp_path / "crop.png").symlink_to("sub/crop.png")
    (tmp_path / "list.txt").write_text("crop.png\nsub/crop.png")
    before = {file: (tmp_path / file).read_bytes() for file in ("crop.png", "linked.png", "list.txt")}
    done = predict("list.txt", *words, model="model", cwd=tmp_path)
    assert done.returncode == 2
    assert why in said(done)
    assert {file: (tmp_path / file).read_bytes() for file in before} == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nowhere.jpg"], "no image, folder or list at nowhere.jpg"),
        (["photos/*.jpg"], "no image, folder or list at photos/*.jpg"),
        (["empty"], "no images in empty"),
        (["empty", "more/"], "no images in empty"),
        (["crop.png", "--model", "empty"], "empty is no model folder"),
    ],
)
def test_where_there_is_nothing_that_is_said_at_once(words, why, model, crop, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "more").mkdir()
    words = words if "--model" in words else [*words, "--model", str(model)]
    done = predict(*words[:-2], model=words[-1], cwd=tmp_path)
    assert done.returncode == 3
    assert why in said(done)


# --- annotated copies --------------------------------------------------------------------------------------------


def test_copies_show_the_box_and_leave_the_photographs_as_they_were(model, tmp_path):
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    pasted((60, 100), (400, 250)).save(folder / "sub" / "two.png")
    pasted().save(folder / "none.webp")
    (folder / "broken.jpg").write_text("no image")
    before = {file: file.read_bytes() for file in folder.rglob("*.*")}
    found = rows("photos", "--annotate", "photos/seen", model=model, cwd=tmp_path, code=1)
    again = rows("photos", "--annotate", "photos/seen", model=model, cwd=tmp_path, code=1)
    assert found == again  # the copies are no images to predict
    seen = folder / "seen"
    assert sorted(str(f.relative_to(seen)) for f in seen.rglob("*.*")) == ["none.webp.jpg", "sub/two.png"]
    copy = np.asarray(Image.open(seen / "sub" / "two.png"))
    assert copy.shape == (480, 640, 3)
    for row in (row for row in found if row["face"]):
        left, below = row["x"] + row["width"] // 2, row["y"] + row["height"]
        assert (copy[below - 2 : below + 2, left] == YELLOW).all(1).any()  # the frame
        label = (copy[row["y"] - 12 : row["y"], row["x"] + 2 : row["x"] + 40] == YELLOW).all(2).mean()
        assert 0.4 < label < 1  # paper with ink on it
    assert {file: file.read_bytes() for file in before} == before


def test_copies_stay_in_their_folder_and_none_replaces_another(tmp_path):
    given = ["/a/x.jpg", "../../x.jpg", "sub/./x.JPG", "x.tif", "..", "sub//x.JPG", "con:a|b?.png", "é" * 150 + ".png"]
    photos = [inputs.InputImage(name, f"{i}.jpg", name, True) for i, name in enumerate(given)]
    photos.append(photos[0])  # a row repeated
    copies = [os.path.relpath(copy, tmp_path) for copy in annotate.places(photos, tmp_path / "seen", set)]
    long = copies.pop(7)
    assert copies == [
        f"seen/{name}"
        for name in (
            *("a/x.jpg", "x.jpg", "sub/x.JPG", "x.tif.jpg", "image.jpg"),
            *("sub/x-2.JPG", "con_a_b_.png", "a/x.jpg"),
        )
    ]
    assert len(os.path.basename(long).encode()) <= 255


def test_a_photograph_that_is_given_twice_has_one_copy(tmp_path):
    Image.new("RGB", (900, 900)).save(tmp_path / "x.png")
    photo = inputs.InputImage("x.png", str(tmp_path / "x.png"), "x.png", True)
    block = [pipeline.ImageResult(photo, [pipeline.DetectedFace(None, None, [])])] * 4
    places = annotate.places([photo] * 4, tmp_path / "seen", set)
    annotate.draw(block, [{"age": 30, "low": 20, "high": 40}] * 4, places)
    assert [file.name for file in (tmp_path / "seen").iterdir()] == ["x.png"]


def test_a_script_in_a_list_does_not_leave_its_mark_outside(model, crop, tmp_path):
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "list.txt").write_text("../../crop.png\n" + str(crop))
    found = rows("deep/deeper/list.txt", "--annotate", "deep/seen", "--no-detect", model=model, cwd=tmp_path)
    assert len(found) == 2
    inside = [str(f.relative_to(tmp_path / "deep" / "seen")) for f in (tmp_path / "deep" / "seen").rglob("*.png")]
    assert sorted(inside) == sorted(["crop.png", str(crop).lstrip("/")])
    assert json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])["file"] == "../../crop.png"
