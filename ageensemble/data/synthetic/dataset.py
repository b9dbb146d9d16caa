"""Faces drawn by this package: 3000 images of some 1200 people aged 0 to 95, with the faults of real datasets.

Nothing is downloaded and no real person is shown. Every image has its own seeded generator, so the same seed gives
the same files (with the same versions of numpy and Pillow).

What is in it:

- People seen one to six times at different ages, with a face, a skin tone, hair and a pace of ageing of their own. What
  is drawn is a *biological* age: the true one plus an offset of the person and one of the image, together with a
  standard deviation of 0.4 years at birth, 3 at 37 and 6.4 at 85. No model can do better than that allows.
- Ages with a peak in the twenties and thirties, many infants and few people over 80; more men than women; six skin
  tones, a third of the images in the most common one and 5 % in the rarest.
- Nuisance: pose, light, color, exposure, expression, background, glasses, hats, hands, blur, noise, JPEG quality 35 to
  92, sizes of 64 to 96 pixels a side (a little more where it is not square), 5 % grayscale.

What is wrong with it, on purpose, as a share of the rows or a number of files (`FAULTS` and the constants below it):

- 2 % exact copies of another file under a new name, a third of them with another age; 2 % near copies (re-encoded,
  slightly resized, brightened). Copies have no subject, so that only the pixels tell.
- 2 % wrong ages, 20 years off or more.
- 6 corrupt files (a JPEG cut in half, one cut within its header, text, an empty file, a 1x1 image, zeros for a header).
- 4 blank ages, 4 impossible ages, 6 blank genders, 2 rows whose file does not exist.
- 11 % of the subjects blank besides the copies': 15 % of the rows in all.
"""

import csv
import io
from itertools import islice
from types import SimpleNamespace

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from .face import face
from .paint import SIZE

VERSION = 1

FAULTS = {"copy": 0.02, "near copy": 0.02, "wrong age": 0.02}  # shares of the rows
CONFLICTING = 1 / 3  # of the copies, how many carry another age
CORRUPT = ("truncated", "header", "text", "empty", "pixel", "zeros")
IMPOSSIBLE_AGES = (-3, 250, 999, -1)
BLANK_AGES, BLANK_GENDERS, MISSING_FILES = 4, 6, 2
BLANK_SUBJECTS = 0.11  # of the images that are no copies

MAX_AGE = 95
IMAGES_PER_PERSON = (0.36, 0.24, 0.16, 0.11, 0.08, 0.05)  # one image, two, ...
TONES = (0.24, 0.33, 0.18, 0.12, 0.08, 0.05)
AGES = (  # weight, mean, standard deviation
    (0.11, 1.0, 1.4),
    (0.12, 8.0, 4.5),
    (0.43, 28.0, 7.5),
    (0.22, 48.0, 9.0),
    (0.12, 70.0, 10.0),
)
HAIR = np.array([(0.10, 0.08, 0.07), (0.22, 0.14, 0.09), (0.38, 0.25, 0.15),
                 (0.64, 0.51, 0.35), (0.52, 0.27, 0.15)], np.float32)  # fmt: skip
HAIR_LIGHT, HAIR_DARK = (0.16, 0.28, 0.28, 0.20, 0.08), (0.78, 0.18, 0.04, 0.0, 0.0)
IRIS = np.array([(0.22, 0.13, 0.08), (0.36, 0.24, 0.13), (0.36, 0.40, 0.26), (0.36, 0.49, 0.62)], np.float32)

# Traits that are standard normal in the population.
TRAITS = ("early", "smooth", "firm", "pace", "wide", "jaw", "crooked", "forehead", "parting", "fringe_slant",
          "eye_place", "eye_gap", "eye_size", "slant", "brow", "brow_place", "nose_length", "nose_width", "nose_bridge",
          "mouth_place", "mouth_width", "lip")  # fmt: skip


def draw(root, n=3000, seed=0, progress=None):
    """Draw the dataset into a folder.

    Parameters
    ----------
    root : pathlib.Path
        Gets ``annotations.csv`` (path, age, gender, skin_tone, subject) and ``images/``.
    n : int
        Rows of the table, 50 at least.
    seed : int
        The same seed draws the same dataset.
    progress : callable, optional
        Called with the number of images drawn so far and the number to draw.
    """
    rng = np.random.default_rng([seed, 0, 1])
    count = {fault: round(share * n) for fault, share in FAULTS.items()}
    drawn = n - MISSING_FILES - count["copy"] - count["near copy"]
    names = [f"images/{k:05d}.jpg" for k in rng.permutation(n)]  # so that neighbors are not one person
    people = _people(rng, drawn)
    (root / "images").mkdir(parents=True, exist_ok=True)
    for i, (person, age) in enumerate(people):
        (root / names[i]).write_bytes(_draw_image(person, age, np.random.default_rng([seed, i])))
        if progress is not None:
            progress(i + 1, drawn)
    rows = [_row(name, person, age) for name, (person, age) in zip(names, people, strict=False)]
    rows += _add_faults(root, rows, names[drawn:], count, rng)
    _write(root / "annotations.csv", sorted(rows, key=lambda row: row["path"]))


