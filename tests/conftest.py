"""Tiny data drawn in code, shared by all tests: what is read only is made once a session."""

import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

from ageensemble.data.dataset import load_dataset

# As many workers as cores, so one thread for each; torch and those that tests start read it when they are imported
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Whoever starts the tests in the background may have SIGINT ignored; what we start must feel a Ctrl-C all the same
signal.signal(signal.SIGINT, signal.default_int_handler)

PHOTOS = 120  # of `utkface`, besides the copies and the broken one
AGES = tuple(1 + (i * 37) % 90 for i in range(PHOTOS))  # every year of 1..90, some twice


def face(age, seed, side=48):
    """A smooth random picture, the brighter and the more striped the older."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3)).astype(np.uint8))
    smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), float)
    stripes = np.sin(np.arange(side) * np.pi / 2)[:, None, None] * age / 2
    return Image.fromarray(np.clip(0.5 * smooth + 20 + age + stripes, 0, 255).astype(np.uint8))


def utk_name(age, i, moment=None):
    return f"{age}_{i % 2}_{i % 5}_{moment or f'2017011622{i:05}'}025.jpg.chip.jpg"


@pytest.fixture(scope="session")
def utkface(tmp_path_factory):
    """120 photographs named as UTKFace does; two share a time stamp; beside them a copy with the same age, a copy with
    another age, a copy saved anew with another quality, and a text called .jpg."""
    root = tmp_path_factory.mktemp("data") / "faces"
    root.mkdir()
    names = [utk_name(age, i, "201701162200118" if i == 119 else None) for i, age in enumerate(AGES)]
    for i, (age, name) in enumerate(zip(AGES, names, strict=True)):
        face(age, i).save(root / name, quality=92)
    shutil.copy(root / names[0], root / utk_name(AGES[0], 200))
    shutil.copy(root / names[1], root / utk_name(AGES[1] + 30, 201))
    face(AGES[2], 2).save(root / utk_name(AGES[2], 202), quality=80)
    (root / utk_name(33, 203)).write_text("no photograph")
    return root


@pytest.fixture(scope="session")
def annotated(tmp_path_factory):
    """60 photographs of 20 people, named by an annotations.csv."""
    root = tmp_path_factory.mktemp("data") / "annotated"
    (root / "images").mkdir(parents=True)
    rows = ["path,age,gender,subject"]
    for i in range(60):
        age = 18 + i
        face(age, 1000 + i).save(root / "images" / f"{i:03}.png")
        rows.append(f"{i:03}.png,{age},{'fm'[i % 2]},person {i % 20}")
    (root / "annotations.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """A cache folder for the whole session, so that nothing is decoded twice."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def dataset(utkface, cache):
    """The dataset of `utkface`: 123 items."""
    return load_dataset(utkface, cache=cache)


@pytest.fixture(scope="session")
def drawn_model(cache, tmp_path_factory):
    """The folder of a tiny model of drawn faces, see `predicting`."""
    from helpers.predicting import tiny_model

    return tiny_model(tmp_path_factory.mktemp("drawn_model"), cache)
