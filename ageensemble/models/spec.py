"""Naming a model in full: `NAME[@FEATURES] key=value ...`, such as `svm@hog+lbp C=30 hog.cell=16`.

FEATURES are names joined by `+`, one with an argument as in `embedding:FILE.onnx`. A key with a dot belongs to a
feature set, one without to the model. The file of a model or feature set declares which keys there are, by its keyword
defaults; some pass on further keys. `preprocess=NAME` is a key of every model that sees images, itself or as
features: what is done to them first.
"""

import json
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from .. import __version__, models
from .._utils import registry
from .._utils.params import file_parameters, parameter_defaults, with_file_hashes
from ..data import image_array, transforms
from ..data.image_io import LONG_SIDE
from ..errors import AgeEnsembleError, UsageError
from ..features import FEATURES

PREPROCESS = "preprocess"


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
        the shortest text that gives this spec, where it names no file; of files it shows the last part
    preprocess : str
        what is done to images first, a name in `data.transforms` or path of a file; empty for nothing
    """

    model: str
    params: dict
    features: tuple
    name: str
    preprocess: str = ""

    @property
    def config(self):
        """Everything above for a configuration file, files by their content, and hashes of the code."""
        params = with_file_hashes(self.params, self.model_class.file_parameters)
        names = [name for name, _ in self.features]
        sets = [[name, one.identity()] for name, one in zip(names, self.extractors, strict=True)]
        versions = [models.version(self.model), *(registry.version(type(one)) for one in self.extractors)]
        about = {"ageensemble": __version__, "code_versions": versions}
        if self.preprocess:  # else runs from before there was any keep their names
            about |= {PREPROCESS: self.preprocess, "code_versions": [*versions, transforms.version(self.preprocess)]}
        return {"model": self.model, "params": params, "features": sets} | about

    @property
    def model_class(self):
        """The class of the model."""
        return models.load(self.model)

    @property
    def extractors(self):
        """The feature extractors, in the order in which the model is given their numbers."""
        return [FEATURES.load(name)(**params) for name, params in self.features]

    def resolve(self, cache, device, threads, say):
        """The spec with what its model and features must fetch, look up or try on this machine before they begin.

        Parameters
        ----------
        cache : pathlib.Path
        device : str
        threads : int
        say : callable
            called with a line of text for each choice that people should know of

        Returns
        -------
        Spec

        Raises
        ------
        AgeEnsembleError
            Something cannot be had.
        """
        params = self.model_class.resolve(self.params, cache=cache, device=device, threads=threads, say=say)
        resolved = [extractor.resolve(say).get_params() for extractor in self.extractors]
        names = [name for name, _ in self.features]
        return replace(self, params=params, features=tuple(zip(names, resolved, strict=True)))

    def check_files(self):
        """Open the files that parameters name, so that a wrong one is known early; nothing is fetched.

        Raises
        ------
        AgeEnsembleError
            One that cannot be used.
        """
        self.model_class.check_files(self.params)
        for extractor in self.extractors:
            extractor.check_files()


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
        No such model, feature set, parameter or file, or a value of the wrong kind.
    """
    head, *words = _words(text)
    # on the hub @ stands before a revision
    head, at, listed = (head, "", "") if head.startswith("hf-hub:") else head.partition("@")
    head = _resolved(head, models.MODELS)
    cls, label = models.load(head), _label(head)
    if listed and not cls.features:
        raise UsageError(f"'{text}': {label} takes no features")
    usual = _sets(cls.features)
    sets = _sets(listed if at else (default_features or cls.features)) if cls.features else []
    if (cls.features and not sets) or any(sets.count(each) > 1 for each in sets):
        raise UsageError(f"'{text}': write features as in {label}@hog+lbp, each once")
    given = _settings([*settings, *words], text)
    for key in given:
        if "." in key and key.partition(".")[0] not in map(_prefix, sets):
            raise UsageError(f"'{key}' sets a parameter of features that '{text}' does not use")
    own = {key: value for key, value in given.items() if "." not in key}
    sees = sets or cls.takes_images
    first = _resolved(own.pop(PREPROCESS, ""), transforms.TRANSFORMS) if sees else ""
    also = (PREPROCESS,) if sees else ()
    params, changed = _fill(cls, own, label, cls.accepts_extra_kwargs, cls.file_parameters, also)
    if first:
        transforms.load(first)
        image_array.refuse_native(params.get("size"), first)
        changed[PREPROCESS] = _label(first)
    filled = []
    for each in sets:
        complete, different = _feature(each, given)
        filled.append((each[0], complete))
        changed |= {f"{_prefix(each)}.{key}": value for key, value in different.items()}
    label += f"@{'+'.join(map(_shown, sets))}" if sets and sets != usual else ""
    name = " ".join([label, *(f"{key}={value}" for key, value in sorted(changed.items()))])
    _try(cls, params, label)
    return Spec(head, params, tuple(filled), name, first)


