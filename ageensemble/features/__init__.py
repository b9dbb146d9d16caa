"""Features: one file each, whose function `extract(batch, *, size, ...)` turns photographs into rows of numbers.

`batch` is uint8 `(n, 3, size, size)`, the result float32 `(n, d)`; an extractor looks at one photograph at a time, so
its matrix is computed once for a dataset and kept. Anything that is fitted lives in a model.

The module may also have `ARGUMENT`, the parameter that `embed:X` sets; `FILES`, parameters that are files, each with
the ending that tells a file from another value ("" for always); `OPTIONS = True`, to be given parameters that `extract`
does not declare; `LIBRARIES`, packages whose versions decide the numbers; `check(params)`, to refuse parameters before
anything is done; `try_files(params)`, to refuse files that cannot be used; `settle(params, *, say)`, which returns the
parameters with what has to be fetched or looked up; `dimension(**params)`, the numbers per photograph, where a black
square is not the way to find that.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from itertools import islice
from pathlib import Path

import numpy as np

from .._utils import registry
from .._utils.hardware import cores
from .._utils.io import forget_unfinished, key_of, locked, slug, write_rows
from ..data import transforms
from ..data.image_array import SQUARES, resized
from ..errors import DataError, UsageError

BATCH = 128
REGISTRY = registry.Registry(
    "feature set",
    __name__,
    internal=("backbones",),
    aliases={"colour": "color_histogram", "embed": "embedding"},
    group="ageensemble.features",
)


def names():
    """Names of the feature sets."""
    return REGISTRY.names()


def module(name):
    """The module of the feature set called `name`.

    Raises
    ------
    UsageError
        No such feature set, or a file that defines none.
    """
    found = REGISTRY.module(name)
    if not callable(getattr(found, "extract", None)) or "size" not in registry.defaults(found.extract):
        raise UsageError(f"the features in {name} must be a function extract(batch, *, size=..., ...)")
    return found


def version(name):
    """Version of the code of the feature set called `name`."""
    return registry.version(module(name))


def load(name):
    """The function `extract` of the feature set called `name`."""
    return module(name).extract


def dimension(name, params):
    """Numbers per photograph, asked of the feature set, or found by extracting from one black square."""
    if hasattr(module(name), "dimension"):
        return module(name).dimension(**params)
    return extract(name, params, np.zeros((1, params["size"], params["size"], 3), np.uint8), "cpu").shape[1]


def identity(name, params):
    """The parameters with the content of files in place of their paths: what decides the numbers."""
    return registry.with_contents(params, getattr(module(name), "FILES", ()))


def extract(name, params, squares, device):
    """Features of a batch of squares, `(n, size, size, 3)` uint8 in, `(n, d)` float32 out.

    Raises
    ------
    UsageError
        A parameter that the extractor refuses.
    DataError
        The extractor fails, or does not return what it should.
    """
    import torch

    batch = torch.from_numpy(squares).permute(0, 3, 1, 2).to(device)
    try:
        values = np.asarray(load(name)(batch, **params).cpu())
    except ValueError as error:
        raise UsageError(f"features '{name}': {error}") from error
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
        raise DataError(f"features '{name}' failed: {type(error).__name__}: {error}") from error
    if values.ndim != 2 or len(values) != len(batch) or not np.isfinite(values).all():
        raise DataError(f"features '{name}' must return finite numbers, a row for each of {len(batch)} photographs")
    return values


def matrix_place(name, params, dataset, cache, device, preprocess=""):
    """Where the cache keeps the feature matrix of a dataset's items, there or not; see `matrix_file`."""
    import PIL
    import torch

    versions = [PIL.__version__, torch.__version__, *map(_version, getattr(module(name), "LIBRARIES", ()))]
    before = transforms.key(preprocess)
    key = key_of(name, identity(name, params), version(name), device, dataset.pixels, SQUARES, versions, *before)
    return Path(cache) / "features" / f"{slug(Path(name).name)}-{key}.npy"


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def matrix_file(name, params, dataset, cache, device, progress=lambda done, total: None, preprocess=""):
    """File of the feature matrix of a dataset's items, `(n, d)` float32 in `.npy`, made unless the cache has it.

    Parameters
    ----------
    name, params : str, dict
        of the feature set, complete
    dataset : Dataset
    cache : pathlib.Path
    device : str
    progress : callable
        told (done, total) items
    preprocess : str
        what is done to the photographs first, see `preprocessing`; empty for nothing

    Returns
    -------
    pathlib.Path
    """
    file = matrix_place(name, params, dataset, cache, device, preprocess)
    if not _whole(file):
        with locked(file.with_suffix(".lock")):
            forget_unfinished(file.parent, file.name)
            if not _whole(file):
                shape = (len(dataset), dimension(name, params))
                write_rows(file, shape, _batches(name, params, dataset, device, preprocess, progress))
    return file


def _whole(file):
    """Whether a matrix is there in its full length."""
    try:
        np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return True


def _batches(name, params, dataset, device, preprocess, progress):
    """The rows of the matrix, in order, from several threads of one core each.

    That beats one thread after the other on all cores. Few batches are ahead of the one asked for: memory stays small.
    """
    import torch

    rows = dataset.items["photo"].to_numpy()
    starts = iter(range(0, len(rows), BATCH))
    workers = cores() if device == "cpu" else 2

    def values(start):
        squares = resized(dataset.photos, rows[start : start + BATCH], params["size"], preprocess)
        return extract(name, params, squares, device)

    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        ahead = deque(pool.submit(values, start) for start in islice(starts, 2 * workers))
        done = 0
        while ahead:
            batch = ahead.popleft().result()
            ahead.extend(pool.submit(values, start) for start in islice(starts, 1))
            yield batch
            done += len(batch)
            progress(done, len(rows))
    finally:
        pool.shutdown(cancel_futures=True)


def widths(files):
    """Numbers per photograph in each of several feature matrices, as `read` puts them side by side, tuple of int."""
    return tuple(np.load(file, mmap_mode="r").shape[1] for file in files)


def read(files, rows):
    """Rows of several feature matrices, side by side, `(len(rows), d)` float32.

    Parameters
    ----------
    files : list of path
    rows : (m,) int array
        in rising order, so that the files are read from front to back
    """
    matrices = [np.load(file, mmap_mode="r") for file in files]
    result = np.empty((len(rows), sum(m.shape[1] for m in matrices)), np.float32)
    column = 0
    for matrix in matrices:
        result[:, column : column + matrix.shape[1]] = matrix[rows]
        column += matrix.shape[1]
    return result
