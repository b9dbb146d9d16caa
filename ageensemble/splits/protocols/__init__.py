"""Protocols: the ways in which results on a dataset are published, by name.

A protocol is a class derived from `Protocol`, in a file of this package, a file of one's own (`--protocol ./mine.py`),
or an installed package with an entry point in the group `ageensemble.protocols`.
"""

from ..._utils.registry import Registry, guarded
from ...data.dataset import Dataset
from ...errors import DataError
from ..split import Split
from .base import Protocol

__all__ = ["PROTOCOLS", "Protocol", "apply_protocol"]

PROTOCOLS = Registry(
    "protocol", __name__, base=Protocol, hyphens=True, aliases={"leave-one-subject-out": "leave-one-person-out"}
)


def apply_protocol(name: str, dataset: Dataset, seed: int = 0, n_folds: int = 5) -> tuple[Split, Dataset]:
    """Split a dataset by a protocol, see `Protocol.apply`.

    Raises
    ------
    UsageError
        No such protocol.
    DataError
        The dataset cannot be split so, or somebody's protocol fails.
    """
    protocol = PROTOCOLS.load(name)()
    with guarded(protocol, f"the protocol {name}"):
        split, taken = protocol.apply(dataset, seed, n_folds)
    if not isinstance(split, Split):
        raise DataError(f"the protocol {name} must return a Split and a Dataset")
    return split, taken