def text_of(estimator) -> str:
    """The full name of a model made in Python, pipelines among them, with the parameters that are no defaults.

    Parameters
    ----------
    estimator : AgeEstimator or scikit-learn estimator
        of this package, of scikit-learn, or of a file that a full name gave

    Raises
    ------
    UsageError
        An estimator of another kind, or with parameters that no text can give.

    Examples
    --------
    >>> from sklearn.ensemble import ExtraTreesRegressor
    >>> text_of(ExtraTreesRegressor(n_estimators=300))
    'sklearn:ensemble.ExtraTreesRegressor n_estimators=300'
    """
    from .base import AgeEstimator
    from .meta import changed_params, encoded, public_name

    if not (hasattr(estimator, "fit") and hasattr(estimator, "get_params")):
        raise UsageError(f"{estimator!r} is neither a model's name nor an estimator")
    named, params = estimator, {}
    if isinstance(estimator, AgeEstimator):
        defaults = estimator.default_params()
        params = {key: getattr(estimator, key) for key in defaults if hasattr(estimator, key)}
        if hasattr(estimator, "estimator"):  # what an AgeFromClassifier or the like is made of
            named = estimator.estimator
        else:
            params = {key: value for key, value in params.items() if value != defaults[key]}
    cls = type(named)
    try:
        if isinstance(named, AgeEstimator):
            known = getattr(cls, "network", "") or next((name for name in models.names() if _is(name, cls)), "")
        else:
            known = public_name(cls) if cls.__module__.startswith("sklearn.") else ""
            params |= changed_params(named)
        if cls.__module__.startswith(registry.FROM_FILE):
            known = shlex.quote(sys.modules[cls.__module__].__file__)
        if not known:
            raise TypeError(f"{cls.__name__} is a class of neither ageensemble nor scikit-learn")
        texts = {key: one if isinstance(one, str) else json.dumps(encoded(one)) for key, one in params.items()}
    except TypeError as error:
        raise UsageError(f"{error}; write the model into a .py file and name that") from None
    return " ".join([known, *(shlex.quote(f"{key}={text}") for key, text in sorted(texts.items()))])


def _is(name, cls):
    """Whether a model's name stands for this class; only the module of that name is loaded."""
    return models.MODELS.module(name).__name__ == cls.__module__ and models.load(name) is cls


def _words(text):
    """The words of a full name; a path with blanks is put in quotes, as in a shell."""
    try:
        return shlex.split(text) or [""]
    except ValueError:
        raise UsageError(f"'{text}' has a quotation mark without its partner") from None


def _sets(text):
    """The feature sets of `hog+embedding:FILE.onnx`, each a name and its argument."""
    found = []
    for part in filter(None, text.split("+")):
        name, colon, argument = part.partition(":")
        resolved = _resolved(name, FEATURES)
        if colon and not FEATURES.load(resolved).argument:
            raise UsageError(f"the features '{name}' take no argument, so write {name} without :{argument}")
        found.append((resolved, argument))
    return found


