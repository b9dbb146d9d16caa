"""What can be named on the command line: one file each, found by the folder listing, by path or as an entry point."""

import difflib
import importlib.util
import inspect
import pkgutil
import sys
from importlib.metadata import entry_points
from pathlib import Path

from .errors import UsageError
from .files import file_hash, key_of


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
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise UsageError(
            f"no {package.rpartition('.')[2].rstrip('s')} called '{name}'; known: {', '.join(known)}{hint}"
        )
    return _loaded(name, lambda: importlib.import_module(_place(package, name)))


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
    name = f"ageensemble_plugin_{key_of(str(path.resolve()))}_{path.stem}"
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


def source(package, name):
    """Hash of the code that a name stands for: its file, and the hidden files beside it where it is one of ours."""
    file = Path(module(package, name).__file__)
    own = file.parent == Path(importlib.import_module(package).__file__).parent
    return key_of([file_hash(f) for f in [file, *(sorted(file.parent.glob("_*.py")) if own else ())]])


def defaults(function):
    """Keyword-only parameters of a function with their defaults: what `key=value` may set."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}


def summary(thing):
    """First line of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]
