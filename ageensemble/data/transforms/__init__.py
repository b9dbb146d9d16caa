"""Preprocessing by name: one file each, whose function `apply(image)` changes a photograph before models look at it.

`image` is a photograph as stored, upright RGB, uint8 `(h, w, 3)`, not to be written into; what is returned is of the
same shape and kind. It comes before the photograph is resized. One photograph is looked at, at a time, and nothing is
fitted, so what comes of it is computed once for a dataset and kept, and the same is done to new photographs.
"""

from pathlib import Path

import numpy as np

from ..._utils import registry
from ...errors import DataError, UsageError

REGISTRY = registry.Registry("transform", __name__, aliases={"equalise": "equalize", "grey": "grayscale"})


def names():
    """Names of the ways to preprocess."""
    return REGISTRY.names()


def module(name):
    """The module of the preprocessing called `name`.

    Raises
    ------
    UsageError
        No such preprocessing, or a file that defines none.
    """
    found = REGISTRY.module(name)
    if not callable(getattr(found, "apply", None)):
        raise UsageError(f"the preprocessing in {name} must be a function apply(image)")
    return found


def version(name):
    """Version of the code of the preprocessing called `name`."""
    return registry.version(module(name))


def key(name):
    """What tells cached pixels apart: nothing where `name` is empty, else the name and the code, a list."""
    return [Path(name).name, version(name)] if name else []


def load(name):
    """The function that preprocesses one photograph; where `name` is empty, it leaves every photograph as it is.

    What it returns raises DataError where the preprocessing fails or does not return what it should.
    """
    if not name:
        return lambda image: image
    apply, what = module(name).apply, f"preprocessing '{Path(name).name}'"

    def preprocessed(image):
        try:
            result = apply(image)
        except Exception as error:  # somebody's file may raise anything
            raise DataError(f"{what} failed: {type(error).__name__}: {error}") from error
        if getattr(result, "dtype", None) != np.uint8 or result.shape != image.shape:
            raise DataError(f"{what} must return an array of uint8 as large as the one it is given, {image.shape}")
        return result

    return preprocessed
