"""What every model is: a scikit-learn estimator whose `predict_proba` returns age distributions."""

import inspect
import json
import os
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from .. import ages
from .._utils.params import parameter_defaults
from ..errors import UsageError
from ..splits.stratified_groups import N_INNER_FOLDS, assign_stratified_groups


class AgeEstimator(RegressorMixin, BaseEstimator):
    """Base class of models: ages in, age distributions out.

    A subclass stores its keyword parameters in `__init__`, describes their valid values in `_parameter_constraints` as
    scikit-learn does, and implements `_fit` and `predict_proba`. `parts_`, a dict of dicts of arrays, is what `save`
    writes and `load` reads back.

    Attributes
    ----------
    classes_ : (121,) int array
        the years 0..120, the columns of `predict_proba`
    n_features_in_ : int
    fit_info_ : dict
        what the record of a run should say about the fit
    """

    features: ClassVar[str] = "hog+lbp"  # default feature sets, "" for a model that uses none
    version: ClassVar[int]  # raised whenever the predictions change
    takes_images: ClassVar[bool] = False  # whether X is an `ImageArray` in place of features
    savable: ClassVar[bool] = True  # whether `save` can store a fitted model without pickle
    file_parameters: ClassVar[dict[str, str]] = {}  # parameters that are paths, with the ending that tells one
    accepts_extra_kwargs: ClassVar[bool] = False  # whether `__init__` takes parameters that it does not declare
    accelerators: ClassVar[tuple[str, ...]] = ()  # packages that make it faster where they are installed
    run_parameters: ClassVar[tuple[str, ...]] = ("random_state", "n_jobs", "device")  # set by who runs the model

    _parameter_constraints: ClassVar[dict[str, list]] = {"random_state": ["random_state"], "n_jobs": [Integral, None]}

    # --- what a subclass implements ----------------------------------------------------------------------------------

    def _fit(self, X, y, fold, feature_widths):
        """Fit on checked input: `X` (n, d) float32, `y` (n, 2) int, `fold` (n,) the inner fold of each item."""
        raise NotImplementedError

    def predict_proba(self, X) -> np.ndarray:
        """Age distributions, `(n, 121)`, of `(n, d)` features."""
        raise NotImplementedError

    # --- the interface of scikit-learn -------------------------------------------------------------------------------

    def fit(self, X, y, groups=None, *, cv=None, feature_widths=None):
        """Fit on features and ages.

        Parameters
        ----------
        X : (n, d) array
        y : (n,) array of years, or (n, 2) array of ranges of years, both ends included
        groups : (n,) array, optional
            items of one group are never parted by the inner folds; without it each item is its own group
        cv : (n,) int array, int, cross-validation splitter or iterable of (train, test), optional
            inner folds that calibration and residuals are learned from; ten, stratified by age, unless given
        feature_widths : sequence of int, optional
            columns of each feature set in `X`; all sets have the same say in the principal components
        """
        self._validate_params()
        X = self._check_features(X, reset=True)
        y = check_age_target(y, len(X))
        self.classes_, self.fit_info_ = np.arange(ages.N_AGES), {}
        self._fit(X, y, inner_folds(cv, X, y, groups, self._seed()), feature_widths)
        return self

    def predict(self, X) -> np.ndarray:
        """Years, `(n,)` float: the median of each age distribution, which has the least expected absolute error."""
        return ages.median(self.predict_proba(X)).astype(float)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        tags.regressor_tags.poor_score = True  # whole years, and a fallback to the prior where there are few items
        return tags

    def check_parameters(self) -> None:
        """Refuse parameters that `fit` would refuse.

        Raises
        ------
        UsageError
        """
        try:
            self._validate_params()
        except ValueError as error:
            raise UsageError(str(error)) from None

    # --- the interface of the runner ---------------------------------------------------------------------------------

    @classmethod
    def default_params(cls) -> dict[str, Any]:
        """Parameters that decide the predictions, with their defaults: what `key=value` may set."""
        return parameter_defaults(cls)

    @classmethod
    def resolve(cls, params, *, cache, device, threads, say):
        """The parameters with what has to be fetched or tried on this machine first."""
        return params

    @classmethod
    def check_files(cls, params) -> None:
        """Open the files that parameters name, so that a wrong one is known early; nothing is fetched."""

    def set_run_parameters(self, **values):
        """Set those of `random_state`, `n_jobs` and `device` that this model has."""
        own = self.get_params(deep=False)
        return self.set_params(**{name: value for name, value in values.items() if name in own})

    def fit_bytes(self, n: int, d: int) -> int:
        """Rough peak memory of a fit on `n` items with `d` features, bytes."""
        return 0

    def save(self, folder: Path) -> None:
        """Write the fitted model into `folder`: parameters as JSON, arrays as safetensors, no pickle."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        params = {name: getattr(self, name) for name in self.default_params()}
        (folder / "parameters.json").write_text(json.dumps(params, indent=1) + "\n")
        flat = {f"{part}.{name}": value for part, arrays in self._arrays().items() for name, value in arrays.items()}
        # safetensors writes the buffer as it lies in memory, strides ignored
        save_file({name: np.array(value, order="C") for name, value in flat.items()}, folder / "arrays.safetensors")

    def _arrays(self):
        return self.parts_

    @classmethod
    def load(cls, folder: Path):
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        model = cls(**json.loads((folder / "parameters.json").read_text()))
        model.parts_, model.classes_, model.fit_info_ = {}, np.arange(ages.N_AGES), {}
        for name, value in load_file(folder / "arrays.safetensors").items():
            part, _, field = name.partition(".")
            model.parts_.setdefault(part, {})[field] = value
        return model

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _check_features(self, X, reset=False):
        """Finite float32 rows, (n, d); a memory map stays one."""
        if not reset:
            check_is_fitted(self)
            if not hasattr(self, "n_features_in_"):  # loaded: the arrays say by themselves what fits
                return check_array(X, dtype=np.float32, ensure_min_samples=0, ensure_min_features=0)
        least = 1 if self.features else 0
        options = {"dtype": np.float32, "ensure_min_samples": int(reset), "ensure_min_features": least}
        return validate_data(self, X, reset=reset, **options)

    def _seed(self):
        """The random state as a whole number."""
        state = getattr(self, "random_state", 0)
        if isinstance(state, (int, np.integer)):
            return int(state)
        return 0 if state is None else int(check_random_state(state).randint(2**31))

    def _threads(self):
        """Threads to use: 1 unless `n_jobs` says otherwise, all for -1."""
        jobs = self.n_jobs or 1
        return jobs if jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + jobs)


def check_age_target(y, n: int | None = None) -> np.ndarray:
    """Labels as ranges of whole years.

    Parameters
    ----------
    y : (n,) array of years, or (n, 2) array of ranges of years, both ends included
        a fraction of a year counts as not yet completed
    n : int, optional
        how many there must be

    Returns
    -------
    (n, 2) int array

    Raises
    ------
    ValueError
        No numbers, a year outside 0..120, a range that ends before it begins, or not `n` labels.
    """
    if y is None:
        raise ValueError("this model requires y to be passed, but the target y is None")
    y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    if y.ndim != 2 or y.shape[1] != 2:
        y = np.stack([column_or_1d(y, warn=True)] * 2, axis=1)
    if n is not None:
        check_consistent_length(np.empty(n), y)
    years = np.floor(y).astype(np.int64)
    if years.min() < 0 or years.max() > ages.MAX_AGE:
        raise ValueError(f"ages must lie in 0..{ages.MAX_AGE} years, not {years.min()}..{years.max()}")
    if np.any(years[:, 0] > years[:, 1]):
        raise ValueError("a range of years ends before it begins")
    return years


def inner_folds(cv, X, y, groups=None, seed: int = 0) -> np.ndarray:
    """Inner fold of each training item, `(n,)` int, that calibration and residuals are learned from.

    Parameters
    ----------
    cv : (n,) int array, int, cross-validation splitter, iterable of (train, test), or None
        an array is returned as it is; None means ten folds
    X : (n, d) array
    y : (n, 2) int array, years
    groups : (n,) array, optional
    seed : int
    """
    n = len(y)
    if isinstance(cv, np.ndarray) and cv.ndim == 1:
        check_consistent_length(cv, y)
        return cv
    groups = np.arange(n) if groups is None else np.asarray(groups)
    check_consistent_length(groups, y)
    if cv is None or isinstance(cv, (int, np.integer)):
        folds = cv or N_INNER_FOLDS
        strata = ages.DEFAULT_AGE_GROUPS.lookup[y.sum(1) // 2]
        return assign_stratified_groups(strata, groups, [1 / folds] * folds, seed)
    fold = np.full(n, -1)
    for number, (_, test) in enumerate(cv.split(X, y[:, 0], groups) if hasattr(cv, "split") else cv):
        fold[test] = number
    if fold.min(initial=0) < 0:
        raise ValueError("cv must test every item once: it is what out-of-fold predictions are made of")
    return fold


def accepted(function, **keywords) -> dict[str, Any]:
    """Those of the keywords that a function takes."""
    parameters = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return keywords
    return {name: value for name, value in keywords.items() if name in parameters}
