"""Histogram equalisation: all grey levels of a photograph about equally frequent, its colours kept.

The textbook method, as in Gonzalez & Woods, "Digital Image Processing", section 3.3: the darkest grey level that is
there becomes black, the brightest white, and a level becomes as bright as the share of pixels that are no brighter.
"""

import numpy as np

from ._luma import luma, with_luma

version = 1  # raised whenever the numbers change


def apply(image):
    """A photograph, `(h, w, 3)` uint8, with equalised grey levels; one of a single level is left as it is."""
    before = luma(image)
    return with_luma(image, before, _levels(before)[before])


def _levels(grey):
    """What becomes of each grey level, `(256,)` uint8."""
    as_dark = np.cumsum(np.bincount(grey.ravel(), minlength=256))
    darkest = as_dark[grey.min()]
    if darkest == grey.size:
        return np.arange(256, dtype=np.uint8)
    return np.rint(255 * np.maximum(as_dark - darkest, 0) / (grey.size - darkest)).astype(np.uint8)
