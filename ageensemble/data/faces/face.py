"""A face that was found in a image, and what all detectors do with images of any size."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Face:
    """Where a face is, in pixels of the upright image; (0, 0) is the corner of its first pixel, not the middle.

    Attributes
    ----------
    box : tuple of 4 float
        x, y, width, height; it may reach beyond the image
    score : float
        how sure the detector is, 0 to 1; NaN of a detector that does not say
    landmarks : (5, 2) float array or None
        x, y of the eye on the left of the picture, the one on the right, the tip of the nose, and the corners of the
        mouth, left and right; None of a detector that finds none
    """

    box: tuple
    score: float
    landmarks: np.ndarray | None = None


def scaled(image, side):
    """A picture whose longer side is `side` pixels.

    Parameters
    ----------
    image : (h, w, 3) uint8 array
    side : int

    Returns
    -------
    (m, n, 3) uint8 array, (2,) float array
        the picture, and by how much its width and its height were multiplied
    """
    from PIL import Image

    height, width = image.shape[:2]
    factor = side / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    picture = image
    if size != (width, height):
        picture = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
    return picture, np.array(size) / (width, height)


def iou(a, b):
    """Area that two boxes share, as a fraction of the area that they cover together."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, across) * max(0.0, down)
    return shared / max(a[2] * a[3] + b[2] * b[3] - shared, 1e-9)


def non_max_suppression(faces, most=0.4):
    """Each face once, of several found in the same place the first."""
    kept = []
    for face in faces:
        if all(iou(face.box, other.box) <= most for other in kept):
            kept.append(face)
    return kept
