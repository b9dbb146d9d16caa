"""The brushes the faces of the demo dataset are drawn with: soft edges, bumps, noise, bands of rows."""

from functools import cache
from types import SimpleNamespace

import numpy as np
from PIL import Image

SIZE = 84  # pixels a side of the canvas
SPAN = 2.2  # half heads across the canvas
PIXEL = SPAN / SIZE


def soft(distance, width=PIXEL):
    """Coverage of a shape, from the signed distance to its edge (negative inside)."""
    return np.minimum(np.maximum(0.5 - distance * (0.5 / width), 0), 1)


def bump(x, y, width, height):
    """A Gaussian hill of height 1."""
    return np.exp(-((x * (1 / width)) ** 2) - (y * (1 / height)) ** 2)


def line(distance, width):
    """A soft line of intensity 1, from the distance to it."""
    return np.exp(-((distance * (1 / width)) ** 2))


def paint(image, mask, color):
    """Lay a color (three numbers, or an image) over an image where the mask says so."""
    color = np.asarray(color, np.float32)
    image += mask * ((color[:, None, None] if color.ndim == 1 else color) - image)


def noise(rng, cells):
    """Smooth noise of standard deviation about 1, with about ``cells`` blobs across the canvas."""
    sheet = _sheet(cells)
    top, left = rng.integers(0, len(sheet) - SIZE, 2)
    return sheet[top : top + SIZE, left : left + SIZE]


@cache
def _sheet(cells):
    """Noise to cut pieces from: ten canvases wide, as making it anew for each face is slow."""
    small = np.random.default_rng(cells).standard_normal((10 * cells, 10 * cells), dtype=np.float32)
    sheet = np.asarray(Image.fromarray(small).resize((10 * SIZE, 10 * SIZE), Image.Resampling.BICUBIC))
    return sheet / sheet.std()


def band(at, image, top, bottom):
    """The rows of the canvas where a feature between two heights can lie, as they are cheaper to paint than all of it.

    Returns the places and the image in those rows, and the rows.
    """
    left, right = at.v[:, 0], at.v[:, -1]
    rows = np.flatnonzero((np.minimum(left, right) < bottom + 0.1) & (np.maximum(left, right) > top - 0.1))
    part = slice(rows[0], rows[-1] + 1) if len(rows) else slice(0, 1)
    return SimpleNamespace(**{name: plane[part] for name, plane in vars(at).items()}), image[:, part], part
