"""Pictures of faces, from wherever, as models are handed them: upright RGB, at most `LONG_SIDE` pixels a side."""

import io
import os

import numpy as np

from .._utils.io import key_of
from ..data.image_array import InMemoryImages, resized, side
from ..data.image_io import open_upright, reason, upright
from ..data.image_store import SMALLEST, content
from ..errors import DataError, UsageError
from ..features.base import BATCH


def read(images):
    """Pictures as arrays.

    Parameters
    ----------
    images : sequence of path, PIL.Image.Image or uint8 array (h, w, 3), (h, w, 4) or (h, w)

    Returns
    -------
    list of (h, w, 3) uint8 array

    Raises
    ------
    DataError
        A picture that cannot be used.
    UsageError
        Something else than a picture.
    """
    return [_read(image, place) for place, image in enumerate(images)]


def _read(image, place):
    if isinstance(image, (str, os.PathLike)):
        name, picture = str(image), _opened(image)
    else:
        name, picture = f"image {place}", upright(_as_image(image, place))
    pixels = np.asarray(picture)
    if min(pixels.shape[:2]) < SMALLEST:
        raise DataError(f"{name} is {pixels.shape[1]}x{pixels.shape[0]} pixels, at least {SMALLEST} a side are needed")
    return pixels


def _opened(file):
    data, problem = content(file)
    if problem:
        raise DataError(f"{file}: {problem}")
    try:
        return open_upright(io.BytesIO(data))[0]
    except Exception as error:  # Pillow's decoders raise anything at all on hostile bytes
        raise DataError(f"{file}: {reason(error)}") from error


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


class Pictures:
    """What models are handed: the faces, preprocessed, at each size, and as features, made once for all that ask.

    Parameters
    ----------
    crops : list of (h, w, 3) uint8 array
    clock : machine.Clock
        told how long features take
    """

    def __init__(self, crops, clock):
        self.crops, self.clock, self._squares, self._features = crops, clock, {}, {}

    def __len__(self):
        return len(self.crops)

    def squares(self, size, preprocess):
        """`(n, size, size, 3)` uint8."""
        if (size, preprocess) not in self._squares:
            self._squares[size, preprocess] = resized(self.crops, range(len(self)), size, preprocess)
        return self._squares[size, preprocess]

    def features(self, extractor, preprocess, device, pool):
        """Rows of a feature set, `(n, d)` float32, from batches as large as in training."""
        key = key_of(extractor.name, extractor.get_params(), preprocess)
        if key not in self._features:
            squares = self.squares(extractor.size, preprocess)
            batches = [squares[start : start + BATCH] for start in range(0, len(squares), BATCH)]
            rows = pool.map(lambda batch: self._extracted(extractor, batch, device), batches)
            self._features[key] = np.concatenate(list(rows))
        return self._features[key]

    def _extracted(self, extractor, batch, device):
        with self.clock(f"{extractor.name} features"):
            return extractor.extract_array(batch, device)

    def photographs(self, size, preprocess):
        """What a model that looks at photographs is handed, at its `size`, in place of `pixels.Photographs`."""
        return InMemoryImages(self.squares(side(size), preprocess) if side(size) else self.crops)