def _prefix(feature):
    """What the keys of a feature set begin with, as in hog.cell."""
    return Path(_label(feature[0])).stem


def _shown(feature):
    name, argument = feature
    return _label(name) + (f":{_last(argument)}" if argument else "")


def _feature(feature, given):
    """The parameters of a feature set, complete, and, as text, those that differ from the defaults."""
    (name, argument), prefix = feature, _prefix(feature)
    cls = FEATURES.load(name)
    own = {key.partition(".")[2]: value for key, value in given.items() if key.partition(".")[0] == prefix}
    own |= {cls.argument: argument} if argument else {}
    params, changed = _fill(cls, own, prefix, cls.accepts_extra_kwargs, cls.file_parameters)
    if argument:
        del changed[cls.argument]
    if not 1 <= params["size"] <= LONG_SIDE and "size" in changed:
        raise UsageError(f"{prefix}.size={params['size']} will not do, give 1 to {LONG_SIDE} pixels")
    cls(**params).check_parameters()
    return params, changed


def _try(cls, params, label):
    """Make the model once, so that a value it refuses is known before the long work begins."""
    try:
        cls(**params).check_parameters()
    except AgeEnsembleError:
        raise
    except Exception as error:  # somebody's model may raise anything
        raise UsageError(f"{label} cannot be created: {type(error).__name__}: {error}") from error


def _resolved(name, plugins):
    """A file by its whole path, so that it is found from everywhere; an earlier name by the one of today."""
    return str(Path(name).resolve()) if name.endswith(".py") else plugins.aliases.get(name, name)


def _label(name):
    """A name for people: a file by its last part, whose ending tells it from a model of the package."""
    return Path(name).name if name.endswith(".py") else name


def _last(path):
    """The last part of what may be a path; a name on the hub is none."""
    return path if ":" in path else Path(path).name


def _settings(words, text):
    given = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or not value:
            raise UsageError(f"'{word}' in '{text}' is not key=value")
        given[key] = value
    return given


def _fill(thing, given, owner, passed_on, files, also=()):
    """The defaults with what was given, each value read as the kind of its default; and, as text, what differs.

    `also` are keys that the owner has besides, for who mistypes one.
    """
    defaults = parameter_defaults(thing)
    filled = dict(defaults)
    for key, value in given.items():
        near = registry.close(key, [*defaults, *also], 0.8 if passed_on else 0.6)
        if key in defaults:
            filled[key] = _value(value, defaults[key], f"{owner}: {key}")
        elif passed_on and not near:
            filled[key] = _read(value)
        else:
            listed = ", ".join([*defaults, *also]) or "none"
            hint = registry.did_you_mean(near)
            raise UsageError(f"{owner} has no parameter '{key}'; it has: {listed}{hint}")
    changed = {key: _text(value) for key, value in filled.items() if key not in defaults or value != defaults[key]}
    for key, path in file_parameters(filled, files).items():
        filled[key] = str(Path(path).expanduser().resolve())
        changed[key] = Path(path).name
        if not Path(filled[key]).is_file():
            raise UsageError(f"no such file: {path}")
    return filled, changed


def _value(text, default, what):
    if isinstance(default, str):
        return text
    value = _read(text.lower(), text)
    if isinstance(default, bool) and not isinstance(value, bool):
        raise UsageError(f"{what} must be true or false, not '{text}'")
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if default is not None and type(value) is not type(default):
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise UsageError(f"{what} must be {kind} such as {default}, not '{text}'")
    return value


def _read(text, otherwise=None):
    """A value in JSON, else text."""
    try:
        return json.loads(text)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text, otherwise or text)


def _text(value):
    """A value as one would type it."""
    return value if isinstance(value, str) else json.dumps(value).removesuffix(".0")
