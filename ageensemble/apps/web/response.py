"""What the page is told about one picture: its faces, and what the model says of each."""

import base64
import io

import numpy as np
from PIL import Image

from ... import ages
from ...data.image_io import open_upright, reason
from ...errors import DataError
from ...inference.faces import look
from ...inference.pipeline import LOOKED_AT

SHOWN = 1200  # pixels of the picture that is sent back to a browser that cannot show the file
LEVEL = 0.9  # of the interval
ADULT = 18  # years
GROUPS = 3  # the most probable


def answer(model, detector, template, content, whole=False, picture=False):
    """Look at one picture.

    Parameters
    ----------
    model : saved.Model
    detector : callable
        see `faces.detector`
    template : faces.Template
    content : bytes
        of the picture's file
    whole : bool
        take the whole picture for a face, find none
    picture : bool
        also return the picture as a JPEG file

    Returns
    -------
    dict
        for JSON; faces from left to right, boxes as fractions of the upright picture's width and height: left,
        top, width, height

    Raises
    ------
    DataError
        No picture that can be used; says why.
    """
    try:
        image, (height, width) = open_upright(io.BytesIO(content), LOOKED_AT)
    except Exception as error:  # Pillow's decoders raise anything at all on hostile bytes
        raise DataError(f"This file cannot be used as a picture: {reason(error)}.") from error
    pixels = np.asarray(image)
    size = np.tile(image.size, 2)
    if whole:
        places, crops = [{"box": [0, 0, 1, 1], "remarks": []}], [pixels]
    else:
        found = sorted(look(pixels, detector, template), key=lambda one: one.face.box[0] + one.face.box[2] / 2)
        places = [{"box": (np.array(one.face.box) / size).round(4).tolist(), "remarks": one.remarks} for one in found]
        crops = [one.crop for one in found]
    said = _said(model, crops)
    faces = [place | ages for place, ages in zip(places, said, strict=True)]
    result = {"width": width, "height": height, "level": LEVEL, "calibrated": bool(model.levels), "faces": faces}
    return result | ({"picture": _jpeg(image)} if picture else {})


def _said(model, crops):
    """What the model says of each face."""
    found = model.predict(crops)
    labels, age_groups = found.age_groups()
    median, interval, adult = found.median, found.interval(LEVEL), found.at_least(ADULT)
    weights = model.about["pool"]["weights"] if model.members else []
    members = [
        (name, weight, ages.median(rows), rows)
        for (name, rows), weight in zip(found.members.items(), weights, strict=True)
    ]
    return [
        {
            "median": int(median[i]),
            "interval": interval[i].tolist(),
            "distribution": _row(found.proba[i]),
            "age_groups": [[labels[g], _rounded(age_groups[i, g])] for g in np.argsort(-age_groups[i])[:GROUPS]],
            "at_least": [ADULT, _rounded(adult[i])],
            "members": [
                {"name": name, "weight": weight, "median": int(medians[i]), "distribution": _row(rows[i])}
                for name, weight, medians, rows in members
            ],
        }
        for i in range(len(found))
    ]


def _rounded(probability):
    return round(float(probability), 4)


def _row(distribution):
    return distribution.astype(float).round(5).tolist()


def _jpeg(image):
    """The picture as a data address, reduced to what a page shows."""
    small, file = image.copy(), io.BytesIO()
    small.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    small.save(file, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
