"""Images, decoded once: files in, a ragged store of upright RGB pixels and their fingerprints out.

A store is a folder of shards, each written by one process and complete as soon as its `.npz` is there, so that an
interrupted decoding goes on at the first missing shard. It lies under a name made of the files' paths, sizes and times
and of everything that decides a pixel, so that it is found again and never stale.
"""

import hashlib
import io
import os
import stat
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from .._utils.io import atomic_write, content_key, locked, remove_stale_temp_files
from .image_io import LONG_SIDE, MOST_PIXELS, describe_error, read_image

STORE = 2  # raise it when code here or in `upright` comes to decide a pixel otherwise
SMALLEST = 16  # pixels; below this a face tells nothing
MOST_BYTES = 500_000_000  # of a file; it is read at once
UNREAD = "cannot be read"
SHARD = 500  # images in one file
HASH_SIDE = 16  # the difference hash has HASH_SIDE ** 2 = 256 bits


class ImageStore:
    """A decoded store, read as a sequence of uint8 arrays `(height, width, 3)`.

    Attributes
    ----------
    shape : (n, 2) int32 array
        height and width as stored; 0 where an image could not be used
    original : (n, 2) int32 array
        height and width, upright, in the file
    sha256, pixels : (n, 32) uint8 array
        hash of the file's bytes, and of its decoded pixels
    dhash : (n, 32) uint8 array
        256-bit difference hash of the upright gray image
    problem : (n,) array of str
        why an image could not be used; empty where it can
    """

    def __init__(self, folder, count):
        self.folder, self.count = Path(folder), count
        meta = [np.load(self.folder / f"{start}.npz", allow_pickle=False) for start in range(0, count, SHARD)]
        for name, values in _columns([]).items():
            setattr(self, name, np.concatenate([values, *(m[name] for m in meta)]))
        sizes = self.shape.prod(1, dtype=np.int64) * 3
        before = [np.cumsum(np.r_[0, sizes[s : s + SHARD]])[:-1] for s in range(0, count, SHARD)]
        self.offset = np.concatenate([np.zeros(0, np.int64), *before])
        self._open = {}

    @classmethod
    def empty(cls, count):
        """A store of images that were not opened: no folder, and columns that say nothing."""
        store = cls.__new__(cls)
        store.folder, store.count = None, count
        store.shape = store.original = np.zeros((count, 2), np.int32)
        store.sha256 = store.pixels = store.dhash = np.zeros((count, 0), np.uint8)
        store.problem = np.zeros(count, "U1")
        return store

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        index = int(index)
        start = index - index % SHARD
        shard = self._open.get(start)
        if shard is None:
            shard = np.memmap(self.folder / f"{start}.u8", np.uint8, "r")
            self._open = {start: shard}  # one at a time, replaced whole: several threads may read
        height, width = self.shape[index]
        offset = self.offset[index]
        return shard[offset : offset + height * width * 3].reshape(height, width, 3)


def decode(files, cache, jobs=1, progress=lambda done, total: None):
    """Decode image files into a store, in parallel, unless the cache has it.

    Parameters
    ----------
    files : list of str
        paths; a file that can't be used gets a `problem`, never an exception
    cache : pathlib.Path
    jobs : int
        processes
    progress : callable
        called with (done, total) images

    Returns
    -------
    ImageStore
    """
    import PIL

    stats = [_stamp(file) for file in files]
    folder = (
        cache / "photos" / content_key(files, stats, STORE, LONG_SIDE, SMALLEST, MOST_PIXELS, SHARD, PIL.__version__)
    )
    folder.mkdir(parents=True, exist_ok=True)
    if _missing(folder, len(files)):
        with locked(folder.with_suffix(".lock")):
            remove_stale_temp_files(folder)
            _decode_shards(files, _missing(folder, len(files)), folder, jobs, progress)
    return ImageStore(folder, len(files))


def _missing(folder, count):
    return [start for start in range(0, count, SHARD) if not _complete(folder, start)]


