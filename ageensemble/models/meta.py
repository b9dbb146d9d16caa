"""Age estimators from any classifier or regressor of scikit-learn, or written like those.

What they predict for items they were not fitted on, by inner folds, teaches what their outputs mean in years.
"""

import importlib
import inspect
from functools import cache
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval

from .._utils import registry
from ..errors import UsageError
from .base import AgeEstimator
from .calibrated import CalibratedAgeEstimator
from .distribution import class_target, threshold_target, year_target

PREFIX = "sklearn:"  # of model names on the command line


class _FromEstimator(CalibratedAgeEstimator):
    version = 1
    savable = False  # only a pickle could hold an estimator of any kind
    _parameter_constraints = CalibratedAgeEstimator._parameter_constraints | {
        "estimator": [HasMethods(["fit", "get_params"])],
        "folds": [Interval(Integral, 2, None, closed="left")],
        "neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, estimator, *, pca=0, folds=2, random_state=0, n_jobs=None):
        self.estimator, self.pca, self.folds, self.random_state = estimator, pca, folds, random_state
        self.n_jobs = n_jobs

    @property
    def estimator_(self):
        """The estimator fitted on all training items."""
        return self.parts_["machine"]["estimator"]

    def _library(self):
        import sklearn

        return f"scikit-learn {sklearn.__version__}"

    def _clone(self):
        """An unfitted copy with our seed and threads where its own are not set."""
        copy, ours = clone(self.estimator), {"random_state": self._seed(), "n_jobs": self._threads()}
        params = copy.get_params().items()
        unset = {key: ours[name] for key, value in params if value is None and (name := key.split("__")[-1]) in ours}
        return copy.set_params(**unset)

    def save(self, folder):
        """Refuse: it would take a pickle."""
        raise UsageError(f"{type(self).__name__} cannot be stored: it would take a pickle, which runs code when loaded")

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes: components, and projected rows a few times."""
        k, components = self._components_bytes(n, d)
        return (components if self.pca else 0) + 6 * 8 * n * k + 300_000_000


class AgeFromClassifier(_FromEstimator):
    """An age estimator from a classifier: of age groups, recalibrated on its inner out-of-fold scores.

    Weights of classes, such as `class_weight="balanced"`, are taken back out by the recalibration (Saerens, Latinne &
    Decaestecker 2002, Neural Computation 14): the probabilities are those of the training frequencies.

    Parameters
    ----------
    estimator : classifier
        with `predict_proba` or `decision_function`
    pca : int
        principal components of the standardized features that it sees; 0 for the features as they are
    folds : int
        inner folds for the recalibration
    random_state : int
        also of the estimator, where its own is None
    n_jobs : int
        also of the estimator, where its own is None

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, age = np.arange(200.0)[:, None] / 5, np.arange(200) // 5
    >>> AgeFromClassifier(GaussianNB()).fit(X, age).predict_proba(X).shape
    (200, 121)
    """

    def _target(self, y):
        return class_target(y)

    def _fit_machine(self, Z, target):
        estimator = self._clone() if np.ptp(target.label) else DummyClassifier()
        return {"estimator": estimator.fit(Z, target.label), "n_classes": len(target.spread)}

    def _outputs(self, machine, Z):
        scores = _scores(machine["estimator"], Z)
        outputs = np.repeat(scores.min(1, keepdims=True), machine["n_classes"], axis=1)  # of a class not seen
        outputs[:, machine["estimator"].classes_] = scores
        return outputs


class AgeFromRegressor(_FromEstimator):
    """An age estimator from a regressor of years; residuals of similar inner out-of-fold predictions spread its ages.

    Parameters
    ----------
    estimator : regressor
    pca : int
        principal components of the standardized features that it sees; 0 for the features as they are
    folds : int
        inner folds for the residuals
    neighbors : int
        training items whose residuals make up the distribution of a prediction
    random_state : int
        also of the estimator, where its own is None
    n_jobs : int
        also of the estimator, where its own is None
    """

    def __init__(self, estimator, *, pca=0, folds=2, neighbors=500, random_state=0, n_jobs=None):
        super().__init__(estimator, pca=pca, folds=folds, random_state=random_state, n_jobs=n_jobs)
        self.neighbors = neighbors

    def _target(self, y):
        return year_target(y, type(self.estimator).__name__)

    def _fit_machine(self, Z, target):
        return {"estimator": self._clone().fit(Z, target.age)}

    def _outputs(self, machine, Z):
        return np.asarray(machine["estimator"].predict(Z), np.float64).reshape(len(Z))


class AgeFromThresholds(_FromEstimator):
    """An age estimator from a binary classifier or a regressor, fitted to "older than ...?" for one age after another.

    Frank & Hall 2001, "A simple approach to ordinal classification", ECML; see `OrdinalAgeEstimator`.

    Parameters
    ----------
    estimator : classifier or regressor
        a classifier and a regressor of one output are fitted once for each age, a regressor of several once for all
    pca : int
        principal components of the standardized features that it sees; 0 for the features as they are
    folds : int
        inner folds for the calibration
    random_state : int
        also of the estimator, where its own is None
    n_jobs : int
        also of the estimator, where its own is None
    """

    def _target(self, y):
        return threshold_target(y)

    def _fit_machine(self, Z, target):
        older = target.older
        if is_regressor(self.estimator) and get_tags(self.estimator).target_tags.multi_output:
            return {"estimator": self._clone().fit(Z, older)}
        return {"estimator": [self._fit_one(Z, column) for column in older.T]}

    def _fit_one(self, Z, older):
        if is_regressor(self.estimator):
            return self._clone().fit(Z, older)
        return (self._clone() if np.ptp(older) else DummyRegressor()).fit(Z, older.astype(int))

    def _outputs(self, machine, Z):
        estimator = machine["estimator"]
        if not isinstance(estimator, list):
            return np.asarray(estimator.predict(Z)).reshape(len(Z), -1)
        return np.column_stack([_scores(one, Z)[:, -1] if is_classifier(one) else one.predict(Z) for one in estimator])


def _scores(classifier, Z):
    """Log probabilities or decision values of the classes, `(n, classes)`."""
    if hasattr(classifier, "predict_proba"):
        return np.log(np.maximum(classifier.predict_proba(Z), 1e-6))
    decisions = np.asarray(classifier.decision_function(Z))
    decisions = np.column_stack([-decisions, decisions]) if decisions.ndim == 1 else decisions
    if decisions.shape[1] != len(classifier.classes_):
        raise ValueError(f"{type(classifier).__name__} must decide once for each class, decision_function_shape='ovr'")
    return decisions


def as_age_estimator(estimator, **params) -> AgeEstimator:
    """An age estimator from any classifier or regressor, a pipeline among them; one that is one already as it is.

    Parameters
    ----------
    estimator : scikit-learn estimator
    **params
        of `AgeFromClassifier` or `AgeFromRegressor`

    Raises
    ------
    TypeError
        Neither a classifier nor a regressor.
    """
    if isinstance(estimator, AgeEstimator):
        return estimator
    return _adapter(estimator)(estimator, **params)


def _adapter(estimator):
    if is_classifier(estimator):
        return AgeFromClassifier
    if is_regressor(estimator):
        return AgeFromRegressor
    raise TypeError(f"{type(estimator).__name__} is neither a classifier nor a regressor")


# --- by name ---------------------------------------------------------------------------------------------------------


@cache
def named(name) -> type:
    """The model class of `sklearn:ensemble.ExtraTreesRegressor`; only names inside scikit-learn are looked up.

    Raises
    ------
    UsageError
        No such classifier or regressor.
    """
    found = _lookup(name)
    if found:
        return model_of(found)
    from sklearn.utils import all_estimators

    known = {cls.__name__: cls for _, cls in all_estimators(["classifier", "regressor"])}
    near = [public_name(known[one]) for one in registry.close(name.rpartition(".")[2], known)]
    raise UsageError(f"no classifier or regressor called '{name}' in scikit-learn{registry.did_you_mean(near)}")


def _lookup(name):
    """The estimator class of a name such as `sklearn:svm.SVC`, or None; nothing but estimators of scikit-learn."""
    place, _, wanted = name.removeprefix(PREFIX).rpartition(".")
    if not place or any(part.startswith("_") or not part.isidentifier() for part in [*place.split("."), wanted]):
        return None
    try:
        found = getattr(importlib.import_module(f"sklearn.{place}"), wanted, None)
    except ImportError:
        return None
    ours = inspect.isclass(found) and issubclass(found, BaseEstimator) and found.__module__.startswith("sklearn.")
    return found if ours else None


def public_name(cls) -> str:
    """What a class of scikit-learn is called as a model: `sklearn:ensemble.ExtraTreesRegressor`."""
    parts = [part for part in cls.__module__.split(".")[1:] if not part.startswith("_")]
    return PREFIX + ".".join([*parts, cls.__name__])


def model_of(cls) -> type:
    """A model class whose parameters are those of an estimator class, for the command line and the runner."""
    doc = f"{registry.summary(cls).rstrip('.') or cls.__name__}.\n\n{inspect.cleandoc(_Named.__doc__)}"
    return type(cls.__name__, (_Named,), {"wraps": cls, "__module__": cls.__module__, "__doc__": doc})


class _Named(_FromEstimator):
    """Fitted as by `AgeFromClassifier` or `AgeFromRegressor`.

    Parameters
    ----------
    pca : int
        principal components of the standardized features that it sees; 0 for the features as they are
    folds : int
        inner folds that teach what its outputs mean in years
    neighbors : int
        training items whose residuals make up the distribution of a prediction, of regressors
    """

    accepts_extra_kwargs = True
    wraps = None

    def __init__(self, *, pca=512, folds=2, neighbors=500, random_state=0, n_jobs=None, **params):
        known = self.wraps._get_param_names()
        for name in params:
            if name.partition("__")[0] not in known:
                near = registry.did_you_mean(registry.close(name, known))
                raise UsageError(f"{self.wraps.__name__} has no parameter '{name}'; it has: {', '.join(known)}{near}")
        now = {name: value for name, value in params.items() if "__" not in name}
        self.estimator = self.wraps(**decoded(now)).set_params(**{k: v for k, v in params.items() if k not in now})
        self.pca, self.folds, self.neighbors = pca, folds, neighbors
        self.random_state, self.n_jobs = random_state, n_jobs
        try:
            self._adapter = _adapter(self.estimator)
        except TypeError as error:
            raise UsageError(str(error)) from None

    def _target(self, y):
        return self._adapter._target(self, y)

    def _fit_machine(self, Z, target):
        return self._adapter._fit_machine(self, Z, target)

    def _outputs(self, machine, Z):
        return self._adapter._outputs(self, machine, Z)

    @classmethod
    def _get_param_names(cls):
        return ["estimator", "folds", "n_jobs", "neighbors", "pca", "random_state"]

    def __sklearn_clone__(self):
        copy = object.__new__(type(self))  # `__init__` takes the parameters of the estimator, not the estimator
        params = {name: clone(value, safe=False) for name, value in self.get_params(deep=False).items()}
        vars(copy).update(params, _adapter=self._adapter)
        return copy

    def check_parameters(self):
        """Refuse parameters that `fit` would refuse, of the estimator too."""
        super().check_parameters()
        try:
            if hasattr(self.estimator, "_validate_params"):
                self.estimator._validate_params()
        except ValueError as error:
            raise UsageError(str(error)) from None


def encoded(value):
    """Parameters of estimators as JSON can hold them: an estimator becomes `{"class": name, "params": {...}}`.

    Raises
    ------
    TypeError
        Something that is neither plain data nor an estimator of scikit-learn.
    """
    if isinstance(value, dict):
        return {str(key): encoded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [encoded(one) for one in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, BaseEstimator) and type(value).__module__.startswith("sklearn."):
        return {"class": public_name(type(value)), "params": encoded(changed_params(value))}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a parameter of type {type(value).__name__} cannot be written down")


def decoded(value):
    """What `encoded` was given; classes are looked up in scikit-learn alone."""
    if isinstance(value, list):
        whole = [decoded(one) for one in value]
        is_step = len(whole) == 2 and isinstance(whole[0], str) and isinstance(whole[1], BaseEstimator)
        return tuple(whole) if is_step else whole
    if not isinstance(value, dict):
        return value
    if set(value) != {"class", "params"}:
        return {key: decoded(one) for key, one in value.items()}
    found = _lookup(str(value["class"]))
    if not found:
        raise UsageError(f"no estimator called '{value['class']}' in scikit-learn")
    return found(**decoded(value["params"]))


def changed_params(estimator) -> dict:
    """The parameters of an estimator that differ from its defaults."""
    defaults = {key: one.default for key, one in inspect.signature(type(estimator)).parameters.items()}
    params = estimator.get_params(deep=False)
    return {key: value for key, value in params.items() if not _same(value, defaults[key])}


def _same(value, default):
    return value is default or (
        type(value) is type(default) and isinstance(value, (bool, int, float, str)) and value == default
    )
