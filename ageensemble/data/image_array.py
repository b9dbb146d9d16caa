"""Photographs for models that look at them: as squares of one size, made once for a dataset, or as they are stored.

Squares may be preprocessed first, by a name of `preprocessing`.

Both are read photograph by photograph from files, never mapped: what a process read a moment ago is the system's to
keep or drop, so that a training takes memory by the batch, however many photographs there are.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np

from .._utils.hardware import cores
from .._utils.io import forget_unfinished, key_of, locked, write_rows
from ..errors import DiskError, UsageError
from . import transforms
from .image_io import LONG_SIDE
from .image_store import SHARD

SQUARES = 1  # raise it when `resized` comes to make a pixel otherwise
BATCH = 128
NATIVE = "native"


class ImageArray:
    """Photographs, read when asked for.

    Parameters
    ----------
    files : list of path
    file : (n,) int array
        which of the files holds each photograph
    offset : (n,) int array
        where in it the photograph's bytes begin
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
        """Photographs of one shape, `(m, height, width, 3)` uint8; `rows` is an `(m,)` int array.

        Raises
        ------
        ValueError
            They are not of one shape, or there are none.
        DiskError
            A file is gone or shorter than it was.
        """
        rows = np.asarray(rows)
        shapes = np.unique(self.shapes[rows], axis=0)
        if len(shapes) != 1:
            raise ValueError(f"photographs of {len(shapes)} shapes cannot be one array")
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
        """`Photographs` of these rows only."""
        rows = np.asarray(rows)
        return ImageArray(self._files, self._file[rows], self._offset[rows], self.shapes[rows])


def photographs(dataset, size, cache, progress=lambda done, total: None, preprocess=""):
    """The photographs of a dataset's items.

    Parameters
    ----------
    dataset : Dataset
    size : str
        pixels of the squares, or "native": as stored, not resized
    cache : pathlib.Path
    progress : callable
        told (done, total) photographs where squares are made
    preprocess : str
        what is done to them first, see `preprocessing`; empty for nothing

    Returns
    -------
    Photographs

    Raises
    ------
    UsageError
        No such size or preprocessing, or native photographs should be preprocessed.
    """
    refuse_native(size, preprocess)
    if not side(size):
        return dataset.images
    file = squares_file(dataset, size, cache, progress, preprocess)
    squares = np.load(file, mmap_mode="r")
    n, height, width, _ = squares.shape
    offset = squares.offset + np.arange(n, dtype=np.int64) * height * width * 3
    return ImageArray([file], np.zeros(n, np.int32), offset, np.full((n, 2), (height, width), np.int32))


def native(store, rows):
    """The images of these rows of an `ImageStore` at their own sizes, an `ImageArray`."""
    shards = [store.folder / f"{start}.u8" for start in range(0, len(store), SHARD)]
    return ImageArray(shards, rows // SHARD, store.offset[rows], store.shape[rows])


def side(size):
    """Pixels of a square by the parameter `size` of a model, 0 where it is "native".

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
    """Refuse to preprocess photographs that are read as they are stored.

    Raises
    ------
    UsageError
    """
    if preprocess and str(size) == NATIVE:
        name = Path(preprocess).name
        raise UsageError(f"preprocess={name} needs a size in pixels, such as size=128: '{NATIVE}' is as stored")


def dimension(size):
    """Numbers in a photograph, at most."""
    return 3 * (side(size) or LONG_SIDE) ** 2


def squares_place(dataset, size, cache, preprocess=""):
    """Where the cache keeps the squares of a dataset's items, there or not; see `squares_file`."""
    import PIL

    key = key_of(side(size), dataset.pixels, SQUARES, PIL.__version__, *transforms.key(preprocess))
    return Path(cache) / "pixels" / f"squares{side(size)}-{key}.npy"


def squares_file(dataset, size, cache, progress=lambda done, total: None, preprocess=""):
    """File of a dataset's photographs as squares, `(n, size, size, 3)` uint8 in `.npy`, made unless the cache has it.

    Parameters are those of `photographs`.

    Returns
    -------
    pathlib.Path
    """
    file, shape = squares_place(dataset, size, cache, preprocess), (len(dataset), side(size), side(size), 3)
    if not _whole(file, shape):
        with locked(file.with_suffix(".lock")):
            forget_unfinished(file.parent, file.name)
            if not _whole(file, shape):
                write_rows(file, shape, _squares(dataset, side(size), preprocess, progress), "u1")
    return file


def _whole(file, shape):
    """Whether all squares are there."""
    try:
        squares = np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return squares.shape == shape and squares.dtype == np.uint8


def _squares(dataset, size, preprocess, progress):
    """The squares in order, batch by batch, from several threads; few batches are ahead of the one asked for."""
    rows = dataset.items["photo"].to_numpy()
    starts = iter(range(0, len(rows), BATCH))
    pool = ThreadPoolExecutor(cores())

    def submitted(count):
        parts = (rows[start : start + BATCH] for start in islice(starts, count))
        return [pool.submit(resized, dataset.photos, part, size, preprocess) for part in parts]

    try:
        ahead, done = deque(submitted(2 * cores())), 0
        progress(done, len(rows))
        while ahead:
            batch = ahead.popleft().result()
            ahead.extend(submitted(1))
            yield batch
            done += len(batch)
            progress(done, len(rows))
    finally:
        pool.shutdown(cancel_futures=True)


def resized(photos, rows, size, preprocess=""):
    """Photographs, preprocessed, as squares of one size, the aspect ratio not kept.

    Parameters
    ----------
    photos : Photos
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
        pixels = preprocessed(photos[row])
        if pixels.shape[:2] != (size, size):
            pixels = Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR)
        target[:] = pixels
    return result
