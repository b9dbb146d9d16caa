"""The parameters of plug-ins: what can be set, with which default, and which of them are files."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .io import file_hash


def content_hash(file: str | Path) -> str:
    """SHA-256 of a file, computed again only where its size or time has changed."""
    about = Path(file).stat()
    return _content(str(file), about.st_mtime_ns, about.st_size)


@functools.lru_cache
def _content(file, modified, size):
    return file_hash(file)


def file_parameters(params: dict, files: Iterable[str] | dict[str, str]) -> dict:
    """The parameters that are paths of files.

    Parameters
    ----------
    params : dict
    files : tuple of str, or dict
        names of parameters that may be; a dict gives the ending that tells a path from another value

    Returns
    -------
    dict
    """
    endings = files if isinstance(files, dict) else dict.fromkeys(files, "")
    return {key: params[key] for key in endings if params[key] and params[key].endswith(endings[key])}


def with_file_hashes(params: dict, files: Iterable[str] | dict[str, str]) -> dict:
    """The parameters with the hash of a file's content in place of its path.

    Raises
    ------
    UsageError
        A file is gone.
    """
    try:
        return params | {key: f"sha256 {content_hash(path)}" for key, path in file_parameters(params, files).items()}
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from None


def parameter_defaults(thing: Callable) -> dict[str, Any]:
    """Keyword-only parameters with their defaults, less a class's `run_parameters`: what `key=value` may set.

    Parameters
    ----------
    thing : function or class
        of a class those of `__init__`, and as long as that passes `**more` on, those of the classes it inherits from

    Returns
    -------
    dict
    """
    found = {}
    for function in _constructors(thing):
        parameters = inspect.signature(function).parameters.values()
        own = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}
        found |= {key: default for key, default in own.items() if key not in found}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return {key: default for key, default in found.items() if key not in getattr(thing, "run_parameters", ())}


def _constructors(thing):
    if not inspect.isclass(thing):
        return [thing]
    return [vars(cls)["__init__"] for cls in thing.__mro__ if "__init__" in vars(cls) and cls is not object]


def describe_parameters(thing: Callable) -> list[dict]:
    """What can be set in a function or class, with the words of its numpydoc, of a class those of its bases too.

    Returns
    -------
    list of dict
        name, default, type, description
    """
    documented = {}
    for part in reversed(thing.__mro__) if inspect.isclass(thing) else [thing]:
        documented |= _parameters(inspect.cleandoc(part.__doc__ or ""))
    nothing = ("", "")
    return [
        {"name": name, "default": default, "type": kind, "description": words}
        for name, default in parameter_defaults(thing).items()
        for kind, words in [documented.get(name, nothing)]
    ]


def _parameters(text):
    """{name: (type, description)} of the section `Parameters` of a numpydoc."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}$|\Z)", text, re.MULTILINE | re.DOTALL)
    found = {}
    for entry in re.split(r"^(?=\S)", section[1] if section else "", flags=re.MULTILINE):
        head, _, words = entry.partition("\n")
        listed, _, kind = head.partition(" : ")
        found |= dict.fromkeys(listed.split(", "), (kind, " ".join(words.split())))
    return found
