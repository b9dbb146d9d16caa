"""Models: scikit-learn estimators that predict age distributions; see `base.AgeEstimator`.

Each lies in a file of its own, whose name is the model's name on the command line. Besides, every network of timm is a
model by its name, every classifier and regressor of scikit-learn as `sklearn:MODULE.CLASS`, and the one class in a file
of the user's own that derives from `AgeEstimator` or is a classifier or regressor written like those of scikit-learn.
"""

import importlib
import inspect

from .._utils import registry
from ..errors import UsageError
from ..features.backbones import timm_catalog

MODELS = registry.Registry(
    "model",
    __name__,
    base=f"{__name__}.base:AgeEstimator",  # scikit-learn takes a second to import
    internal=("calibrated", "distribution", "kernels", "meta", "neural", "projection", "ridge_ordinal", "spec"),
    nested={"cnn": "ageensemble.models.neural.cnn", "ordinal": "ageensemble.models.ridge_ordinal"},
    aliases={"floor": "prior"},
)
_EXPORTS = {
    "AgeEstimator": "base",
    "AgeFromClassifier": "meta",
    "AgeFromRegressor": "meta",
    "AgeFromThresholds": "meta",
    "CNN": "neural.cnn",
    "KNN": "knn",
    "LSSVM": "lssvm",
    "PriorBaseline": "prior",
    "RidgeOrdinal": "ridge_ordinal",
    "SVM": "svm",
    "XGBoost": "xgboost",
    "as_age_estimator": "meta",
}
__all__ = [*_EXPORTS, "MODELS"]


def __getattr__(name):
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})


def names() -> list[str]:
    """Names of the models that have a file; those of timm's networks are not among them."""
    return MODELS.names()


def load(name: str) -> type:
    """The class of the model called `name`, of a network of timm, or of the file `./mine.py`.

    Raises
    ------
    UsageError
        No such model, or a file that does not define exactly one.
    """
    if name.startswith("sklearn:"):
        from . import meta

        return meta.named(name)
    if not (name.endswith(".py") or name in names() or name in MODELS.aliases):
        if timm_catalog.has_network(name):
            from .neural import timm

            return timm.of(name)
        near = registry.close(name, names()) or timm_catalog.similar_names(name)
        raise UsageError(
            f"no model called '{name}'; known: {', '.join(names())}, and any name of timm's such as resnet50"
            f"{registry.did_you_mean(near)}"
        )
    if name.endswith(".py"):
        module = MODELS.module(name)
        own = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
        if len(own) == 1 and hasattr(own[0], "get_params") and not hasattr(own[0], "default_params"):
            from . import meta

            return meta.model_of(own[0])
    return MODELS.load(name)


def version(name: str) -> int | list:
    """Version of the code of the model called `name`."""
    return registry.version(load(name))
