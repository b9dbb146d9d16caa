"""Protocols: the ways in which results on a set are published, by name; one file each, found by the folder listing.

A protocol is a module whose first docstring line describes it, with a function `apply(dataset, seed, folds)` that
returns a `Split` and the dataset of the items that take part; the others it lists as excluded. Its file `some_name.py`
is the protocol `some-name`. The table's header says the name, since numbers by two protocols are not comparable.
"""

from ..._utils import registry

REGISTRY = registry.Registry("protocol", __name__, hyphens=True)


def names():
    """Names of the protocols."""
    return REGISTRY.names()


def module(name):
    """The module of the protocol called `name`.

    Raises
    ------
    UsageError
        No such protocol.
    """
    return REGISTRY.module(name)
