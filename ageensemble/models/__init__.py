"""Models: one file each, and the file's name is the model's name.

A model is a class with `features` (its default feature sets, or "" for none), keyword defaults in `__init__` that are
its parameters, `fit(x, y, inner, *, seed, threads, device)`, `predict(x)` returning `(n, A)` age distributions,
`save(folder)` and `load(folder)`, `fit_bytes(n, d)`, the rough memory of a fit, and `record`, a dict of what its run
should note. It sees features and labels of its training items and nothing else.

A `fit` that takes `widths`, too, is told how many columns each feature set has in `x`, from left to right.

A class with `images = True` is handed photographs in place of features. `files` names parameters that are files,
`options = True` lets through parameters that `__init__` does not declare, and a class method
`settle(params, *, cache, device, threads, say)` returns the parameters with what has to be fetched or tried first.

Every network of timm is a model too, by its name; see `_timm.py`.
"""

import inspect

from .._utils import registry
from ..errors import UsageError
from ..features.backbones import timm_catalog

IN_TIMM = "ageensemble.models.neural.timm"
REGISTRY = registry.Registry(
    "model",
    __name__,
    internal=("spec", "neural", "ridge_ordinal"),
    nested={"cnn": "ageensemble.models.neural.cnn", "ordinal": "ageensemble.models.ridge_ordinal"},
    aliases={"floor": "prior"},
)


def names():
    """Names of the models that have a file; those of timm's networks are not among them."""
    return REGISTRY.names()


def _module(name):
    """The module of a model of ours, or `_timm` for a network of timm.

    Raises
    ------
    UsageError
        Neither has that name.
    """
    if name.endswith(".py") or name in names() or name in REGISTRY.aliases:
        return REGISTRY.module(name)
    if timm_catalog.knows(name):
        from .neural import timm

        return timm
    near = registry.close(name, names()) or timm_catalog.near(name)
    raise UsageError(
        f"no model called '{name}'; known: {', '.join(names())}, and any name of timm's such as resnet50"
        f"{registry.did_you_mean(near)}"
    )


def version(name):
    """Version of the code of the model called `name`."""
    return registry.version(load(name))


def takes_photographs(name):
    """Whether the model called `name` is handed photographs in place of features."""
    return getattr(load(name), "images", False)


def load(name):
    """The class of the model called `name` (or of the file `./mine.py`).

    Raises
    ------
    UsageError
        No such model, or a file that defines none or several.
    """
    module = _module(name)
    if module.__name__ == IN_TIMM:
        return module.of(name)
    classes = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
    found = [c for c in classes if hasattr(c, "fit") and not c.__name__.startswith("_")]
    if len(found) != 1:
        raise UsageError(f"the model in {name} must be one class with fit; there are {len(found)}")
    lacking = [a for a in ("features", "predict", "save", "load", "fit_bytes") if not hasattr(found[0], a)]
    if lacking:
        raise UsageError(f"the model in {name} lacks: {', '.join(lacking)}")
    return found[0]
