"""Images in; the faces found in each and their predicted ages out, in order and a block at a time.

Threads read, detect and crop, a bounded number of images ahead; the model predicts some hundreds of faces at once. So
memory depends on neither the number of images nor, beyond `DETECTION_SIDE`, their size.
"""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image

from .._utils.hardware import cores
from .._utils.prefetch import ordered
from ..data.faces import Face
from ..data.image_io import LONG_SIDE, describe_error, read_image, upright
from ..data.image_store import SMALLEST, content
from .faces import DetectedFace, crop_faces
from .inputs import InputImage
from .model import BLOCK
from .predictions import ModelPredictions

DETECTION_SIDE = 4096  # pixels of the longer side at most: what detectors reduce, but faces are cropped from
AHEAD = 16  # images for each core that may wait to be predicted
WHOLE = "no face found, so the whole image was taken for one"
UNREADABLE = "could not be read, so this is the median age of the training images"
NO_FACE = "no face found, so this is the median age of the training images"
MAX_CROP_SCALE = 2  # an image is no crop of a face if it is this much larger than those of the training


@dataclass(frozen=True)
class Finder:
    """How faces are found.

    Attributes
    ----------
    detector : callable
        see `faces.detector`
    template : faces.Template
    largest : bool
        only the largest face of each image, as always for the row of a list
    """

    detector: object
    template: object
    largest: bool


@dataclass(frozen=True, eq=False)
class ImageResult:
    """What was found in an image.

    Attributes
    ----------
    image : InputImage
    faces : list of DetectedFace
        boxes and landmarks in pixels of the upright image as it is stored
    n_faces : int
        how many of those are faces, not guesses for want of one
    problem : str
        why it could not be read; empty where it could
    """

    image: InputImage
    faces: list[DetectedFace]
    n_faces: int = 0
    problem: str = ""


def predict(images, model, finder=None, on_progress=lambda done: None) -> Iterator[tuple[list, ModelPredictions]]:
    """Predict the ages in images.

    Parameters
    ----------
    images : sequence of InputImage
    model : Model
    finder : Finder, optional
        without one each image is a crop of one face already
    on_progress : callable
        called with the number of images done

    Yields
    ------
    list of ImageResult, ModelPredictions
        the next images, and a row for each face in them
    """
    prior = _prior(model)
    with _threads() as pool:
        block, crops = [], 0
        for done, result in enumerate(ordered(pool, partial(_detect, finder, model.timer), images, AHEAD * cores()), 1):
            block.append(result)
            crops += sum(face.crop is not None for face in result.faces)
            on_progress(done)
            if max(crops, len(block)) >= BLOCK:
                yield block, _predictions(model, block, prior)
                block, crops = [], 0
        if block:
            yield block, _predictions(model, block, prior)


@contextmanager
def _threads():
    """A thread for each core; what they have not begun when the block is left is not begun any more."""
    pool = ThreadPoolExecutor(cores())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _prior(model):
    """The ages of the training images, `(121,)`: all that can be predicted for an image that cannot be read."""
    fold_models = [fold_model for member in model.metadata["members"] for fold_model in member["fold_models"]]
    return np.mean([fold_model["prior"] for fold_model in fold_models], axis=0)


def _predictions(model, block, prior):
    crops = [face.crop for result in block for face in result.faces]
    visible = np.array([crop is not None for crop in crops], bool)
    predicted = model.predict([crop for crop in crops if crop is not None])
    proba = np.tile(prior.astype(np.float32), (len(crops), 1))
    proba[visible] = predicted.proba
    return ModelPredictions(proba, name=model.name, calibrated=predicted.calibrated)


# --- one image --------------------------------------------------------------------------------------------------


def _detect(finder, timer, source):
    """The faces in an image; whatever is wrong with it is recorded, never raised."""
    with timer("reading"):
        image, size, problem = _opened(source, DETECTION_SIDE if finder else LONG_SIDE)
    if problem:
        return _unreadable(source, problem)
    if finder is None:
        return _whole(source, image, [], n_faces=1)
    pixels = np.asarray(image)
    try:
        found = _faces(pixels, size, finder, source.listed, timer)
    except Exception as error:  # libraries of others on images of others
        return _unreadable(source, f"face detection fails: {type(error).__name__}: {str(error)[:120]}")
    if found or not source.listed:
        return ImageResult(source, found, len(found))
    if max(np.divide(size, finder.template.shape)) > MAX_CROP_SCALE:
        return ImageResult(source, [DetectedFace(None, None, [NO_FACE])])
    return _whole(source, image, [WHOLE], n_faces=0)


def _opened(source, long_side):
    """The image, its height and width as stored, and what is wrong with it."""
    if not source.path:
        return None, None, "no path"
    try:
        data, problem = content(source.path)
        image, size = (None, None) if problem else read_image(io.BytesIO(data), long_side)
    except Exception as error:  # Pillow's decoders raise anything at all on hostile bytes
        return None, None, describe_error(error)
    return image, size, problem or _too_small(size)


def _too_small(size):
    height, width = size
    return f"tiny: {width}x{height} pixels, at least {SMALLEST} needed" if min(size) < SMALLEST else ""


def _unreadable(source, problem):
    guess = [DetectedFace(None, None, [UNREADABLE])] if source.listed else []
    return ImageResult(source, guess, problem=problem)


def _whole(source, image, remarks, n_faces):
    """An image taken for a crop, at the size at which images are kept."""
    crop = np.asarray(upright(Image.fromarray(np.asarray(image)), LONG_SIDE))  # turned already: without its EXIF tag
    if _too_small(crop.shape[:2]):
        return _unreadable(source, f"too narrow: {image.width}x{image.height} pixels")
    return ImageResult(source, [DetectedFace(None, crop, remarks)], n_faces)


def _faces(pixels, size, finder, listed, timer):
    """The faces that are asked for, best first, of those in the image."""
    with timer("detecting"):
        found = finder.detector(pixels)
    with timer("cropping"):
        count, alone = len(found), len(found) > 1 and (finder.largest or listed)
        if alone:
            found = [max(found, key=lambda face: face.box[2] * face.box[3])]
        crowd = [f"{'largest' if alone else 'one'} of {count} faces"] if count > 1 else []
        factors = np.array(size[::-1]) / pixels.shape[1::-1]
        return [
            replace(one, face=_enlarged(one.face, factors), remarks=[*one.remarks, *crowd])
            for one in crop_faces(pixels, found, finder.template)
        ]


def _enlarged(face, factors):
    """A face of the reduced image in pixels of the stored one; `factors` are those of width and height."""
    box = tuple((np.array(face.box) * np.tile(factors, 2)).tolist())
    return Face(box, face.score, None if face.landmarks is None else face.landmarks * factors)
