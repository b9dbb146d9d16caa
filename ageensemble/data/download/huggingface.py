"""A file of a data set on Hugging Face: fetched, gone on with, and known by its hash."""

import shutil
import zipfile
from contextlib import contextmanager
from pathlib import Path

from ..._utils.io import file_hash
from ...errors import DataError, DiskError
from .errors import readable_error
from .sources import Source

ACCESS = "so the set is not public any more"
SPARE = 50_000_000  # bytes of the disk that are left alone


def fetch(source: Source, folder: Path) -> tuple[Path, dict]:
    """Fetch and unpack an archive.

    `hf_hub_download` begins anew after a kill, so its parts are used, which can go on. No account is needed, and the
    user's token is not sent.

    Parameters
    ----------
    source : Source
    folder : pathlib.Path
        where it is put; what an earlier try left there is used

    Returns
    -------
    pathlib.Path, dict
        the folder of what was in the archive, and where it came from

    Raises
    ------
    DataError
        The hub does not answer, has no such file, or has another.
    DiskError
        There is no room.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get

    part = folder / source.file
    try:
        url = hf_hub_url(source.repository, source.file, repo_type="dataset", revision=source.revision)
        with _without_telemetry():
            stated = get_hf_file_metadata(url, token=False)
        if stated.etag != source.sha256 or not stated.size:
            raise DataError(
                f"{source.hub} does not state the SHA-256 that {source.file} of {source.repository} should have; "
                f"see {source.page}"
            )
        if _length(part) > stated.size:  # what an earlier try left is no part of the file
            part.unlink()
        _room(folder, stated.size - _length(part), source.name)
        with open(part, "ab") as stream:
            http_get(url, stream, resume_size=stream.tell(), expected_size=stated.size, displayed_filename=source.file)
    except (DataError, DiskError):
        raise
    except Exception as error:  # the library and those below it have many types for a lost connection
        raise readable_error(error, source, ACCESS, folder) from error
    if file_hash(part) != source.sha256:
        part.unlink()
        raise DataError(
            f"what came from {source.hub} is not the {source.file} that is expected (its SHA-256 differs); "
            "it was deleted, and the same command begins anew"
        )
    return _unpacked(part, folder / "unpacked", source.name), {"from": url, "sha256": source.sha256}


@contextmanager
def _without_telemetry():
    """Ask the hub for nothing but the file: its library looks up lists there to tell it who asks."""
    from huggingface_hub import constants

    before, constants.HF_HUB_DISABLE_TELEMETRY = constants.HF_HUB_DISABLE_TELEMETRY, True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_TELEMETRY = before


def _length(file):
    return file.stat().st_size if file.exists() else 0


def _unpacked(archive, folder, name):
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(archive) as packed:
        _room(folder.parent, sum(member.file_size for member in packed.infolist()), name)
        packed.extractall(folder)
    return folder


def _room(folder, needed, name):
    free = shutil.disk_usage(folder).free
    if needed + SPARE > free:
        missing = f"{name} needs {needed / 1e6:,.0f} MB more, and {free / 1e6:,.0f} MB are free"
        raise DiskError(f"no room in {folder.parent}: {missing}; --to takes a folder on another disk")
