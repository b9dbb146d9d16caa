import numpy as np

from ._luma import luma, with_luma
from .base import Transform

TILES = 8  # along each side
LIMIT = 0.01  # of a tile's pixels, at most, count for one gray level
ROUNDS = 6  # of cutting off and spreading: each leaves 0.39 of the surplus or less, since 100 of 256 levels are full


class CLAHE(Transform):
    """Local contrast enhancement (CLAHE), which brings out wrinkles in dark and in bright parts of a face; colors kept.

    Contrast-limited adaptive histogram equalization of Zuiderveld, Graphics Gems IV, 1994, after Pizer et al. 1987:
    each tile of a grid has its own equalization, whose slope is limited by cutting off its histogram and spreading what
    is cut off over all levels, and each pixel is mapped by those of the four tiles around it, interpolated. Grid and
    limit are those of `skimage.exposure.equalize_adapthist`.
    """

    version = 1

    def apply(self, image):
        before = luma(image)
        return with_luma(image, before, equalized(before))


def equalized(gray: np.ndarray) -> np.ndarray:
    """Gray levels `(h, w)` uint8 with their contrast enhanced."""
    (low_row, high_row, down), (low_column, high_column, right) = (_between(side) for side in gray.shape)
    maps, down, right = _maps(gray).ravel(), down[:, None], right[None]

    def mapped(row, column):
        return maps[256 * (TILES * row[:, None] + column) + gray]

    above = (1 - right) * mapped(low_row, low_column) + right * mapped(low_row, high_column)
    below = (1 - right) * mapped(high_row, low_column) + right * mapped(high_row, high_column)
    return np.rint((1 - down) * above + down * below).astype(np.uint8)


def _between(side):
    """For each pixel along a side, the tiles before and after it, and how far it is from the one to the other, 0..1."""
    place = (np.arange(side, dtype=np.float32) + 0.5) / _pixels(side) - 0.5  # in tiles, from the middle of the first
    low = np.floor(place).astype(int)
    return low.clip(0), (low + 1).clip(max=TILES - 1), place - low


def _pixels(side):
    """Pixels of a tile along a side of the image."""
    return -(-side // TILES)


def _maps(gray):
    """The limited equalization of each tile, row by row, `(TILES ** 2, 256)` float32: gray levels by gray level."""
    tall, wide = (_pixels(side) for side in gray.shape)
    missing = ((0, TILES * tall - gray.shape[0]), (0, TILES * wide - gray.shape[1]))
    padded = np.pad(gray, missing, "symmetric")  # so that tiles at the edge are as large as the others
    tile = TILES * (np.arange(TILES * tall) // tall)[:, None] + np.arange(TILES * wide) // wide
    counts = np.bincount((256 * tile + padded).ravel(), minlength=256 * TILES**2).reshape(TILES**2, 256)
    for _ in range(ROUNDS):
        limited = np.minimum(counts, max(1, LIMIT * tall * wide))
        counts = limited + (tall * wide - limited.sum(1, keepdims=True)) / 256
    return (255 / (tall * wide) * counts.cumsum(1)).astype(np.float32)
