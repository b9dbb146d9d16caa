"""Transforms: preprocessing of images by name.

A transform is a class derived from `Transform`, in a file of this package, a file of one's own
(`preprocess=./mine.py`), or an installed package with an entry point in the group `ageensemble.transforms`.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..._utils import registry
from ...errors import DataError
from .base import Transform

__all__ = ["TRANSFORMS", "Transform", "key", "load", "version"]

TRANSFORMS = registry.Registry(
    "transform", __name__, base=Transform, aliases={"equalise": "equalize", "gray": "grayscale", "grey": "grayscale"}
)


def version(name: str) -> int | list:
    """Version of the code of the transform called `name`."""
    return registry.version(TRANSFORMS.load(name))


def key(name: str) -> list:
    """What tells cached images apart: nothing where `name` is empty, else the name and the version, a list."""
    return [Path(name).name, version(name)] if name else []


def load(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function that transforms one image; where `name` is empty, it leaves every image as it is.

    It raises DataError where the transform fails or does not return what it should.
    """
    if not name:
        return lambda image: image
    transform, what = TRANSFORMS.load(name)(), f"preprocessing '{Path(name).name}'"

    def apply(image):
        with registry.guarded(transform, what):
            result = transform.apply(image)
        if not isinstance(result, np.ndarray) or result.dtype != np.uint8 or result.shape != image.shape:
            raise DataError(f"{what} must return an array of uint8 as large as the one it is given, {image.shape}")
        return result

    return apply
