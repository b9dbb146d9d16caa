"""Fetching one small file from the web: its size limited, its content checked, nothing kept that is not right."""

import hashlib
import time
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from ..._utils.io import atomic_write
from ...errors import DataError

SILENCE, PATIENCE = 10, 120  # seconds without a byte, and altogether, after which it is given up


def fetch(address, file, sha256, most, progress, instead):
    """Fetch a file from the web.

    Parameters
    ----------
    address : str
    file : pathlib.Path
        where it is put, once it is complete and right
    sha256 : str
        what its content must hash to
    most : int
        bytes that it may have
    progress : callable
        called with (done, total) bytes
    instead : str
        what the user can do without the web

    Raises
    ------
    DataError
        No connection, no such file there, or another content.
    """
    try:
        content = _body(address, most, progress)
    except HTTPError as error:
        raise _failed(address, f"the server answers {error.code} {error.reason}", instead) from error
    except (OSError, HTTPException, ValueError) as error:  # URLError and TimeoutError are among them
        cause = error.reason if isinstance(error, URLError) else error
        reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        raise _failed(address, f"no connection ({reason})", instead) from error
    if isinstance(content, str):
        raise _failed(address, content, instead)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _failed(address, "what came is not the file that was expected (its SHA-256 differs)", instead)
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as temporary:
        Path(temporary).write_bytes(content)


def _failed(address, why, instead):
    return DataError(f"could not fetch {address}: {why}; {instead}")


def _body(address, most, progress):
    """The bytes at an address, or in words why they are none to be used."""
    content, start = b"", time.monotonic()
    with urlopen(Request(address, headers={"User-Agent": "ageensemble"}), timeout=SILENCE) as response:
        total = int(response.headers.get("Content-Length") or 0)
        while part := response.read1(1 << 16):
            content += part
            if max(len(content), total) > most:
                return f"it is larger than the {most:,} bytes it may have"
            if time.monotonic() - start > PATIENCE:
                return f"it took more than {PATIENCE} seconds"
            progress(len(content), max(total, len(content)))
    if len(content) < total:
        return f"it broke off after {len(content):,} of {total:,} bytes"
    return content
