"""The JSON response for one image: its faces, and the predictions for each."""

import base64
import io

import numpy as np
from PIL import Image

from ... import ages
from ...data.image_io import describe_error, read_image
from ...errors import DataError
from ...inference.faces import detect_faces
from ...inference.pipeline import DETECTION_SIDE

PREVIEW_SIDE = 1200  # pixels of the image that is sent back to a browser that cannot show the file
LEVEL = 0.9  # of the interval
ADULT = 18  # years
N_AGE_GROUPS = 3  # the most likely ones


def respond(model, detector, template, content, whole=False, preview=False) -> dict:
    """Predict the ages in one image.

    Parameters
    ----------
    model : Model
    detector : callable
        see `faces.detector`
    template : faces.Template
    content : bytes
        of the image file
    whole : bool
        take the whole image for a face, without detection
    preview : bool
        also return the image as a JPEG file

    Returns
    -------
    dict
        for JSON; faces from left to right, boxes as fractions of the upright image's width and height: left,
        top, width, height

    Raises
    ------
    DataError
        The image cannot be used; says why.
    """
    try:
        image, (height, width) = read_image(io.BytesIO(content), DETECTION_SIDE)
    except Exception as error:  # Pillow's decoders raise anything at all on hostile bytes
        raise DataError(f"This file cannot be used as an image: {describe_error(error)}.") from error
    pixels = np.asarray(image)
    size = np.tile(image.size, 2)
    if whole:
        places, crops = [{"box": [0, 0, 1, 1], "remarks": []}], [pixels]
    else:
        found = detect_faces(pixels, detector, template)
        found.sort(key=lambda one: one.face.box[0] + one.face.box[2] / 2)
        places = [{"box": (np.array(one.face.box) / size).round(4).tolist(), "remarks": one.remarks} for one in found]
        crops = [one.crop for one in found]
    faces = [place | predicted for place, predicted in zip(places, _predict(model, crops), strict=True)]
    result = {"width": width, "height": height, "level": LEVEL, "calibrated": bool(model.levels), "faces": faces}
    return result | ({"preview": _data_url(image)} if preview else {})


def _predict(model, crops):
    """The predictions for each face as a dict."""
    predictions = model.predict(crops)
    labels, age_groups = predictions.age_group_proba()
    median, interval, adult = predictions.median, predictions.interval(LEVEL), predictions.at_least(ADULT)
    weights = model.metadata["pool"]["weights"] if model.members else []
    members = [
        (name, weight, ages.median(proba), proba)
        for (name, proba), weight in zip(predictions.members.items(), weights, strict=True)
    ]
    return [
        {
            "median": int(median[i]),
            "interval": interval[i].tolist(),
            "distribution": _row(predictions.proba[i]),
            "age_groups": [[labels[g], _rounded(age_groups[i, g])] for g in np.argsort(-age_groups[i])[:N_AGE_GROUPS]],
            "at_least": [ADULT, _rounded(adult[i])],
            "members": [
                {"name": name, "weight": weight, "median": int(medians[i]), "distribution": _row(proba[i])}
                for name, weight, medians, proba in members
            ],
        }
        for i in range(len(predictions))
    ]


def _rounded(probability):
    return round(float(probability), 4)


def _row(proba):
    return proba.astype(float).round(5).tolist()


def _data_url(image):
    """The image as a data URL, reduced to what a page shows."""
    small, file = image.copy(), io.BytesIO()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    small.save(file, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
