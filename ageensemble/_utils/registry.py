"""What can be named on the command line: one file each, found by the folder listing, by path or as an entry point."""

import difflib
import functools
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import AgeEnsembleError, DataError, UsageError
from .io import content_key
from .params import content_hash

FROM_FILE = "ageensemble_plugin_"  # beginning of the names of modules loaded by their path


class Registry:
    """The plug-ins of one kind, wherever they come from: one mechanism for models, features, readers, metrics ...

    Three sources; what comes later does not hide what came before:

    1. ours: the modules of `package`, each with one class derived from `base`, and what `register` was given;
    2. files of the user's own, named by a path that ends in `.py`;
    3. other installed packages, by entry points of `group`, each a module or `module:attribute`.

    Parameters
    ----------
    kind : str
        what one plug-in is called in messages, such as "model"
    package : str, optional
        dotted name of the package whose modules are plug-ins, unless their name begins with an underscore
    base : type or str, optional
        class that a plug-in derives from, or `module:Class`, imported when first asked for; without one, a plug-in is
        whatever was registered, or a module
    internal : tuple of str
        modules of the package that are not plug-ins, besides `base`
    nested : dict of str to str
        plug-ins that lie elsewhere: name to the dotted name of their module, or to `module:Class`
    aliases : dict of str to str
        further names, such as those of earlier versions
    group : str, optional
        entry-point group, `ageensemble.KINDs` unless given
    hyphens : bool
        whether names are written with hyphens where modules have underscores

    Examples
    --------
    >>> METRICS = Registry("metric", base=Metric)
    >>> METRICS.register(Metric("mae", ...))
    >>> METRICS.load("mae")
    """

    def __init__(
        self, kind, package=None, *, base=None, internal=(), nested=None, aliases=None, group=None, hyphens=False
    ):
        self.kind, self.package, self._base, self.internal = kind, package, base, ("base", *internal)
        self.nested, self.aliases = nested or {}, aliases or {}
        self.group = group or f"ageensemble.{kind.replace(' ', '_')}s"
        self.hyphens = hyphens
        self._registered = {}

    @property
    def base(self) -> type | None:
        """The class that a plug-in derives from, or None."""
        if isinstance(self._base, str):
            module, _, name = self._base.partition(":")
            self._base = getattr(importlib.import_module(module), name)
        return self._base

    def register(self, plugin: Any, name: str | None = None) -> Any:
        """Add one of ours that stands in a file with others; also a decorator. Returns the plug-in."""
        self._registered[name or getattr(plugin, "name", None) or plugin.__name__] = plugin
        return plugin

    def names(self) -> list[str]:
        """Names of all plug-ins but those named by a path; ours in the order they were registered, else sorted."""
        own = self._own()
        listed = [*own, *sorted(set(self._points()) - set(own))]
        return listed if self._registered else sorted(listed)

    def summaries(self) -> dict[str, str]:
        """One line on each plug-in by its name; of one that does not load, why."""
        return {name: self._summary(name) for name in self.names()}

    def load_all(self) -> dict[str, Any]:
        """Every plug-in that loads, by its name; why another does not, `summaries` says."""
        found = {}
        for name in self.names():
            with suppress(UsageError):
                found[name] = self.load(name)
        return found

    def _summary(self, name):
        try:
            return summary(self.load(name))
        except UsageError as error:
            return str(error)

    def resolve(self, name: str) -> str:
        """The name of a plug-in as it is listed, from an alias or another spelling; a path ending in `.py` as it is.

        Raises
        ------
        UsageError
            No such plug-in; the nearest names are given.
        """
        if name.endswith(".py"):
            return name
        known = self.names()
        if name in known:
            return name
        spelled = {_spelling(other): other for other in known} | {_spelling(a): n for a, n in self.aliases.items()}
        if found := spelled.get(_spelling(name)):
            return found
        near = did_you_mean([spelled[other] for other in close(_spelling(name), list(spelled))])
        raise UsageError(f"no {self.kind} called '{name}'; known: {', '.join(known)}{near}")

    def module(self, name: str) -> ModuleType:
        """The module that `name` stands for: a listed name, an earlier one, or a path ending in `.py`.

        Raises
        ------
        UsageError
            No such name (with the nearest ones), no such file, or a module that does not load.
        """
        if name.endswith(".py"):
            return _from_file(Path(name))
        name = self.resolve(name)
        place = self._place(name) if name in self._own() else self._points()[name].module
        return _loaded(name, lambda: importlib.import_module(place.partition(":")[0]))

    def load(self, name: str) -> Any:
        """The plug-in that `name` stands for: a class derived from `base`, or what was registered.

        Raises
        ------
        UsageError
            As of `module`, or where the module does not define exactly one such class.
        """
        name = self.resolve(name)
        if name in self._registered:
            return self._registered[name]
        point = None if name.endswith(".py") or name in self._own() else self._points()[name]
        if point and point.attr:
            return self._checked(name, _loaded(name, point.load))
        module = self.module(name)
        if ":" in self.nested.get(name, ""):
            return getattr(module, self.nested[name].partition(":")[2])
        if self.base is None:
            return module
        others = {tuple(place.split(":")) for place in self.nested.values()}
        own = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
        found = [c for c in own if issubclass(c, self.base) and not c.__name__.startswith("_")]
        found = [c for c in found if (c.__module__, c.__name__) not in others]
        found += [one for one in vars(module).values() if isinstance(one, self.base)]
        if len(found) != 1:
            raise UsageError(
                f"the {self.kind} in {name} must be one class derived from {self.base.__qualname__}; "
                f"there are {len(found)}"
            )
        return self._checked(name, found[0])

    def _checked(self, name, plugin):
        if self.base is None or isinstance(plugin, self.base):
            return plugin
        if not (inspect.isclass(plugin) and issubclass(plugin, self.base)):
            raise UsageError(f"the {self.kind} {name} is not derived from {self.base.__module__}.{self.base.__name__}")
        if missing := sorted(plugin.__abstractmethods__) if inspect.isabstract(plugin) else []:
            raise UsageError(f"the {self.kind} in {name} lacks: {', '.join(missing)}")
        return plugin

    def _points(self):
        """Entry points of other packages by the name they are listed by."""
        return {self._shown(point.name): point for point in installed(self.group)}

    def _own(self):
        listed = []
        if self.package:
            listed = [self._shown(name) for name in _modules(self.package) if name not in self.internal]
        return [*listed, *self.nested, *self._registered]

    def _shown(self, name):
        return name.replace("_", "-") if self.hyphens else name

    def _place(self, name):
        """Dotted name of the module of one of ours, with `:Class` where it is not alone there."""
        return self.nested.get(name) or f"{self.package}.{name.replace('-', '_') if self.hyphens else name}"


