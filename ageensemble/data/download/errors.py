"""What went wrong between a hub's library and us, in one line."""

from pathlib import Path

from ..._utils.io import disk_trouble
from ...errors import DataError
from .sources import Source

KEPT = "what came so far is kept, and the same command goes on from there"


def readable_error(error: Exception, source: Source, access: str, folder: Path) -> OSError | DataError:
    """The error for the user that an exception of a hub's library comes down to.

    Parameters
    ----------
    error : Exception
    source : Source
    access : str
        what to do where the hub refuses it
    folder : pathlib.Path
        what was written to

    Returns
    -------
    OSError or DataError
        the former where the disk is full or broken
    """
    if full := disk_trouble(error, folder):
        return full
    response = getattr(error, "response", None)
    code = getattr(response, "status_code", 0)
    if code in (401, 403):
        why = f"it answers {code}; {access}; see {source.page}"
    elif code == 404:
        why = f"it answers 404, so the set is not there any more; see {source.page}"
    elif code >= 400:
        why = f"it answers {code}; {_so_far(folder)}"
    else:
        why = f"{_cause(error)}; {_so_far(folder)}; by hand: {source.page}"
    return DataError(f"could not fetch {source.name} from {source.hub}: {why}")


def _so_far(folder):
    """What there is to say of what came before."""
    came = any(file.stat().st_size for file in folder.rglob("*") if file.is_file())  # the lock is empty
    return KEPT if came else "nothing came; try again later"


def _cause(error):
    """What the system said, where it said something, else what the library says."""
    known = error
    while known is not None:
        if getattr(known, "strerror", None):
            return known.strerror
        known = known.__cause__ or known.__context__
    return " ".join(str(error).split())[:200] or type(error).__name__
