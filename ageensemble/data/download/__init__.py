"""Getting data sets: what a hub hands out is downloaded, of all others it is said where they are to be had.

One file per data set that can be downloaded, found by the folder listing, with a first docstring line that describes
it and

============= =====================================================================================
LICENSE       its terms in one line, shown before anything is fetched
PAGE          where these can be read, and where the set is to be had by hand
PHOTOS        compiled pattern of what is kept of the files that come; its group `path` says where
fetch(folder) brings the files below a folder, goes on with what an earlier try left there, checks
              their hashes; returns the folder that they lie in and a dict of where they came from
============= =====================================================================================

Nothing here uses the network but `fetch`.
"""

import importlib
import pkgutil

from ..._utils.registry import close, did_you_mean
from ...errors import UsageError
from ._elsewhere import ELSEWHERE


def names():
    """Names of the data sets that can be downloaded."""
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def spelled(name):
    """The name of a data set as it is listed, from one in small letters or others, with hyphens or underscores.

    Raises
    ------
    UsageError
        No such data set.
    """
    known, found = [*names(), *sorted(ELSEWHERE)], name.strip().lower().replace("_", "-")
    if found not in known:
        places = f"{', '.join(names())} can be fetched; where others are is known of {', '.join(sorted(ELSEWHERE))}"
        raise UsageError(f"no data set called '{name}'; {places}{did_you_mean(close(found, known))}")
    return found


def module(name):
    """The module of a data set that can be downloaded, one of `names`."""
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
