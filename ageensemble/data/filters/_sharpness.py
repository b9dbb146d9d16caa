"""How sharp images are; measured once for a store of images, and kept in its folder."""

import numpy as np

from ..._utils.io import locked, write_rows

FILE = "sharpness-1.npy"  # another number when the code here comes to measure otherwise


def sharpness(images, progress=lambda done, total: None):
    """Variance of the Laplacian of each image's gray values as stored, 0..255.

    Source: Pech-Pacheco, Cristobal, Chamorro-Martinez & Fernandez-Valdivia 2000, "Diatom autofocusing in brightfield
    microscopy: a comparative study", ICPR; the Laplacian of four neighbors, without the border.

    Parameters
    ----------
    images : ImageStore
    progress : callable
        called with (done, total) images where they are measured

    Returns
    -------
    (n,) float32 array
        NaN where an image could not be used
    """
    file = images.folder / FILE
    known = _read(file, images)
    if known is None:
        with locked(images.folder.with_suffix(".lock")):  # of whoever clears what is half written in that folder
            known = _read(file, images)
            if known is None:
                known = _measured(images, progress)
                write_rows(file, known.shape, [known])
    return known


def _read(file, images):
    """What was measured of exactly the images that are there, or None."""
    try:
        known = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    there = images.shape[:, 0] > 0
    return known if known.shape == there.shape and (np.isfinite(known) == there).all() else None


def _measured(images, progress):
    result = np.full(len(images), np.nan, np.float32)
    for row in np.flatnonzero(images.shape[:, 0] > 0):
        result[row] = variance(images[row])
        if row % 500 == 499:
            progress(int(row) + 1, len(images))
    return result


def variance(image):
    """Variance of the Laplacian of one image, `(height, width, 3)` uint8; 0 of a strip that has no inside."""
    from PIL import Image

    if min(image.shape[:2]) < 3:
        return 0.0
    gray = np.asarray(Image.fromarray(image).convert("L")).astype(np.int16)
    around = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:]
    return (around - 4 * gray[1:-1, 1:-1]).var()
