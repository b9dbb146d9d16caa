"""Naming a model in full: `NAME[@FEATURES] key=value ...`, such as `svm@hog+lbp C=30 hog.cell=16`.

A key with a dot belongs to a feature set, one without to the model. The file of a model or feature set declares which
keys there are, by its keyword defaults.
"""

import difflib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from . import __version__, features, models, registry
from .errors import AgeEnsembleError, UsageError
from .upright import LONG_SIDE


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
        """Everything above for a configuration file, and hashes of the code: other code is another run."""
        config = {"model": self.model, "params": self.params, "features": [[n, p] for n, p in self.features]}
        sources = [models.source(self.model), *(features.source(name) for name, _ in self.features)]
        return config | {"ageensemble": __version__, "sources": sources}

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
    head, *words = _words(text)
    head, at, feature_text = head.partition("@")
    head = _resolved(head)
    cls = models.load(head)
    feature_text = feature_text if at else (default_features or cls.features)
    feature_names = [_resolved(name) for name in feature_text.split("+") if name] if cls.features else []
    labels = [_label(name) for name in feature_names]
    prefixes = [Path(label).stem for label in labels]  # of their parameters, as in hog.cell
    if (cls.features and not labels) or len(set(labels)) < len(labels):
        raise UsageError(f"'{text}': write features as in {_label(head)}@hog+lbp, each once")
    given = _settings([*settings, *words], text)
    for key in given:
        if "." in key and key.partition(".")[0] not in prefixes:
            raise UsageError(f"'{key}' sets a parameter of features that '{text}' does not use")
    own = {key: value for key, value in given.items() if "." not in key}
    params, changed = _fill(registry.defaults(cls.__init__), own, _label(head))
    feature_params = []
    for name, label in zip(feature_names, prefixes, strict=True):
        own = {key.partition(".")[2]: value for key, value in given.items() if key.partition(".")[0] == label}
        filled, different = _fill(registry.defaults(features.load(name)), own, label)
        if not 1 <= filled["size"] <= LONG_SIDE:
            raise UsageError(f"{label}.size={filled['size']} will not do, give 1 to {LONG_SIDE} pixels")
        feature_params.append(filled)
        changed |= {f"{label}.{key}": value for key, value in different.items()}
    label = _label(head) + (f"@{'+'.join(labels)}" if labels and "+".join(feature_names) != cls.features else "")
    name = " ".join([label, *(f"{key}={value}" for key, value in sorted(changed.items()))])
    _try(cls, params, label)
    return Spec(head, params, tuple(zip(feature_names, feature_params, strict=True)), name)


def _words(text):
    """The words of a full name; a path with blanks is put in quotes, as in a shell."""
    try:
        return shlex.split(text) or [""]
    except ValueError:
        raise UsageError(f"'{text}' has a quotation mark without its partner") from None


def _try(cls, params, label):
    """Make the model once, so that a value it refuses is known before the long work begins."""
    try:
        cls(**params)
    except AgeEnsembleError:
        raise
    except Exception as error:  # somebody's model may raise anything
        raise UsageError(f"{label} cannot be made: {type(error).__name__}: {error}") from error


def _resolved(name):
    """A file by its whole path, so that it is found from everywhere; other names as they are."""
    return str(Path(name).resolve()) if name.endswith(".py") else name


def _label(name):
    """A name for people: a file by its last part, whose ending tells it from a model of the package."""
    return Path(name).name if name.endswith(".py") else name


def _settings(words, text):
    given = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or not value:
            raise UsageError(f"'{word}' in '{text}' is not key=value")
        given[key] = value
    return given


def _fill(defaults, given, owner):
    """The defaults with what was given, each value read as the kind of its default; and, as text, what differs."""
    filled = dict(defaults)
    for key, value in given.items():
        if key not in defaults:
            near = [name for name in defaults if name.lower() == key.lower()]
            near += difflib.get_close_matches(key, defaults, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise UsageError(f"{owner} has no parameter '{key}'; it has: {', '.join(defaults) or 'none'}{hint}")
        filled[key] = _value(value, defaults[key], f"{owner}: {key}")
    return filled, {key: _text(value) for key, value in filled.items() if value != defaults[key]}


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
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise UsageError(f"{what} must be {kind} such as {default}, not '{text}'")
    return value


def _text(value):
    """A value as one would type it."""
    return value if isinstance(value, str) else json.dumps(value).removesuffix(".0")
