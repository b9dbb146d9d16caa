"""Feature matrices: the features of all items of a dataset, computed once and kept in the cache."""

from importlib import metadata
from pathlib import Path

import numpy as np

from .._utils import registry
from .._utils.hardware import cores
from .._utils.io import content_key, locked, remove_stale_temp_files, slug, write_rows
from .._utils.prefetch import in_batches
from ..data import transforms
from ..data.image_array import RESIZING_VERSION, resized
from .base import BATCH


def matrix_path(extractor, dataset, cache, device, preprocess="") -> Path:
    """Where the cache keeps the feature matrix of a dataset's items, there or not; see `feature_matrix`."""
    import PIL
    import torch

    versions = [PIL.__version__, torch.__version__, *map(_version, extractor.libraries)]
    code, before = registry.version(type(extractor)), transforms.key(preprocess)
    key = content_key(
        extractor.name, extractor.identity(), code, device, dataset.pixels, RESIZING_VERSION, versions, *before
    )
    return Path(cache) / "features" / f"{slug(extractor.name)}-{key}.npy"


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def feature_matrix(
    extractor, dataset, cache, device="cpu", on_progress=lambda done, total: None, preprocess=""
) -> Path:
    """File of the features of a dataset's items, `(n, d)` float32 in `.npy`, made unless the cache has it.

    Parameters
    ----------
    extractor : FeatureExtractor
        resolved
    dataset : Dataset
    cache : pathlib.Path
    device : str
    on_progress : callable
        called with (done, total) items
    preprocess : str
        what is done to the images first, see `data.transforms`; empty for nothing
    """
    file = matrix_path(extractor, dataset, cache, device, preprocess)
    if not _complete(file):
        with locked(file.with_suffix(".lock")):
            remove_stale_temp_files(file.parent, file.name)
            if not _complete(file):
                shape = (len(dataset), extractor.n_features())
                write_rows(file, shape, _batches(extractor, dataset, device, preprocess, on_progress))
    return file


def _complete(file):
    """Whether a matrix is there in its full length."""
    try:
        np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return True


def _batches(extractor, dataset, device, preprocess, on_progress):
    """The rows of the matrix, in order, from threads of one core each: faster than one after the other on all cores."""
    import torch

    rows = dataset.items["image"].to_numpy()
    workers = cores() if device == "cpu" else 2

    def values(start):
        images = resized(dataset.image_store, rows[start : start + BATCH], extractor.size, preprocess)
        return extractor.extract_array(images, device)

    return in_batches(values, len(rows), BATCH, workers, on_progress, torch.set_num_threads, (1,))


def feature_widths(files) -> tuple[int, ...]:
    """Numbers for one item in each of several feature matrices, in the order in which `read_features` joins them."""
    return tuple(np.load(file, mmap_mode="r").shape[1] for file in files)


def read_features(files, rows) -> np.ndarray:
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
