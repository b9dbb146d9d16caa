"""Features: one file each, whose function `extract(batch, *, size, ...)` turns photographs into rows of numbers.

`batch` is uint8 `(n, 3, size, size)`, the result float32 `(n, d)`; an extractor looks at one photograph at a time, so its
matrix is computed once for a manifest and kept. Anything that is fitted lives in a model.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from .. import registry
from ..caches import file_hash, key_of, locked, writing
from ..errors import UsageError
from ..machine import cores

BATCH = 128


def names():
    """Names of the feature sets."""
    return registry.names(__name__)


def load(name):
    """The function `extract` of the feature set called `name`.

    Raises
    ------
    UsageError
        No such feature set.
    """
    module = registry.module(__name__, name)
    if not hasattr(module, "extract"):
        raise UsageError(f"the features '{name}' define no function extract")
    return module.extract


def dimension(name, params):
    """Numbers per photograph, found by extracting from one black square."""
    return extract(name, params, np.zeros((1, params["size"], params["size"], 3), np.uint8), "cpu").shape[1]


def extract(name, params, squares, device):
    """Features of a batch of squares, `(n, size, size, 3)` uint8 in, `(n, d)` float32 out.

    Raises
    ------
    UsageError
        A parameter that the extractor refuses.
    """
    import torch

    batch = torch.from_numpy(squares).permute(0, 3, 1, 2).to(device)
    try:
        return load(name)(batch, **params).cpu().numpy()
    except ValueError as error:
        raise UsageError(f"features '{name}': {error}") from error


def matrix_file(name, params, manifest, cache, device, progress=lambda done, total: None):
    """File of the feature matrix of a manifest's items, `(n, d)` float32 in `.npy`, made unless the cache has it.

    Parameters
    ----------
    name, params : str, dict
        of the feature set, complete
    manifest : Manifest
    cache : pathlib.Path
    device : str
    progress : callable
        told (done, total) items

    Returns
    -------
    pathlib.Path
    """
    source = file_hash(registry.module(__name__, name).__file__)
    file = Path(cache) / "features" / f"{name}-{key_of(name, params, source, device, manifest.pixels)}.npy"
    with locked(file.with_suffix(".lock")):
        if not file.exists():
            with writing(file) as temporary:
                _compute(name, params, manifest, device, temporary, progress)
    return file


def _compute(name, params, manifest, device, file, progress):
    """Fill the matrix from several threads of one core each: that beats one thread after the other on all cores."""
    import torch

    from ..images import resized

    rows = manifest.items["photo"].to_numpy()
    shape = (len(rows), dimension(name, params))
    out = np.lib.format.open_memmap(file, "w+", np.float32, shape)

    def fill(start):
        batch = rows[start : start + BATCH]
        out[start : start + BATCH] = extract(name, params, resized(manifest.photos, batch, params["size"]), device)
        return len(batch)

    workers = cores() if device == "cpu" else 2
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        done = 0
        for count in pool.map(fill, range(0, len(rows), BATCH)):
            done += count
            progress(done, len(rows))
    out.flush()


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
