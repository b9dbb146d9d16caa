"""Images that users hand in: paths, PIL images or arrays."""

import io
import os

import numpy as np

from ..errors import DataError, UsageError
from .image_io import describe_error, read_image, upright
from .image_store import SMALLEST, content


def read_images(images) -> list[np.ndarray]:
    """Images from wherever as arrays: upright RGB, at most `LONG_SIDE` pixels a side.

    Parameters
    ----------
    images : sequence of paths, PIL.Image.Image or uint8 array (h, w, 3), (h, w, 4) or (h, w)

    Returns
    -------
    list of (h, w, 3) uint8 array

    Raises
    ------
    DataError
        An image that cannot be used.
    UsageError
        Something else than an image.
    """
    return [_read(image, place) for place, image in enumerate(images)]


def _read(image, place):
    if isinstance(image, (str, os.PathLike)):
        name, opened = str(image), _open(image)
    else:
        name, opened = f"image {place}", upright(_as_image(image, place))
    pixels = np.asarray(opened)
    if min(pixels.shape[:2]) < SMALLEST:
        raise DataError(f"{name} is {pixels.shape[1]}x{pixels.shape[0]} pixels, at least {SMALLEST} a side are needed")
    return pixels


def _open(file):
    data, problem = content(file)
    if problem:
        raise DataError(f"{file}: {problem}")
    try:
        return read_image(io.BytesIO(data))[0]
    except Exception as error:  # Pillow's decoders raise anything at all on hostile bytes
        raise DataError(f"{file}: {describe_error(error)}") from error


def _as_image(image, place):
    from PIL import Image

    if isinstance(image, Image.Image):
        return image
    shape = getattr(image, "shape", ())
    if getattr(image, "dtype", None) != np.uint8 or len(shape) not in (2, 3) or shape[2:] not in ((), (3,), (4,)):
        what = f"{image.dtype} {shape}" if hasattr(image, "dtype") else type(image).__name__
        raise UsageError(f"image {place} is {what}; give a path, a PIL image, or a uint8 array (height, width, 3)")
    if not np.prod(shape):
        raise DataError(f"image {place} is empty")
    return Image.fromarray(np.ascontiguousarray(image))
