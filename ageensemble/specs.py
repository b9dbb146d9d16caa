"""Naming a model in full: `NAME[@FEATURES] key=value ...`, such as `svm@hog+lbp C=30 hog.cell=16`.

A key with a dot belongs to a feature set, one without to the model. The file of a model or feature set declares which
keys there are, by its keyword defaults.
"""

import difflib
import json
from dataclasses import dataclass
from pathlib import Path

from . import features, models, registry
from .caches import file_hash
from .errors import UsageError


@dataclass(frozen=True)
class Spec:
    """A model with everything that decides its predictions, apart from the data.

    Attributes
    ----------
    model : str
        name in the registry, or path of a file
    params : dict
        of the model, complete
    features : tuple of (str, dict)
        feature sets with their parameters, complete
    name : str
        the shortest text that gives this spec
    """

    model: str
    params: dict
    features: tuple
    name: str

    @property
    def config(self):
        """Everything above for a configuration file; a model from a file outside the package with its hash."""
        config = {"model": self.model, "params": self.params, "features": [[n, p] for n, p in self.features]}
        if self.model.endswith(".py"):
            config["sha256"] = file_hash(self.model)
        return config

    @property
    def make(self):
        """The class of the model."""
        return models.load(self.model)


def parse(text, default_features=None, settings=()):
    """Read a model's full name.

    Parameters
    ----------
    text : str
    default_features : str, optional
        feature sets to use where the text names none; otherwise the model's own
    settings : sequence of str
        further `key=value`, which the text's own override

    Raises
    ------
    UsageError
        No such model, feature set or parameter, or a value of the wrong kind.
    """
    head, *words = text.split()
    head, at, feature_text = head.partition("@")
    if head.endswith(".py"):
        head = str(Path(head).resolve())
    cls = models.load(head)
    feature_text = feature_text if at else (default_features or cls.features)
    feature_names = [name for name in feature_text.split("+") if name] if cls.features else []
    if (cls.features and not feature_names) or len(set(feature_names)) < len(feature_names):
        raise UsageError(f"'{text}': write features as in {head}@hog+lbp, each once")
    given = _settings([*settings, *words], text)
    params = _fill(registry.defaults(cls.__init__), {k: v for k, v in given.items() if "." not in k}, head)
    feature_params = [_feature_params(name, given) for name in feature_names]
    for key in given:
        if "." in key and key.partition(".")[0] not in feature_names:
            raise UsageError(f"'{key}' sets a parameter of features that {head}@{feature_text} does not use")
    name = _shortest(head, cls, "+".join(feature_names), given)
    return Spec(head, params, tuple(zip(feature_names, feature_params, strict=True)), name)


def _settings(words, text):
    given = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or not value:
            raise UsageError(f"'{word}' in '{text}' is not key=value")
        given[key] = value
    return given


def _feature_params(name, given):
    prefix = name + "."
    own = {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)}
    return _fill(registry.defaults(features.load(name)), own, name)


def _fill(defaults, given, owner):
    """The defaults with what was given, each value read as the kind of its default."""
    for key, value in given.items():
        if key not in defaults:
            near = difflib.get_close_matches(key, defaults, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise UsageError(f"{owner} has no parameter '{key}'; it has: {', '.join(defaults) or 'none'}{hint}")
        defaults = defaults | {key: _value(value, defaults[key], f"{owner}: {key}")}
    return defaults


def _value(text, default, what):
    if isinstance(default, str):
        return text
    try:
        value = json.loads(text.lower())
    except ValueError:
        value = text
    if isinstance(default, bool) and not isinstance(value, bool):
        raise UsageError(f"{what} must be true or false, not '{text}'")
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if default is not None and type(value) is not type(default):
        raise UsageError(f"{what} must be a number such as {default}, not '{text}'")
    return value


def _shortest(head, cls, feature_text, given):
    label = Path(head).stem if head.endswith(".py") else head
    at = f"@{feature_text}" if feature_text and feature_text != cls.features else ""
    return " ".join([label + at, *(f"{key}={value}" for key, value in sorted(given.items()))])