def portrait(age, seed):
    """Draw one image of somebody of this age, in years; returns the JPEG file, the same for the same seed."""
    return _draw_image(_person(np.random.default_rng([seed, 5]), ""), age, np.random.default_rng([seed, 6]))


def _people(rng, n_images):
    """The person and the age in each image, one person after another."""
    shown = []
    while len(shown) < n_images:
        person = _person(rng, f"S{len(shown):05d}")
        times = 1 + rng.choice(len(IMAGES_PER_PERSON), p=IMAGES_PER_PERSON)
        weights, means, spreads = np.array(AGES).T
        group = rng.choice(len(AGES), p=weights)
        first = abs(rng.normal(means[group], spreads[group]))
        others = np.abs(first + rng.normal(0, 3 + 0.2 * first, times - 1))
        shown += [(person, int(min(age, 2 * MAX_AGE - age))) for age in (first, *others)]
    return shown[:n_images]


def _person(rng, subject):
    """What stays with a person: sex, tone, the build of the face, hair, and how it will age."""
    male = bool(rng.random() < 0.54)
    tone = int(rng.choice(6, p=TONES))
    hair = int(rng.choice(5, p=HAIR_LIGHT if tone < 2 or rng.random() < 0.05 else HAIR_DARK))
    iris = int(rng.choice(4, p=(0.3, 0.25, 0.2, 0.25) if tone < 2 else (0.75, 0.2, 0.05, 0.0)))
    person = SimpleNamespace(subject=subject, male=male, tone=tone, **{name: float(rng.normal()) for name in TRAITS})
    person.tint = rng.normal(0, 0.022, 3).astype(np.float32)
    person.hair = np.clip(HAIR[hair] * rng.uniform(0.75, 1.25), 0, 1).astype(np.float32)
    person.fair = float(hair != 0)
    person.lash = 0.35 * person.hair
    person.iris = IRIS[iris] * np.float32(rng.uniform(0.8, 1.2))
    person.lipstick = np.array((rng.uniform(0.6, 0.85), 0.15, 0.25), np.float32)
    person.fuzz = float(rng.random())
    person.long = float(rng.choice((0, rng.uniform(0.4, 1)), p=(0.9, 0.1) if male else (0.35, 0.65)))
    person.volume = float(rng.uniform(0.03, 0.12) + 0.08 * person.long * rng.random())
    person.curl = float(rng.random() ** 2 if tone < 4 else rng.uniform(0.4, 1))
    person.gray_from = float(rng.normal(50, 7))
    person.dyed = 0.8 * float(rng.random() < (0.04 if male else 0.4))
    person.bald = float(max(0.0, min(1.0, rng.normal(0.5, 0.4) if male else rng.normal(0.02, 0.08))))
    person.bald_from = float(rng.normal(30, 8))
    person.beard = float(max(0.0, rng.normal(0, 0.6)))
    person.moustache = bool(rng.random() < 0.2)
    person.sun, person.ruddy, person.bags = (float(x) for x in rng.uniform(0.2, 1.2, 3))
    person.frown = float(rng.uniform(0.3, 1.2))
    person.furrow = float(rng.uniform(0.095, 0.13))
    person.freckles = float(max(0.0, rng.normal(-0.4, 0.6))) * (tone < 2)
    person.long_sighted = float(rng.normal(68, 22))
    return person


def _capture(rng, person, age):
    """What belongs to one capture: pose, light, expression, dress and backdrop."""
    capture = SimpleNamespace()
    capture.roll = float(np.clip(rng.normal(0, 0.05), -0.14, 0.14))
    capture.yaw, capture.pitch = (float(x) for x in rng.normal(0, (0.08, 0.04)))
    capture.scale = float(rng.uniform(0.95, 1.08))
    capture.shift_u, capture.shift_v = (float(x) for x in rng.normal(0, 0.04, 2))
    capture.smile = float(np.clip(rng.normal(0.35, 0.5), 0, 1))
    capture.opened = float(rng.random() < 0.35 * capture.smile + 0.1) * float(rng.uniform(0.3, 1))
    side, height = rng.normal(0, 0.45), rng.normal(-0.35, 0.25)
    capture.light = tuple(float(x) for x in np.array((side, height, 1)) / np.linalg.norm((side, height, 1)))
    capture.ambient = float(rng.uniform(0.3, 0.65))
    capture.gloss = float(rng.uniform(0, 1.6))
    capture.made_up = float(rng.random() < 0.5) * float(rng.uniform(0.3, 1))
    capture.unshaven = float(rng.uniform(-0.3, 0.6))
    capture.fringe = float(rng.random() < 0.18)
    capture.glasses = (
        int(rng.random() < 0.06 + (age > person.long_sighted) * 0.45) * int(rng.integers(1, 3)) * (age > 5)
    )
    capture.rim = float(rng.uniform(0.012, 0.028))
    capture.frame = (rng.random(3) * rng.uniform(0.1, 0.5)).astype(np.float32)
    capture.hat = float(rng.random() < 0.035) * float(rng.choice((-1, 1)))
    capture.hand = float(rng.random() < 0.025) * float(rng.choice((-1, 1)))
    capture.clothes = (rng.uniform(0.05, 0.95) * (0.6 + 0.4 * rng.random(3))).astype(np.float32)
    capture.collar = float(rng.uniform(0, 1))
    capture.stripes = float(rng.random() < 0.2) * 0.15
    capture.backdrop = rng.uniform(0.05, 0.95, (3, 1)).astype(np.float32) * (
        0.65 + 0.35 * rng.random((3, 3), np.float32)
    )
    capture.slope = tuple(float(x) for x in rng.normal(0, 0.9, 2))
    capture.blobs = int(rng.choice((3, 5, 9, 16)))
    capture.busy = float(rng.random() ** 1.5)
    return capture