def _decode_shards(files, missing, folder, jobs, progress):
    from joblib import Parallel, delayed

    if not missing:
        return
    done = len(files) - sum(min(SHARD, len(files) - start) for start in missing)
    progress(done, len(files))
    tasks = (delayed(_decode_shard)(files[start : start + SHARD], folder, start) for start in missing)
    for count in Parallel(n_jobs=min(jobs, len(missing)), return_as="generator_unordered")(tasks):
        done += count
        progress(done, len(files))


def _complete(folder, start):
    """Whether a shard is there, whole, and not made while a file could not be read: that may be otherwise by now."""
    if not all((folder / f"{start}{end}").exists() for end in (".u8", ".npz")):
        return False
    try:
        with np.load(folder / f"{start}.npz", allow_pickle=False) as meta:
            size = int(meta["shape"].prod(1, dtype=np.int64).sum()) * 3 + 1
            sound = (folder / f"{start}.u8").stat().st_size == size
            return sound and not np.char.startswith(meta["problem"], UNREAD).any()
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):  # damaged
        return False


def _stamp(file):
    try:
        state = os.stat(file)
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


def _decode_shard(files, folder, start):
    rows = [_decode(file) for file in files]
    with atomic_write(folder / f"{start}.u8") as temporary, open(temporary, "wb") as out:
        for row in rows:
            out.write(row["image"])
        out.write(b"\0")  # an empty file can't be mapped
    with atomic_write(folder / f"{start}.npz") as temporary, open(temporary, "wb") as out:
        np.savez(out, **_columns(rows))
    return len(files)


def _columns(rows):
    """The fingerprints of decoded images as arrays."""
    columns = {name: np.array([row[name] for row in rows], np.int32).reshape(-1, 2) for name in ("shape", "original")}
    for name in ("sha256", "pixels", "dhash"):
        columns[name] = np.array([row[name] for row in rows], np.uint8).reshape(-1, 32)
    return columns | {"problem": np.array([row["problem"] for row in rows], str)}


def _decode(file):
    nothing = {"image": b"", "shape": (0, 0), "original": (0, 0), "problem": ""}
    nothing |= {name: np.zeros(32, np.uint8) for name in ("sha256", "pixels", "dhash")}
    read, problem = content(file)
    if problem:
        return nothing | {"problem": problem}
    nothing["sha256"] = _digest(read)
    try:
        image, original = read_image(io.BytesIO(read))
    except Exception as error:  # Pillow's decoders raise anything at all on hostile bytes
        return nothing | {"problem": describe_error(error)}
    if min(original) < SMALLEST:
        height, width = original
        return nothing | {"original": original, "problem": f"tiny: {width}x{height} pixels, at least {SMALLEST} needed"}
    pixels = np.asarray(image)
    return nothing | {
        "image": pixels.tobytes(),
        "shape": pixels.shape[:2],
        "original": original,
        "pixels": _digest(repr(pixels.shape).encode() + pixels.tobytes()),
        "dhash": difference_hash(image),
    }


def content(file):
    """(bytes, "") of an image's file, or (None, why it cannot be read)."""
    try:
        state = os.stat(file)
        if not stat.S_ISREG(state.st_mode):
            return None, "not a file"  # opening a pipe would wait for ever
        if state.st_size > MOST_BYTES:
            return None, f"too large: {state.st_size:,} bytes, at most {MOST_BYTES:,}"
        with open(file, "rb") as stream:
            read = stream.read()
    except OSError as error:
        return None, f"{UNREAD}: {error.strerror or error}"
    return read, "" if read else "empty file"


def _digest(data):
    return np.frombuffer(hashlib.sha256(data).digest(), np.uint8)


def difference_hash(image):
    """Signs of the horizontal differences of the image at 17 x 16 gray pixels, `(32,)` uint8.

    Source: the difference hash of N. Krawetz, "Kind of like that" (2013), here with 256 bits.
    """
    from PIL import Image

    small = np.asarray(image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.LANCZOS))
    return np.packbits(small[:, 1:] > small[:, :-1])
