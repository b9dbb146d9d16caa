"""Putting a dataset where the user wants it: a folder that is there is complete."""

import os
import shutil
from pathlib import Path

from ..._utils.io import locked, read_json, write_json
from ...errors import DataError, DiskError, UsageError
from . import huggingface, kaggle
from .sources import HUGGING_FACE, KAGGLE, Source

RECORD = "source.json"  # lies beside the images: where they came from
FETCH = {HUGGING_FACE: huggingface.fetch, KAGGLE: kaggle.fetch}


def is_installed(name: str, target: Path) -> bool:
    """Whether the dataset is in the folder already.

    Raises
    ------
    UsageError
        Something else is in the folder.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return False
    try:
        if read_json(target / RECORD).get("set") == name:
            return True
    except DiskError:
        pass
    raise UsageError(f"{target} is there, and not as {name}; --to takes a new folder")


def install(source: Source, target: Path) -> int:
    """Fetch a dataset into a folder, which appears once all is there; what came lies beside it until then.

    Parameters
    ----------
    source : Source
    target : pathlib.Path
        new or empty

    Returns
    -------
    int
        images

    Raises
    ------
    DataError, DiskError, UsageError
        The hub fails, something else is in the folder, or nothing that came is an image of the dataset.
    """
    target = target.absolute()
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        unfinished.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(f"{target} cannot be made: {error.strerror}; --to takes another folder") from None
    with locked(unfinished / "lock"):
        if not is_installed(source.name, target):  # another process may have been faster
            folder, origin = FETCH[source.hub](source, unfinished)
            chosen = folder.with_name(f"{folder.name}-chosen")
            _choose(folder, source.images, chosen)
            if not chosen.exists():
                shutil.rmtree(unfinished)
                why = "it was changed, or is damaged"
                raise DataError(f"{source.name} came without images where they were: {why}; see {source.page}")
            about = {"set": source.name, "license": source.license, "page": source.page}
            write_json(chosen / RECORD, about | origin)
            if target.exists():
                target.rmdir()
            os.replace(chosen, target)
    shutil.rmtree(unfinished, ignore_errors=True)
    return sum(path.is_file() for path in target.rglob("*")) - 1


def _choose(folder, pattern, chosen):
    """Move what the pattern knows; a second time, after a kill, what is left of it."""
    for path in sorted(folder.rglob("*")):
        match = pattern.fullmatch(path.relative_to(folder).as_posix())
        if match and path.is_file() and not path.is_symlink():
            place = chosen / match["path"]
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)
