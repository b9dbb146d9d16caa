"""Faces in one image, cropped as a model wants them."""

from dataclasses import dataclass, replace

import numpy as np

from ..data import faces

# Where YuNet and the cascade find a face in aligned and cropped images: medians over 300 and 100 of UTKFace
BOXES = {"yunet": [0.072, -0.005, 0.837, 0.950], "cascade": [-0.014, -0.097, 1.021, 1.021]}
USUAL = {
    "shape": [200, 200],
    "box": BOXES["yunet"],
    "landmarks": [[0.299, 0.298], [0.690, 0.289], [0.487, 0.520], [0.326, 0.687], [0.667, 0.677]],
    "detector": {"name": "YuNet", "key": "yunet"},
    "looked_at": 300,
    "found": 300,
}


@dataclass(frozen=True, eq=False)
class DetectedFace:
    """Something in an image that has an age: a face, or the whole image where it is taken for one.

    Attributes
    ----------
    face : faces.Face or None
        in pixels of the image; None for a whole image
    crop : (h, w, 3) uint8 array or None
        the face alone, as the model's `predict` wants it; None where only the prior of the model can be given
    remarks : list of str
        why its age should be taken with care, such as that it is tiny
    """

    face: faces.Face | None
    crop: np.ndarray | None
    remarks: list[str]


def crop_template(model, detector=None):
    """How a face must be cropped for a model.

    Detectors draw their boxes each in its own way, and only some find landmarks. Where the template was measured by
    another one, its box becomes what this one would have drawn, as far as aligned images tell.

    Parameters
    ----------
    model : Model
    detector : callable, optional
        see `faces.detector`; by default the one that the template was measured by

    Returns
    -------
    faces.Template
    """
    template = faces.Template.from_json(model.template or USUAL)
    measured = _kind(template.detector["key"])
    used = _kind(detector.key) if detector else measured
    if measured == used or not {measured, used} <= BOXES.keys():
        return template

    def onto(points):
        """Points of the images behind `BOXES` where they are in the model's: by the box of its own detector."""
        x, y, width, height = BOXES[measured]
        return template.box[:2] + (np.array(points) - (x, y)) / (width, height) * template.box[2:]

    corner, far = onto(BOXES[used][:2]), onto(np.add(BOXES[used][:2], BOXES[used][2:]))
    landmarks = onto(USUAL["landmarks"]) if template.landmarks is None else template.landmarks
    return replace(template, box=np.concatenate([corner, far - corner]), landmarks=landmarks)


def template_mismatch(model, detector) -> str:
    """Why faces may be cropped otherwise than in the training of a model, in a line; empty where nothing differs."""
    if model.template is None:
        return "the model has no crop template; faces are cropped as in common aligned datasets"
    measured = model.template["detector"]
    if _kind(measured["key"]) == _kind(detector.key):
        return ""
    return (
        f"the crop template was measured by {measured['name']}, faces are found by {detector.name}: they are cropped "
        "slightly differently, which can cost accuracy"
    )


def _kind(key):
    return key.partition("-")[0]


def detect_faces(image: np.ndarray, detector, template) -> list[DetectedFace]:
    """Find the faces in an image and crop them, best first.

    Parameters
    ----------
    image : (h, w, 3) uint8 array
        RGB, upright
    detector : callable
        see `faces.detector`
    template : faces.Template
    """
    return crop_faces(image, detector(image), template)


def crop_faces(image: np.ndarray, found, template) -> list[DetectedFace]:
    """Crop faces out of the image in which they were found; `found` is a list of `faces.Face`."""
    return [
        DetectedFace(face, faces.crop(image, face, template), faces.remarks(image, face, template)) for face in found
    ]
