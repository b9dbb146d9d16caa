"""The cache folder: where it is, what it holds, emptying it."""

import os
import re
import shutil
from pathlib import Path

from ..errors import UsageError

OURS = {  # names of what this package puts into each folder of the cache
    "photos": r"[0-9a-f]{16}(\.lock)?",
    "features": r".*-[0-9a-f]{16}\.(npy|lock|npy\.\d+\.tmp)",
    "precision": r"[0-9a-f]{16}\.json",
    "pixels": r"\.?squares\d+-[0-9a-f]{16}\.(npy|lock|npy\.\d+\.tmp)",
    "templates": r"[0-9a-f]{16}\.json",
    "detectors": r"lock|face_detection_yunet_2023mar\.onnx",
    "demo": r"lock|v\d+-\d+(-unfinished)?",
}


def default_folder():
    """The user's cache folder: `$XDG_CACHE_HOME/ageensemble`, by default `~/.cache/ageensemble`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ageensemble"


def _entries(cache):
    """What in the cache is ours: (kind, path)."""
    for kind, pattern in OURS.items():
        folder = cache / kind
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            if re.fullmatch(pattern, entry.name):
                yield kind, entry


def _bytes(path):
    return sum(f.lstat().st_size for f in (path, *path.rglob("*")) if f.is_file())


def contents(cache):
    """What the cache holds: {kind: (entries, bytes)}."""
    result = {}
    for kind, entry in _entries(cache):
        if not entry.name.endswith("lock"):
            count, size = result.get(kind, (0, 0))
            result[kind] = (count + 1, size + _bytes(entry))
    return result


def clear(cache):
    """Remove what this package put into the cache, and nothing else there; the bytes freed are returned.

    Raises
    ------
    UsageError
        The folder holds other things and none of ours: hardly a cache.
    """
    entries = [entry for _, entry in _entries(cache)]
    if not entries and cache.is_dir() and any(cache.iterdir()):
        raise UsageError(f"{cache} is no cache of ageensemble: nothing in it was put there by it")
    freed = 0
    for entry in entries:
        freed += _bytes(entry)
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    return freed
