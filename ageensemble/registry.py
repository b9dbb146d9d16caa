"""What can be named on the command line: one file each, found by the folder listing, by path or as an entry point."""

import difflib
import functools
import importlib.util
import inspect
import pkgutil
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path

from .errors import UsageError
from .files import file_hash, key_of

FROM_FILE = "ageensemble_plugin_"  # beginning of the names of modules loaded by their path


def names(package):
    """Names of the modules of a package that are not hidden, and of what others installed for it."""
    package = importlib.import_module(package)
    return sorted({*_own(package), *(point.name for point in entry_points(group=package.__name__))})


def module(package, name):
    """The module that `name` stands for: a file `NAME.py` of the package, a path ending in `.py`, or an entry point.

    Raises
    ------
    UsageError
        No such name (with the nearest ones), no such file, or a module that does not load.
    """
    if name.endswith(".py"):
        return _from_file(Path(name))
    known = names(package)
    if name not in known:
        kind = package.rpartition(".")[2].rstrip("s")
        raise UsageError(f"no {kind} called '{name}'; known: {', '.join(known)}{did_you_mean(close(name, known))}")
    return _loaded(name, lambda: importlib.import_module(_place(package, name)))


def close(name, known, alike=0.6):
    """The names that one may have meant by `name`, the likeliest first; `alike`, 0 to 1, is how alike they must be."""
    same = [other for other in known if other.lower() == name.lower()]
    return list(dict.fromkeys(same + difflib.get_close_matches(name, known, n=3, cutoff=alike)))


def did_you_mean(near):
    """The end of a complaint about a name, from the names close to it."""
    return f"; did you mean '{near[0]}'?" if near else ""


def _own(package):
    return [m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")]


def _place(package, name):
    """Where the module is; what others installed does not hide one of ours."""
    if name in _own(importlib.import_module(package)):
        return f"{package}.{name}"
    return next(point.module for point in entry_points(group=package) if point.name == name)


def _from_file(path):
    if not path.is_file():
        raise UsageError(f"no such file: {path}")
    name = f"{FROM_FILE}{key_of(str(path.resolve()))}_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        made = importlib.util.module_from_spec(spec)
        _loaded(path, lambda: spec.loader.exec_module(made))
        sys.modules[name] = made
    return sys.modules[name]


def _loaded(what, load):
    try:
        return load()
    except (Exception, SystemExit) as error:  # somebody's file may raise anything; say whose it is
        raise UsageError(f"{what} does not load: {type(error).__name__}: {error}") from error


def version(thing):
    """What tells one state of a plug-in's code from another, for the identity of runs and of cached features.

    Parameters
    ----------
    thing : module or class

    Returns
    -------
    int or list
        its `version`, raised by hand when its numbers change; of a file given by its path also the hash of the file

    Raises
    ------
    UsageError
        It comes from a package and names no version.
    """
    declared = getattr(thing, "version", None)
    name = thing.__module__ if inspect.isclass(thing) else thing.__name__
    if name.startswith(FROM_FILE):
        return [content(sys.modules[name].__file__), declared]
    if not isinstance(declared, int):
        raise UsageError(f"{name} lacks a version, a whole number that is raised when its results change")
    return declared


def content(file):
    """SHA-256 of a file, computed again only where its size or time has changed."""
    about = Path(file).stat()
    return _content(str(file), about.st_mtime_ns, about.st_size)


@functools.lru_cache
def _content(file, modified, size):
    return file_hash(file)


def paths(params, files):
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


def with_contents(params, files):
    """The parameters with the hash of a file's content in place of its path.

    Raises
    ------
    UsageError
        A file is gone.
    """
    try:
        return params | {key: f"sha256 {content(path)}" for key, path in paths(params, files).items()}
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from None


def defaults(thing):
    """Keyword-only parameters with their defaults: what `key=value` may set.

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
    return found


def _constructors(thing):
    if not inspect.isclass(thing):
        return [thing]
    return [vars(cls)["__init__"] for cls in thing.__mro__ if "__init__" in vars(cls) and cls is not object]


def summary(thing):
    """First line of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def described(thing):
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
        for name, default in defaults(thing).items()
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
