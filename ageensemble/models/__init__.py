"""Models: one file each, and the file's name is the model's name.

A model is a class with `features` (its default feature sets, or "" for none), keyword defaults in `__init__` that are
its parameters, `fit(x, y, inner, *, seed, threads, device)`, `predict(x)` returning `(n, A)` age distributions,
`save(folder)` and `load(folder)`, `fit_bytes(n, d)`, the rough memory of a fit, and `record`, a dict of what its run
should note. It sees features and labels of its training items and nothing else.
"""

import inspect

from .. import registry
from ..errors import UsageError


def names():
    """Names of the models."""
    return registry.names(__name__)


def source(name):
    """Hash of the code of the model called `name`."""
    return registry.source(__name__, name)


def load(name):
    """The class of the model called `name` (or of the file `./mine.py`).

    Raises
    ------
    UsageError
        No such model, or a file that defines none or several.
    """
    module = registry.module(__name__, name)
    classes = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
    found = [c for c in classes if hasattr(c, "fit") and not c.__name__.startswith("_")]
    if len(found) != 1:
        raise UsageError(f"the model in {name} must be one class with fit; there are {len(found)}")
    lacking = [a for a in ("features", "predict", "save", "load", "fit_bytes") if not hasattr(found[0], a)]
    if lacking:
        raise UsageError(f"the model in {name} lacks: {', '.join(lacking)}")
    return found[0]
