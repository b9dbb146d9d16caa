"""A dataset on Kaggle: fetched through kagglehub, which goes on with half an archive and checks its MD5."""

import contextlib
import io
import logging
import os
import shutil
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

from ...errors import DataError, UsageError
from .errors import readable_error
from .sources import Source

ACCESS = "so log in there, accept what it asks, and give the token of your account in KAGGLE_API_TOKEN"
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError)


def fetch(source: Source, folder: Path) -> tuple[Path, dict]:
    """Fetch and unpack a dataset, its newest version.

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
    UsageError
        kagglehub is missing.
    DataError
        Kaggle does not answer, refuses, has no such set, or what came is damaged.
    """
    try:
        import kagglehub
        from kagglehub.exceptions import DataCorruptionError
    except ImportError as error:
        raise UsageError(
            f"{source.name} comes from Kaggle: pip install 'ageensemble[get]'; or by hand: {source.page}"
        ) from error
    logging.getLogger("kagglehub").setLevel(logging.ERROR)  # what it says of each step it says on standard output
    damaged = "what came from Kaggle is damaged ({}); it was deleted, and the same command begins anew"
    try:
        with _environment(folder), contextlib.redirect_stdout(sys.stderr), _bars():
            path = Path(kagglehub.dataset_download(source.repository))
    except DataCorruptionError as error:
        raise DataError(damaged.format("its MD5 is not the one that Kaggle states")) from error
    except Exception as error:  # of requests, of kagglehub, of what unpacks archives
        if not isinstance(error, DAMAGED) and str(error) != "Unsupported archive type.":
            raise readable_error(error, source, ACCESS, folder) from error
        shutil.rmtree(folder / "datasets")  # else it would be found complete, and damaged, again
        raise DataError(damaged.format(str(error).rstrip("."))) from error
    return path, {"from": f"{source.page}/versions/{path.name}"}


@contextlib.contextmanager
def _environment(folder):
    """Let kagglehub keep its files in `folder`, also where Kaggle or Colab have others: those cannot be moved."""
    ours = {"KAGGLEHUB_CACHE": str(folder), "DISABLE_KAGGLE_CACHE": "true", "DISABLE_COLAB_CACHE": "true"}
    before = {key: os.environ.get(key) for key in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


def _bars():
    """Progress bars for a terminal only; in a log each of their steps would be a line."""
    return contextlib.nullcontext() if sys.stderr.isatty() else contextlib.redirect_stderr(io.StringIO())
