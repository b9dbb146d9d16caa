"""Photographs, decoded once: files in, a ragged store of upright RGB pixels and their fingerprints out.

A store is a folder of shards, each written by one process and complete as soon as its `.npz` is there, so that an
interrupted decoding goes on at the first missing shard. It lies under a name made of the files' paths, sizes and times
and of everything that decides a pixel, so that it is found again and never stale.
"""

import hashlib
import io
import os
import warnings
from pathlib import Path

import numpy as np

from .caches import key_of, writing

LONG_SIDE = 256  # pixels; larger photographs are reduced to it
SMALLEST = 16  # pixels; below this a face tells nothing
MOST_PIXELS = 100_000_000  # a photograph that claims more is taken for a decompression bomb
SHARD = 500  # photographs in one file
HASH_SIDE = 16  # the difference hash has HASH_SIDE ** 2 = 256 bits


class Photos:
    """A decoded store, read as a sequence of uint8 arrays `(height, width, 3)`.

    Attributes
    ----------
    shape : (n, 2) int32 array
        height and width as stored; 0 where a photograph could not be used
    original : (n, 2) int32 array
        height and width, upright, in the file
    sha256, pixels : (n, 32) uint8 array
        hash of the file's bytes, and of its decoded pixels
    dhash : (n, 32) uint8 array
        256-bit difference hash of the upright grey image
    problem : (n,) array of str
        why a photograph could not be used; empty where it can
    """

    def __init__(self, folder, count):
        self.folder, self.count = Path(folder), count
        meta = [np.load(self.folder / f"{start}.npz", allow_pickle=False) for start in range(0, count, SHARD)]
        for name in ("shape", "original", "sha256", "pixels", "dhash", "problem"):
            setattr(self, name, np.concatenate([m[name] for m in meta]))
        sizes = self.shape.prod(1, dtype=np.int64) * 3
        self.offset = np.concatenate([np.cumsum(np.r_[0, sizes[s : s + SHARD]])[:-1] for s in range(0, count, SHARD)])
        self._open = {}

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

    @property
    def bytes(self):
        """Size of the pixels, in bytes."""
        return int(self.shape.prod(1, dtype=np.int64).sum()) * 3


def decode(files, cache, jobs=1, progress=lambda done, total: None):
    """Decode photograph files into a store, in parallel, unless the cache has it.

    Parameters
    ----------
    files : list of str
        paths; a file that can't be used gets a `problem`, never an exception
    cache : pathlib.Path
    jobs : int
        processes
    progress : callable
        told (done, total) photographs

    Returns
    -------
    Photos
    """
    import PIL
    from joblib import Parallel, delayed

    stats = [_stamp(file) for file in files]
    folder = cache / "photos" / key_of(files, stats, LONG_SIDE, SMALLEST, MOST_PIXELS, SHARD, PIL.__version__)
    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(files), SHARD)
    missing = [start for start in starts if not (folder / f"{start}.npz").exists()]
    done = len(files) - sum(min(SHARD, len(files) - start) for start in missing)
    if missing:
        progress(done, len(files))
        tasks = (delayed(_decode_shard)(files[start : start + SHARD], folder, start) for start in missing)
        for count in Parallel(n_jobs=min(jobs, len(missing)), return_as="generator_unordered")(tasks):
            done += count
            progress(done, len(files))
    return Photos(folder, len(files))


def _stamp(file):
    try:
        stat = os.stat(file)
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _decode_shard(files, folder, start):
    rows = [_decode(file) for file in files]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0] if name != "image"}
    with writing(folder / f"{start}.u8") as temporary, open(temporary, "wb") as out:
        for row in rows:
            out.write(row["image"])
        out.write(b"\0")  # an empty file can't be mapped
    with writing(folder / f"{start}.npz") as temporary, open(temporary, "wb") as out:
        np.savez(out, **columns)
    return len(files)


def _decode(file):
    nothing = {"image": b"", "shape": (0, 0), "original": (0, 0), "problem": ""}
    nothing |= {name: np.zeros(32, np.uint8) for name in ("sha256", "pixels", "dhash")}
    try:
        with open(file, "rb") as stream:
            content = stream.read()
    except OSError as error:
        return nothing | {"problem": f"cannot be read: {error.strerror or error}"}
    nothing["sha256"] = _digest(content)
    if not content:
        return nothing | {"problem": "empty file"}
    try:
        image, original = open_upright(io.BytesIO(content))
    except Exception as error:  # Pillow's decoders raise anything at all on hostile bytes
        return nothing | {"problem": _reason(error)}
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


def open_upright(stream):
    """Open one photograph as people see it: first frame, turned by its EXIF tag, 8-bit RGB, at most `LONG_SIDE`.

    Returns
    -------
    PIL.Image.Image, (height, width)
        the image, and its size before it was reduced

    Raises
    ------
    Exception
        whatever Pillow raises on a file that is damaged, no image, or too large
    """
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, milder bomb warning, and notes on odd EXIF
        image = Image.open(stream)
        if image.width * image.height > MOST_PIXELS:
            raise Image.DecompressionBombError(f"{image.width}x{image.height}")
        size = image.size
        image.draft("RGB", (2 * LONG_SIDE, 2 * LONG_SIDE))  # a JPEG far too large is reduced while it is decoded
        turned = ImageOps.exif_transpose(image)
        original = size[::-1] if (turned.width > turned.height) == (size[0] > size[1]) else size
        rgb = _to_rgb(turned)
    rgb.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    return rgb, original


def _to_rgb(image):
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":  # 16 bits and more: Pillow would clip, not scale
        values = np.asarray(image).astype(np.float64)
        scale = 255 / 65535 if image.mode.startswith("I;16") or values.max() > 255 else 1
        image = Image.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        grey = Image.new("RGBA", image.size, (128, 128, 128, 255))
        image = Image.alpha_composite(grey, image)
    return image.convert("RGB")


def _reason(error):
    name = type(error).__name__
    if name == "UnidentifiedImageError":
        return "not an image"
    if name == "DecompressionBombError":
        return f"too large: {error} pixels, over {MOST_PIXELS // 1_000_000} megapixels"
    return f"does not decode: {(str(error) or name).splitlines()[0][:120]}"


def _digest(content):
    return np.frombuffer(hashlib.sha256(content).digest(), np.uint8)


def difference_hash(image):
    """Signs of the horizontal differences of the image at 17 x 16 grey pixels, `(32,)` uint8.

    Source: the difference hash of N. Krawetz, "Kind of like that" (2013), here with 256 bits.
    """
    from PIL import Image

    small = np.asarray(image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.LANCZOS))
    return np.packbits(small[:, 1:] > small[:, :-1])


def resized(photos, rows, size):
    """Photographs as squares of one size, the aspect ratio not kept.

    Parameters
    ----------
    photos : Photos
    rows : sequence of int
    size : int, pixels

    Returns
    -------
    (n, size, size, 3) uint8 array
    """
    from PIL import Image

    result = np.empty((len(rows), size, size, 3), np.uint8)
    for target, row in zip(result, rows, strict=True):
        pixels = photos[row]
        if pixels.shape[:2] != (size, size):
            pixels = Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR)
        target[:] = pixels
    return result
