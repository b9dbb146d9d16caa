"""Metrics, intervals and comparisons: predictions in, numbers out."""

from importlib import import_module

_PLACES = {  # loaded on demand, since what only predicts needs none of it
    "Metric": "metrics",
    "METRICS": "metrics",
    "Predictions": "predictions",
    "compare": "comparison",
    "conformalize": "conformal",
    "evaluate": "subgroups",
    "score": "metrics",
}
__all__ = sorted(_PLACES)


def __getattr__(name):
    if name in _PLACES:
        return getattr(import_module(f".{_PLACES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
