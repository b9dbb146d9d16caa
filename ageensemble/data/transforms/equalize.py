import numpy as np

from ._luma import luma, with_luma
from .base import Transform


class Equalize(Transform):
    """Histogram equalization: all gray levels of an image about equally frequent, its colors kept.

    The textbook method, as in Gonzalez & Woods, "Digital Image Processing", section 3.3: the darkest gray level that is
    there becomes black, the brightest white, and a level becomes as bright as the share of pixels that are no brighter.
    An image of a single level is left as it is.
    """

    version = 1

    def apply(self, image):
        before = luma(image)
        return with_luma(image, before, _levels(before)[before])


def _levels(gray):
    """What becomes of each gray level, `(256,)` uint8."""
    as_dark = np.cumsum(np.bincount(gray.ravel(), minlength=256))
    darkest = as_dark[gray.min()]
    if darkest == gray.size:
        return np.arange(256, dtype=np.uint8)
    return np.rint(255 * np.maximum(as_dark - darkest, 0) / (gray.size - darkest)).astype(np.uint8)
