"""Methods: one file each, whose function `fit(scores, y, groups, *, seed)` finds how members are weighed.

`scores` is `(M, n, A)` float32, the logarithms of the members' out-of-fold distributions divided by their temperatures,
up to a constant for each row, so the softmax of a row is a distribution. `y` is `(n, 2)` years, `groups` `(n,)` says
what must not be parted. The result is a `Pool` of temperatures 1.

A method that sets `Pool.shrinkage` is also called with `like`, a pool that it fitted on the same items with one member
more, so that what that member is worth can be asked without choosing the shrinkage again.
"""

from pathlib import Path

from .._utils import registry

REGISTRY = registry.Registry(
    "ensemble",
    __name__,
    internal=("pooling", "logpool", "cross_fit", "sample", "stacking"),
    nested={"stack": "ageensemble.ensembles.stacking"},
)


def names():
    """Names of the methods."""
    return REGISTRY.names()


def label(name):
    """What a method is called in titles and records: a file by its last part, as its place is nobody's business."""
    return Path(name).name if name.endswith(".py") else name


def load(name):
    """The module of the method called `name`.

    Raises
    ------
    UsageError
        No such method.
    """
    return REGISTRY.module(name)
