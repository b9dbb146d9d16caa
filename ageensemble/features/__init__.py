"""Features: images in, rows of numbers out; one extractor a file, each a transformer of scikit-learn.

    base.py        FeatureExtractor, what they share, and FEATURES, the registry of their names
    matrix.py      the features of a whole dataset, computed once and kept in the cache
    backbones/     pretrained networks, for `embedding.py` and for models

A file of one's own with a subclass of `FeatureExtractor` is a feature set too: `svm@./mine.py`.
"""

import importlib

_MODULES = {
    "FEATURES": "base",
    "FeatureExtractor": "base",
    "HOG": "hog",
    "LBP": "lbp",
    "Gabor": "gabor",
    "ColorHistogram": "color_histogram",
    "Embedding": "embedding",
    "feature_matrix": "matrix",
    "feature_widths": "matrix",
    "matrix_path": "matrix",
    "read_features": "matrix",
}
__all__ = list(_MODULES)


def __getattr__(name):
    """What `__all__` names, imported when asked for."""
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
