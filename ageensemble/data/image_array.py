"""Images as models see them: resized to one size, made once for a dataset, or at their own sizes.

Resized images may be changed first by a transform, see `data.transforms`. Images are read one by one from files, never
mapped, so that training takes memory by the batch, however many images there are.
"""

from pathlib import Path

import numpy as np

from .._utils.hardware import cores
from .._utils.io import content_key, locked, remove_stale_temp_files, write_rows
from .._utils.prefetch import in_batches
from ..errors import DiskError, UsageError
from . import transforms
from .image_io import LONG_SIDE
from .image_store import SHARD

RESIZING_VERSION = 1  # raise it when `resized` comes to make a pixel otherwise
BATCH = 128
NATIVE = "native"


class ImageArray:
    """Images, read when asked for.

    Parameters
    ----------
    files : list of path
    file : (n,) int array
        which of the files holds each image
    offset : (n,) int array
        where in it the image's bytes begin
    shapes : (n, 2) int array
        height and width of each

    Attributes
    ----------
    shapes : (n, 2) int array
    """

    def __init__(self, files, file, offset, shapes):
        self._files, self._file, self._offset, self.shapes = files, file, offset, shapes

    def __len__(self):
        return len(self.shapes)

    def __getitem__(self, rows):
        """Images of one shape, `(m, height, width, 3)` uint8; `rows` is an `(m,)` int array; or one image, by a number.

        Raises
        ------
        ValueError
            They are not of one shape, or there are none.
        DiskError
            A file is gone or shorter than it was.
        """
        rows = np.asarray(rows)
        if not rows.ndim:
            return self[rows[None]][0]
        shapes = np.unique(self.shapes[rows], axis=0)
        if len(shapes) != 1:
            raise ValueError(f"images of {len(shapes)} shapes cannot be one array")
        result = np.empty((len(rows), *shapes[0], 3), np.uint8)
        kinds = self._file[rows]
        for kind in np.unique(kinds):
            self._read(self._files[kind], rows, np.flatnonzero(kinds == kind), result)
        return result

    def _read(self, file, rows, places, result):
        try:
            with open(file, "rb", buffering=0) as stream:
                for place in places:
                    stream.seek(self._offset[rows[place]])
                    if stream.readinto(result[place].data) != result[place].nbytes:
                        raise DiskError(f"{file} is shorter than it was; the same command makes it again")
        except FileNotFoundError:
            raise DiskError(f"{file} is gone; the same command makes it again") from None

    def take(self, rows):
        """The images of these rows only."""
        rows = np.asarray(rows)
        return ImageArray(self._files, self._file[rows], self._offset[rows], self.shapes[rows])


class InMemoryImages:
    """Images in memory, with what an `ImageArray` has: `shapes`, `len`, indexing, `take`.

    Parameters
    ----------
    images : sequence of (h, w, 3) uint8 array
    """

    def __init__(self, images):
        self._images = images
        self.shapes = np.array([image.shape[:2] for image in images], np.int64).reshape(-1, 2)

    def __len__(self):
        return len(self._images)

    def __getitem__(self, rows):
        """Images of one shape, `(m, height, width, 3)` uint8; `rows` is an `(m,)` int array."""
        rows = np.asarray(rows)
        return np.stack([self._images[row] for row in rows]) if rows.ndim else self._images[rows]

    def take(self, rows):
        """The images of these rows only."""
        return InMemoryImages([self._images[row] for row in np.asarray(rows)])


def load_images(dataset, size, cache, progress=lambda done, total: None, preprocess=""):
    """The images of a dataset's items.

    Parameters
    ----------
    dataset : Dataset
    size : str
        side of the resized images in pixels, or "native": as stored, not resized
    cache : pathlib.Path
    progress : callable
        called with (done, total) images where they are resized
    preprocess : str
        what is done to them first, see `data.transforms`; empty for nothing

    Returns
    -------
    ImageArray

    Raises
    ------
    UsageError
        No such size or preprocessing, or native images should be preprocessed.
    """
    refuse_native(size, preprocess)
    if not side(size):
        return dataset.images
    file = resized_file(dataset, size, cache, progress, preprocess)
    images = np.load(file, mmap_mode="r")
    n, height, width, _ = images.shape
    offset = images.offset + np.arange(n, dtype=np.int64) * height * width * 3
    return ImageArray([file], np.zeros(n, np.int32), offset, np.full((n, 2), (height, width), np.int32))


