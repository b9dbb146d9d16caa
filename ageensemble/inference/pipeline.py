"""Photographs in, what was seen in each and what the model says of it out, in their order and a block at a time.

Threads read, look for faces and cut them out, a bounded number of photographs ahead; the model is asked about some
hundreds of faces at once. So memory depends on neither the number of photographs nor, beyond `LOOKED_AT`, their size.
"""

import io
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from .._utils.hardware import cores
from ..data.faces import Face
from ..data.image_io import LONG_SIDE, open_upright, reason, upright
from ..data.image_store import SMALLEST, content
from .faces import cut
from .inputs import Photo
from .model import BLOCK
from .predictions import ModelPredictions

LOOKED_AT = 4096  # pixels of the longer side at most: what detectors reduce, but faces are cut from
AHEAD = 16  # photographs for each core that may wait to be predicted
NO_FACE = "no face found"
WHOLE = "no face found, so the whole picture was taken for one"
GUESSED = "could not be read, so this is the middle age of the training photographs"
NOTHING = "no face found, so this is the middle age of the training photographs"
CROP = 2  # a picture is no crop of a face if it is this much larger than those of the training


@dataclass(frozen=True)
class Finder:
    """How faces are found.

    Attributes
    ----------
    detector : callable
        see `faces.detector`
    template : faces.Template
    largest : bool
        only the largest face of each photograph, as always for the row of a list
    """

    detector: object
    template: object
    largest: bool


@dataclass(frozen=True, eq=False)
class Seen:
    """Something that has an age.

    Attributes
    ----------
    crop : (h, w, 3) uint8 array or None
        what the model is given; None where only its prior can be told
    face : faces.Face or None
        in pixels of the upright photograph as it is stored; None for a whole picture
    remarks : list of str
        why its age should be taken with care
    """

    crop: np.ndarray | None
    face: Face | None
    remarks: list


@dataclass(frozen=True, eq=False)
class Looked:
    """A photograph that was looked at.

    Attributes
    ----------
    photo : Photo
    seen : list of Seen
    faces : int
        how many of those are faces, not guesses for want of one
    problem : str
        why it could not be read; empty where it could
    """

    photo: Photo
    seen: list
    faces: int = 0
    problem: str = ""


def predict(photos, model, finder=None, told=lambda done: None):
    """Predict the ages in photographs.

    Parameters
    ----------
    photos : sequence of Photo
    model : saved.Model
    finder : Finder, optional
        without one each photograph is a crop of one face already
    told : callable
        told how many photographs were looked at

    Yields
    ------
    list of Looked, ModelPredictions
        the next photographs, and a row for each thing that was seen in them
    """
    prior = _prior(model)
    with _threads() as pool:
        block, crops = [], 0
        for done, looked in enumerate(_ahead(pool, partial(_look, finder, model.clock), photos), 1):
            block.append(looked)
            crops += sum(seen.crop is not None for seen in looked.seen)
            told(done)
            if max(crops, len(block)) >= BLOCK:
                yield block, _answers(model, block, prior)
                block, crops = [], 0
        if block:
            yield block, _answers(model, block, prior)


@contextmanager
def _threads():
    """A thread for each core; what they have not begun when the block is left is not begun any more."""
    pool = ThreadPoolExecutor(cores())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _ahead(pool, function, items):
    """What a function returns for each item, in order, few items ahead of what was asked for."""
    waiting = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= AHEAD * cores():
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _prior(model):
    """The ages of the training photographs, `(121,)`: all that can be said of a photograph that cannot be seen."""
    return np.mean([cell["prior"] for member in model.about["members"] for cell in member["cells"]], axis=0)


def _answers(model, block, prior):
    crops = [seen.crop for looked in block for seen in looked.seen]
    visible = np.array([crop is not None for crop in crops], bool)
    said = model.predict([crop for crop in crops if crop is not None])
    distribution = np.tile(prior.astype(np.float32), (len(crops), 1))
    distribution[visible] = said.proba
    return ModelPredictions(distribution, calibrated=said.calibrated)


# --- one photograph ----------------------------------------------------------------------------------------------


def _look(finder, clock, photo):
    """What is seen in a photograph; whatever is wrong with it is said, never raised."""
    with clock("reading"):
        picture, size, problem = _opened(photo, LOOKED_AT if finder else LONG_SIDE)
    if problem:
        return _unreadable(photo, problem)
    if finder is None:
        return _whole(photo, picture, [], faces=1)
    image = np.asarray(picture)
    try:
        seen = _faces(image, size, finder, photo.listed, clock)
    except Exception as error:  # libraries of others on pictures of others
        return _unreadable(photo, f"faces cannot be looked for: {type(error).__name__}: {str(error)[:120]}")
    if seen or not photo.listed:
        return Looked(photo, seen, len(seen))
    if max(np.divide(size, finder.template.shape)) > CROP:
        return Looked(photo, [Seen(None, None, [NOTHING])])
    return _whole(photo, picture, [WHOLE], faces=0)


def _opened(photo, long_side):
    """The picture, its height and width as stored, and what is wrong with it."""
    if not photo.path:
        return None, None, "no path"
    try:
        data, problem = content(photo.path)
        picture, size = (None, None) if problem else open_upright(io.BytesIO(data), long_side)
    except Exception as error:  # Pillow's decoders raise anything at all on hostile bytes
        return None, None, reason(error)
    return picture, size, problem or _too_small(size)


def _too_small(size):
    height, width = size
    return f"tiny: {width}x{height} pixels, at least {SMALLEST} needed" if min(size) < SMALLEST else ""


def _unreadable(photo, problem):
    return Looked(photo, [Seen(None, None, [GUESSED])] if photo.listed else [], problem=problem)


def _whole(photo, picture, remarks, faces):
    """A picture taken for a crop, at the size at which photographs are kept."""
    crop = np.asarray(upright(Image.fromarray(np.asarray(picture)), LONG_SIDE))  # turned already: without its EXIF tag
    if _too_small(crop.shape[:2]):
        return _unreadable(photo, f"too narrow: {picture.width}x{picture.height} pixels")
    return Looked(photo, [Seen(crop, None, remarks)], faces)


def _faces(image, size, finder, listed, clock):
    """The faces that are asked for, best first, of those in the photograph."""
    with clock("detecting"):
        found = finder.detector(image)
    with clock("cutting"):
        count, alone = len(found), len(found) > 1 and (finder.largest or listed)
        if alone:
            found = [max(found, key=lambda face: face.box[2] * face.box[3])]
        crowd = [f"{'largest' if alone else 'one'} of {count} faces"] if count > 1 else []
        factors = np.array(size[::-1]) / image.shape[1::-1]
        return [
            Seen(one.crop, _enlarged(one.face, factors), [*one.remarks, *crowd])
            for one in cut(image, found, finder.template)
        ]


def _enlarged(face, factors):
    """A face of the reduced picture in pixels of the photograph; `factors` are those of width and height."""
    box = tuple((np.array(face.box) * np.tile(factors, 2)).tolist())
    return Face(box, face.score, None if face.landmarks is None else face.landmarks * factors)
