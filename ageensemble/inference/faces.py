"""Faces in one whole photograph, cut as a model wants them."""

from dataclasses import dataclass, replace

import numpy as np

from ..data import faces

# Where YuNet and the cascade find a face in aligned and cropped photographs: medians over 300 and 100 of UTKFace
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
class Found:
    """A face in a photograph.

    Attributes
    ----------
    face : faces.Face
    crop : (h, w, 3) uint8 array
        the face alone, as the model's `predict` wants it
    remarks : list of str
        why its age should be taken with care, such as that it is tiny
    """

    face: faces.Face
    crop: np.ndarray
    remarks: list


def template_of(model, detector=None):
    """How a face must be cut for a model.

    Detectors draw their boxes each in its own way, and only some find landmarks. Where the template was measured by
    another one, its box becomes what this one would have drawn, as far as aligned photographs tell.

    Parameters
    ----------
    model : saved.Model
    detector : callable, optional
        what finds the faces, see `faces.detector`; by default the one that the template was measured by

    Returns
    -------
    faces.Template
    """
    template = faces.Template.from_json(model.template or USUAL)
    there = _kind(template.detector["key"])
    here = _kind(detector.key) if detector else there
    if there == here or not {there, here} <= BOXES.keys():
        return template

    def onto(points):
        """Points of the photographs behind `BOXES` where they are in the model's: by the box of its own detector."""
        x, y, width, height = BOXES[there]
        return template.box[:2] + (np.array(points) - (x, y)) / (width, height) * template.box[2:]

    corner, far = onto(BOXES[here][:2]), onto(np.add(BOXES[here][:2], BOXES[here][2:]))
    landmarks = onto(USUAL["landmarks"]) if template.landmarks is None else template.landmarks
    return replace(template, box=np.concatenate([corner, far - corner]), landmarks=landmarks)


def doubt(model, detector):
    """What makes faces come out otherwise than in the training of a model, in a line; empty where nothing does."""
    if model.template is None:
        return "the model does not say how its photographs show a face; faces are cut as in aligned and cropped sets"
    there = model.template["detector"]
    if _kind(there["key"]) == _kind(detector.key):
        return ""
    return f"the model's faces were measured by {there['name']}, these are found by {detector.name}: cut a little apart"


def _kind(key):
    return key.partition("-")[0]


def look(image, detector, template):
    """Find the faces in a photograph and cut them out, best first.

    Parameters
    ----------
    image : (h, w, 3) uint8 array
        RGB, upright
    detector : callable
        see `faces.detector`
    template : faces.Template

    Returns
    -------
    list of Found
    """
    return cut(image, detector(image), template)


def cut(image, found, template):
    """Cut faces out of the photograph in which they were found; `found` is a list of `faces.Face`."""
    return [Found(face, faces.crop(image, face, template), faces.remarks(image, face, template)) for face in found]