def native(store, rows):
    """The images of these rows of an `ImageStore` at their own sizes, an `ImageArray`."""
    shards = [store.folder / f"{start}.u8" for start in range(0, len(store), SHARD)]
    return ImageArray(shards, rows // SHARD, store.offset[rows], store.shape[rows])


def side(size):
    """Side of the resized images by the parameter `size` of a model, 0 where it is "native".

    Raises
    ------
    UsageError
        Neither "native" nor a number of pixels.
    """
    text = str(size)
    if text != NATIVE and not (text.isascii() and text.isdigit() and 1 <= int(text) <= LONG_SIDE):
        raise UsageError(f"size={text} should be '{NATIVE}' or a number of pixels, 1 to {LONG_SIDE}")
    return 0 if text == NATIVE else int(text)


def refuse_native(size, preprocess):
    """Refuse to preprocess images that are read as they are stored.

    Raises
    ------
    UsageError
    """
    if preprocess and str(size) == NATIVE:
        name = Path(preprocess).name
        raise UsageError(f"preprocess={name} needs a size in pixels, such as size=128: '{NATIVE}' is as stored")


def dimension(size):
    """Numbers in an image, at most."""
    return 3 * (side(size) or LONG_SIDE) ** 2


def resized_place(dataset, size, cache, preprocess=""):
    """Where the cache keeps the resized images of a dataset, there or not; see `resized_file`."""
    import PIL

    key = content_key(side(size), dataset.pixels, RESIZING_VERSION, PIL.__version__, *transforms.key(preprocess))
    return Path(cache) / "pixels" / f"squares{side(size)}-{key}.npy"


def resized_file(dataset, size, cache, progress=lambda done, total: None, preprocess=""):
    """File of a dataset's resized images, `(n, size, size, 3)` uint8 in `.npy`, made unless the cache has it.

    Parameters are those of `load_images`.

    Returns
    -------
    pathlib.Path
    """
    file, shape = resized_place(dataset, size, cache, preprocess), (len(dataset), side(size), side(size), 3)
    if not _whole(file, shape):
        with locked(file.with_suffix(".lock")):
            remove_stale_temp_files(file.parent, file.name)
            if not _whole(file, shape):
                write_rows(file, shape, _resized_batches(dataset, side(size), preprocess, progress), "u1")
    return file


def _whole(file, shape):
    """Whether all resized images are there."""
    try:
        images = np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return images.shape == shape and images.dtype == np.uint8


def _resized_batches(dataset, size, preprocess, progress):
    rows = dataset.items["image"].to_numpy()
    progress(0, len(rows))

    def batch_at(start):
        return resized(dataset.image_store, rows[start : start + BATCH], size, preprocess)

    return in_batches(batch_at, len(rows), BATCH, cores(), progress)


def resized(images, rows, size, preprocess=""):
    """Images, preprocessed, resized to squares of one side; the aspect ratio is not kept.

    Parameters
    ----------
    images : ImageStore
    rows : sequence of int
    size : int, pixels
    preprocess : str
        what is done to them first; empty for nothing

    Returns
    -------
    (n, size, size, 3) uint8 array
    """
    from PIL import Image

    preprocessed = transforms.load(preprocess)
    result = np.empty((len(rows), size, size, 3), np.uint8)
    for target, row in zip(result, rows, strict=True):
        pixels = preprocessed(images[row])
        if pixels.shape[:2] != (size, size):
            pixels = Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR)
        target[:] = pixels
    return result
