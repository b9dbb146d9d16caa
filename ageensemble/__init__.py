"""Compare estimators of age from face images honestly, and combine the best of them.

Examples
--------
>>> import ageensemble as ae
>>> faces = ae.load_dataset("photos/")
>>> study = ae.benchmark(faces, ["svm", "cnn"])
>>> study.leaderboard()
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import ensembles, evaluation, features, models
    from .data.dataset import Dataset, load_dataset
    from .evaluation.comparison import compare
    from .evaluation.conformal import conformalize
    from .evaluation.predictions import Predictions
    from .evaluation.subgroups import evaluate
    from .experiments.benchmark import benchmark
    from .experiments.config import Resources
    from .experiments.experiment import Experiment
    from .experiments.run import Run
    from .inference.model import load_model
    from .splits.split import Split, make_split

__version__ = "0.2.0.dev0"

_PLACES = {  # loaded on demand: the package itself must be there at once
    "Dataset": "data.dataset",
    "load_dataset": "data.dataset",
    "Split": "splits.split",
    "make_split": "splits.split",
    "Experiment": "experiments.experiment",
    "Run": "experiments.run",
    "Resources": "experiments.config",
    "benchmark": "experiments.benchmark",
    "Predictions": "evaluation.predictions",
    "evaluate": "evaluation",
    "compare": "evaluation",
    "conformalize": "evaluation",
    "load_model": "inference",
}
_PACKAGES = ("models", "features", "ensembles", "evaluation")
__all__ = [
    "Dataset",
    "Experiment",
    "Predictions",
    "Resources",
    "Run",
    "Split",
    "benchmark",
    "compare",
    "conformalize",
    "ensembles",
    "evaluate",
    "evaluation",
    "features",
    "load_dataset",
    "load_model",
    "make_split",
    "models",
]


def __getattr__(name):
    if name in _PACKAGES:
        return import_module(f".{name}", __name__)
    if name in _PLACES:
        return getattr(import_module(f".{_PLACES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return [*__all__, "__version__"]
