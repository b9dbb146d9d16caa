"""How bright each pixel of an image looks, and images made brighter and darker with their colors kept."""

import numpy as np

WEIGHTS = (2125, 7154, 721)  # those of skimage.color.rgb2gray, times 10,000: whole numbers are the same everywhere


def luma(image: np.ndarray) -> np.ndarray:
    """Gray levels `(h, w)` uint8 of an RGB image `(h, w, 3)` uint8."""
    red, green, blue = (image[..., channel].astype(np.int32) for channel in range(3))
    return ((WEIGHTS[0] * red + WEIGHTS[1] * green + WEIGHTS[2] * blue + 5000) // 10_000).astype(np.uint8)


def with_luma(image: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """An image whose gray levels were `before` and become `after`.

    Every channel gains as much, which leaves the two color differences of YCbCr as they are; what would be darker than
    black or brighter than white is cut off.
    """
    gain = after.astype(np.int16) - before
    return np.clip(image + gain[..., None], 0, 255).astype(np.uint8)
