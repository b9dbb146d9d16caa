"""Model folders on disk: written atomically, verified when they are read.

FOLDER/
    model.json             what the model is, hashes of all other files; see `model_contents`
    README.md              the model card
    features/              networks and weights that embeddings are made with
    members/0/fold-0/      parameters and arrays of each fold model of each member

Only JSON, safetensors, XGBoost's UBJ and ONNX may lie here: formats that hold numbers and no program. Whoever gives
the folder away can of course give other numbers; that its files are those it was written with is what the hashes say.
"""

import json
import os
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from .._utils.io import content_key, file_hash, write_json
from ..errors import DataError, UsageError

FORMAT = 2
DESCRIPTION = "model.json"
KINDS = (".json", ".safetensors", ".ubj", ".onnx", ".md")
MAX_DESCRIPTION = 50_000_000  # bytes; it is read whole
AGAIN = "get it again from where it came from"


def write(folder, fill):
    """Make a model folder, which is there whole or not at all; one that was there gives way.

    Parameters
    ----------
    folder : path
    fill : callable
        given an empty folder, writes the files and returns the description as a dict

    Raises
    ------
    UsageError
        Something else lies at `folder`.
    """
    folder = Path(os.path.abspath(folder))
    if folder.exists() and not replaceable(folder):
        raise UsageError(f"{folder} is there and is no model folder; give another place with --to")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
        new, old = Path(beside) / "new", Path(beside) / "old"
        new.mkdir()
        content = fill(new)
        files = {name: file_hash(new / name) for name in _files(new)}
        write_json(new / DESCRIPTION, {"format": FORMAT} | content | {"files": files})
        if folder.exists():
            folder.rename(old)
        new.rename(folder)


def replaceable(folder):
    """Whether what is at a place may give way to a new model folder: one like it and no more, or an empty folder."""
    if not folder.is_dir() or not (folder / DESCRIPTION).is_file():  # others call files model.json, too
        return folder.is_dir() and not any(folder.iterdir())
    try:
        listed = _description(folder).get("files")
    except DataError:
        return False
    return isinstance(listed, dict) and set(_files(folder)) <= {DESCRIPTION, *listed}


def read(folder):
    """The description in a model folder, after every file was held against its hash.

    Raises
    ------
    DataError
        No model folder, one of a later format, damaged, changed, or with something in it that does not belong there.
    """
    folder = Path(folder)
    content = _description(folder)
    if content.get("format") != FORMAT:
        raise DataError(
            f"{folder} is of format {str(content.get('format'))[:20]}, and this ageensemble reads format {FORMAT}: "
            "use the version that it was made with, or a newer one"
        )
    if content.pop("seal", None) != content_key(content):
        raise DataError(f"{folder / DESCRIPTION} is not as it was written; {AGAIN}")
    listed = content.get("files")
    if not isinstance(listed, dict):
        raise DataError(f"{folder / DESCRIPTION} lists no files; {AGAIN}")
    _refuse_strangers(folder, listed)
    for name, expected in listed.items():
        if not (folder / name).is_file():
            raise DataError(f"{folder} lacks {name}; {AGAIN}")
        if file_hash(folder / name) != expected:
            raise DataError(f"{folder / name} is damaged or was changed; {AGAIN}")
    return content


def _description(folder):
    file = folder / DESCRIPTION
    if not folder.exists():
        raise DataError(f"{folder} does not exist; 'ageensemble models save RUN' makes a model folder")
    if not file.is_file():
        raise DataError(
            f"{folder} is no model folder, it has no {DESCRIPTION}; 'ageensemble models save RUN' makes one"
        )
    try:
        if file.stat().st_size > MAX_DESCRIPTION:
            raise DataError(f"{file} is too large to be the description of a model")
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError, OSError):
        raise DataError(f"{file} is damaged; {AGAIN}") from None
    if not isinstance(content, dict):
        raise DataError(f"{file} is damaged; {AGAIN}")
    return content


def _refuse_strangers(folder, listed):
    """Refuse names that lead out of the folder, kinds of files that may hold a program, and files nobody listed."""
    for name in listed:
        parts = PurePosixPath(name).parts
        outside = PurePosixPath(name).is_absolute() or ".." in parts or "\\" in name or ":" in name or not parts
        if outside or not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{folder} lists {name[:80]!r}, which leads out of the folder; do not use it")
        if PurePosixPath(name).suffix not in KINDS:
            raise DataError(f"{folder} lists {name[:80]!r}; only {', '.join(KINDS)} are read from a model folder")
    strangers = sorted(set(_files(folder)) - set(listed) - {DESCRIPTION})
    if strangers:
        raise DataError(f"{folder} holds {strangers[0][:80]!r}, which is not part of the model; remove it or {AGAIN}")


def _files(folder):
    """Paths of all files below a folder but hidden ones, relative to it."""
    found = (f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_symlink() or not f.is_dir())
    return sorted(name for name in found if not PurePosixPath(name).name.startswith("."))
