"""Getting datasets: those on a hub are downloaded, of all others it is known where they can be had.

Nothing here uses the network but `install`.
"""

from ..._utils.registry import close, did_you_mean
from ...errors import UsageError
from .install import install, is_installed
from .sources import SOURCES, Source

__all__ = ["SOURCES", "Source", "find_source", "install", "is_installed"]


def find_source(name: str) -> Source:
    """The source of a dataset, whose name may be in small letters or others, with hyphens or underscores.

    Raises
    ------
    UsageError
        No such dataset.
    """
    found = name.strip().lower().replace("_", "-")
    if found not in SOURCES:
        fetched = ", ".join(name for name, source in SOURCES.items() if source.hub)
        others = ", ".join(name for name, source in SOURCES.items() if not source.hub)
        raise UsageError(
            f"no dataset called '{name}'; available for download: {fetched}; where to get others is known of {others}"
            f"{did_you_mean(close(found, list(SOURCES)))}"
        )
    return SOURCES[found]
