"""The cache folder, content keys, and writing files so that a half-written one is never seen."""

import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from .errors import DiskError


def default_folder():
    """The user's cache folder: `$XDG_CACHE_HOME/ageensemble`, by default `~/.cache/ageensemble`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ageensemble"


def key_of(*parts):
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


@contextmanager
def writing(path):
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


def write_json(path, content):
    """Write `content` as JSON, atomically."""
    with writing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", errors="surrogateescape")


def read_json(path):
    """Read a JSON file.

    Raises
    ------
    DiskError
        It is missing or damaged.
    """
    try:
        return json.loads(Path(path).read_text(errors="surrogateescape"))
    except FileNotFoundError:
        raise DiskError(f"{path} is missing") from None
    except (ValueError, OSError) as error:
        raise DiskError(f"{path} is damaged: {error}") from None


@contextmanager
def locked(path):
    """Hold the lock file `path`; another process that wants it waits, and a killed one lets go."""
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield


def contents(cache):
    """What the cache holds: {kind: (entries, bytes)}."""
    result = {}
    for kind in sorted(p for p in cache.iterdir() if p.is_dir()) if cache.is_dir() else []:
        sizes = [f.stat().st_size for f in kind.rglob("*") if f.is_file()]
        result[kind.name] = (sum(1 for _ in kind.iterdir()), sum(sizes))
    return result


def clear(cache):
    """Remove what this package put into the cache, and nothing else there; the bytes freed are returned."""
    freed = sum(size for _, size in contents(cache).values())
    for kind in ("photos", "features", "demo", "manifests"):
        shutil.rmtree(cache / kind, ignore_errors=True)
    return freed
