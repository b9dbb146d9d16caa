"""For tests of `predict`: a tiny model, drawn faces, and larger images with some of them."""

import csv
import io
import json

from helpers.commands import ageensemble, benchmark
from PIL import Image

from ageensemble.data.synthetic.dataset import portrait

SPEC = "svm@hog pca=16 hog.size=64"
GREY = (120, 130, 140)


def tiny_model(folder, cache):
    """A model folder of an SVM on 60 drawn faces, with calibrated intervals and the cascade's template."""
    faces = folder / "faces"
    faces.mkdir()
    for seed in range(60):
        age = 1 + seed * 37 % 80
        (faces / f"{age}_{seed % 2}_0_2017011622{seed:05}000.jpg").write_bytes(portrait(age, seed))
    words = ["--model", SPEC, "--no-stack", "--detector", "cascade"]
    done = benchmark(faces, folder / "runs", cache, *words)
    assert done.returncode == 0, done.stderr
    [run] = (folder / "runs").glob("*/svm*")
    done = ageensemble("models", "save", run.name, "--out", folder / "runs", "--to", folder / "model")
    assert done.returncode == 0, done.stderr
    return folder / "model"


def drawn(age, seed, side=160):
    """A drawn face, PIL.Image."""
    return Image.open(io.BytesIO(portrait(age, seed))).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)


def pasted(*corners, size=(640, 480), side=160):
    """A gray image with drawn faces, the n-th the same in all, at these corners x, y."""
    picture = Image.new("RGB", size, GREY)
    for (x, y), (age, seed) in zip(corners, [(25, 3), (8, 9), (82, 15)], strict=False):
        picture.paste(drawn(age, seed, side), (x, y))
    return picture


def predict(*words, model, cwd=".", **more):
    """The command, with the cascade where no detector is named."""
    usual = [] if {"--detector", "--no-detect"} & set(words) else ["--detector", "cascade"]
    usual += [] if "--device" in words else ["--device", "cpu"]
    done = ageensemble("predict", *words, "--model", model, *usual, cwd=cwd, **more)
    assert "Traceback" not in done.stderr
    return done


def rows(*words, model, cwd, code=0):
    """The rows that the command writes, as dicts, those of CSV and of JSON lines being the same."""
    done = predict(*words, "--csv", "rows.csv", "--jsonl", "rows.jsonl", model=model, cwd=cwd)
    assert done.returncode == code, done.stderr
    with open(cwd / "rows.csv", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        table = list(csv.DictReader(stream))
    result = [json.loads(line) for line in (cwd / "rows.jsonl").read_text().splitlines()]
    texts = [{**row, "remarks": "; ".join(row["remarks"])} for row in result]
    assert table == [{key: "" if value is None else str(value) for key, value in row.items()} for row in texts]
    return result
