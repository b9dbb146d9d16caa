"""Files: content keys, locks, and writing so that a half-written file is never seen."""

import csv
import errno
import hashlib
import json
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

from ..errors import DiskError

DISK_TROUBLES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def content_key(*parts):
    """Sixteen hexadecimal digits that name a content; arrays by their bytes, the rest by its JSON."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.tobytes() if hasattr(part, "tobytes") else json.dumps(part, sort_keys=True).encode()
        digest.update(f"{len(content)}:".encode() + content)
    return digest.hexdigest()[:16]


def file_hash(path):
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def slug(text, length=60):
    """A name that is safe as a file's, on any file system."""
    return re.sub(r"[^A-Za-z0-9.=+@_-]+", "-", text).strip("-.")[:length] or "data"


@contextmanager
def atomic_write(path):
    """A temporary path beside `path` that takes its place, atomically, when the block ends without an exception."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_stale_temp_files(folder, name="*"):
    """Remove temporary files that a killed process left; only for who holds the lock on what they stand for."""
    for file in folder.glob(f".{name}.*.tmp"):
        file.unlink(missing_ok=True)


def disk_trouble(error, folder):
    """The OSError that an exception comes down to where the disk of `folder` is full, read-only or broken, else None.

    Libraries have their own words and types for it, so a disk without room makes every exception its own.
    """
    if getattr(error, "errno", None) in DISK_TROUBLES:
        return error
    if os.strerror(errno.ENOSPC) in str(error) or shutil.disk_usage(folder).free < 1 << 16:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    return None


def write_rows(path, shape, batches, kind="<f4"):
    """Write an `.npy` of rows, atomically, batch by batch.

    Not through a memory map, whose writer a full disk kills without a word.

    Parameters
    ----------
    path : path
    shape : tuple of int
    batches : iterable of (m, ...) arrays
    kind : str
        of the numbers, as numpy writes it; float32 unless given
    """
    from numpy.lib import format

    with atomic_write(path) as temporary, open(temporary, "wb") as out:
        format.write_array_header_1_0(out, {"descr": kind, "fortran_order": False, "shape": shape})
        for batch in batches:
            out.write(batch.astype(kind, order="C", copy=False).data)


def write_json(path, content):
    """Write a dict as JSON, atomically, with a seal: the hash of it, so that a later change is noticed."""
    text = json.dumps(content | {"seal": content_key(content)}, indent=1, ensure_ascii=False)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", errors="surrogateescape")


def read_json(path):
    """Read what `write_json` wrote.

    Raises
    ------
    DiskError
        It is missing, damaged or was changed.
    """
    try:
        content = json.loads(Path(path).read_text(errors="surrogateescape"))
        seal = content.pop("seal")
    except FileNotFoundError:
        raise DiskError(f"{path} is missing") from None
    except (ValueError, RecursionError, OSError, AttributeError, TypeError, KeyError, IndexError):
        raise DiskError(f"{path} is damaged") from None
    if seal != content_key(content):
        raise DiskError(f"{path} is not as it was written")
    return content


@contextmanager
def locked(path):
    """Hold the lock file `path`; another process that wants it waits, and a killed one lets go."""
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield


def write_csv(path, table, **options):
    """Write a pandas table as CSV, atomically; text comes back from `read_csv` as it was, whatever is in it."""
    texts = table.select_dtypes(exclude="number")
    # pandas leaves a carriage return bare, but reads it as the end of a line
    bare = any("\r" in str(value) for column in texts for value in texts[column])
    options |= {"quoting": csv.QUOTE_NONNUMERIC if bare else csv.QUOTE_MINIMAL}
    with atomic_write(path) as temporary:
        table.to_csv(temporary, index=False, errors="surrogateescape", **options)