def _draw_image(person, age, rng):
    """Draw one image of a person and return its JPEG file."""
    pace = 0.8 * person.pace + 0.6 * rng.normal()
    biological = max(0.0, age + rng.random() + pace * (0.4 + 0.07 * age))
    scene = face(person, biological, _capture(rng, person, age), rng)
    warmth = rng.normal(0, 0.05)
    scene *= np.exp(rng.normal(0, 0.13)) * (1 + np.array((warmth, 0, -warmth), np.float32))
    image = Image.fromarray((np.clip(scene, 0, 1) * 255).astype(np.uint8))
    width = int(rng.integers(64, 97))
    height = width + int(rng.choice((0, 0, 0, rng.integers(1, 12))))
    margin = SIZE * (1 - width / height) / 2
    image = image.resize((width, height), Image.Resampling.BICUBIC, (margin, 0, SIZE - margin, SIZE))
    image = image.filter(ImageFilter.GaussianBlur(min(1.2, rng.exponential(0.3))))
    grain = rng.exponential(0.010) * 255 * rng.standard_normal((height, width, 1), np.float32)
    pixels = np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)
    image = Image.fromarray(pixels).convert("L" if rng.random() < 0.05 else "RGB")
    return _jpeg(image, int(rng.integers(35, 93)))


def _jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _row(name, person, age):
    return {
        "path": name,
        "age": age,
        "gender": "male" if person.male else "female",
        "skin_tone": f"tone{person.tone + 1}",
        "subject": person.subject,
    }


def _add_faults(root, rows, names, count, rng):
    """Put the faults into the table and the files; return the rows of the copies and of the missing files."""
    for i in rng.choice(len(rows), round(BLANK_SUBJECTS * len(rows)), replace=False):
        rows[i]["subject"] = ""
    for i in rng.choice(len(rows), BLANK_GENDERS, replace=False):
        rows[i]["gender"] = ""
    left = (rows[i] for i in rng.permutation(len(rows)))  # each row has one of the faults below at most
    added = [{**row, "subject": ""} for row in islice(left, len(names))]
    for k, (copy, name) in enumerate(zip(added, names, strict=True)):
        source, copy["path"] = root / copy["path"], name
        if k < count["copy"]:
            (root / name).write_bytes(source.read_bytes())
            copy["age"] = _other_age(copy["age"], rng) if k < CONFLICTING * count["copy"] else copy["age"]
        elif k < count["copy"] + count["near copy"]:
            (root / name).write_bytes(_near_copy(source, rng))
    for row in islice(left, count["wrong age"]):
        row["age"] = _other_age(row["age"], rng)
    for row in islice(left, BLANK_AGES):
        row["age"] = ""
    for row, age in zip(islice(left, len(IMPOSSIBLE_AGES)), IMPOSSIBLE_AGES, strict=True):
        row["age"] = age
    for row, kind in zip(islice(left, len(CORRUPT)), CORRUPT, strict=True):
        _corrupt(root / row["path"], kind)
    return added


def _other_age(age, rng):
    """An age 20 years off or more."""
    return int(rng.choice([other for other in range(MAX_AGE) if abs(other - age) >= 20]))


def _near_copy(source, rng):
    with Image.open(source) as image:
        size = [round(side * rng.uniform(0.9, 1.1)) for side in image.size]
        resized = image.resize(size, Image.Resampling.BICUBIC)
    return _jpeg(ImageEnhance.Brightness(resized).enhance(rng.uniform(0.9, 1.12)), int(rng.integers(40, 90)))


def _corrupt(path, kind):
    whole = path.read_bytes()
    if kind == "pixel":
        Image.new("RGB", (1, 1)).save(path)
        return
    path.write_bytes({
        "truncated": whole[: len(whole) // 2],
        "header": whole[:150],
        "text": b"404: Not Found\n",
        "empty": b"",
        "zeros": whole[:20] + bytes(len(whole) - 20),
    }[kind])  # fmt: skip


def _write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