@functools.cache
def _modules(package):
    """Names of the modules in a package, unless they begin with an underscore."""
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return [module.name for module in found if not module.name.startswith("_")]


@functools.cache
def installed(group: str) -> tuple[EntryPoint, ...]:
    """Entry points of a group; looking them up reads the metadata of every installed package, so it is done once."""
    return tuple(entry_points(group=group))


def _spelling(name):
    return name.strip().lower().replace("-", "_")


@contextmanager
def guarded(plugin: object, what: str) -> Iterator[None]:
    """Turn whatever a plug-in of somebody else raises into a DataError of one line; `what` names the plug-in.

    An error of one of ours keeps its traceback.
    """
    try:
        yield
    except AgeEnsembleError:
        raise
    except Exception as error:
        if type(plugin).__module__.startswith(__name__.partition(".")[0] + "."):
            raise
        raise DataError(f"{what} failed: {type(error).__name__}: {error}") from error


def close(name: str, known: Iterable[str], alike: float = 0.6) -> list[str]:
    """The names that one may have meant by `name`, the likeliest first; `alike`, 0 to 1, is how alike they must be."""
    same = [other for other in known if other.lower() == name.lower()]
    return list(dict.fromkeys(same + difflib.get_close_matches(name, known, n=3, cutoff=alike)))


def did_you_mean(near: list[str]) -> str:
    """The end of a complaint about a name, from the names close to it."""
    return f"; did you mean '{near[0]}'?" if near else ""


def _from_file(path):
    if not path.is_file():
        raise UsageError(f"no such file: {path}")
    name = f"{FROM_FILE}{content_key(str(path.resolve()))}_{path.stem}"
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


def version(thing: type | ModuleType) -> int | list:
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
        return [content_hash(sys.modules[name].__file__), declared]
    if not isinstance(declared, int):
        raise UsageError(f"{name} lacks a version, a whole number that is raised when its results change")
    return declared


def summary(thing: object) -> str:
    """First line of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]
