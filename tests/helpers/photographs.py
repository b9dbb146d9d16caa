"""Photographs in memory for tests of networks: written to one raw file and read as the package reads its own."""

import numpy as np

from ageensemble.data.image_array import ImageArray


def stored(arrays, folder):
    """`Photographs` of uint8 arrays `(height, width, 3)`."""
    file = folder / "photographs.u8"
    file.write_bytes(b"".join(array.tobytes() for array in arrays))
    sizes = np.array([array.nbytes for array in arrays])
    shapes = np.array([array.shape[:2] for array in arrays])
    return ImageArray([file], np.zeros(len(arrays), int), np.cumsum(sizes) - sizes, shapes)


def ageing(n, side, seed=0):
    """Photographs the brighter the older, `(n, side, side, 3)` uint8, labels `(n, 2)` and inner parts `(n,)`."""
    rng = np.random.default_rng(seed)
    age = rng.integers(5, 70, n)
    noise = rng.integers(0, 60, (n, side, side, 3))
    return (noise + 2 * age[:, None, None, None]).astype(np.uint8), np.stack([age, age], 1), np.arange(n) % 10
